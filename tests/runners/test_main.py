"""``python -m runners`` as the orchestrator starts it, in an interpreter without frameworks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

import runners
from manifests import event
from manifests.cell import Cell
from manifests.codec import read_manifest
from manifests.manifest import CodeVersion, Context, ImageUsed, Manifest
from tests.runners.samples import a_cell, a_pack

ROOT = Path(runners.__file__).parent.parent
STOP_ITSELF = """
import os, signal
print("asking to stop", flush=True)
os.kill(os.getpid(), signal.SIGTERM)
while True:
    signal.pause()
"""


class Ended(NamedTuple):
    """How a runner ended; ``folder`` is where it left its files."""

    status: int
    stdout: bytes
    stderr: str
    folder: Path

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.folder / "manifest.json")

    @property
    def events(self) -> list[event.Event]:
        return [event.decode(line) for line in self.stdout.splitlines()]

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()


def _run(tmp_path: Path, cell: Cell, *more: str, torch: str = "", **variables: str) -> Ended:
    """Run a cell; ``torch`` is the source of a stand-in that is imported in its place."""
    (tmp_path / "cell.json").write_bytes(msgspec.json.encode(cell))
    path = [str(ROOT)]
    if torch:
        (tmp_path / "torch.py").write_text(torch)
        path.append(str(tmp_path))
    folder = tmp_path / "cell"
    return _start(
        [str(tmp_path / "cell.json"), str(folder), *more], folder, os.pathsep.join(path), variables
    )


def _start(arguments: list[str], folder: Path, path: str, variables: dict[str, str]) -> Ended:
    done = subprocess.run(
        [sys.executable, "-m", "runners", *arguments],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path, **variables},
        capture_output=True,
        cwd=folder.parent,
        timeout=120,
    )
    return Ended(done.returncode, done.stdout, done.stderr.decode(), folder)


def test_a_framework_that_is_missing_is_a_crash_with_a_manifest(tmp_path: Path) -> None:
    ended = _run(tmp_path, a_cell(), torch="raise ModuleNotFoundError(\"No module named 'torch'\")")
    manifest = ended.manifest
    assert ended.status == 1
    assert (manifest.status, manifest.transient) == ("crashed", False)
    assert manifest.reason == "ModuleNotFoundError: No module named 'torch'"
    assert manifest.error.startswith("Traceback (most recent call last):\n")
    assert [phase.name for phase in manifest.phases] == ["import"]
    assert ended.stderr == ""


def test_a_failed_cell_still_says_where_it_ran(tmp_path: Path) -> None:
    manifest = _run(
        tmp_path, a_cell(), "--threads", "3", torch="1 / 0", OMP_NUM_THREADS="3"
    ).manifest
    environment = manifest.environment
    assert manifest.id == manifest.cell.id == a_cell().id
    assert (environment.threads, environment.variables["OMP_NUM_THREADS"]) == (3, "3")
    assert environment.packages["msgspec"] == msgspec.__version__
    assert environment.machine is not None
    assert environment.conditions is not None and environment.conditions.load_average
    memory = manifest.metric("peak_memory_bytes")
    assert memory is not None
    assert memory.source == "rss of the process"


def test_the_events_are_lines_on_stdout_and_prints_go_to_the_log(tmp_path: Path) -> None:
    ended = _run(tmp_path, a_cell(), torch="print('native noise', flush=True)\n1 / 0")
    kinds = [type(one).__name__ for one in ended.events]
    assert kinds == ["Phase", "Done"]
    assert isinstance(ended.events[-1], event.Done)
    assert ended.events[-1].status == "crashed"
    assert ended.events[-1].reason == "ZeroDivisionError: division by zero"
    assert "native noise\n" in ended.log


TIDY = """
import atexit, ctypes, time
ctypes.CDLL(None).printf(b"native words\\n")
atexit.register(time.sleep, 60)
1 / 0
"""


def test_a_framework_is_not_taken_apart_and_loses_no_words(tmp_path: Path) -> None:
    begin = time.monotonic()
    ended = _run(tmp_path, a_cell(), torch=TIDY)
    assert time.monotonic() - begin < 50
    assert ended.manifest.reason == "ZeroDivisionError: division by zero"
    assert "native words\n" in ended.log


def test_an_unknown_technique_is_unsupported(tmp_path: Path) -> None:
    ended = _run(tmp_path, a_cell(technique="ptq-egaer"))
    assert ended.status == 1
    assert ended.manifest.status == "unsupported"
    assert ended.manifest.reason.startswith(
        "no pytorch technique 'ptq-egaer'. Did you mean 'ptq-eager'?"
    )


@pytest.mark.parametrize(
    ("torch", "status", "reason"),
    [
        ("raise MemoryError", "oom", "out of memory: MemoryError()"),
        ("import sys; sys.exit(0)", "crashed", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "crashed", "KeyboardInterrupt: KeyboardInterrupt()"),
        ("raise OSError(28, 'No space left on device')", "crashed",
         "no space left to write to: [Errno 28] No space left on device"),
        (r"raise ValueError('weights-\udcff.npz')", "crashed",
         r"ValueError: weights-\udcff.npz"),
    ],
)  # fmt: skip
def test_whatever_is_raised_becomes_a_manifest(
    tmp_path: Path, torch: str, status: str, reason: str
) -> None:
    ended = _run(tmp_path, a_cell(), torch=torch)
    assert ended.status == 1
    assert (ended.manifest.status, ended.manifest.reason) == (status, reason)


def test_a_variable_that_is_no_text_still_gives_a_manifest(tmp_path: Path) -> None:
    ended = _run(tmp_path, a_cell(), torch="1 / 0", OMP_PLACES=os.fsdecode(b"\xff"))
    assert ended.manifest.environment.variables["OMP_PLACES"] == r"\udcff"


def test_sigterm_ends_the_cell_as_the_orchestrator_asked(tmp_path: Path) -> None:
    (tmp_path / "cell").mkdir()
    asked = {"status": "timeout", "reason": "not finished within its 60 s"}
    (tmp_path / "cell" / "stop.json").write_text(json.dumps(asked))
    ended = _run(tmp_path, a_cell(), torch=STOP_ITSELF)
    assert ended.status == 1
    assert (ended.manifest.status, ended.manifest.reason) == ("timeout", asked["reason"])
    assert not ended.manifest.transient
    assert ended.log == "asking to stop\n"


def test_sigterm_without_a_word_cancels_the_cell(tmp_path: Path) -> None:
    manifest = _run(tmp_path, a_cell(), torch=STOP_ITSELF).manifest
    assert (manifest.status, manifest.transient) == ("cancelled", True)
    assert manifest.reason == "the runner got SIGTERM"


def test_ctrl_c_at_the_terminal_is_left_to_the_orchestrator(tmp_path: Path) -> None:
    interrupted = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n1 / 0"
    manifest = _run(tmp_path, a_cell(), torch=interrupted).manifest
    assert manifest.reason == "ZeroDivisionError: division by zero"


def test_the_inputs_are_described(tmp_path: Path) -> None:
    data = a_pack(tmp_path / "cache")
    weights = tmp_path / "parent"
    weights.mkdir()
    (weights / "manifest.json").write_bytes(b"{}\n")
    context = Context(
        engine="local",
        image=ImageUsed(name="pytorch-cpu", kind="venv"),
        kit=CodeVersion(version="0.1.0"),
        run="r",
    )
    (tmp_path / "context.json").write_bytes(msgspec.json.encode(context))
    manifest = _run(
        tmp_path, a_cell(weights_from="0123456789ab"),
        "--data", str(data.folder), "--weights", str(weights),
        "--context", str(tmp_path / "context.json"), torch="1 / 0",
    ).manifest  # fmt: skip
    assert manifest.context == context
    assert manifest.inputs.dataset == data.meta
    assert manifest.inputs.weights == "cell 0123456789ab"
    assert manifest.inputs.weights_manifest_sha256 == (
        "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
    )
    assert manifest.inputs.seeds == {"seed": 3}


def _refused(tmp_path: Path, *arguments: str) -> Ended:
    return _start(list(arguments), tmp_path / "cell", str(ROOT), {})


def _is_one_line(ended: Ended) -> bool:
    return ended.stderr.startswith("runners: ") and ended.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b'{"study":"x"}', b"\xff", b"[" * 100_000])
def test_a_cell_that_cannot_be_read_ends_with_2_and_one_line(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "cell.json"
    path.write_bytes(content)
    ended = _refused(tmp_path, str(path), str(tmp_path / "cell"))
    assert (ended.status, ended.stdout) == (2, b"")
    assert _is_one_line(ended)
    assert str(path) in ended.stderr
    assert not (tmp_path / "cell" / "manifest.json").exists()


def test_files_that_are_missing_end_with_2_and_one_line(tmp_path: Path) -> None:
    (tmp_path / "cell.json").write_bytes(msgspec.json.encode(a_cell()))
    good = [str(tmp_path / "cell.json"), str(tmp_path / "cell")]
    gone = str(tmp_path / "gone")
    for arguments in ([gone, good[1]], [*good, "--data", gone], [*good, "--context", gone]):
        ended = _refused(tmp_path, *arguments)
        assert ended.status == 2
        assert _is_one_line(ended)
        assert gone in ended.stderr


def test_a_cell_that_has_a_manifest_is_not_run_again(tmp_path: Path) -> None:
    first = _run(tmp_path, a_cell(), torch="1 / 0")
    again = _run(tmp_path, a_cell(), torch="print('ran again')")
    assert (again.status, again.stdout) == (3, b"")
    assert _is_one_line(again)
    assert "manifest.json" in again.stderr
    assert "ran again" not in again.log
    assert again.manifest == first.manifest


def test_a_folder_that_cannot_be_written_to_ends_with_3(tmp_path: Path) -> None:
    (tmp_path / "cell").write_text("a file")
    ended = _run(tmp_path, a_cell())
    assert ended.status == 3
    assert _is_one_line(ended)


def test_a_manifest_that_cannot_be_written_ends_with_3(tmp_path: Path) -> None:
    take_its_place = f"import os; os.mkdir({str(tmp_path / 'cell' / 'manifest.json')!r}); 1 / 0"
    ended = _run(tmp_path, a_cell(), torch=take_its_place)
    assert ended.status == 3
    last = ended.events[-1]
    assert isinstance(last, event.Done)
    assert last.status == "crashed"
    assert last.reason.startswith("the manifest can't be written: ")


def test_wrong_arguments_end_with_2(tmp_path: Path) -> None:
    ended = _refused(tmp_path, "--no-such-option")
    assert ended.status == 2
    assert "usage: python -m runners" in ended.stderr
