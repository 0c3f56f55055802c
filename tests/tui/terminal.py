"""A real terminal: a shell in tmux that types keys and reads its screen."""

from __future__ import annotations

import shlex
import subprocess
import time
import uuid
from collections.abc import Callable

from tests.conftest import Workshop


class Terminal:
    """A shell in tmux, on a server of its own."""

    def __init__(self, workshop: Workshop) -> None:
        self._server = f"repliquant-{uuid.uuid4().hex[:8]}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", "sh")
        for name in ("FAKE_LOG", "PYTHONPATH"):
            self.type(f"export {name}={shlex.quote(workshop.environment[name])}")
        for name in ("STUDIES", "IMAGES", "CACHE", "RUNS"):
            value = workshop.environment[f"REPLIQUANT_{name}"]
            self.type(f"export REPLIQUANT_{name}={shlex.quote(value)}")
        self.type(f"cd {shlex.quote(str(workshop.folder))}; clear")

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._server, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def type(self, line: str) -> None:
        self.tmux("send-keys", line, "Enter")

    def shows(self, condition: Callable[[str], bool]) -> str:
        """The screen, as soon as ``condition`` holds for it."""
        end = time.monotonic() + 30
        while True:
            screen = self.tmux("capture-pane", "-p")
            if condition(screen):
                return screen
            assert time.monotonic() < end, screen
            time.sleep(0.05)

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._server, "kill-server"], check=False)
