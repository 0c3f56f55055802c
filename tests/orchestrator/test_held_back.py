"""Quotas, stops, priorities and processors from outside: kept, flagged, and seen by compare."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comparisons.environments import differing, facts
from machine import telemetry_flags as flags
from machine.cell_readers import ProcessTree
from machine.summary import PhaseSums
from manifests.flags import FLAGS
from manifests.manifest import Flag, Limits, Machine
from manifests.telemetry_series import HostSample, Sample
from runners import quality
from runners.machine import limits
from services.limits import limits_words
from tests.conftest import ROOT, Workshop
from tests.fakes.groups import group, limit_cpus
from tests.fakes.studies import write_study
from tests.manifests.samples import a_manifest
from tests.orchestrator.reading import manifests, wait_until

pytestmark = pytest.mark.cells
MEASURED = """
import json, os, signal, sys, threading, time
from runners.measure import Durations, measure
from runners.machine import limits

def burn():
    end = time.perf_counter() + 0.02
    while time.perf_counter() < end:
        pass

print("begun", flush=True)
found = measure(burn, Durations(warm_up_s=0, warm_up_count=1, measure_s=1.5, measure_count=1))
print(json.dumps([[f.name, f.detail] for f in found.flags]))
"""


def measured(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def flags_of(process: subprocess.Popen[str]) -> dict[str, str]:
    printed, _ = process.communicate(timeout=120)
    return dict(json.loads(printed.splitlines()[-1]))


def test_a_quota_that_bites_while_measuring_is_flagged() -> None:
    with group("cpu") as made:
        limit_cpus(made, 0.02)  # it bites however busy the machine is
        found = flags_of(measured(made.inside([sys.executable, "-c", MEASURED])))
    assert found["quota-throttled"].startswith("the quota of 0.02 processors stopped it in ")
    assert FLAGS["quota-throttled"].disqualifying


def test_a_stop_while_measuring_is_flagged() -> None:
    with measured([sys.executable, "-c", MEASURED]) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        import time

        time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        process.send_signal(signal.SIGCONT)
        found = flags_of(process)
    assert found["suspended"] == "it was stopped and continued once"
    assert FLAGS["suspended"].disqualifying


def test_without_any_of_it_there_is_no_such_flag() -> None:
    found = flags_of(measured([sys.executable, "-c", MEASURED]))
    assert not {"suspended", "quota-throttled"} & found.keys()


def test_the_watch_hears_only_while_it_watches() -> None:
    before = signal.getsignal(signal.SIGCONT)
    watch = quality.ProcessorWatch()
    os.kill(os.getpid(), signal.SIGCONT)
    assert [flag.name for flag in watch.disturbances()] == ["suspended"]
    assert signal.getsignal(signal.SIGCONT) == before


def test_a_machine_that_slept_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert quality._suspended(0, 0.05) is None
    assert quality._suspended(0, 61.0) == Flag(
        name="suspended", detail="the machine slept for 61.0 s"
    )
    assert quality._asleep_s() >= -0.01


def test_a_cell_that_somebody_stops_is_flagged_by_its_sampler(workshop: Workshop) -> None:
    write_study(workshop.folder, seconds=3.0, more='phase = "measure"', batch_sizes=[1])
    process = workshop.start("-k", "alpha and infer")
    pid = wait_for_measuring(workshop)
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: any(stopped_in_measure(d) for d in telemetry(workshop)), "it is seen")
    os.kill(pid, signal.SIGCONT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    (found,) = [m for m in manifests(workshop).values() if m.cell.task == "infer"]
    assert found.status == "ok"
    (flag,) = [flag for flag in found.flags if flag.name == "suspended"]
    assert flag.detail.startswith("measure: it was stopped in ")


def telemetry(workshop: Workshop) -> list[bytes]:
    return [path.read_bytes() for path in workshop.runs.glob("*/cells/*/telemetry.jsonl")]


def stopped_in_measure(series: bytes) -> bool:
    """A sampler that was held up itself says "stopped" too, of an earlier phase perhaps."""
    _, mark, measuring = series.partition(b'"name":"measure"')
    return bool(mark) and b'"stopped":true' in measuring


def wait_for_measuring(workshop: Workshop) -> int:
    """The process id of the cell that measures now."""
    found: list[int] = []

    def looks() -> bool:
        for path in workshop.runs.glob("*/cells/*/events.jsonl"):
            if b'"measure"' in path.read_bytes():
                found.extend(runners_of(path.parent))
        return bool(found)

    wait_until(looks, "a cell measures")
    return found[0]


def runners_of(folder: Path) -> list[int]:
    pids = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder / "cell.json").encode() in path.read_bytes():
                pids.append(int(path.parent.name))
        except OSError:
            continue
    return pids


def test_a_stopped_tree_of_processes_is_seen_and_goes_on() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        reader = ProcessTree(process.pid)
        assert reader.read().sample.stopped is False
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: reader.read().sample.stopped, "it is stopped")
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: not reader.read().sample.stopped, "it goes on")
        process.kill()


def test_samples_of_a_stopped_cell_flag_the_phases_that_are_measured() -> None:
    sums = PhaseSums()
    from manifests.telemetry_series import CellSample

    for stopped in (False, True, True):
        sums.add(Sample(time_s=0, host=HostSample(), cells={"c": CellSample(stopped=stopped)}))
    assert flags.flags({"measure": sums}) == [
        Flag(name="suspended", detail="measure: it was stopped in 2 of 3 samples")
    ]
    assert flags.flags({"import": sums}) == []


def test_what_held_a_cell_back_is_in_its_manifest_and_in_what_compare_lays_beside(
    workshop: Workshop,
) -> None:
    cpu = min(os.sched_getaffinity(0))
    command = workshop.command("run", "toy", "--engine", "fake", "-k", "alpha and train")
    done = subprocess.run(
        ["nice", "-n", "5", "taskset", "-c", str(cpu), *command], cwd=workshop.folder,
        env=workshop.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (manifest,) = manifests(workshop).values()
    held = manifest.environment.limits
    assert held is not None and (held.nice, held.affinity) == (5 + os.nice(0), [cpu])
    found = facts([manifest])
    assert found["nice"] == {str(held.nice)}
    assert found["held to processors"] == {f"{cpu} of {os.cpu_count()}"}


MACHINE = Machine(
    system="Linux", architecture="x86_64", cpu="c", cpus=2, instruction_sets=[], memory_bytes=1
)


def with_limits(**fields: Any) -> list[Any]:
    from manifests.manifest import Environment

    return [a_manifest(environment=Environment(machine=MACHINE, limits=Limits(**fields)))]


def test_compare_knows_two_environments_apart_by_what_held_them_back() -> None:
    free = facts(with_limits(nice=0, policy="other", cpus_online=2))
    assert differing(free, facts(with_limits())) == []
    held = facts(with_limits(quota_cpus=0.5, nice=10, policy="batch", affinity=[0], cpus_online=2))
    assert [(line.what, line.base, line.new) for line in differing(free, held)] == [
        ("held to processors", "(none)", "0 of 2"),
        ("nice", "(none)", "10"),
        ("processor quota", "(none)", "0.5"),
        ("scheduling", "(none)", "batch"),
    ]


def test_limits_in_words() -> None:
    assert limits_words(Limits(nice=0, policy="other", cpus_online=4)) == ""
    assert limits_words(
        Limits(
            quota_cpus=0.5,
            memory_bytes=2**30,
            nice=5,
            policy="idle",
            affinity=[1],
            cpus_online=4,
        )
    ) == (
        "a quota of 0.5 processors, 1.0 GiB of memory, nice 5, scheduling idle, "
        "held to 1 of 4 processors"
    )  # fmt: skip


def test_doctor_says_what_holds_it_back(workshop: Workshop) -> None:
    with group("cpu") as made:
        limit_cpus(made, 0.5)
        done = subprocess.run(
            made.inside(["nice", "-n", "3", *workshop.command("doctor", "--json")]),
            cwd=workshop.folder, env=workshop.environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
    found = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert found["limits"]["state"] == "advice"
    assert "a quota of 0.5 processors" in found["limits"]["detail"]
    assert f"nice {3 + os.nice(0)}" in found["limits"]["detail"]


def test_this_process_knows_its_own_limits() -> None:
    found = limits()
    assert found.cpus_online == os.cpu_count() and found.policy == "other"
