"""What submitting and collecting many cells costs: a real Slurm, and a site that is a stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests.codec import encode_manifest
from manifests.run_folder import Run
from tests.conftest import Workshop
from tests.fakes.slurm import COMMANDS, Site
from tests.fakes.studies import write_study
from tests.manifests.samples import a_manifest

SETTINGS = "[slurm]\nlate_s = 0\n"
CELLS_A_QUADRUPLE = 10
REAL = 500
SUBMIT = ("run", "toy", "--engine", "fake-slurm")
SITES = (5_000, 10_000, 20_000)


class Cost(NamedTuple):
    """Of one command: seconds, its most memory in MB, and how often it called the scheduler."""

    seconds: float
    memory_mb: float
    calls: int


def submitting() -> None:
    """500 cells handed to a real Slurm; 5,000 to 20,000 to a stand-in, and collected."""
    if shutil.which("sbatch"):
        _real()
    else:
        print("  no sbatch here (just slurm-up)")
    for count in SITES:
        _site(count)


def _real() -> None:
    with tempfile.TemporaryDirectory() as name:
        made = _workshop(Path(name), REAL)
        log = _counted(Path(name) / "bin")
        variables = {"PATH": f"{log.parent}{os.pathsep}{os.environ['PATH']}"}
        try:
            _print(f"{REAL} cells submitted", _run(made, variables, log), REAL)
            status = ["status", str(_the_run(made).folder), "--json"]
            _print(f"status of {REAL} cells", _run(made, variables, log, status), REAL)
        finally:
            jobs = [path.read_text().strip() for path in made.runs.glob("*/slurm/*/job.txt")]
            subprocess.run(["scancel", *jobs], check=False)
            _wait_until_gone(jobs)


def _site(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        made = _workshop(Path(name), count)
        site = Site(Path(name) / "site", forgets=True)
        log = site.folder / "calls.txt"
        _print(f"{count:,} cells submitted", _run(made, site.environment, log), count)
        for job in site.jobs():
            tasks = job["tasks"]
            assert isinstance(tasks, dict)
            for task in tasks:
                site.set(str(job["job"]), int(task), "COMPLETED")
        _finish(_the_run(made))
        _print(f"{count:,} cells collected", _run(made, site.environment, log), count)


def _workshop(folder: Path, count: int) -> Workshop:
    """Whose study has so many cells that infer, in comparisons of their own."""
    sizes = list(range(1, CELLS_A_QUADRUPLE + 1))
    write_study(folder, batch_sizes=sizes, repeats=count // (2 * CELLS_A_QUADRUPLE))
    (folder / "repliquant.toml").write_text(SETTINGS)
    return Workshop(folder)


def _run(
    made: Workshop, variables: Mapping[str, str], log: Path, asked: Sequence[str] = SUBMIT
) -> Cost:
    before = _calls(log)
    command = made.command(*asked)
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=made.folder, env={**made.environment, **variables},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"exit {status}"
    return Cost(time.perf_counter() - begin, used.ru_maxrss / 1000, _calls(log) - before)


def _calls(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def _counted(folder: Path) -> Path:
    """Scripts in front of Slurm's commands that note each call; returns the file with them."""
    folder.mkdir()
    log = folder / "calls.txt"
    for name in COMMANDS:
        path = folder / name
        path.write_text(f'#!/bin/sh\necho {name} >>{log}\nexec {shutil.which(name)} "$@"\n')
        path.chmod(0o755)
    return log


def _finish(run: Run) -> None:
    """A manifest for each cell that is planned."""
    sample = a_manifest()
    for planned in run.plan().cells:
        done = msgspec.structs.replace(sample, cell=planned.cell, id=planned.id)
        run.manifest_path(planned.id).write_bytes(encode_manifest(done))


def _the_run(made: Workshop) -> Run:
    (folder,) = made.runs.iterdir()
    return Run(folder)


def _wait_until_gone(jobs: list[str]) -> None:
    """Tasks that are cancelled write into their folders until they have ended."""
    there = ["squeue", "--noheader", "--jobs", ",".join(jobs)]
    while jobs and subprocess.run(there, capture_output=True, check=False).stdout.strip():
        time.sleep(0.5)


def _print(what: str, cost: Cost, cells: int) -> None:
    print(
        f"  {what}: {cost.seconds:.1f} s, {cost.memory_mb:.0f} MB, "
        f"{cost.calls} calls of the scheduler ({100 * cost.calls / cells:.1f} a hundred cells)",
        flush=True,
    )
