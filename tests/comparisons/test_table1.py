"""Table 1 of shafique2023, its calibration, and lad2023's control: rows, points lost, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from comparisons.claims import Judged, judge, load_claims
from comparisons.comparison import Comparison, compare_tables
from manifests.manifest import Manifest
from manifests.paths import ROOT
from papers.published import load_published
from tests.comparisons.answers import first_wrong
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

IMAGES = 2000
FIELDS: dict[str, Any] = {"study": "shafique2023", "model": "resnet18", "image_size": 16,
                          "batch_size": 32, "seed": 1}  # fmt: skip
TECHNIQUES = [
    ("pytorch", "train", "qat-fx"), ("pytorch", "train", "amp-bfloat16"),
    ("pytorch", "quantize", "dynamic"), ("pytorch", "quantize", "ptq-fx"),
    ("onnxruntime", "quantize", "dynamic"), ("onnxruntime", "quantize", "ptq-qdq"),
]  # fmt: skip


def used(calibration: int, train: int) -> tuple[Any, ...]:
    return (
        metric("images_used", calibration, label="calibration"),
        metric("images_used", train, label="train"),
    )


def table1(wrong: dict[str, int], calibrated: int = 128) -> list[Manifest]:
    """A float32 training with 100 wrong answers of 2,000, and each technique with its own."""
    made = [first_wrong(a_cell(**FIELDS, task="train", technique="float32"), 100, *used(0, 1000))]
    for framework, task, technique in TECHNIQUES:
        cell = a_cell(**FIELDS, framework=framework, task=task, technique=technique)
        calibration = calibrated if technique.startswith("ptq") else 0
        data = used(calibration, 1000 if task == "train" else 0)
        made.append(first_wrong(cell, wrong.get(technique, 100), *data))
    return made


def tables(manifests: Sequence[Manifest], study: str, experiment: str) -> list[Comparison]:
    plan = a_plan(*(manifest.cell for manifest in manifests))
    plan = msgspec.structs.replace(plan, study=study, experiments=[experiment])
    return compare_tables(load_published(ROOT / "studies" / study), plan, list(manifests), "r")


def verdict(
    manifests: Sequence[Manifest], experiment: str, claim: str, study: str = "shafique2023"
) -> Judged:
    folder = ROOT / "studies" / study
    found = tables(manifests, study, experiment)
    (judged,) = judge(
        load_claims(folder), load_published(folder), found, "quick", claim, None, list(manifests)
    )
    return judged


def test_each_row_stands_beside_the_float32_training_with_the_papers_words() -> None:
    found = tables(table1({"ptq-fx": 120}), "shafique2023", "table1")
    (table,) = (one for one in found if one.id == "table1")
    lines = {
        (line.key["framework"], line.key["technique"], line.column): line for line in table.lines
    }
    lost = lines["pytorch", "ptq-fx", "lost"]
    assert lost.measured == pytest.approx(1.0) and lost.low is not None and lost.high is not None
    assert 0.4 < lost.low < 1 < lost.high < 1.7  # over 2,000 images, as if of others: -0.4 to 2.4
    assert lost.key == {
        "framework": "pytorch", "device": "cpu", "technique": "ptq-fx",
        "mode": "Post-training static", "requirement": "Unlabelled data",
        "decrease": "Small decrease",
    }  # fmt: skip
    assert lines["onnxruntime", "ptq-qdq", "lost"].measured == 0
    assert lines["onnxruntime", "dynamic", "base"].measured == 95
    data = {key[:2]: line.measured for key, line in lines.items() if key[2] == "calibration"}
    assert data["pytorch", "ptq-fx"] == 128 and data["onnxruntime", "dynamic"] == 0
    assert lines["pytorch", "qat-fx", "training"].measured == 1000
    assert ("pytorch", "amp-float16", "lost") not in lines  # it has no cell here


@pytest.mark.parametrize(
    ("claim", "wrong", "state"),
    [
        ("post-training-decrease-small", {}, "holds here"),
        ("post-training-decrease-small", {"ptq-qdq": 110}, "holds here"),
        ("post-training-decrease-small", {"ptq-qdq": 130}, "undecided"),
        ("post-training-decrease-small", {"dynamic": 180}, "does not hold here"),
        ("post-training-decrease-small", {"qat-fx": 900}, "holds here"),
        ("qat-decrease-negligible", {"qat-fx": 70}, "holds here"),
        ("qat-decrease-negligible", {"qat-fx": 140}, "does not hold here"),
    ],
)
def test_table_1s_words_are_judged_image_by_image(
    claim: str, wrong: dict[str, int], state: str
) -> None:
    found = verdict(table1(wrong), "table1", claim).measured
    assert found.state == state, found.why


def test_bfloat16_stands_in_for_float16_and_never_decides() -> None:
    found = verdict(table1({}), "table1", "mixed-precision-decrease-negligible")
    assert found.measured.state == "not measured"
    assert found.stand_in is not None and found.stand_in.state == "holds here"


@pytest.mark.parametrize(("calibrated", "state"), [(128, "holds here"), (0, "does not hold here")])
def test_the_data_that_each_took_is_exact(calibrated: int, state: str) -> None:
    found = verdict(table1({}, calibrated), "table1", "data-requirements").measured
    assert found.state == state, found.why


@pytest.mark.parametrize(("dynamic", "state"), [(2.0, "holds here"), (0.5, "does not hold here")])
def test_dynamic_is_slower_than_static_where_processes_say_so(dynamic: float, state: str) -> None:
    made = table1({})
    for repeat in range(4):
        for batch in (1, 32):
            for technique, value in (("dynamic", dynamic), ("ptq-qdq", 1.0)):
                fields = {**FIELDS, "batch_size": batch, "repeat": repeat}
                cell = a_cell(
                    **fields, task="infer", framework="onnxruntime", technique=technique
                )  # fmt: skip
                time = value * (1 + 0.001 * ((repeat + batch) % 3))
                made.append(measured(cell, metric("latency_s", time, time, items=batch)))
    found = verdict(made, "table1", "dynamic-slower-than-static").measured
    assert found.state == state, found.why


def calibrated(
    agreement: float, wrong: int, images: int, source: str = "train", classes: int = 0
) -> Manifest:
    recipe = {"calibration_images": images, "calibration_source": source,
              "calibration_classes": classes, "test_images": 0}  # fmt: skip
    cell = a_cell(**{**FIELDS, "batch_size": 8}, task="quantize", technique="ptq-fx", recipe=recipe)
    agreeing = metric("agreement", agreement, items=IMAGES)
    return first_wrong(cell, wrong, agreeing, *used(images, 0))


def calibration(few: float = 0.9, one_class: float = 0.8, test: float = 0.96) -> list[Manifest]:
    return [
        first_wrong(a_cell(**FIELDS, task="train", technique="float32"), 100),
        calibrated(few, 200, 8),
        calibrated(0.93, 110, 128),
        calibrated(0.97, 108, 512),
        calibrated(one_class, 300, 128, classes=1),
        calibrated(test, 100, 128, source="test"),
    ]


def test_calibrations_are_told_apart_by_their_recipes() -> None:
    found = tables(calibration(), "shafique2023", "calibration")
    (table,) = (one for one in found if one.id == "calibration")
    rows = [
        tuple(line.key[f"calibration_{name}"] for name in ("source", "classes", "images"))
        for line in table.lines
        if line.column == "lost"
    ]
    assert rows == [
        ("", "", ""),  # the float32 training
        ("test", "0", "128"), ("train", "0", "8"), ("train", "0", "128"), ("train", "0", "512"),
        ("train", "1", "128"),
    ]  # fmt: skip
    lost = [line.measured for line in table.lines if line.column == "lost"]
    assert lost == pytest.approx([0, 0, 5, 0.5, 0.4, 10])


@pytest.mark.parametrize(
    ("claim", "changes", "state"),
    [
        ("few-samples-calibrate", {}, "holds here"),
        ("many-samples-calibrate-better", {}, "holds here"),
        ("many-samples-calibrate-better", {"few": 0.99}, "does not hold here"),
        ("many-samples-calibrate-better", {"few": 0.968}, "undecided"),
        ("diverse-samples-calibrate-better", {}, "holds here"),
        ("diverse-samples-calibrate-better", {"one_class": 0.97}, "does not hold here"),
        ("test-data-calibrate-better", {}, "holds here"),
        ("test-data-calibrate-better", {"test": 0.9}, "does not hold here"),
    ],
)
def test_what_calibrates_is_judged_by_agreement(
    claim: str, changes: dict[str, float], state: str
) -> None:
    found = verdict(calibration(**changes), "calibration", claim).measured
    assert found.state == state, found.why


def control(qat: int, continued: int, baseline: int = 200) -> list[Manifest]:
    made = []
    for framework, technique in (("pytorch", "qat-eager"), ("tensorflow", "qat-tfmot")):
        for name, variant, wrong in (
            ("float32", "", baseline), ("float32", "continued", continued), (technique, "", qat),
        ):  # fmt: skip
            cell = a_cell(framework=framework, task="train", technique=name, variant=variant)
            made.append(first_wrong(cell, wrong))
    return made


@pytest.mark.parametrize(
    ("claim", "qat", "continued", "state"),
    [
        ("qat-beats-more-epochs", 100, 200, "holds here"),
        ("qat-beats-more-epochs", 100, 60, "does not hold here"),
        ("qat-beats-more-epochs", 100, 100, "undecided"),
        ("baseline-saturated", 100, 200, "holds here"),
        ("baseline-saturated", 100, 150, "does not hold here"),
    ],
)
def test_qats_gain_is_held_against_the_same_epochs_in_float32(
    claim: str, qat: int, continued: int, state: str
) -> None:
    found = verdict(control(qat, continued), "qat-control", claim, "lad2023").measured
    assert found.state == state, found.why


def test_a_control_is_in_no_other_table() -> None:
    found = tables(control(100, 60), "lad2023", "qat-control")
    for table in found:
        if "variant" not in table.key:
            behind = {cell for line in table.lines for cell in line.cells}
            continued = {m.id for m in control(100, 60) if m.cell.variant}
            assert not behind & continued, table.id
