"""The screen in a real browser: it opens, and no other server of this host hears of it."""

from __future__ import annotations

import http.server
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from tests.browser.conftest import Browser
from tests.conftest import Workshop


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stranger() -> Iterator[tuple[int, list[str]]]:
    """Somebody else's server on another port; what cookies it is given."""
    heard: list[str] = []

    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers.get("Cookie", ""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, heard
    server.shutdown()
    server.server_close()


class Served:
    """``repliquant tui --web`` on a free port."""

    def __init__(self, workshop: Workshop) -> None:
        self.port = free_port()
        command = workshop.command("tui", "toy", "--engine", "fake", "--web", f"--port={self.port}")
        self.process = subprocess.Popen(
            command, cwd=workshop.folder, env=workshop.environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stderr is not None
        found = re.search(r"http://\S+", self.process.stderr.readline())
        assert found is not None
        self.address = found[0]

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=120)


@pytest.fixture
def two(workshop: Workshop) -> Iterator[list[Served]]:
    servers = [Served(workshop), Served(workshop)]
    yield servers
    for server in servers:
        server.end()


DRAWN = "document.body.classList.contains('-first-byte')"
"""What the page's script says once the app behind it has drawn something."""


def test_two_screens_side_by_side_and_a_stranger_who_hears_nothing(
    browser: Browser, two: list[Served], stranger: tuple[int, list[str]]
) -> None:
    port, heard = stranger
    for server in two:
        browser.driver.get(server.address)
        assert "token" not in browser.driver.current_url
        browser.wait(DRAWN)
    page = browser.driver.current_url
    for path in ("", "ws", "static/x"):
        browser.driver.get(f"http://127.0.0.1:{port}/{path}")
    assert set(heard) == {""}
    browser.driver.get(page)  # the second has not taken the place of the first
    browser.wait(DRAWN)
    browser.driver.get(two[0].address.replace("127.0.0.1", "localhost"))
    browser.wait(DRAWN)
    assert not [line for line in browser.logs() if "403" in line]


CLOSED = "document.body.classList.contains('-closed')"


@pytest.fixture
def served(workshop: Workshop) -> Iterator[Served]:
    server = Served(workshop)
    yield server
    server.end()


def test_keys_and_the_mouse_reach_the_app(browser: Browser, served: Served) -> None:
    """The page's canvas can't be read; that the app has left can."""
    for leave in (lambda: browser.press("q"), lambda: click_the_last_key(browser)):
        browser.driver.get(served.address)
        browser.wait(DRAWN)
        browser.press("d")  # the machine's screen, on top of home
        end = time.monotonic() + 120
        while not browser.ask(CLOSED):  # what comes before the app has drawn its footer is lost
            assert time.monotonic() < end, "it doesn't leave"
            leave()
            time.sleep(1)


def click_the_last_key(browser: Browser) -> None:
    """Of the footer, from the right end of the lowest row to the left: Leave."""
    from selenium.webdriver.common.action_chains import ActionChains

    area = browser.ask("document.querySelector('.xterm-screen').getBoundingClientRect().toJSON()")
    for x in range(int(area["right"]) - 4, int(area["left"]), -16):
        actions = ActionChains(browser.driver)
        actions.w3c_actions.pointer_action.move_to_location(x, int(area["bottom"]) - 6)
        actions.w3c_actions.pointer_action.click()
        actions.perform()
        if browser.ask(CLOSED):
            return
