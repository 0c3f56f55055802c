"""Of the user's pip settings only those that say where packages are reach our environments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.environments import pip_settings, venvs
from orchestrator.environments.images import load_image
from tests.fakes.studies import write_image
from tests.fakes.wheels import write_wheel

LISTED = """\
global.cert='/etc/own.pem'
global.find-links='/a folder\\n/b'
global.index-url='https://index.example/simple'
global.no-binary=':all:'
global.require-virtualenv='true'
global.target='/elsewhere'
global.use-feature='truststore'
global.user='true'
install.index-url='https://install.example/simple'
install.prefix='/elsewhere'
download.index-url='https://download.example/simple'
:env:.cert='/variable.pem'
:env:.no-deps='1'
:env:.timeout='180'
:env:.use-deprecated='legacy-resolver'
"""
LEADING_ELSEWHERE = {
    "PIP_USER": "1", "PIP_TARGET": "{}/t", "PIP_PREFIX": "{}/p", "PIP_ROOT": "{}/r",
    "PIP_REQUIRE_VIRTUALENV": "1", "PIP_DRY_RUN": "1", "PIP_NO_BINARY": ":all:",
    "PIP_REQUIREMENT": "/nowhere.txt", "PIP_PYTHON": "/nowhere/python", "pip_user": "1",
    "PYTHONUSERBASE": "{}/b", "PYTHONHOME": "",
}  # fmt: skip


def test_settings_of_place_and_trust_are_kept_and_others_left_behind() -> None:
    kept = pip_settings.kept_settings(LISTED.splitlines(), "install")
    assert kept == {
        "cert": "/variable.pem", "find-links": "/a folder /b", "timeout": "180",
        "index-url": "https://install.example/simple", "use-feature": "truststore",
    }  # fmt: skip
    fetched = pip_settings.kept_settings(LISTED.splitlines(), "download")
    assert fetched["index-url"] == "https://download.example/simple"


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Variables and a settings file that lead pip elsewhere; an index that only they name."""
    index = tmp_path / "index"
    index.mkdir()
    write_wheel(index, "good")
    for name, value in LEADING_ELSEWHERE.items():
        monkeypatch.setenv(name, value.format(tmp_path / "elsewhere"))
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nuser = true\nfind-links = {index}\n[install]\nno-index = true\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    return index


def test_an_environment_gets_its_packages_whatever_leads_pip_elsewhere(
    tmp_path: Path, hostile: Path
) -> None:
    import hashlib

    digest = hashlib.sha256((hostile / "good-1-py3-none-any.whl").read_bytes()).hexdigest()
    write_image(tmp_path, "small", f"good==1 --hash=sha256:{digest}\n")
    small = load_image("small", tmp_path / "images")
    venvs.build(small, lambda note: None)
    installed = venvs.environment_folder(small).glob("lib/*/site-packages/good-1.dist-info")
    assert len(list(installed)) == 1
    assert not (tmp_path / "elsewhere").exists()


OLD = "22.0.2"  # Ubuntu 22.04's; it knows no --python


@pytest.mark.thorough
@pytest.mark.frameworks
def test_a_pip_that_knows_no_other_python_installs_as_well(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    subprocess.run([sys.executable, "-m", "venv", old], check=True)
    given = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    upgrade = [old / "bin/python", "-m", "pip", "install", "-q", f"pip=={OLD}"]
    subprocess.run(upgrade, check=True, env=given)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", new], check=True)
    index = tmp_path / "index"
    index.mkdir()
    write_wheel(index, "good")
    script = (
        "import sys, pathlib, subprocess; from orchestrator.environments import pip_settings as p; "
        f"sys.exit(subprocess.call([*p.pip_for(pathlib.Path({str(new / 'bin/python')!r})), "
        "'install', 'good'], env=p.environment()))"
    )
    given |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    root = Path(pip_settings.__file__).parents[2]
    subprocess.run([old / "bin/python", "-c", script], check=True, env=given, cwd=root)
    assert [p.name for p in new.glob("lib/*/site-packages/*.dist-info")] == ["good-1.dist-info"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("WARNING: Retrying ... NewConnectionError('...: Failed to establish a new connection')",
         "Is there a network?"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", "PIP_CERT"),
        ("no such option: --python", ""),
        ("ERROR: Can not combine '--user' and '--target'", ""),
        ("ERROR: No matching distribution found for nothing==1", ""),
    ],
)  # fmt: skip
def test_only_a_network_that_is_missing_is_asked_for(line: str, words: str) -> None:
    said = pip_settings.explained([line, "ERROR: the last line"])
    assert words in said
    assert bool(said) == bool(words)
