"""Plans of the toy study after changes to its text."""

from __future__ import annotations

from pathlib import Path

from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study
from tests.fakes.studies import write_study


def planned(folder: Path, *changes: tuple[str, str], repeats: int = 1) -> Plan:
    """The plan of the toy study after each (old, new) was applied to its text once."""
    path = write_study(folder, repeats=repeats) / "study.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return make_plan(
        load_study("toy", folder / "studies"),
        Choices("quick", "rigorous", "digits"),
        Estimates(folder / "no-history"),
        gpus=0,
    )


def ids(plan: Plan, word: str = "") -> dict[str, str]:
    return {p.cell.title: p.id for p in plan.cells if word in p.cell.title}
