"""Protocols are files: each keeps the contract, and a new one is found by its name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import runners.protocols
from manifests import runner_files
from manifests.paths import ROOT
from manifests.runner_files import average, protocol_files
from runners.failures import Unsupported
from runners.protocols import controlled, protocol

NEW = '''"""The fastest of three calls (a protocol of a test)."""

CONTROLLED = True
AVERAGE = "mean"


def infer_recipe(job):
    return job.recipe(dict)


def evaluate(job, session, test_images, batch_size):
    return 0.0


def time_inference(job, session):
    job.append(min(session(n) for n in range(3)))
'''


@pytest.fixture
def fastest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside the checkout with the protocol ``fastest-of-three``."""
    folder = tmp_path / "protocols"
    folder.mkdir()
    (folder / "fastest_of_three.py").write_text(NEW)
    monkeypatch.setattr(runner_files, "runner_roots", lambda: [ROOT / "runners", tmp_path])
    paths = [*runners.protocols.__path__, str(folder)]
    monkeypatch.setattr(runners.protocols, "__path__", paths)
    return folder


@pytest.mark.parametrize("name", list(protocol_files()))
def test_every_protocol_keeps_the_contract(name: str) -> None:
    found = protocol(name)
    assert isinstance(found.CONTROLLED, bool)
    assert found.AVERAGE in ("median", "mean") and average(name) == found.AVERAGE
    assert all(callable(getattr(found, f)) for f in ("infer_recipe", "evaluate", "time_inference"))
    assert found.__doc__ and len(found.__doc__) > 200


def test_those_of_the_studies_are_there_and_differ() -> None:
    assert {"as-published", "rigorous"} <= set(protocol_files())
    assert (average("as-published"), average("rigorous")) == ("mean", "median")
    assert controlled("rigorous") and not controlled("as-published")


def test_what_is_known_of_a_protocol_needs_no_import_of_it(fastest: Path) -> None:
    path = fastest / "fastest_of_three.py"
    path.write_text(NEW + "\nraise RuntimeError('imported')\n")
    assert average("fastest-of-three") == "mean"
    assert "fastest-of-three" in protocol_files()


def test_a_new_file_is_a_new_protocol(fastest: Path) -> None:
    job: list[int] = []
    protocol("fastest-of-three").time_inference(job, lambda n: 9 - n)  # type: ignore[arg-type]
    assert job == [7]


def test_an_unknown_protocol_is_refused_with_those_there_are(fastest: Path) -> None:
    told = r"no protocol 'rigourous'\. Did you mean 'rigorous'\? Accepted: as-published, fastest-of"
    with pytest.raises(Unsupported, match=told):
        protocol("rigourous")
    assert average("rigourous") == "median"


def test_a_constant_that_is_no_plain_value_is_refused_by_file(fastest: Path) -> None:
    (fastest / "fastest_of_three.py").write_text("AVERAGE = max(1, 2)\n")
    with pytest.raises(Exception, match=r"fastest_of_three.py: AVERAGE is not a plain value"):
        average("fastest-of-three")


def test_only_the_protocols_and_training_ask_how_numbers_are_taken() -> None:
    """No name of a protocol stands in code: a new one needs no change to it."""
    for path in sorted((ROOT / "runners").rglob("*.py")):
        texts = {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Compare)
            for node in node.comparators
            if isinstance(node, ast.Constant)
        }
        assert not texts & {"as-published", "rigorous"}, path
