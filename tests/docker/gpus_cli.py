"""``python -m tests.docker.gpus_cli``: the real command line on an engine that claims two GPUs.

Its containers ask the daemon for no device; everything else of them is as on GPUs.
"""

from orchestrator.engines.docker import settings
from orchestrator.engines.docker.engine import DockerEngine
from tests.docker.cli import main

DockerEngine.gpus = lambda self: ["0", "1"]  # type: ignore[method-assign]
settings.device_requests = lambda container: []

if __name__ == "__main__":
    main()
