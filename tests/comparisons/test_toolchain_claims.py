"""shafique2023's section 6.4 as claims: what one process decides, what more do, what none can."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from comparisons.claims import Judged, judge, load_claims
from comparisons.comparison import compare_tables
from manifests.manifest import Manifest
from manifests.paths import ROOT
from papers.published import load_published
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

FOLDER = ROOT / "studies" / "shafique2023"
NETWORK: dict[str, Any] = {
    "study": "shafique2023",
    "model": "resnet18",
    "image_size": 16,
    "seed": 1,
}
FLOAT = {"pytorch": "float32", "tensorflow": "tflite-float32", "onnxruntime": "float32",
         "openvino": "float32"}  # fmt: skip
INT8 = {
    "pytorch": ("ptq-fx", "ptq-pt2e"), "tensorflow": ("ptq-tflite", "ptq-int16x8", "ptq-aieq"),
    "onnxruntime": ("ptq-qdq", "ptq-qoperator"), "openvino": ("ptq-nncf",),
}  # fmt: skip
MICRO = {"framework": "tflite_micro", "task": "infer", "batch_size": 1}


def made(framework: str, technique: str, size: float) -> Manifest:
    task = "train" if (framework, technique) == ("pytorch", "float32") else "quantize"
    cell = a_cell(
        **NETWORK, framework=framework, task=task, technique=technique, batch_size=32
    )  # fmt: skip
    return measured(cell, metric("model_size_bytes", size))


def timed(
    framework: str, technique: str, latency: float, proof: float, repeat: int = 0
) -> list[Manifest]:
    fields = {**NETWORK, "framework": framework, "task": "infer", "technique": technique}
    return [
        measured(
            a_cell(**fields, batch_size=batch, repeat=repeat),
            metric("latency_s", *[latency * (1 + 0.001 * ((repeat + batch) % 3))] * 10),
            metric("promised_share", proof),
            metric("peak_memory_bytes", 1e9 * latency * (1 + 0.001 * (repeat % 3))),
        )
        for batch in (1, 32)
    ]


def micro(technique: str, size: float, arena: float, proof: float) -> Manifest:
    return measured(
        a_cell(**{**NETWORK, **MICRO}, technique=technique),
        metric("model_size_bytes", size), metric("arena_bytes", arena),
        metric("promised_share", proof), metric("latency_s", *[size] * 10),
    )  # fmt: skip


def run(
    sizes: Mapping[str, float] = MappingProxyType({}),
    latency: float = 0.5,
    proof: float = 1.0,
    repeats: int = 1,
) -> list[Manifest]:
    """Float models of 40 units and INT8 ones of 10, in a quarter of the arena."""
    found = [micro("float32", 40, 8, 1.0), micro("int8", 10, 2, proof)]
    for framework, baseline in FLOAT.items():
        found.append(made(framework, baseline, 40))
        for repeat in range(repeats):
            found += timed(framework, baseline, 1.0, 1.0, repeat)
        for technique in INT8[framework]:
            found.append(made(framework, technique, sizes.get(technique, 10)))
            for repeat in range(repeats):
                found += timed(framework, technique, latency, proof, repeat)
    return found


def verdict(manifests: list[Manifest], claim: str) -> Judged:
    plan = a_plan(*(one.cell for one in manifests))
    plan = msgspec.structs.replace(plan, study="shafique2023", experiments=["toolchains"])
    published = load_published(FOLDER)
    tables = compare_tables(published, plan, manifests, "r")
    (found,) = judge(load_claims(FOLDER), published, tables, "quick", claim, None, manifests)
    return found


@pytest.mark.parametrize(
    ("claim", "changes", "state"),
    [
        ("toolchains-shrink-models", {}, "holds here"),
        ("toolchains-shrink-models", {"sizes": {"ptq-nncf": 20}}, "holds here"),
        ("toolchains-shrink-models", {"sizes": {"ptq-nncf": 20.1}}, "does not hold here"),
        ("toolchains-shrink-models", {"sizes": {"ptq-pt2e": 40}}, "does not hold here"),
        ("tflite-quantizes-after-training", {}, "holds here"),
        ("tflite-quantizes-after-training", {"proof": 0.9}, "does not hold here"),
        ("onnxruntime-faster-and-smaller", {}, "undecided"),
        ("toolchains-speed-models-up", {}, "undecided"),
        ("openvino-optimizes", {"latency": 2.0}, "undecided"),
    ],
)
def test_one_process_decides_sizes_and_proofs_and_no_time(
    claim: str, changes: dict[str, Any], state: str
) -> None:
    found = verdict(run(**changes), claim).measured
    assert found.state == state, found.why


@pytest.mark.parametrize(("latency", "state"), [(0.5, "holds here"), (1.5, "does not hold here")])
def test_processes_decide_what_is_faster(latency: float, state: str) -> None:
    manifests = run(latency=latency, repeats=4)
    found = verdict(manifests, "onnxruntime-faster-and-smaller").measured
    assert found.state == state, found.why


@pytest.mark.parametrize(("proof", "state"), [(1.0, "holds here"), (0.5, "does not hold here")])
def test_a_host_never_decides_what_a_microcontroller_does(proof: float, state: str) -> None:
    found = verdict(run(proof=proof), "cmsis-nn-optimizes")
    assert found.measured.state == "not measured"
    assert found.stand_in is not None and found.stand_in.state == state, found.stand_in


def test_one_network_without_depthwise_layers_says_nothing_of_architectures() -> None:
    found = verdict(run(), "toolchains-support-varies").measured
    assert found.state == "not measured" and "tier" in found.why
