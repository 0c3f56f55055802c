"""The verdict of one metric of one cell on two sides, and in which words."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from comparisons.image_shares import compare_shares
from comparisons.intervals import Interval, varies
from comparisons.observations import FEW_RUNS, TWO_RUNS, Observed, observe
from comparisons.pairs import Pair
from manifests.metrics import METRICS
from manifests.units import change_words

SIGNIFICANT = 0.03
"""Below 5 %, so that of 200 comparisons of a configuration with itself fewer than 5 % are called
different not just on average; a slowdown of 5 % is still found in 10 processes that scatter by
2 % (tests, ``just bench verdicts``).
"""
SIGNIFICANT_PAIRED = 0.05
"""Of McNemar's exact test, whose few possible values keep its error below that by themselves."""
UNDECIDED = "undecided"


class Evidence(NamedTuple):
    """What a metric's observations say, before the correction for how many there are.

    ``base`` and ``new`` are the sides' values; ``why`` says what a verdict rests on, ``open_why``
    why there would be none. ``significant`` is the level that ``p`` is held against.
    """

    base: float
    new: float
    observed: Observed
    p: float | None
    interval: Interval | None
    open_why: str
    why: str = ""
    significant: float = SIGNIFICANT

    def holds_within(self, margin: float) -> bool:
        """Whether the whole interval lies inside the margin."""
        found = self.interval
        return found is not None and found.low >= 1 / (1 + margin) and found.high <= 1 + margin


def timed(pair: Pair) -> Evidence:
    """Of what varies from process to process."""
    found = observe(pair)
    base, new = (statistics.median(pair.values(side)) for side in (pair.base, pair.new))
    return Evidence(base, new, found, found.p, found.interval, found.why)


def share_of_images(pair: Pair) -> Evidence:
    """Of right answers: over the images, and over processes or runs where those differ too."""
    found = timed(pair)
    images = compare_shares(pair)
    if images is None:
        why = "the number of test images is not recorded"
        return found._replace(p=None, interval=None, open_why=why)
    if found.open_why == FEW_RUNS:
        return found
    p, interval = images.p, images.interval
    if found.p is not None and found.interval is not None and interval is not None:
        p = max(p, found.p) if varies(found.observed.base) or varies(found.observed.new) else p
        low, high = zip(interval, found.interval, strict=True)
        interval = Interval(min(low), max(high))
    few = f"{images.images:,} test images are too few for so small a difference"
    return found._replace(
        base=images.base, new=images.new, p=p, interval=interval, why=images.why,
        open_why=f"{few}; {images.why}",
        significant=SIGNIFICANT_PAIRED if images.paired else SIGNIFICANT,
    )  # fmt: skip


def verdict(pair: Pair, found: Evidence, p: float | None, margin: float) -> tuple[str, str]:
    """The verdict and why; ``p`` is corrected."""
    if p is None or found.interval is None:
        return UNDECIDED, found.open_why
    if found.holds_within(margin):
        return "same", found.why
    if p >= found.significant:
        return UNDECIDED, found.open_why
    about = [found.why, TWO_RUNS if found.observed.unit == "process" else ""]
    return word(pair.metric, found.new - found.base), "; ".join(text for text in about if text)


def exact(pair: Pair, margin: float) -> tuple[str, str]:
    """What doesn't vary is told to the byte, and judged by the margin like everything else."""
    base, new = (statistics.median(pair.values(side)) for side in (pair.base, pair.new))
    change = new - base
    if not change:
        return "same", "equal"
    percent = 100 * abs(change) / base
    digits = f"{percent:,.0f}" if percent >= 10 else f"{percent:.2g}"
    told = f"differs by {abs(change):,.10g} {METRICS[pair.metric].unit} ({digits} %)"
    if base / (1 + margin) <= new <= base * (1 + margin):
        return "same", f"{told}, within the margin of {100 * margin:g} %"
    return word(pair.metric, change), told


def word(metric: str, change: float) -> str:
    """What a change is called."""
    if not change:
        return "same"
    less, more = change_words(METRICS[metric].unit)
    return less if change < 0 else more
