"""The Docker engine against the local one and against plain ``docker run``."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from orchestrator.engines.base import Order
from orchestrator.engines.docker import settings
from orchestrator.engines.docker.builds import tag
from orchestrator.engines.docker.engine import DockerEngine
from orchestrator.engines.registry import make_engine
from orchestrator.environments.images import load_image

CHOSEN = "pytorch and infer and cpu and (ptq-fx or float32) and (batch_size=1 or batch_size=128)"
PAIRS = 6
IMAGE = "pytorch-cpu"


def same_cells() -> None:
    """The same cells through docker and local, turn by turn: ratio of the latency medians."""
    ratios: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for engine in ("docker", "local"):
            _run(Path(name) / engine, engine, [])
        for turn in range(PAIRS):
            found = {}
            for engine in ("docker", "local") if turn % 2 else ("local", "docker"):
                folder = Path(name) / engine
                ids = [
                    cell for cell, m in _manifests(folder).items() if m["cell"]["task"] == "infer"
                ]
                _run(folder, engine, ids)
                found[engine] = _medians(folder)
            assert found["docker"].keys() == found["local"].keys(), "the cell ids differ"
            for title, seconds in found["docker"].items():
                ratios.setdefault(title, []).append(seconds / found["local"][title])
    for title, values in ratios.items():
        singles = ", ".join(f"{value:.3f}" for value in values)
        print(f"  {title}: docker / local {statistics.median(values):.3f} (pairs {singles})")


def time_per_cell() -> None:
    """Our time for a cell that ends at once, beyond ``docker run`` of the same command."""
    engine = make_engine("docker")
    assert isinstance(engine, DockerEngine)
    image = load_image(IMAGE)
    engine.prepare(image, lambda note: None)
    ours, plain = [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(2 * 10):
            folder = Path(name) / str(number)
            folder.mkdir()
            os.chmod(folder, 0o777)
            begin = time.perf_counter()
            if number % 4 in (0, 3):
                cell = engine.start(image, Order("bench", str(number), folder, None, None, 1))
                while cell.read(60) is not None:
                    pass
                cell.wait()
                ours.append(time.perf_counter() - begin)
            else:
                subprocess.run(_plain(folder), check=False, capture_output=True)
                plain.append(time.perf_counter() - begin)
    difference = statistics.median(ours) - statistics.median(plain)
    print(
        f"  ours {statistics.median(ours):.3f} s, docker run {statistics.median(plain):.3f} s: "
        f"{difference:+.3f} s a cell"
    )


def _plain(folder: Path) -> list[str]:
    """The same command; without its cell.json the runner ends as soon as it has begun."""
    return [
        "docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL",
        "--user", f"{settings.NOBODY}:{settings.NOBODY}", "--tmpfs", "/tmp",
        "--mount", f"type=bind,source={folder},target=/cell", tag(load_image(IMAGE)),
        "/cell/cell.json", "/cell", "--context", "/cell/context.json", "--threads", "1",
    ]  # fmt: skip


def _run(folder: Path, engine: str, rerun: list[str]) -> None:
    again = [word for cell in rerun for word in ("--rerun", cell)]
    subprocess.run(
        ["repliquant", "run", "lad2023", "-k", CHOSEN, "--engine", engine, "--run", str(folder),
         *again],
        check=True, capture_output=True,
    )  # fmt: skip


def _manifests(folder: Path) -> dict[str, Any]:
    paths = [path for path in folder.glob("cells/*/manifest.json") if "." not in path.parent.name]
    return {path.parent.name: json.loads(path.read_bytes()) for path in paths}


def _medians(folder: Path) -> dict[str, float]:
    """Median latency by the title of each inference cell."""
    found = {}
    for manifest in _manifests(folder).values():
        cell = manifest["cell"]
        if cell["task"] == "infer" and manifest["status"] == "ok":
            samples = next(m for m in manifest["metrics"] if m["name"] == "latency_s")["samples"]
            found[f"{cell['technique']} batch {cell['batch_size']}"] = statistics.median(samples)
    return found
