"""A site's Slurm as files: sbatch, squeue, sacct, scontrol, sinfo and scancel of one script.

The folder FAKE_SLURM holds ``site.json`` (how the site behaves, see ``SITE``), a file for each
job, and ``calls.txt``. Nothing runs by itself: a test says what becomes of a task (``Site.set``),
or runs a bundle as a node would (``Site.run``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "sacct", "scontrol", "sinfo", "scancel")
SITE = {
    "array": 1001,  # MaxArraySize
    "submit_limit": 0,  # tasks that may be there at once; 0: any number
    "accounting": True,
    "late_accounting": [],  # jobs that sacct shows as running still
    "forgets": False,  # squeue knows nothing of what has ended
    "silent": {},  # by command: so many calls are not answered
    "heard": True,  # sbatch takes a job also where it doesn't answer
    "prints_nothing": 0,  # so many sbatch end with 0 and no number
    "down": False,
    "cpus": 2,
    "gres": "(null)",
}
ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "CANCELLED", "PREEMPTED")


class Site:
    """One site, from a test's side."""

    def __init__(self, folder: Path, **behave: object) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        for name in COMMANDS:
            (self.bin / name).write_text(
                f'#!/bin/sh\nexec {sys.executable} -I -S {__file__} {name} "$@"\n'
            )
            (self.bin / name).chmod(0o755)
        self.more: dict[str, str] = {}  # variables of what runs on nodes
        self.behave(**behave)

    def behave(self, **changes: object) -> None:
        path = self.folder / "site.json"
        before = json.loads(path.read_text()) if path.exists() else SITE
        path.write_text(json.dumps({**before, **changes}))

    @property
    def environment(self) -> dict[str, str]:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return {"FAKE_SLURM": str(self.folder), "PATH": path}

    def calls(self, name: str = "") -> list[str]:
        path = self.folder / "calls.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(name)]

    def jobs(self) -> list[dict[str, object]]:
        return [
            json.loads(p.read_text()) for p in sorted(self.folder.glob("job-*.json"), key=_number)
        ]

    def set(self, job: str, task: int, state: str, reason: str = "", node: str = "n1") -> None:
        """What Slurm says of a task from now on; "" for nothing any more."""
        path = self.folder / f"job-{job}.json"
        found = json.loads(path.read_text())
        found["tasks"][str(task)] = [state, reason, node]
        path.write_text(json.dumps(found))

    def script(self, job: str) -> str:
        return str(json.loads((self.folder / f"job-{job}.json").read_text())["text"])

    def run(self, job: str, task: int, restarts: int = 0, node: str = "n1") -> str:
        """Run a task's script as a node does, to its end; what it printed."""
        done = subprocess.run(
            [self._script(job)], env=self._variables(job, task, restarts, node), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
        )  # fmt: skip
        self.set(job, task, "COMPLETED" if done.returncode == 0 else "FAILED", node=node)
        return done.stdout

    def _script(self, job: str) -> Path:
        path = self.folder / f"{job}.sh"
        path.write_text(self.script(job))
        path.chmod(0o755)
        return path

    def _variables(self, job: str, task: int, restarts: int, node: str) -> dict[str, str]:
        more = {"SLURM_RESTART_COUNT": str(restarts)} if restarts else {}
        return {
            **os.environ, **self.more, **self.environment, **more,
            "SLURM_JOB_ID": str(int(job) + task),
            "SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": str(task), "SLURMD_NODENAME": node,
            "SLURM_JOB_PARTITION": "test", "SLURM_CLUSTER_NAME": "site", "SLURM_CPUS_ON_NODE": "2",
        }  # fmt: skip


def _number(path: Path) -> int:
    return int(path.stem.split("-")[1])


_NO_ARRAY = "Batch job submission failed: Invalid job array specification"
_LIMIT = (
    "QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates "
    "accounting/QOS policy (job submit limit, user's size and/or time limits)"
)
_TIMED_OUT = "Socket timed out on send/recv operation"
_NO_CONTROLLER = "Unable to contact slurm controller (connect failure)"


def _options(arguments: list[str]) -> dict[str, str]:
    return dict(a[2:].partition("=")[::2] for a in arguments if a.startswith("--"))


def _fail(name: str, error: str) -> int:
    print(f"{name}: error: {error}", file=sys.stderr)
    return 1


def _sbatch(site: dict, arguments: list[str]) -> int:
    """The number of the job; 0 where it was refused."""
    options = _options(arguments)
    first, _, last = options["array"].partition("%")[0].partition("-")
    if int(last) >= site["array"]:
        return _fail("sbatch", _NO_ARRAY) * 0
    jobs = [json.loads(p.read_text()) for p in FOLDER.glob("job-*.json")]
    there = sum(1 for j in jobs for t in j["tasks"].values() if t[0] and t[0] not in ENDED)
    if site["submit_limit"] and there + int(last) > site["submit_limit"]:
        return _fail("sbatch", _LIMIT) * 0
    text = Path(arguments[-1]).read_text()
    prefix = "#SBATCH --job-name="
    name = next(x[len(prefix) :] for x in text.splitlines() if x.startswith(prefix))
    job = max((j["job"] for j in jobs), default=1000) + 5000
    tasks = {str(n): ["PENDING", "Priority", ""] for n in range(int(first), int(last) + 1)}
    made = {"job": job, "name": name, "tasks": tasks, "text": text, "options": options}
    (FOLDER / f"job-{job}.json").write_text(json.dumps(made))
    return job


def _squeue(site: dict, arguments: list[str]) -> int:
    options = _options(arguments)
    names = options.get("name", "").split(",")
    for path in FOLDER.glob("job-*.json"):
        job = json.loads(path.read_text())
        if "nodelist" in options:
            for task in job["tasks"].values():
                if task[0] == "RUNNING" and task[2] == options["nodelist"]:
                    print(job["job"])
        elif job["name"] in names:
            for number, (state, reason, node) in job["tasks"].items():
                if state and not (site["forgets"] and state in ENDED):
                    print(f"{job['name']}|{job['job']}|{number}|{state}|{reason or 'None'}|{node}")
    return 0


def _sacct(site: dict, arguments: list[str]) -> int:
    if not site["accounting"]:
        print("Slurm accounting storage is disabled", file=sys.stderr)
        return 1
    options = _options(arguments)
    if "starttime" not in options:
        return 0  # it looks at today alone, and these are of yesterday
    for name in options["jobs"].split(","):
        path = FOLDER / f"job-{name}.json"
        for number, (state, reason, node) in json.loads(path.read_text())["tasks"].items():
            if state in ENDED:
                shown = (
                    "RUNNING" if name in site["late_accounting"] else f"{state} {reason}".strip()
                )
                print(f"{name}_{number}|{shown}|0:0|{node}")
            elif state:
                print(f"{name}_[{number}]|{state}|0:0|None assigned")
    return 0


def _scancel(arguments: list[str]) -> int:
    for name in arguments:
        job, _, task = name.partition("_")
        path = FOLDER / f"job-{job}.json"
        found = json.loads(path.read_text())
        for number in [task] if task else list(found["tasks"]):
            found["tasks"][number] = ["CANCELLED", "by 0", found["tasks"][number][2]]
        path.write_text(json.dumps(found))
    return 0


def _unanswered(site: dict, name: str) -> bool:
    left = site["silent"].get(name, 0)
    if left:
        site["silent"][name] = left - 1
        (FOLDER / "site.json").write_text(json.dumps(site))
    return left > 0


def _submit(site: dict, arguments: list[str], silent: bool) -> int:
    job = _sbatch(site, arguments)
    if not job:
        return 1
    if silent:
        return _fail("sbatch", _TIMED_OUT)
    if site["prints_nothing"]:
        site["prints_nothing"] -= 1
        (FOLDER / "site.json").write_text(json.dumps(site))
        return 0
    print(job)
    return 0


def _show(site: dict) -> int:
    facts = {"ClusterName": "site", "JobRequeue": 1, "MaxArraySize": site["array"]}
    print("\n".join(f"{key:<24}= {value}" for key, value in facts.items()))
    return 0


def _sinfo(site: dict) -> int:
    print(f"test*|{site['cpus']}|{site['gres']}\nlong|64+|gpu:a100:4")
    return 0


def main(name: str, arguments: list[str]) -> int:
    site = json.loads((FOLDER / "site.json").read_text())
    with open(FOLDER / "calls.txt", "a") as calls:
        calls.write(f"{name} {' '.join(arguments)}\n")
    if site["down"]:
        return _fail(name, _NO_CONTROLLER)
    silent = _unanswered(site, name)
    if silent and (name != "sbatch" or not site["heard"]):
        return _fail(name, _TIMED_OUT)
    commands = {
        "sbatch": lambda: _submit(site, arguments, silent),
        "scontrol": lambda: _show(site),
        "sinfo": lambda: _sinfo(site),
        "scancel": lambda: _scancel(arguments),
        "squeue": lambda: _squeue(site, arguments),
        "sacct": lambda: _sacct(site, arguments),
    }
    return commands[name]()


if __name__ == "__main__":
    FOLDER = Path(os.environ["FAKE_SLURM"])
    sys.exit(main(sys.argv[1], sys.argv[2:]))
