"""One attempt: what becomes of a cell by how its engine says that it ended."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from manifests import event
from manifests.codec import read_manifest, write_manifest
from manifests.manifest import CodeVersion, Context, ImageUsed, Status
from manifests.order import CellOrder
from manifests.telemetry_series import HostSample, Opening, PhaseMark, Sample, encode
from orchestrator.engines.base import Exit
from orchestrator.running import attempt as attempts
from orchestrator.running.attempt import Attempt
from tests.manifests.samples import a_cell, a_manifest

CONTEXT = Context(
    engine="stub",
    image=ImageUsed(name="none", kind="given"),
    kit=CodeVersion(version="1"),
    run="toy",
)
STEP = event.encode(event.Phase(time_s=1.0, name="work"))


class Stub:
    """Prints ``chunks`` and ends; where it ``hangs``, only when it is asked to or killed."""

    def __init__(self, ended: Exit, chunks: tuple[bytes, ...] = (), hangs: bool = False) -> None:
        self.ended = ended
        self.chunks = list(chunks)
        self.hangs = hangs
        self.asked: list[tuple[Status, str]] = []
        self.killed = self.waited = 0

    def read(self, timeout_s: float) -> bytes | None:
        if self.chunks:
            return self.chunks.pop(0)
        return b"" if self.hangs and not self.asked and not self.killed else None

    def ask_to_stop(self, status: Status, reason: str) -> None:
        self.asked.append((status, reason))

    def kill(self) -> None:
        self.killed += 1

    def wait(self) -> Exit:
        self.waited += 1
        return self.ended


def an_attempt(folder: Path, timeout_s: float = 60.0) -> Attempt:
    return Attempt(CellOrder(cell=a_cell(), context=CONTEXT, timeout_s=timeout_s), folder)


@pytest.mark.parametrize(
    ("ended", "status", "reason", "transient"),
    [
        (Exit(1), "crashed", "ended with status 1 and left no manifest", False),
        (Exit(0), "crashed", "ended with status 0 and left no manifest", False),
        (Exit(137, signal=9), "crashed", "ended by SIGKILL from outside the runner", True),
        (Exit(143, signal=15), "crashed", "ended by SIGTERM from outside the runner", True),
        (Exit(139, signal=11), "crashed", "ended by SIGSEGV", False),
        (Exit(165, signal=37), "crashed", "ended by signal 37", False),
        (Exit(160, signal=32), "crashed", "ended by signal 32", False),
        (Exit(137, signal=9, oom=True), "oom",
         "the kernel ended it: it reached its memory limit", False),
        (Exit(0, lost="the daemon went away"), "crashed", "the daemon went away", True),
    ],
)  # fmt: skip
def test_how_it_ended_without_a_manifest(
    tmp_path: Path, ended: Exit, status: str, reason: str, transient: bool
) -> None:
    attempt = an_attempt(tmp_path)
    manifest = attempt.follow(Stub(ended, (STEP,)), lambda _: None)
    assert (manifest.status, manifest.reason, manifest.transient) == (status, reason, transient)
    assert attempt.lost == ended.lost
    assert manifest.context == CONTEXT


@pytest.mark.parametrize(
    ("status", "transient", "lost"),
    [("ok", False, ""), ("oom", False, ""), ("crashed", False, ""), ("cancelled", True, "gone")],
)
def test_what_the_cell_had_settled_stands_when_the_engine_goes_away(
    tmp_path: Path, status: Status, transient: bool, lost: str
) -> None:
    """A daemon that is stopped asks its containers to end, which they note as cancelled."""
    own = a_manifest(a_cell(), status=status, transient=transient)
    write_manifest(tmp_path / "manifest.json", own)
    attempt = an_attempt(tmp_path)
    manifest = attempt.follow(Stub(Exit(0, lost="gone")), lambda _: None)
    assert manifest == own
    assert attempt.lost == lost


def test_a_cell_cancelled_before_it_was_started_is_asked_at_once(tmp_path: Path) -> None:
    attempt = an_attempt(tmp_path)
    attempt.cancel("interrupted")
    stub = Stub(Exit(143, signal=15), hangs=True)
    manifest = attempt.follow(stub, lambda _: None)
    assert stub.asked == [("cancelled", "interrupted")]
    assert (manifest.status, manifest.reason) == ("cancelled", "interrupted; it left no manifest")
    assert attempt.cancelled


def test_a_cell_killed_before_it_was_started_is_killed_at_once(tmp_path: Path) -> None:
    attempt = an_attempt(tmp_path)
    attempt.cancel("interrupted")
    attempt.kill()
    stub = Stub(Exit(137, signal=9), (b"", b""))
    manifest = attempt.follow(stub, lambda _: None)
    assert stub.killed >= 1
    assert manifest.reason == "interrupted; it had to be killed"


def test_a_launcher_that_does_not_hear_is_asked_again_and_then_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    def monotonic() -> float:
        clock[0] += 0.4
        return clock[0]

    monkeypatch.setattr(attempts.time, "monotonic", monotonic)
    attempt = an_attempt(tmp_path, timeout_s=2.0)
    stub = Stub(Exit(137, signal=9), (b"",) * 300)
    manifest = attempt.follow(stub, lambda _: None)
    assert manifest.status == "timeout"
    assert manifest.reason == "not finished within its 2 s; it had to be killed"
    assert set(stub.asked) == {("timeout", "not finished within its 2 s")}
    assert len(stub.asked) > 5
    assert stub.killed > 0


def test_only_the_first_word_counts(tmp_path: Path) -> None:
    attempt = an_attempt(tmp_path)
    attempt.cancel("first")
    attempt.cancel("second")
    stub = Stub(Exit(0), hangs=True)
    assert attempt.follow(stub, lambda _: None).reason == "first; it left no manifest"
    assert stub.asked == [("cancelled", "first")]


def test_a_listener_that_fails_does_not_leave_the_cell_running(tmp_path: Path) -> None:
    def fail(message: object) -> None:
        raise RuntimeError("nobody listens")

    stub = Stub(Exit(0), (STEP,), hangs=True)
    with pytest.raises(RuntimeError, match="nobody listens"):
        an_attempt(tmp_path).follow(stub, fail)
    assert stub.asked == [("cancelled", "nobody listens")]
    assert (stub.killed, stub.waited) == (1, 1)


def test_a_manifest_cut_short_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(msgspec.json.encode({"schema": "repliquant/mani"}))
    manifest = an_attempt(tmp_path).follow(Stub(Exit(9)), lambda _: None)
    assert manifest.reason == "ended with status 9 and left no manifest"
    assert (tmp_path / "manifest.unreadable.json").exists()


def test_what_the_launcher_sealed_is_never_written_again(tmp_path: Path) -> None:
    own = a_manifest(a_cell(), sealed_by="launcher")
    write_manifest(tmp_path / "manifest.json", own)
    before = (tmp_path / "manifest.json").stat()
    assert an_attempt(tmp_path).follow(Stub(Exit(0)), lambda _: None) == own
    after = (tmp_path / "manifest.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_cell_left_without_its_launcher_is_sealed_here(tmp_path: Path) -> None:
    """With what its sampler had written until then."""
    write_manifest(tmp_path / "result.json", a_manifest(a_cell()))
    lines = [Opening(started_at="t", interval_s=0.5, cell=a_cell().id),
             PhaseMark(time_s=0.5, name="measure"),
             *(Sample(time_s=t, host=HostSample(cpu_percent=c))
               for t, c in ((0.0, 1.0), (1.0, 40.0), (2.0, 60.0)))]  # fmt: skip
    series = b"".join(encode(line) for line in lines) + b'{"line":"sam'
    (tmp_path / "telemetry.jsonl").write_bytes(series)
    manifest = an_attempt(tmp_path).follow(Stub(Exit(137, signal=9)), lambda _: None)
    assert (manifest.status, manifest.sealed_by) == ("ok", "collector")
    assert read_manifest(tmp_path / "manifest.json") == manifest
    assert not (tmp_path / "result.json").exists()
    told = manifest.telemetry
    assert told is not None and told.reason == "its launcher ended before the series was summed up"
    assert told.sha256 == hashlib.sha256(series).hexdigest()
    assert (told.samples, told.phases) == (3, ["start", "measure"])
    assert told.readings["host/cpu_percent"].mean == [1.0, 50.0]


def test_half_a_result_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes(b'{"schema": "repliquant/mani')
    manifest = an_attempt(tmp_path).follow(Stub(Exit(137, signal=9)), lambda _: None)
    assert (manifest.status, manifest.sealed_by) == ("crashed", "collector")
    assert manifest.telemetry is None
    assert (tmp_path / "result.unreadable.json").exists()
