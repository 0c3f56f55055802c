"""A technique for the images of the Docker tests: it does what the cell's recipe says.

Copied into an image as runners/alpha/plain.py. Everything around it is the real runner.
"""

import getpass
import os
import pwd
import signal
import subprocess
import sys
import time

from runners.failures import Unsupported
from runners.job import Job

CACHES = ("_CACHE_HOME", "_CACHE_PATH", "_CACHE_DIR", "_EXTENSIONS_DIR", "CONFIGDIR")
FILL = "x = []\nwhile True: x.append(bytearray(8 << 20))"


def behave(job: Job) -> None:
    recipe = job.cell.recipe
    with job.phase("work"):
        BEHAVIOURS[str(recipe.get("behave", "ok"))](job)
        time.sleep(float(recipe.get("seconds", 0)))
    job.record("accuracy", [0.5])
    job.record("latency_s", [0.002, 0.001, 0.003], items=job.cell.batch_size)
    (job.folder / "weights.bin").write_bytes(b"weights")
    job.artifact("weights.bin", "test")


train = quantize = infer = behave


def crash(job: Job) -> None:
    raise ValueError("it broke\x1b[31m")


def refuse(job: Job) -> None:
    raise Unsupported("not on this machine")


def fill_memory(job: Job) -> None:
    """The kernel ends this very process."""
    exec(FILL)


def fill_memory_in_a_child(job: Job) -> None:
    """The kernel ends a child, and this process fails for it."""
    subprocess.run([sys.executable, "-c", FILL], check=True)


def lose_a_child(job: Job) -> None:
    """The kernel ends a child, and this process does without it."""
    ended = subprocess.run([sys.executable, "-c", FILL], check=False)
    job.warn(f"child: {ended.returncode}")


def lose_a_child_and_wait(job: Job) -> None:
    """Long enough for what comes to have nothing to do with the child's end."""
    lose_a_child(job)
    time.sleep(12)
    job.events.phase("waiting")


def end_with_a_child(job: Job) -> None:
    """As a framework does whose worker is gone."""
    lose_a_child(job)
    os._exit(4)


def kill_itself(job: Job) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fault(job: Job) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(job: Job) -> None:
    os._exit(161)  # as if signal 33 had ended it, which no signal does


def go_deaf(job: Job) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def leave_traps(job: Job) -> None:
    """Links and pipes where the orchestrator reads and writes."""
    os.symlink("/etc/passwd", job.folder / "stop.json")
    os.symlink("/etc", job.folder / "etc")
    os.mkfifo(job.folder / "manifest.json")
    os.unlink(job.folder / "log.txt")
    os.symlink("/etc/passwd", job.folder / "log.txt")
    os._exit(3)


def flood(job: Job) -> None:
    """Print at a steady rate, then how long it took."""
    lines_per_s = float(job.cell.recipe.get("lines_per_s", 1e5))
    block, begin = 1000, time.monotonic()
    total = int(lines_per_s * float(job.cell.recipe["flood_s"]))
    for first in range(0, total, block):
        sys.stdout.write("".join(f"line {i} \x1b[2J\n" for i in range(first, first + block)))
        ahead = first / lines_per_s - (time.monotonic() - begin)
        if ahead > 0:
            time.sleep(ahead)
    print(f"took {time.monotonic() - begin:.3f}", flush=True)


def flood_events(job: Job) -> None:
    """200 MB on the descriptor that events are sent through."""
    block = (b"\x1b[2J" + b"x" * 95 + b"\n") * 1000
    for _ in range(2000):
        os.write(job.events._descriptor or 1, block)


def look(job: Job) -> None:
    """Try what a container must not be able to do, and tell what could be done."""
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    attempts = {
        "writes its root": lambda: os.mkdir("/opt/x"),
        "writes its data": lambda: os.mkdir("/data/x"),
        "sees the docker socket": lambda: os.stat("/var/run/docker.sock"),
        "reaches a network": lambda: subprocess.run(
            [sys.executable, "-c", reach], check=True, capture_output=True
        ),
        "becomes root": lambda: os.setuid(0),
        "makes a device": lambda: os.mknod("/tmp/d", 0o600 | 0o020000, os.makedev(1, 3)),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
        except (OSError, subprocess.SubprocessError):
            continue
        job.warn(f"it {what}")
    job.warn(f"runs as {os.getuid()}:{os.getgid()}")


def tell_account(job: Job) -> None:
    """Who it is by name, and whether what is cached has a place."""
    job.warn(f"account: {pwd.getpwuid(os.getuid()).pw_name} {getpass.getuser()}")
    for name in ("HOME", "TMPDIR", *(n for n in os.environ if n.endswith(CACHES))):
        os.makedirs(os.environ[name], exist_ok=True)
        with open(os.path.join(os.environ[name], name), "w") as file:
            file.write("kept")
        job.warn(f"writes to {name}")


BEHAVIOURS = {
    "account": tell_account,
    "sleeps": lambda job: None,
    "waits": lambda job: job.events.phase("waiting"),
    "ok": lambda job: None,
    "crash": crash,
    "unsupported": refuse,
    "memory": fill_memory,
    "child-memory": fill_memory_in_a_child,
    "lost-child": lose_a_child,
    "ends-with-child": end_with_a_child,
    "lost-child-waits": lose_a_child_and_wait,
    "killed": kill_itself,
    "segfault": fault,
    "status-161": leave,
    "deaf": go_deaf,
    "traps": leave_traps,
    "flood": flood,
    "event-flood": flood_events,
    "look": look,
}
