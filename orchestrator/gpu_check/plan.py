"""The plan of ``gpu-check``: fixed, so that two machines' runs can be compared.

The parts stand in the order of their worth, those of the two frameworks by turns, so that a
limit of time cuts off the least of both. On a GPU one framework alone fills the eight minutes;
two share them, and each leaves out what it can best do without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from manifests.cell import Cell, Device, Task
from manifests.plan import Plan, PlannedCell
from orchestrator.gpu_check.expected import LADDER_STEPS
from orchestrator.gpu_check.sizes import batch_beyond

NAME = "gpu-check"
_TIMEOUT_S = 150.0
_ADAM: dict[str, Any] = {"optimizer": "adam", "learning_rate": 1e-4, "epochs": 1}
_PYTORCH = {"channels_last": True}


class Part(NamedTuple):
    """Cells of one task and model at one image size: every technique at every batch size.

    ``estimate_s`` is for one cell; ``weights`` says whether they start from those of their
    framework's first cell. ``alone``: techniques that are left out beside another framework.
    """

    framework: str
    task: Task
    techniques: tuple[str, ...]
    model: str
    image_size: int
    batch_sizes: tuple[int, ...]
    recipe: dict[str, Any]
    estimate_s: float
    weights: bool = False
    alone: tuple[str, ...] = ()


def _training(images: int, steps: int, keep: bool = False, **more: Any) -> dict[str, Any]:
    return {**_ADAM, "train_images": images, "test_images": 64, "steps": steps,
            "keep_weights": keep, **more}  # fmt: skip


def _measuring(seconds: float, **more: Any) -> dict[str, Any]:
    return {"warm_up_s": seconds / 2, "warm_up_count": 3, "measure_s": seconds,
            "measure_count": 20, "longest_s": 20.0, **more}  # fmt: skip


_TESTED = {"test_images": 64}
_AMP = ("float32", "tf32", "amp-float16", "amp-bfloat16")
# 30 steps are more than 1,024 images have at a batch of 64, and 8 more than they have at 512.
_LADDER = {**_training(1024, LADDER_STEPS // 2), "epochs": 2}
_LARGE = {**_training(1024, 2), "epochs": 4}
_BEYOND = 0
"""In place of a batch size: the one that this GPU's memory can't hold, see gpu_check_sizes."""
# What everything rests on, float32's own proof, graphs, mixed precision, out of memory, the
# compiler, the libraries that may be missing, and then the rest.
GPU_PARTS = (
    Part("pytorch", "train", ("float32",), "mobilenet-v1", 128, (64,),
         _training(512, 8, True, **_PYTORCH), 15),
    Part("tensorflow", "train", ("float32",), "mobilenet-v1", 128, (64,),
         _training(512, 8, True), 18),
    Part("pytorch", "infer", ("float32", "tf32", "cuda-graph", "cuda-graph-float16"),
         "mobilenet-v1", 128, (64,), _measuring(1.0, **_TESTED, profile_calls=5), 13, True,
         alone=("tf32",)),
    Part("tensorflow", "infer", ("keras-predict", "keras-call", "signature"), "mobilenet-v1", 128,
         (64,), _measuring(1.0), 14, True),
    Part("pytorch", "train", _AMP, "resnet50", 224, (64,), {**_LADDER, **_PYTORCH}, 20,
         alone=("amp-bfloat16",)),
    Part("tensorflow", "train", ("float32", "amp-float16"), "resnet50", 224, (64,),
         _LADDER, 25),
    Part("pytorch", "train", ("float32", "amp-float16"), "resnet50", 224, (_BEYOND,),
         _training(1438, 1, **_PYTORCH), 20, alone=("amp-float16",)),
    Part("pytorch", "infer", ("compiled", "compiled-float16"), "mobilenet-v1", 128, (64,),
         _measuring(1.0, **_TESTED), 25, True, alone=("compiled",)),
    Part("tensorflow", "infer", ("tftrt-fp32", "tftrt-fp16", "tftrt-int8"), "mobilenet-v1", 128,
         (64,), _measuring(1.0), 30, True),
    Part("pytorch", "infer", ("int8-torchao", "float8-torchao"), "mobilenet-v1", 128, (64,),
         _measuring(1.0, **_TESTED), 20, True, alone=("float8-torchao",)),
    Part("pytorch", "infer",
         ("tensorrt-float16", "tensorrt-float32", "tensorrt-tf32", "tensorrt-int8"),
         "mobilenet-v1", 128, (64,), _measuring(1.0, **_TESTED), 20, True,
         alone=("tensorrt-float16", "tensorrt-float32", "tensorrt-tf32")),
    Part("tensorflow", "train", ("float32", "amp-float16"), "resnet50", 224, (_BEYOND,),
         _training(1438, 1), 20),
    Part("pytorch", "infer", ("channels-last", "compiled-bfloat16"), "mobilenet-v1", 128, (64,),
         _measuring(1.0, **_TESTED), 15, True, alone=("channels-last", "compiled-bfloat16")),
    Part("tensorflow", "train", ("float32", "amp-float16"), "resnet50", 224, (512,),
         _LARGE, 25, alone=("float32", "amp-float16")),
    Part("pytorch", "train", ("float32", "amp-float16"), "resnet50", 224, (512,),
         {**_LARGE, **_PYTORCH}, 18, alone=("float32", "amp-float16")),
    Part("tensorflow", "infer", ("xla", "tf32"), "mobilenet-v1", 128, (64,), _measuring(1.0), 18,
         True, alone=("tf32",)),
    Part("tensorflow", "quantize", ("tftrt-int8",), "mobilenet-v1", 128, (64,),
         {"calibration_images": 64, "test_images": 64}, 30, True, alone=("tftrt-int8",)),
)  # fmt: skip
_FEW = {"measure_count": 3}
CPU_PARTS = (
    Part("pytorch", "train", ("float32", "amp-float16", "amp-bfloat16"), "mobilenet-v1", 48, (8,),
         {**_training(40, 5, True, **_PYTORCH), "test_images": 16}, 6),
    Part("tensorflow", "train", ("float32", "amp-bfloat16"), "mobilenet-v1", 48, (8,),
         {**_training(40, 5, True), "test_images": 16}, 15),
    Part("pytorch", "infer", ("float32", "cuda-graph", "compiled", "tensorrt-float16"),
         "mobilenet-v1", 48, (8,), {**_measuring(0.0), **_FEW, "test_images": 16}, 8, True),
    Part("tensorflow", "infer", ("keras-predict", "keras-call", "signature", "xla"),
         "mobilenet-v1", 48, (8,), {**_measuring(0.0), **_FEW}, 10, True),
)  # fmt: skip


def checked_frameworks() -> tuple[str, ...]:
    """Those that the check has parts for."""
    return tuple(dict.fromkeys(part.framework for part in (*GPU_PARTS, *CPU_PARTS)))


def check_plan(
    device: Device, images: Mapping[str, str], threads: int, memory_bytes: int | None = None
) -> Plan:
    """All cells of the check in the order of their worth; ``images`` by framework says which
    frameworks, ``memory_bytes`` what the GPU has. The first cell of each makes its weights.
    """
    cells: list[PlannedCell] = []
    weights: dict[str, str] = {}
    for part in GPU_PARTS if device == "gpu" else CPU_PARTS:
        for cell in _cells(part, device, weights, memory_bytes) if part.framework in images else ():
            if len(images) == 1 or cell.technique not in part.alone:
                cells.append(_planned(part, cell, images[part.framework]))
                weights.setdefault(part.framework, cell.id)
    return Plan(
        study=NAME, tier="quick", protocol="rigorous", dataset="digits", cells=cells,
        threads=threads, tier_about="a check of this machine, not a study",
    )  # fmt: skip


def _cells(
    part: Part, device: Device, weights: Mapping[str, str], memory_bytes: int | None
) -> list[Cell]:
    return [
        Cell(
            study=NAME, task=part.task, framework=part.framework, technique=technique,
            model=part.model, dataset="digits", image_size=part.image_size,
            batch_size=batch or batch_beyond(memory_bytes),
            seed=0, protocol="rigorous", tier="quick", recipe=part.recipe, device=device,
            weights_from=weights[part.framework] if part.weights else None,
        )
        for batch in part.batch_sizes
        for technique in part.techniques
    ]  # fmt: skip


def _planned(part: Part, cell: Cell, image: str) -> PlannedCell:
    return PlannedCell(
        id=cell.id, cell=cell, image=image,
        needs=[cell.weights_from] if cell.weights_from else [],
        estimate_s=part.estimate_s, study_estimate_s=part.estimate_s,
        estimate_source="the check's own plan", timeout_s=_TIMEOUT_S,
    )  # fmt: skip
