"""The Docker engine: a cell is a container of its image, hardened, and gone when it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docker.errors import APIError

from machine.allotment import allotment
from machine.inventory import visible_gpus
from manifests.errors import MachineError
from manifests.manifest import Container, ImageUsed
from orchestrator.engines.base import Capacity, Handle, Order, Tell
from orchestrator.engines.docker import builds, found_container, settings
from orchestrator.engines.docker.container import DockerCell
from orchestrator.engines.docker.daemon import GONE, Daemon, connect
from orchestrator.engines.docker.mounts import Shared, Sharing
from orchestrator.engines.docker.reaping import OUTLIVES, OWNER, Identity, reap
from orchestrator.engines.live_cells import LiveCell, LiveCells
from orchestrator.environments.images import Image
from orchestrator.messages import LogLine


class DockerEngine(LiveCells):
    """Containers of the daemon, Docker's or Podman's, that DOCKER_HOST or the docker context names.

    Raises MachineError when none answers, or none that we can talk to.
    """

    name = "docker"

    def __init__(self, detaches: bool = False) -> None:
        super().__init__()
        self.daemon: Daemon = connect()
        self.limits_memory = self.daemon.limits_memory
        # Only where folders are mounted is a cell's word on disk without us.
        self.detaches = detaches and self.daemon.shares_files
        self._identity = Identity(self.daemon)
        self._sharing = Sharing(self.daemon, self._identity.name)
        self._prepared: dict[str, str] = {}
        self._tell: Tell = lambda note: None

    @property
    def words(self) -> str:
        return self.daemon.words

    def capacity(self) -> Capacity:
        return Capacity(tuple(self.cpus()), tuple(self.gpus()), here=self.daemon.shares_files)

    def status(self, image: Image) -> str:
        if not image.for_containers:
            return "has no Dockerfile"
        with self.daemon.explained():
            if builds.find(self.daemon, image) is not None:
                return "ready"
            return f"not built; about {image.file.download_mb} MB to download"

    def obstacle(self, image: Image) -> str:
        """None that lasts: what can't be built now is said when it is built."""
        return ""

    def interpreter(self, image: Image) -> Path | None:
        return None

    def unavailable(self, image: Image) -> str:
        with self.daemon.explained():
            return builds.obstacle(self.daemon, image)

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        with self.daemon.explained():
            used = builds.build(self.daemon, image, tell)
        self._prepared[image.name] = used.id or ""
        return used

    def verify(self, image: Image) -> tuple[bool, str]:
        with self._identity.held(), self.daemon.explained():
            labels = {OWNER: self._identity.name}
            return builds.verify(self.daemon, image, labels, self._sharing.account())

    def cpus(self) -> list[int]:
        return list(range(self.daemon.cpus))

    def gpus(self) -> list[str]:
        """Those of this machine that are ours; of another machine those that the daemon names.

        None of Podman's: what it does with a request for GPUs nobody has seen here.
        """
        if self.daemon.podman:
            return []
        named = settings.named_gpus(self.daemon)
        if not self.daemon.shares_files:
            return named
        ours = allotment(len(named)) if named else visible_gpus()
        return list(ours.gpus)

    @contextlib.contextmanager
    def session(self, tell: Tell) -> Iterator[None]:
        self._tell = tell
        with self._identity.held():
            with self.daemon.explained():
                removed = reap(self.daemon)
            if removed:
                what = "1 container" if removed == 1 else f"{removed} containers"
                tell(LogLine(f"removed {what} that a dead orchestrator left"))
            yield

    def container(self, image: Image, order: Order) -> Container:
        mounts = self._sharing.mounts(order)
        return settings.describe(self.daemon, image.file.container, order, mounts)

    def start(self, image: Image, order: Order, name: str = "") -> LiveCell:
        cell = DockerCell(self.daemon, order, self._tell)
        try:
            built, given, shared = self._arguments(image, order)
            given |= {"name": found_container.named(name)} if name else {}
            given["stdin_open"] = not self.detaches  # its end is the container's
            cell.start(built, shared, given)
        except APIError as error:
            raise MachineError(_refusal(str(error.explanation))) from error
        except GONE:
            cell.lose(f"{self.daemon.service} went away")
        return cell

    def arguments(self, image: Image, order: Order) -> tuple[str, dict[str, Any], list[str]]:
        """A prepared image, how a cell's container of it is created, volumes made for it alone."""
        with self.daemon.explained():
            built, given, shared = self._arguments(image, order)
        return built, given, shared.volumes

    def _arguments(self, image: Image, order: Order) -> tuple[str, dict[str, Any], Shared]:
        built = self._image(image)
        described = self.container(image, order)
        shared = self._sharing.share(order, built)
        labels = self._identity.labels(order) | ({OUTLIVES: "yes"} if self.detaches else {})
        return built, settings.arguments(self.daemon, described, shared.sources, labels), shared

    def find(self, image: Image, order: Order, handle: Handle) -> LiveCell | None:
        with self.daemon.explained():
            return found_container.find(self.daemon, order, self._tell, handle.name)

    def _image(self, image: Image) -> str:
        """The image that was prepared: what is edited during a run does not change it."""
        built = self._prepared.get(image.name) or builds.find(self.daemon, image)
        if built is None:
            raise MachineError(f"the image {image.name} is gone; run: repliquant images build")
        return built


_UNREADABLE = (
    "; the user whose containers these are can't enter that folder: put cache and runs where they "
    "can be read (REPLIQUANT_CACHE, REPLIQUANT_RUNS)"
)
"""Seen with Podman of an ordinary user, for a caller whose cache lies in a home of mode 700."""


def _refusal(said: str) -> str:
    """Why the daemon did not start a container. That it can't hand out GPUs is known only now."""
    if "could not select device driver" in said:
        return settings.NO_GPU_RUNTIME
    hidden = _UNREADABLE if "mkdir" in said and "permission denied" in said else ""
    return f"its container can't be started: {said}{hidden}"
