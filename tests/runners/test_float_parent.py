"""A model held against the float model that it was made from, around a session of numpy."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from manifests.codec import write_manifest
from manifests.fidelity_summary import WORST_LAYER
from manifests.manifest import Dataset, Inputs, Proof
from runners import float_answers
from runners.fidelity import INT8_PROBABILITIES, PROBABILITIES, Layer, sqnr
from runners.float_parent import Layers, record_fidelity
from runners.inference import Session, evaluate
from runners.outputs import OUTPUTS_FILE, Collected, in_order, read
from tests.runners.family import Family, leave_a_model, linear, samples, softmax, weights
from tests.runners.samples import TEST, a_job, a_pack, events_of


@pytest.fixture
def family(tmp_path: Path) -> Family:
    return Family(tmp_path)


def test_what_a_model_answered_is_kept_beside_its_weights(family: Family) -> None:
    assert [one.path for one in family.manifest.artifacts] == ["weights", OUTPUTS_FILE]
    kept = read(family.folder / OUTPUTS_FILE)
    pixels = family.data.normalise(family.data.test().images).reshape(TEST, -1)
    assert kept.values == pytest.approx(pixels @ weights(), rel=1e-5)
    assert list(kept.predicted) == list((pixels @ weights()).argmax(1))
    assert list(kept.images) == list(range(TEST)) and kept.kind == "logits"
    assert list(kept.labels) == [number % 10 for number in range(201, 201 + TEST)]


def test_a_child_is_held_against_it(family: Family) -> None:
    """The numbers are those of a computation of its own."""
    job = family.child()
    noisy = weights() + 0.02 * weights(1)
    evaluate(job, linear(noisy), 0, 5)
    record_fidelity(job)
    pixels = family.data.normalise(family.data.test().images).reshape(TEST, -1).astype(np.float64)
    x, y = (np.float32(pixels @ matrix).astype(np.float64) for matrix in (weights(), noisy))
    p, q = softmax(x), softmax(y)
    divergences = np.sum(p * np.log(p / q), axis=1)
    found = samples(job)
    assert found["agreement", ""] == pytest.approx(np.mean(x.argmax(1) == y.argmax(1)), abs=1e-6)
    assert found["kl_nats", ""] == pytest.approx(divergences.mean(), abs=1e-6)
    assert found["kl_nats", "median"] == pytest.approx(np.median(divergences), abs=1e-6)
    assert found["kl_nats", "p90"] is None
    ratio = 10 * math.log10(np.sum(x**2) / np.sum((x - y) ** 2))
    assert found["sqnr_db", ""] == pytest.approx(ratio, abs=1e-4)
    fidelity = job.fidelity
    assert fidelity is not None and fidelity.parent == family.manifest.id
    assert (fidelity.images, fidelity.outputs, fidelity.floored) == (TEST, "logits", False)
    labels = family.data.test().labels
    right, also = x.argmax(1) == labels, y.argmax(1) == labels
    assert (fidelity.n10, fidelity.n01) == (np.sum(right & ~also), np.sum(~right & also))
    assert fidelity.kl_low is not None and fidelity.kl_high is not None
    assert fidelity.kl_low <= divergences.mean() <= fidelity.kl_high
    assert [phase.name for phase in job.phases] == ["evaluate", "fidelity"]


def test_the_same_model_is_exact(family: Family) -> None:
    job = family.child()
    evaluate(job, linear(weights()), 0, 5)
    record_fidelity(job)
    found = samples(job)
    assert (found["agreement", ""], found["kl_nats", ""]) == (1.0, 0.0)
    assert found["sqnr_db", ""] is None
    (noise,) = [metric for metric in job.metrics if metric.name == "sqnr_db"]
    assert noise.reason == "exact: equal in every element"


def test_fewer_and_other_images_are_those_that_were_tested(family: Family) -> None:
    job = family.child()
    evaluate(job, linear(weights()), 7, 5)
    record_fidelity(job)
    assert samples(job)["agreement", ""] == 1.0
    assert job.fidelity is not None and job.fidelity.images == 7


def test_the_last_batch_of_a_fixed_size_leaves_nothing_behind(family: Family) -> None:
    job = family.child()
    evaluate(job, linear(weights(), fixed_batch=True), 0, 5)
    record_fidelity(job)
    assert job.fidelity is not None
    assert (job.fidelity.images, job.fidelity.agreeing) == (TEST, TEST)


def test_classes_alone_give_agreement_and_no_more(family: Family) -> None:
    job = family.child()
    matrix = np.round(weights() * 99).astype(np.int64)
    whole = linear(matrix)._replace(place=lambda images: np.rint(images * 8).astype(np.int64))
    evaluate(job, whole, 0, 5)
    record_fidelity(job)
    found = samples(job)
    assert found["agreement", ""] is not None
    assert found["kl_nats", ""] is None and found["sqnr_db", ""] is None
    reasons = {metric.reason for metric in job.metrics if metric.name in ("kl_nats", "sqnr_db")}
    assert reasons == {"this model's session gives no outputs in floating point, only classes"}


def test_probabilities_are_held_against_the_logits_that_they_come_from(family: Family) -> None:
    job = family.child()
    session = linear(weights(), outputs=softmax, kind=PROBABILITIES)
    evaluate(job, session, 0, 5)
    record_fidelity(job)
    found = samples(job)
    assert found["kl_nats", ""] == pytest.approx(0.0, abs=1e-6)
    assert found["sqnr_db", ""] > 100
    assert job.fidelity is not None and job.fidelity.outputs == PROBABILITIES


def test_steps_of_256_are_told_apart(family: Family) -> None:
    job = family.child()
    steps = lambda logits: np.round(softmax(logits) * 256) / 256  # noqa: E731
    session = linear(weights(), outputs=steps, kind=INT8_PROBABILITIES)
    evaluate(job, session._replace(classes=lambda logits: steps(logits).argmax(1)), 0, 5)
    record_fidelity(job)
    found = samples(job)
    assert ("kl_nats", "") not in found and found["kl_nats", "floored"] >= 0
    assert job.fidelity is not None and job.fidelity.floored


def test_what_is_not_finite_agrees_with_nothing_and_has_no_divergence(family: Family) -> None:
    job = family.child()

    def broken(logits: Any) -> Any:
        wrong = logits.copy()
        wrong[0] = np.nan
        return wrong

    evaluate(job, linear(weights(), outputs=broken), 0, 6)
    record_fidelity(job)
    found = samples(job)
    assert found["agreement", ""] == pytest.approx((TEST - 2) / TEST)
    assert found["kl_nats", ""] is None and found["sqnr_db", ""] is None
    (metric,) = [metric for metric in job.metrics if metric.name == "kl_nats"]
    assert metric.reason == "2 of 12 images have no finite divergence"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"proof": "bfloat16"}, "its cell computed in bfloat16"),
        ({"limit": 3}, "its cell tested other images"),
    ],
)
def test_what_was_kept_serves_only_for_the_same_images_in_float32(
    tmp_path: Path, change: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = Family(tmp_path, **change)
    job = family.child(framework="arrays")
    evaluate(job, linear(weights()), 0, 5)
    alone = type("framework", (), {})
    monkeypatch.setattr(float_answers, "package", lambda name: alone)
    record_fidelity(job)
    assert job.fidelity is not None
    assert job.fidelity.reason == f"the float model's answers can't serve: {why}"
    assert "agreement" not in {metric.name for metric in job.metrics}
    # With the framework's own way to the float model, it answers anew.
    alone.float_session = staticmethod(lambda job: linear(weights()))
    record_fidelity(job)
    assert samples(job)["agreement", ""] == 1.0
    assert job.fidelity.parent_outputs == f"computed in this cell: {why}"


def test_other_pixels_are_other_images(family: Family, tmp_path: Path) -> None:
    meta = family.data.meta
    other = {**meta.splits, "test": msgspec.structs.replace(meta.splits["test"], sha256="0" * 64)}
    changed: Dataset = msgspec.structs.replace(meta, splits=other)
    told = msgspec.structs.replace(family.manifest, inputs=Inputs(dataset=changed))
    (family.folder / "manifest.json").unlink()
    write_manifest(family.folder / "manifest.json", told)
    job = family.child()
    evaluate(job, linear(weights()), 0, 5)
    assert float_answers._why_not_kept(job, told) == "its cell tested other images"


def test_a_model_of_no_float_model_has_no_fidelity(family: Family) -> None:
    for name, cell in (("none", {"weights_from": None}), ("again", {})):
        job = family.child(name, **cell)
        if name == "again":
            child = msgspec.structs.replace(family.manifest.cell, weights_from="0" * 12)
            told = msgspec.structs.replace(family.manifest, cell=child, id=child.id)
            (family.folder / "manifest.json").unlink()
            write_manifest(family.folder / "manifest.json", told)
        evaluate(job, linear(weights()), 0, 5)
        record_fidelity(job)
        assert job.fidelity is None
        assert [phase.name for phase in job.phases] == ["evaluate"]


def test_an_inference_cell_of_lower_precision_answers_a_few_images(family: Family) -> None:
    job = family.child(task="infer")
    job.session = linear(weights())
    record_fidelity(job)
    assert job.fidelity is None and not job.phases  # float32, as far as anything tells
    job.proof = Proof(promised="int8", operations={}, coverage=1.0, fallback=[], source="")
    record_fidelity(job)
    assert samples(job)["agreement", ""] == 1.0
    assert job.split_counts() == {} and not (job.folder / OUTPUTS_FILE).exists()


def layers_of(noisy: list[float]) -> Callable[[Any], Layers]:
    def give(images: Any) -> Layers:
        base = np.ones(len(images))
        return Layers(
            [Layer(f"layer{n}", sqnr(base, base * (1 - off))) for n, off in enumerate(noisy)],
            ["pool"], "by hand",
        )  # fmt: skip

    return give


def test_layers_are_compared_on_a_few_images_and_the_worst_is_named(family: Family) -> None:
    job = family.child()
    evaluate(job, linear(weights() * 1.01), 0, 5)
    job.layers = layers_of([0.0, 0.01, 0.1])
    record_fidelity(job)
    found = samples(job)
    assert found["sqnr_db", "layer0"] is None
    assert found["sqnr_db", "layer1"] == pytest.approx(40)
    assert found["sqnr_db", "layer2"] == pytest.approx(20)
    assert found["sqnr_db", WORST_LAYER] == pytest.approx(40)
    assert job.fidelity is not None
    assert (job.fidelity.worst_layer, job.fidelity.layer_images) == ("layer1", 8)
    assert (job.fidelity.worst_by, job.fidelity.unmatched) == ("drop of cumulative SQNR", ["pool"])


@pytest.mark.parametrize(
    ("layers", "proof", "why"),
    [
        ("kept inside", "int8", "kept inside"),
        ("", "int8", "the technique gives no tensors from inside the model"),
        (layers_of([0.1]), "float32", "the model computes in float32"),
        (lambda images: 1 / 0, "int8", "ZeroDivisionError: division by zero"),
    ],
)
def test_without_layers_there_is_a_reason(
    family: Family, layers: Any, proof: str, why: str
) -> None:
    job = family.child()
    job.proof = Proof(promised=proof, operations={}, coverage=1.0, fallback=[], source="")
    evaluate(job, linear(weights()), 0, 5)
    job.layers = layers
    record_fidelity(job)
    assert job.fidelity is not None and job.fidelity.layers_reason == why
    assert samples(job)["agreement", ""] == 1.0


def test_a_comparison_that_goes_wrong_fails_no_cell(family: Family) -> None:
    job = family.child()
    evaluate(job, linear(weights()), 0, 5)
    (family.folder / OUTPUTS_FILE).write_bytes(b"damaged")
    record_fidelity(job)
    assert job.fidelity is not None and job.fidelity.reason.startswith("DamagedInput: ")
    assert any("not held against" in str(event) for event in events_of(job))


def test_answers_in_another_order_are_not_kept(tmp_path: Path) -> None:
    """A protocol from outside may take the images as it likes."""
    data = a_pack(tmp_path)
    job = a_job(tmp_path, data)
    labels = data.test().labels
    for order, kept in ((labels, True), (labels[::-1], False)):
        collected = Collected(Session(lambda x: x, lambda x: x, lambda answers: answers))
        collected.session.classes(order)
        job.record("accuracy", [1.0], items=TEST)
        assert (in_order(job, collected, 0, accuracy=1.0) is not None) == kept


def test_the_published_way_tests_a_part_and_keeps_that(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), protocol="as-published", batch_size=2)
    leave_a_model(job)
    evaluate(job, linear(weights()), 0, 2)
    assert list(read(tmp_path / OUTPUTS_FILE).images) == [0, 1]


def test_a_cell_that_leaves_no_model_keeps_no_answers(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path))
    evaluate(job, linear(weights()), 0, 5)
    assert job.artifacts == [] and not (tmp_path / OUTPUTS_FILE).exists()
