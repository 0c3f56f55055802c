"""A module from a folder outside is loaded once, whole, whoever asks at the same time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.outside_module import outside_module

SLOW = "import time\ntime.sleep(0.2)\nwith open({log!r}, 'a') as log: log.write('x')\nENGINE = 42\n"
NAME = "repliquant_test_outside"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    sys.modules.pop(NAME, None)


def test_threads_that_ask_together_get_a_whole_module_loaded_once(tmp_path: Path) -> None:
    path, log = tmp_path / "slow.py", tmp_path / "log"
    path.write_text(SLOW.format(log=str(log)))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: outside_module(NAME, path).ENGINE, range(8)))
    assert found == [42] * 8
    assert log.read_text() == "x"


def test_one_that_failed_is_loaded_anew_when_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("raise ValueError('not yet')\n")
    with pytest.raises(ValueError, match="not yet"):
        outside_module(NAME, path)
    path.write_text("FOUND = 'mended'\n")
    assert outside_module(NAME, path).FOUND == "mended"


def test_another_file_of_that_name_is_another_module(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.py").write_text(f"WHERE = {folder!r}\n")
    found = [outside_module(NAME, tmp_path / folder / "same.py").WHERE for folder in "ab"]
    assert found == ["a", "b"]
