"""A Docker daemon that says what it is told to: HTTP over a Unix socket, for what goes wrong.

What works is tested against a real one, in tests/docker.
"""

from __future__ import annotations

import http.server
import json
import re
import socketserver
import tempfile
import threading
import urllib.parse
from pathlib import Path
from types import TracebackType
from typing import Any

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
INFO = {"NCPU": 4, "MemTotal": 8 * 2**30, "SecurityOptions": ["name=seccomp"], "Runtimes": {}}
PONG = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"


class FakeDaemon:
    """Answers at ``url`` while it is entered; ``asked`` are the paths of the requests so far.

    ``answers`` has a path without its version mean JSON, plain bytes (the whole answer, HTTP or
    not), an error (status, message), or None (never any answer).
    """

    def __init__(self, **version: Any) -> None:
        self.answers: dict[str, Any] = {
            "/_ping": PONG,
            "/version": {**VERSION, **version},
            "/info": dict(INFO),
        }
        self.asked: list[str] = []
        self._over = threading.Event()
        # The path of a socket is short; those of tests are not.
        self._folder = tempfile.TemporaryDirectory(prefix="daemon-")
        self.socket = Path(self._folder.name) / "d.sock"
        self.url = f"unix://{self.socket}"

    def __enter__(self) -> FakeDaemon:
        Path(self._folder.name).chmod(0o755)
        self._server = _Server(str(self.socket), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._folder.cleanup()

    def reply(self, path: str) -> bytes | None:
        """The whole HTTP answer; None for a client that is left waiting."""
        self.asked.append(path)
        plain = re.sub(r"^/v[0-9.]+", "", urllib.parse.unquote(path.split("?")[0]))
        told = self.answers.get(plain, (404, "No such image"))
        if told is None:
            self._over.wait()
            return None
        if isinstance(told, bytes):
            return told
        status, body = (told[0], {"message": told[1]}) if isinstance(told, tuple) else (200, told)
        text = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def _handler(daemon: FakeDaemon) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = daemon.reply(self.path)
            self.close_connection = True
            if answer is not None:
                self.wfile.write(answer)

        do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
