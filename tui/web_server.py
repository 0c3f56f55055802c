"""The app in a browser: textual-serve on the loopback address, for the person who started it.

Whoever reaches the port could run cells, so the printed address holds the token of this start.
It is taken once: for it the browser gets a session, and goes on to a page whose address has no
token in it. A browser sends a cookie to every server of a host, whatever its port, so that of
the session is named after the port, isn't the token, and belongs to a path that no other server
knows; what a page of another site or of another port asks for is refused by its origin.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import click
from aiohttp import web
from textual_serve.server import Server

HOST = "127.0.0.1"
_REFUSED = "open the address that repliquant tui --web printed"
_ON = '<meta http-equiv="refresh" content="0;url={}">'
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LoopbackServer(Server):  # type: ignore[misc]
    """textual-serve with our own page, and with a door."""

    def __init__(self, command: str, port: int) -> None:
        self.token = secrets.token_urlsafe(16)
        self.page = f"/{secrets.token_urlsafe(16)}/"
        self._sessions: set[str] = set()
        pages = Path(__file__).with_name("web")
        super().__init__(command, HOST, port, "Repliquant", templates_path=pages)

    @property
    def address(self) -> str:
        """Where to point the browser."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie: two servers side by side have one each."""
        return f"repliquant-{self.port}"

    async def _make_app(self) -> web.Application:
        behind = await super()._make_app()
        behind.middlewares.append(self._with_session)
        app = web.Application(middlewares=[self._from_here])
        app.router.add_get("/", self._enter)
        # The page's script asks for it there. A key is a random number of 128 bits of its own.
        app.router.add_get("/download/{key}", self.handle_download)
        app.add_subapp(self.page, behind)
        return app

    async def on_startup(self, app: web.Application) -> None:
        click.echo(f"Repliquant is at {self.address}\nCtrl-C ends it.", err=True)

    @web.middleware  # type: ignore[untyped-decorator]
    async def _from_here(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuses what is asked for under another host name, or by the page of another origin."""
        here = {f"{HOST}:{self.port}", f"localhost:{self.port}"}
        origin = request.headers.get("Origin", "")
        if request.host not in here or (origin and origin.removeprefix("http://") not in here):
            raise web.HTTPForbidden(text="not for this address")
        return await handler(request)

    @web.middleware  # type: ignore[untyped-decorator]
    async def _with_session(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuses whoever has not come in with the token."""
        if request.cookies.get(self.cookie, "") not in self._sessions:
            raise web.HTTPForbidden(text=_REFUSED)
        return await handler(request)

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        """A session for the token, and on to the page without it."""
        given = request.query.get("token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise web.HTTPForbidden(text=_REFUSED)
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        response = self._onward(request)
        response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        response.set_cookie(self.cookie, session, path=self.page, httponly=True, samesite="Strict")
        return response

    def _onward(self, request: web.Request) -> web.Response:
        """A link of another site (a terminal in a browser) gets no strict cookie by redirection."""
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return web.Response(text=_ON.format(self.page), content_type="text/html")
        return web.Response(status=303, headers={"Location": self.page})


def serve_app(command: Sequence[str], port: int) -> None:
    """Serve until Ctrl-C. Raises OSError when the port is taken."""
    server = LoopbackServer(shlex.join(command), port)
    server.initialize_logging = lambda: None
    server.serve()
