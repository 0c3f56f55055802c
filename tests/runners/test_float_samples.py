"""Samples that are float32 of a model's own shape, and pictures scaled as it takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orchestrator.datasets import samples
from orchestrator.datasets.pack import prepare, quiet
from runners.data import SCALES, Data
from runners.failures import Unsupported
from runners.model_file import in_layout


def _data(folder: Path, array: object) -> Data:
    np.save(folder / "own.npy", array)  # type: ignore[arg-type]
    source = samples.source(folder / "own.npy", "own", folder / "cache")
    return Data(prepare(source, 8, folder / "cache", quiet))


def test_samples_come_as_they_are_and_none_calibrates_and_is_answered(tmp_path: Path) -> None:
    array = np.random.default_rng(1).random((40, 5), np.float32)
    data = _data(tmp_path, array)
    assert not data.labelled
    calibrating, tested = data.calibration(0, 0).images, data.test().images
    assert np.array_equal(np.concatenate([calibrating, tested]), array)
    assert len(calibrating) == 10
    assert data.normalise(tested).dtype == np.float32
    assert np.array_equal(data.normalise(tested), tested)


def test_fractions_of_one_are_not_one_value(tmp_path: Path) -> None:
    array = np.random.default_rng(1).random((40, 5), np.float32)
    assert len(_data(tmp_path, array).calibration(4, 0).labels) == 4


@pytest.mark.parametrize("value", [0.25, -1.5])
def test_samples_of_one_value_calibrate_nothing(tmp_path: Path, value: float) -> None:
    data = _data(tmp_path, np.full((40, 5), value, np.float32))
    with pytest.raises(Unsupported, match=rf"all of one value \({value}\)"):
        data.calibration(4, 0)


def test_doubles_become_float32(tmp_path: Path) -> None:
    assert _data(tmp_path, np.linspace(0, 1, 80).reshape(40, 2)).test().images.dtype == np.float32


def test_what_is_not_finite_is_refused(tmp_path: Path) -> None:
    array = np.ones((40, 5), np.float32)
    array[3, 2] = np.nan
    with pytest.raises(Exception, match="aren't finite"):
        _data(tmp_path, array)


@pytest.mark.parametrize(
    ("pixels", "least", "most"),
    [("0-255", 0.0, 255.0), ("0-1", 0.0, 1.0), ("-1-1", -1.0, 1.0)],
)
def test_pixels_are_scaled_as_the_model_takes_them(
    tmp_path: Path, pixels: str, least: float, most: float
) -> None:
    array = np.zeros((40, 4, 4, 3), np.uint8)
    array[:, 0] = 255
    data = _data(tmp_path, array)
    data.scale(pixels)
    found = data.normalise(data.test().images)
    assert found.min() == pytest.approx(least) and found.max() == pytest.approx(most)


def test_imagenets_are_those_of_torchvision(tmp_path: Path) -> None:
    data = _data(tmp_path, np.full((40, 4, 4, 3), 255, np.uint8))
    data.scale("imagenet")
    white = data.normalise(data.test().images)[0, 0, 0]
    assert white == pytest.approx([2.2489, 2.4286, 2.64], abs=1e-4)
    assert SCALES["imagenet"][0] == [0.485, 0.456, 0.406]


@pytest.mark.parametrize(
    ("given", "declared", "found"),
    [
        ((2, 8, 8, 3), ["n", 3, 8, 8], (2, 3, 8, 8)),
        ((2, 8, 8, 3), ["n", 3, "h", "w"], (2, 3, 8, 8)),
        ((2, 8, 8, 3), ["n", 8, 8, 3], (2, 8, 8, 3)),
        ((2, 8, 8, 1), [None, 1, 8, 8], (2, 1, 8, 8)),
        ((2, 3, 8, 8), ["n", 3, 8, 8], (2, 3, 8, 8)),
        ((2, 20), ["n", 20], (2, 20)),
        ((2, 4, 5), [-1, 4, 5], (2, 4, 5)),
    ],
)
def test_batches_are_laid_out_as_the_model_declares(
    given: tuple[int, ...], declared: list[object], found: tuple[int, ...]
) -> None:
    images = np.arange(np.prod(given), dtype=np.float32).reshape(given)
    made = in_layout(images, declared)
    assert made.shape == found and made.flags.c_contiguous
    expected = images if given == found else images.transpose(0, 3, 1, 2)
    assert np.array_equal(made, expected)


@pytest.mark.parametrize("declared", [["n", 3, 9, 9], [4, 3, 8, 8], ["n", 192], []])
def test_a_batch_that_does_not_fit_is_refused(declared: list[object]) -> None:
    with pytest.raises(Unsupported, match="the model takes"):
        in_layout(np.zeros((2, 8, 8, 3), np.float32), declared)
