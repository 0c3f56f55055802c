"""Probes of real frameworks: what they find, and that a planted lie is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.probe_record import Probe
from manifests.run_folder import Run
from tests.frameworks.cells import Bench, digits_bench, ok
from tests.frameworks.conftest import ROOT, Reproduction, interpreter

pytestmark = pytest.mark.frameworks
LITERT = "litert-cpu"
RECIPE = {
    "calibration_images": 32, "test_images": 32, "epochs": 1, "train_images": 64,
    "learning_rate": 0.0, "momentum": 0.0, "weight_decay": 0.0, "clip_norm": 1.0, "warm_up": 0.0,
    "milestones": [], "decay": 1.0, "measure_count": 1, "measure_s": 0.0, "warm_up_s": 0.0,
    "warm_up_count": 0,
}  # fmt: skip
# As runners/pytorch/ptq_fx.py, and then something else is left than what was quantized.
LIE = '''\
"""A technique that promises int8."""

import torch

from runners import probing
from runners.pytorch import ptq_fx
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import finish_model
from runners.pytorch.probes.watched import FRAMEWORK


def quantize(job):
    {what}


def probe(job):
    probing.probe(job, quantize, FRAMEWORK)
'''
APART = """
from orchestrator.engines.base import Entry
from orchestrator.engines.local import LocalEngine


class ApartEngine(LocalEngine):
    name = "apart"
    words = "this machine, a process for each cell"

    def command(self, image, order):
        return super().command(image, order)


ENGINE = Entry(make=ApartEngine)
"""
IN_FLOAT = 'finish_model(job, trained_model(job), 32, "int8")'
WRONG = """ptq_fx.quantize(job)
    call = job.session.call
    job.session = job.session._replace(call=lambda x: call(x).roll(1, 1))"""
SAMPLE = "pytorch and technique=ptq-fx,dynamic and feature=conv2d,linear,lstm,gelu,subclassed,relu"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    made = digits_bench(interpreter("pytorch-cpu"), tmp_path_factory.mktemp("probes"), "none", 16)
    base = {**made.base, "study": "lad2023", "batch_size": 32}
    outside = made.folder / "outside" / "runners" / "pytorch"
    outside.mkdir(parents=True)
    (outside / "says_int8.py").write_text(LIE.format(what=IN_FLOAT))
    (outside / "answers_wrong.py").write_text(LIE.format(what=WRONG))
    return made._replace(base=base)


def probed(bench: Bench, technique: str, feature: str) -> Probe:
    environment = {**os.environ, "REPLIQUANT_PATH": str(bench.folder / "outside")}
    cell = bench.cell("probe", technique, {**RECIPE}, feature=feature)
    manifest = ok(bench.run(cell, env=environment))
    assert manifest.probe is not None
    return manifest.probe


@pytest.mark.parametrize("feature", ["conv2d", "linear", "residual-add"])
def test_a_technique_that_leaves_everything_in_float_and_says_int8(
    bench: Bench, feature: str
) -> None:
    found = probed(bench, "says-int8", feature)

    assert (found.outcome, found.promised, list(found.own)) == ("mixed", "int8", ["float32"])


def test_a_technique_that_answers_something_else(bench: Bench) -> None:
    found = probed(bench, "answers-wrong", "conv2d")

    assert found.outcome == "wrong"
    assert found.own == {"int8": {"quantized::conv2d": 1}}
    assert found.sqnr_db is not None and found.sqnr_db < found.limit_db


@pytest.mark.parametrize(
    ("technique", "feature", "outcome"),
    [
        ("ptq-fx", "conv2d", "int8"),
        ("ptq-fx", "relu", "int8"),
        ("ptq-fx", "lstm", "mixed"),
        ("ptq-fx", "subclassed", "refused"),
        ("ptq-eager", "silu", "refused"),
        ("ptq-pt2e", "linear", "simulated"),
        ("ptq-pt2e", "layer-norm", "mixed"),
        ("dynamic", "linear", "int8"),
        ("dynamic", "conv2d", "mixed"),
    ],
)
def test_what_torch_quantizes(bench: Bench, technique: str, feature: str, outcome: str) -> None:
    assert probed(bench, technique, feature).outcome == outcome


@pytest.mark.thorough
def test_ai_edge_quantizer_is_probed_where_no_tensorflow_is(tmp_path: Path) -> None:
    made = digits_bench(interpreter("tensorflow-cpu"), tmp_path, "none", 16)
    base = {**made.base, "study": "lad2023", "batch_size": 32, "framework": "tensorflow"}
    keras, files = made._replace(base=base), made._replace(base=base, python=interpreter(LITERT))
    for feature, outcome in (("conv2d", "int8"), ("lstm", "")):
        start = ok(keras.run(keras.cell("probe", "ptq-tflite", {**RECIPE}, feature=feature)))
        found = files.run(files.cell("probe", "ptq-aieq", {**RECIPE}, feature=feature), start)
        assert (found.probe.outcome if found.probe else "") == outcome
    assert found.reason == "TFLite's converter makes no float32 file of lstm"


def test_tfmot_takes_normalisation_in_only_behind_a_convolution(tmp_path: Path) -> None:
    made = digits_bench(interpreter("tensorflow-cpu"), tmp_path, "none", 16)
    base = {**made.base, "study": "lad2023", "batch_size": 32, "framework": "tensorflow"}
    keras = made._replace(base=base)
    (tmp_path / "outside").mkdir()
    fused, alone = (
        probed(keras, "qat-tfmot", feature) for feature in ("batch-norm-fused", "batch-norm")
    )
    assert (fused.outcome, alone.outcome) == ("int8", "refused")
    assert "QuantizeConfig" in alone.words


def test_a_refusal_has_torchs_own_words(bench: Bench) -> None:
    found = probed(bench, "ptq-eager", "embedding")

    assert found.outcome == "refused"
    assert "only supported with float_qparams_weight_only_qconfig" in found.words


@pytest.mark.thorough
def test_forks_find_the_same_as_processes_of_their_own(tmp_path: Path) -> None:
    """The same cells by an engine that starts each in a way of its own."""
    tool = Reproduction(tmp_path)
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "apart.py").write_text(APART)
    tool.environment["REPLIQUANT_PATH"] = str(tmp_path)
    tool.environment["REPLIQUANT_STUDIES"] = str(ROOT / "studies")
    found = {}
    for engine in ("local", "apart"):
        tool("run", "lad2023", "--experiment", "matrix", "--engine", engine, "-k", SAMPLE,
             "--run", str(tmp_path / engine))  # fmt: skip
        found[engine] = outcomes(Run(tmp_path / engine).load().manifests)

    assert len(found["local"]) == 12
    assert found["local"] == found["apart"]


def outcomes(manifests: list[Manifest]) -> dict[str, tuple[str, str]]:
    return {
        one.id: (
            one.probe.outcome if one.probe else one.status,
            one.probe.words if one.probe else "",
        )
        for one in manifests
    }
