"""An interpreter that is there already, in place of our environments."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from machine.inventory import gpu_count
from manifests.errors import InputError, MachineError
from manifests.manifest import ImageUsed
from orchestrator.engines.interpreter import GivenEngine, Probed, probe
from orchestrator.engines.registry import make_engine
from orchestrator.environments.images import load_image


def interpreter(folder: Path, *lines: str) -> Path:
    """A program that prints ``lines``, whatever it is asked."""
    path = folder / "python"
    path.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines))
    path.chmod(0o755)
    return path


def test_this_interpreter_tells_what_it_has() -> None:
    found = probe(Path(sys.executable))
    assert found.python == sys.version.split()[0]
    assert {"msgspec", "numpy"} <= set(found.modules)
    assert "torch" in found.missing or "torch" in found.modules


def test_gpus_are_those_that_torch_sees(tmp_path: Path) -> None:
    said = (
        'FOUND {"python": "3.12.3", "modules": {"torch": "2.11.0", "msgspec": "0.21", '
        '"numpy": "2.5"}, "gpus": ["NVIDIA H100", "NVIDIA H100"]}'
    )
    engine = GivenEngine(interpreter(tmp_path, "a warning", said))
    assert engine.gpus() == ["0", "1"]
    image = load_image("pytorch-cpu")
    assert engine.prepare(image, lambda note: None) == ImageUsed(name="pytorch-cpu", kind="given")
    assert engine.status(image) == "ready"
    assert engine.interpreter(image) == tmp_path / "python"


def test_a_missing_package_is_named_with_the_way_to_it(tmp_path: Path) -> None:
    said = 'FOUND {"python": "3.12.3", "modules": {"torch": "2.11.0", "numpy": "2.5"}}'
    engine = GivenEngine(interpreter(tmp_path, said))
    with pytest.raises(MachineError, match=r"msgspec: missing.*-m pip install msgspec"):
        engine.prepare(load_image("pytorch-cpu"), lambda note: None)


def test_one_that_is_broken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"can't be run: oh no"):
        probe(interpreter(tmp_path, "oh no"))


def test_one_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"--python '/no/such' is not an executable"):
        make_engine("local", Path("/no/such"))


def test_docker_brings_its_own() -> None:
    with pytest.raises(InputError, match=r"--python goes with --engine local or slurm; 'docker'"):
        make_engine("docker", Path(sys.executable))


def test_an_answer_without_gpus_has_none() -> None:
    assert Probed(python="3.11.2").gpus == []


def test_gpus_are_counted_by_the_driver_or_by_their_devices(tmp_path: Path) -> None:
    assert gpu_count(tmp_path) == 0
    (tmp_path / "dev").mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / "dev" / name).touch()
    assert gpu_count(tmp_path) == 2
    (tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)
    assert gpu_count(tmp_path) == 1
