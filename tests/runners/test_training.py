"""The training loop around a framework's step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from manifests import event
from runners.failures import Stopped
from runners.training import (
    AdamRecipe,
    TrainRecipe,
    learning_rate_at,
    train,
    training_recipe,
)
from tests.runners.samples import SIZE, a_job, a_pack, events_of

RECIPE = TrainRecipe(
    epochs=2,
    train_images=40,
    test_images=12,
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=5e-4,
    clip_norm=1.0,
    warm_up=0.1,
    milestones=[0.5, 0.75],
    decay=0.1,
)


class Network:
    """A fake step that keeps what it was given and returns the losses it was told."""

    def __init__(self, losses: list[float]) -> None:
        self.losses = losses
        self.rates: list[float] = []
        self.images: list[Any] = []
        self.labels: list[int] = []

    def take_step(self, images: Any, labels: Any, rate: float) -> float:
        assert images.shape == (len(labels), SIZE, SIZE, 3)
        self.images.append(images)
        self.rates.append(rate)
        self.labels.extend(int(label) for label in labels)
        return self.losses[len(self.rates) - 1]


def _changed(**changes: Any) -> TrainRecipe:
    return msgspec.structs.replace(RECIPE, **changes)


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.01), (4, 0.05), (8, 0.09), (9, 0.1), (10, 0.1), (49, 0.1),
        (50, 0.01), (74, 0.01), (75, 0.001), (99, 0.001),
    ],
)  # fmt: skip
def test_the_rate_warms_up_and_falls_at_milestones(step: int, rate: float) -> None:
    assert learning_rate_at(RECIPE, step, 100) == pytest.approx(rate)


def test_without_warm_up_the_rate_begins_where_it_stays() -> None:
    recipe = _changed(warm_up=0.0, milestones=[])
    assert [learning_rate_at(recipe, step, 10) for step in (0, 5, 9)] == [0.1, 0.1, 0.1]


def test_a_warm_up_shorter_than_a_step_is_none() -> None:
    assert learning_rate_at(RECIPE, 0, 5) == 0.1


def test_a_milestone_inside_the_warm_up_counts_at_once() -> None:
    recipe = _changed(warm_up=0.5, milestones=[0.2])
    assert learning_rate_at(recipe, 1, 10) == pytest.approx(0.04)
    assert learning_rate_at(recipe, 2, 10) == pytest.approx(0.006)


def test_all_epochs_are_run_and_recorded(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path))
    network = Network([2.0, 2.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5])
    train(job, RECIPE, network.take_step)
    found = {metric.name: metric for metric in job.metrics}
    assert found["train_loss"].samples == [1.4, 0.5]
    assert (len(found["train_step_s"].samples), found["train_step_s"].items) == (10, 8)
    assert (len(found["train_epoch_s"].samples), found["train_epoch_s"].items) == (2, 40)
    assert [found[name].unit for name in found] == ["s", "s", "nats"]


def test_each_step_gets_its_own_rate(tmp_path: Path) -> None:
    network = Network([1.0] * 10)
    train(a_job(tmp_path, a_pack(tmp_path)), RECIPE, network.take_step)
    assert network.rates == pytest.approx([0.1] * 5 + [0.01] * 3 + [0.001] * 2)


def test_every_epoch_ends_with_an_event(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path))
    train(job, RECIPE, Network([1.0] * 5 + [0.25] * 5).take_step)
    epochs = [one for one in events_of(job) if isinstance(one, event.Epoch)]
    assert [(one.epoch, one.of, one.loss) for one in epochs] == [(1, 2, 1.0), (2, 2, 0.25)]


def test_training_never_touches_the_test_split(tmp_path: Path) -> None:
    data = a_pack(tmp_path)
    (data.folder / "test_images.npy").unlink()
    (data.folder / "test_labels.npy").unlink()
    train(a_job(tmp_path, data), RECIPE, Network([1.0] * 10).take_step)
    assert data.used == {"train": 40}


def test_epochs_differ_and_runs_of_the_same_seed_do_not(tmp_path: Path) -> None:
    data = a_pack(tmp_path)
    first, again, other = Network([1.0] * 10), Network([1.0] * 10), Network([1.0] * 10)
    train(a_job(tmp_path, data), RECIPE, first.take_step)
    train(a_job(tmp_path, data), RECIPE, again.take_step)
    train(a_job(tmp_path, data, seed=4), RECIPE, other.take_step)
    assert np.array_equal(first.images, again.images)
    assert first.labels[:40] != first.labels[40:]
    assert sorted(first.labels[:40]) == sorted(first.labels[40:])
    assert first.labels != other.labels


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path, loss: float) -> None:
    job = a_job(tmp_path, a_pack(tmp_path))
    with pytest.raises(FloatingPointError) as caught:
        train(job, RECIPE, Network([1.0, 1.0, loss]).take_step)
    assert str(caught.value) == f"the loss became {loss} at step 3 of 10"
    found = {metric.name: metric.samples for metric in job.metrics}
    assert len(found["train_step_s"]) == 3
    assert (found["train_epoch_s"], found["train_loss"]) == ([], [])


def test_training_that_is_cut_off_keeps_what_it_measured(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path))
    network = Network([2.0] * 5 + [1.0])

    def stopped(images: Any, labels: Any, rate: float) -> float:
        if len(network.rates) == 6:
            raise Stopped("timeout", "late")
        return network.take_step(images, labels, rate)

    with pytest.raises(Stopped):
        train(job, RECIPE, stopped)
    found = {metric.name: metric.samples for metric in job.metrics}
    assert (len(found["train_step_s"]), len(found["train_epoch_s"])) == (6, 1)
    assert found["train_loss"] == [2.0]


def test_fewer_images_than_a_batch_fill_one_step_an_epoch(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), batch_size=64)
    network = Network([1.0, 0.5])
    train(job, RECIPE, network.take_step)
    assert [len(images) for images in network.images] == [64, 64]
    warned = [one.text for one in events_of(job) if isinstance(one, event.Warning)]
    assert warned == ["40 training images are repeated to fill a batch of 64"]


def test_a_recipe_without_epochs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the recipe has no epochs"):
        train(a_job(tmp_path, a_pack(tmp_path)), _changed(epochs=0), Network([]).take_step)


def test_a_recipe_with_a_key_too_many_is_refused(tmp_path: Path) -> None:
    recipe = {**msgspec.to_builtins(RECIPE), "nesterov": True}
    with pytest.raises(msgspec.ValidationError, match="unknown field `nesterov`"):
        a_job(tmp_path, recipe=recipe).recipe(TrainRecipe)
    del recipe["nesterov"]
    assert a_job(tmp_path, recipe=recipe).recipe(TrainRecipe) == RECIPE


ADAM = {"optimizer": "adam", "epochs": 1, "train_images": 40, "test_images": 0,
        "learning_rate": 1e-4}  # fmt: skip


def test_the_key_optimizer_makes_it_adams_recipe(tmp_path: Path) -> None:
    assert training_recipe(a_job(tmp_path, recipe=ADAM)) == AdamRecipe(
        optimizer="adam", epochs=1, train_images=40, test_images=0, learning_rate=1e-4,
        epsilon=1e-7, augment=False, channels_last=False,
    )  # fmt: skip
    builtins = msgspec.to_builtins(RECIPE)
    assert training_recipe(a_job(tmp_path, recipe=builtins)) == RECIPE


def test_another_optimizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(msgspec.ValidationError, match="optimizer"):
        training_recipe(a_job(tmp_path, recipe={**ADAM, "optimizer": "lion"}))


def test_adams_rate_stays_and_its_pixels_are_not_augmented(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_pack(tmp_path), recipe=ADAM, model="vgg16")
    network = Network([0.5] * 5)
    train(job, training_recipe(job), network.take_step)
    assert network.rates == [1e-4] * 5
    red = np.concatenate([images[:, 0, 0, 0] for images in network.images])
    assert sorted(red) == [float(number) for number in range(1, 41)]
    assert network.images[0].dtype == np.float32
