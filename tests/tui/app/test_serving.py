"""The browser's door: only this address, only with the token of this start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from tui.app.serving import LoopbackServer

Client = TestClient[Request, Application]


def served(ask: Callable[[Client, LoopbackServer], Awaitable[None]]) -> None:
    """Serve on a free port and ask."""

    async def main() -> None:
        server = LoopbackServer("true", 0)
        async with TestServer(await server._make_app(), host="127.0.0.1") as test_server:
            server.port = test_server.port or 0
            async with TestClient(test_server) as client:
                await ask(client, server)

    asyncio.run(main())


def test_the_page_opens_with_the_token_and_asks_no_other_machine() -> None:
    async def ask(client: Client, server: LoopbackServer) -> None:
        answer = await client.get(f"/?token={server.token}")
        page = await answer.text()
        assert answer.status == 200
        assert 'id="terminal"' in page
        assert "https://" not in page
        again = await client.get("/static/js/textual.js")
        assert again.status == 200

    served(ask)


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/?token=wrong"])
def test_without_the_token_there_is_nothing(path: str) -> None:
    async def ask(client: Client, server: LoopbackServer) -> None:
        answer = await client.get(path)
        assert answer.status == 403
        assert server.token not in await answer.text()

    served(ask)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80", "Origin": "http://evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "null"},
    ],
)
def test_a_page_of_another_site_gets_no_terminal(headers: dict[str, str]) -> None:
    async def ask(client: Client, server: LoopbackServer) -> None:
        answer = await client.get(f"/ws?token={server.token}", headers=headers)
        assert answer.status == 403

    served(ask)


def test_the_address_names_the_loopback_and_the_token() -> None:
    server = LoopbackServer("true", 8123)
    assert server.address == f"http://127.0.0.1:8123/?token={server.token}"
    assert server.host == "127.0.0.1"
    assert len(server.token) >= 16
