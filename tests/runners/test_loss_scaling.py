"""Which steps loss scaling skipped, told to readers; and the untimed steps before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Flag
from runners.loss_scaling import (
    LONGEST_WARM_UP,
    Optimizer,
    ScaledSteps,
    skipped_steps,
    warm_up,
)
from runners.training import AdamRecipe, find_scale, train
from tests.runners.samples import a_job, a_pack

RECIPE = AdamRecipe(optimizer="adam", epochs=2, train_images=40, test_images=0, learning_rate=1e-4)


class Scaler:
    """Halves its scale and skips while a step's gradients, as large as ``fits`` says, overflow.

    ``fits``: by the number of updates made before, the largest scale that doesn't overflow.
    """

    def __init__(self, fits: list[float], scale: float = 65536.0) -> None:
        self.fits = fits
        self.scale = scale
        self.made = 0  # updates of the weights, from the start or the last restart
        self.applied = 0
        self.restarts = 0
        self.steps = 0

    def step(self, images: Any, labels: Any, rate: float = 0.0) -> float:
        self.steps += 1
        if self.scale > self.fits[min(self.made, len(self.fits) - 1)]:
            self.scale /= 2
        else:
            self.made += 1
            self.applied += 1
        return 1.0

    def restart(self) -> None:
        self.made = 0
        self.restarts += 1

    def told(self, scaled: bool = True) -> Optimizer:
        scale = (lambda: self.scale) if scaled else None
        return Optimizer(lambda: self.applied, self.restart, scale)


def batches() -> Iterator[tuple[int, int]]:
    return iter([(0, 0)] * 8)


def test_the_warm_up_finds_the_scale_and_leaves_everything_else_as_it_was() -> None:
    scaler = Scaler([512.0])
    assert warm_up(scaler.step, batches, scaler.told()) == 7 + 8
    assert (scaler.scale, scaler.made) == (512.0, 0)


def test_a_scale_that_fits_only_the_first_steps_is_not_the_one() -> None:
    scaler = Scaler([512.0, 512.0, 64.0, 512.0])
    warm_up(scaler.step, batches, scaler.told())
    assert (scaler.scale, scaler.made) == (64.0, 0)


def test_without_scaling_one_step_warms_up() -> None:
    scaler = Scaler([float("inf")])
    assert warm_up(scaler.step, batches, scaler.told(scaled=False)) == 1
    assert scaler.restarts == 1


def test_a_loss_that_never_fits_ends_the_warm_up() -> None:
    scaler = Scaler([0.0])
    assert warm_up(scaler.step, batches, scaler.told()) == LONGEST_WARM_UP


def _trained(folder: Path, fits: list[float], protocol: str = "rigorous") -> Any:
    job = a_job(folder, a_pack(folder), protocol=protocol)
    scaler = Scaler(fits)
    find_scale(job, RECIPE, scaler.step, scaler.told())
    train(job, RECIPE, scaler.step, scaler.told())
    found = {(metric.name, metric.label): metric for metric in job.metrics}
    return job, found, scaler


def test_rigorous_times_no_step_that_is_skipped(tmp_path: Path) -> None:
    job, found, scaler = _trained(tmp_path, [512.0])
    assert found["loss_scale", ""].samples == [512.0] * 10
    assert found["applied_steps", "timed"].samples == [10]
    assert found["applied_steps", "timed"].items == 10
    assert found["applied_steps", "total"].samples == [scaler.applied]
    assert (job.flags, [phase.name for phase in job.phases]) == ([], ["warm-up"])


def test_as_published_has_no_warm_up_and_reports_what_was_skipped(tmp_path: Path) -> None:
    job, found, _ = _trained(tmp_path, [512.0], "as-published")
    scales = [65536.0, 32768.0, 16384.0, 8192.0, 4096.0, 2048.0, 1024.0, 512.0, 512.0, 512.0]
    assert found["loss_scale", ""].samples == scales
    assert found["applied_steps", "timed"].samples == [3]
    detail = "7 of 10 timed steps were skipped by loss scaling"
    assert (job.flags, job.phases) == ([Flag(name="skipped-steps", detail=detail)], [])


@pytest.mark.parametrize("protocol", ["rigorous", "as-published"])
def test_weights_that_no_step_reached_are_called_initial(tmp_path: Path, protocol: str) -> None:
    job, found, _ = _trained(tmp_path, [0.0], protocol)
    assert found["applied_steps", "timed"].samples == [0]
    detail = "10 of 10 timed steps were skipped by loss scaling; the weights are the initial ones"
    assert job.flags == [Flag(name="skipped-steps", detail=detail)]


def test_one_skip_in_thousands_is_the_scalers_own_growth(tmp_path: Path) -> None:
    for timed, flagged in ((99, True), (2000, False)):
        job, scaler = a_job(tmp_path), Scaler([1.0])
        steps = ScaledSteps(scaler.told())
        scaler.applied += timed - 1
        steps.record(job, timed)
        assert bool(job.flags) is flagged
    assert skipped_steps(1, 99).detail == "1 of 99 timed steps were skipped by loss scaling"


def test_where_no_loss_is_scaled_nothing_is_said_of_it(tmp_path: Path) -> None:
    job, scaler = a_job(tmp_path, a_pack(tmp_path)), Scaler([float("inf")])
    train(job, RECIPE, scaler.step, scaler.told(scaled=False))
    names = {metric.name for metric in job.metrics}
    assert not names & {"loss_scale", "applied_steps"} and not job.flags


def test_a_training_that_is_cut_off_says_what_was_applied(tmp_path: Path) -> None:
    job, scaler = a_job(tmp_path, a_pack(tmp_path)), Scaler([65536.0])

    def cut_off(images: Any, labels: Any, rate: float) -> float:
        if scaler.steps == 4:
            raise RuntimeError("cut off")
        return scaler.step(images, labels)

    with pytest.raises(RuntimeError):
        train(job, RECIPE, cut_off, scaler.told())
    found = {(metric.name, metric.label): metric.samples for metric in job.metrics}
    assert found["applied_steps", "timed"] == [4]
