"""One split, one augmentation, one normalisation, for every framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from runners.data import CROP_PADDING, Calibration, Data, augment, batches, training_batches
from runners.failures import Unsupported
from tests.runners.samples import SIZE, TEST, TRAIN, a_pack

shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.just(3))


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return a_pack(tmp_path)


def _numbers(data: Data, normalised: NDArray[np.float32]) -> list[int]:
    """Which image each one is, from a pixel that padding can't reach."""
    pixels = (normalised * np.array(data.meta.std) + np.array(data.meta.mean)) * 255
    middle = np.round(pixels[:, SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1])
    return [int(number) for number in middle[..., 0].max(axis=(1, 2))]


@given(arrays.arrays(np.uint8, shapes), st.integers(0, 2**32))
def test_every_augmented_image_is_a_crop_perhaps_flipped(
    images: NDArray[np.uint8], seed: int
) -> None:
    result = augment(images, np.random.default_rng(seed))
    assert result.shape == images.shape
    assert result.dtype == np.uint8
    for before, after in zip(images, result, strict=True):
        assert any(np.array_equal(after, crop) for crop in _crops(before))


def _crops(image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    height, width, _ = image.shape
    pad = round(height * CROP_PADDING)
    padded = np.zeros((height + 2 * pad, width + 2 * pad, 3), np.uint8)
    padded[pad : pad + height, pad : pad + width] = image
    crops = [
        padded[row : row + height, column : column + width]
        for row in range(2 * pad + 1)
        for column in range(2 * pad + 1)
    ]
    return crops + [crop[:, ::-1] for crop in crops]


def test_crops_and_flips_of_every_kind_occur() -> None:
    image = np.arange(1, 193, dtype=np.uint8).reshape(8, 8, 3)
    many = augment(np.repeat(image[None], 500, axis=0), np.random.default_rng(0))
    seen = {one.tobytes() for one in many}
    assert seen == {crop.tobytes() for crop in _crops(image)}


def test_pictures_that_mirroring_changes_are_never_mirrored() -> None:
    image = np.arange(1, 193, dtype=np.uint8).reshape(8, 8, 3)
    many = augment(np.repeat(image[None], 500, axis=0), np.random.default_rng(0), mirrored=False)
    seen = {one.tobytes() for one in many}
    crops = _crops(image)
    assert seen == {crop.tobytes() for crop in crops[: len(crops) // 2]}


@pytest.mark.parametrize(("side", "padding"), [(32, 4), (16, 2), (8, 1)])
def test_the_padding_grows_with_the_picture(side: int, padding: int) -> None:
    white = np.full((200, side, side, 3), 255, np.uint8)
    black = (augment(white, np.random.default_rng(0)) == 0).all(axis=(2, 3)).sum(axis=1)
    assert black.max() == padding  # rows that came from the padding


@pytest.mark.parametrize("mirrored", [True, False])
def test_training_mirrors_only_what_its_data_set_allows(tmp_path: Path, mirrored: bool) -> None:
    data = a_pack(tmp_path, mirrored)
    columns = set()
    for seed in range(20):
        for images, _ in training_batches(data, data.train(0, seed=1), 8, seed):
            middle = images[:, SIZE // 2, 1:-1, 2]  # rises from left to right
            columns |= {bool(rises) for rises in (middle[:, -1] > middle[:, 0])}
    assert columns == ({True, False} if mirrored else {True})


def test_augmentation_leaves_its_input_alone() -> None:
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    before = images.copy()
    augment(images, np.random.default_rng(1))
    assert np.array_equal(images, before)


def test_normalising_gives_the_training_split_mean_0_and_deviation_1(data: Data) -> None:
    normal = data.normalise(data.train(0, seed=1).images)
    assert normal.dtype == np.float32
    assert np.allclose(normal.mean(axis=(0, 1, 2))[[0, 2]], 0, atol=1e-3)
    assert np.allclose(normal.std(axis=(0, 1, 2))[[0, 2]], 1, atol=1e-3)


def test_a_channel_that_never_changes_becomes_zero(data: Data) -> None:
    assert not data.normalise(data.train(0, seed=1).images)[..., 1].any()


def test_training_images_come_from_the_training_split_only(data: Data) -> None:
    part = data.train(0, seed=5)
    assert list(part.images[:, 0, 0, 0]) == list(range(1, TRAIN + 1))
    assert list(part.labels) == [number % 10 for number in range(1, TRAIN + 1)]
    assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.uint8)


def test_calibration_images_come_from_the_training_split_only(data: Data) -> None:
    numbers = data.calibration(15, seed=5).images[:, 0, 0, 0]
    assert len(set(numbers)) == 15
    assert set(numbers) <= set(range(1, TRAIN + 1))


def test_training_and_calibration_need_no_test_split(data: Data) -> None:
    (data.folder / "test_images.npy").unlink()
    (data.folder / "test_labels.npy").unlink()
    assert len(data.train(0, seed=1).labels) == TRAIN
    assert len(data.calibration(10, seed=1).labels) == 10
    with pytest.raises(FileNotFoundError):
        data.test()


def test_test_images_come_from_the_test_split_only(data: Data) -> None:
    assert list(data.test().images[:, 0, 0, 0]) == list(range(201, 201 + TEST))
    assert set(data.test(5).images[:, 0, 0, 0]) < set(range(201, 201 + TEST))


def test_a_draw_depends_on_its_seed_only(data: Data) -> None:
    first, again, other = (data.train(20, seed).images for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_was_used_is_counted(data: Data) -> None:
    data.train(20, seed=1)
    data.calibration(7, seed=1)
    data.test()
    assert data.used == {"train": 20, "calibration": 7, "test": TEST}


@pytest.mark.parametrize(
    ("use", "arguments", "there", "message"),
    [
        ("train", (41, 1), 40, "the recipe wants 41 train images; numbers has 40"),
        ("calibration", (5000, 1), 40, "the recipe wants 5,000 calibration images; numbers has 40"),
        ("test", (13,), 12, "the recipe wants 13 test images; numbers has 12"),
    ],
)
def test_where_more_images_are_wanted_than_there_are_all_are_used_and_it_is_said(
    data: Data, use: str, arguments: tuple[Any, ...], there: int, message: str
) -> None:
    said: list[str] = []
    data.tell = said.append
    part = getattr(data, use)(*arguments)
    assert len(set(part.images[:, 0, 0, 0])) == len(part.labels) == data.used[use] == there
    assert said == [f"{message}: all of them are used"]


def test_a_batch_larger_than_the_test_split_repeats_its_images(data: Data) -> None:
    said: list[str] = []
    data.tell = said.append
    pixels = data.timed(30)
    assert list(pixels[:, 0, 0, 0]) == [201 + number % 12 for number in range(30)]
    assert data.used == {"timed": 12}
    assert said == ["a batch has 30 images and the test split 12: they are repeated"]


def test_a_truncated_pack_names_the_file_and_the_next_step(data: Data) -> None:
    path = data.folder / "test_images.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"test_images\.npy is damaged .*; run again, and it is"):
        data.test()


def test_fewer_images_than_a_batch_are_repeated_and_every_one_is_seen(data: Data) -> None:
    (batch,) = training_batches(data, data.train(0, seed=1), 100, seed=4, augmented=False)
    numbers = _numbers(data, batch.images)
    assert len(numbers) == 100
    assert set(numbers) == set(range(1, TRAIN + 1))


def test_batches_hold_every_image_once_and_in_order(data: Data) -> None:
    part = data.test()
    found = list(batches(data, part, 5))
    assert [len(batch.labels) for batch in found] == [5, 5, 2]
    assert [number for batch in found for number in _numbers(data, batch.images)] == list(
        range(201, 201 + TEST)
    )
    assert np.array_equal(np.concatenate([batch.labels for batch in found]), part.labels)


def test_an_epoch_holds_every_image_once(data: Data) -> None:
    found = list(training_batches(data, data.train(0, seed=1), 8, seed=4))
    numbers = [number for batch in found for number in _numbers(data, batch.images)]
    assert sorted(numbers) == list(range(1, TRAIN + 1))
    assert numbers != sorted(numbers)
    assert [int(label) for batch in found for label in batch.labels] == [
        number % 10 for number in numbers
    ]


def test_a_short_last_training_batch_is_left_out(data: Data) -> None:
    found = list(training_batches(data, data.train(0, seed=1), 16, seed=4))
    assert [batch.images.shape for batch in found] == [(16, SIZE, SIZE, 3)] * 2


def test_training_batches_are_float32_and_int64(data: Data) -> None:
    batch = next(training_batches(data, data.train(0, seed=1), 8, seed=4))
    assert (batch.images.dtype, batch.labels.dtype) == (np.float32, np.int64)


def test_the_same_seed_gives_the_same_batches(data: Data) -> None:
    part = data.train(0, seed=1)
    first, again, other = (list(training_batches(data, part, 8, seed)) for seed in (4, 4, 5))
    assert all(
        np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)
        for a, b in zip(first, again, strict=True)
    )
    assert not np.array_equal(first[0].images, other[0].images)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_calibrates_nothing(data: Data, value: int) -> None:
    path = data.folder / "train_images.npy"
    np.save(path, np.full_like(np.load(path), value))
    words = rf"the 10 calibration images are all of one value \({value}\)"
    with pytest.raises(Unsupported, match=words):
        data.calibration(10, seed=1)
    assert len(data.train(10, seed=1).labels) == 10


def test_a_recipe_may_calibrate_with_test_images(data: Data) -> None:
    data.calibrating = Calibration.of({"calibration_source": "test"})
    numbers = data.calibration(5, seed=5).images[:, 0, 0, 0]
    assert len(set(numbers)) == 5 and set(numbers) <= set(range(201, 201 + TEST))
    assert data.used == {"calibration": 5}
    assert set(data.train(0, seed=5).images[:, 0, 0, 0]) == set(range(1, TRAIN + 1))


@pytest.mark.parametrize("classes", [1, 3])
def test_a_recipe_may_calibrate_with_some_classes(data: Data, classes: int) -> None:
    data.calibrating = Calibration.of({"calibration_classes": classes})
    first, again = (data.calibration(4, seed=2) for _ in range(2))
    assert len(set(first.labels)) <= classes and len(first.labels) == 4
    assert np.array_equal(first.images, again.images)
    every = data.calibration(0, seed=2)
    assert len(set(every.labels)) == classes and len(every.labels) == 4 * classes  # 40 of 10
    others = {tuple(sorted(set(data.calibration(0, seed).labels))) for seed in range(20)}
    assert len(others) > 1  # which classes is the seed's choice


def test_too_few_images_of_a_class_are_all_used_and_said(data: Data) -> None:
    said: list[str] = []
    data.tell = said.append
    data.calibrating = Calibration.of({"calibration_classes": 1})
    assert len(data.calibration(9, seed=2).labels) == 4
    assert said == [
        "the recipe wants 9 calibration images; numbers has 4 of such classes: all of them are used"
    ]


def test_more_classes_than_there_are_can_not_calibrate(data: Data) -> None:
    data.calibrating = Calibration.of({"calibration_classes": 11})
    with pytest.raises(
        Unsupported, match="images of 11 classes; the train split of numbers has 10"
    ):
        data.calibration(9, seed=2)


@pytest.mark.parametrize(
    "recipe",
    [{"calibration_source": "validation"}, {"calibration_classes": -1},
     {"calibration_classes": True}, {"calibration_classes": "1"}, {"calibration_source": 1}],
)  # fmt: skip
def test_what_can_not_calibrate_is_refused_by_its_value(
    data: Data, recipe: dict[str, object]
) -> None:
    data.calibrating = Calibration.of(recipe)
    ((name, value),) = recipe.items()
    with pytest.raises(ValueError, match=rf"{name} {value!r}\. Accepted: "):
        data.calibration(9, seed=2)


def test_a_recipe_that_says_nothing_calibrates_as_ever(data: Data) -> None:
    before = data.calibration(15, seed=5)
    data.calibrating = Calibration.of({"calibration_source": "train", "calibration_classes": 0})
    assert np.array_equal(before.images, data.calibration(15, seed=5).images)
