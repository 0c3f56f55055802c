"""Whether a registry has an image: asked rarely, and waited for no longer than seconds.

Plans ask, again and again on a screen, and a daemon without a network answers only when its own
patience ends.
"""

from __future__ import annotations

import threading
import time

from docker.errors import APIError

from manifests.deadlines import NoAnswerError, Patience
from orchestrator.engines.docker.daemon import GONE, Daemon

ANSWER_S = 5.0
AGAIN_S = 60.0
_answers: dict[tuple[str, str], tuple[bool, float]] = {}
_asking = threading.Lock()


def can_be_pulled(daemon: Daemon, base: str) -> bool:
    """Whether the registry answers, and has it; what was answered counts for a minute."""
    asked = (daemon.address, base)
    with _asking:
        found, until = _answers.get(asked, (False, 0.0))
        if time.monotonic() >= until:
            found = _ask(daemon, base)
            _answers[asked] = (found, time.monotonic() + AGAIN_S)
        return found


def _ask(daemon: Daemon, base: str) -> bool:
    patience = Patience()
    try:
        patience.call(lambda: daemon.client.api.inspect_distribution(base), ANSWER_S)
    except (NoAnswerError, APIError, *GONE):
        return False
    finally:
        patience.close()
    return True
