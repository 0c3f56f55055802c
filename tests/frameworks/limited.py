"""Cells under a limit of address space, told as ``status: reason``, one line each.

Called as ``python -m tests.frameworks.limited FOLDER GIGABYTES TIMES``. Each is a training of
VGG16 on 256 pictures of 128 x 128, which needs several times the limit.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from manifests import paths
from manifests.cell import Cell
from manifests.manifest import CodeVersion, Context, ImageUsed, Manifest
from manifests.plan import PlannedCell
from orchestrator.datasets.pack import prepare
from orchestrator.datasets.sets import digits
from orchestrator.engines.base import Order
from orchestrator.engines.local import LocalEngine
from orchestrator.environments.images import load_image
from orchestrator.running.attempt import Attempt, write_inputs
from orchestrator.running.orders import launch_order

CELL = Cell(
    study="shafique2023", task="train", framework="tensorflow", technique="float32",
    model="vgg16", dataset="digits", image_size=128, batch_size=256, seed=0, protocol="rigorous",
    tier="quick",
    recipe={
        "optimizer": "adam", "epochs": 1, "train_images": 0, "test_images": 8,
        "learning_rate": 1e-4, "steps": 1,
    },
)  # fmt: skip
PLANNED = PlannedCell(
    id=CELL.id, cell=CELL, image="tensorflow-22.03", needs=[], estimate_s=1, study_estimate_s=1,
    estimate_source="a test", timeout_s=300,
)  # fmt: skip


def run(folder: Path, pack: Path) -> Manifest:
    context = Context(
        engine="local", image=ImageUsed(name="tensorflow-22.03", kind="venv"),
        kit=CodeVersion(version="0", commit=None, dirty=None), run="limited", attempt=1, command=[],
    )  # fmt: skip
    order = Order(run="limited", cell=CELL.id, folder=folder, data=pack, weights=None, threads=2)
    wanted = launch_order(PLANNED, order, context, outlives=False)
    write_inputs(folder, wanted)
    running = LocalEngine().start(load_image("tensorflow-22.03"), order)
    return Attempt(wanted, folder).follow(running, lambda event: None)


def main() -> None:
    folder, gigabytes, times = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    pack = prepare(digits.source(), 128, paths.cache(), lambda what, done, of: None)
    resource.setrlimit(resource.RLIMIT_AS, (gigabytes * 10**9, gigabytes * 10**9))
    for number in range(times):
        manifest = run((folder / str(number)).resolve(), pack)
        print(f"{manifest.status}: {manifest.reason}", flush=True)


if __name__ == "__main__":
    main()
