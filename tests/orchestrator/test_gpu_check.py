"""The check's plans, what decides on the frameworks, its refusals, its end when time is up."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from manifests.errors import InputError
from manifests.plan import Plan
from manifests.run_folder import Run
from manifests.runner_files import technique_files
from orchestrator.gpu_check.check import Check, Checked, check
from orchestrator.gpu_check.deadline import Deadline
from orchestrator.gpu_check.plan import check_plan
from orchestrator.gpu_check.sizes import runs_out
from orchestrator.messages import CellStarted, LogLine, RunMessage
from runners.inference import QuantizeRecipe
from runners.protocols.rigorous import InferRecipe
from runners.training import AdamRecipe
from tests.comparisons.samples import planned
from tests.manifests.samples import a_manifest

PYTORCH = {"pytorch": "an-image"}
TENSORFLOW = {"tensorflow": "another-image"}
BOTH = {**PYTORCH, **TENSORFLOW}


def chosen(plan: Plan, task: str, framework: str = "pytorch") -> list[str]:
    cells = [p.cell for p in plan.cells]
    return [c.technique for c in cells if (c.task, c.framework) == (task, framework)]


def test_it_exercises_every_technique_that_a_gpu_has() -> None:
    only_processors = {
        "pytorch": {
            "arithmetic",
            "dynamic",
            "matrix-product",
            "ptq-eager",
            "ptq-fx",
            "ptq-pt2e",
            "qat-eager",
            "qat-fx",
        },
        "tensorflow": {
            "amp-bfloat16",
            "arithmetic",
            "dynamic-tflite",
            "float16-tflite",
            "model-file",
            "profiled",
            "ptq-aieq",
            "ptq-int16x8",
            "ptq-tflite",
            "qat-tfmot",
            "tflite-float32",
        },
    }
    for images in (PYTORCH, TENSORFLOW):
        ((framework, image),) = images.items()
        plan = check_plan("gpu", images, 16)
        planned_ones = {p.cell.technique for p in plan.cells}
        assert planned_ones == set(technique_files(framework)) - only_processors[framework]
        assert {p.image for p in plan.cells} == {image}


def test_tensorflows_ladder_goes_as_the_papers_does() -> None:
    ladder = ["keras-predict", "keras-call", "signature", "tftrt-fp32", "tftrt-fp16", "tftrt-int8",
              "xla"]  # fmt: skip
    alone = chosen(check_plan("gpu", TENSORFLOW, 16), "infer", "tensorflow")
    assert alone == [*ladder, "tf32"]
    assert chosen(check_plan("gpu", BOTH, 16), "infer", "tensorflow") == ladder
    assert chosen(check_plan("cpu", BOTH, 2), "infer", "tensorflow") == [*ladder[:3], "xla"]


def test_two_frameworks_share_the_time_and_pytorchs_cells_are_some_of_its_own() -> None:
    alone = {p.id for p in check_plan("gpu", PYTORCH, 16).cells}
    shared = check_plan("gpu", BOTH, 16)
    assert {p.id for p in shared.cells if p.cell.framework == "pytorch"} < alone
    assert chosen(shared, "train") == ["float32", "float32", "tf32", "amp-float16", "float32"]
    assert chosen(shared, "infer") == [
        "float32", "cuda-graph", "cuda-graph-float16", "compiled-float16", "int8-torchao",
        "tensorrt-int8",
    ]  # fmt: skip


def test_the_order_is_that_of_a_first_contact() -> None:
    cells = [p.cell for p in check_plan("gpu", PYTORCH, 16, H100).cells]
    assert [(c.technique, c.batch_size) for c in cells[:11]] == [
        ("float32", 64), ("float32", 64), ("tf32", 64), ("cuda-graph", 64),
        ("cuda-graph-float16", 64), ("float32", 64), ("tf32", 64), ("amp-float16", 64),
        ("amp-bfloat16", 64), ("float32", 1400), ("amp-float16", 1400),
    ]  # fmt: skip
    assert [c.technique for c in cells[11:19]] == [
        "compiled", "compiled-float16", "int8-torchao", "float8-torchao", "tensorrt-float16",
        "tensorrt-float32", "tensorrt-tf32", "tensorrt-int8",
    ]  # fmt: skip
    assert cells[3].recipe["profile_calls"] == 5


def test_half_of_the_time_covers_training_and_the_ladder_of_both() -> None:
    spent, covered = 0.0, set()
    for planned_cell in check_plan("gpu", BOTH, 16).cells:
        spent += planned_cell.estimate_s
        if spent <= 0.5 * 480:
            covered.add((planned_cell.cell.framework, planned_cell.cell.technique))
    assert {("pytorch", "amp-float16"), ("pytorch", "cuda-graph-float16"),
            ("tensorflow", "amp-float16"), ("tensorflow", "signature")} <= covered  # fmt: skip


@pytest.mark.parametrize("images", [PYTORCH, TENSORFLOW, BOTH])
def test_the_first_cell_of_each_framework_makes_the_weights_of_its_ladder(
    images: dict[str, str],
) -> None:
    plan = check_plan("gpu", images, 16)
    for framework in images:
        own = [p for p in plan.cells if p.cell.framework == framework]
        first = own[0]
        assert (first.cell.task, first.cell.technique) == ("train", "float32")
        ladder = [p for p in own if p.cell.task != "train"]
        assert {p.cell.weights_from for p in ladder} == {first.id}
        assert all(p.needs == [first.id] for p in ladder)
        assert all(p.cell.model == first.cell.model for p in ladder)


H100, H200 = 85_520_809_984, 150_754_820_096


@pytest.mark.parametrize(("memory_bytes", "largest"), [(H100, 1400), (H200, 2400), (None, 2600)])
def test_mixed_precision_is_trained_over_batch_sizes_up_to_one_that_does_not_fit(
    memory_bytes: int | None, largest: int
) -> None:
    for images in (PYTORCH, TENSORFLOW):
        plan = check_plan("gpu", images, 16, memory_bytes)
        amp = [p.cell for p in plan.cells if p.cell.technique == "amp-float16"]
        assert sorted(cell.batch_size for cell in amp) == [64, 512, largest]
        assert {(cell.model, cell.image_size) for cell in amp} == {("resnet50", 224)}
    both = [p.cell for p in check_plan("gpu", BOTH, 16, memory_bytes).cells]
    beyond = [(c.framework, c.technique) for c in both if c.batch_size == largest]
    assert beyond == [
        ("pytorch", "float32"), ("tensorflow", "float32"), ("tensorflow", "amp-float16"),
    ]  # fmt: skip


@pytest.mark.parametrize("images", [PYTORCH, TENSORFLOW, BOTH])
def test_it_is_planned_for_no_more_than_its_limit(images: dict[str, str]) -> None:
    cells = check_plan("gpu", images, 16).cells
    assert sum(p.estimate_s for p in cells) <= 8 * 60
    assert all(p.timeout_s <= 150 for p in cells)


@pytest.mark.parametrize(
    ("device", "images", "count", "first"),
    [
        ("gpu", PYTORCH, 23, "606d27b7cafd"),
        ("gpu", TENSORFLOW, 16, "3660391ed0ba"),
        ("gpu", BOTH, 23, "606d27b7cafd"),
        ("cpu", PYTORCH, 7, "76e0f15db978"),
        ("cpu", TENSORFLOW, 6, "cbc6118a5d13"),
        ("cpu", BOTH, 13, "76e0f15db978"),
    ],
)
def test_ids_differ_and_stay_what_they_are(
    device: Literal["gpu", "cpu"], images: dict[str, str], count: int, first: str
) -> None:
    ids = [p.id for p in check_plan(device, images, 2).cells]
    assert len(ids) == len(set(ids)) == count
    assert ids[0] == first


def test_every_recipe_is_one_that_the_runners_read() -> None:
    kinds = {"train": AdamRecipe, "infer": InferRecipe, "quantize": QuantizeRecipe}
    for plan in (check_plan("gpu", TENSORFLOW, 2), check_plan("cpu", BOTH, 2)):
        for planned_cell in plan.cells:
            msgspec.convert(planned_cell.cell.recipe, kinds[planned_cell.cell.task])


def test_the_processors_twin_needs_no_gpu() -> None:
    plan = check_plan("cpu", BOTH, 2)
    assert {p.cell.device for p in plan.cells} == {"cpu"}
    assert chosen(plan, "train") == ["float32", "amp-float16", "amp-bfloat16"]
    assert chosen(plan, "train", "tensorflow") == ["float32", "amp-bfloat16"]
    assert chosen(plan, "infer") == ["float32", "cuda-graph", "compiled", "tensorrt-float16"]


class Started:
    """Cells that say what ended them."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []
        self.ended = threading.Event()

    def cancel(self, reason: str) -> None:
        self.cancelled.append(reason)
        self.ended.set()


def test_the_running_cell_is_ended_when_the_time_is_up() -> None:
    told: list[RunMessage] = []
    cells, deadline = Started(), Deadline(0.04, told.append)
    deadline.begin()
    deadline.hold(cells)
    assert cells.ended.wait(10)
    assert cells.cancelled == ["the check's time is up; the same command goes on from here"]
    assert told == [LogLine("the time is up: the running cell is ended", "important")]


def test_the_time_includes_packing_and_what_was_before() -> None:
    deadline = Deadline(480, lambda _: None)
    assert deadline.left_s() == 480
    deadline.begin(time.monotonic() - 100)
    assert 349 < deadline.left_s() <= 350  # 30 s are for packing
    short = Deadline(60, lambda _: None)
    short.begin()
    assert 44 < short.left_s() <= 45


def test_with_images_the_time_runs_from_the_first_cell_and_no_cell_is_ended_after_all() -> None:
    cells, deadline = Started(), Deadline(0.04, lambda _: None)
    deadline.hold(cells)
    assert not cells.ended.wait(0.2)
    deadline(CellStarted(planned(a_manifest().cell), ""))
    assert cells.ended.wait(10)
    closed = Deadline(0.04, lambda _: None)
    closed.begin()
    closed.close()


def test_to_go_on_there_has_to_be_something(tmp_path: Path) -> None:
    asked = Check(device="cpu", run_dir=tmp_path / "run", resume=True)
    with pytest.raises(InputError, match=r"--resume: .*/run holds no gpu-check to go on with"):
        check(asked, lambda _: None)


def test_what_had_no_time_is_no_failure_and_what_differs_is() -> None:
    cut = a_manifest(status="cancelled", transient=True, reason="time")
    done = a_manifest()
    checked = Checked(Run(Path("run")), [cut, done], [], [])
    assert checked.exit_status(True) == 0
    assert checked.exit_status(False) == 1
    by_hand = a_manifest(status="cancelled", transient=False)
    assert Checked(Run(Path("run")), [by_hand, done], [], []).exit_status() == 1


def test_an_h200_is_really_run_out_of() -> None:
    assert not runs_out(1400, H200) and runs_out(2400, H200)
