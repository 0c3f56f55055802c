"""``gpu-check``: every path of the PyTorch runners that a GPU can take, in a few minutes.

Not a study: nothing published stands beside it. Its plan is fixed, so that two machines' runs
can be compared; what an environment lacks becomes ``unsupported`` with the reason. The plan for
a processor has the same parts, small, and shows that the command works.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from manifests.cell import Cell, Device, Task
from manifests.manifest import Manifest
from manifests.plan import Plan, PlannedCell
from manifests.store import Run
from orchestrator import places
from orchestrator.engines import Engine, make_engine
from orchestrator.engines.given import GivenEngine
from orchestrator.errors import MachineError
from orchestrator.estimates import Estimates
from orchestrator.images import image_names, load_image
from orchestrator.machine import gpu_count
from orchestrator.news import CellEnded, Listener, News, Note

NAME = "gpu-check"
LIMIT_S = 480.0
_ADAM: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 1e-4, "channels_last": True, "epochs": 1,
}  # fmt: skip
_CPU_IMAGE = "pytorch-cpu"


class Part(NamedTuple):
    """Cells of one task and model at one image size: every technique at every batch size.

    ``estimate_s`` is for one cell; ``weights`` says whether they start from the plan's first.
    """

    task: Task
    techniques: tuple[str, ...]
    model: str
    image_size: int
    batch_sizes: tuple[int, ...]
    recipe: dict[str, Any]
    estimate_s: float
    weights: bool = False


def _training(images: int, steps: int, keep: bool = False) -> dict[str, Any]:
    return {**_ADAM, "train_images": images, "test_images": 64, "steps": steps,
            "keep_weights": keep}  # fmt: skip


def _measuring(seconds: float) -> dict[str, Any]:
    return {"warm_up_s": seconds / 2, "warm_up_count": 3, "measure_s": seconds,
            "measure_count": 20, "longest_s": 20.0, "test_images": 64}  # fmt: skip


_AMP = ("float32", "tf32", "amp-float16", "amp-bfloat16")
# The largest batch holds about 170 GB of float32 activations: more than any GPU up to an H200.
GPU_PARTS = (
    Part("train", ("float32",), "mobilenet-v1", 128, (64,), _training(512, 8, True), 15),
    Part("infer", ("float32", "channels-last", "tf32", "cuda-graph", "cuda-graph-float16"),
         "mobilenet-v1", 128, (64,), _measuring(1.0), 13, True),
    Part("train", _AMP, "resnet50", 224, (64, 512), _training(1024, 8), 20),
    Part("train", ("float32", "amp-float16"), "resnet50", 224, (1400,), _training(1400, 1), 20),
    Part("infer", ("compiled", "compiled-bfloat16", "compiled-float16", "float8-torchao",
                   "int8-torchao", "tensorrt-float32", "tensorrt-float16", "tensorrt-int8"),
         "mobilenet-v1", 128, (64,), _measuring(1.0), 25, True),
)  # fmt: skip
CPU_PARTS = (
    Part("train", ("float32", "amp-bfloat16"), "mobilenet-v1", 48, (8,),
         {**_training(40, 5, True), "test_images": 16}, 10),
    Part("infer", ("float32", "channels-last", "compiled", "compiled-bfloat16"), "mobilenet-v1",
         48, (8,), {**_measuring(0.0), "measure_count": 3, "test_images": 16}, 20, True),
)  # fmt: skip


class Check(NamedTuple):
    """What was asked for: ``engine`` and ``python`` as for a run, and where it goes."""

    engine: str = "local"
    python: Path | None = None
    device: Device = "gpu"
    run_dir: Path | None = None
    limit_s: float = LIMIT_S


class Checked(NamedTuple):
    """The run, the manifests that it has, and the cells that there was no time for.

    ``images_missing``: environments that could not be made ready.
    """

    run: Run
    manifests: list[Manifest]
    unstarted: list[PlannedCell]
    images_missing: list[str]


def check_plan(device: Device, image: str, threads: int) -> Plan:
    """All cells of the check, in the order of their worth. The first makes the weights."""
    cells: list[PlannedCell] = []
    for part in GPU_PARTS if device == "gpu" else CPU_PARTS:
        for batch in part.batch_sizes:
            for technique in part.techniques:
                parent = cells[0].id if part.weights else None
                cells.append(_planned(part, technique, batch, device, image, parent))
    return Plan(
        study=NAME, tier="quick", protocol="rigorous", dataset="digits", cells=cells,
        threads=threads, tier_about="a check of this machine, not a study",
    )  # fmt: skip


def _planned(
    part: Part, technique: str, batch: int, device: Device, image: str, parent: str | None
) -> PlannedCell:
    cell = Cell(
        study=NAME, task=part.task, framework="pytorch", technique=technique, model=part.model,
        dataset="digits", image_size=part.image_size, batch_size=batch, seed=0,
        protocol="rigorous", tier="quick", recipe=part.recipe, device=device,
        weights_from=parent,
    )  # fmt: skip
    return PlannedCell(
        id=cell.id, cell=cell, image=image, needs=[parent] if parent else [],
        estimate_s=part.estimate_s, study_estimate_s=part.estimate_s,
        estimate_source="the check's own plan", timeout_s=150.0,
    )  # fmt: skip


def check(asked: Check, tell: Listener) -> Checked:
    """Run the check. Raises MachineError on a machine without CUDA, and other KitErrors."""
    from orchestrator.data.packs import prepare_packs
    from orchestrator.holding import opened
    from orchestrator.running import Conductor, Means
    from orchestrator.telemetry.sampling import sampling

    begin = time.monotonic()
    engine, image = _engine(asked)
    plan = check_plan(asked.device, image, len(engine.cpus()))
    packs = prepare_packs(plan, {}, places.cache(), lambda what, done, of: None)
    plan = msgspec.structs.replace(plan, data_sha256=packs.sha256, packs=packs.digests)
    run = Run(asked.run_dir or places.runs() / f"{NAME}-{asked.device}")
    gpus = tuple(engine.gpus()[:1]) if asked.device == "gpu" else ()
    deadline = _Deadline(begin + asked.limit_s, tell)
    with opened(run, plan), sampling() as sampler:
        means = Means(
            engine, packs.folder_of, plan.threads, Estimates(run.folder / "history.jsonl"),
            deadline, gpus=gpus, sampler=sampler,
        )  # fmt: skip
        conductor = Conductor(run, means)
        deadline.pause = conductor.pause
        conductor.conduct(plan.cells, set())
    manifests = {manifest.id: manifest for manifest in run.load().manifests}
    return Checked(
        run,
        [manifests[planned.id] for planned in plan.cells if planned.id in manifests],
        [planned for planned in plan.cells if planned.id not in manifests],
        conductor.images_missing,
    )


class _Deadline:
    """Passes news on, and starts no further cell when the time is up."""

    def __init__(self, at: float, tell: Listener) -> None:
        self._at = at
        self._tell = tell
        self.pause: Callable[[], None] = lambda: None

    def __call__(self, news: News) -> None:
        self._tell(news)
        if isinstance(news, CellEnded) and time.monotonic() >= self._at:
            self.pause()
            self._tell(Note("the time is up: no further cell is started", "important"))


def _engine(asked: Check) -> tuple[Engine, str]:
    """The engine and the image, once it is sure that there is a GPU to check."""
    if asked.device == "cpu":
        return make_engine(asked.engine, asked.python), _CPU_IMAGE
    if asked.python is not None:
        engine = make_engine(asked.engine, asked.python)
        assert isinstance(engine, GivenEngine)
        if not engine.probed.gpus:
            raise MachineError(_no_cuda(engine))
        return engine, _CPU_IMAGE
    if not gpu_count():
        raise MachineError(
            "gpu-check needs an NVIDIA GPU and its driver; none was found on this machine"
        )
    return make_engine(asked.engine), _gpu_image()


def _no_cuda(engine: GivenEngine) -> str:
    probed = engine.probed
    if "torch" not in probed.modules:
        return f"gpu-check needs PyTorch: {engine.python}: {probed.missing.get('torch')}"
    return (
        f"gpu-check needs CUDA: torch {probed.modules['torch']} of {engine.python} sees no NVIDIA "
        "GPU (torch.cuda.is_available() is False)"
    )


def _gpu_image() -> str:
    """The newest image whose PyTorch is made for GPUs. Raises MachineError without one."""
    names = [name for name in image_names() if _serves_gpus(name)]
    if not names:
        raise MachineError(
            "no image has a PyTorch for GPUs; give an interpreter that has one: "
            "just gpu-check --python PATH"
        )
    return names[-1]


def _serves_gpus(name: str) -> bool:
    file = load_image(name).file
    return file.framework == "pytorch" and file.gpu is not None
