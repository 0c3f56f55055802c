"""Cells as forks of one process: they leave what cells of their own leave, and harm nobody."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from manifests.cell import Cell
from manifests.codec import read_manifest
from manifests.manifest import Manifest
from manifests.order import CellOrder
from orchestrator.engines.base import Exit, Order
from orchestrator.engines.local_processes import LocalCell
from orchestrator.engines.shared_parents import ForkedCell, SharedParents
from runners import shared_parent
from tests.runners.launched import CONTEXT
from tests.runners.samples import a_cell, a_pack

TECHNIQUE = '''\
"""A probe that does what its feature asks for."""

import os
import signal
import sys
import time

from manifests.probe_record import Probe


def probe(job):
    print("imported once", os.environ.get("OPENBLAS_NUM_THREADS"))
    if job.cell.feature == "relu":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job.cell.feature == "gelu":
        time.sleep(600)
    if job.cell.feature == "elu":
        raise ValueError("no such layer")
    job.probe = Probe(outcome="int8", words=str(os.getppid()))
'''
FRAMEWORK = """\
title = "Mine"
modules = ["numpy"]
packages = ["numpy"]
shared_imports = ["numpy", "colorsys", "no_such_module"{more}]
"""
LONG_S = 120.0


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A framework that lies on REPLIQUANT_PATH."""
    folder = tmp_path / "outside" / "runners" / "mine"
    folder.mkdir(parents=True)
    (folder / "plain.py").write_text(TECHNIQUE)
    (folder / "__init__.py").write_text("")
    (folder / "framework.toml").write_text(FRAMEWORK.format(more=""))
    monkeypatch.setenv("REPLIQUANT_PATH", str(tmp_path / "outside"))
    return folder


@pytest.fixture
def parents() -> Iterator[SharedParents]:
    made = SharedParents()
    with made.session():
        yield made


def ordered(tmp_path: Path, feature: str, timeout_s: float | None = None) -> Order:
    """The folder of a probe, ready to be started."""
    cell: Cell = a_cell(task="probe", framework="mine", technique="plain", feature=feature)
    folder = tmp_path / f"cell-{feature}"
    folder.mkdir()
    data = a_pack(tmp_path / "pack").folder
    order = CellOrder(
        cell=cell, context=CONTEXT, threads=1, timeout_s=timeout_s, grace_s=2.0, data=str(data),
        interval_s=None,
    )  # fmt: skip
    for name, content in (("cell", cell), ("context", CONTEXT), ("order", order)):
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(content))
    return Order("r", cell.id, folder, data, None, 1, shares="mine")


def to_its_end(cell: ForkedCell | LocalCell) -> tuple[bytes, Exit]:
    said, end = b"", time.monotonic() + LONG_S
    while time.monotonic() < end:
        chunk = cell.read(1.0)
        if chunk is None:
            return said, cell.wait()
        said += chunk
    raise AssertionError("it doesn't end")


def forked(parents: SharedParents, order: Order) -> tuple[bytes, Exit, Manifest]:
    cell = parents.start(Path(sys.executable), order, "a-name")
    assert cell is not None
    said, ended = to_its_end(cell)
    return said, ended, read_manifest(order.folder / "manifest.json")


def test_forks_leave_what_processes_of_their_own_leave(
    tmp_path: Path, outside: Path, parents: SharedParents
) -> None:
    said, ended, manifest = forked(parents, ordered(tmp_path, "conv2d"))
    (tmp_path / "alone").mkdir()
    alone = ordered(tmp_path / "alone", "conv2d")
    command = [sys.executable, "-m", "runners.launcher", str(alone.folder)]
    own_said, own_ended = to_its_end(LocalCell(command, alone, "another"))
    own = read_manifest(alone.folder / "manifest.json")

    assert (ended, own_ended) == (Exit(code=0), Exit(code=0))
    assert manifest.probe is not None
    assert own.probe is not None
    assert manifest.probe.outcome == own.probe.outcome == "int8"
    assert (manifest.id, manifest.status, manifest.sealed_by) == (own.id, "ok", "launcher")
    assert said.count(b"\n") == own_said.count(b"\n")
    assert "imported once" in (tmp_path / "cell-conv2d" / "log.txt").read_text()


def test_a_fork_that_crashes_or_hangs_takes_nothing_with_it(
    tmp_path: Path, outside: Path, parents: SharedParents
) -> None:
    _, _, crashed = forked(parents, ordered(tmp_path, "relu"))
    _, _, hanging = forked(parents, ordered(tmp_path, "gelu", timeout_s=1.0))
    _, _, failing = forked(parents, ordered(tmp_path, "elu"))
    _, ended, fine = forked(parents, ordered(tmp_path, "lstm"))

    assert (crashed.status, crashed.reason) == ("crashed", "ended by SIGSEGV")
    assert hanging.status == "timeout"
    assert (failing.status, failing.reason) == ("crashed", "ValueError: no such layer")
    assert fine.status == "ok"
    assert ended == Exit(code=0)


def test_a_fork_can_be_asked_to_end_and_killed(
    tmp_path: Path, outside: Path, parents: SharedParents
) -> None:
    asked, killed = ordered(tmp_path, "gelu"), ordered(tmp_path / "pack", "gelu")
    first = parents.start(Path(sys.executable), asked, "first")
    assert first is not None
    first.ask_to_stop("cancelled", "enough")
    to_its_end(first)
    second = parents.start(Path(sys.executable), killed, "second")
    assert second is not None
    second.kill()
    _, ended = to_its_end(second)

    assert read_manifest(asked.folder / "manifest.json").status == "cancelled"
    assert ended.signal == 9
    assert not (killed.folder / "manifest.json").exists()
    assert second.where().pid is not None


def test_all_forks_have_one_parent_that_ends_with_the_session(
    tmp_path: Path, outside: Path
) -> None:
    made = SharedParents()
    with made.session():
        forked(made, ordered(tmp_path, "conv2d"))
        (parent,) = made._parents.values()
        assert parent is not None
        pid = parent._process.pid
        assert os.path.exists(f"/proc/{pid}")
    assert not os.path.exists(f"/proc/{pid}")


def test_a_process_with_threads_is_not_forked(
    tmp_path: Path, outside: Path, parents: SharedParents
) -> None:
    (outside / "threads.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    (outside / "framework.toml").write_text(FRAMEWORK.format(more=', "runners.mine.threads"'))

    assert parents.start(Path(sys.executable), ordered(tmp_path, "conv2d"), "a-name") is None
    assert parents.start(Path(sys.executable), ordered(tmp_path, "lstm"), "a-name") is None


def test_a_process_that_has_ended_is_no_parent(tmp_path: Path, outside: Path) -> None:
    made = SharedParents()
    with made.session():
        forked(made, ordered(tmp_path, "conv2d"))
        (parent,) = made._parents.values()
        assert parent is not None
        parent._process.kill()
        parent._process.wait()
        assert made.start(Path(sys.executable), ordered(tmp_path, "lstm"), "a-name") is None


def test_this_process_is_asked_for_its_threads() -> None:
    assert shared_parent.refusal() in (
        "",
        f"importing left {len(os.listdir('/proc/self/task'))} threads",
    )
