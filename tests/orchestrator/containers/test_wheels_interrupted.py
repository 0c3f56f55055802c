"""Fetching of wheels that is interrupted, killed, or done twice at once."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.file_lock import HeldError, exclusive
from tests.fakes.wheels import write_wheel as wheel
from tests.orchestrator.containers.small_wheels import begun, fetch, image

pytestmark = [pytest.mark.cells, pytest.mark.usefixtures("index")]

FETCH = """
import sys
from pathlib import Path
from orchestrator.engines.docker import wheels
from orchestrator.environments.images import load_image
image = load_image("small", Path(sys.argv[1]))
try:
    print(wheels.fetch(image, "x86_64", lambda note: print(note.text, flush=True)).name)
except KeyboardInterrupt:
    print("interrupted")
"""


def start(tmp_path: Path) -> subprocess.Popen[str]:
    """Fetch in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(tmp_path / "images")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """An index that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{listening.getsockname()[1]}/")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield listening


def pips(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


def test_an_interrupted_fetch_ends_pip_and_leaves_nothing(
    tmp_path: Path, silent: socket.socket
) -> None:
    """SIGINT to this process alone, as from a program: pip does not get it."""
    image(tmp_path, "one==1")
    with start(tmp_path) as process:
        silent.settimeout(60)
        asking, _ = silent.accept()
        (pip,) = pips(process)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
        asking.close()
    assert told.splitlines()[-1] == "interrupted"
    assert not pip.is_running()
    assert begun(tmp_path) == []


def test_a_killed_fetch_is_begun_anew_when_its_pip_has_ended(
    tmp_path: Path, index: Path, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(index, "one")
    small = image(tmp_path, "one==1")
    with start(tmp_path) as process:
        silent.settimeout(60)
        asking, _ = silent.accept()
        process.kill()
    (left,) = begun(tmp_path)
    lock = tmp_path / "cache" / "wheels" / f"{left[1:]}.lock"
    with pytest.raises(HeldError), exclusive(lock):
        pass  # pip still writes there
    (tmp_path / "cache" / "wheels" / left / "half.whl").touch()
    silent.close()
    asking.close()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    found, _ = fetch(small)
    assert found == ["one-1-py3-none-any.whl"]
    assert begun(tmp_path) == []


def test_of_two_fetches_at_once_one_fetches_and_the_other_finds_it(
    tmp_path: Path, index: Path
) -> None:
    wheel(index, "one")
    image(tmp_path, "one==1")
    with start(tmp_path) as first, start(tmp_path) as second:
        told = [process.communicate(timeout=120)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], told
    assert "".join(told).count("fetch: Processing ") == 1
    assert told[0].splitlines()[-1] == told[1].splitlines()[-1]
