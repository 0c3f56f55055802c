"""What the orchestrator itself takes from the processor while a cell measures."""

from __future__ import annotations

import os
import pty
import re
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil

from manifests.paths import ROOT

CHOSEN = "pytorch and float32 and infer and cpu and batch_size=1"


def own_processor_time() -> None:
    """The orchestrator's share of one core during the measure phase of a cell, on a terminal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["cp", "-r", ROOT / "studies", folder / "studies"], check=True)
        study = folder / "studies" / "lad2023" / "study.toml"
        # A longer measuring phase, so that clock ticks of 10 ms resolve it.
        longer = re.sub(
            r"(recipes\.infer = \{.*)measure_s = 0\.7", r"\1measure_s = 20.0", study.read_text()
        )
        shorter = re.sub(
            r"(recipes\.baseline = \{) epochs = \d+, train_images = \d+",
            r"\1 epochs = 1, train_images = 128",
            longer,
        )
        assert shorter != longer != study.read_text()
        study.write_text(shorter)
        environment = {
            **os.environ,
            "REPLIQUANT_STUDIES": str(folder / "studies"),
            "REPLIQUANT_RUNS": str(folder / "runs"),
        }
        master, slave = pty.openpty()
        process = subprocess.Popen(
            ["repliquant", "run", "lad2023", "-k", CHOSEN],
            env=environment, stdin=slave, stdout=slave, stderr=slave,
        )  # fmt: skip
        os.close(slave)
        threading.Thread(target=_drain, args=(master,), daemon=True).start()
        shares = _watch(process, folder)
        process.wait()
    print(f"  {statistics.median(shares):.2%} of a core (windows of 3 s: {_percent(shares)})")


def _watch(process: subprocess.Popen[bytes], folder: Path) -> list[float]:
    """The share in windows of 3 s while the latest phase is ``measure``."""
    shares: list[float] = []
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        if not _measuring(folder):
            time.sleep(0.1)
            continue
        before, begin = watched.cpu_times(), time.monotonic()
        time.sleep(3)
        if process.poll() is None and _measuring(folder):
            after, end = watched.cpu_times(), time.monotonic()
            used = after.user + after.system - before.user - before.system
            shares.append(used / (end - begin))
    return shares or [float("nan")]


def _measuring(folder: Path) -> bool:
    files = sorted(folder.glob("runs/*/cells/*/events.jsonl"), key=lambda p: p.stat().st_mtime)
    phases = re.findall(r'"name":"([\w-]+)"', files[-1].read_text()) if files else []
    return bool(phases) and phases[-1] == "measure"


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:
        return


def _percent(shares: list[float]) -> str:
    return ", ".join(f"{share:.2%}" for share in shares)
