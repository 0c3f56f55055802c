"""The form that says how a study is to be run, and what its answers mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.engines import AUTO, ENGINES
from tui.app.screens.dialogs import Asked

if TYPE_CHECKING:
    from orchestrator.sessions import Prepared, Request


def fields(request: Request, prepared: Prepared) -> list[Asked]:
    """What is asked, with what was chosen before."""
    folder = str(request.run_dir or "")
    return [
        Asked("tier", "tier", request.tier, tuple(prepared.study.tiers)),
        Asked("dataset", "data set", request.dataset or "", (), prepared.plan.dataset),
        Asked("data_dir", "data folder", str(request.data_dir or ""), (), "none"),
        Asked("engine", "engine", request.engine, (AUTO, *ENGINES)),
        Asked("run_dir", "run folder", folder, (), str(prepared.run.folder)),
    ]


def chosen(request: Request, answers: dict[str, str]) -> Request:
    """The request as the answers have it."""
    return request._replace(
        tier=answers["tier"],
        dataset=answers["dataset"] or None,
        data_dir=Path(answers["data_dir"]) if answers["data_dir"] else None,
        engine=answers["engine"],
        run_dir=Path(answers["run_dir"]) if answers["run_dir"] else None,
    )
