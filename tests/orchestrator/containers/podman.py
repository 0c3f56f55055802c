"""What Podman 4.3.1 answers, as far as it is read, and an order for a cell."""

from pathlib import Path
from typing import Any

from orchestrator.engines.base import Order

VERSION: dict[str, Any] = {
    "Platform": {"Name": "linux/amd64/debian-12"},
    "Components": [
        {"Name": "Podman Engine", "Version": "4.3.1", "Details": {"APIVersion": "4.3.1"}},
        {"Name": "Conmon", "Version": "conmon version 2.1.6, commit: unknown"},
        {"Name": "OCI Runtime (crun)", "Version": "crun version 1.8.1"},
    ],
    "Version": "4.3.1",
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.24",
}
INFO: dict[str, Any] = {
    "ID": "08df0543-a6ed-435a-a51d-f162c45da40a",
    "Name": "vm",
    "DockerRootDir": "/var/lib/containers/storage",
    "NCPU": 2,
    "MemTotal": 8 * 2**30,
    "MemoryLimit": True,
    "PidsLimit": True,
    "CgroupDriver": "cgroupfs",
    "CgroupVersion": "1",
    "Rootless": False,
    "SecurityOptions": ["name=seccomp,profile=default"],
    "Runtimes": {"crun": {"path": "/usr/bin/crun"}, "runc": {"path": "/usr/bin/runc"}},
}


def cell_order() -> Order:
    """A plain one."""
    return Order(
        run="toy-quick", cell="0123456789ab", folder=Path("/runs/toy-quick/cells/0123456789ab"),
        data=None, weights=None, threads=2,
    )  # fmt: skip
