"""``python -m tests.docker.cli``: the real command line, with less patience where told.

GRACE_S: how long a cell that was asked to end is waited for. BACK_WITHIN_S: a daemon.
"""

import os

from orchestrator import attempts
from orchestrator.containers import daemon
from tui.cli import main

attempts.GRACE_S = float(os.environ.get("GRACE_S", attempts.GRACE_S))
daemon.BACK_WITHIN_S = float(os.environ.get("BACK_WITHIN_S", daemon.BACK_WITHIN_S))

if __name__ == "__main__":
    main()
