"""What doctor tells of Docker or Podman: which, what it limits, whether it hands out GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from machine.inventory import visible_gpus
from manifests.errors import RepliquantError
from orchestrator.engines.base import Finding
from orchestrator.engines.docker.daemon import Daemon
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
    rootless = ", without root" if daemon.rootless and not daemon.podman else ""
    files = "" if daemon.shares_files else "; files travel through its archive calls"
    yield Finding("ok", "docker", f"{daemon.words}, API {daemon.api_version}{rootless}{files}")
    yield _limits(daemon)
    yield from _gpus(engine)


def _limits(daemon: Daemon) -> Finding:
    """Whether a cell that needs too much memory ends as ``oom``, or takes the machine's."""
    version = daemon.info.get("CgroupVersion") or "?"
    if daemon.limits_memory:
        return Finding("ok", "container limits", f"enforced (control groups, version {version})")
    why = "without root" if daemon.rootless else "the kernel lacks the controller"
    return Finding(
        "note", "container limits",
        f"memory and processes are not limited: {why}, control groups version {version}",
        "cells can take all memory; --memory is refused; --engine docker with root limits it",
    )  # fmt: skip


def _gpus(engine: DockerEngine) -> Iterator[Finding]:
    if engine.daemon.podman and visible_gpus().gpus:
        yield Finding("note", "docker gpus", "not asked of Podman", "GPU cells: --engine local")
    if not engine.gpus():
        return
    if has_gpu_runtime(engine.daemon):
        yield Finding("ok", "docker gpus", f"handed out by {gpu_request(engine.daemon)}")
    else:
        said, _, step = NO_GPU_RUNTIME.partition(". ")
        yield Finding("advice", "docker gpus", said, step)
