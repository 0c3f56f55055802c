"""framework.toml: one place for what is known of a framework, readable without a TOML reader."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests import runner_files, variables
from manifests.errors import InputError
from manifests.framework import Framework, FrameworkError, plain_toml, read_framework
from manifests.paths import ROOT
from manifests.runner_files import framework, framework_folders, readable_frameworks
from runners import failures
from runners.failures import classify
from tests.manifests.old_python import python_3_8

ABACUS = ROOT / "tests/fakes/abacus_framework.toml"


def _forget() -> None:
    variables.kept_names.cache_clear()
    failures.memory_words.cache_clear()


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the framework ``abacus``, beside those of the checkout."""
    folder = tmp_path / "abacus"
    folder.mkdir()
    shutil.copy(ABACUS, folder / "framework.toml")
    monkeypatch.setattr(runner_files, "runner_roots", lambda: [ROOT / "runners", tmp_path])
    _forget()
    yield tmp_path
    _forget()


@pytest.mark.parametrize("path", [f / "framework.toml" for f in framework_folders().values()])
def test_every_file_reads_the_same_with_and_without_a_toml_reader(path: Path) -> None:
    text = path.read_text()
    assert plain_toml(text) == tomllib.loads(text)


def test_python_3_8_reads_them() -> None:
    script = (
        "import msgspec; from manifests.runner_files import readable_frameworks as found; "
        "print(msgspec.json.encode(found()).decode())"
    )
    done = subprocess.run(
        [python_3_8(), "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    import msgspec

    assert msgspec.json.decode(done.stdout, type=dict[str, Framework]) == readable_frameworks()


_TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters='"\\\x7f'))
_VALUES = st.one_of(st.integers(-(10**9), 10**9), _TEXTS, st.lists(_TEXTS, max_size=3))
_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name.isidentifier() and name not in __import__("keyword").kwlist
)
_TABLES = st.dictionaries(_NAMES, _VALUES, max_size=3)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_toml(item)}, # one\n" for item in value) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


@given(_TABLES, st.dictionaries(st.from_regex(r"T[a-z0-9_-]{0,5}", fullmatch=True), _TABLES))
def test_what_is_plain_reads_as_toml_does(
    top: dict[str, object], tables: dict[str, dict[str, object]]
) -> None:
    lines = [f"{name} = {_toml(value)}" for name, value in top.items()]
    for table, values in tables.items():
        lines += ["", f"[{table}] # a table"]
        lines += [f"{name} = {_toml(value)}" for name, value in values.items()]
    text = "\n".join(lines)
    assert plain_toml(text) == tomllib.loads(text)


PLAIN = 'title = "a"\nmodules = ["m"]\npackages = ["p"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('title = "a"\nmodules = [b]\n', r"framework.toml: "),
        ('title = """\na"""\nmodules = ["m"]\npackages = ["p"]\n', r"title: Python 3.8 would read"),
        ('title = "a"\nmodules = ["m"\n', "line 2"),
        ('title = "a"\nmodules = []\npackages = []\n', "need one entry at least"),
        (
            'title = "a"\nmodules = ["m"]\npackages = ["p"]\nmodule = "x"\n',
            "unknown field `module`",
        ),
        ('title = "a"\nmodules = ["m"]\npackages = ["p"]\na-b = "x"\n', "framework.toml"),
    ],
)
def test_a_file_that_cant_be_used_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "framework.toml"
    path.write_text(text)
    with pytest.raises(FrameworkError, match=told):
        read_framework(path)


def test_a_broken_one_harms_only_itself(outside: Path) -> None:
    (outside / "broken").mkdir()
    (outside / "broken" / "framework.toml").write_text("title = [")
    assert "broken" in framework_folders()
    assert {"abacus", "pytorch"} <= set(readable_frameworks())
    with pytest.raises(FrameworkError, match=r"broken/framework.toml: line 1"):
        framework("broken")


def test_an_unknown_framework_is_refused_with_those_there_are(outside: Path) -> None:
    with pytest.raises(InputError, match=r"'abacsu'. Did you mean 'abacus'\?"):
        framework("abacsu")


class AbacusError(Exception):
    """As its framework.toml names it."""


NO_MEMORY = AbacusError(
    "Non-zero status code returned while running Conv node. Status Message: no beads are left"
)


def test_the_out_of_memory_of_a_framework_is_data_of_its_own_folder(outside: Path) -> None:
    assert classify(NO_MEMORY).status == "oom"
    assert classify(AbacusError("INVALID_ARGUMENT: bad shape")).status == "crashed"


def test_without_that_folder_it_is_a_crash() -> None:
    assert classify(NO_MEMORY).status == "crashed"


def test_variables_of_a_framework_are_data_of_its_own_folder(outside: Path) -> None:
    given = {
        "ABACUS_FIXTURE_ARENA": "1",
        "ABACUS_FIXTURE_KEY": "secret",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
    assert variables.kept(given) == {"ABACUS_FIXTURE_ARENA": "1", "TF_ENABLE_ONEDNN_OPTS": "0"}


def test_baselines_are_float32_unless_a_framework_says_otherwise(outside: Path) -> None:
    assert framework("abacus").baseline_of("infer") == "session-float32"
    assert framework("abacus").baseline_of("train") == "float32"
    assert framework("tensorflow").baseline_of("infer") == "keras-predict"
