"""The browser's door: only this address, only with the token of this start."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from tui.web_server import LoopbackServer

Client = TestClient[Request, Application]


def served(ask: Callable[[Client, LoopbackServer], Awaitable[None]]) -> None:
    """Serve on a free port and ask."""

    async def main() -> None:
        server = LoopbackServer("true", 0)
        async with TestServer(await server._make_app(), host="127.0.0.1") as test_server:
            server.port = test_server.port or 0
            jar = aiohttp.CookieJar(unsafe=True)
            async with TestClient(test_server, cookie_jar=jar) as client:
                await ask(client, server)

    asyncio.run(main())


def test_the_token_opens_a_session_and_stands_in_no_further_address() -> None:
    async def ask(client: Client, server: LoopbackServer) -> None:
        answer = await client.get(f"/?token={server.token}", allow_redirects=False)
        assert answer.status == 303
        assert server.token not in answer.headers["Location"]
        cookie = answer.cookies[f"repliquant-{server.port}"]
        assert server.token not in cookie.value
        assert (cookie["samesite"], cookie["httponly"]) == ("Strict", True)
        assert cookie["path"] == server.page != "/"
        page = await client.get(answer.headers["Location"])
        text = await page.text()
        assert page.status == 200
        assert 'id="terminal"' in text
        assert server.token not in text
        assert "http://" not in text and "https://" not in text
        again = await client.get(f"{server.page}static/js/textual.js")
        assert again.status == 200

    served(ask)


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/?token=wrong"])
def test_without_the_token_there_is_nothing(path: str) -> None:
    async def ask(client: Client, server: LoopbackServer) -> None:
        for there in (path, server.page + path.lstrip("/")):
            answer = await client.get(there)
            assert answer.status in (403, 404)
            assert server.token not in await answer.text()

    served(ask)


def test_the_token_is_no_session_and_neither_is_one_of_another_start() -> None:
    async def ask(client: Client, server: LoopbackServer) -> None:
        for value in (server.token, "guess"):
            cookies = {"Cookie": f"{server.cookie}={value}"}
            answer = await client.get(server.page, headers=cookies)
            assert answer.status == 403

    served(ask)


def test_a_link_of_another_site_opens_the_page_too() -> None:
    async def ask(client: Client, server: LoopbackServer) -> None:
        headers = {"Sec-Fetch-Site": "cross-site"}
        answer = await client.get(f"/?token={server.token}", headers=headers)
        assert answer.status == 200
        assert server.page in await answer.text()
        assert (await client.get(server.page)).status == 200

    served(ask)


def test_two_servers_and_a_strangers_side_by_side_in_one_browser() -> None:
    """A browser has one jar for all ports of a host."""
    heard: list[str] = []

    async def stranger(request: Request) -> web.Response:
        heard.append(request.headers.get("Cookie", ""))
        return web.Response(text="hello")

    async def main() -> None:
        other = Application()
        other.router.add_get("/{path:.*}", stranger)
        servers = [LoopbackServer("true", 0), LoopbackServer("true", 0)]
        async with contextlib.AsyncExitStack() as stack:
            jar = aiohttp.CookieJar(unsafe=True)
            browser = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
            for server in servers:
                app = TestServer(await server._make_app(), host="127.0.0.1")
                server.port = (await stack.enter_async_context(app)).port or 0
            third = await stack.enter_async_context(TestServer(other, host="127.0.0.1"))
            for server in [*servers, *servers]:
                async with browser.get(server.address) as answer:
                    assert answer.status == 200
                    assert answer.url.path == server.page
            for server in servers:
                page = f"http://127.0.0.1:{server.port}{server.page}"
                async with browser.get(page) as answer:
                    assert answer.status == 200
            for path in ("/", "/ws", "/static/x", "/anything/at/all"):
                async with browser.get(third.make_url(path)):
                    pass
            foreign = servers[0].page, servers[1].port
            async with browser.get(f"http://127.0.0.1:{foreign[1]}{foreign[0]}") as answer:
                assert answer.status == 404

    asyncio.run(main())
    assert heard == [""] * 4


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
        await client.get(f"/?token={server.token}")
        for path in (f"/?token={server.token}", server.page, f"{server.page}ws"):
            answer = await client.get(path, headers=headers)
            assert answer.status == 403

    served(ask)


def test_the_address_names_the_loopback_and_the_token() -> None:
    server = LoopbackServer("true", 8123)
    assert server.address == f"http://127.0.0.1:8123/?token={server.token}"
    assert server.host == "127.0.0.1"
    assert len(server.token) >= 16
