"""The engine ``auto``: containers where they can be had, else processes, and why."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.engines import Engine, make_engine
from orchestrator.errors import KitError
from orchestrator.images import Image


class Choice(NamedTuple):
    """The engine, and the reason for it in one line."""

    engine: Engine
    why: str


def choose_engine(images: list[Image]) -> Choice:
    """Docker when an engine answers and every image is there or can be built; else local."""
    from orchestrator.engines.docker import DockerEngine

    try:
        docker = DockerEngine()
    except KitError as error:
        return Choice(make_engine("local"), f"no Docker ({error})")
    for image in images:
        obstacle = docker.obstacle(image)
        if obstacle:
            return Choice(make_engine("local"), f"{docker.daemon.words} answers, but {obstacle}")
    return Choice(docker, f"{docker.daemon.words} answers and the images are there or can be built")
