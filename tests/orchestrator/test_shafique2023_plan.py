"""The plan of shafique2023: every published number has its cells, in every tier."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from comparisons.coverage import coverage
from manifests.cell import Protocol
from manifests.paths import ROOT
from manifests.plan import Plan, PlannedCell
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.published import load_published
from papers.study import load_study

FOLDER = ROOT / "studies" / "shafique2023"
STAND_INS = {"amp-bfloat16", "xla", "tflite-float32", "ptq-tflite"}


@cache
def plan(tier: str, protocol: Protocol | None = None, gpus: int = 0) -> Plan:
    dataset = "digits" if tier == "quick" else ""
    study = load_study("shafique2023", ROOT / "studies")
    choices = Choices(tier, protocol, dataset)
    return make_plan(study, choices, Estimates(Path("/nonexistent")), gpus)


def cells(tier: str, **axes: object) -> list[PlannedCell]:
    return [
        planned
        for planned in plan(tier).cells
        if all(getattr(planned.cell, name) == value for name, value in axes.items())
    ]


@pytest.mark.parametrize("tier", ["quick", "short", "paper"])
def test_every_published_number_has_a_planned_cell(tier: str) -> None:
    found = coverage(load_published(FOLDER), plan(tier))
    assert {item.table: (item.printed, item.planned) for item in found} == {
        "table2": (54, 54), "table3": (50, 50), "table4": (54, 54), "table5": (50, 50),
        "table6": (48, 48), "table7": (48, 48), "table8": (48, 48), "table9": (48, 48),
        "table10": (24, 24), "table11": (24, 24),
    }  # fmt: skip
    assert sum(item.planned for item in found) == 448


def test_both_protocols_are_planned_on_the_gpu_in_tier_paper() -> None:
    counts = Counter(
        (p.cell.task, p.cell.protocol)
        for p in cells("paper", framework="tensorflow", device="gpu", repeat=0)
    )
    assert counts == {
        ("train", "rigorous"): 72,  # 3 models, 6 batches, 2 data sets, with and without AMP
        ("train", "as-published"): 72,
        ("quantize", "rigorous"): 36,  # 3 models, 3 modes, 2 data sets, 2 trainings
        ("quantize", "as-published"): 36,
        ("infer", "rigorous"): 144,  # 3 models, 4 batches, 2 data sets, 6 rungs
        ("infer", "as-published"): 144,
    }


def test_every_row_of_the_training_tables_has_its_counterpart_on_a_processor() -> None:
    def rows(device: str, amp: str) -> set[tuple[str, int, int, str]]:
        return {
            (p.cell.model, p.cell.image_size, p.cell.batch_size, p.cell.protocol)
            for p in cells("paper", framework="tensorflow", task="train", device=device)
            if p.cell.technique == amp
        }

    assert rows("cpu", "amp-bfloat16") == rows("gpu", "amp-float16")


def test_a_stand_in_is_never_called_as_what_it_stands_for() -> None:
    on_cpu = {p.cell.technique for p in cells("paper", framework="tensorflow", device="cpu")}
    on_gpu = {p.cell.technique for p in cells("paper", framework="tensorflow", device="gpu")}
    assert on_cpu >= STAND_INS and not STAND_INS & on_gpu
    assert not {t for t in on_cpu if t.startswith("tftrt") or t == "amp-float16"}


def test_without_a_gpu_its_cells_are_planned_with_the_reason() -> None:
    skips = {p.skip for p in plan("quick").cells if p.cell.device == "gpu"}
    assert skips == {"needs an NVIDIA GPU; none was found"}
    assert not [p for p in plan("quick").cells if p.cell.device == "cpu" and p.skip]


def test_the_quick_tier_executes_every_model_and_both_sizes_on_a_processor() -> None:
    executed = {(p.cell.model, p.cell.image_size) for p in cells("quick", device="cpu")}
    assert executed >= {
        ("mobilenet-v1", 48), ("resnet50", 48), ("vgg16", 48), ("mobilenet-v1", 128),
    }  # fmt: skip


def test_one_data_set_stands_in_for_both_at_their_sizes() -> None:
    quick = plan("quick")
    assert (quick.dataset, quick.stands_in_for) == ("digits", ["cifar10", "cats_vs_dogs"])
    assert {p.cell.image_size for p in quick.cells} == {48, 128, 32}  # 32: has learned
    paper = plan("paper")
    assert (paper.dataset, paper.stands_in_for) == ("cifar10 + cats_vs_dogs", [])
    assert {(p.cell.dataset, p.cell.image_size) for p in paper.cells} == {
        ("cifar10", 48), ("cats_vs_dogs", 128),
    }  # fmt: skip


def test_inference_starts_from_the_training_on_its_own_device() -> None:
    by_id = {p.id: p.cell for p in plan("paper").cells}
    for planned in cells("paper", task="infer", technique="signature"):
        parent = by_id[planned.cell.weights_from or ""]
        assert (parent.device, parent.model, parent.image_size) == (
            planned.cell.device, planned.cell.model, planned.cell.image_size,
        )  # fmt: skip
        assert (parent.task, parent.technique, parent.batch_size) == ("train", "float32", 32)


def test_accuracies_with_amp_descend_from_amp() -> None:
    by_id = {p.id: p.cell for p in plan("paper").cells}
    parents = Counter(
        by_id[p.cell.weights_from or ""].technique
        for p in cells("paper", task="quantize", device="gpu")
    )
    assert parents == {"float32": 36, "amp-float16": 36}


def test_one_protocol_can_be_chosen() -> None:
    chosen = plan("paper", "as-published")
    assert chosen.protocol == "as-published"
    assert {p.cell.protocol for p in chosen.cells} == {"as-published"}
    assert plan("paper").protocol == "both"


def test_one_protocol_of_the_quick_tier_starts_from_the_trainings_there_are() -> None:
    chosen = plan("quick", "as-published").cells
    assert "pytorch" not in {p.cell.framework for p in chosen}
    assert {p.cell.protocol for p in chosen if p.cell.task == "infer"} == {"as-published"}
    assert {p.cell.protocol for p in chosen if p.cell.task == "train"} == {"rigorous"}


@pytest.mark.parametrize("tier", ["quick", "short", "paper"])
def test_what_fits_in_the_papers_memory_is_an_experiment_of_its_own(tier: str) -> None:
    study = load_study("shafique2023", ROOT / "studies")
    dataset = "digits" if tier == "quick" else ""
    choices = Choices(tier, None, dataset, experiments=("memory-limit",))
    found = [
        p for p in make_plan(study, choices, Estimates(Path("/nonexistent")), 0).cells
        if p.experiment == "memory-limit"
    ]  # fmt: skip
    assert {(p.cell.model, p.cell.technique) for p in found} == {
        ("vgg16", "float32"), ("vgg16", "amp-bfloat16"),
        ("resnet50", "float32"), ("resnet50", "amp-bfloat16"),
    }  # fmt: skip
    assert len(found) == 4
    assert {(p.cell.batch_size, p.cell.image_size, p.cell.memory_limit_bytes) for p in found} == {
        (256, 128, 8 * 2**30)
    }
    assert not [p for p in plan(tier).cells if p.cell.memory_limit_bytes]


@pytest.mark.parametrize(
    ("tier", "tensorflow", "pytorch"),
    [
        ("quick", "e2ba006f5cc0", "06908c39dab5"),
        ("paper", "977a0361c06f", "6cc53223642e"),
    ],
)
def test_cells_have_the_ids_that_they_always_had(tier: str, tensorflow: str, pytorch: str) -> None:
    """The first training of each framework."""
    assert cells(tier, task="train")[0].id == tensorflow
    assert cells(tier, task="train", framework="pytorch")[0].id == pytorch
