"""Whose the results are: an ordinary user in the socket's group, and one who is not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.codec import read_manifest
from orchestrator.engines.docker.daemon import Daemon
from tests.docker.conftest import DockerWorkshop, a_workshop

pytestmark = pytest.mark.docker
USER, GROUP = 23456, 23457


class UsersWorkshop(DockerWorkshop):
    """Commands are run by an ordinary user whose further groups are ``groups``.

    That user may read what root's folders hide, because the interpreter may lie there.
    """

    groups: tuple[int, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        groups = (
            ["--groups", ",".join(map(str, self.groups))] if self.groups else ["--clear-groups"]
        )
        read = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        become = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", *groups, *read]
        return [*become, *super().command(*arguments)]


@pytest.fixture
def users(
    daemon: Daemon, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UsersWorkshop]:
    if os.getuid() != 0:
        pytest.skip("NOT TESTED: only root can become another user; here all tests run as one")
    if shutil.which("setpriv") is None:
        pytest.skip("NOT TESTED: no setpriv (util-linux)")
    with a_workshop(tmp_path_factory.mktemp("roots"), daemon, wheels) as made:
        made("images", "build", "alpha", "beta", "--engine", "docker")
    folder = Path(tempfile.mkdtemp(prefix="repliquant-user-", dir="/var/tmp"))
    try:
        workshop = UsersWorkshop(folder, daemon, wheels)
        workshop.environment["HOME"] = str(folder)
        workshop.write()
        for place in (folder, *folder.rglob("*")):
            os.chown(place, USER, GROUP, follow_symlinks=False)
        yield workshop
        assert workshop.left() == []
        workshop.close()
    finally:
        shutil.rmtree(folder)


def test_results_belong_to_the_user_who_runs_inside(users: UsersWorkshop) -> None:
    users.groups = (os.stat(users.daemon.address.removeprefix("unix://")).st_gid,)
    users.write(behave="look")
    done = users.run("-k", "alpha and batch_size=1")
    assert f"runs as {USER}:{GROUP}" in done.stderr
    assert ": it " not in done.stderr
    found = [read_manifest(path) for path in users.manifests()]
    assert [manifest.status for manifest in found] == ["ok", "ok"]
    for manifest in found:
        assert manifest.context is not None and manifest.context.container is not None
        assert manifest.context.container.user == f"{USER}:{GROUP}"
    for path in users.runs.rglob("*"):
        assert (path.stat().st_uid, path.stat().st_gid) == (USER, GROUP), path


def test_who_is_not_in_the_group_is_told_so(users: UsersWorkshop) -> None:
    done = users.run(status=3)
    told = done.stderr.splitlines()
    assert told[-1].startswith(f"repliquant: no permission to use {users.daemon.address}. ")
    assert "group docker" in told[-1]
    assert not users.manifests()


def test_behind_sudo_the_container_runs_as_the_user_who_typed_it(
    docker_workshop: DockerWorkshop,
) -> None:
    if os.getuid() != 0:
        pytest.skip("NOT TESTED: not root, so there is no sudo to be behind")
    docker_workshop.environment |= {"SUDO_UID": str(USER), "SUDO_GID": str(GROUP)}
    docker_workshop.write(behave="look")
    done = docker_workshop.run("-k", "alpha and batch_size=1")
    assert f"runs as {USER}:{GROUP}" in done.stderr
