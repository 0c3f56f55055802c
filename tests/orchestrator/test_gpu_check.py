"""The check's plan, its refusals, and its end when the time is up."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from manifests.plan import Plan
from orchestrator.errors import MachineError
from orchestrator.gpu_check import Check, _Deadline, check, check_plan
from orchestrator.news import CellEnded, News, Note
from runners.techniques import techniques
from tests.manifests.samples import a_manifest
from tests.tables.samples import planned


def chosen(plan: Plan, task: str) -> list[str]:
    return [p.cell.technique for p in plan.cells if p.cell.task == task]


def test_it_exercises_every_technique_that_a_gpu_has() -> None:
    plan = check_plan("gpu", "an-image", 16)
    only_processors = {"dynamic", "ptq-eager", "ptq-fx", "ptq-pt2e", "qat-eager"}
    planned_ones = {p.cell.technique for p in plan.cells}
    assert planned_ones == set(techniques("pytorch")) - only_processors


def test_its_first_cell_makes_the_weights_of_the_ladder() -> None:
    plan = check_plan("gpu", "an-image", 16)
    first = plan.cells[0]
    assert (first.cell.task, first.cell.technique) == ("train", "float32")
    ladder = [p for p in plan.cells if p.cell.task == "infer"]
    assert {p.cell.weights_from for p in ladder} == {first.id}
    assert all(p.needs == [first.id] for p in ladder)
    assert all(p.cell.model == first.cell.model for p in ladder)


def test_mixed_precision_is_trained_over_batch_sizes_up_to_one_that_fits_nowhere() -> None:
    plan = check_plan("gpu", "an-image", 16)
    amp = [p.cell for p in plan.cells if p.cell.technique == "amp-float16"]
    assert [cell.batch_size for cell in amp] == [64, 512, 1400]
    assert {(cell.model, cell.image_size) for cell in amp} == {("resnet50", 224)}


def test_it_is_planned_for_less_than_its_limit() -> None:
    assert sum(p.estimate_s for p in check_plan("gpu", "an-image", 16).cells) <= 8.5 * 60
    assert all(p.timeout_s <= 150 for p in check_plan("gpu", "an-image", 16).cells)


def test_ids_differ_and_stay_what_they_are() -> None:
    for device, count, first in (("gpu", 24, "606d27b7cafd"), ("cpu", 6, "76e0f15db978")):
        ids = [p.id for p in check_plan(device, "an-image", 2).cells]
        assert len(ids) == len(set(ids)) == count
        assert ids[0] == first


def test_the_processors_twin_needs_no_gpu() -> None:
    plan = check_plan("cpu", "an-image", 2)
    assert {p.cell.device for p in plan.cells} == {"cpu"}
    assert chosen(plan, "train") == ["float32", "amp-bfloat16"]


def test_a_machine_without_a_gpu_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.gpu_check.gpu_count", lambda: 0)
    with pytest.raises(MachineError, match=r"^gpu-check needs an NVIDIA GPU and its driver; none"):
        check(Check(), lambda news: None)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('{"python": "3.11.2", "modules": {"torch": "2.13.0+cpu"}}',
         r"gpu-check needs CUDA: torch 2.13.0\+cpu of .* sees no NVIDIA GPU"),
        ('{"python": "3.11.2", "missing": {"torch": "No module named torch"}}',
         r"gpu-check needs PyTorch: .*: No module named torch"),
    ],
)  # fmt: skip
def test_an_interpreter_without_cuda_is_refused(tmp_path: Path, said: str, told: str) -> None:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\necho 'FOUND {said}'\n")
    path.chmod(0o755)
    with pytest.raises(MachineError, match=told):
        check(Check(python=path), lambda news: None)


def test_no_cell_starts_when_the_time_is_up() -> None:
    told: list[News] = []
    manifest = a_manifest()
    ended = CellEnded(planned(manifest.cell), manifest)
    paused: list[bool] = []
    for at, expected in ((time.monotonic() + 60, []), (time.monotonic() - 1, [True])):
        deadline = _Deadline(at, told.append)
        deadline.pause = lambda: paused.append(True)
        deadline(ended)
        assert paused == expected
    assert told[-1] == Note("the time is up: no further cell is started", "important")


def test_this_interpreter_is_probed_for_real() -> None:
    with pytest.raises(MachineError, match="gpu-check needs"):
        check(Check(python=Path(sys.executable)), lambda news: None)
