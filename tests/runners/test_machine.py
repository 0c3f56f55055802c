"""What a runner tells about the computer and its Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from machine.inventory import kernel_described
from manifests.manifest import Gpu
from manifests.paths import ROOT
from runners import machine

CPU_INFO = """\
processor\t: 0
model name\t: Example 9000
flags\t\t: fpu sse4_2 avx2 avx512_vnni hypervisor

processor\t: 1
model name\t: Another
"""


def test_the_computer_is_described_by_its_first_processor(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text(CPU_INFO)
    meminfo = "MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:  2 kB\n"
    (tmp_path / "proc" / "meminfo").write_text(meminfo)
    found = machine.machine(tmp_path)
    assert (found.cpu, found.memory_bytes, found.hypervisor) == ("Example 9000", 16777216, True)
    assert found.instruction_sets == ["sse4_2", "avx2", "avx512_vnni"]


def test_what_cannot_be_read_is_none_and_not_zero(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platform.processor", lambda: "")
    found = machine.machine(tmp_path)
    assert (found.cpu, found.memory_bytes, found.instruction_sets) == (None, None, [])


def test_only_telling_variables_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name in ("OMP_NUM_THREADS", "ATEN_CPU_CAPABILITY", "HOME", "API_TOKEN", "MY_OMP_X",
                 "TF_VAR_pw", "TF_TOKEN_x", "NVIDIA_API_KEY", "LD_PRELOAD"):  # fmt: skip
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=https://ann:pw@host")
    assert machine.telling_variables() == {
        "ATEN_CPU_CAPABILITY": "1", "LD_PRELOAD": "set", "OMP_NUM_THREADS": "1",
        "XLA_FLAGS": "--xla_dump_to=https://***@host",
    }  # fmt: skip


def test_of_two_installed_versions_the_imported_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, version in (("first", "2.0"), ("second", "1.0")):
        described = tmp_path / folder / f"example-{version}.dist-info"
        described.mkdir(parents=True)
        (described / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: Example\nVersion: {version}\n"
        )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])
    assert machine.package_versions() == {"Example": "2.0"}
    assert machine.package_versions(["EXAMPLE"]) == {"Example": "2.0"}
    assert machine.package_versions(["other"]) == {}


def test_peak_memory_is_in_bytes() -> None:
    peak = machine.peak_rss_bytes()
    assert peak is None or peak > 2**20


def test_peak_memory_is_not_that_of_who_started_the_process() -> None:
    """A child of a process of 500 MiB at least."""
    script = (
        "import subprocess, sys; held = b'x' * (500 * 2**20); "
        "print(subprocess.run([sys.executable, '-c', 'from runners import machine; "
        "print(machine.peak_rss_bytes())'], check=True, capture_output=True).stdout.decode())"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, cwd=ROOT, text=True
    ).stdout
    assert int(told) < 250 * 2**20


def test_gpus_are_those_of_the_drivers_own_files(tmp_path: Path) -> None:
    driver = tmp_path / "proc" / "driver" / "nvidia"
    card = driver / "gpus" / "0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA H100 PCIe\nIRQ: 12\n")
    (driver / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  x\n"
    )
    assert kernel_described(tmp_path) == [Gpu(name="NVIDIA H100 PCIe", driver="550.54.15")]


def test_a_machine_without_the_driver_has_no_gpus(tmp_path: Path) -> None:
    assert kernel_described(tmp_path / "nothing") == []
