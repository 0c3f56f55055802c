"""What a reader asks first: which claims hold, where that was measured, and what was flagged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from comparisons.claims import Judged, Verdict, count_verdicts
from comparisons.claims.setting import Deviation, every_deviation
from comparisons.claims.verdicts import (
    FAILS_HERE,
    HOLDS_HERE,
    NO_NUMBER,
    NOT_MEASURED,
    NOT_REPRODUCED,
    REPRODUCED,
    UNTESTABLE,
)
from comparisons.gpu_only import gpu_only_cells
from comparisons.measured import NOTHING
from comparisons.render.values import one_line
from comparisons.results import Evidence
from manifests.flags import FLAGS
from manifests.manifest import Manifest
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR

_GIB = 2**30
_BRIEF = 160
_NO_CELL = "this run has no cell for it"
_ONE = {
    REPRODUCED: "is reproduced", HOLDS_HERE: "holds here", NOT_REPRODUCED: "is not reproduced",
    FAILS_HERE: "does not hold here", UNCLEAR: "is open", NOT_MEASURED: "was not measured",
    UNTESTABLE: "can't be tested",
}  # fmt: skip
_MANY = {
    REPRODUCED: "are reproduced", HOLDS_HERE: "hold here", NOT_REPRODUCED: "are not reproduced",
    FAILS_HERE: "do not hold here", UNCLEAR: "are open", NOT_MEASURED: "were not measured",
    UNTESTABLE: "can't be tested",
}  # fmt: skip
_PRINTED_ONE = {
    HOLDS: "holds", FAILS: "does not hold", UNCLEAR: "is open", NO_NUMBER: "has no number",
}  # fmt: skip
_PRINTED_MANY = {
    HOLDS: "hold", FAILS: "do not hold", UNCLEAR: "are open", NO_NUMBER: "have no number",
}  # fmt: skip


class ClaimLine(NamedTuple):
    """``stand_in`` is the verdict's state on the stand-in, empty where there is none."""

    number: str
    text: str
    state: str
    evidence: str
    stand_in: str
    stand_in_evidence: str
    flags: str


class FlagLine(NamedTuple):
    """A flag, how many cells carry it, and what it means."""

    name: str
    cells: int
    meaning: str


class FirstPage(NamedTuple):
    """``stand_ins`` is the sentence about them, empty where there are none."""

    sentence: str
    stand_ins: str
    facts: list[tuple[str, str]]
    differs: list[Deviation]
    claims: list[ClaimLine]
    flags: list[FlagLine]


def first_page(evidence: Evidence) -> FirstPage:
    """Everything in words."""
    ok = [manifest for manifest in evidence.manifests if manifest.status == "ok"]
    stand_ins = Counter(one.stand_in.state for one in evidence.claims if one.stand_in is not None)
    return FirstPage(
        sentence=sentence(count_verdicts(evidence.claims), "claim"),
        stand_ins=sentence(stand_ins, "stand-in"),
        facts=[(name, text) for name, text in _facts(evidence) if text],
        differs=every_deviation(evidence.paper.used, ok) if ok else [],
        claims=[_claim_line(judged) for judged in evidence.claims],
        flags=_flags(evidence.manifests),
    )


def sentence(counts: Mapping[str, int], what: str) -> str:
    """``9 of 16 claims hold here, 3 do not, 4 are open.``"""
    told = _parts(counts, what, _ONE, _MANY)
    if counts.get(HOLDS_HERE) and counts.get(FAILS_HERE):
        told = [part.removesuffix(" hold here") if "not" in part else part for part in told]
    return f"{', '.join(told)}." if told else ""


def _parts(
    counts: Mapping[str, int], what: str, one: Mapping[str, str], many: Mapping[str, str]
) -> list[str]:
    """A part for each state that there is; the first says how many there are of all."""
    total = sum(counts.values())
    states = [state for state in one if counts.get(state)]
    parts = [f"{counts[s]} {(one if counts[s] == 1 else many)[s]}" for s in states]
    if parts:
        count, words = parts[0].split(" ", 1)
        parts[0] = f"{count} of {total} {what}{'' if total == 1 else 's'} {words}"
    return parts


def _claim_line(judged: Judged) -> ClaimLine:
    stand_in = judged.stand_in
    return ClaimLine(
        judged.number,
        judged.claim.text,
        judged.measured.state,
        brief(judged.measured),
        stand_in.state if stand_in is not None else "",
        brief(stand_in) if stand_in is not None else "",
        ", ".join(judged.flagged),
    )


def brief(verdict: Verdict) -> str:
    """The numbers in six words; of what is open also what would decide it, else the reason."""
    parts = [verdict.evidence]
    if verdict.would_decide:
        parts.append(f"would decide: {verdict.would_decide}")
    elif verdict.reason:
        reason = verdict.reason.removeprefix("unsupported: ")
        parts.append(_NO_CELL if reason == NOTHING.state else reason)
    return one_line("; ".join(part for part in parts if part), _BRIEF)


def _facts(evidence: Evidence) -> Iterable[tuple[str, str]]:
    manifests, plan = evidence.manifests, evidence.plan
    yield "measured", _when(manifests)
    yield "machine", "; ".join(_machines(manifests))
    yield "run by", _engines(manifests)
    if plan is not None:
        yield "scope", evidence.scope
        yield f"tier {plan.tier}", plan.tier_about
    yield "cells", _cells(evidence)
    yield "only on a GPU", _gpu_only(evidence)
    yield "the paper's own numbers", _published(evidence.claims)


def _when(manifests: Sequence[Manifest]) -> str:
    """The first and the last start, in UTC, and what all cells took together."""
    if not manifests:
        return ""
    starts = sorted(map(_utc, (manifest.started_at for manifest in manifests)))
    first, last = starts[0], starts[-1]
    minutes = sum(manifest.wall_s for manifest in manifests) / 60
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    until = f" to {end}" if f"{first:%Y-%m-%d %H:%M}" != f"{last:%Y-%m-%d %H:%M}" else ""
    return f"{first:%Y-%m-%d %H:%M}{until} UTC, {minutes:.1f} min for all cells together"


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _machines(manifests: Sequence[Manifest]) -> list[str]:
    """Each processor with its number and memory, and its GPUs."""
    found: dict[str, None] = {}
    for manifest in manifests:
        machine = manifest.environment.machine
        if machine is None:
            continue
        size = machine.memory_bytes
        gpus = Counter(gpu.name for gpu in machine.gpus)
        parts = [
            machine.cpu or "unknown processor",
            f"{machine.cpus} processors" if machine.cpus else "",
            f"{size / _GIB:.1f} GiB memory" if size else "",
            ", ".join(f"{count} × {name}" for name, count in gpus.items()) or "no GPU",
            f"{machine.system} {machine.architecture}",
        ]
        found[", ".join(part for part in parts if part)] = None
    return list(found)


def _engines(manifests: Sequence[Manifest]) -> str:
    """Engines, environments, and the version of Repliquant."""
    contexts = [m.context for m in manifests if m.context is not None]
    engines = dict.fromkeys(context.engine for context in contexts)
    images = dict.fromkeys(context.image.name for context in contexts)
    kits = dict.fromkeys(context.kit.short for context in contexts)
    if not contexts:
        return ""
    return (
        f"engine {', '.join(engines)}; environments {', '.join(images)}; "
        f"Repliquant {', '.join(kits)}"
    )


def _cells(evidence: Evidence) -> str:
    counts = Counter(manifest.status for manifest in evidence.manifests)
    parts = [f"{count:,} {status}" for status, count in sorted(counts.items())]
    missing = len(evidence.plan.cells) - len(evidence.manifests) if evidence.plan else 0
    return ", ".join([*parts, *([f"{missing:,} not run"] if missing > 0 else [])])


def _gpu_only(evidence: Evidence) -> str:
    found = gpu_only_cells(evidence.plan, evidence.manifests)
    if not found:
        return ""
    reasons = ", ".join(dict.fromkeys(reason for reason in found.values() if reason))
    return f"{len(found):,} cell{'' if len(found) == 1 else 's'}: {reasons}"


def _published(claims: Sequence[Judged]) -> str:
    """How many claims have which verdict on what the paper prints."""
    counts = Counter(one.published.state for one in claims)
    return ", ".join(_parts(counts, "claim", _PRINTED_ONE, _PRINTED_MANY))


def _flags(manifests: Sequence[Manifest]) -> list[FlagLine]:
    """The most frequent first."""
    counts = Counter(name for m in manifests for name in {flag.name for flag in m.flags})
    return [
        FlagLine(name, count, FLAGS[name].meaning if name in FLAGS else "")
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
