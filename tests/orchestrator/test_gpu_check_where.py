"""Where a GPU check runs: in an interpreter that sees a GPU, or in images that serve it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import orchestrator.gpu_check.check as gpu_check
from machine.allotment import Allotment
from manifests.errors import InputError, MachineError
from orchestrator.engines import docker
from orchestrator.engines.base import Engine
from orchestrator.gpu_check.check import Check, _gpu_images, _where, check
from orchestrator.messages import LogLine, RunMessage


def test_a_machine_without_a_gpu_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check, "visible_gpus", lambda: Allotment(()))
    told = r"^gpu-check needs an NVIDIA GPU and its driver; none.*\. --device cpu runs"
    with pytest.raises(MachineError, match=told):
        check(Check(), lambda _: None)


def interpreter(folder: Path, said: str, by_tensorflow: str = "{}") -> Path:
    """Answers the first question with ``said``, and the one to TensorFlow with the other.

    It has what every cell needs.
    """
    path = folder / "python"
    has: dict[str, Any] = json.loads(said)
    has["modules"] = {"msgspec": "0.18.6", "numpy": "2.0", **has.get("modules", {})}
    said = json.dumps(has)
    path.write_text(
        '#!/bin/sh\ncase "$2" in\n'
        f"*'import tensorflow'*) echo 'FOUND {by_tensorflow}';;\n*) echo 'FOUND {said}';;\nesac\n"
    )
    path.chmod(0o755)
    return path


TORCH_ON_CUDA = '{"python": "3", "modules": {"torch": "2.11.0"}, "gpus": ["H100"]}'
BOTH_INSTALLED = '{"python": "3", "modules": {"torch": "2.11.0", "tensorflow": ""}}'

ONLY_TENSORFLOW = '{"python": "3", "modules": {"tensorflow": ""}}'
BLIND = '{"python": "3", "modules": {"tensorflow": "2.8.4"}}'

SEEING = '{"python": "3", "modules": {"tensorflow": "2.17.0"}, "gpus": ["/physical_device:GPU:0"]}'


@pytest.mark.parametrize(
    ("said", "by_tensorflow", "planned_ones", "left_out"),
    [
        (TORCH_ON_CUDA, "{}", ["pytorch"], ""),
        (ONLY_TENSORFLOW, SEEING, ["tensorflow"], ""),
        (BOTH_INSTALLED, SEEING, ["tensorflow"], r"pytorch is left out: torch 2.11.0 of .* sees"),
        (BOTH_INSTALLED[:-1] + ', "gpus": ["H100"]}', SEEING, ["pytorch", "tensorflow"], ""),
        (BOTH_INSTALLED[:-1] + ', "gpus": ["H100"]}', BLIND, ["pytorch"],
         r"tensorflow is left out: tensorflow 2.8.4 of .* sees no NVIDIA GPU"),
    ],
)  # fmt: skip
def test_an_interpreters_frameworks_that_see_a_gpu_are_planned(
    tmp_path: Path, said: str, by_tensorflow: str, planned_ones: list[str], left_out: str
) -> None:
    told: list[RunMessage] = []
    asked = Check(python=interpreter(tmp_path, said, by_tensorflow))
    engine, images = _where(asked, told.append)
    assert list(images) == planned_ones
    assert engine.gpus() == ["0"]
    notes = [message.text for message in told if isinstance(message, LogLine)]
    assert len(notes) == bool(left_out) and all(re.match(left_out, note) for note in notes)


def test_on_a_processor_what_the_interpreter_holds_is_planned(tmp_path: Path) -> None:
    for said, expected in (
        (ONLY_TENSORFLOW, {"tensorflow": "tensorflow-cpu"}),
        (BOTH_INSTALLED, {"pytorch": "pytorch-cpu", "tensorflow": "tensorflow-cpu"}),
    ):
        asked = Check(python=interpreter(tmp_path, said), device="cpu")
        assert _where(asked, lambda _: None)[1] == expected
    one = Check(device="cpu", framework="tensorflow")
    assert _where(one, lambda _: None)[1] == {"tensorflow": "tensorflow-cpu"}


@pytest.mark.parametrize(
    ("said", "by_tensorflow", "framework", "told"),
    [
        ('{"python": "3.11.2", "modules": {"torch": "2.13.0+cpu"}}', "{}", None,
         r"needs CUDA: torch 2.13.0\+cpu of .* sees no NVIDIA GPU .*\. --device cpu runs"),
        (ONLY_TENSORFLOW, BLIND, None,
         r"needs CUDA: tensorflow 2.8.4 of .* sees no NVIDIA GPU .*\. --device cpu runs"),
        (ONLY_TENSORFLOW, '{"python": "3", "missing": {"tensorflow": "no libcudart"}}', None,
         r"needs CUDA: tensorflow of .* can't be imported \(no libcudart\)"),
        ('{"python": "3.11.2", "missing": {"torch": "No module named torch"}}', "{}", None,
         r"needs torch or tensorflow in .*torch: No module named torch; tensorflow: not installed"),
        (TORCH_ON_CUDA, "{}", "tensorflow",
         r"needs tensorflow in .*-m pip install tensorflow\), or give another --python"),
    ],
)  # fmt: skip
def test_an_interpreter_without_cuda_is_refused(
    tmp_path: Path, said: str, by_tensorflow: str, framework: str | None, told: str
) -> None:
    path = interpreter(tmp_path, said, by_tensorflow)
    with pytest.raises(MachineError, match=told):
        check(Check(python=path, framework=framework), lambda _: None)


@pytest.mark.parametrize(
    ("capability", "expected", "left_out"),
    [
        ("9.0", {"pytorch": "pytorch-25.12", "tensorflow": "tensorflow-25.02"}, 0),
        ("8.0", {"pytorch": "pytorch-25.12", "tensorflow": "tensorflow-25.02"}, 0),
        ("", {"pytorch": "pytorch-25.12", "tensorflow": "tensorflow-25.02"}, 0),
        ("7.0", {"tensorflow": "tensorflow-22.03"}, 1),
    ],
)
def test_images_are_the_newest_that_serve_the_gpu(
    capability: str, expected: dict[str, str], left_out: int
) -> None:
    told: list[RunMessage] = []
    assert _gpu_images(("pytorch", "tensorflow"), capability, told.append) == expected
    assert len(told) == left_out


def test_a_gpu_that_no_image_serves_is_refused() -> None:
    with pytest.raises(
        MachineError, match=r"no image: .*capability 5\.2.*Instead, .*--python PATH"
    ):
        _gpu_images(("pytorch", "tensorflow"), "5.2", lambda _: None)


def no_docker() -> Engine:
    raise MachineError("no Docker answers")


def test_images_for_gpus_are_no_local_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check, "visible_gpus", lambda: Allotment(("0",)))
    monkeypatch.setattr(gpu_check, "compute_capability", lambda: "9.0")
    monkeypatch.setattr(docker, "ENGINE", docker.ENGINE._replace(make=no_docker))
    with pytest.raises(MachineError, match=r"are containers: give --engine docker, or .*--python"):
        check(Check(engine="local"), lambda _: None)
    with pytest.raises(
        MachineError, match=r"finds no Docker for its images: no Docker answers. Or give an inter"
    ):
        check(Check(), lambda _: None)
    with pytest.raises(InputError, match="no engine 'lokal'"):
        check(Check(engine="lokal"), lambda _: None)


def test_this_interpreter_is_probed_for_real() -> None:
    with pytest.raises(MachineError, match="gpu-check needs"):
        check(Check(python=Path(sys.executable)), lambda _: None)
