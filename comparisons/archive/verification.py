"""Checking an archive with nothing but itself: hashes, schemas, and everything derived again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from comparisons.archive import contents
from comparisons.archive.contents import ABOUT, CHECKSUMS, METADATA, SCHEMA, About
from comparisons.archive.crate import metadata
from comparisons.archive.extraction import MAX_VALUES, RefusedError, unpack
from comparisons.render.values import one_line, printable
from manifests.codec import UnreadableError, read_struct
from manifests.flags import IMPOSSIBLE, impossible_in
from manifests.manifest import Manifest
from manifests.metrics import METRICS
from manifests.paths import Places
from manifests.plan import Plan
from manifests.run_folder import Run
from papers.mistakes import PublishedError
from papers.paper import open_paper

_SUM = re.compile(r"([0-9a-f]{64})  (\S+)")
_TOLD, _LONGEST = 5, 180


# What a stranger's numbers and texts can bring about where ours don't.
_UNUSABLE = (
    PublishedError, ValueError, ArithmeticError, LookupError, TypeError, RecursionError,
    MemoryError,
)  # fmt: skip


class Check(NamedTuple):
    """One thing that was looked at, and what is wrong with it; nothing when it is right."""

    name: str
    wrong: list[str]
    detail: str = ""


def verify(
    archive: Path,
    folder: Path,
    script: Callable[[], str],
    studies: Path | Places | None = None,
    kit: str = "",
) -> Iterator[Check]:
    """Unpack into the empty ``folder`` and check; stops where nothing more can be said.

    ``studies`` is our own folder of them, to say whether the archive's study is ours, and ``kit``
    our version: another may lay out a page otherwise.

    Raises RefusedError for what is no archive of ours, or a hostile one; OSError.
    """
    names = unpack(archive, folder)
    yield Check("opened", [], f"{len(names):,} files")
    sums = _sums(folder, names)
    wrong = _check_sums(folder, names, sums)
    yield Check("hashes", wrong, f"{len(sums):,} files")
    if wrong:
        return
    _check_values(folder, names)
    about, plan, manifests, wrong = _read(folder)
    yield Check("schemas", wrong, f"plan and {len(manifests):,} manifests")
    if about.copies:
        yield Check("redacted", _check_copies(names, about), f"copies: {about.note}")
    wrong = _check_artifacts(folder, names, manifests, about.left_out)
    yield Check("artifacts", wrong + _check_telemetry(folder, manifests))
    yield _check_numbers(manifests)
    if any(manifest.inputs.weights_manifest_sha256 for manifest in manifests):
        yield _check_weights(folder, about, manifests)
    yield Check("kit", [], f"made by {about.kit}" + (f"; this is {kit}" if kit else ""))
    if studies is not None:
        yield Check("study", [], _against_ours(folder, about.study, studies))
    try:
        yield from _derived(folder, about, plan, manifests, names, script)
    except _UNUSABLE as error:
        raise RefusedError(f"can't be evaluated: {_relative(error, folder)}") from error


def _relative(error: Exception, folder: Path) -> str:
    return one_line(printable(str(error).replace(f"{folder}/", "")))


def _sums(folder: Path, names: list[str]) -> dict[str, str]:
    if CHECKSUMS not in names or ABOUT not in names:
        raise RefusedError(f"has no {CHECKSUMS} or no {ABOUT}: it is not a bundle")
    text = (folder / CHECKSUMS).read_bytes().decode("ascii", "replace")
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _SUM.fullmatch(line)
        if match is None or match[2] in found:
            raise RefusedError(f"has a line in {CHECKSUMS} that is none, or stands twice")
        found[match[2]] = match[1]
    return found


def _check_sums(folder: Path, names: list[str], sums: dict[str, str]) -> list[str]:
    listed, there = set(sums), set(names) - {CHECKSUMS}
    wrong = [f"{name} is missing" for name in sorted(listed - there)]
    wrong += [f"{name} is not listed" for name in sorted(there - listed)]
    changed = [name for name in sorted(listed & there) if _hash(folder / name) != sums[name]]
    return wrong + [f"{name} was changed" for name in changed]


def _hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_values(folder: Path, names: list[str]) -> None:
    """JSON has a comma between any two values, so commas bound what decoding would make."""
    count = 0
    for name in names:
        if name.endswith(".json"):
            count += (folder / name).read_bytes().count(b",")
            if count > MAX_VALUES:
                raise RefusedError(f"has more than {MAX_VALUES:,} values in its JSON files")


def _read(folder: Path) -> tuple[About, Plan, list[Manifest], list[str]]:
    """Raises RefusedError where there is nothing to go on from."""
    run = Run(folder)
    try:
        about = read_struct(folder / ABOUT, About)
        plan = run.plan()
    except (UnreadableError, FileNotFoundError) as error:
        raise RefusedError(f"can't be read: {_relative(error, folder)}") from error
    if about.schema != SCHEMA:
        raise RefusedError(f"has schema {about.schema[:80]!r}; this version reads {SCHEMA}")
    if about.study != plan.study or not (folder / contents.study_place(about.study)).is_dir():
        raise RefusedError(f"has no folder for its study {about.study[:80]!r}")
    manifests, warnings = contents.planned(run, plan)
    return about, plan, manifests, [_relative(ValueError(text), folder) for text in warnings]


def _check_numbers(manifests: list[Manifest]) -> Check:
    """Samples that can't be; a manifest that flags its own is honest, and no table shows them."""
    wrong, admitted = [], 0
    for manifest in manifests:
        own = {m for f in manifest.flags if f.name == IMPOSSIBLE for m in f.metrics or METRICS}
        for metric in manifest.metrics:
            told = impossible_in(manifest, metric)
            admitted += bool(told) and metric.name in own
            if told and metric.name not in own:
                wrong.append(f"cell {manifest.id}: {told}")
    flagged = f", {admitted} impossible and flagged so" if admitted else ""
    return Check("numbers", wrong, f"{sum(len(m.metrics) for m in manifests):,} metrics{flagged}")


def _check_artifacts(
    folder: Path, names: list[str], manifests: list[Manifest], left_out: list[str]
) -> list[str]:
    """Models that came along are those that the manifests speak of; the others are named."""
    there = {name for name in names if name.startswith("artifacts/")}
    known = {
        f"artifacts/{m.id}/{artifact.path}": artifact.sha256
        for m in manifests
        for artifact in m.artifacts
    }
    wrong = [f"{name} belongs to no manifest" for name in sorted(there - known.keys())]
    named = {f"artifacts/{name.removeprefix('cells/')}" for name in left_out}
    wrong += [f"{name} is missing" for name in sorted(known.keys() - there - named)]
    changed = [name for name in sorted(there & known.keys()) if _hash(folder / name) != known[name]]
    return wrong + [f"{name} is not what its manifest says" for name in changed]


def _check_telemetry(folder: Path, manifests: list[Manifest]) -> list[str]:
    """What was recorded while a cell ran, where it came along."""
    return [
        f"cells/{manifest.id}/telemetry.jsonl is not what its manifest says"
        for manifest in manifests
        if (path := folder / "cells" / manifest.id / "telemetry.jsonl").is_file()
        and manifest.telemetry is not None
        and manifest.telemetry.sha256 not in (None, _hash(path))
    ]


def _check_copies(names: list[str], about: About) -> list[str]:
    """What is said to be a copy is here, and its hash has been checked with all others."""
    return [f"{name} is missing" for name in sorted(about.copies.keys() - set(names))]


def _check_weights(folder: Path, about: About, manifests: list[Manifest]) -> Check:
    """Weights come from the manifests that are here, by the hash that their heirs recorded.

    A manifest that is here as a copy without secrets has another hash than its heirs know.
    """
    wrong, good, copies = [], 0, set()
    for manifest in manifests:
        expected, parent = manifest.inputs.weights_manifest_sha256, manifest.cell.weights_from
        place = f"cells/{parent}/manifest.json"
        if expected is None or not (folder / place).is_file():
            continue
        if _hash(folder / place) == expected:
            good += 1
        elif place in about.copies:
            copies.add(place)
        else:
            wrong.append(f"{manifest.id} started from another {place} than the one here")
    apart = f"; not comparable: {len(copies)} that are copies without secrets" if copies else ""
    return Check("weights", wrong, f"{good:,} cells' origins are those recorded{apart}")


def _against_ours(folder: Path, study: str, studies: Path | Places) -> str:
    """Published numbers, claims and checks come with the archive, and may be another's."""
    theirs, ours = folder / contents.study_place(study), studies / study
    if not ours.is_dir():
        return f"this version has no study {study[:80]}"
    paths = [path.relative_to(theirs) for path in sorted(theirs.rglob("*")) if path.is_file()]
    other = [str(path) for path in paths if _hash_or_none(ours / path) != _hash(theirs / path)]
    return f"not as in this version: {', '.join(other[:_TOLD])}" if other else "as in this version"


def _hash_or_none(path: Path) -> str | None:
    return _hash(path) if path.is_file() else None


def _derived(
    folder: Path,
    about: About,
    plan: Plan,
    manifests: list[Manifest],
    names: list[str],
    script: Callable[[], str],
) -> Iterator[Check]:
    """Tables, claims, audit, report and metadata, derived again and laid beside the archive's."""
    study = folder / contents.study_place(about.study)
    made = contents.derive(about, study, plan, manifests, script)
    files = [name for name in names if name not in (METADATA, CHECKSUMS)]
    made[METADATA] = metadata(about, open_paper(study).study.title, files, manifests)
    for group, prefix in (
        ("tables", "derived/tables"), ("claims", "derived/claims"), ("audit", "derived/audit"),
        ("report", "report.html"), ("metadata", METADATA),
    ):  # fmt: skip
        chosen = {name: data for name, data in made.items() if name.startswith(prefix)}
        wrong = [
            f"{name} {how}"
            for name, data in chosen.items()
            if (how := _differs(folder, name, data))
        ]
        yield Check(group, wrong, f"{len(chosen)} files derived again, byte by byte")
    strange = [name for name in names if name.startswith("derived/") and name not in made]
    if strange:
        yield Check("derived", [f"{name} is not derived by this version" for name in strange])


def _differs(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    if not path.is_file():
        return "is missing"
    return "" if path.read_bytes() == data else "comes out otherwise"


def as_line(check: Check) -> str:
    """For people: ``hashes: ok (120 files)``; one line whatever the texts in it are."""
    if not check.wrong:
        detail = f" ({one_line(printable(check.detail))})" if check.detail else ""
        return f"{check.name}: ok{detail}"
    more = f" and {len(check.wrong) - _TOLD} more" if len(check.wrong) > _TOLD else ""
    told = "; ".join(one_line(printable(text))[:_LONGEST] for text in check.wrong[:_TOLD])
    return f"{check.name}: {told}{more}"
