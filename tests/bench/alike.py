"""How often the planned looks find a difference between real processes that do the same."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable, Sequence

from tests.comparisons.trials import MOST, Noise, Side, a_pair, decided, share_decided

TRIALS = 200
RESAMPLED = 10_000
RUN_EFFECT = 0.02
_A_TRIAL = 2 * MOST
_A_QUADRUPLE = 4
_WORK = """
import time, numpy
a = numpy.random.default_rng(0).random((256, 256), dtype=numpy.float32)
times, until = [], time.perf_counter() + 0.03
while time.perf_counter() < until:
    begin = time.perf_counter()
    a @ a
    times.append(time.perf_counter() - begin)
print(sorted(times)[len(times) // 2])
"""
"""The median time of a matrix product on all processors, over 30 ms."""


def real_processes() -> None:
    """200 comparisons of 24 fresh processes each, then 10,000 resampled from their quadruples."""
    logs = [math.log(_process()) for _ in range(TRIALS * _A_TRIAL)]
    found = 0
    for number in range(TRIALS):
        of_trial = logs[number * _A_TRIAL : (number + 1) * _A_TRIAL]
        found += bool(decided(a_pair(random.Random(0), _in_order(of_trial))).side)
    print(f"  {TRIALS} real comparisons of the same: {found} decided")
    for effect in (0.0, RUN_EFFECT):
        share = share_decided(RESAMPLED, _resampled(logs, effect))
        print(f"  {RESAMPLED:,} resampled, run effect of {effect:.0%}: decided {share:.1%}")


def _process() -> float:
    done = subprocess.run(
        [sys.executable, "-c", _WORK], check=True, capture_output=True, text=True
    )  # fmt: skip
    return float(done.stdout)


def _in_order(logs: Sequence[float]) -> Noise:
    return lambda source: lambda order, side: logs[order]


def _resampled(logs: Sequence[float], effect: float) -> Noise:
    """Whole quadruples, with what neighbours in time have in common; the effect is a run's, and
    anew each quadruple's.
    """
    quadruples = [logs[at : at + _A_QUADRUPLE] for at in range(0, len(logs), _A_QUADRUPLE)]

    def of_run(source: random.Random) -> Callable[[int, Side], float]:
        run = source.gauss(0, effect)
        drawn = []
        for _ in range(_A_TRIAL // _A_QUADRUPLE):
            shift = run + source.gauss(0, effect)
            drawn += [one + shift for one in source.choice(quadruples)]
        return lambda order, side: drawn[order]

    return of_run
