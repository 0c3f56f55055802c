"""What a cell's container may do. Everything here can be read back with ``docker inspect``.

Nothing of the host is inside but the cell's own folder (writable), its data and its weights
(all read-only). What an image needs beyond these settings stands in its image.toml.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

from docker.types import DeviceRequest, LogConfig, Ulimit
from docker.types import Mount as DockerMount

from manifests.manifest import Container, Mount
from orchestrator.engines.base import Order
from orchestrator.engines.docker.accounts import NAME
from orchestrator.engines.docker.daemon import Daemon
from orchestrator.environments.images import ContainerNeeds

CELL, DATA, WEIGHTS, SCRATCH = "/cell", "/data", "/weights", "/tmp"
PRETRAINED = "/pretrained"
NOBODY = 65532
_MEMORY_SHARE = 0.9
# The root is read-only, and an image may name places of its own for these.
_ENVIRONMENT = {
    "HOME": SCRATCH,
    "USER": NAME,
    "TMPDIR": SCRATCH,
    "XDG_CACHE_HOME": f"{SCRATCH}/cache",
    "CUDA_CACHE_PATH": f"{SCRATCH}/cache/cuda",
    "TRITON_CACHE_DIR": f"{SCRATCH}/cache/triton",
    "TORCHINDUCTOR_CACHE_DIR": f"{SCRATCH}/cache/inductor",
    "TORCH_EXTENSIONS_DIR": f"{SCRATCH}/cache/torch_extensions",
    "NUMBA_CACHE_DIR": f"{SCRATCH}/cache/numba",
    "MPLCONFIGDIR": f"{SCRATCH}/cache/matplotlib",
}
_CDI_GPU = "nvidia.com/gpu"
NO_GPU_RUNTIME = (
    "the Docker daemon can't hand out GPUs: it has no NVIDIA runtime. Install the NVIDIA "
    "Container Toolkit, then: nvidia-ctk runtime configure && systemctl restart docker"
)


def caller(daemon: Daemon) -> tuple[int, int]:
    """User and group of the container, so that what it writes belongs to the caller.

    Root never runs a cell: behind sudo it is the user who typed the command, else nobody. A
    daemon without root maps its user to root inside, where root is an ordinary user outside.
    A daemon elsewhere hands results back by its archive calls, whoever wrote them: there it is
    the account that our images have.
    """
    if daemon.rootless:
        return 0, 0
    if not daemon.shares_files:
        return NOBODY, NOBODY
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    user = os.environ.get("SUDO_UID", "")
    group = os.environ.get("SUDO_GID", "")
    if user.isdigit() and group.isdigit() and int(user) != 0:
        return int(user), int(group)
    return NOBODY, NOBODY


def outside(daemon: Daemon) -> tuple[int, int]:
    """Who the container's user is on this machine: what the cell writes belongs to them."""
    return daemon.owner() if daemon.rootless else caller(daemon)


def describe(daemon: Daemon, needs: ContainerNeeds, order: Order, mounts: list[Mount]) -> Container:
    """The settings of one cell's container, as its manifest shows them."""
    user, group = caller(daemon)
    return Container(
        product=daemon.product,
        rootless=daemon.rootless,
        engine_version=daemon.version,
        api_version=daemon.api_version,
        user=f"{user}:{group}",
        network="none",
        read_only_root=True,
        capabilities_dropped=["ALL"],
        capabilities_added=needs.capabilities,
        security_options=["no-new-privileges:true"],
        pids_limit=needs.pids if daemon.limits_memory else None,
        memory_bytes=_memory_bytes(daemon, order),
        shm_bytes=needs.shm_mb * 2**20,
        cpus=list(order.cpus),
        gpus=list(order.gpus),
        gpu_request=gpu_request(daemon) if order.gpus else "",
        mounts=[*mounts, _scratch(needs)],
        environment=dict(_ENVIRONMENT),
        command=_command(order),
    )


def _memory_bytes(daemon: Daemon, order: Order) -> int | None:
    """The limit; none where the kernel would not hold it to one."""
    if not daemon.limits_memory:
        return None
    return order.memory_bytes or int(daemon.memory_bytes * _MEMORY_SHARE)


def _scratch(needs: ContainerNeeds) -> Mount:
    # torch.compile loads the libraries that it builds there, so it has to be executable.
    options = f"rw,exec,nosuid,nodev,size={needs.tmp_mb}m,mode=1777"
    return Mount(target=SCRATCH, kind="tmpfs", read_only=False, options=options)


def _command(order: Order) -> list[str]:
    """Arguments of ``python -m runners.launcher``, with the paths inside the container."""
    command = [CELL]
    if order.data is not None:
        command += ["--data", DATA]
    if order.weights is not None:
        command += ["--weights", WEIGHTS]
    if order.pretrained is not None:
        command += ["--pretrained", PRETRAINED]
    return command


def gpu_request(daemon: Daemon) -> str:
    """How this daemon hands out GPUs: "cdi", or "nvidia" for its older way."""
    return "cdi" if _cdi_gpus(daemon) else "nvidia"


def named_gpus(daemon: Daemon) -> list[str]:
    """Numbers of the GPUs that the daemon itself names; only newer ones do."""
    return [name for name in _cdi_gpus(daemon) if name.isdigit()]


def _cdi_gpus(daemon: Daemon) -> list[str]:
    names = [str(d.get("ID", "")) for d in daemon.info.get("DiscoveredDevices") or []]
    prefix = f"{_CDI_GPU}="
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def has_gpu_runtime(daemon: Daemon) -> bool:
    """Whether the daemon says that it can hand out NVIDIA GPUs; older setups can and don't say."""
    return gpu_request(daemon) == "cdi" or "nvidia" in (daemon.info.get("Runtimes") or {})


def device_requests(settings: Container) -> list[DeviceRequest]:
    """The request for the chosen GPUs, in the daemon's own way."""
    if not settings.gpus:
        return []
    if settings.gpu_request == "cdi":
        names = [f"{_CDI_GPU}={gpu}" for gpu in settings.gpus]
        return [DeviceRequest(driver="cdi", device_ids=names)]
    return [DeviceRequest(device_ids=settings.gpus, capabilities=[["gpu"]])]


def arguments(
    daemon: Daemon, settings: Container, sources: dict[str, str], labels: dict[str, str]
) -> dict[str, Any]:
    """Arguments of docker-py's ``containers.create``; ``sources`` maps targets to their source."""
    return {
        "command": settings.command,
        "user": settings.user,
        "network_mode": settings.network,
        "read_only": settings.read_only_root,
        "cap_drop": settings.capabilities_dropped,
        "cap_add": settings.capabilities_added,
        "security_opt": settings.security_options,
        "userns_mode": "host" if daemon.remaps_users and not daemon.podman else None,
        "pids_limit": settings.pids_limit,
        "mem_limit": settings.memory_bytes,
        "memswap_limit": settings.memory_bytes,
        "shm_size": settings.shm_bytes,
        "cpuset_cpus": ",".join(map(str, settings.cpus)) or None,
        "device_requests": device_requests(settings),
        "mounts": [_mount(m, sources[m.target]) for m in settings.mounts if m.kind != "tmpfs"],
        "tmpfs": {m.target: m.options for m in settings.mounts if m.kind == "tmpfs"},
        "environment": settings.environment,
        "working_dir": SCRATCH,
        "ulimits": _ulimits(daemon),
        "log_config": LogConfig(type="none"),
        "stdin_open": True,
        "labels": labels,
    }


def _ulimits(daemon: Daemon) -> list[Ulimit]:
    """No core files. Podman would raise two others to what not everybody may raise them to.

    Its service has no more processes than the kernel has numbers for.
    """
    limits = [Ulimit(name="core", soft=0, hard=0)]
    if daemon.podman and daemon.shares_files:
        files, processes = _own(resource.RLIMIT_NOFILE), _own(resource.RLIMIT_NPROC)
        most = _number(Path("/proc/sys/kernel/pid_max")) or processes
        limits += [
            Ulimit(name=name, soft=at_most, hard=at_most)
            for name, at_most in (("nofile", files), ("nproc", min(processes, most)))
        ]
    return limits


_UNLIMITED = 2**20


def _own(limit: int) -> int:
    """Our own hard limit, which its service has as a rule."""
    hard = resource.getrlimit(limit)[1]
    return _UNLIMITED if hard == resource.RLIM_INFINITY else min(hard, _UNLIMITED)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _mount(mount: Mount, source: str) -> DockerMount:
    return DockerMount(mount.target, source, type=mount.kind, read_only=mount.read_only)


def targets(order: Order) -> dict[str, tuple[Path, bool]]:
    """The folders that a cell gets: target to (folder, read-only)."""
    folders: dict[str, tuple[Path, bool]] = {CELL: (order.folder, False)}
    if order.data is not None:
        folders[DATA] = (order.data, True)
    if order.weights is not None:
        folders[WEIGHTS] = (order.weights, True)
    if order.pretrained is not None:
        folders[PRETRAINED] = (order.pretrained, True)
    return folders
