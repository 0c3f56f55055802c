"""``python -m tests.docker.cli``: the real command line, with less patience where told.

GRACE_S: how long a cell that was asked to end is waited for. BACK_WITHIN_S: a daemon.
"""

import os

from cli.main import main
from orchestrator.engines.docker import daemon
from orchestrator.running import executor

executor.GRACE_S = float(os.environ.get("GRACE_S", executor.GRACE_S))
daemon.BACK_WITHIN_S = float(os.environ.get("BACK_WITHIN_S", daemon.BACK_WITHIN_S))

if __name__ == "__main__":
    main()
