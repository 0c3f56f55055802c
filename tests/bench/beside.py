"""What launcher and sampler beside a cell cost it: the same cell with and without them."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests import order
from manifests.codec import read_manifest, read_struct
from manifests.order import CellOrder, path_given
from manifests.paths import ROOT
from orchestrator.engines.registry import make_engine
from orchestrator.environments.images import load_image

CHOSEN = "pytorch and float32 and infer and cpu and batch_size=1"
IMAGE = "pytorch-cpu"
MEASURE_S = 4.0
TURNS = 6
BARE, LAUNCHED, SAMPLED = "alone", "with its launcher", "with launcher and sampler"


class Taken(NamedTuple):
    """One run of the cell: its median latency, and the whole process."""

    latency_s: float
    whole_s: float


def launcher_and_sampler() -> None:
    """One float32 cell at batch 1, alone, launched, and sampled: A B C C B A."""
    found: dict[str, list[Taken]] = {BARE: [], LAUNCHED: [], SAMPLED: []}
    with tempfile.TemporaryDirectory() as name:
        ordered = _ordered(Path(name) / "run")
        ways = _ways(ordered)
        for turn in range(TURNS):
            for way in list(ways) if turn % 2 else reversed(ways):
                folder = Path(name) / f"{turn}-{len(found[way])}-{way.replace(' ', '-')}"
                folder.mkdir()
                found[way].append(_taken(ways[way], folder))
    for way in (LAUNCHED, SAMPLED):
        _print(way, found[way], found[BARE])


def _print(way: str, ours: list[Taken], bare: list[Taken]) -> None:
    ratios = [one.latency_s / other.latency_s for one, other in zip(ours, bare, strict=True)]
    longer = [one.whole_s - other.whole_s for one, other in zip(ours, bare, strict=True)]
    singles = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    print(
        f"  latency {way} / {BARE}: {statistics.median(ratios):.3f} (pairs {singles}); "
        f"the whole process {statistics.median(longer):+.2f} s"
    )


def _ordered(run: Path) -> CellOrder:
    """The order of the cell, of a run that made its weights; it measures for longer."""
    subprocess.run(
        ["repliquant", "run", "lad2023", "-k", CHOSEN, "--engine", "local", "--run", str(run)],
        check=True, capture_output=True,
    )  # fmt: skip
    for path in run.glob(f"cells/*/{order.FILE_NAME}"):
        found = read_struct(path, CellOrder)
        if found.cell.task == "infer":
            recipe = {**found.cell.recipe, "measure_s": MEASURE_S}
            return msgspec.structs.replace(
                found, cell=msgspec.structs.replace(found.cell, recipe=recipe)
            )
    raise FileNotFoundError(f"no inference cell of {CHOSEN!r} in {run}")


def _ways(ordered: CellOrder) -> dict[str, Callable[[Path], list[str]]]:
    """How the cell of a folder is started."""
    python = str(make_engine("local").interpreter(load_image(IMAGE)))

    def bare(folder: Path) -> list[str]:
        _write(folder, ordered)
        given = [f"--data={path_given(ordered.data or '')}", f"--threads={ordered.threads}"]
        weights = f"--weights={path_given(ordered.weights or '')}"
        return [python, "-m", "runners", str(folder / "cell.json"), str(folder), *given, weights]

    def launched(folder: Path) -> list[str]:
        _write(folder, msgspec.structs.replace(ordered, interval_s=None))
        return [python, "-m", "runners.launcher", str(folder)]

    def sampled(folder: Path) -> list[str]:
        _write(folder, ordered)
        return [python, "-m", "runners.launcher", str(folder)]

    return {BARE: bare, LAUNCHED: launched, SAMPLED: sampled}


def _write(folder: Path, ordered: CellOrder) -> None:
    for name, what in (
        (order.FILE_NAME, ordered), ("cell.json", ordered.cell), ("context.json", ordered.context),
    ):  # fmt: skip
        (folder / name).write_bytes(msgspec.json.encode(what))


def _taken(command: Callable[[Path], list[str]], folder: Path) -> Taken:
    arguments = command(folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    begin = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True, env=environment)
    whole_s = time.perf_counter() - begin
    latency = read_manifest(folder / "manifest.json").metric("latency_s")
    assert latency is not None
    return Taken(statistics.median(s for s in latency.samples if s is not None), whole_s)
