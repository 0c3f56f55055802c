"""What a cell of technique ``arithmetic`` records, with quantizers and casts of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runners.arithmetic.float_formats import to_bfloat16, to_float16
from runners.arithmetic.gradient_records import record_gradients
from runners.arithmetic.quantizer_trial import Quantized, Rule, Sample
from runners.arithmetic.quantizers import Parameters, asymmetric, dequantize, quantize
from runners.arithmetic.trial_records import Details, record_casts, record_errors, usable
from runners.failures import Unsupported
from runners.job import Job
from tests.runners.samples import a_job

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(8, 50)).astype(np.float32)
SAMPLES = [Sample("first", [X], X), Sample("second", [X[:4], X[4:]], 2 * X)]


def exactly(sample: Sample) -> Quantized:
    values = np.concatenate([np.ravel(batch) for batch in sample.batches])
    parameters = asymmetric(min(values.min(), 0), max(values.max(), 0))
    return Quantized(parameters.scale, parameters.zero_point, quantize(sample.values, parameters))


def value(job: Job, name: str, label: str) -> Any:
    (found,) = [m for m in job.metrics if (m.name, m.label) == (name, label)]
    return found


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return a_job(tmp_path)


def test_a_quantizer_has_four_numbers_and_every_tensor_in_a_file(job: Job) -> None:
    details = Details(job)
    rule = Rule("Equations 1 to 3", differs="ties go away from 0")
    details.quantizer("mine", rule, SAMPLES, exactly)
    details.leave()
    told = {m.name: (m.label, m.samples, m.source) for m in job.metrics}
    assert told == {
        "equal_integers": ("mine", [1.0], "Equations 1 to 3; 2 tensors, 800 integers"),
        "equal_by_rule": ("mine", [1.0], "Equations 1 to 3, but ties go away from 0"),
        "scale_ulp": ("mine", [0.0], "Equations 1 to 3; 2 tensors, 800 integers"),
        "zero_point_difference": ("mine", [0], "Equations 1 to 3; 2 tensors, 800 integers"),
    }
    (artifact,) = job.artifacts
    kept = json.loads((job.folder / artifact.path).read_text())["mine"]
    assert [one["name"] for one in kept["tensors"]] == ["first", "second"]
    assert kept["tensors"][0]["equal"] == 400


def test_rounding_and_clipping_by_calibrator_and_tensor(job: Job) -> None:
    def round_trip(values: Any, parameters: Parameters) -> Any:
        return dequantize(quantize(values, parameters), parameters)

    record_errors(job, SAMPLES, round_trip)
    labels = {m.label for m in job.metrics}
    assert labels == {"min-max", "moving-average", "percentile", "entropy", "mse"}
    rounding, clipping, whole = (
        value(job, name, "min-max") for name in ("rounding_error", "clipping_error",
                                                 "quantization_error")
    )  # fmt: skip
    assert rounding.source == "by tensor: first, second"
    # What the first was calibrated on is what it quantizes; the second has twice its range.
    assert clipping.samples[0] == 0 and clipping.samples[1] > 0
    for parts in zip(rounding.samples, clipping.samples, whole.samples, strict=True):
        assert parts[0] + parts[1] == pytest.approx(parts[2], rel=1e-6)


def test_casts_are_held_against_the_formats(job: Job) -> None:
    def cut_off(values: Any) -> Any:
        return (np.asarray(values).view(np.uint32) >> 16).astype(np.uint16)

    record_casts(job, cut_off, to_float16)
    assert value(job, "casts_differing", "float16").samples == [0]
    wrong = value(job, "casts_differing", "bfloat16")
    assert wrong.samples[0] > 1000 and "first" in wrong.source


def test_a_nan_with_other_bits_is_right(job: Job) -> None:
    def other_nan(values: Any) -> Any:
        return np.where(np.isnan(values), 0xFFFF, to_bfloat16(values)).astype(np.uint16)

    record_casts(job, other_nan, to_float16)
    assert value(job, "casts_differing", "bfloat16").samples == [0]


def test_gradients_without_and_with_a_scale(job: Job) -> None:
    record_gradients(job, [np.float32([1e-9, 1e-2, 0])], [np.float32([1e-8, 1.0])])
    shares = {m.label: m.samples for m in job.metrics if m.name == "flushed_gradients"}
    assert shares == {
        "float16": [0.5], "float16-scaled": [0.0], "bfloat16": [0.0],
        "float16-weights": [0.5], "float16-scaled-weights": [0.0],
    }  # fmt: skip
    (scale,) = [m for m in job.metrics if m.name == "loss_scale"]
    assert scale.samples == [32768]


def test_a_step_whose_gradients_are_all_zero_has_no_share(job: Job) -> None:
    record_gradients(job, [np.zeros(3, np.float32)], [])
    for metric in job.metrics:
        if metric.name == "flushed_gradients":
            assert metric.samples == [None] and metric.reason == "every gradient is 0"


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (np.full((2, 2), np.nan, np.float32), "4 of 4 numbers are NaN or infinite"),
        (np.zeros((2, 2), np.float32), "all numbers are 0"),
        (np.zeros((0, 2), np.float32), "empty"),
    ],
)
def test_a_tensor_that_cannot_be_quantized_is_named(job: Job, bad: Any, told: str) -> None:
    sample = Sample("dead", [bad], bad)
    assert usable(job, [sample, SAMPLES[0]]) == [SAMPLES[0]]
    with pytest.raises(Unsupported, match=r"none of the network's tensors .* dead") as refused:
        usable(job, [sample])
    assert told in str(refused.value) and "\n" not in str(refused.value)
