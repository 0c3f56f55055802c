"""Writing an archive: the same bytes for the same run."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from comparisons.archive import contents, extraction
from comparisons.archive.contents import ABOUT, CHECKSUMS, KEPT, METADATA, About
from comparisons.archive.crate import metadata
from comparisons.redaction import copies as copied
from comparisons.redaction import redact
from comparisons.results import read_paper
from manifests.artifacts import faults
from manifests.cell import sha256_hex
from manifests.files import set_mode
from manifests.manifest import Manifest
from manifests.plan import Plan
from manifests.run_folder import Run

_DERIVED = 100
_TOLD = 5
_LOCKS = ("requirements.txt", "requirements.in")
"""Endings: an image may have one lock for its container and one for a virtual environment."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Bundled(NamedTuple):
    """How many files an archive got, its size, and what was left out or can't be used.

    ``redacted`` says it of files that are in the archive as copies without secrets.
    """

    files: int
    size_bytes: int
    left_out: list[str]
    warnings: list[str]
    redacted: str = ""


class Sources(NamedTuple):
    """Folders that an archive is made from; ``images`` holds one folder an environment."""

    run: Run
    study: Path
    images: Path


def write_bundle(
    sources: Sources,
    plan: Plan,
    target: Path,
    kit: str,
    script: Callable[[], str],
    artifacts: bool = False,
) -> Bundled:
    """Raises OSError, PublishedError; RefusedError for a run too large for an archive, or one
    whose files are not those that its manifests speak of.
    """
    manifests, warnings = contents.planned(sources.run, plan)
    _check_files(sources.run, manifests, artifacts)
    kept, models, left_out = _of_run(sources.run, manifests, artifacts)
    manifests, copies = _without_secrets(manifests, kept)
    kept |= _study(sources.study) | _images(sources.images, plan)
    date = max((m.started_at for m in manifests), default="1980-01-01T00:00:00+00:00")
    about = About(
        study=plan.study, run=sources.run.id, kit=kit, date=date, left_out=sorted(left_out),
        redacted={name: went for name, (_, went) in copies.items()} or msgspec.UNSET,
    )  # fmt: skip
    _check_limits(kept)
    made = contents.derive(about, sources.study, plan, manifests, script)
    made |= {name: data for name, (data, _) in copies.items()}
    made[ABOUT] = msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n"
    names = [*kept, *models, *(name for name in made if name not in kept)]
    made[METADATA] = metadata(about, read_paper(sources.study).title, names, manifests)
    _write(target, kept | models, made)
    return Bundled(len(names) + 2, target.stat().st_size, about.left_out, warnings, about.note)


def _without_secrets(
    manifests: list[Manifest], kept: dict[str, Path]
) -> tuple[list[Manifest], dict[str, tuple[bytes, list[str]]]]:
    """The manifests as others may see them, and the files that go as copies, with what they lack.

    The hash of an original is not published: it would tell a guessed secret from a wrong one.
    """
    known = redact(manifests)
    cells = {name: path for name, path in kept.items() if name.startswith("cells/")}
    copies: dict[str, tuple[bytes, list[str]]] = {}
    for name, path in sorted(cells.items()):
        copies |= copied({name: path.read_bytes()}, known)
    return known.manifests, copies


def _check_files(run: Run, manifests: list[Manifest], artifacts: bool) -> None:
    """A model may have been removed, unless it is to come along; none may have been changed."""
    wrong = [
        (manifest.id, found.text)
        for manifest in manifests
        for found in faults(run.cell_folder(manifest.id), manifest)
        if artifacts or not found.missing
    ]
    if not wrong:
        return
    texts = "; ".join(f"{text} (cell {cell})" for cell, text in wrong[:_TOLD])
    more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
    again = " ".join(f"--rerun {cell}" for cell in dict.fromkeys(cell for cell, _ in wrong[:_TOLD]))
    raise extraction.RefusedError(
        f"would not hold what was measured: {texts}{more}. Put the file back, or make it again: "
        f"repliquant run with {again}"
    )


def _check_limits(kept: dict[str, Path]) -> None:
    """Nobody's ``verify`` would open an archive beyond them."""
    if len(kept) > extraction.MAX_ENTRIES - _DERIVED:
        raise extraction.RefusedError(
            f"would hold {len(kept):,} files; {extraction.MAX_ENTRIES:,} are allowed"
        )
    values = sum(
        path.read_bytes().count(b",") for name, path in kept.items() if name.endswith(".json")
    )
    if values > extraction.MAX_VALUES * 0.9:
        raise extraction.RefusedError(
            f"would hold {values:,} values in its JSON files; {extraction.MAX_VALUES:,} are allowed"
        )


def _of_run(
    run: Run, manifests: list[Manifest], artifacts: bool
) -> tuple[dict[str, Path], dict[str, Path], list[str]]:
    """Files to keep, models to keep, and names of what is left out."""
    kept, models, left_out = {"plan.json": run.plan_path}, {}, []
    for manifest in manifests:
        folder = run.cell_folder(manifest.id)
        for name in KEPT:
            path = folder / name
            if path.is_file() and path.stat().st_size <= extraction.MAX_FILE_BYTES:
                kept[f"cells/{manifest.id}/{name}"] = path
            elif path.is_file():
                left_out.append(f"cells/{manifest.id}/{name}")
        for artifact in manifest.artifacts:
            path, place = folder / artifact.path, f"{manifest.id}/{artifact.path}"
            if artifacts and path.is_file() and extraction.allowed_name(f"artifacts/{place}"):
                models[f"artifacts/{place}"] = path
            else:
                left_out.append(f"cells/{place}")
    return kept, models, left_out


def _study(folder: Path) -> dict[str, Path]:
    place = contents.study_place(folder.name)
    paths = [*folder.glob("*.toml"), *folder.glob("published/*")]
    return {f"{place}/{path.relative_to(folder).as_posix()}": path for path in paths}


def _images(folder: Path, plan: Plan) -> dict[str, Path]:
    """What the environments were built from."""
    return {
        f"environments/{name}/{path.name}": path
        for name in sorted({planned.image for planned in plan.cells})
        for path in sorted((folder / name).glob("*"))
        if path.name in ("image.toml", "Dockerfile") or path.name.endswith(_LOCKS)
    }


def _write(target: Path, paths: dict[str, Path], made: dict[str, bytes]) -> None:
    """Into a temporary file beside ``target``, which then takes its place."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                sums = [f"{digest}  {name}" for name, digest in _add_all(archive, paths, made)]
                _add(archive, CHECKSUMS, ("\n".join(sums) + "\n").encode())
            set_mode(file.fileno(), 0o644)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _add_all(
    archive: zipfile.ZipFile, paths: dict[str, Path], made: dict[str, bytes]
) -> Iterator[tuple[str, str]]:
    """Names and hashes, the crate's metadata first, the rest in alphabetical order."""
    for name in sorted(paths.keys() | made.keys(), key=lambda name: (name != METADATA, name)):
        data = made[name] if name in made else paths[name].read_bytes()
        _add(archive, name, data)
        yield name, sha256_hex(data)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o100644 << 16
    entry.create_system = 3
    archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 6)
