"""How often the planned looks decide: where nothing differs, and where something does."""

from __future__ import annotations

from tests.bench.evidence import compare_runs_of_noise
from tests.comparisons.trials import NOISES, share_decided, share_of_claims

TRIALS = 10_000
CLAIMS = 1_000


def verdicts() -> None:
    """Quadruples and all looks up to 12 a side, 10,000 runs each; whole claims 1,000 runs each."""
    for name, noise in NOISES.items():
        print(f"  nothing differs, {name}: decided {share_decided(TRIALS, noise):.1%}")
    quiet = NOISES["log-normal, 2 %"]
    print(f"  5 % slower, noise of 2 %: decided {share_decided(TRIALS, quiet, 1.05):.1%}")
    for rows in (1, 6, 24):
        print(f"  every(t, a <= b), {rows} rows, all at the bound: {_claims([1.0] * rows)}")
    print(f"  every(t, a <= b), one of 6 rows at the bound: {_claims([1.0] + [0.8] * 5)}")
    print(f"  every(t, a <= b), one of 6 rows 5 % above it: {_claims([1.05] + [0.8] * 5)}")
    compare_runs_of_noise()


def _claims(slower: list[float]) -> str:
    found = share_of_claims(CLAIMS, "every(t, a <= b)", slower)
    return ", ".join(f"{state} {share:.1%}" for state, share in sorted(found.items()))
