"""Data as every framework gets it: one split, one augmentation, one normalisation.

A data pack is a folder with meta.json (manifests.manifest.Dataset) and, for the splits
``train`` and ``test``, ``<split>_images.npy`` (uint8, count x height x width x 3) and
``<split>_labels.npy`` (uint8, count). Samples for one model's input are float32 of any shape, as
that model takes them; without classes nothing is known of what they show.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import numpy as np

from manifests.codec import read_struct
from manifests.manifest import Dataset
from runners.failures import Unsupported

Array = Any  # numpy.ndarray; old numpy has no typing worth the name
CROP_PADDING = 1 / 8
"""Of a side: 4 pixels of 32 (He 2015, section 4.2)."""


SCALES: Dict[str, Tuple[List[float], List[float]]] = {
    "0-255": ([0.0], [1 / 255]),
    "0-1": ([0.0], [1.0]),
    "-1-1": ([0.5], [0.5]),
    "imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}
"""What models take their pixels as: mean and standard deviation on a scale of 0 to 1. The last are
those that torchvision's models are trained with."""


class Images(NamedTuple):
    """uint8 ``images`` of shape (count, height, width, 3) and uint8 ``labels`` (count,)."""

    images: Array
    labels: Array


class Data:
    """The splits of a pack. Training and calibration never see the test split.

    Where a split has fewer images than are asked for, all that there are are used. ``used`` counts
    them, and ``tell`` hears of it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta = read_struct(folder / "meta.json", Dataset)
        self.used: Dict[str, int] = {}
        self.raw = False
        self.tell: Callable[[str], None] = lambda text: None
        self._mean = np.array(self.meta.mean, np.float32)
        self._std = np.array(self.meta.std, np.float32)

    @property
    def labelled(self) -> bool:
        """Whether it is known what the samples show."""
        return bool(self.meta.classes)

    def scale(self, pixels: str) -> None:
        """Have pixels scaled as one of ``SCALES``, whatever the training split looks like."""
        mean, std = SCALES[pixels]
        self._mean, self._std = np.array(mean, np.float32), np.array(std, np.float32)
        self.raw = False

    def train(self, limit: int, seed: int) -> Images:
        """Up to ``limit`` images of the training split (0: all), drawn with ``seed``."""
        return self._draw("train", "train", limit, seed)

    def calibration(self, limit: int, seed: int) -> Images:
        """Up to ``limit`` images of the *training* split (0: all), drawn with ``seed``.

        Raises Unsupported where all are of one value: no range can be found by them.
        """
        found = self._draw("calibration", "train", limit, seed)
        least, most = found.images.min(), found.images.max()
        if least == most:
            raise Unsupported(
                f"the {len(found.labels)} calibration images are all of one value ({least:g}): "
                "they tell no range of any tensor"
            )
        return found

    def test(self, limit: int = 0) -> Images:
        """Up to ``limit`` images of the test split (0: all); every seed draws the same."""
        return self._draw("test", "test", limit, 0)

    def test_places(self, limit: int = 0) -> Array:
        """Where the images that ``test(limit)`` draws lie in the test split, in its order."""
        return _chosen(len(self.labels("test")), limit, 0)

    def labels(self, split: str) -> Array:
        """uint8 (count,), of the whole split."""
        return np.asarray(self._load(f"{split}_labels.npy"))

    def at(self, places: Array) -> Images:
        """Images of the test split by where they lie in it; doesn't count as use."""
        images = self._load("test_images.npy")
        return Images(np.ascontiguousarray(images[places]), self.labels("test")[places])

    def timed(self, count: int) -> Array:
        """uint8 images of one batch to time calls on: the first ``count`` of the test split.

        A split with fewer fills the batch by repeating them: times don't depend on the pixels.
        """
        images = self._load("test_images.npy")
        self.used["timed"] = min(count, len(images))
        if len(images) < count:
            self.tell(
                f"a batch has {count} images and the test split {len(images)}: they are repeated"
            )
        return np.array(images[np.arange(count) % len(images)])

    def normalise(self, images: Array) -> Array:
        """uint8 to float32 with the training split's mean 0 and standard deviation 1.

        With ``raw``, 0 ... 255: for models that hold their own preprocessing. What isn't uint8 is
        as the model takes it.
        """
        if images.dtype != np.uint8:
            return images.astype(np.float32)
        if self.raw:
            return images.astype(np.float32)
        return (images.astype(np.float32) / np.float32(255) - self._mean) / self._std

    def _draw(self, use: str, split: str, limit: int, seed: int) -> Images:
        images = self._load(f"{split}_images.npy")
        labels = self.labels(split)
        if limit > len(labels):
            self.tell(
                f"the recipe wants {limit:,} {use} images; {self.meta.name} has {len(labels):,}: "
                "all of them are used"
            )
        chosen = _chosen(len(labels), limit, seed)
        self.used[use] = len(chosen)
        return Images(np.ascontiguousarray(images[chosen]), labels[chosen])

    def _load(self, name: str) -> Array:
        """Raises ValueError that names a damaged file and the next step."""
        path = self.folder / name
        try:
            return np.load(path, mmap_mode="r")
        except ValueError as error:
            raise ValueError(
                f"{path} is damaged ({error}); run again, and it is made anew"
            ) from error


def _chosen(count: int, limit: int, seed: int) -> Array:
    chosen = np.random.default_rng(seed).permutation(count)[: limit or None]
    chosen.sort()
    return chosen


def augment(images: Array, generator: np.random.Generator, mirrored: bool = True) -> Array:
    """Random crop after padding by an eighth of the side, then a horizontal flip with chance 1/2
    unless the pictures may not be ``mirrored``.
    """
    count, height, width, _ = images.shape
    pad = round(height * CROP_PADDING)
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    rows = generator.integers(0, 2 * pad + 1, count)[:, None] + np.arange(height)
    columns = generator.integers(0, 2 * pad + 1, count)[:, None] + np.arange(width)
    if mirrored:
        columns = np.where(generator.random(count)[:, None] < 0.5, columns[:, ::-1], columns)
    picture = np.arange(count)[:, None, None]
    return padded[picture, rows[:, :, None], columns[:, None, :]]


def training_batches(
    data: Data, part: Images, batch_size: int, seed: int, augmented: bool = True
) -> Iterator[Images]:
    """One epoch of shuffled, normalised float32 batches; a short last one is left out.

    Fewer images than a batch are repeated to fill one. The same seed gives the same batches to
    every framework.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(part.labels))
    if 0 < len(order) < batch_size:
        order = np.resize(order, batch_size)
    for begin in range(0, len(order) - batch_size + 1, batch_size):
        chosen = order[begin : begin + batch_size]
        images = part.images[chosen]
        if augmented:
            images = augment(images, generator, data.meta.mirrored)
        yield Images(data.normalise(images), part.labels[chosen].astype(np.int64))


def batches(data: Data, part: Images, batch_size: int) -> Iterator[Images]:
    """Normalised float32 batches in order, the last one as short as it is."""
    for begin in range(0, len(part.labels), batch_size):
        end = begin + batch_size
        yield Images(data.normalise(part.images[begin:end]), part.labels[begin:end])
