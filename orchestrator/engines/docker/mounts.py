"""Getting a cell's folders into its container and its results out.

Where the daemon sees our files, folders are mounted. Where it doesn't (a remote daemon), they
travel through the daemon's archive calls into volumes and back.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from docker.errors import NotFound

from manifests import paths
from manifests.manifest import Mount
from orchestrator.engines.base import Order
from orchestrator.engines.docker import accounts, archives
from orchestrator.engines.docker.daemon import Daemon
from orchestrator.engines.docker.reaping import OWNER
from orchestrator.engines.docker.settings import CELL, caller, targets
from orchestrator.file_lock import waiting

DATA_LABEL = "repliquant.data"
_COMPLETE = ".complete"
_CONTAINER_ID = re.compile(r"/containers/([0-9a-f]{64})/")


class Shared(NamedTuple):
    """The mounts of a cell, where each comes from, and the volumes made for it alone."""

    mounts: list[Mount]
    sources: dict[str, str]
    volumes: list[str]


class Sharing:
    """Decides for each folder how it gets into a container."""

    def __init__(self, daemon: Daemon, owner: str) -> None:
        self._daemon = daemon
        self._owner = owner
        self._translation = _translation(daemon)

    def mounts(self, order: Order) -> list[Mount]:
        """How the folders of a cell will be mounted; nothing is made yet."""
        folders = [
            Mount(
                target=target,
                kind="bind" if self.host_path(folder) else "volume",
                read_only=read_only,
            )
            for target, (folder, read_only) in targets(order).items()
        ]
        return [*folders, *self._account_mounts()]

    def account(self) -> Shared:
        """What a container without a cell's folders is given."""
        return Shared(self._account_mounts(), self._account_sources(), [])

    def _account_mounts(self) -> list[Mount]:
        """/etc/passwd, where its user isn't root and the daemon sees the file that we write."""
        user, group = caller(self._daemon)
        if user == 0 or self.host_path(accounts.passwd_path(user, group)) is None:
            return []
        return [Mount(target=accounts.PASSWD, kind="bind", read_only=True)]

    def _account_sources(self) -> dict[str, str]:
        """Write the file that is mounted, and where the daemon finds it."""
        if not self._account_mounts():
            return {}
        path = accounts.write_passwd(*caller(self._daemon))
        return {accounts.PASSWD: self.host_path(path) or ""}

    def host_path(self, folder: Path) -> str | None:
        """The folder's path as the daemon knows it, None when it doesn't see it."""
        if not self._daemon.shares_files:
            return None
        if self._translation is None:
            return str(folder)
        for inside, outside in self._translation:
            if folder.is_relative_to(inside):
                return str(Path(outside) / folder.relative_to(inside)) if outside else None
        return None

    def share(self, order: Order, image: str) -> Shared:
        """Make what the mounts need: nothing for a bind, a filled volume otherwise."""
        mounts = self.mounts(order)
        sources = self._account_sources()
        volumes: list[str] = []
        for mount in mounts:
            if mount.target in sources:
                continue
            folder, _ = targets(order)[mount.target]
            if mount.kind == "bind":
                sources[mount.target] = self.host_path(folder) or ""
            elif mount.target == CELL or (folder / "cell.json").exists():
                volumes.append(self._filled(folder, image, mount.target))
                sources[mount.target] = volumes[-1]
            else:
                sources[mount.target] = self._data(folder, image)
        return Shared(mounts, sources, volumes)

    def _filled(self, folder: Path, image: str, target: str) -> str:
        """A volume for one cell with the content of ``folder``."""
        labels = {OWNER: self._owner}
        volume = self._daemon.client.volumes.create(labels=labels)
        self._fill(volume.name, folder, image, writable=target == CELL)
        return str(volume.name)

    def _data(self, folder: Path, image: str) -> str:
        """The volume of a data pack or of published weights: filled once, found by its hash."""
        name = f"repliquant-data-{folder.name}-{archives.digest(folder)[:12]}"
        lock = paths.cache() / "volumes" / f"{name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        volumes = self._daemon.client.volumes
        with waiting(lock, lambda who: None):
            try:
                volumes.get(f"{name}{_COMPLETE}")
            except NotFound:
                volumes.create(name, labels={DATA_LABEL: folder.name})
                self._fill(name, folder, image, writable=False)
                volumes.create(f"{name}{_COMPLETE}", labels={DATA_LABEL: folder.name})
        return name

    def _fill(self, volume: str, folder: Path, image: str, writable: bool) -> None:
        """Through a container that never starts: archives go into containers only."""
        api = self._daemon.client.api
        config = api.create_host_config(binds={volume: {"bind": "/fill", "mode": "rw"}})
        made = api.create_container(image, host_config=config, labels={OWNER: self._owner})
        try:
            owner = caller(self._daemon) if writable else (0, 0)
            with archives.packed(folder, "fill", owner) as archive:
                api.put_archive(made["Id"], "/", archive)
        finally:
            api.remove_container(made["Id"], force=True)


def _translation(daemon: Daemon) -> list[tuple[Path, str]] | None:
    """What is mounted where, when we ourselves run in a container of this daemon; else None.

    A machine may look like a container and be none of this daemon's: then the daemon's own
    folder lies in sight. Where it does not, no path of ours is taken to be known to it.
    """
    if not daemon.shares_files or not _in_container():
        return None
    own = _own_container(daemon)
    if own is None:
        return None if os.path.isdir(daemon.info.get("DockerRootDir", "")) else []
    pairs = [(Path(m["Destination"]), str(m.get("Source") or "")) for m in own["Mounts"]]
    pairs += [(Path(place), "") for place in own["HostConfig"].get("Tmpfs") or {}]
    return sorted(pairs, key=lambda pair: len(pair[0].parts), reverse=True)


def _in_container() -> bool:
    return os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")


def _own_container(daemon: Daemon) -> dict[str, Any] | None:
    """Our own container: by the host name that Docker gives, or by the files it mounts."""
    own = os.uname().nodename
    for name in (own, *_CONTAINER_ID.findall(Path("/proc/self/mountinfo").read_text())):
        try:
            found: dict[str, Any] = daemon.client.api.inspect_container(name)
        except NotFound:
            continue
        if found["Config"]["Hostname"] == own:  # else only its name is like ours
            return found
    return None
