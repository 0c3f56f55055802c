"""A study whose one inference measures for long enough to watch what runs beside it."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from manifests.paths import ROOT

CHOSEN = "pytorch and float32 and infer and cpu and batch_size=1"
_WINDOW_S = 3.0


def lay_out(folder: Path, measure_s: float) -> dict[str, str]:
    """Write the studies into ``folder``; the environment that finds them, and runs beside them."""
    shutil.copytree(ROOT / "studies", folder / "studies")
    study = folder / "studies" / "lad2023" / "study.toml"
    text = study.read_text()
    longer = re.sub(r"(recipes\.infer = \{.*)measure_s = 0\.7", rf"\1measure_s = {measure_s}", text)
    shorter = re.sub(
        r"(recipes\.baseline = \{) epochs = \d+, train_images = \d+",
        r"\1 epochs = 1, train_images = 128",
        longer,
    )
    assert shorter != longer != text
    study.write_text(shorter)
    return {
        **os.environ,
        "REPLIQUANT_STUDIES": str(folder / "studies"),
        "REPLIQUANT_RUNS": str(folder / "runs"),
    }


def shares_while_measuring(pid: int, folder: Path, runs: Callable[[], bool]) -> list[float]:
    """Of one core, what process ``pid`` takes in windows of 3 s in which the cell measures."""
    shares: list[float] = []
    watched = psutil.Process(pid)
    while runs():
        if not _measuring(folder):
            time.sleep(0.1)
            continue
        before, begin = watched.cpu_times(), time.monotonic()
        time.sleep(_WINDOW_S)
        if runs() and _measuring(folder):
            after, end = watched.cpu_times(), time.monotonic()
            used = after.user + after.system - before.user - before.system
            shares.append(used / (end - begin))
    return shares or [float("nan")]


def _measuring(folder: Path) -> bool:
    files = sorted(folder.glob("runs/*/cells/*/events.jsonl"), key=lambda p: p.stat().st_mtime)
    phases = re.findall(r'"name":"([\w-]+)"', files[-1].read_text()) if files else []
    return bool(phases) and phases[-1] == "measure"


def percent(shares: list[float]) -> str:
    return ", ".join(f"{share:.2%}" for share in shares)
