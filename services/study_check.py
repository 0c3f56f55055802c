"""Checking a study: its files, and whether each tier can be planned and the audit evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from manifests.errors import InputError
from papers.check import study_file_mistakes
from papers.mistakes import Mistake
from papers.paper import AUDIT, open_paper
from papers.study import FILE, study_folder
from papers.study_types import Study


def folder_of(name: str) -> Path:
    """A study's folder by its id or its path. Raises InputError with the studies there are."""
    path = Path(name)
    given = path.parent if path.name == FILE else path
    if (given / FILE).is_file():
        return given.absolute()
    return study_folder(name)


def check_study(folder: Path) -> list[Mistake]:
    """Everything that is wrong with a study. Raises InputError for one that isn't there."""
    found = study_file_mistakes(folder)
    if any(not mistake.remark for mistake in found):
        return found
    paper = open_paper(folder)
    return [*found, *_planning(folder, paper.study), *_audit(folder)]


def _planning(folder: Path, study: Study) -> Iterator[Mistake]:
    """What only shows when cells are laid out, such as weights that no group makes."""
    from orchestrator.planning.estimates import Estimates
    from orchestrator.planning.planner import Choices, make_plan

    told: dict[str, None] = {}
    parts = [[], *([part] for part in study.experiments())]
    for (name, tier), part in product(study.tiers.items(), parts):
        choices = Choices(name, None, tier.dataset, experiments=part)
        try:
            plan = make_plan(study, choices, Estimates(folder / "none"), gpus=0)
        except InputError as error:
            told[str(error).partition("study.toml: ")[2] or str(error)] = None
            continue
        if not plan.cells and not part:
            told[f"tiers.{name}: no cell comes of it"] = None
    yield from (Mistake(folder / FILE, 1, text) for text in told)


def _audit(folder: Path) -> Iterator[Mistake]:
    from comparisons.audit import audit

    try:
        audit(folder)
    except InputError as error:
        yield Mistake(folder / AUDIT, 1, str(error).removeprefix("audit: "))
