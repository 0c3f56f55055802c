"""Two orchestrators on one folder: the second is refused; a dead one leaves nothing behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from orchestrator.file_lock import HeldError, exclusive, waiting
from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import statuses, the_run, wait_until


def test_a_second_orchestrator_on_a_folder_is_refused_and_told_who_holds_it(
    workshop: Workshop,
) -> None:
    write_study(workshop.folder, seconds=60)
    first = workshop.start("-k", "alpha and train")
    try:
        wait_until(workshop.executed, "the first never began")
        told = workshop.run(status=2).stderr
    finally:
        first.terminate()
        first.communicate(timeout=120)
    folder = the_run(workshop).folder
    assert f"{folder} is in use by process {first.pid} on {socket.gethostname()}" in told
    assert "Wait for it, or choose another folder with --run" in told
    assert first.returncode == 130


def test_the_lock_of_a_killed_orchestrator_is_taken_over(workshop: Workshop) -> None:
    write_study(workshop.folder, seconds=0.4)
    first = workshop.start("-k", "alpha and train")
    wait_until(workshop.executed, "the first never began")
    first.kill()
    first.communicate()
    lock = the_run(workshop).folder / "lock"
    assert lock.read_text().startswith(f"process {first.pid} on ")
    workshop.run("-k", "alpha and train")
    assert statuses(workshop)[0] == "ok"
    assert not lock.read_text().startswith(f"process {first.pid} on ")


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), exclusive(tmp_path / "lock"):
        raise KeyError
    with exclusive(tmp_path / "lock"):
        pass


def test_the_holder_is_named_to_who_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive(lock), pytest.raises(HeldError) as refused, exclusive(lock):
        pass
    assert refused.value.holder == f"process {os.getpid()} on {os.uname().nodename}"


def test_nobody_waits_for_a_free_lock(tmp_path: Path) -> None:
    waited: list[str] = []
    with waiting(tmp_path / "lock", waited.append):
        pass
    assert waited == []
