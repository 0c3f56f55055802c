"""The command that shows what a screen shows, ready to be pasted into a shell."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from manifests import paths

if TYPE_CHECKING:
    from manifests.run_folder import Run


def run_name(run: Run) -> str:
    """By what commands find it: its id among the runs, else its folder, as short as can be."""
    folder = run.folder.absolute()
    if folder.parent == paths.runs().absolute():
        return run.id
    return min(str(folder), os.path.relpath(folder), key=len)


def table_command(study: str, run: Run, table: str = "") -> str:
    return _command("table", study, run_name(run), *_option("--table", table))


def claims_command(study: str, run: Run | None, claim: str = "") -> str:
    """On the paper's own numbers where there is no run."""
    of = [run_name(run)] if run is not None else ["--published-only"]
    return _command("claims", study, *of, *_option("--claim", claim))


def audit_command(study: str) -> str:
    return _command("audit", study)


def explain_command(study: str, run: Run | None, pareto: bool = False) -> str:
    of = [run_name(run)] if run is not None else []
    return _command("explain", study, *of, *["--pareto"] * pareto)


def show_command(run: Run, cell: str) -> str:
    return _command("show", cell, "--run", run_name(run))


def status_command(run: Run) -> str:
    return _command("status", run_name(run))


def compare_command(base: Path, new: Path) -> str:
    from manifests.run_folder import Run

    return _command("compare", run_name(Run(base)), run_name(Run(new)))


def _command(*words: str) -> str:
    return shlex.join(["repliquant", *words])


def _option(name: str, value: str) -> list[str]:
    return [name, value] if value else []
