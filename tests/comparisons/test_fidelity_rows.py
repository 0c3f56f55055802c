"""Fidelity in words, on the console and in the report."""

from __future__ import annotations

from typing import Any

from comparisons.render.fidelity_rows import fidelity_rows, layer_rows
from comparisons.render.metric_rows import metric_rows
from comparisons.report.cells import describe
from manifests.fidelity_summary import Fidelity
from manifests.manifest import Manifest, Metric
from tests.manifests.samples import a_manifest

FOUND: dict[str, Any] = {
    "parent": "0123456789ab", "parent_outputs": "kept by its cell", "images": 360,
    "agreeing": 351, "n10": 6, "n01": 2, "outputs": "logits", "kl_low": 0.00101,
    "kl_high": 0.00145, "worst_layer": "blocks.1", "worst_by": "isolated SQNR", "layer_images": 8,
    "layer_source": "each layer's tensor, dequantized",
}  # fmt: skip


def metric(name: str, value: float | None, label: str = "", **more: str) -> Metric:
    unit = {"agreement": "fraction", "kl_nats": "nats", "sqnr_db": "dB"}[name]
    return Metric(name=name, unit=unit, samples=[value], label=label, **more)


METRICS = [
    metric("agreement", 0.975), metric("kl_nats", 0.00123), metric("kl_nats", 0.0009, "median"),
    metric("kl_nats", 2.5e-9, "p90"), metric("sqnr_db", 24.26),
    metric("sqnr_db", None, "stem", source="cumulative", reason="exact: equal in every element"),
    metric("sqnr_db", 31.0, "blocks.0", source="cumulative"),
    metric("sqnr_db", 33.0, "blocks.0 isolated", source="isolated, float inputs"),
    metric("sqnr_db", 30.0, "blocks.1", source="cumulative"),
    metric("sqnr_db", 20.5, "blocks.1 isolated", source="isolated, float inputs"),
    metric("sqnr_db", 20.5, "worst layer", source="blocks.1, by isolated SQNR"),
]  # fmt: skip


def held(metrics: list[Metric] | None = None, **changes: Any) -> Manifest:
    made: Manifest = a_manifest(
        metrics=METRICS if metrics is None else metrics, fidelity=Fidelity(**{**FOUND, **changes})
    )
    return made


def test_everything_is_told_with_its_interval() -> None:
    assert dict(fidelity_rows(held())) == {
        "float parent": "cell 0123456789ab, its answers kept by its cell",
        "top-1 agreement": (
            "97.50 % [95.32, 98.68], 351 of 360 images; right in the float model alone: 6, "
            "in this one alone: 2"
        ),
        "divergence (KL)": (
            "mean 0.00123 [0.00101, 0.00145], median 0.0009, p90 2.5e-09 nats (logits)"
        ),
        "output SQNR": "24.3 dB (logits)",
        "worst layer": "blocks.1, 20.5 dB (by isolated SQNR)",
        "layers": "3 on 8 images: each layer's tensor, dequantized",
    }


def test_the_noisiest_layers_come_first_and_equal_ones_last() -> None:
    assert layer_rows(held(), 8) == [
        ("blocks.1", "30.0 dB", "20.5 dB"),
        ("blocks.0", "31.0 dB", "33.0 dB"),
        ("stem", "exact: equal in every element", "–"),
    ]
    assert len(layer_rows(held(), 2)) == 2


def test_layers_are_not_repeated_among_the_metrics() -> None:
    names = [row.name for row in metric_rows(held(), 8)]
    assert names == [
        "agreement", "kl_nats", "kl_nats median", "kl_nats p90", "sqnr_db", "sqnr_db worst layer",
    ]  # fmt: skip


def test_what_is_missing_has_its_reason() -> None:
    reason = "the float model's answers can't serve: its cell tested other images"
    rows = fidelity_rows(a_manifest(fidelity=Fidelity(parent="0123456789ab", reason=reason)))
    assert rows == [("float parent", "cell 0123456789ab"), ("not compared", reason)]
    assert fidelity_rows(a_manifest()) == []
    none = held([], layers_reason="the model computes in float32", worst_layer="")
    assert dict(fidelity_rows(none))["layers"] == "not compared: the model computes in float32"
    only = [metric("kl_nats", None, reason="2 of 12 images have no finite divergence")]
    told = dict(fidelity_rows(held(only)))
    assert told["divergence (KL)"] == "–: 2 of 12 images have no finite divergence"


def test_floored_divergences_say_so() -> None:
    metrics = [metric("kl_nats", 0.02, label) for label in ("floored", "floored median")]
    told = dict(fidelity_rows(held(metrics, floored=True, outputs="int8 probabilities")))
    assert told["divergence (KL)"] == (
        "mean 0.02 [0.00101, 0.00145], median 0.02, p90 – nats "
        "(int8 probabilities; floored, steps of 1/256)"
    )


def test_the_reports_cell_tells_it() -> None:
    facts = dict(describe(held(), "runs/x/").facts)
    assert facts["worst layer"] == "blocks.1, 20.5 dB (by isolated SQNR)"
