"""``just bench [NAME ...]``: figures for the README, as ratios within one run.

Every comparison is interleaved (A B B A) on this machine; medians are quoted. Needs a finished
``lad2023`` run in tier quick for what measures its models.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import (
    alike,
    beside,
    calling,
    comparing,
    deciding,
    engines,
    evidence,
    honest_tables,
    latency,
    overhead,
    precision,
    reading,
    runtimes,
    screen,
    slurm,
    telemetry,
    walks,
    watched,
)


def startup() -> None:
    """Whole processes, beside an interpreter that does nothing."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "repliquant --help": ["repliquant", "--help"],
        "repliquant plan lad2023": ["repliquant", "plan", "lad2023"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(10):
        names = list(commands) if turn % 2 else list(commands)[::-1]
        for name in names:
            begin = time.perf_counter()
            subprocess.run(commands[name], check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - begin)
    bare = statistics.median(times["python -c pass"])
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        print(f"  {name}: {middle:.3f} s, {middle / bare:.1f} x an empty interpreter")


def ten_thousand() -> None:
    """Copies of real manifests with other seeds, read and tabulated by a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        run = reading.many_manifests(Path(folder), 10_000)
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run(
                ["repliquant", "table", "lad2023", str(run), "--format", "csv"],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            times.append(time.perf_counter() - begin)
    print(f"  10,000 manifests to tables: median {statistics.median(times):.2f} s of 5")


BENCHMARKS: dict[str, Callable[[], None]] = {
    "startup": startup,
    "manifests": ten_thousand,
    "claims": evidence.claims_of_many,
    "report": evidence.report_of_300,
    "audit": evidence.audits,
    "verdicts": deciding.verdicts,
    "alike": alike.real_processes,
    "compare": comparing.compare,
    "honest": honest_tables.audit_of_honest_tables,
    "litert": latency.against_litert_benchmark,
    "torch": latency.against_torch_benchmark,
    "runtimes": runtimes.against_runtimes_own_tools,
    "calling": calling.predict_against_signature,
    "splitting": calling.predict_in_two_steps,
    "int8": latency.int8_against_float32,
    "amp": precision.bfloat16_training,
    "pt2e": precision.compiled_int8,
    "engines": engines.same_cells,
    "containers": engines.time_per_cell,
    "overhead": overhead.own_processor_time,
    "telemetry": telemetry.sampling,
    "beside": beside.launcher_and_sampler,
    "watched": watched.with_and_without_the_screen,
    "slurm": slurm.submitting,
    "tui": screen.screen,
    "walks": walks.walks,
}


def main() -> int:
    chosen = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark {unknown[0]!r}. Accepted: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in chosen:
        print(f"{name}: {(BENCHMARKS[name].__doc__ or '').splitlines()[0]}", flush=True)
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
