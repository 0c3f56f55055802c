"""An image that no other test has."""

from __future__ import annotations

import contextlib
import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docker.errors import APIError

from orchestrator.engines.docker import builds
from orchestrator.environments.images import Image, load_image
from tests.docker.conftest import DockerWorkshop


class Images:
    """The image ``alpha`` of a workshop, as no other test has it. At the end all of it goes but
    the layers that the next build can use again.
    """

    def __init__(self, workshop: DockerWorkshop) -> None:
        self.workshop = workshop
        self.mark = uuid.uuid4().hex
        self.client = workshop.daemon.client
        self.folder = workshop.folder / "images" / "alpha"
        stage = "FROM ${BASE}\nCOPY --from=packages"
        self.replace("Dockerfile", stage, f"LABEL mark={self.mark}\n{stage}")
        self.append("Dockerfile", f"LABEL mark={self.mark}\n")

    @property
    def image(self) -> Image:
        return load_image("alpha", self.workshop.folder / "images")

    def append(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(path.read_text() + text)

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def build(self, *options: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.workshop("images", "build", "alpha", *options, *DOCKER, status=status)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.workshop.command("images", *arguments, "alpha", *DOCKER),
            cwd=self.workshop.folder, env=self.workshop.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def state(self) -> str:
        rows = json.loads(self.workshop("images", "list", "--json", *DOCKER).stdout)
        return str(next(row["state"] for row in rows if row["image"] == "alpha"))

    def wheels(self) -> Path:
        """The folder of its packages."""
        own = f"alpha-{self.image.container_lock_sha256[:12]}-3.11-*[!k]"
        (found,) = (self.workshop.folder / "cache" / "wheels").glob(own)
        return found

    def inspected(self) -> Any:
        return self.client.api.inspect_image(builds.tag(self.image))

    def made(self) -> list[str]:
        """Names of the images that were built here."""
        return [tag for image in self._labelled() for tag in image.tags]

    def _labelled(self) -> list[Any]:
        return list(self.client.images.list(filters={"label": f"mark={self.mark}"}, all=True))

    def containers(self) -> list[Any]:
        """Those of these images, and those that build them."""
        return [c for c in self.client.api.containers(all=True) if self._ours(c)]

    def _ours(self, container: Any) -> bool:
        own = [image.id for image in self._labelled()]
        return self.mark in container["Command"] or container["ImageID"] in own

    def remove(self) -> None:
        for container in self.containers():
            self.client.api.remove_container(container["Id"], force=True)
        for name in self.made():
            self.client.images.remove(name, noprune=True)
        before: set[str] = set()
        while (left := {image.id for image in self._labelled()}) != before:
            before = left
            for name in left:  # each goes after those that were made from it
                with contextlib.suppress(APIError):
                    self.client.images.remove(name, noprune=True)


DOCKER = ("--engine", "docker")


@contextlib.contextmanager
def own_images(workshop: DockerWorkshop) -> Iterator[Images]:
    """Nothing is left of them at the end, and nothing was left when the test was done."""
    made = Images(workshop)
    yield made
    left = made.containers()
    made.remove()
    assert left == []
