"""Cutting off a real training: what was measured so far is kept, and it starts again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from manifests.run_folder import Run
from tests.frameworks.conftest import Reproduction, smallest_study

pytestmark = pytest.mark.frameworks


@pytest.fixture
def training(images: dict[str, Path], tmp_path: Path) -> Reproduction:
    """A run whose PyTorch training lasts for minutes."""
    made = Reproduction(tmp_path)
    smallest_study(tmp_path)
    path = tmp_path / "studies" / "lad2023" / "study.toml"
    path.write_text(
        path.read_text().replace(
            "epochs = 2, train_images = 128", "epochs = 90, train_images = 256"
        )
    )
    return made


def start(training: Reproduction) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["repliquant", "run", "lad2023", "--engine", "local",
         "-k", "pytorch and task=train and float32 and batch_size!=128"],
        cwd=training.folder, env=training.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def wait_for_steps(run: Run) -> None:
    for _ in range(600):
        for path in run.cells.glob("*/events.jsonl"):
            if path.read_text().count('"event":"step"') >= 2:
                return
        time.sleep(0.1)
    raise AssertionError("the training did not get to its second step in a minute")


def processes_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The cell's launcher, the cell itself, and its sampler."""
    found = psutil.Process(process.pid).children(recursive=True)
    assert len(found) == 3, [one.cmdline() for one in found]
    return found


def cell_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    (found,) = (one for one in processes_of(process) if one.cmdline()[1:3] == ["-m", "runners"])
    return found


def test_ctrl_c_keeps_the_steps_that_were_timed(training: Reproduction) -> None:
    process = start(training)
    wait_for_steps(training.run)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    (manifest,) = training.run.load().manifests
    assert manifest.status == "cancelled" and manifest.transient
    steps = manifest.metric("train_step_s")
    assert steps is not None and len(steps.samples) >= 2


def test_kill_9_of_the_orchestrator_takes_the_runner_along(training: Reproduction) -> None:
    process = start(training)
    wait_for_steps(training.run)
    found = processes_of(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(found, timeout=120)
    assert alive == []
    assert training.run.load().manifests == []


def test_kill_9_of_the_runner_is_a_crash_that_is_tried_again(training: Reproduction) -> None:
    process = start(training)
    wait_for_steps(training.run)
    cell_of(process).kill()
    assert process.wait(timeout=60) == 1
    (manifest,) = training.run.load().manifests
    assert manifest.status == "crashed" and manifest.transient and "SIGKILL" in manifest.reason
