"""What decides how fast and how evenly a machine runs, from made folders and from this machine."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from machine.conditions import conditions
from manifests.hardware import Conditions
from tests.fakes.kernel import CPU, KernelFiles, laptop, virtual


def test_a_laptop_from_the_shop(tmp_path: Path) -> None:
    assert conditions(laptop(tmp_path).root) == Conditions(
        frequency_driver="intel_pstate",
        governors=["powersave"],
        energy_preferences=["balance_performance"],
        boost=True,
        smt=True,
        numa_nodes=1,
        numa_balancing=False,
        load_average=[0.42, 0.36, 0.31],
        cpu_pressure_percent=3.25,
        memory_pressure_percent=0.0,
        io_pressure_percent=1.5,
        address_randomization=2,
        huge_pages="madvise",
        clock_source="tsc",
    )


def test_what_a_virtual_machine_hides_is_missing_with_its_reason(tmp_path: Path) -> None:
    found = conditions(virtual(tmp_path).root)
    assert (found.governors, found.boost, found.cpu_pressure_percent) == (None, None, None)
    assert (found.smt, found.load_average) == (False, [0.0, 0.01, 0.05])
    assert found.reasons["governors"] == (
        "the kernel shows no frequency scaling: the firmware or a hypervisor decides"
    )
    missing = {
        field.name
        for field in msgspec.structs.fields(Conditions)
        if getattr(found, field.name) is None
    }
    assert set(found.reasons) == missing


def test_nothing_at_all_is_a_reason_for_each(tmp_path: Path) -> None:
    found = conditions(tmp_path)
    assert set(found.reasons) | {"reasons"} == set(Conditions.__struct_fields__)
    assert all(found.reasons.values())


@pytest.mark.parametrize(
    ("name", "text", "boost"),
    [
        (f"{CPU}/intel_pstate/no_turbo", "1", False),
        (f"{CPU}/cpufreq/boost", "1", True),
        (f"{CPU}/cpufreq/boost", "0", False),
        (f"{CPU}/cpufreq/policy0/boost", "1", True),
        (f"{CPU}/cpufreq/policy0/boost", "0", False),
    ],
)
def test_every_driver_says_in_its_own_way_whether_clocks_may_rise(
    tmp_path: Path, name: str, text: str, boost: bool
) -> None:
    kernel = virtual(tmp_path)
    kernel.write(name, text + "\n")
    assert conditions(kernel.root).boost is boost


def test_governors_that_differ_are_all_named(tmp_path: Path) -> None:
    kernel = laptop(tmp_path)
    kernel.write(f"{CPU}/cpu3/cpufreq/scaling_governor", "performance\n")
    assert conditions(kernel.root).governors == ["performance", "powersave"]


@pytest.mark.parametrize(("siblings", "smt"), [("0-1", True), ("0,2", True), ("0", False)])
def test_threads_of_a_core_show_in_their_topology_too(
    tmp_path: Path, siblings: str, smt: bool
) -> None:
    kernel = KernelFiles(tmp_path)
    kernel.write(f"{CPU}/cpu0/topology/thread_siblings_list", siblings + "\n")
    assert conditions(kernel.root).smt is smt


def test_a_file_that_reads_otherwise_than_expected_is_a_reason(tmp_path: Path) -> None:
    kernel = laptop(tmp_path)
    kernel.write("proc/loadavg", "busy\n")
    kernel.write("proc/sys/kernel/randomize_va_space", "\n")
    kernel.write("sys/kernel/mm/transparent_hugepage/enabled", "always madvise\n")
    found = conditions(kernel.root)
    assert (found.load_average, found.address_randomization, found.huge_pages) == (None,) * 3
    assert found.reasons["load_average"].startswith("the kernel's files read otherwise")
    assert set(found.reasons) == {"load_average", "address_randomization", "huge_pages"}


@given(st.text(max_size=80))
def test_no_text_of_the_kernel_is_a_fault(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    kernel = laptop(tmp_path_factory.mktemp("kernel"))
    for path in [path for path in kernel.root.rglob("*") if path.is_file()]:
        path.write_text(text)
    found = conditions(kernel.root)
    assert all(why for why in found.reasons.values())


def test_this_machine(tmp_path: Path) -> None:
    found = conditions()
    for name in Conditions.__struct_fields__[:-1]:
        assert (getattr(found, name) is None) == (name in found.reasons)
