"""The rigorous protocol, followed on a clock that moves only when something happens."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

import pytest

from runners.measure import Call, Durations, Measurement, measure
from runners.protocols.as_published import measure_as_published


class Machine:
    """A fake clock; a call, a synchronisation and a progress report each take their time."""

    def __init__(self, call_s: float = 1.0, synchronise_s: float = 0.0) -> None:
        self.now = 100.0
        self.call_s = call_s
        self.synchronise_s = synchronise_s
        self.happened: list[str] = []
        self.collecting: list[bool] = []

    def clock(self) -> float:
        self.happened.append("clock")
        return self.now

    def call(self) -> None:
        self.happened.append("call")
        self.collecting.append(gc.isenabled())
        self.now += self.call_s

    def synchronise(self) -> None:
        self.happened.append("synchronise")
        self.now += self.synchronise_s

    def progress(self, count: int) -> None:
        self.happened.append(f"progress {count}")
        self.now += 1000.0 * (self.call_s == 0)

    def measure(self, protocol: Durations) -> Measurement:
        return measure(self.call, protocol, self.synchronise, self.progress, self.clock)


def _protocol(**changes: float) -> Durations:
    fields = {"warm_up_s": 0.0, "warm_up_count": 1, "measure_s": 0.0, "measure_count": 1}
    return Durations(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_minimum_time_is_honoured_though_the_count_is_reached() -> None:
    measured = Machine().measure(_protocol(warm_up_s=3.0, measure_s=5.0, measure_count=2))
    assert measured.warm_up == [1.0] * 3
    assert measured.samples == [1.0] * 5


def test_a_minimum_count_is_honoured_though_the_time_is_reached() -> None:
    measured = Machine().measure(_protocol(warm_up_count=4, measure_s=5.0, measure_count=7))
    assert measured.warm_up == [1.0] * 4
    assert measured.samples == [1.0] * 7


def test_the_longest_time_ends_both_parts() -> None:
    machine = Machine(call_s=4.0)
    measured = machine.measure(_protocol(warm_up_count=100, measure_count=100, longest_s=10.0))
    assert measured.warm_up == [4.0] * 3
    assert measured.samples == [4.0] * 3


def test_there_is_always_one_sample() -> None:
    measured = Machine(call_s=50.0).measure(_protocol(measure_count=0, longest_s=1.0))
    assert measured.samples == [50.0]


def test_the_warm_up_is_kept_apart() -> None:
    machine = Machine(call_s=9.0)
    protocol = _protocol(warm_up_count=2, measure_count=3)

    def slow_at_first() -> None:
        machine.call()
        machine.call_s = 9.0 if machine.happened.count("call") < 2 else 1.0

    measured = measure(slow_at_first, protocol, clock=machine.clock)
    assert measured.warm_up == [9.0, 9.0]
    assert measured.samples == [1.0, 1.0, 1.0]


def test_a_call_is_synchronised_on_both_sides_and_reported_outside() -> None:
    machine = Machine()
    machine.measure(_protocol())
    once = ["synchronise", "clock", "call", "synchronise", "clock", "clock", "progress 1"]
    assert machine.happened == ["clock", *once, "clock", *once]


def test_the_first_synchronisation_is_not_counted_and_the_second_is() -> None:
    measured = Machine(call_s=1.0, synchronise_s=0.5).measure(_protocol(measure_count=3))
    assert measured.samples == [1.5, 1.5, 1.5]


def test_the_time_of_progress_reports_is_in_no_sample() -> None:
    measured = Machine(call_s=0.0).measure(_protocol(measure_s=2000.0, longest_s=9e9))
    assert measured.samples == [0.0, 0.0, 0.0]


def test_the_garbage_collector_rests_only_while_samples_are_taken() -> None:
    machine = Machine()
    assert gc.isenabled()
    machine.measure(_protocol(warm_up_count=2, measure_count=3))
    assert machine.collecting == [True, True, False, False, False]
    assert gc.isenabled()


def test_a_garbage_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        Machine().measure(_protocol())
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("last_good", [0, 3])
def test_a_call_that_raises_leaves_the_garbage_collector_on(last_good: int) -> None:
    done: list[int] = []

    def call() -> None:
        if len(done) == last_good:
            raise MemoryError
        done.append(1)

    with pytest.raises(MemoryError):
        measure(call, _protocol(warm_up_count=2, measure_count=9))
    assert gc.isenabled()


def test_few_samples_are_flagged() -> None:
    measured = Machine().measure(_protocol(measure_count=5))
    assert measured.flags[0].name == "few-samples"
    assert measured.flags[0].detail == "5 samples: no p90 and p99"


def test_as_published_counts_calls_and_synchronises_nothing() -> None:
    machine = Machine(call_s=0.25)
    measured = measure_as_published(
        machine.call, 2, 3, machine.progress, machine.clock, lambda: machine.now
    )
    assert (measured.warm_up, measured.samples) == ([0.25] * 2, [0.25] * 3)
    once, beside = ["clock", "call", "clock"], "clock"
    assert machine.happened == [
        *once, *once, beside, *once, beside, "progress 1", *once, beside, "progress 2",
        *once, beside, "progress 3",
    ]  # fmt: skip


def test_a_stopwatch_of_the_device_replaces_the_hosts_clock() -> None:
    machine = Machine()

    def stopwatch(call: Call) -> float:
        call()
        return 0.125

    measured = measure(
        machine.call, _protocol(measure_count=3), machine.synchronise, machine.progress,
        machine.clock, stopwatch,
    )  # fmt: skip
    assert measured.samples == [0.125] * 3
    assert "synchronise" not in machine.happened


def test_a_clock_that_is_set_back_while_it_times_is_flagged() -> None:
    machine = Machine(call_s=0.25)
    set_by = [0.0]

    def call() -> None:
        machine.call()
        set_by[0] -= 5.0 if machine.happened.count("call") == 4 else 0.0

    def settable() -> float:
        return machine.clock() + set_by[0]

    measured = measure_as_published(call, 2, 3, clock=settable, steady=machine.clock)
    assert measured.samples == [0.25, -4.75, 0.25]
    found = {flag.name: flag.detail for flag in measured.flags}
    assert found["clock-stepped"] == "set by -5 s in all while it was measured with"


def test_a_clock_that_gains_between_the_calls_is_flagged_though_no_sample_shows_it() -> None:
    machine = Machine(call_s=0.25)
    ahead = [0.0]

    def progress(count: int) -> None:
        ahead[0] += 0.002

    measured = measure_as_published(
        machine.call, 1, 3, progress, lambda: machine.now + ahead[0], lambda: machine.now
    )
    assert measured.samples == [0.25] * 3
    assert [flag.name for flag in measured.flags if flag.name == "clock-stepped"]


def test_clocks_that_agree_or_are_slewed_are_not_flagged() -> None:
    machine = Machine(call_s=0.25)

    def slewed() -> float:
        return machine.now * 1.0005

    measured = measure_as_published(machine.call, 1, 9, clock=slewed, steady=lambda: machine.now)
    assert "clock-stepped" not in {flag.name for flag in measured.flags}
    real = measure_as_published(lambda: None, 1, 200)
    assert "clock-stepped" not in {flag.name for flag in real.flags}


def test_time_between_two_readings_of_the_clocks_is_no_step() -> None:
    """On a busy machine another process may run between one reading and the next."""
    now = [0.0]

    def reading() -> float:
        now[0] += 0.5
        return now[0]

    measured = measure_as_published(lambda: None, 1, 9, clock=reading, steady=reading)
    assert "clock-stepped" not in {flag.name for flag in measured.flags}


def test_the_warm_up_is_a_phase_of_its_own() -> None:
    machine = Machine()
    entered: list[tuple[str, int]] = []

    @contextlib.contextmanager
    def phase(name: str) -> Iterator[None]:
        entered.append((name, machine.happened.count("call")))
        yield
        entered.append((f"end of {name}", machine.happened.count("call")))

    protocol = _protocol(warm_up_count=2, measure_count=3)
    measure(machine.call, protocol, clock=machine.clock, phase=phase, name="end-to-end")
    assert entered == [
        ("warm-up", 0), ("end of warm-up", 2), ("end-to-end", 2), ("end of end-to-end", 5),
    ]  # fmt: skip
    entered.clear()
    machine.happened.clear()
    measure_as_published(machine.call, 4, 2, clock=machine.clock, phase=phase)
    assert entered == [
        ("warm-up", 0), ("end of warm-up", 4), ("measure", 4), ("end of measure", 6),
    ]  # fmt: skip
