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
# The largest batch holds about 170 GB of float32 activations: more than any GPU up to an H200.
GPU_PARTS = (
    Part("pytorch", "train", ("float32",), "mobilenet-v1", 128, (64,),
         _training(512, 8, True, **_PYTORCH), 15),
    Part("tensorflow", "train", ("float32",), "mobilenet-v1", 128, (64,),
         _training(512, 8, True), 18),
    Part("pytorch", "infer",
         ("float32", "channels-last", "tf32", "cuda-graph", "cuda-graph-float16"),
         "mobilenet-v1", 128, (64,), _measuring(1.0, **_TESTED), 13, True,
         alone=("channels-last", "tf32")),
    Part("tensorflow", "infer", ("keras-predict", "keras-call", "signature"), "mobilenet-v1", 128,
         (64,), _measuring(1.0), 14, True),
    Part("pytorch", "train", _AMP, "resnet50", 224, (64,), _training(1024, 8, **_PYTORCH), 20,
         alone=("amp-bfloat16",)),
    Part("tensorflow", "train", ("float32", "amp-float16"), "resnet50", 224, (64,),
         _training(1024, 8), 25),
    Part("pytorch", "train", _AMP, "resnet50", 224, (512,), _training(1024, 8, **_PYTORCH), 20,
         alone=_AMP),
    Part("pytorch", "train", ("float32", "amp-float16"), "resnet50", 224, (1400,),
         _training(1400, 1, **_PYTORCH), 20, alone=("amp-float16",)),
    Part("tensorflow", "infer", ("tftrt-fp32", "tftrt-fp16", "tftrt-int8"), "mobilenet-v1", 128,
         (64,), _measuring(1.0), 30, True),
    Part("tensorflow", "train", ("float32", "amp-float16"), "resnet50", 224, (512,),
         _training(1024, 8), 25, alone=("float32", "amp-float16")),
    Part("tensorflow", "train", ("float32", "amp-float16"), "resnet50", 224, (1400,),
         _training(1400, 1), 25),
    Part("pytorch", "infer",
         ("compiled", "compiled-bfloat16", "compiled-float16", "float8-torchao", "int8-torchao",
          "tensorrt-float32", "tensorrt-float16", "tensorrt-int8"),
         "mobilenet-v1", 128, (64,), _measuring(1.0, **_TESTED), 25, True,
         alone=("compiled", "compiled-bfloat16", "float8-torchao", "tensorrt-float32",
                "tensorrt-float16")),
    Part("tensorflow", "infer", ("xla", "tf32"), "mobilenet-v1", 128, (64,), _measuring(1.0), 18,
         True, alone=("tf32",)),
    Part("tensorflow", "quantize", ("tftrt-int8",), "mobilenet-v1", 128, (64,),
         {"calibration_images": 64, "test_images": 64}, 30, True, alone=("tftrt-int8",)),
)  # fmt: skip
_FEW = {"measure_count": 3}
CPU_PARTS = (
    Part("pytorch", "train", ("float32", "amp-bfloat16"), "mobilenet-v1", 48, (8,),
         {**_training(40, 5, True, **_PYTORCH), "test_images": 16}, 10),
    Part("tensorflow", "train", ("float32", "amp-bfloat16"), "mobilenet-v1", 48, (8,),
         {**_training(40, 5, True), "test_images": 16}, 15),
    Part("pytorch", "infer", ("float32", "channels-last", "compiled", "compiled-bfloat16"),
         "mobilenet-v1", 48, (8,), {**_measuring(0.0), **_FEW, "test_images": 16}, 20, True),
    Part("tensorflow", "infer", ("keras-predict", "keras-call", "signature", "xla"),
         "mobilenet-v1", 48, (8,), {**_measuring(0.0), **_FEW}, 10, True),
)  # fmt: skip


def check_plan(device: Device, images: Mapping[str, str], threads: int) -> Plan:
    """All cells of the check in the order of their worth; ``images`` by framework says which
    frameworks. The first cell of each makes its weights.
    """
    cells: list[PlannedCell] = []
    weights: dict[str, str] = {}
    for part in GPU_PARTS if device == "gpu" else CPU_PARTS:
        for cell in _cells(part, device, weights) if part.framework in images else ():
            if len(images) == 1 or cell.technique not in part.alone:
                cells.append(_planned(part, cell, images[part.framework]))
                weights.setdefault(part.framework, cell.id)
    return Plan(
        study=NAME, tier="quick", protocol="rigorous", dataset="digits", cells=cells,
        threads=threads, tier_about="a check of this machine, not a study",
    )  # fmt: skip


def _cells(part: Part, device: Device, weights: Mapping[str, str]) -> list[Cell]:
    return [
        Cell(
            study=NAME, task=part.task, framework=part.framework, technique=technique,
            model=part.model, dataset="digits", image_size=part.image_size, batch_size=batch,
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
