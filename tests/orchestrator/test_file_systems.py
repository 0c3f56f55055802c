"""File systems without locks, syncs or permissions: a warning, once, and the work goes on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator import file_lock, lock_file_fallback
from orchestrator.file_lock import HeldError, exclusive, lock_names, waiting
from tests.conftest import ROOT, Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import runner_processes, statuses, the_run, wait_until

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]
ALPHA = ("-k", "alpha and batch_size=1")
DONE = ["ok", "-", "ok", "-", "-", "-"]
NO_LOCKS = [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EPERM]


@pytest.fixture(scope="session")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler, to take calls away from a file system")
    library = tmp_path_factory.mktemp("preload") / "filesystem.so"
    source = ROOT / "tests" / "fakes" / "filesystem.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture
def lacking(workshop: Workshop, preload: Path) -> Callable[..., Workshop]:
    """The workshop, on a file system that lacks some calls."""

    def make(**calls: int) -> Workshop:
        told = " ".join(f"{name.replace('_', '-')}={number}" for name, number in calls.items())
        workshop.environment |= {"LD_PRELOAD": str(preload), "LACKING_CALLS": told}
        return workshop

    return make


@pytest.mark.first(1)
@pytest.mark.parametrize("number", NO_LOCKS, ids=errno.errorcode.get)
def test_without_locks_a_run_warns_once_a_folder_and_goes_on(
    lacking: Callable[..., Workshop], number: int
) -> None:
    workshop = lacking(flock=number)
    told = " ".join(workshop.run(*ALPHA).stderr.split())
    assert told.count("is on a file system without locks") == 2  # runs, and the cache
    assert os.strerror(number) in told
    assert statuses(workshop) == DONE
    assert list(workshop.folder.rglob("*.held*")) == []


@pytest.mark.first(1)
@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ({"fsync_folder": errno.EINVAL}, "folders can't be made durable here"),
        pytest.param(
            {"fsync_folder": errno.EPERM},
            "folders can't be made durable here",
            marks=pytest.mark.thorough,
        ),
        ({"fsync_file": errno.ENOSYS}, "files can't be made durable here"),
        ({"fchmod": errno.EPERM}, "permissions of files can't be set here"),
        pytest.param(
            {"fchmod": errno.EOPNOTSUPP},
            "permissions of files can't be set here",
            marks=pytest.mark.thorough,
        ),
        ({"chmod": errno.EPERM}, "permissions of folders can't be set here"),
    ],
)
def test_what_a_file_system_lacks_is_said_once_and_done_without(
    lacking: Callable[..., Workshop], calls: dict[str, int], words: str
) -> None:
    workshop = lacking(**calls)
    told = " ".join(workshop.run(*ALPHA).stderr.split())
    assert told.count(words) == 1
    assert statuses(workshop) == DONE
    run = the_run(workshop).folder
    workshop("bundle", str(run), "-o", "run.zip")
    assert "run.zip: archive verified" in workshop("verify", "run.zip").stdout
    workshop("report", str(run))


def test_everything_that_holds_locks_does_without_them(lacking: Callable[..., Workshop]) -> None:
    workshop = lacking(flock=errno.ENOLCK, fsync_folder=errno.EINVAL, fchmod=errno.EPERM)
    workshop("images", "build", "alpha", "--engine", "local")
    workshop.run(*ALPHA)
    assert "2 cells done already; nothing to run" in workshop.run(*ALPHA).stderr


def test_an_error_that_is_a_disk_of_its_own_is_not_done_without(
    lacking: Callable[..., Workshop],
) -> None:
    for calls in ({"fsync_file": errno.EIO}, {"fsync_folder": errno.EIO}):
        told = lacking(**calls).run(*ALPHA, status=3).stderr
        assert "Input/output error" in told and "warning" not in told


def test_a_second_orchestrator_is_refused_without_locks_too(
    lacking: Callable[..., Workshop],
) -> None:
    workshop = lacking(flock=errno.ENOLCK)
    write_study(workshop.folder, seconds=60)
    first = workshop.start("-k", "alpha and train")
    try:
        wait_until(workshop.executed, "the first never began")
        told = " ".join(workshop.run(status=2).stderr.split())
        assert f"is in use by process {first.pid} on {os.uname().nodename}. Wait for it" in told
        workshop.environment["LACKING_CALLS"] = ""
        told = " ".join(workshop.run(status=2).stderr.split())
        assert f"is in use by process {first.pid} on {os.uname().nodename}. Wait for it" in told
    finally:
        first.terminate()
        first.communicate(timeout=120)


def test_the_file_of_a_killed_orchestrator_is_taken_away(
    lacking: Callable[..., Workshop],
) -> None:
    workshop = lacking(flock=errno.ENOLCK)
    write_study(workshop.folder, seconds=0.4)
    first = workshop.start("-k", "alpha and train")
    wait_until(workshop.executed, "the first never began")
    first.kill()
    first.communicate()
    held = the_run(workshop).folder / "lock.held"
    assert json.loads(held.read_bytes())["pid"] == first.pid
    wait_until(lambda: not runner_processes(workshop), "the runner outlived its orchestrator")
    workshop.run("-k", "alpha and train")
    assert statuses(workshop)[0] == "ok"
    assert not held.exists()


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process."""

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(file_lock.fcntl, "flock", refuse)


def write_holder(path: Path, **changes: object) -> None:
    """As if another process had made the file."""
    myself = lock_file_fallback._myself()
    fields = {"pid": myself.pid, "host": myself.host, "began": myself.began, "where": myself.where}
    lock_file_fallback.held_file(path).write_text(json.dumps({**fields, **changes}))


@pytest.mark.parametrize(
    "changes", [{"pid": 2**22 + 5}, {"began": "1"}], ids=["no process", "a later process"]
)
def test_a_holder_that_lives_no_more_does_not_count(
    tmp_path: Path, no_locks: None, changes: dict[str, object]
) -> None:
    write_holder(tmp_path / "lock", **changes)
    with exclusive(tmp_path / "lock"):
        assert lock_file_fallback.holder(tmp_path / "lock") is not None
    assert list(lock_names(tmp_path)) == [tmp_path / "lock"]


def test_a_holder_on_another_machine_counts_and_its_file_is_named(
    tmp_path: Path, no_locks: None
) -> None:
    write_holder(tmp_path / "lock", pid=7, host="node7", where="node7 another-boot")
    with pytest.raises(HeldError) as refused, exclusive(tmp_path / "lock"):
        pass
    assert refused.value.holder == (
        f"process 7 on node7 (if that runs no more, remove {tmp_path}/lock.held)"
    )


def test_a_file_that_is_being_written_counts_for_a_moment(tmp_path: Path, no_locks: None) -> None:
    held = lock_file_fallback.held_file(tmp_path / "lock")
    held.write_bytes(b"")
    with pytest.raises(HeldError), exclusive(tmp_path / "lock"):
        pass
    os.utime(held, (time.time() - 60, time.time() - 60))
    with exclusive(tmp_path / "lock"):
        pass
    assert not held.exists()


def test_who_was_killed_while_taking_a_file_away_stops_nobody(
    tmp_path: Path, no_locks: None
) -> None:
    write_holder(tmp_path / "lock", pid=2**22 + 5)
    breaking = tmp_path / "lock.held.breaking"
    breaking.touch()
    os.utime(breaking, (1, 1))
    with exclusive(tmp_path / "lock"):
        pass
    assert list(tmp_path.glob("*.held*")) == []


def test_who_waits_is_told_once_and_gets_it(tmp_path: Path, preload: Path, no_locks: None) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from orchestrator.file_lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); time.sleep(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(preload),
             "LACKING_CALLS": f"flock={errno.ENOLCK}"},
    ) as other:  # fmt: skip
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        told: list[str] = []
        with waiting(tmp_path / "lock", told.append):
            assert other.wait(10) == 0
    assert told == [f"process {other.pid} on {os.uname().nodename}"]


def test_of_many_that_want_it_one_has_it_at_a_time(tmp_path: Path, preload: Path) -> None:
    """Also while the file of a dead one lies there."""
    write_holder(tmp_path / "lock", pid=2**22 + 5)
    work = (
        "import os, sys, time; from pathlib import Path\n"
        "from orchestrator.file_lock import waiting\n"
        "folder = Path(sys.argv[1])\n"
        "for _ in range(5):\n"
        "    with waiting(folder / 'lock', lambda who: None):\n"
        "        os.mkdir(folder / 'inside'); time.sleep(0.01); os.rmdir(folder / 'inside')\n"
    )
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(preload),
        "LACKING_CALLS": f"flock={errno.ENOLCK}",
    }  # fmt: skip
    command = [sys.executable, "-c", work, str(tmp_path)]
    started = [subprocess.Popen(command, env=environment) for _ in range(6)]
    assert [process.wait(120) for process in started] == [0] * 6
    assert list(tmp_path.glob("*.held*")) == []
