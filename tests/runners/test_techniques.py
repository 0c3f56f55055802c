"""Finding a technique by its file."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from manifests import runner_files
from manifests.cell import Cell
from manifests.runner_files import framework_folders, technique_files
from runners import techniques
from runners.failures import Unsupported
from tests.runners.samples import a_cell


def _refusal(cell: Cell) -> str:
    with pytest.raises(Unsupported) as caught:
        techniques.find(cell)
    return str(caught.value)


@pytest.fixture
def fake_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one framework with one technique, which has a variant."""
    package = tmp_path / "fake"
    (package / "parts").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "parts" / "__init__.py").write_text("")
    (package / "framework.toml").write_text(
        'title = "Fake"\nmodules = ["fake"]\npackages = ["fake"]\n'
    )
    (package / "twice_as_fast.py").write_text(
        "VARIANTS = {'thrice': 'three times'}\n\n\ndef infer(job):\n    job.append('ran')\n"
    )
    monkeypatch.setattr(runner_files, "runner_roots", lambda: [tmp_path])
    monkeypatch.setattr(sys.modules["runners"], "__path__", [str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("runners.fake")]:
        del sys.modules[name]


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


def test_a_technique_is_found_and_runs(fake_root: Path) -> None:
    run = techniques.find(a_cell(framework="fake", technique="twice-as-fast", task="infer"))
    job: list[str] = []
    run(job)  # type: ignore[arg-type]
    assert job == ["ran"]


def test_a_task_that_a_technique_lacks_is_unsupported(fake_root: Path) -> None:
    assert _refusal(a_cell(framework="fake", technique="twice-as-fast", task="train")) == (
        "fake technique 'twice-as-fast' has no task 'train'"
    )


def test_a_variant_that_a_technique_lacks_is_unsupported(fake_root: Path) -> None:
    cell = a_cell(framework="fake", technique="twice-as-fast", task="infer", variant="thrise")
    assert _refusal(cell) == (
        "no variant 'thrise' of fake technique 'twice-as-fast'. Did you mean 'thrice'? "
        "Accepted: thrice"
    )
    techniques.find(msgspec.structs.replace(cell, variant="thrice"))


def test_a_technique_without_variants_says_so() -> None:
    assert _refusal(a_cell(technique="float32", variant="fast")) == (
        "no variant 'fast' of pytorch technique 'float32'. Accepted: none (it has no variants)"
    )
