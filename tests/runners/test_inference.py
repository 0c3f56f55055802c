"""Accuracy and times around a framework's session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from manifests.manifest import Flag, Metric
from runners.inference import Session, evaluate, time_inference
from runners.job import Job
from runners.session import about
from tests.runners.samples import SIZE, TEST, a_job, a_pack

RECIPE = {
    "warm_up_s": 0.0,
    "warm_up_count": 2,
    "measure_s": 0.0,
    "measure_count": 16,
    "end_to_end_share": 0.25,
}


OF_SIZE = ("parameters", "multiply_adds", "depthwise_share", "bytes_moved", "multiply_add_rate")


def timed(job: Job) -> dict[str, Metric]:
    """What was measured, without what follows from the network's structure."""
    return {metric.name: metric for metric in job.metrics if metric.name not in OF_SIZE}


class Model:
    """Answers with fixed classes and keeps the shapes that it was called with."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.placed: list[tuple[int, ...]] = []
        self.called = 0
        self.answered = 0

    def session(self) -> Session:
        return Session(self.place, self.call, self.classes)

    def place(self, images: Any) -> Any:
        self.placed.append(images.shape)
        return images

    def call(self, placed: Any) -> int:
        self.called += 1
        return len(placed)

    def classes(self, count: int) -> Any:
        begin = self.answered
        self.answered += count
        return np.array([self.answers[i % len(self.answers)] for i in range(begin, begin + count)])


def test_accuracy_counts_images_and_not_batches(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path))
    right = [number % 10 for number in range(201, 201 + TEST)]
    model = Model([*right[:9], 9, 9, 9])
    assert evaluate(job, model.session(), 0, batch_size=5) == 0.75
    assert model.placed == [(5, SIZE, SIZE, 3), (5, SIZE, SIZE, 3), (2, SIZE, SIZE, 3)]
    (accuracy,) = job.metrics
    assert (accuracy.name, accuracy.unit, accuracy.samples, accuracy.items) == (
        "accuracy", "fraction", [0.75], 12,
    )  # fmt: skip
    assert job.split_counts() == {"test": 12}


def test_a_recipe_leaves_the_accuracy_to_another_cell(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe={"evaluate": False})
    model = Model([0])
    assert evaluate(job, model.session(), 0, batch_size=5) is None
    assert (job.metrics, model.placed, job.split_counts()) == ([], [], {})


def test_a_share_of_none_measures_nothing_end_to_end(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe={**RECIPE, "end_to_end_share": 0.0})
    model = Model([0])
    time_inference(job, model.session())
    assert list(timed(job)) == ["latency_s", "throughput_items_per_s"]
    assert model.called == 2 + 16


def test_one_batch_is_placed_once_and_called_by_the_recipe(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=RECIPE)
    model = Model([0])
    time_inference(job, model.session())
    found = timed(job)
    assert list(found) == ["latency_s", "throughput_items_per_s", "end_to_end_s"]
    assert [len(metric.samples) for metric in found.values()] == [16, 1, 4]
    assert {metric.items for metric in found.values()} == {8}
    assert model.called == 2 + 16 + 1 + 4
    assert model.placed == [(8, SIZE, SIZE, 3)] * (1 + 1 + 4)
    assert [phase.name for phase in job.phases] == [
        "warm-up", "measure", "warm-up", "end-to-end",
    ]  # fmt: skip


def test_throughput_is_all_items_over_all_time(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=RECIPE)
    time_inference(job, Model([0]).session())
    found = {metric.name: metric.samples for metric in job.metrics}
    assert found["throughput_items_per_s"] == pytest.approx(
        [16 * 8 / sum(found["latency_s"])], rel=1e-9
    )


def test_the_network_s_size_and_its_rate_stand_beside_the_latency(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=RECIPE, model="mobilenet-v1", image_size=48)
    session = Model([0]).session()._replace(stopwatch=lambda call: 0.5 * (call() or 1.0) / 8)
    time_inference(job, session)
    found = {(m.name, m.label): m.samples for m in job.metrics if m.name in OF_SIZE}
    assert found == {
        ("parameters", ""): [3_259_456],
        ("multiply_adds", "image"): [24_137_648],
        ("depthwise_share", "layers"): [pytest.approx(13 / 30)],
        ("depthwise_share", "multiply-adds"): [pytest.approx(0.0324, abs=1e-4)],
        ("bytes_moved", ""): [27_708_864],
        ("multiply_add_rate", ""): [8 * 24_137_648 / 0.5],
    }


@pytest.mark.parametrize(
    ("model", "recipe"), [("mine", RECIPE), ("vgg16", {**RECIPE, "model_sha256": "0" * 64})]
)
def test_a_network_of_unknown_structure_has_no_size(
    tmp_path: Path, model: str, recipe: dict[str, Any]
) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=recipe, model=model)
    time_inference(job, Model([0]).session())
    assert not {metric.name for metric in job.metrics} & set(OF_SIZE)


def test_a_test_split_smaller_than_a_batch_fills_it(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=RECIPE, batch_size=13)
    model = Model([0])
    time_inference(job, model.session())
    assert set(model.placed) == {(13, SIZE, SIZE, 3)}
    assert job.split_counts() == {"timed": TEST}


def test_a_model_for_one_batch_size_gets_its_last_batch_filled_up(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path))
    right = [number % 10 for number in range(201, 201 + TEST)]
    model = Model([*right, 0, 0, 0])
    session = model.session()._replace(fixed_batch=True)
    assert evaluate(job, session, 0, batch_size=5) == 1.0
    assert model.placed == [(5, SIZE, SIZE, 3)] * 3


def test_as_published_times_calls_and_nothing_else(tmp_path: Path) -> None:
    recipe = {"warm_up_count": 3, "measure_count": 7}
    job = a_job(tmp_path, a_pack(tmp_path), recipe=recipe, protocol="as-published")
    model = Model([0])
    time_inference(job, model.session())
    found = timed(job)
    assert list(found) == ["latency_s", "throughput_items_per_s"]
    assert len(found["latency_s"].samples) == 7 and model.called == 3 + 7
    assert found["latency_s"].source == "time.time() around the call, not synchronised"


def test_the_devices_events_are_named_as_the_source(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=RECIPE)
    session = Model([0]).session()._replace(stopwatch=lambda call: 0.5 * (call() or 1.0) / 8)
    time_inference(job, session)
    assert job.metrics[0].source == "the device's events"
    assert job.metrics[0].samples == [0.5] * 16


def test_a_recipe_of_the_other_protocol_is_refused(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=RECIPE, protocol="as-published")
    with pytest.raises(msgspec.ValidationError, match="warm_up_s"):
        time_inference(job, Model([0]).session())


def test_flags_say_which_numbers_they_are_about() -> None:
    flags = [Flag(name="drift", detail=""), Flag(name="busy-machine", detail="")]
    found = {flag.name: flag.metrics for flag in about(flags, "end_to_end_s")}
    assert found == {"drift": ["end_to_end_s"], "busy-machine": ["end_to_end_s", "energy_j"]}
