"""How a number is cited: with the run and the cells behind it, and the paper that it is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.version import VERSION
from papers.study import load_study
from services.phrases import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comparisons.claims import Judged
    from comparisons.comparison import Comparison, Line
    from manifests.run_folder import Run

_NAMED_CELLS = 4


def paper_citation(study: str, place: str = "") -> str:
    """Authors, year, title, where it appeared, and the place in it."""
    found = load_study(study)
    told = f"{', '.join(found.authors)} ({found.year}): {found.title}. {found.where}"
    return f"{told.rstrip('.')}, {place}" if place else told


def line_citation(run: Run, comparison: Comparison, line: Line) -> str:
    """Of a number of a table: what was measured, what is published, and where both are from."""
    from comparisons.render import values

    what = " ".join([*line.key.values(), line.quantity])
    measured = f"{what}: measured {values.measured(line)}"
    if line.measured is not None:
        processes = f"{line.n} process{'' if line.n == 1 else 'es'}"
        measured += f" ({processes}, {_source(run, line.cells)})"
    paper = paper_citation(comparison.study, comparison.place)
    return f"{measured}; published {values.published(line)} in {paper}"


def claim_citation(study: str, run: Run | None, judged: Judged) -> str:
    """Of a verdict: the claim, its place, the verdict with its numbers, and where they are from."""
    claim, verdict = judged.claim, judged.measured
    why = verdict.evidence or verdict.reason
    told = f'{judged.number} "{" ".join(claim.text.split())}" {verdict.state}'
    told += f": {why}" if why else ""
    source = f" ({_source(run, judged.cells)})" if run is not None else ""
    return f"{told}{source}; {paper_citation(study, claim.found_in)}"


def _source(run: Run, cells: Sequence[str]) -> str:
    if len(cells) <= _NAMED_CELLS:
        named = f"cell{'' if len(cells) == 1 else 's'} {', '.join(cells)}"
    else:
        named = count(len(cells), "cell")
    return f"{named} of run {run.id}, Repliquant {VERSION}"
