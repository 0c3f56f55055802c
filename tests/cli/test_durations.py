"""How a budget of time is written, and what is refused."""

from __future__ import annotations

import pytest

from services.parameters import Duration
from tests.conftest import Workshop


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("0.5m", 30), ("1D 2H", 93600)],
)
def test_times_are_written_with_their_units(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["10", "m", "-1m", "0s", "1m2h", "ten", "5m5m", "1e3s"])
def test_a_budget_that_is_no_time_is_refused_with_what_is_accepted(
    workshop: Workshop, text: str
) -> None:
    told = workshop.run(f"--budget={text}", status=2).stderr
    assert "is not a time; give 90s, 10m, 2h or 1h30m" in told
    assert workshop.executed() == []
