"""What the Docker engine is made of: the daemon, images, settings, transfer, streams, reaping."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.engines.base import Engine, Entry, Finding


def _make() -> Engine:
    from orchestrator.engines.docker.engine import DockerEngine

    return DockerEngine()


def _examine() -> Iterator[Finding]:
    from orchestrator.engines.docker.examination import examine

    return examine()


ENGINE = Entry(_make, rank=10, containers=True, examine=_examine)
