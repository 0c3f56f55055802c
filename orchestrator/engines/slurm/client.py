"""Slurm's own commands, each asked with a deadline; what it does not answer is told as such.

https://slurm.schedmd.com/sbatch.html, squeue.html, sacct.html, scontrol.html, scancel.html.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from manifests.errors import MachineError

DEFAULT_ARRAY = 1001
"""MaxArraySize where nobody says otherwise: the default of slurm.conf."""

_SUBMIT_LIMIT = re.compile(
    r"job submit limit|SubmitLimit|SubmitJob|MaxSubmit|MaxJobCount|QOSMaxSubmit|AssocMaxSubmit"
    r"|Too many .*jobs|Resource temporarily unavailable",
    re.IGNORECASE,
)
_SILENT = re.compile(
    r"timed out|Unable to contact slurm controller|Connection refused|Zero Bytes"
    r"|Transport endpoint|socket|temporarily unable",
    re.IGNORECASE,
)
_TRIES = 4


class SilentError(MachineError):
    """The scheduler did not answer in time: whether it has heard is not known."""


class LimitError(MachineError):
    """The site takes no more jobs of this user now."""


class Limits(NamedTuple):
    """``most`` tasks of an array; its numbers begin at 1. ``requeues``: the site lets jobs be."""

    most: int
    requeues: bool
    cluster: str


class Node(NamedTuple):
    """Processors and generic resources of some nodes, and the partition they are in."""

    cpus: int
    gres: str
    partition: str
    default: bool


class Client:
    """One for a process; ``calls`` counts what the scheduler was asked."""

    def __init__(self, ask_s: float = 60.0, pause_s: float = 1.0, tries: int = _TRIES) -> None:
        self.ask_s = ask_s
        self._tries = tries
        self.calls = 0
        self._pause_s = pause_s

    def limits(self) -> Limits:
        """Raises MachineError when Slurm can't be asked."""
        text = self._ask(["scontrol", "show", "config"])
        found = dict(re.findall(r"^(\w+)\s*=\s*(.*?)\s*$", text, re.M))
        size = found.get("MaxArraySize", "")
        most = int(size) - 1 if size.isdigit() and int(size) > 1 else DEFAULT_ARRAY - 1
        return Limits(most, found.get("JobRequeue", "1") != "0", found.get("ClusterName", ""))

    def nodes(self) -> list[Node]:
        """Raises MachineError when Slurm can't be asked."""
        text = self._ask(["sinfo", "--noheader", "--format=%P|%c|%G"])
        found = []
        for line in text.splitlines():
            partition, cpus, gres = [*line.strip().split("|"), "", ""][:3]
            digits = re.match(r"\d+", cpus)
            if digits:
                default = partition.endswith("*")
                found.append(Node(int(digits[0]), gres, partition.rstrip("*"), default))
        return found

    def submit(self, script: Path, options: Sequence[str], answer: Path) -> None:
        """Hand a script over; the job's number is written into ``answer`` by sbatch itself, so
        that it is there also when this process is killed meanwhile.

        Raises LimitError, SilentError, or MachineError with what sbatch says.
        """
        self.calls += 1
        errors = answer.with_suffix(".err")
        command = ["sbatch", "--parsable", *options, str(script)]
        try:
            with open(answer, "wb") as out, open(errors, "wb") as err:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                    start_new_session=True,
                )  # fmt: skip
                code = process.wait(self.ask_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise SilentError(f"sbatch did not answer within {self.ask_s:g} s") from None
        except OSError as error:
            raise _not_there("sbatch", error) from error
        said = errors.read_text(errors="replace").strip()
        if code or not submitted_job(answer):
            raise _refused(said or f"sbatch ended with status {code} and printed no number")

    def queue(self, names: Sequence[str]) -> list[list[str]]:
        """Fields of each task of the arrays of these names that Slurm still knows.

        Raises MachineError when it does not answer.
        """
        text = self._ask([
            "squeue", "--array", "--noheader", "--states=all", f"--name={','.join(names)}",
            "--format=%j|%F|%K|%T|%r|%N",
        ])  # fmt: skip
        return [line.strip().split("|") for line in text.splitlines() if line.strip()]

    def accounting(self, jobs: Sequence[str], since: str) -> list[list[str]]:
        """Fields of each task that the accounting knows; none where there is no accounting.

        ``since`` is a day: without one, sacct looks at today alone.
        """
        try:
            text = self._ask([
                "sacct", "--allocations", "--parsable2", "--noheader", f"--starttime={since}",
                f"--jobs={','.join(jobs)}", "--format=JobID,State,ExitCode,NodeList",
            ], most=1)  # fmt: skip
        except MachineError:
            return []
        return [line.strip().split("|") for line in text.splitlines() if "|" in line]

    def cancel(self, jobs: Sequence[str]) -> None:
        """Raises MachineError when Slurm can't be asked."""
        self._ask(["scancel", *jobs])

    def _ask(self, command: list[str], most: int = _TRIES) -> str:
        """Again after a while where it was only silent."""
        tries = min(most, self._tries)
        for left in reversed(range(tries)):
            try:
                return self._once(command)
            except SilentError:
                if not left:
                    raise
                time.sleep(self._pause_s * 2 ** (tries - 1 - left))
        raise AssertionError("it was asked at least once")

    def _once(self, command: list[str]) -> str:
        self.calls += 1
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", timeout=self.ask_s, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise SilentError(f"{command[0]} did not answer within {self.ask_s:g} s") from None
        except OSError as error:
            raise _not_there(command[0], error) from error
        if done.returncode:
            raise _refused(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
        return done.stdout


def submitted_job(answer: Path) -> str:
    """The number that sbatch wrote, without the name of a cluster; empty where there is none."""
    try:
        found = re.match(r"(\d+)(;\S*)?\s*$", answer.read_text(errors="replace"))
    except OSError:
        return ""
    return found[1] if found else ""


def _refused(said: str) -> MachineError:
    text = said[-500:]
    if _SUBMIT_LIMIT.search(said):
        return LimitError(f"Slurm takes no more jobs now: {text}")
    if _SILENT.search(said):
        return SilentError(f"Slurm did not answer: {text}")
    return MachineError(f"Slurm refused: {text}")


def _not_there(command: str, error: OSError) -> MachineError:
    return MachineError(
        f"{command} can't be run ({error.strerror}). --engine slurm works where Slurm's commands "
        "are, as on a login node"
    )
