"""What tables, claims, audits, reports and archives take, on manifests made from real ones."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from comparisons.differences import compare_runs, make_side
from tests.bench import reading
from tests.comparisons.noise import times
from tests.comparisons.samples import measured, metric
from tests.manifests.samples import a_cell

TRIALS = 200


def claims_of_many() -> None:
    """10,000 and 100,000 manifests to all tables and claims, by fresh processes."""
    for count, turns in ((10_000, 5), (100_000, 2)):
        with tempfile.TemporaryDirectory() as folder:
            run = reading.many_manifests(Path(folder), count)
            command = ["repliquant", "claims", "lad2023", str(run), "--json"]
            seconds, peak = _median_of(turns, command), _peak_gib(command)
        print(f"  {count:,} manifests: median {seconds:.2f} s of {turns}, {peak:.2f} GiB at most")


def report_of_300() -> None:
    """A page over 300 cells, with Vega's script made anew and kept from before."""
    with tempfile.TemporaryDirectory() as folder:
        run = reading.many_manifests(Path(folder), 300)
        page = Path(folder) / "report.html"
        command = ["repliquant", "report", str(run), "-o", str(page)]
        seconds = _median_of(5, command)
        print(f"  median {seconds:.2f} s of 5, {page.stat().st_size / 2**20:.2f} MiB")
        archive = Path(folder) / "run.zip"
        _median_of(1, ["repliquant", "bundle", str(run), "-o", str(archive)])
        seconds = _median_of(3, ["repliquant", "verify", str(archive)])
        print(
            f"  its archive: {archive.stat().st_size / 2**20:.2f} MiB, verified in {seconds:.2f} s"
        )


def audits() -> None:
    """Whole processes."""
    for study in ("lad2023", "shafique2023"):
        seconds = _median_of(5, ["repliquant", "audit", study, "--json"])
        print(f"  {study}: median {seconds:.2f} s of 5")


def compare_runs_of_noise() -> None:
    """A/A and a planted 5 % slowdown, 200 comparisons each of one cell with 10 processes a side."""
    source = random.Random(1)
    for name, slower in (("the same configuration", 1.0), ("5 % slower", 1.05)):
        found = [_compare(source, slower) for _ in range(TRIALS)]
        different = sum(verdict in ("faster", "slower") for verdict in found) / TRIALS
        print(f"  compare, {name}: faster or slower {different:.1%} of {TRIALS} times")


def _compare(source: random.Random, slower: float) -> str:
    sides = [
        make_side([("run", [
            measured(a_cell(repeat=number), metric("latency_s", value))
            for number, value in enumerate(times(source, 10, factor))
        ])])
        for factor in (1.0, slower)
    ]  # fmt: skip
    return compare_runs(*sides).lines[0].verdict


# A process counts the memory of the one it was forked from, so a small one stands between.
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak_gib(command: list[str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *command], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 2**20


def _median_of(turns: int, command: list[str]) -> float:
    seconds = []
    for _ in range(turns):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)
