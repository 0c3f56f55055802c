"""Energy counters of processors and memory, from folders in the kernel's form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from machine import rapl
from machine.rapl import DramEnergy, PackageEnergy
from tests.machine.summaries import zone


def test_package_energy_adds_up_over_packages_and_when_a_counter_wraps(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", 900_000)
    second_ = zone(tmp_path, "intel-rapl:1", 5, "package-1")
    zone(tmp_path, "intel-rapl:0:0", 7, "core")
    zone(tmp_path, "intel-rapl:2", 7, "psys")
    energy = PackageEnergy(tmp_path)
    assert energy.read_j() == 0.0
    (first / "energy_uj").write_text("100000")
    (second_ / "energy_uj").write_text("300005")
    assert energy.read_j() == 0.5
    assert energy.read_j() == 0.5
    (first / "energy_uj").unlink()
    assert energy.read_j() is None
    assert energy.reason.startswith("the energy counter can't be read: ")
    assert energy.read_j() is None


def test_no_package_energy_has_its_reason(tmp_path: Path) -> None:
    missing = PackageEnergy(tmp_path / "nowhere")
    assert missing.read_j() is None
    assert missing.reason == "the processor has no energy counter that the kernel shows"


def test_package_energy_that_only_root_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone(tmp_path, "intel-rapl:0", 1)
    real = Path.read_text

    def guarded(path: Path, *options: Any, **named: Any) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path, *options, **named)

    monkeypatch.setattr(Path, "read_text", guarded)
    energy = PackageEnergy(tmp_path)
    assert energy.read_j() is None
    assert energy.reason == f"no permission to read {tmp_path} (root may)"


def test_the_memorys_energy_is_apart_from_the_packages(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", 1)
    first = zone(tmp_path, "intel-rapl:0:1", 10, "dram")
    zone(tmp_path, "intel-rapl:1", 1, "package-1")
    other = zone(tmp_path, "intel-rapl:1:0", 999_000, "dram")
    energy = DramEnergy(tmp_path)
    assert energy.read_j() == 0.0
    (first / "energy_uj").write_text("250010")
    (other / "energy_uj").write_text("249000")
    assert energy.read_j() == 0.5
    assert PackageEnergy(tmp_path).read_j() == 0.0


def test_memory_without_a_counter_has_its_reason(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", 1)
    zone(tmp_path, "intel-rapl:0:0", 1, "core")
    missing = DramEnergy(tmp_path)
    assert missing.read_j() is None
    assert missing.reason == "the memory has no energy counter that the kernel shows"


def test_counters_that_only_root_may_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = zone(tmp_path, "intel-rapl:0", 1)
    dram = zone(tmp_path, "intel-rapl:0:1", 1, "dram")
    zone(tmp_path, "intel-rapl:0:0", 1, "core")
    assert rapl.only_for_root(tmp_path) == []
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    files = [str(package / "energy_uj"), str(dram / "energy_uj")]
    assert rapl.only_for_root(tmp_path) == files
    assert rapl.only_for_root(tmp_path / "nowhere") == []
