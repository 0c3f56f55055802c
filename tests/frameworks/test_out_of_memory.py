"""Memory that runs out is ``oom``, every time; a plain kill never is."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from manifests.cell import Cell
from manifests.event import Event
from manifests.manifest import CodeVersion, Context, ImageUsed, Manifest
from manifests.plan import PlannedCell
from orchestrator.datasets.pack import prepare
from orchestrator.datasets.sets import digits
from orchestrator.engines.base import Order
from orchestrator.engines.interpreter import GivenEngine
from orchestrator.engines.local import LocalCell
from orchestrator.environments.images import load_image
from orchestrator.running.attempt import Attempt, write_inputs
from orchestrator.running.orders import launch_order
from tests.frameworks.cells import ADAM

pytestmark = pytest.mark.frameworks
SIZE = 96
# The first layers of 1,000 such pictures want more than this leaves beside the framework.
LIMITS_KB = (2_000_000, 2_400_000)
CELLS = [
    ("vgg16", 1000, LIMITS_KB[0]),
    ("resnet50", 1200, LIMITS_KB[0]),
    ("vgg16", 1400, LIMITS_KB[1]),
]
KILLS = 5


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    return prepare(digits.source(), SIZE, cache, lambda what, done, of: None)


class Workplace:
    """Runs cells through the local engine, each in a folder of its own."""

    def __init__(self, python: Path, folder: Path, data: Path) -> None:
        self.engine = GivenEngine(python)
        self.folder = folder
        self.data = data

    def start(self, **changes: Any) -> tuple[Attempt, LocalCell]:
        fields = {
            "study": "shafique2023", "task": "train", "framework": "pytorch",
            "technique": "float32", "model": "vgg16", "dataset": "digits", "image_size": SIZE,
            "batch_size": 32, "seed": 0, "protocol": "rigorous", "tier": "quick",
            "recipe": {**ADAM, "train_images": 0},
        }  # fmt: skip
        cell = Cell(**{**fields, **changes})
        planned = PlannedCell(
            id=cell.id, cell=cell, image="pytorch-cpu", needs=[], estimate_s=10,
            study_estimate_s=10, estimate_source="here", timeout_s=300,
        )  # fmt: skip
        context = Context(
            engine="local", image=ImageUsed(name="pytorch-cpu", kind="given"),
            kit=CodeVersion(version="0"), run="memory",
        )  # fmt: skip
        folder = self.folder / cell.id
        order = Order("memory", cell.id, folder, self.data, None, threads=1)
        wanted = launch_order(planned, order, context, outlives=False)
        write_inputs(folder, wanted)
        running = self.engine.start(load_image("pytorch-cpu"), order)
        return Attempt(wanted, folder), running


def limited(python: Path, kilobytes: int, folder: Path) -> Path:
    """An interpreter whose address space ends at a limit."""
    path = folder / f"python-{kilobytes}"
    path.write_text(
        "#!/bin/sh\nexport OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1\n"
        f'ulimit -v {kilobytes}\nexec {python} "$@"\n'
    )
    path.chmod(0o755)
    return path


def test_memory_that_runs_out_is_recorded_as_that(
    images: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    told: list[Manifest] = []
    for model, batch, limit in CELLS:
        python = limited(images["pytorch"], limit, tmp_path)
        workplace = Workplace(python, tmp_path / f"{model}-{batch}-{limit}", data)
        attempt, running = workplace.start(model=model, batch_size=batch)
        told.append(attempt.follow(running, lambda event: None))
    assert len(told) == len(CELLS)
    assert [(m.status, m.transient) for m in told] == [("oom", False)] * len(CELLS), [
        (m.status, m.reason, m.error[-300:]) for m in told if m.status != "oom"
    ]
    assert all(m.reason.startswith("out of memory: ") for m in told)


def test_a_plain_kill_is_a_crash_that_is_tried_again(
    images: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    """Killed at the start, while importing, and while training."""
    told: list[Manifest] = []
    workplace = Workplace(images["pytorch"], tmp_path, data)
    for number in range(KILLS):
        attempt, running = workplace.start(seed=number)
        late = number % 5 == 4

        def kill(event: Event, late: bool = late, running: LocalCell = running) -> None:
            if not late or getattr(event, "name", "") == "train":
                time.sleep(0.02)
                os.kill(running._process.pid, signal.SIGKILL)

        told.append(attempt.follow(running, kill))
    assert [(m.status, m.transient) for m in told] == [("crashed", True)] * KILLS
    assert {m.reason for m in told} == {"ended by SIGKILL from outside the runner"}
