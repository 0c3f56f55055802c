"""The engine ``auto``: containers where they can be had, else processes, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from manifests.errors import KitError
from orchestrator.engines import Engine, make_engine
from orchestrator.environments.images import Image

if TYPE_CHECKING:
    from orchestrator.engines.docker.engine import DockerEngine


class Choice(NamedTuple):
    """The engine, and the reason for it in one line."""

    engine: Engine
    why: str


def choose_engine(images: list[Image]) -> Choice:
    """Docker when an engine answers and every image is there or can be built; else local."""
    from orchestrator.engines.docker.engine import DockerEngine

    try:
        docker = DockerEngine()
    except KitError as error:
        return Choice(make_engine("local"), f"no Docker ({error})")
    for image in images:
        obstacle = _obstacle(docker, image)
        if obstacle:
            return Choice(make_engine("local"), f"{docker.daemon.words} answers, but {obstacle}")
    return Choice(docker, f"{docker.daemon.words} answers and the images are there or can be built")


def _obstacle(docker: DockerEngine, image: Image) -> str:
    """What is wrong with an image, or with the daemon meanwhile, is the image's obstacle."""
    try:
        return docker.obstacle(image)
    except KitError as error:
        return str(error)
