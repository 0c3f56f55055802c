"""Claims: what their files have to hold, and verdicts on the papers' and on measured numbers."""

from __future__ import annotations

import pytest

from comparisons.claims import (
    UnknownClaimError,
    choose_claims,
    count_verdicts,
    judge,
    load_claims,
)
from comparisons.render.claims import plain, render_markdown
from comparisons.results import gather
from manifests.manifest import Dataset, Inputs, Manifest, Split
from papers.claims import numbered
from papers.published import load_published
from tests.comparisons.lad2023 import MIB, STUDIES, latencies, one, sizes
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell


def published(study: str) -> dict[str, str]:
    """The verdict of each claim on its paper's own numbers."""
    folder = STUDIES / study
    found = judge(load_claims(folder), load_published(folder), [], "quick")
    assert {item.measured.state for item in found} == {"not measured", "untestable"}
    return {item.claim.id: item.published.state for item in found}


def test_what_lad2023_says_of_its_own_numbers() -> None:
    assert published("lad2023") == {
        "size-pytorch": "holds",
        "size-tensorflow": "holds",
        "qat-cost-pytorch": "holds",
        "qat-cost-tensorflow": "holds",
        "qat-overhead-ratio": "does not hold",
        "calibration": "holds",
        "ptq-drop": "no number",
        "qat-beats-baseline": "no number",
        "same-trend": "no number",
        "int8-faster": "no number",
        "qat-fastest": "no number",
        "interpreter-overhead": "no number",
        "device-time": "holds",
        "gpu-idle": "no number",
        "cpu-bound": "no number",
        "frameworks-alike": "does not hold",
        "seeds-differ": "no number",
        "qat-beats-more-epochs": "no number",
        "baseline-saturated": "no number",
        "fusion-reduces-error": "no number",
        "chosen-layers-trade": "no number",
        "captioner-refused": "no number",
        "embedding-refused": "no number",
    }


def test_what_shafique2023_says_of_its_own_numbers() -> None:
    assert published("shafique2023") == {
        "amp-speedup-grows": "holds",
        "amp-speedup-grows-large-images": "does not hold",
        "amp-slower-small-batch": "holds",
        "amp-speedup-large-batch": "holds",
        "amp-fits-where-float32-does-not": "holds",
        "amp-memory-vgg": "holds",
        "amp-memory-others": "holds",
        "memory-factor-falls-small-images": "holds",
        "memory-factor-falls": "holds",
        "latency-flat-small-images": "does not hold",
        "latency-falls-large-images": "holds",
        "int8-fastest": "does not hold",
        "vgg-gains-most": "does not hold",
        "mobilenet-precisions-alike": "undecided",
        "float32-engine-alone": "holds",
        "throughput-follows-latency": "does not hold",
        "accuracy-drops-slightly": "holds",
        "amp-steadies-accuracy": "does not hold",
        "parameters": "no number",
        "float16-beats-float32": "holds",
        "mobilenet-gains-least-training": "does not hold",
        "mobilenet-gains-least-inference": "does not hold",
        "float16-raises-accuracy-vgg": "holds",
        "asymmetric-equations": "no number",
        "symmetric-equations": "no number",
        "casts-are-straightforward": "no number",
        "error-is-rounding-plus-clipping": "no number",
        "loss-scaling-preserves-gradients": "no number",
        "post-training-decrease-small": "no number",
        "qat-decrease-negligible": "no number",
        "mixed-precision-decrease-negligible": "no number",
        "data-requirements": "no number",
        "dynamic-slower-than-static": "no number",
        "few-samples-calibrate": "no number",
        "many-samples-calibrate-better": "no number",
        "diverse-samples-calibrate-better": "no number",
        "test-data-calibrate-better": "no number",
        "toolchains-shrink-models": "no number",
        "toolchains-speed-models-up": "no number",
        "toolchains-keep-accuracy": "no number",
        "tflite-quantizes-after-training": "no number",
        "pytorch-quantizes-after-and-while-training": "no number",
        "onnxruntime-faster-and-smaller": "no number",
        "cmsis-nn-optimizes": "no number",
        "openvino-optimizes": "no number",
        "toolchains-support-varies": "no number",
        "parameters-decide": "no number",
        "depthwise-gains-less": "no number",
    }


@pytest.mark.parametrize(
    ("study", "claim", "why"),
    [
        (
            "shafique2023", "C2",
            "2 of 3 hold in Table 3, but not model vgg16: trend of speedup along batch size is 0.2 "
            "(0.2 to 0.4), expected at least 0.6 (the tolerance)",
        ),
        (
            "shafique2023", "C10",
            "1 of 3 hold in Table 6, but not model vgg16: largest over smallest of Base / TF-TRT "
            "FP32 is 2.151 (2.116 to 2.187), expected at most 1.3 (tolerance 0.3), 1 undecided",
        ),
        (
            "shafique2023", "C12",
            "11 of 12 hold in Table 9, but not model mobilenet-v1, batch_size 32: TF-TRT INT8 is "
            "10,024 images/s, expected at least 10,078 images/s (10,078 to 10,079) = TF-TRT FP16 / "
            "(1 + tolerance) (tolerance 0.02)",
        ),
        (
            "shafique2023", "C23",
            "TF-TRT FP16 of Table 10 (model vgg16, trained_with float32) - TF-TRT FP32 of Table 10 "
            "(model vgg16, trained_with float32) is 0.051 points (0.05 to 0.052), expected more "
            "than 0 points and at most 1.5 points (the tolerance)",
        ),
        (
            "lad2023", "C6",
            "calibration of Table III (framework tensorflow) / calibration of Table III (framework "
            "pytorch) is 47.5 (38.86 to 58.06), expected at least 10 (the tolerance)",
        ),
    ],
)  # fmt: skip
def test_a_verdict_says_where_its_numbers_stand_and_what_was_expected(
    study: str, claim: str, why: str
) -> None:
    folder = STUDIES / study
    (found,) = judge(load_claims(folder), load_published(folder), [], "quick", claim)
    assert found.published.why == why


def test_a_second_tolerance_is_shown_beside_the_first() -> None:
    claims = {claim.id: claim for claim in load_claims(STUDIES / "shafique2023").claim}
    assert claims["memory-factor-falls"].constants == {"tolerance": 0.6, "factor_tolerance": 0.5}
    (found,) = (one for one in load_claims(STUDIES / "lad2023").claim if one.id == "device-time")
    assert found.constants == {"tolerance": 15, "ratio_tolerance": 0.7}


def test_what_we_read_off_a_table_is_told_apart_from_the_text() -> None:
    read = {
        number: claim.read_off
        for number, claim in numbered(load_claims(STUDIES / "shafique2023").claim)
        if claim.read_off
    }
    assert list(read) == ["C4", "C7", "C15", "C17", "C29", "C30", "C31", "C34", "C35",
                          "C38", "C40"]  # fmt: skip
    folder = STUDIES / "shafique2023"
    (found,) = judge(load_claims(folder), load_published(folder), [], "quick", "C15")
    place = "section 6.2, Table 6; numbers read off Table 6 (3.9 to 20.9)"
    assert place in render_markdown([found], "scope")
    assert plain([found])[0]["read_off"] == "Table 6 (3.9 to 20.9)"


def test_a_size_of_one_process_is_exact() -> None:
    found = one(sizes(), "size-pytorch")
    assert found.measured[:2] == (
        "holds here",
        "reduction in size of Table I (framework pytorch) is 75 %, expected 75 % (tolerance 2)",
    )
    assert found.measured.evidence == "75 %"
    assert found.number == "C1"
    assert len(found.cells) == 2
    assert one(sizes(int8=20.0 * MIB), "C1").measured.state == "does not hold here"


def test_a_cell_that_failed_is_the_reason_for_no_verdict() -> None:
    found = one(sizes(status="oom", reason="no memory left"), "size-pytorch")
    assert found.measured[:3] == ("not measured", *["oom: no memory left"] * 2)


@pytest.mark.parametrize(
    ("ratio", "processes", "state"),
    [
        (2.0, 1, "undecided"),  # one process decides only what is exact
        (2.0, 2, "undecided"),
        (2.0, 3, "undecided"),
        (2.0, 4, "holds here"),
        (0.5, 4, "does not hold here"),
        (1.2, 8, "holds here"),
        (1.0, 8, "undecided"),
    ],
)
def test_times_are_decided_at_a_look_and_never_before(
    ratio: float, processes: int, state: str
) -> None:
    assert one(latencies(ratio, processes), "interpreter-overhead").measured.state == state


def accuracies(float32: float, int8: float, images: int) -> list[Manifest]:
    data = Dataset(
        name="digits", origin="here", classes=[], image_size=8, mean=[], std=[],
        splits={"test": Split(count=images, sha256="0")},
    )  # fmt: skip
    return [
        measured(
            a_cell(task=task, technique=technique, framework=framework),
            metric("accuracy", value),
            inputs=Inputs(dataset=data),
        )
        for framework, quantized in (("pytorch", "ptq-eager"), ("tensorflow", "ptq-tflite"))
        for task, technique, value in (
            ("train", "float32", float32),
            ("quantize", quantized, int8),
        )
    ]


def test_accuracies_are_as_sure_as_their_number_of_test_images() -> None:
    assert one(accuracies(0.80, 0.79, 10**6), "ptq-drop", "paper").measured.state == "holds here"
    assert one(accuracies(0.80, 0.79, 500), "ptq-drop", "paper").measured.state == "undecided"
    assert (
        one(accuracies(0.80, 0.6, 10**6), "ptq-drop", "paper").measured.state
        == "does not hold here"
    )


def test_a_tier_that_spends_too_little_gives_no_verdict() -> None:
    found = one(accuracies(0.80, 0.79, 10**6), "ptq-drop", "tiny")
    assert found.measured[:2] == (
        "not measured",
        "tier tiny spends too little for it; needs quick or short or paper",
    )


@pytest.mark.parametrize(("processes", "state"), [(1, "undecided"), (4, "holds here")])
def test_a_stand_in_has_a_verdict_of_its_own_and_decides_nothing(
    processes: int, state: str
) -> None:
    manifests = []
    for repeat in range(processes):
        for batch, factor in ((32, 1.0), (64, 1.5), (128, 2.0)):
            for technique, value in (("float32", factor), ("amp-bfloat16", 1.0)):
                cell = a_cell(
                    study="shafique2023", framework="tensorflow", task="train",
                    technique=technique, model="vgg16", image_size=48, batch_size=batch,
                    repeat=repeat,
                )  # fmt: skip
                time = value * (1 + 0.001 * ((repeat + batch) % 3))
                manifests.append(measured(cell, metric("train_step_s", 9, 9, time, time, time)))
    plan = a_plan(*(manifest.cell for manifest in manifests))
    evidence = gather(STUDIES / "shafique2023", plan, manifests, "r", "amp-speedup-grows")
    (found,) = evidence.claims
    assert found.measured.state == "not measured"
    assert found.stand_in is not None
    assert found.stand_in.state == state
    assert f"stand-in: {state}" in render_markdown([found], "scope")
    assert plain([found])[0]["stand_in"]["verdict"] == state
    assert "hardware" in [one.what for one in found.stand_in.differs]


def test_verdicts_are_counted() -> None:
    found = [one(sizes(), "C1"), one(sizes(int8=MIB), "C1"), one(sizes(), "C1")]
    assert count_verdicts(found) == {"holds here": 2, "does not hold here": 1}


def test_a_claim_is_chosen_by_number_or_id() -> None:
    claims = load_claims(STUDIES / "lad2023").claim
    assert choose_claims(claims, "c2")[0].claim.id == "size-tensorflow"
    assert choose_claims(claims, "calibration")[0].number == "C6"
    with pytest.raises(
        UnknownClaimError, match=r"no claim 'calibratoin'\. Did you mean 'calibratio"
    ):
        choose_claims(claims, "calibratoin")
