"""Flags that samples deserve."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.flags import FLAGS
from runners import quality
from runners.quality import ProcessorWatch, quality_flags


def _flags(samples: list[float], foreign: float | None = None) -> dict[str, str]:
    return {flag.name: flag.detail for flag in quality_flags(samples, foreign)}


def test_enough_steady_samples_deserve_no_flag() -> None:
    assert _flags([0.01] * 662, foreign=0.0) == {}


@pytest.mark.parametrize(
    ("count", "detail"),
    [
        (1, "1 samples: no p90 and p99"),
        (63, "63 samples: no p90 and p99"),
        (64, "64 samples: no p99"),
        (661, "661 samples: no p99"),
    ],
)
def test_percentiles_without_enough_samples_are_told(count: int, detail: str) -> None:
    assert _flags([0.01] * count) == {"few-samples": detail}


def test_a_wide_middle_half_is_high_variation() -> None:
    assert _flags([1.0, 1.2] * 400)["high-variation"] == "the middle half spreads over 18%"
    assert "high-variation" not in _flags([1.0, 1.09] * 400)


def test_rare_outliers_are_no_high_variation() -> None:
    assert _flags([1.0] * 700 + [50.0] * 20) == {}


def test_a_second_half_that_differs_is_drift() -> None:
    assert _flags([1.0] * 400 + [1.2] * 400)["drift"] == "the second half's median is +20%"
    assert _flags([1.0] * 400 + [0.8] * 400)["drift"] == "the second half's median is -20%"
    assert _flags([1.0] * 400 + [1.05] * 400) == {}


def test_a_handful_of_samples_is_not_judged() -> None:
    assert list(_flags([1.0, 2.0, 3.0])) == ["few-samples"]
    assert list(_flags([1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0])) == ["few-samples", "high-variation"]


def test_samples_of_zero_length_divide_nothing() -> None:
    assert _flags([0.0] * 700) == {}


@pytest.mark.parametrize(
    ("share", "flags"),
    [
        (None, {}),
        (0.05, {}),
        (0.25, {"busy-machine": "others took 25% of the processor time"}),
    ],
)
def test_processor_time_of_others_is_told(share: float | None, flags: dict[str, str]) -> None:
    assert _flags([0.01] * 662, share) == flags


def test_every_flag_is_one_that_readers_know() -> None:
    samples = [1.0, 1.5] * 20 + [3.0, 4.0] * 20
    assert set(_flags(samples, 0.5)) <= set(FLAGS)
    assert len(_flags(samples, 0.5)) == 4


def _ticking(monkeypatch: pytest.MonkeyPatch, readings: list[tuple[int, int] | None]) -> None:
    reading: Iterator[tuple[int, int] | None] = iter(readings)
    own = itertools.count(0, 10)
    monkeypatch.setattr(quality, "_ticks", lambda: next(reading))
    monkeypatch.setattr(quality, "_own_ticks", lambda: float(next(own)))


def test_the_watch_leaves_out_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    _ticking(monkeypatch, [(100, 1000), (160, 1200)])
    assert ProcessorWatch().stop() == 0.25


def test_a_watch_tells_all_that_disturbed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _ticking(monkeypatch, [(100, 1000), (160, 1200)])
    events = iter([3, 5])
    monkeypatch.setattr(quality, "_throttle_events", lambda: next(events))
    watch = ProcessorWatch()
    os.kill(os.getpid(), signal.SIGCONT)
    assert [flag.name for flag in watch.flags()] == ["busy-machine", "clock-throttled", "suspended"]


def test_a_watch_too_short_to_tell_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _ticking(monkeypatch, [(100, 1000), (105, 1009)])
    assert ProcessorWatch().stop() is None


@pytest.mark.parametrize("readings", [[None, (1, 100)], [(1, 100), None]])
def test_a_machine_that_tells_nothing_is_not_called_quiet(
    monkeypatch: pytest.MonkeyPatch, readings: list[tuple[int, int] | None]
) -> None:
    _ticking(monkeypatch, readings)
    assert ProcessorWatch().stop() is None


def test_the_share_is_never_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    _ticking(monkeypatch, [(100, 1000), (102, 1200)])
    assert ProcessorWatch().stop() == 0.0


def test_throttle_events_are_summed_over_the_cores(tmp_path: Path) -> None:
    for core, events in enumerate((3, 4)):
        folder = tmp_path / f"cpu{core}" / "thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text(f"{events}\n")
    assert quality._throttle_events(str(tmp_path)) == 7
    assert quality._throttle_events(str(tmp_path / "nothing")) is None


def test_a_throttled_clock_is_flagged_and_an_unknown_one_is_not() -> None:
    steady = [1.0] * 700
    names = [[f.name for f in quality.quality_flags(steady, 0.0, n)] for n in (2, 0, None)]
    assert names == [["clock-throttled"], [], []]


@pytest.mark.parametrize(
    ("readings", "share", "flagged"),
    [
        ([(5, 1000), (9, 1200)], 0.02, False),
        ([(5, 1000), (11, 1200)], 0.03, True),
        ([(5, 1000), (9, 1049)], None, False),  # too short to tell
        ([(5, 1000), None], None, False),
        ([None, (5, 1000)], None, False),
    ],
)
def test_what_the_hypervisor_gave_to_others_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
    readings: list[tuple[int, int] | None],
    share: float | None,
    flagged: bool,
) -> None:
    reading = itertools.cycle(readings)
    monkeypatch.setattr(quality, "_stolen_ticks", lambda: next(reading))
    assert ProcessorWatch().stolen() == share
    flags = [flag for flag in ProcessorWatch().disturbances() if flag.name == "stolen-time"]
    assert [flag.detail for flag in flags] == [
        "the hypervisor gave 3% of the processor time to others"
    ] * flagged
    assert FLAGS["stolen-time"].disqualifying


def test_stolen_ticks_are_the_kernels(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  10 1 20 300 5 0 2 7 3 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
    assert quality._stolen_ticks(str(stat)) == (7, 345)
    stat.write_text("cpu  10 1 20 300\n")
    assert quality._stolen_ticks(str(stat)) is None
    assert quality._stolen_ticks(str(tmp_path / "none")) is None
