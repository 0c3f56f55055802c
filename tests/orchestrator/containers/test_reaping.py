"""What an orchestrator clears away at its end, while its daemon is still busy."""

from __future__ import annotations

from typing import Any

import pytest

from manifests import paths
from orchestrator.engines.docker import reaping
from orchestrator.engines.docker.daemon import connect
from orchestrator.engines.docker.reaping import OWNER, Identity
from tests.fakes.daemon import FakeDaemon

REFUSAL = (409, "removal of container c1 is already in progress")


class BusyDaemon(FakeDaemon):
    """Refuses some times to remove the one container, or the one volume, that it has."""

    def __init__(self, path: str, refusals: int) -> None:
        super().__init__()
        self._path = path
        self._refusals = refusals

    def holds(self, owner: str) -> None:
        volume = self._path.startswith("/volumes")
        container = {"Id": "c1", "Labels": {OWNER: owner}, "State": "exited"}
        self.answers["/containers/json"] = [] if volume else [container]
        volumes = [{"Name": "v1", "Labels": {OWNER: owner}}] if volume else []
        self.answers["/volumes"] = {"Volumes": volumes}
        self.answers[self._path] = REFUSAL

    @property
    def removals(self) -> list[str]:
        return [path for path in self.asked if path.split("?")[0].endswith(self._path)]

    def reply(self, path: str) -> bytes | None:
        if path.split("?")[0].endswith(self._path) and len(self.removals) >= self._refusals:
            self.answers |= {"/containers/json": [], "/volumes": {"Volumes": []}}
            self.answers[self._path] = b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"
        return super().reply(path)


def end_of(daemon: BusyDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole session, at whose end the daemon holds something of it."""
    monkeypatch.setenv("DOCKER_HOST", daemon.url)
    found = connect()
    try:
        identity = Identity(found)
        with identity.held():
            daemon.holds(identity.name)
    finally:
        found.client.close()


def locks() -> list[Any]:
    return list((paths.cache() / "orchestrators").glob("*/*"))


@pytest.mark.parametrize("path", ["/containers/c1", "/volumes/v1"])
def test_a_daemon_that_refuses_for_a_moment_is_asked_again(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaping, "_LOOK_AGAIN_S", 0.01)
    with BusyDaemon(path, refusals=2) as daemon:
        end_of(daemon, monkeypatch)
        assert len(daemon.removals) == 3
    assert len(locks()) == 1  # kept for an hour, in case something of it appears late


def test_a_daemon_that_goes_on_refusing_is_left_to_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reaping, "_LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(reaping, "_REMOVED_WITHIN_S", 0.05)
    with BusyDaemon("/containers/c1", refusals=10_000) as daemon:
        end_of(daemon, monkeypatch)
        assert len(daemon.removals) > 1
    assert len(locks()) == 1
