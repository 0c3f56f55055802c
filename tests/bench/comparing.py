"""How often ``compare`` is wrong where processes of a run are alike, and what it finds."""

from __future__ import annotations

import random
from collections.abc import Sequence

from comparisons.differences import Differences, compare_runs, make_side
from comparisons.pair_verdicts import SIGNIFICANT, SIGNIFICANT_PAIRED
from comparisons.proportions import paired_p, unpaired_p
from manifests.manifest import Manifest
from tests.comparisons.samples import a_run

_COMPARISONS = 200
_CELLS = 30
_IMAGES = 360
_TRIALS = 2000


def compare() -> None:
    """A/A of 30 cells, each made slow or fast by its run by 2 %, and planted differences."""
    for name, runs, repeats, effect in (
        ("3 runs of one process a side", 3, 1, 0.02),
        ("3 runs of 3 processes a side", 3, 3, 0.02),
        ("5 runs of 2 processes a side", 5, 2, 0.02),
    ):
        false = sum(_decided(_aa(seed, runs, repeats, effect)) for seed in range(_COMPARISONS))
        print(f"  A/A, {name}: a false difference in {false} of {_COMPARISONS} comparisons")
    _two_runs()
    _slower()
    _accuracies()


def _aa(seed: int, runs: int, repeats: int, effect: float, slower: float = 1.0) -> Differences:
    source = random.Random(seed)
    sides = [
        [a_run(source, _CELLS, repeats, effect, middle) for _ in range(runs)]
        for middle in (1.0, slower)
    ]
    return _against(*sides)


def _against(base: Sequence[list[Manifest]], new: Sequence[list[Manifest]]) -> Differences:
    sides = [
        make_side([(f"{name}{n}", run) for n, run in enumerate(runs)])
        for name, runs in (("a", base), ("b", new))
    ]
    return compare_runs(*sides)


def _decided(found: Differences) -> bool:
    return any(line.verdict in ("faster", "slower") for line in found.lines)


def _two_runs() -> None:
    for repeats in (3, 5):
        found = [_aa(seed, 1, repeats, 0.02) for seed in range(_COMPARISONS)]
        differ = sum(map(_decided, found))
        print(
            f"  A/A, one run of {repeats} processes a side: these two runs differ in {differ} of "
            f"{_COMPARISONS} comparisons"
        )


def _slower() -> None:
    found = [_aa(seed, 5, 2, 0.01, 1.05) for seed in range(_COMPARISONS // 10)]
    lines = [line.verdict == "slower" for one in found for line in one.lines]
    print(f"  5 runs a side, 5 % slower, run effect 1 %: {sum(lines) / len(lines):.0%} found")


def _accuracies() -> None:
    """4 % of the images lost and 1 % won, of 90 % right."""
    source = random.Random(1)
    paired = unpaired = false = 0
    for _ in range(_TRIALS):
        draws = [source.random() for _ in range(_IMAGES)]
        lost, won = sum(draw < 0.04 for draw in draws), sum(0.04 <= draw < 0.05 for draw in draws)
        base = sum(draw < 0.04 or draw >= 0.14 for draw in draws) / _IMAGES
        new = base + (won - lost) / _IMAGES
        paired += paired_p(lost, won) < SIGNIFICANT_PAIRED
        unpaired += unpaired_p(base, new, _IMAGES, _IMAGES) < SIGNIFICANT
        same = sum(0.04 <= draw < 0.065 for draw in draws), sum(draw >= 0.975 for draw in draws)
        false += paired_p(*same) < SIGNIFICANT_PAIRED
    print(
        f"  3 points of {_IMAGES} images: {paired / _TRIALS:.0%} found paired, "
        f"{unpaired / _TRIALS:.0%} not paired; equally good: {false / _TRIALS:.1%} called different"
    )
