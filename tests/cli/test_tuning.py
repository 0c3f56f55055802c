"""What the doctor says of a machine's settings, and the commands that it prints."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from cli.commands.doctor import _counted
from machine.conditions import conditions
from machine.quiet import Busy
from manifests.hardware import Gpu, GpuSettings
from services.diagnosis import Diagnosis
from services.measuring import business, settings
from services.tuning import Tuning, tuning_lines, tunings
from tests.conftest import Workshop
from tests.fakes.kernel import CPU, KernelFiles, laptop, virtual

RAPL = "/sys/class/powercap/intel-rapl:0/energy_uj"
CARD = Gpu(
    name="A", power_limit_w=160.0, sm_clock_hz=2_100_000_000, index=0,
    settings=GpuSettings(
        persistence=True, compute_mode="default", default_sm_clock_hz=1_500_000_000,
        application_sm_clock_hz=1_500_000_000, power_limit_default_w=160.0,
    ),
)  # fmt: skip


def found(kernel: KernelFiles, gpu: Gpu | None = None, cpupower: bool = False) -> list[Tuning]:
    gpus = {0: gpu} if gpu is not None else {}
    return list(tunings(conditions(kernel.root), gpus, [], kernel.root, cpupower))


def commands(found: list[Tuning]) -> dict[str, tuple[str, str]]:
    return {item.what: (item.command, item.undo) for item in found}


def tuned(root: Path) -> KernelFiles:
    """A laptop as it should be."""
    kernel = laptop(root)
    for number in range(4):
        kernel.write(f"{CPU}/cpu{number}/cpufreq/scaling_governor", "performance")
        kernel.write(f"{CPU}/cpu{number}/cpufreq/energy_performance_preference", "performance")
    kernel.write(f"{CPU}/intel_pstate/no_turbo", "1")
    return kernel


def test_a_laptop_from_the_shop_gets_its_commands_and_how_to_undo_them(tmp_path: Path) -> None:
    kernel = laptop(tmp_path)
    kernel.write(f"{CPU}/smt/control", "on")
    kernel.write("proc/sys/kernel/randomize_va_space", "0")
    kernel.write("proc/sys/kernel/numa_balancing", "1")
    (tmp_path / "sys/devices/system/node/node1").mkdir()
    place = "/sys/devices/system/cpu"
    assert commands(found(kernel)) == {
        "governor": (
            f"echo performance | sudo tee {place}/cpu*/cpufreq/scaling_governor",
            f"echo powersave | sudo tee {place}/cpu*/cpufreq/scaling_governor",
        ),
        "energy preference": (
            f"echo performance | sudo tee {place}/cpu*/cpufreq/energy_performance_preference",
            f"echo balance_performance | sudo tee "
            f"{place}/cpu*/cpufreq/energy_performance_preference",
        ),
        "turbo": (
            f"echo 1 | sudo tee {place}/intel_pstate/no_turbo",
            f"echo 0 | sudo tee {place}/intel_pstate/no_turbo",
        ),
        "NUMA balancing": (
            "sudo sysctl kernel.numa_balancing=0", "sudo sysctl kernel.numa_balancing=1",
        ),
        "ASLR": (
            "sudo sysctl kernel.randomize_va_space=2", "sudo sysctl kernel.randomize_va_space=0",
        ),
        "SMT": (
            f"echo off | sudo tee {place}/smt/control", f"echo on | sudo tee {place}/smt/control",
        ),
    }  # fmt: skip


def test_cpupower_is_taken_where_it_is_installed(tmp_path: Path) -> None:
    assert commands(found(laptop(tmp_path), cpupower=True))["governor"] == (
        "sudo cpupower frequency-set --governor performance",
        "sudo cpupower frequency-set --governor powersave",
    )


@pytest.mark.parametrize("place", ["cpufreq/boost", "cpufreq/policy0/boost"])
def test_turbo_is_turned_off_where_the_driver_takes_it(tmp_path: Path, place: str) -> None:
    kernel = virtual(tmp_path)
    kernel.write(f"{CPU}/{place}", "1")
    shown = place.replace("policy0", "policy*")
    assert commands(found(kernel))["turbo"] == (
        f"echo 0 | sudo tee /{CPU}/{shown}", f"echo 1 | sudo tee /{CPU}/{shown}",
    )  # fmt: skip


def test_nothing_is_to_be_changed_where_all_is_well_or_nothing_is_known(tmp_path: Path) -> None:
    assert found(tuned(tmp_path / "tuned")) == []
    assert found(virtual(tmp_path / "virtual")) == []
    assert list(tuning_lines([])) == ["# nothing to change of what is shown here"]


def test_a_gpu_that_is_not_as_it_should_be(tmp_path: Path) -> None:
    assert CARD.settings is not None
    set_otherwise = msgspec.structs.replace(
        CARD.settings, persistence=False, compute_mode="prohibited"
    )
    card = msgspec.structs.replace(CARD, power_limit_w=100.0, settings=set_otherwise)
    assert commands(found(virtual(tmp_path), card)) == {
        "GPU 0 persistence": ("sudo nvidia-smi -i 0 -pm 1", "sudo nvidia-smi -i 0 -pm 0"),
        "GPU 0 power limit": ("sudo nvidia-smi -i 0 -pl 160", "sudo nvidia-smi -i 0 -pl 100"),
        "GPU 0 compute mode": (
            "sudo nvidia-smi -i 0 -c DEFAULT", "sudo nvidia-smi -i 0 -c PROHIBITED",
        ),
        "GPU 0 clocks": (
            "sudo nvidia-smi -i 0 --lock-gpu-clocks=1500,1500",
            "sudo nvidia-smi -i 0 --reset-gpu-clocks",
        ),
    }  # fmt: skip


def test_a_gpus_clocks_are_a_choice_and_fixed_ones_are_left_alone(tmp_path: Path) -> None:
    (clocks,) = found(virtual(tmp_path), CARD)
    assert (clocks.what, clocks.wanted) == ("GPU 0 clocks", False)
    assert CARD.settings is not None
    fixed = msgspec.structs.replace(CARD.settings, clocks_fixed=True)
    assert found(virtual(tmp_path), msgspec.structs.replace(CARD, settings=fixed)) == []
    assert found(virtual(tmp_path), Gpu(name="unknown")) == []


def test_the_lines_are_a_shells_and_what_is_wanted_comes_first() -> None:
    choice = Tuning("SMT", "on", "cores are shared", "off!", "on!", wanted=False)
    wanted = Tuning("governor", "powersave", "clocks follow", "fast!", "slow!")
    assert list(tuning_lines([choice, wanted])) == [
        "# governor: powersave. Clocks follow.", "fast!", "#   undo: slow!",
        "# SMT: on. Cores are shared. (a choice)", "off!", "#   undo: on!",
    ]  # fmt: skip


def test_every_command_is_one_that_a_shell_understands(tmp_path: Path) -> None:
    listed = [*found(laptop(tmp_path), CARD), *tunings(conditions(tmp_path), {}, [RAPL])]
    script = "\n".join(tuning_lines(listed))
    assert f"sudo chmod a+r {RAPL}" in script
    assert f"#   undo: sudo chmod go-r {RAPL}" in script
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_the_doctor_says_what_is_not_as_it_should_be_in_a_line(tmp_path: Path) -> None:
    kernel = laptop(tmp_path)
    advice, *notes = settings(conditions(kernel.root), {}, [RAPL], kernel.root)
    assert (advice.state, advice.what) == ("advice", "settings")
    assert advice.detail.startswith("governor powersave, energy preference balance_performance")
    assert advice.next_step == "repliquant doctor --tune prints the commands"
    assert {note.state for note in notes} == {"note"}
    assert "energy counters (RAPL) for root only" in notes[0].detail


def test_the_doctor_says_what_is_right_and_what_it_can_not_tell(tmp_path: Path) -> None:
    (good,) = settings(conditions(tuned(tmp_path / "tuned").root), {}, [], tmp_path)
    assert (good.state, good.detail) == (
        "ok",
        "governor performance, energy preference performance, turbo off, SMT on, "
        "NUMA balancing off, NUMA nodes 1, ASLR 2, huge pages madvise, clock source tsc",
    )
    good, hidden = settings(conditions(virtual(tmp_path / "virtual").root), {}, [], tmp_path)
    assert (good.state, hidden.state) == ("ok", "note")
    assert "governors, boost: the kernel shows no frequency scaling" in hidden.detail


class Looked:
    """A watch that has seen this."""

    def __init__(self, busy: Busy | None) -> None:
        self._busy = busy

    def look(self) -> Busy | None:
        return self._busy


def test_the_doctor_says_who_else_is_busy() -> None:
    found = business(Looked(Busy(0.5, 0.0, 0.0, [("\x1b[31mcc1", 1.0)])))
    assert found.state == "advice"
    assert found.detail == "others take 50 % of the processors, among them �[31mcc1 1.0 of a core"
    assert business(Looked(Busy(0.01, 0.0, 0.0, []))).state == "ok"
    assert business(Looked(None)).state == "note"


def test_what_is_right_is_one_line() -> None:
    well = [Diagnosis("ok", "a", "b")] * 3 + [Diagnosis("note", "c", "d")]
    assert _counted(well, verbose=False) == (
        "doctor: 3 of 4 as they should be, 1 note; all of it: repliquant doctor --verbose"
    )


def test_the_doctor_prints_what_is_wrong_and_with_verbose_the_rest(workshop: Workshop) -> None:
    workshop.environment["REPLIQUANT_RUNS"] = "/proc/nowhere"
    short = workshop("doctor", status=3).stdout
    assert "not writable" in short and " ok " not in short
    assert short.splitlines()[-1].startswith("doctor: ")
    every = workshop("doctor", "-v", status=3).stdout
    assert "not writable" in every and " ok " in every
    assert {"settings", "others"} <= {
        finding["what"] for finding in json.loads(workshop("doctor", "--json", status=3).stdout)
    }


def test_tune_prints_and_changes_nothing(workshop: Workshop) -> None:
    lines = workshop("doctor", "--tune").stdout
    assert lines.startswith("#")
    subprocess.run(["sh", "-n"], input=lines, text=True, check=True)
    told = json.loads(workshop("doctor", "--tune", "--json").stdout)
    assert set(told) == {"tunings", "not_shown"}
