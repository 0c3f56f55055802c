"""A real terminal: a shell in tmux that types keys and reads its screen."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path


class Terminal:
    """A shell in tmux, on a server of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str], width: int = 100) -> None:
        """In ``folder``; of the environment it takes what concerns the project."""
        self._server = f"repliquant-{uuid.uuid4().hex[:8]}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", "40", "sh")
        for name, value in environment.items():
            if name.startswith("REPLIQUANT_") or name in ("DOCKER_HOST", "FAKE_LOG", "PYTHONPATH"):
                self.type(f"export {name}={shlex.quote(value)}")
        self.type(f"cd {shlex.quote(str(folder))}; clear")

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._server, *arguments]
        # Not what C code has put beside os.environ: readline sets COLUMNS to a width of its own.
        return subprocess.run(
            command, capture_output=True, text=True, check=True, env=dict(os.environ)
        ).stdout

    def type(self, line: str) -> None:
        self.tmux("send-keys", line, "Enter")

    def shows(self, condition: Callable[[str], bool], within_s: float = 120) -> str:
        """The screen, as soon as ``condition`` holds for it."""
        end = time.monotonic() + within_s
        while True:
            screen = self.tmux("capture-pane", "-p")
            if condition(screen):
                return screen
            assert time.monotonic() < end, screen
            time.sleep(0.05)

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._server, "kill-server"], check=False)
