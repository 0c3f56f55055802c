"""The account that a container's user has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.errors import MachineError
from manifests.manifest import Mount
from orchestrator.engines.docker import accounts, mounts
from orchestrator.engines.docker.daemon import connect
from orchestrator.engines.docker.mounts import Sharing
from tests.fakes.daemon import FakeDaemon

MOUNT = Mount(target="/etc/passwd", kind="bind", read_only=True)


@pytest.fixture
def shared(
    fake_daemon: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sharing]:
    monkeypatch.setattr(mounts, "_in_container", lambda: False)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path))
    daemon = connect()
    yield Sharing(daemon, "0123")
    daemon.client.close()


def test_the_file_names_root_the_caller_and_nobody() -> None:
    assert accounts.passwd(1000, 100).splitlines() == [
        "root:x:0:0:root:/root:/bin/sh",
        "repliquant:x:1000:100:repliquant:/tmp:/usr/sbin/nologin",
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    ]


def test_it_is_written_once_for_a_user_and_mounted_to_be_read(
    shared: Sharing, tmp_path: Path
) -> None:
    path = tmp_path / "accounts" / "passwd-1000-100"
    first = shared.account()
    assert first.mounts == [MOUNT] and first.sources == {"/etc/passwd": str(path)}
    assert path.read_text() == accounts.passwd(1000, 100)
    assert path.stat().st_mode & 0o777 == 0o644
    before = path.stat().st_ino
    shared.account()
    assert path.stat().st_ino == before
    path.write_text("somebody else's")
    shared.account()
    assert path.read_text() == accounts.passwd(1000, 100)


def test_root_of_a_daemon_without_root_and_a_daemon_elsewhere_need_none(shared: Sharing) -> None:
    shared._daemon.shares_files = False
    assert shared.account() == ([], {}, [])


def test_a_place_that_cannot_be_written_is_one_sentence(shared: Sharing, tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("a file")
    with pytest.raises(MachineError, match=r"can't be written .*set REPLIQUANT_CACHE"):
        shared.account()
