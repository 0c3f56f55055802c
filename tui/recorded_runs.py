"""The recordings that pictures are drawn from: run folders, laid out as if they had been run."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

from manifests.hardware import Conditions, Machine
from manifests.run_folder import Run
from manifests.series_reader import Series
from tui.loaded import Remark
from tui.recording import read_telemetry

_THEN_S = 1_700_000_000


def lay_out(docs: Path, folder: Path) -> None:
    """``folder/NAME`` for each archive of ``docs/screens/recorded``, and ``h100-NAME`` for each run
    of ``docs/h100``.
    """
    for archive in sorted((docs / "screens" / "recorded").glob("*.tar.xz")):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    for plan in sorted((docs / "h100").glob("*/plan.json")):
        shutil.copytree(plan.parent, folder / f"h100-{plan.parent.name}")


def show(recorded: Path, names: Sequence[str], runs: Path) -> None:
    """``runs`` has these alone, and the first one is the latest."""
    shutil.rmtree(runs, ignore_errors=True)
    runs.mkdir()
    for age, name in enumerate(names):
        os.utime(recorded / name / "plan.json", (_THEN_S - age, _THEN_S - age))
        (runs / name).symlink_to((recorded / name).resolve())


def the_machine(run: Run) -> tuple[Machine, Conditions | None]:
    """Of the recording, so that no picture shows the machine it is drawn on, and how it was set."""
    environments = [manifest.environment for manifest in run.load().manifests]
    for environment in sorted(environments, key=lambda one: one.conditions is None):
        if environment.machine is not None:
            return environment.machine, environment.conditions
    raise ValueError(f"{run.folder} names no machine")


def telemetry_of(run: Run) -> Series | None:
    """The first series that was kept of it."""
    for path in sorted(run.cells.glob("*/telemetry.jsonl")):
        return read_telemetry(run, path.parent.name)
    return None


def recorded_findings(path: Path) -> list[Remark]:
    """What ``repliquant doctor --json`` found; what to do comes first, as on the screen."""
    found = [Remark(*diagnosis.values()) for diagnosis in json.loads(path.read_text())]
    return sorted(found, key=lambda remark: remark.state in ("ok", "note"))
