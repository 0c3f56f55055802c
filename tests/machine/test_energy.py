"""Energy as a result: windows, domains, the idle machine, and joules per inference."""

from __future__ import annotations

from pathlib import Path

import pytest

from machine import energy
from machine.gpus import NvmlGpus
from machine.idle import Counters, idle_power
from machine.nvml import Nvml
from machine.quiet import Busy
from machine.rapl import DramEnergy, PackageEnergy
from machine.seal import joined
from machine.telemetry_flags import metrics
from manifests.flags import FLAGS, concerns
from manifests.hardware import IdlePower
from manifests.manifest import Metric, PhaseTime
from manifests.telemetry_series import HostSample
from manifests.telemetry_summary import Energy, PhaseTelemetry, Telemetry
from tests.fakes.clock import Clock
from tests.fakes.nvml import FakeGpu, FakeNvml
from tests.machine.summaries import sample, summarized, zone
from tests.manifests.samples import a_cell, a_manifest

COUNTER, INTEGRAL = "counter-difference", "integrated-power"


def phase(seconds: float, name: str = "measure", **devices: Energy) -> PhaseTelemetry:
    named = {key.replace("_", "/"): energy for key, energy in devices.items()}
    return PhaseTelemetry(name, seconds, 9, {}, named, {})


def told(found: PhaseTelemetry, *gpus: int, idle: IdlePower | None = None) -> dict[str, Metric]:
    uuids = {number: f"GPU-{number}" for number in gpus}
    measured = energy.metrics([found], gpus, uuids, idle)
    return {f"{metric.name} {metric.label}": metric for metric in measured}


@pytest.mark.parametrize(
    ("method", "seconds", "joules", "reason"),
    [
        (COUNTER, 0.99, None, "the phase took 0.99 s, and energy needs 1 s"),
        (COUNTER, 1.0, 50.0, ""),
        (INTEGRAL, 4.9, None, "the phase took 4.9 s, and energy needs 5 s"),
        (INTEGRAL, 5.0, 50.0, ""),
    ],
)
def test_a_phase_that_is_too_short_has_no_energy(
    method: str, seconds: float, joules: float | None, reason: str
) -> None:
    measured = Energy(energy_j=50.0, method=method)  # type: ignore[arg-type]
    metric = told(phase(seconds, gpus_0=measured), 0)["energy_j measure"]
    assert (metric.samples, metric.reason) == ([joules], reason)
    assert metric.source == ("" if joules is None else f"GPU 0, {method}")


def test_a_gpu_in_a_module_has_both_domains() -> None:
    found = summarized(
        (0.0, "measure"),
        *(sample(float(at), energy_j=100.0 * at, module_power_w=300.0) for at in range(7)),
    )["measure"]
    assert found.energy == {
        "gpus/0": Energy(energy_j=600.0, method="counter-difference"),
        "gpus/0/module": Energy(energy_j=1800.0, method="integrated-power"),
    }
    by_label = told(found, 0)
    assert by_label["energy_j measure"].samples == [600.0]
    module = by_label["energy_j measure gpus/0/module"]
    assert (module.samples, module.source) == ([1800.0], "the module of GPU 0, integrated-power")


def test_packages_and_memory_of_a_processor_are_apart() -> None:
    found = summarized(
        (0.0, "measure"),
        sample(0.0, HostSample(package_energy_j=1.0, dram_energy_j=0.5)),
        sample(2.0, HostSample(package_energy_j=41.0, dram_energy_j=4.5)),
    )["measure"]
    by_label = told(found)
    assert by_label["energy_j measure"].samples == [40.0]
    dram = by_label["energy_j measure host/dram"]
    assert (dram.samples, dram.source) == ([4.0], "memory of the whole host, counter-difference")
    assert set(by_label) == {"energy_j measure", "energy_j measure host/dram"}


def test_what_an_idle_machine_takes_is_told_apart() -> None:
    found = phase(4.0, host=Energy(energy_j=100.0, method=COUNTER))
    idle = IdlePower(seconds=3.0, power_w={"host": 10.0})
    above = told(found, idle=idle)["energy_above_idle_j measure"]
    assert (above.samples, above.source) == ([60.0], "above the 10 W of the idle machine")
    without = told(found, idle=IdlePower(seconds=3.0, reason="not idle: others take all"))
    assert without["energy_above_idle_j measure"].samples == [None]
    assert without["energy_above_idle_j measure"].reason == "not idle: others take all"
    assert set(told(found)) == {"energy_j measure"}


def test_a_gpus_idle_power_is_known_by_its_uuid() -> None:
    found = phase(4.0, gpus_0=Energy(energy_j=400.0, method=COUNTER))
    idle = IdlePower(seconds=3.0, power_w={"GPU-0": 25.0})
    assert told(found, 0, idle=idle)["energy_above_idle_j measure"].samples == [300.0]


@pytest.mark.parametrize(
    ("seconds", "integral_j", "flagged"),
    [
        (6.0, 85.0, False), (6.0, 79.0, True), (6.0, 126.0, True), (4.0, 50.0, False),
        (6.0, None, False),
    ],
)  # fmt: skip
def test_counter_and_integral_that_part_are_flagged(
    seconds: float, integral_j: float | None, flagged: bool
) -> None:
    measured = Energy(energy_j=100.0, method=COUNTER, integral_j=integral_j)
    flags = list(energy.parted([phase(seconds, gpus_0=measured)]))
    assert [flag.name for flag in flags] == ["energy-parted"] * flagged
    for flag in flags:
        assert flag.detail == (
            f"measure: the counter of gpus/0 says 100 J, the integral of its power {integral_j:g} J"
        )
        assert concerns(flag, "energy_per_item_j") and not concerns(flag, "latency_s")
    assert FLAGS["energy-parted"].disqualifying


def a_measured(*samples: float, items: int = 4, phase_s: float = 2.0) -> list[Metric]:
    return [
        Metric(name="latency_s", unit="s", samples=list(samples), items=items),
        Metric(name="energy_j", unit="J", samples=[60.0], label="measure", source="GPU 0, x"),
        Metric(name="energy_j", unit="J", samples=[9.0], label="measure gpus/0/module"),
        Metric(name="energy_j", unit="J", samples=[9.0], label="measure host/dram"),
    ]


def test_joules_per_inference_are_over_all_items_of_the_phase() -> None:
    (found,) = energy.per_item(a_measured(1.0, 0.9), {"measure": 2.0})
    assert (found.name, found.unit, found.samples, found.label) == (
        "energy_per_item_j", "J", [7.5], "measure",
    )  # fmt: skip
    assert found.source == "GPU 0, x, over 8 items"


def test_several_gpus_add_up() -> None:
    both = [
        Metric(name="latency_s", unit="s", samples=[1.0], items=10),
        Metric(name="energy_j", unit="J", samples=[60.0], label="measure gpus/0"),
        Metric(name="energy_j", unit="J", samples=[40.0], label="measure gpus/1"),
    ]
    (found,) = energy.per_item(both, {"measure": 1.0})
    assert found.samples == [10.0]


def test_a_phase_with_other_work_in_it_has_no_joules_per_inference() -> None:
    (found,) = energy.per_item(a_measured(0.5), {"measure": 2.0})
    assert (found.samples, found.reason) == ([None], "its calls are only 25% of the phase")


def test_joules_per_inference_that_are_unknown_have_the_energys_reason() -> None:
    without = [
        Metric(name="latency_s", unit="s", samples=[1.0]),
        Metric(name="energy_j", unit="J", samples=[None], label="measure", reason="too short"),
    ]
    (found,) = energy.per_item(without, {"measure": 1.0})
    assert (found.samples, found.reason) == ([None], "too short")
    assert list(energy.per_item(without[:1], {"measure": 1.0})) == []


def test_a_sealed_manifest_has_them() -> None:
    from machine.recorder import Record

    latency, whole = a_measured(1.0, 0.9)[:2]
    manifest = a_manifest(
        a_cell(), metrics=[latency], phases=[PhaseTime(name="measure", seconds=2.0)]
    )
    record = Record(Telemetry(path="", samples=0), [], [whole], [])
    found = joined(manifest, record).metric("energy_per_item_j", "measure")
    assert found is not None and found.samples == [7.5]


class Looked:
    """A watch that has seen this."""

    def __init__(self, others: float) -> None:
        self._others = others

    def look(self) -> Busy:
        return Busy(self._others, 0.0, 0.0, [("cc1", 1.0)])


def counters(root: Path, *gpus: FakeGpu) -> Counters:
    library = Nvml(FakeNvml(*gpus), Clock(1000.0))
    return Counters(PackageEnergy(root), DramEnergy(root), NvmlGpus(library))


def test_the_idle_machine_is_measured_over_stated_seconds(tmp_path: Path) -> None:
    package = zone(tmp_path, "intel-rapl:0", 0)
    dram = zone(tmp_path, "intel-rapl:0:1", 0, "dram")
    card, clock, slept = FakeGpu(energy_mj=0), Clock(), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now_s += 4.0
        (package / "energy_uj").write_text("800000")
        (dram / "energy_uj").write_text("100000")
        card.energy_mj = 100_000

    found = idle_power(counters(tmp_path, card), 3.0, Looked(0.01), clock, sleep)
    assert slept == [3.0]
    assert found == IdlePower(
        seconds=4.0, power_w={"host": 0.2, "host/dram": 0.025, "GPU-00000000": 25.0}
    )


def test_a_busy_machine_has_no_idle_power(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", 0)
    found = idle_power(counters(tmp_path), 3.0, Looked(0.5), Clock(step_s=1.0), lambda s: None)
    assert found is not None and found.power_w == {}
    assert found.reason.startswith("not idle: others take 50 % of the processors")


def test_where_no_energy_can_be_measured_no_time_is_spent(tmp_path: Path) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError("nothing to wait for")

    assert idle_power(counters(tmp_path), 3.0, Looked(0.0), Clock(), sleep) is None


def test_metrics_of_a_cell_on_no_gpu_without_counters_are_none() -> None:
    assert metrics([phase(4.0)], [], 0.2) == []
