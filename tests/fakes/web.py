"""A web server on this machine that serves files, and fails as real ones do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
    """``files`` by path. ``cut`` ends the next answers after so many bytes, one each; ``pause_s``
    lies between pieces. ``asked`` keeps each request's path and range.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.version = '"1"'
        self.ranges = True
        self.cut: list[int] = []
        self.pause_s = 0.0
        self.asked: list[tuple[str, str]] = []


@contextmanager
def serving() -> Iterator[Web]:
    """The server, for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.web = Web(server.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.web  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        web: Web = self.server.web  # type: ignore[attr-defined]
        asked = self.headers.get("Range", "")
        web.asked.append((self.path, asked))
        content = web.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and web.ranges else 0
        if begin >= len(content) and begin:
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        if web.version:
            self.send_header("ETag", web.version)
        self.end_headers()
        self._send(web, content[begin:])

    def _send(self, web: Web, content: bytes) -> None:
        end = web.cut.pop(0) if web.cut else len(content)
        for start in range(0, min(end, len(content)), 1000):
            try:
                self.wfile.write(content[start : min(start + 1000, end)])
            except ConnectionError:  # whoever asked has had enough
                self.close_connection = True
                return
            time.sleep(web.pause_s)
        if end < len(content):
            self.wfile.flush()
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""
