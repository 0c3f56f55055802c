"""Fixtures: a workshop is a folder with studies, images, cache and runs of its own."""

from __future__ import annotations

import collections
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from comparisons.report.charts import script
from tests.fakes import warm
from tests.fakes.studies import write_study
from tests.terminal import Terminal

# Started in the background by a shell, a process is told to ignore Ctrl-C, and its children too.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Under nohup it is the same with SIGHUP; the tests themselves go on, what they start takes it.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)

ROOT = Path(__file__).resolve().parent.parent
# Compiling our modules anew in each process would be half of what a short command costs.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(ROOT / ".cache" / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
CLI = (sys.executable, "-m", "tests.fakes.cli")
PROCESSORS = sorted(os.sched_getaffinity(0))


# Fixtures that make a test one of a marker's.
MARKERS = {
    "terminal": {"terminal", "browser"},
    "measures": {"reproduction", "characterization", "contained"},
}

DAEMONS = ("docker", "slurm")
"""What drives one of these uses all of it."""

_LONGEST_ID = 200


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two for each processor: half of a test's time is waiting for what it has started."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Where there is a processor for each worker, each keeps to its own.

    Frameworks start a thread for each processor that they may use: two cells that both use all of
    them wait for each other and take half as long again. What drives a daemon mostly waits, and
    counts processors.
    """
    worker = getattr(item.config, "workerinput", None)
    if worker is None or worker["workercount"] > len(PROCESSORS):
        return
    first = int(worker["workerid"].removeprefix("gw"))
    drives = group_of(item) in DAEMONS
    own = PROCESSORS if drives else PROCESSORS[first :: worker["workercount"]]
    os.sched_setaffinity(0, own)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen: collections.Counter[str] = collections.Counter()
    for item in items:
        first = item.get_closest_marker("first")
        if first is not None:
            test = item.nodeid.partition("[")[0]
            seen[test] += 1
            if seen[test] > first.args[0]:
                item.add_marker("thorough")
        for marker, fixtures in MARKERS.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(marker)
        item.add_marker(pytest.mark.xdist_group(group_of(item)))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Of an input that nobody wants to read in a test's name: how it begins, how long it is."""
    if isinstance(val, (bytes, str)) and len(val) > _LONGEST_ID:
        return f"{val[:20]!r}-of-{len(val)}"
    return None


def group_of(item: pytest.Item) -> str:
    """Tests that run one after the other: those of a file, all that drive the same daemons, and
    all that start from one training.
    """
    for marker in DAEMONS:
        if item.get_closest_marker(marker):
            return marker
    if "tflite_family" in getattr(item, "fixturenames", ()):
        return "tflite_family"
    return str(item.path)


@pytest.fixture(autouse=True)
def _no_docker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What needs no Docker Engine never asks the one of this machine, which may be busy."""
    if request.node.get_closest_marker("docker") is None:
        nowhere = tmp_path_factory.getbasetemp() / "no-docker.sock"
        monkeypatch.setenv("DOCKER_HOST", f"unix://{nowhere}")


class Workshop:
    """Runs the command line in a folder of its own, as a person would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.log = folder / "executed.txt"
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "REPLIQUANT_STUDIES": str(folder / "studies"),
            "REPLIQUANT_IMAGES": str(folder / "images"),
            "REPLIQUANT_CACHE": str(folder / "cache"),
            "REPLIQUANT_RUNS": str(self.runs),
            "FAKE_LOG": str(self.log),
            "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
            "COLUMNS": "160",
        }

    def command(self, *arguments: str) -> list[str]:
        return [*CLI, *arguments]

    def __call__(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; the exit status has to be ``status``."""
        done = self._done(arguments)
        assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def _done(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        python, option, module, *rest = command
        if (python, option) == CLI[:2] and warm.serves(self.environment):
            return warm.run_module(module, rest, self.folder, self.environment, timeout=120)
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True,
            errors="replace", timeout=120, check=False,
        )  # fmt: skip

    def run(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self("run", "toy", "--engine", "fake", *arguments, status=status)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``run toy`` and leave it running."""
        return subprocess.Popen(
            self.command("run", "toy", "--engine", "fake", *arguments), cwd=self.folder,
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def executed(self) -> list[str]:
        """Ids of the cells whose technique was entered, in order."""
        return self.log.read_text().split() if self.log.exists() else []

    def manifests(self) -> Sequence[Path]:
        return sorted(self.runs.glob("*/cells/*/manifest.json"))


@pytest.fixture(scope="session")
def drawing() -> Path:
    """The part of a cache that holds the script for charts: making it takes longer than a test."""
    script(ROOT / ".cache" / "charts")
    return ROOT / ".cache" / "charts"


@pytest.fixture
def workshop(tmp_path: Path, request: pytest.FixtureRequest) -> Workshop:
    """A workshop with the study ``toy``, whose cells all succeed."""
    write_study(tmp_path)
    made = Workshop(tmp_path)
    if request.node.get_closest_marker("unsampled"):
        made.environment["FAKE_UNSAMPLED"] = "1"
    return made


@pytest.fixture
def terminal(workshop: Workshop) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux here")
    made = Terminal(workshop.folder, workshop.environment)
    try:
        yield made
    finally:
        made.close()
