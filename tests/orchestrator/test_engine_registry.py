"""Engines are found by scanning, here and in folders from outside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.errors import InputError, MachineError
from orchestrator.engines import registry
from orchestrator.engines.auto import choose_engine
from orchestrator.engines.base import Engine, Entry
from tests.conftest import ROOT, Workshop

TOY = """
from orchestrator.engines.base import Entry
from orchestrator.engines.local import LocalEngine

class Toy(LocalEngine):
    name = "toy-queue"
    words = "the toy queue"

    def unavailable(self, image):
        return ""

ENGINE = Entry(Toy, rank=RANK)
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is searched, as long as the test lasts."""
    monkeypatch.setattr(registry, "_outside", [])
    folder = tmp_path / "engines"
    folder.mkdir()
    registry.search([folder])
    yield folder
    for name in [name for name in sys.modules if name.startswith("repliquant_engine_")]:
        del sys.modules[name]


def write(path: Path, text: str, rank: int | None = None) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace("RANK", str(rank)))


def test_those_that_come_with_it_are_found_without_being_imported() -> None:
    script = (
        "import sys; from orchestrator.engines import registry; print(registry.names(), "
        "'orchestrator.engines.local' in sys.modules, 'docker' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['docker', 'local', 'slurm'] False False\n"


def test_what_is_no_engine_is_none() -> None:
    assert "base" not in registry.names() and "interpreter" not in registry.names()


@pytest.mark.parametrize("file", ["toy_queue.py", "toy_queue/__init__.py"])
def test_a_file_or_a_folder_from_outside_is_one(outside: Path, file: str) -> None:
    write(outside / file, TOY)
    assert registry.names() == ["docker", "local", "slurm", "toy-queue"]
    assert registry.make_engine("toy-queue").words == "the toy queue"


def test_auto_asks_one_from_outside_by_its_rank(outside: Path) -> None:
    write(outside / "toy_queue.py", TOY, rank=1)
    choice = choose_engine([])
    assert choice.engine.name == "toy-queue"
    assert choice.why == "the toy queue answers and the images are there or can be built"


def test_auto_leaves_one_without_a_rank_alone(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    write(outside / "toy_queue.py", TOY)
    assert choose_engine([]).engine.name == "local"


def test_one_that_cannot_be_loaded_says_so_with_its_file(outside: Path) -> None:
    write(outside / "broken.py", "import nothing_of_that_name\nENGINE = None\n")
    with pytest.raises(MachineError, match=r"broken\.py can't be loaded: ModuleNotFoundError"):
        registry.make_engine("broken")


def test_two_of_one_name_are_refused(outside: Path) -> None:
    write(outside / "local.py", TOY)
    with pytest.raises(InputError, match=r"there are two engines 'local': .*local\.py and"):
        registry.names()


def test_a_name_that_nothing_has_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        InputError,
        match=r"no engine 'dokcer'\. Did you mean 'docker'\? Accepted: auto, docker, local, slurm",
    ):
        registry.make_engine("dokcer")


def test_the_first_of_a_kind_is_taken_by_rank() -> None:
    assert (registry.first(containers=True), registry.first(containers=False)) == (
        "docker",
        "local",
    )


def test_a_run_takes_one_from_outside_by_its_name(workshop: Workshop) -> None:
    """The tests' own engine is found in no other way."""
    told = workshop("plan", "toy", "--engine", "fake").stdout
    assert "image alpha (fake): ready" in told


def test_every_engine_here_keeps_the_contract() -> None:
    for name in registry.names():
        assert isinstance(registry.entry(name), Entry)
    made: Engine = registry.make_engine("local")
    for method in ("submit", "attach", "poll", "events", "cancel", "kill", "collect", "capacity"):
        assert callable(getattr(made, method))
