"""Right answers of two sides over test images: paired where each image's answer was kept."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from comparisons.answers import Answers
from comparisons.intervals import Interval
from comparisons.measured import images_tested
from comparisons.pairs import Pair, Process
from comparisons.proportions import paired_interval, paired_p, unpaired_interval, unpaired_p
from manifests.manifest import Manifest

_PAIRED_METRIC = "accuracy"


class Shares(NamedTuple):
    """Both sides' shares of ``images`` test images; ``difference``: interval of new - base."""

    base: float
    new: float
    images: int
    p: float
    difference: Interval
    paired: bool
    why: str

    @property
    def interval(self) -> Interval | None:
        """Of new / base; None where base got nothing right."""
        if not self.base:
            return None
        low, high = (max(0.0, 1 + end / self.base) for end in self.difference)
        return Interval(low, high)


def compare_shares(pair: Pair) -> Shares | None:
    """None where the number of test images isn't recorded."""
    sizes = [images_tested(manifest) for manifest in pair.manifests]
    count = min((size or 0 for size in sizes), default=0)
    if not count:
        return None
    answered = _answered(pair)
    if answered is not None:
        return _paired(*answered)
    base, new = (statistics.median(pair.values(side)) for side in (pair.base, pair.new))
    return Shares(
        base, new, count, unpaired_p(base, new, count, count),
        unpaired_interval(base, new, count, count), paired=False,
        why="not paired: no record of which images each side got right",
    )  # fmt: skip


def _answered(pair: Pair) -> tuple[Answers, Answers] | None:
    """Of a middling process of each side; None unless both are to the same images."""
    if pair.metric != _PAIRED_METRIC or len({*map(_test_images, pair.manifests)}) > 1:
        return None
    base, new = (_middling(pair, side) for side in (pair.base, pair.new))
    if base is None or new is None or {*base.images} != {*new.images}:
        return None
    return base, new


def _test_images(manifest: Manifest) -> str | None:
    data = manifest.inputs.dataset
    split = data.splits.get("test") if data else None
    return split.sha256 if split else None


def _middling(pair: Pair, side: list[Process]) -> Answers | None:
    """The answers of the process of the median: repeats of a cell have one seed, and so agree.

    None where they aren't those that its accuracy was taken from.
    """
    ranked = sorted(zip(pair.values(side), range(len(side)), strict=True))
    accuracy, chosen = ranked[(len(ranked) - 1) // 2]
    found = side[chosen].answers()
    if found is None or abs(sum(found.right) / len(found.right) - accuracy) > 1 / len(found.right):
        return None
    return found


def _paired(base: Answers, new: Answers) -> Shares:
    right = dict(zip(new.images, new.right, strict=True))
    both = [(ours, right[image]) for image, ours in zip(base.images, base.right, strict=True)]
    lost = sum(ours and not theirs for ours, theirs in both)
    won = sum(theirs and not ours for ours, theirs in both)
    count = len(both)
    return Shares(
        sum(base.right) / count, sum(new.right) / count, count, paired_p(lost, won),
        paired_interval(lost, won, count), paired=True,
        why=f"paired over {count:,} images: {lost:,} right on the first side alone, "
        f"{won:,} on the second alone",
    )  # fmt: skip
