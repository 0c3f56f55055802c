"""A runner whose technique does what the cell's recipe says, in a real process.

Everything around the technique (events, manifest, signals, death of the parent) is the real
runner's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from manifests.cell import Cell
from manifests.manifest import Flag
from runners import __main__ as runner
from runners import techniques
from runners.failures import Unsupported
from runners.job import Job

RAISED = {
    "crash": ValueError("it broke\x1b[31m"),
    "memory": MemoryError("no more"),
    "unsupported": Unsupported("not on this machine"),
}


def behave(job: Job) -> None:
    recipe = job.cell.recipe
    seconds = float(recipe.get("seconds", 0))
    begin = time.monotonic()
    if recipe.get("weights") == "imagenet" and job.cell.weights_from is None:
        job.starts_from = f"ImageNet, {job.pretrained().name}"
    with open(os.environ["FAKE_LOG"], "a") as log:
        log.write(f"{job.cell.id}\n")
    if "FAKE_SAYS" in os.environ:
        print(os.environ["FAKE_SAYS"], flush=True)
        job.warn(os.environ["FAKE_SAYS"])
    if job.cell.weights_from:
        _read_weights(job)
    with job.phase(str(recipe.get("phase", "work"))):
        _act(str(recipe.get("behave", "ok")), job)
        time.sleep(seconds)
        _wait_for(os.environ.get("FAKE_UNTIL", ""))
    job.record("accuracy", [0.5])
    job.record("latency_s", _latencies(job.cell), items=job.cell.batch_size)
    _disturb(job)
    (job.folder / "weights.bin").write_bytes(b"weights")
    job.artifact("weights.bin", "test")
    _keep_place(job, begin)


def _latencies(cell: Cell) -> list[float]:
    """FAKE_LATENCIES: seconds by framework, e.g. alpha=0.002,beta=0.004; processes scatter by 2 %,
    each in its own way, which is the same every time.
    """
    given = os.environ.get("FAKE_LATENCIES", "")
    if not given:
        return [0.002, 0.001, 0.003]
    middle = float(dict(part.split("=") for part in given.split(","))[cell.framework])
    return [middle * (0.98 + 0.04 * int(cell.id[:4], 16) / 0xFFFF)] * 3


def _disturb(job: Job) -> None:
    """FAKE_BUSY: in those repeats of inference, or in every one, others took processor time."""
    busy = os.environ.get("FAKE_BUSY", "").split(",")
    if job.cell.task == "infer" and {"every", str(job.cell.repeat)} & set(busy):
        job.flag(Flag(name="busy-machine", detail="others took 50 %"))


def _wait_for(path: str) -> None:
    """FAKE_UNTIL: no cell ends before that file is there."""
    while path and not os.path.exists(path):
        time.sleep(0.01)


def _read_weights(job: Job) -> None:
    """FAKE_TAMPERS: they are changed under the cell's hands."""
    if "FAKE_TAMPERS" in os.environ:
        (job.weights.folder / "weights.bin").write_bytes(b"WEIGHTS")
    job.weights.file("weights.bin")


def _keep_place(job: Job, begin: float) -> None:
    """A line on when it ran, and with what to itself."""
    place = {
        "cell": job.cell.id,
        "begin": begin,
        "end": time.monotonic(),
        "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "cpus": sorted(os.sched_getaffinity(0)),
        "threads": job.threads,
    }
    with open(f"{os.environ['FAKE_LOG']}.places", "a") as log:
        log.write(json.dumps(place) + "\n")


def _meet(job: Job) -> None:
    """Go on when as many cells as the recipe says have come here."""
    folder = Path(f"{os.environ['FAKE_LOG']}.here")
    folder.mkdir(exist_ok=True)
    (folder / job.cell.id).touch()
    end = time.monotonic() + 120
    while len(list(folder.iterdir())) < float(job.cell.recipe["peers"]):
        if time.monotonic() > end:
            raise TimeoutError("nobody came")
        time.sleep(0.01)


def _grow(job: Job) -> None:
    """2 GiB, far beyond the limit of the group that the tests make."""
    kept = []
    for _ in range(64):
        kept.append(b"\1" * 2**25)


def _leave_a_process(job: Job) -> None:
    """One that goes on when the cell has ended."""
    orphan = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL)
    (job.folder / "orphan.txt").write_text(str(orphan.pid))


ACTIONS = {"grow": _grow, "leaves": _leave_a_process, "meet": _meet}


def _act(what: str, job: Job) -> None:
    if what in ACTIONS:
        ACTIONS[what](job)
    if what in RAISED:
        raise RAISED[what]
    if what == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if what == "flood":
        block = (b"x" * 99 + b"\n") * 1000
        for _ in range(200):
            os.write(job.events._descriptor or 1, block)
    if what == "half":
        (job.folder / "manifest.json").write_bytes(b'{"schema": "repliquant/mani')
        os._exit(9)


techniques.find = lambda cell: behave

if __name__ == "__main__":
    Path(os.environ["FAKE_LOG"]).touch()
    sys.exit(runner.main())
