"""A technique for the images of the Docker tests: it does what the cell's recipe says.

Copied into an image as runners/alpha/plain.py. Everything around it is the real runner.
"""

import os
import signal
import subprocess
import sys
import time

from runners.failures import Unsupported
from runners.job import Job

FILL = "x = []\nwhile True: x.append(bytearray(8 << 20))"


def behave(job: Job) -> None:
    recipe = job.cell.recipe
    with job.phase("work"):
        _act(str(recipe.get("behave", "ok")), job)
        time.sleep(float(recipe.get("seconds", 0)))
    job.record("accuracy", [0.5])
    job.record("latency_s", [0.002, 0.001, 0.003], items=job.cell.batch_size)
    (job.folder / "weights.bin").write_bytes(b"weights")
    job.artifact("weights.bin", "test")


train = infer = behave


def _act(what: str, job: Job) -> None:
    if what == "crash":
        raise ValueError("it broke\x1b[31m")
    if what == "unsupported":
        raise Unsupported("not on this machine")
    if what == "memory":  # the kernel ends this very process
        exec(FILL)
    if what == "child-memory":  # the kernel ends a child, and this process notices
        subprocess.run([sys.executable, "-c", FILL], check=True)
    if what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if what == "flood":
        flood(float(job.cell.recipe.get("lines_per_s", 1e5)), float(job.cell.recipe["flood_s"]))
    if what == "stdout-flood":
        block = (b"x" * 99 + b"\n") * 1000
        for _ in range(2000):
            os.write(job.events._descriptor or 1, block)
    if what == "look":
        look(job)


def flood(lines_per_s: float, seconds: float) -> None:
    """Print at a steady rate, then how long it took."""
    block, begin = 1000, time.monotonic()
    total = int(lines_per_s * seconds)
    for first in range(0, total, block):
        sys.stdout.write("".join(f"line {i} \x1b[2J\n" for i in range(first, first + block)))
        ahead = first / lines_per_s - (time.monotonic() - begin)
        if ahead > 0:
            time.sleep(ahead)
    print(f"took {time.monotonic() - begin:.3f}", flush=True)


def look(job: Job) -> None:
    """Try what a container must not be able to do, and tell what could be done."""
    attempts = {
        "writes its root": lambda: open("/opt/x", "w"),
        "writes its data": lambda: open("/data/x", "w"),
        "sees the docker socket": lambda: os.stat("/var/run/docker.sock"),
        "reaches a network": lambda: subprocess.run(
            [sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80), 2)"],
            check=True, capture_output=True,
        ),
        "becomes root": lambda: os.setuid(0),
        "makes a device": lambda: os.mknod("/tmp/d", 0o600 | 0o020000, os.makedev(1, 3)),
    }  # fmt: skip
    for what, attempt in attempts.items():
        try:
            attempt()
        except Exception:
            continue
        job.warn(f"it {what}")
    job.warn(f"runs as {os.getuid()}:{os.getgid()}")
