"""What doctor tells of Docker: the daemon, and whether it can hand out the GPUs that there are."""

from __future__ import annotations

from collections.abc import Iterator

from manifests.errors import RepliquantError
from orchestrator.engines.base import Finding
from orchestrator.engines.docker.engine import DockerEngine
from orchestrator.engines.docker.settings import NO_GPU_RUNTIME, gpu_request, has_gpu_runtime


def examine() -> Iterator[Finding]:
    """The daemon first."""
    try:
        engine = DockerEngine()
    except RepliquantError as error:
        said, _, step = str(error).partition(". ")
        yield Finding("note", "docker", said, f"{step}; until then: cells run without containers")
        return
    daemon = engine.daemon
    rootless = ", without root" if daemon.rootless else ""
    files = "" if daemon.shares_files else "; files travel through its archive calls"
    yield Finding("ok", "docker", f"{daemon.words}, API {daemon.api_version}{rootless}{files}")
    yield from _gpus(engine)


def _gpus(engine: DockerEngine) -> Iterator[Finding]:
    if not engine.gpus():
        return
    if has_gpu_runtime(engine.daemon):
        yield Finding("ok", "docker gpus", f"handed out by {gpu_request(engine.daemon)}")
    else:
        said, _, step = NO_GPU_RUNTIME.partition(". ")
        yield Finding("advice", "docker gpus", said, step)
