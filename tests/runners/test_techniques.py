"""Finding a technique by its file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from manifests.cell import Cell
from runners import techniques
from runners.failures import Unsupported
from tests.runners.samples import a_cell


def _refusal(cell: Cell) -> str:
    with pytest.raises(Unsupported) as caught:
        techniques.find(cell)
    return str(caught.value)


@pytest.fixture
def fake_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one framework with one technique, ``fake/twice_as_fast.py``."""
    package = tmp_path / "fake"
    (package / "parts").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "parts" / "__init__.py").write_text("")
    (package / "twice_as_fast.py").write_text("def infer(job):\n    job.append('ran')\n")
    monkeypatch.setattr(techniques, "_ROOT", tmp_path)
    monkeypatch.setattr(sys.modules["runners"], "__path__", [str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("runners.fake")]:
        del sys.modules[name]


def test_the_frameworks_are_the_folders() -> None:
    assert techniques.frameworks() == ["pytorch", "tensorflow"]


def test_the_techniques_are_the_files() -> None:
    for framework in techniques.frameworks():
        files = (Path(techniques.__file__).parent / framework).glob("[!_]*.py")
        names = sorted(path.stem.replace("_", "-") for path in files)
        assert techniques.techniques(framework) == names
    assert {"float32", "ptq-eager", "ptq-fx"} <= set(techniques.techniques("pytorch"))
    assert "parts" not in techniques.techniques("pytorch")


def test_an_unknown_framework_names_the_nearest() -> None:
    assert _refusal(a_cell(framework="pytroch")) == (
        "no framework 'pytroch'. Did you mean 'pytorch'? Accepted: pytorch, tensorflow"
    )


def test_an_unknown_technique_names_the_nearest() -> None:
    accepted = ", ".join(techniques.techniques("pytorch"))
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
