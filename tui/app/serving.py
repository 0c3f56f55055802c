"""The app in a browser: textual-serve on the loopback address, for the person who started it.

Whoever reaches the port could run cells, so a page needs the token of this start, and a
request has to come for this address: neither another user of the machine nor a page of
another site gets in.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import click
from aiohttp import web
from textual_serve.server import Server

HOST = "127.0.0.1"
_COOKIE = "repliquant"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LoopbackServer(Server):  # type: ignore[misc]
    """textual-serve with our own page, and with a door."""

    def __init__(self, command: str, port: int) -> None:
        self.token = secrets.token_urlsafe(16)
        pages = Path(__file__).with_name("web")
        super().__init__(command, HOST, port, "Repliquant", templates_path=pages)

    @property
    def address(self) -> str:
        """Where to point the browser."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._door)
        return app

    async def on_startup(self, app: web.Application) -> None:
        click.echo(f"Repliquant is at {self.address}\nCtrl-C ends it.", err=True)

    @web.middleware  # type: ignore[untyped-decorator]
    async def _door(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuses what another host name, another page, or nobody with the token asks for."""
        here = {f"{HOST}:{self.port}", f"localhost:{self.port}"}
        origin = request.headers.get("Origin", "")
        if request.host not in here or (origin and origin.removeprefix("http://") not in here):
            raise web.HTTPForbidden(text="not for this address")
        given = request.query.get("token", "") or request.cookies.get(_COOKIE, "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise web.HTTPForbidden(text="open the address that repliquant tui --web printed")
        response = await handler(request)
        if not response.prepared:
            response.set_cookie(_COOKIE, self.token, httponly=True, samesite="Strict")
        return response


def serve_app(command: Sequence[str], port: int) -> None:
    """Serve until Ctrl-C. Raises OSError when the port is taken."""
    server: Any = LoopbackServer(shlex.join(command), port)
    server.initialize_logging = lambda: None
    server.serve()
