"""A recording plays at any speed, and says when it was made up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from manifests.series_reader import Series, read_series
from manifests.telemetry_series import Opening, Sample
from orchestrator.telemetry import Feed
from orchestrator.telemetry.playback import Playback
from orchestrator.telemetry.recorded import RecordedGpus
from orchestrator.telemetry.sampler import Sampler
from tests.fakes import series as fakes
from tests.fakes.clock import Clock


def a_series(count: int = 11) -> Series:
    samples = [Sample(time_s=float(number)) for number in range(count)]
    return Series(Opening(started_at="", interval_s=1.0), samples, [], [])


def times(playback: Playback) -> list[float]:
    return [sample.time_s for sample in playback.due()]


@pytest.mark.parametrize(
    ("speed", "expected"), [(1.0, [0, 1, 2]), (0.5, [0, 1]), (100.0, list(range(11)))]
)
def test_what_is_due_depends_on_the_speed(speed: float, expected: list[float]) -> None:
    clock = Clock()
    playback = Playback(a_series(), speed, clock)
    clock.now_s = 2.5
    assert times(playback) == expected
    assert times(playback) == []


def test_pause_faster_back_and_to_the_end() -> None:
    clock = Clock()
    playback = Playback(a_series(), 1.0, clock)
    clock.now_s = 1.0
    assert times(playback) == [0, 1]
    playback.speed = 0.0
    clock.now_s = 50.0
    assert (times(playback), playback.position_s) == ([], 1.0)
    playback.speed = 2.0
    clock.now_s = 51.0
    assert (times(playback), playback.position_s) == ([2, 3], 3.0)
    playback.seek(0.5)
    clock.now_s = 51.25
    assert times(playback) == [1]
    assert not playback.ended
    clock.now_s = 99.0
    assert times(playback) == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert (playback.ended, playback.position_s) == (True, 10.0)


def test_it_tells_its_subscribers_on_a_thread_until_it_is_stopped() -> None:
    playback = Playback(a_series(1000), 200.0)
    heard: list[float] = []
    enough = threading.Event()

    def hear(sample: Sample) -> None:
        heard.append(sample.time_s)
        if len(heard) == 50:
            enough.set()

    leave = playback.subscribe(hear)
    playback.start()
    assert enough.wait(30)
    leave()
    playback.stop()
    assert heard == [float(number) for number in range(len(heard))]
    assert "playback" not in {thread.name for thread in threading.enumerate()}


def test_a_listener_that_fails_hears_no_more_and_the_others_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    playback = Playback(a_series(), 1.0, clock)
    heard: list[float] = []

    def fail(sample: Sample) -> None:
        raise RuntimeError("no screen")

    playback.subscribe(fail)
    playback.subscribe(lambda sample: heard.append(sample.time_s))
    clock.now_s = 2.0
    playback.tick()
    assert heard == [0, 1, 2]
    assert caplog.text.count("RuntimeError: no screen") == 1


def test_live_and_recorded_are_the_same_to_a_listener() -> None:
    feeds: list[Feed] = [Playback(a_series()), Sampler()]
    for feed in feeds:
        heard: list[Sample] = []
        there = threading.Event()
        feed.subscribe(lambda sample, heard=heard, there=there: (heard.append(sample), there.set()))  # type: ignore[misc]
        feed.start()
        assert there.wait(30)
        feed.stop()
        assert isinstance(heard[0], Sample)
        assert feed.opening.interval_s > 0


def test_a_made_up_series_says_so_through_the_file_and_the_sampler(tmp_path: Path) -> None:
    path = fakes.write(fakes.made_up(gpus=2, seconds=1.0), tmp_path / "telemetry.jsonl")
    series = read_series(path)
    assert series.made_up
    assert series.opening.made_up == "triangle waves, computed by tests/fakes/series.py"
    assert series == fakes.made_up(gpus=2, seconds=1.0)
    assert Sampler(gpus=RecordedGpus(series)).opening.made_up == series.opening.made_up
    assert Sampler().opening.made_up == ""


def test_recorded_gpus_take_the_place_of_real_ones_and_begin_anew() -> None:
    clock = Clock(100.0)
    series = fakes.made_up(gpus=8, seconds=4.0)
    gpus = RecordedGpus(series, speed=2.0, clock=clock)
    assert list(gpus.describe()) == list(range(8))
    assert gpus.read(None).samples == series.samples[0].gpus
    clock.now_s = 101.0
    assert gpus.read(None).samples == series.samples[10].gpus
    clock.now_s = 103.0
    assert gpus.read(None).samples == series.samples[10].gpus


def test_a_series_without_samples_can_not_stand_in() -> None:
    with pytest.raises(ValueError, match="without samples"):
        RecordedGpus(a_series(0))
