"""Means, maxima, energy and throttling by phase, checked by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from machine import telemetry_flags as flags
from machine.summary import LAG_S, Summary
from manifests.telemetry_series import CellSample, GpuProcess, HostSample, Sample
from manifests.telemetry_summary import Energy, Reading
from tests.machine.summaries import sample, summarized


def test_means_and_maxima_are_of_the_samples_in_the_phase() -> None:
    found = summarized(
        sample(0.0, HostSample(cpu_percent=10.0)),
        (0.5, "measure"),
        sample(1.0, HostSample(cpu_percent=20.0), power_w=100.0),
        sample(2.0, HostSample(cpu_percent=60.0), power_w=150.0),
        (2.5, "end"),
        sample(3.0),
    )
    assert list(found) == ["start", "measure", "end"]
    assert found["start"].readings == {"host/cpu_percent": Reading(mean=10.0, max=10.0)}
    measure = found["measure"]
    assert (measure.seconds, measure.samples) == (2.0, 2)
    assert measure.readings == {
        "host/cpu_percent": Reading(mean=40.0, max=60.0),
        "gpus/0/power_w": Reading(mean=125.0, max=150.0),
    }


def test_a_reading_that_is_missing_is_not_zero() -> None:
    found = summarized(
        sample(0.0, power_w=100.0), sample(0.2, temperature_c=50.0), sample(0.4, power_w=200.0)
    )
    assert found["start"].readings == {
        "gpus/0/power_w": Reading(mean=150.0, max=200.0),
        "gpus/0/temperature_c": Reading(mean=50.0, max=50.0),
    }


def test_energy_is_the_counters_difference_interpolated_at_the_ends() -> None:
    found = summarized(
        sample(0.0, energy_j=1000.0, power_w=9.0),
        (0.5, "measure"),
        sample(1.0, energy_j=1010.0, power_w=9.0),
        sample(2.0, energy_j=1050.0, power_w=9.0),
        (2.75, "end"),
        sample(3.0, energy_j=1090.0, power_w=9.0),
    )
    counter = "counter-difference"
    assert found["start"].energy == {"gpus/0": Energy(energy_j=5.0, method=counter, integral_j=4.5)}
    assert found["measure"].energy == {
        "gpus/0": Energy(energy_j=75.0, method=counter, integral_j=20.25)
    }
    assert found["end"].energy == {"gpus/0": Energy(energy_j=10.0, method=counter, integral_j=2.25)}


def test_without_a_counter_power_is_integrated() -> None:
    found = summarized(
        sample(0.0, power_w=100.0),
        (0.5, "measure"),
        sample(1.0, power_w=200.0),
        (1.5, "end"),
        sample(2.0, power_w=100.0),
    )
    # From 150 W over 200 W to 150 W in one second: 175 J.
    measured = Energy(energy_j=175.0, method="integrated-power")
    assert found["measure"].energy == {"gpus/0": measured}
    assert found["start"].energy["gpus/0"].energy_j == 62.5


def test_a_counter_that_fails_in_between_leaves_the_power() -> None:
    found = summarized(
        sample(0.0, energy_j=0.0, power_w=100.0),
        sample(1.0, power_w=100.0),
        sample(2.0, energy_j=500.0, power_w=100.0),
    )
    assert found["start"].energy == {"gpus/0": Energy(energy_j=200.0, method="integrated-power")}


def test_energy_that_can_not_be_known_is_null_with_both_reasons() -> None:
    found = summarized(
        sample(0.0, energy_j=900.0, power_w=100.0),
        sample(5.0, energy_j=10.0, power_w=100.0),
    )
    assert found["start"].energy["gpus/0"] == Energy(
        energy_j=None, method="none", reason="its counter went back; no sample for 5.0 s"
    )


def test_a_gpu_that_vanishes_has_no_energy_from_there_on() -> None:
    found = summarized(
        (0.0, "train"),
        sample(0.0, energy_j=1.0, power_w=5.0),
        sample(1.0, energy_j=2.0, power_w=5.0),
        (1.0, "measure"),
        sample(2.0, utilization_percent=None),
        Sample(time_s=3.0),
    )
    assert found["train"].energy["gpus/0"].energy_j == 1.0
    assert found["measure"].energy["gpus/0"].energy_j is None


def test_the_processors_counter_is_the_hosts_energy() -> None:
    found = summarized(
        sample(0.0, HostSample(package_energy_j=3.0)), sample(2.0, HostSample(package_energy_j=8.5))
    )
    energy = Energy(energy_j=5.5, method="counter-difference")
    assert found["start"].energy == {"host": energy}


def test_a_phase_that_becomes_known_late_is_still_placed_where_it_began() -> None:
    begin = [sample(number * 0.25, HostSample(cpu_percent=float(number))) for number in range(8)]
    late = [*begin, (0.6, "measure"), sample(2.0)]
    in_time = [*begin[:3], (0.6, "measure"), *begin[3:], sample(2.0)]
    assert summarized(*late) == summarized(*in_time)
    assert summarized(*late)["start"].readings["host/cpu_percent"].max == 2.0


def test_phases_of_one_name_are_taken_together() -> None:
    found = summarized(
        (0.0, "train"), sample(0.0), sample(1.0), (1.0, "test"), sample(2.0),
        (2.0, "train"), sample(4.5),
    )  # fmt: skip
    assert (found["train"].seconds, found["test"].seconds) == (3.5, 1.0)
    assert found["train"].samples == 3


def test_a_phase_without_a_sample_still_has_its_energy() -> None:
    found = summarized(
        sample(0.0, energy_j=0.0), (0.1, "build"), (0.15, "measure"), sample(0.2, energy_j=2.0)
    )
    build = found["build"]
    assert (build.seconds, build.samples, build.readings) == (0.05, 0, {})
    assert build.energy["gpus/0"].energy_j == 0.5


def test_throttling_is_a_share_of_the_samples_that_tell() -> None:
    found = summarized(
        sample(0.0, clock_reasons=["power-cap", "thermal-hardware"]),
        sample(0.2, clock_reasons=["idle", "user-clocks"]),
        sample(0.4, power_w=1.0),
        sample(0.6, clock_reasons=["power-cap"]),
    )
    assert found["start"].throttle_share == {"gpus/0": 0.6667}
    unknown = summarized(sample(0.0, power_w=1.0))
    assert unknown["start"].throttle_share == {"gpus/0": None}


def test_flags_name_the_phase_the_gpu_and_why() -> None:
    summary = Summary()
    summary.phase(0.0, "measure")
    strangers = [
        GpuProcess(pid=7, own=False),
        GpuProcess(pid=8, own=True),
        GpuProcess(pid=5, own=False),
    ]
    summary.add(sample(0.0, clock_reasons=["power-cap"], processes=strangers))
    summary.add(sample(0.2, clock_reasons=["power-cap", "thermal-hardware"]))
    summary.add(sample(0.4, clock_reasons=[]))
    summary.finish()
    found = {flag.name: flag.detail for flag in flags.flags(summary.phases)}
    assert found == {
        "gpu-throttled": "measure: GPU 0 was held down in 67% of the samples: power-cap "
        "(the power limit), thermal-hardware (temperature, says the hardware)",
        "foreign-gpu-process": "measure: others computed on GPU 0 (process ids 5, 7)",
    }


FOREIGN = [GpuProcess(pid=7, own=False), GpuProcess(pid=8, own=True)]


def test_what_happens_while_nothing_is_measured_is_no_flag() -> None:
    summary = Summary()
    summary.phase(0.0, "import")
    summary.add(sample(0.0, clock_reasons=["power-cap"], processes=FOREIGN))
    summary.finish()
    assert flags.flags(summary.phases) == []


@pytest.mark.parametrize("own", [False, None])
def test_processes_in_whose_list_our_own_is_missing_are_not_judged(own: bool | None) -> None:
    """Inside a container the driver may number processes as the host does."""
    summary = Summary()
    summary.phase(0.0, "measure")
    summary.add(sample(0.0, processes=[GpuProcess(pid=7, own=own)]))
    summary.finish()
    assert flags.flags(summary.phases) == []


def test_metrics_of_a_cell_on_a_gpu() -> None:
    phases = summarized(
        (0.0, "measure"),
        sample(0.0, energy_j=5.0, memory_used_bytes=123_456_789),
        sample(1.0, energy_j=55.0, memory_used_bytes=23),
    )
    energy, memory = flags.metrics(list(phases.values()), [0], 0.2)
    assert (energy.name, energy.unit, energy.samples) == ("energy_j", "J", [50.0])
    assert (energy.label, energy.source) == ("measure", "GPU 0, counter-difference")
    assert (memory.label, memory.samples) == ("GPU 0", [123_456_789])
    assert memory.source == "nvml, the whole GPU, sampled every 0.2 s"


def test_metrics_of_a_gpu_that_tells_nothing_are_null_with_their_reasons() -> None:
    phases = summarized((0.0, "measure"), sample(0.0, temperature_c=1.0), sample(1.0))
    energy, memory = flags.metrics(list(phases.values()), [0], 0.2)
    assert energy.samples == [None]
    assert energy.reason.startswith("its counter could not be read all the time; its power")
    assert (memory.samples, memory.reason) == ([None], "no sample has it")


def test_a_cell_on_a_processor_without_a_counter_has_no_energy() -> None:
    phases = summarized((0.0, "measure"), sample(0.0), sample(1.0))
    assert flags.metrics(list(phases.values()), [], 0.2) == []


def test_the_cells_own_readings() -> None:
    cells = {"abc": CellSample(cpu_percent=150.0, memory_bytes=7, processes=2)}
    found = summarized(Sample(time_s=0.0, cells=cells))
    assert found["start"].readings == {
        "cell/cpu_percent": Reading(mean=150.0, max=150.0),
        "cell/memory_bytes": Reading(mean=7.0, max=7),
        "cell/processes": Reading(mean=2.0, max=2),
    }


@given(st.lists(st.floats(0.0, 9.9), min_size=1, max_size=6), st.randoms())
def test_the_phases_share_out_all_time_and_all_energy(
    begins: list[float], chance: random.Random
) -> None:
    """However phases lie, and however late (within the lag) each becomes known."""
    samples = [sample(number / 4, energy_j=number**1.5, power_w=1.0) for number in range(41)]
    marks = [(time_s, f"phase {n}") for n, time_s in enumerate(sorted(begins))]
    known = sorted(time_s + chance.random() * (LAG_S - 0.3) for time_s in begins)
    arriving = [(item.time_s, item) for item in samples]
    arriving += list(zip(known, marks, strict=True))  # type: ignore[arg-type]
    found = summarized(*(item for _, item in sorted(arriving, key=lambda pair: pair[0])))
    assert sum(phase.samples for phase in found.values()) == 41
    assert abs(sum(phase.seconds for phase in found.values()) - 10.0) < 0.01
    total = sum(phase.energy["gpus/0"].energy_j or 0 for phase in found.values() if phase.energy)
    assert abs(total - 40**1.5) < 0.01
