"""Finding a technique by its file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import runners.pytorch
from manifests import paths
from manifests.cell import Cell
from manifests.runner_files import framework_folders, technique_files
from runners import techniques
from runners.failures import Unsupported
from tests.runners.samples import a_cell

FRAMEWORK = 'title = "Fake"\nmodules = ["numpy"]\npackages = ["numpy"]\n'


def _refusal(cell: Cell) -> str:
    with pytest.raises(Unsupported) as caught:
        techniques.find(cell)
    return str(caught.value)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on REPLIQUANT_PATH; what is imported from it is forgotten afterwards."""
    (tmp_path / "runners").mkdir()
    monkeypatch.setenv("REPLIQUANT_PATH", str(tmp_path))
    monkeypatch.setattr(runners, "__path__", [*runners.__path__, str(tmp_path / "runners")])
    before, torch_path = set(sys.modules), list(runners.pytorch.__path__)
    yield tmp_path / "runners"
    runners.pytorch.__path__[:] = torch_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def fake(outside: Path) -> Path:
    """A framework with one technique, which has a variant, and a folder of parts."""
    package = outside / "fake"
    (package / "parts").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "parts" / "__init__.py").write_text("")
    (package / "framework.toml").write_text(FRAMEWORK)
    (package / "twice_as_fast.py").write_text(
        "VARIANTS = {'thrice': 'three times'}\n\n\ndef infer(job):\n    job.append('ran')\n"
    )
    return package


def test_the_frameworks_are_the_folders_with_a_framework_toml() -> None:
    root = Path(techniques.__file__).parent
    assert list(framework_folders()) == sorted(p.parent.name for p in root.glob("*/framework.toml"))
    assert {"pytorch", "tensorflow"} <= set(framework_folders())


def test_the_techniques_are_the_files() -> None:
    for framework, folder in framework_folders().items():
        names = sorted(path.stem.replace("_", "-") for path in folder.glob("[!_]*.py"))
        assert list(technique_files(framework)) == names
    assert {"float32", "ptq-eager", "ptq-fx"} <= set(technique_files("pytorch"))
    assert "parts" not in technique_files("pytorch")


def test_an_unknown_framework_names_the_nearest() -> None:
    accepted = ", ".join(framework_folders())
    assert _refusal(a_cell(framework="pytroch")) == (
        f"no framework 'pytroch'. Did you mean 'pytorch'? Accepted: {accepted}"
    )


def test_an_unknown_technique_names_the_nearest() -> None:
    accepted = ", ".join(technique_files("pytorch"))
    assert _refusal(a_cell(technique="ptq-egaer")) == (
        f"no pytorch technique 'ptq-egaer'. Did you mean 'ptq-eager'? Accepted: {accepted}"
    )


@pytest.mark.parametrize("name", ["", "parts", "__init__", "../float32", "float32.py", "os"])
def test_only_a_technique_is_a_technique(name: str) -> None:
    assert _refusal(a_cell(technique=name)).startswith(f"no pytorch technique {name!r}.")


def test_a_technique_is_found_and_runs(fake: Path) -> None:
    run = techniques.find(a_cell(framework="fake", technique="twice-as-fast", task="infer"))
    job: list[str] = []
    run(job)  # type: ignore[arg-type]
    assert job == ["ran"]


def test_a_task_that_a_technique_lacks_is_unsupported(fake: Path) -> None:
    assert _refusal(a_cell(framework="fake", technique="twice-as-fast", task="train")) == (
        "fake technique 'twice-as-fast' has no task 'train'"
    )


def test_a_variant_that_a_technique_lacks_is_unsupported(fake: Path) -> None:
    cell = a_cell(framework="fake", technique="twice-as-fast", task="infer", variant="thrise")
    assert _refusal(cell) == (
        "no variant 'thrise' of fake technique 'twice-as-fast'. Did you mean 'thrice'? "
        "Accepted: thrice"
    )
    techniques.find(msgspec.structs.replace(cell, variant="thrice"))


def test_a_technique_without_variants_says_so() -> None:
    assert _refusal(a_cell(technique="channels-last", variant="fast")) == (
        "no variant 'fast' of pytorch technique 'channels-last'. "
        "Accepted: none (it has no variants)"
    )


def test_a_framework_from_outside_stands_beside_the_others(fake: Path) -> None:
    assert {"fake", "pytorch", "tensorflow"} <= set(framework_folders())
    assert technique_files("fake") == {"twice-as-fast": fake / "twice_as_fast.py"}


def test_a_technique_from_outside_joins_a_framework(outside: Path) -> None:
    own = set(technique_files("pytorch"))
    (outside / "pytorch" / "mine_parts").mkdir(parents=True)
    (outside / "pytorch" / "mine_parts" / "shared.py").write_text("SAYS = 'mine'\n")
    (outside / "pytorch" / "mine.py").write_text(
        "from runners.pytorch.mine_parts.shared import SAYS\n"
        "def infer(job):\n    job.append(SAYS)\n"
    )
    assert set(technique_files("pytorch")) == {*own, "mine"}
    job: list[str] = []
    techniques.find(a_cell(technique="mine", task="infer"))(job)  # type: ignore[arg-type]
    assert job == ["mine"]


def test_nothing_from_outside_takes_the_place_of_a_technique(outside: Path) -> None:
    (outside / "pytorch").mkdir()
    (outside / "pytorch" / "ptq_eager.py").write_text("def infer(job): job.append('not ours')\n")
    own = Path(techniques.__file__).parent / "pytorch" / "ptq_eager.py"
    assert _refusal(a_cell(technique="ptq-eager")) == (
        f"there are two of the pytorch technique 'ptq-eager': {own} and "
        f"{outside / 'pytorch' / 'ptq_eager.py'}. Rename one, or take its folder out of "
        "REPLIQUANT_PATH"
    )


def test_a_cells_process_finds_both_roots_and_nothing_else_in_them(tmp_path: Path) -> None:
    for root in ("a", "b"):
        package = tmp_path / root / "runners" / f"of_{root}"
        package.mkdir(parents=True)
        (package / "framework.toml").write_text(FRAMEWORK)
        (package / "go.py").write_text("def infer(job): pass\n")
        (tmp_path / root / "datasets").mkdir()
        (tmp_path / root / "datasets" / "torch.py").write_text("raise SystemExit('shadowed')\n")
    code = (
        "import importlib.util, runners.of_a.go, runners.of_b.go\n"
        "from manifests import runner_files\n"
        "print({'of_a', 'of_b', 'pytorch'} <= set(runner_files.framework_folders()), "
        "importlib.util.find_spec('datasets'))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False,
        env={
            "PYTHONPATH": f"{paths.ROOT}:{Path(pytest.__file__).parents[1]}",
            "REPLIQUANT_PATH": f"{tmp_path / 'a'}:{tmp_path / 'b'}",
        },
    )  # fmt: skip
    assert done.stdout == "True None\n", done.stderr
