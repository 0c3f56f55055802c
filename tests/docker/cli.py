"""``python -m tests.docker.cli``: the real command line, with less patience where told.

GRACE_S: how long a cell that was asked to end is waited for. BACK_WITHIN_S: a daemon.
DETACHES: containers outlive the orchestrator.
"""

import os

from cli.main import main
from orchestrator.engines import docker
from orchestrator.engines.docker import daemon
from orchestrator.engines.docker.engine import DockerEngine
from orchestrator.running import orders

orders.GRACE_S = float(os.environ.get("GRACE_S", orders.GRACE_S))
daemon.BACK_WITHIN_S = float(os.environ.get("BACK_WITHIN_S", daemon.BACK_WITHIN_S))

if "DETACHES" in os.environ:
    docker.ENGINE = docker.ENGINE._replace(make=lambda: DockerEngine(detaches=True))

if __name__ == "__main__":
    main()
