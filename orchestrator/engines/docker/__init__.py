"""What the Docker engine is made of: the daemon, images, settings, transfer, streams, reaping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.engines.base import Engine, Entry, Finding
from orchestrator.environments.images import Image


def _make() -> Engine:
    from orchestrator.engines.docker.engine import DockerEngine

    return DockerEngine()


def _examine() -> Iterator[Finding]:
    from orchestrator.engines.docker.examination import examine

    return examine()


def _shell(image: Image, command: Sequence[str]) -> int:
    from orchestrator.engines.docker.shell import shell

    return shell(image, command)


ENGINE = Entry(_make, rank=10, containers=True, examine=_examine, shell=_shell)
