"""The machine's screen: findings, how it is set, and its load over time."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from manifests.hardware import Conditions, Gpu
from manifests.telemetry_series import GpuProcess, GpuSample, HostSample, Opening, Sample
from services import doctor
from services.machine_state import facts
from tests.tui.conftest import drive, shown
from tests.tui.scenes import until
from tui.app import Repliquant
from tui.screens.machine import MachineScreen
from tui.views.load import load
from tui.views.machine import Trace

GIB = 2**30


def _samples(count: int = 60) -> list[Sample]:
    gpu = GpuSample(
        index=0, utilization_percent=97.0, power_w=411.0, energy_j=1000.0,
        processes=[GpuProcess(pid=4242, memory_bytes=3 * GIB, own=True), GpuProcess(pid=7)],
    )  # fmt: skip
    host = HostSample(cpu_percent=50.0, memory_used_bytes=4 * GIB)
    return [Sample(time_s=at * 0.2, host=host, gpus=[gpu]) for at in range(count)]


OPENING = Opening(
    started_at="", interval_s=0.2, memory_bytes=8 * GIB,
    gpus={0: Gpu(name="H100", power_limit_w=700.0)},
)  # fmt: skip


def test_the_load_is_drawn_to_scale_with_its_time() -> None:
    lines = [line.plain for line in load(_samples(), OPENING, 46, 30, "")]
    assert lines[0] == "processors  50.0 %   50.0 … 50.0"
    assert lines[1].startswith("  100 ") and lines[6].startswith("    0 ")
    assert lines[4][6:] == "█" * 40 and not lines[3][6:].strip()  # half of six lines
    assert "memory  4.0 GiB   4.0 … 4.0" in lines and "GPU 0  97.0 %   97.0 … 97.0" in lines
    assert "GPU 0 power  411.0 W   411.0 … 411.0" in lines
    assert lines[-1] == "      12 s ago" + " " * 29 + "now"


def test_what_has_no_room_is_left_out_whole() -> None:
    lines = [line.plain for line in load(_samples(), OPENING, 46, 7, "")]
    assert len(lines) <= 7 and "memory  4.0 GiB   4.0 … 4.0" in lines
    assert not any(line.startswith("GPU") for line in lines)
    assert load([], None, 46, 7, "") == []


def test_few_readings_stand_at_the_right_end() -> None:
    lines = [line.plain for line in load(_samples(3), OPENING, 26, 8, "")]
    assert lines[2].endswith(" " * 17 + "███")


def test_how_it_is_set_and_how_loaded_it_is() -> None:
    now = Conditions(
        governors=["performance"], load_average=[1.5, 0.25, 0.0], cpu_pressure_percent=12.4,
        reasons={"boost": "hidden"},
    )  # fmt: skip
    found = {fact.what: fact.found for fact in facts(now)}
    assert found["set to"] == "governor performance"
    assert found["load"] == "1.50 in the last minute, 0.25 in 5, 0.00 in 15"
    assert found["pressure"] == "waited for in the last 10 s: cpu 12 %"


def test_what_cannot_be_told_says_why() -> None:
    found = {fact.what: fact for fact in facts(Conditions(reasons={"load_average": "no /proc"}))}
    assert (found["load"].found, found["load"].known) == ("no /proc", False)


def test_the_machine_is_a_key_from_home_with_its_findings(
    app: Repliquant, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def examine() -> list[doctor.Diagnosis]:
        looked.append(1)
        return [doctor.Diagnosis("advice", "others", "a browser", "close it, or wait")]

    monkeypatch.setattr(doctor, "examine", examine)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.live.trace.opening = OPENING
        for sample in _samples():
            app.live.trace.add(sample)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, MachineScreen))
        await until(pilot, lambda: "close it, or wait" in shown(app))
        text = shown(app)
        assert "load  " in text and "in the last minute" in text
        assert "GPU 0  97.0 %" in text and "12 s ago" in text
        await pilot.press("r")
        await until(pilot, lambda: len(looked) == 2)
        await pilot.press("escape", "d")  # what was found is still known
        await until(pilot, lambda: "a browser" in shown(app))
        assert len(looked) == 2

    drive(app, steps, (132, 40))


def test_processes_of_a_gpu_are_listed_with_whose_they_are() -> None:
    trace = Trace()
    trace.opening = OPENING
    for sample in _samples(2):
        trace.add(sample)
    lines = [line.plain for line in trace.lines(120, "", "", more=True)]
    assert any("4242 3.0 GiB this run's  7" in line for line in lines)
