"""No home folder, no name, names that are no UTF-8, a strict umask, an interpreter that is gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from manifests import paths
from manifests.files import as_text
from orchestrator.environments import venvs
from orchestrator.environments.images import Image, load_image
from orchestrator.environments.pythons import clean_environment
from tests.conftest import ROOT, Workshop
from tests.fakes.studies import write_image, write_study

pytestmark = pytest.mark.cells
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def test_the_cache_is_at_home_or_here_and_never_in_a_folder_called_tilde(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("REPLIQUANT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert paths.cache() == Path("/home/somebody/.cache/repliquant")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert paths.cache() == Path("/home/somebody/.cache/repliquant")
    monkeypatch.setenv("REPLIQUANT_CACHE", "~/mine")
    monkeypatch.setenv("REPLIQUANT_RUNS", "~/runs")
    assert paths.cache() == Path("/home/somebody/mine")
    assert paths.runs() == Path("/home/somebody/runs")


def test_without_a_home_the_cache_is_in_the_checkout_and_processes_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("REPLIQUANT_CACHE", "XDG_CACHE_HOME", "USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert paths.home() is None
    assert paths.cache() == ROOT / ".cache" / "repliquant"
    given = clean_environment()
    assert given["HOME"] == str(ROOT / ".cache" / "repliquant" / "home")
    assert given["USER"] == "repliquant"


@needs_root
def test_a_user_without_home_and_name_runs_a_study(tmp_path: Path) -> None:
    write_study(tmp_path)
    workshop = Workshop(tmp_path)
    del workshop.environment["HOME"]
    command = " ".join(['mount --bind /dev/null /etc/passwd && exec "$@"'])
    run = ["unshare", "--mount", "sh", "-c", command, "sh", *workshop.command("run", "toy"),
           "--engine", "fake"]  # fmt: skip
    for arguments in (run, [*run[:6], *workshop.command("doctor")]):
        done = subprocess.run(
            arguments, cwd=tmp_path, env=workshop.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode in (0, 3), done.stderr
        assert "Traceback" not in done.stderr
    assert len(workshop.manifests()) == 6
    assert not (tmp_path / "~").exists()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "odd", [b"runs\xff", pytest.param(b"\xe4 \xf6", marks=pytest.mark.thorough)]
)
def test_names_that_are_no_utf_8_are_spelled_out(tmp_path: Path, odd: bytes) -> None:
    name = os.fsdecode(odd)
    folder = tmp_path / name
    folder.mkdir()
    write_study(folder)
    workshop = Workshop(folder)
    run = str(folder / "runs" / name)
    workshop.run("--run", run)
    manifests = list(Path(run).glob("cells/*/manifest.json"))
    assert len(manifests) == 6
    context = json.loads(manifests[0].read_bytes())["context"]
    assert context["run"] == as_text(name)
    assert "\\xff" in as_text("\udcff")
    for command in (
        ("status", run), ("status", run, "--json"), ("table", "toy", run),
        ("table", "toy", run, "--format", "json"), ("report", run), ("claims", "toy", run),
        ("bundle", run, "-o", str(folder / f"{name}.zip")),
        ("verify", str(folder / f"{name}.zip")), ("plan", "toy", "--run", run, "--json"),
    ):  # fmt: skip
        workshop(*command)


def small_image(folder: Path) -> Image:
    write_image(folder, "small")
    return load_image("small", folder / "images")


def test_an_environment_whose_python_is_gone_or_another_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    small = small_image(tmp_path)
    venvs.build(small, lambda note: None)
    assert venvs.ready(small) is not None
    python = venvs.interpreter(small)
    good = os.readlink(python)
    for other in ("/nowhere/python3.11", shutil.which("sh") or "/bin/sh"):
        python.unlink()
        python.symlink_to(other)
        assert venvs.ready(small) is None
    venvs.build(small, lambda note: None)
    assert os.readlink(python) == good
    assert venvs.ready(small) is not None


def test_line_ends_are_those_of_unix_whatever_git_is_set_to(tmp_path: Path) -> None:
    """Checked out as Git on Windows does by default."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout here")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "-c", "core.autocrlf=true", "clone", "--quiet", "--no-local", ROOT, clone],
        check=True, capture_output=True,
    )  # fmt: skip
    listed = subprocess.run(
        ["git", "-C", clone, "ls-files", "--eol"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert len(listed) > 500
    assert [line for line in listed if "w/crlf" in line or "w/mixed" in line] == []


@pytest.mark.parametrize("name", ["manifests", "runners"])
def test_a_cell_runs_our_code_whatever_is_on_pythonpath(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator.engines import local_processes as local
    from orchestrator.engines.base import Order

    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('foreign')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    order = Order(run="", cell="", folder=tmp_path, data=None, weights=None, threads=1)
    script = f"import {name}; print({name}.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=local._environment(order), cwd="/",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(str(ROOT))


def test_what_containers_read_can_be_read_by_another_user_under_a_strict_umask(
    tmp_path: Path,
) -> None:
    write_study(tmp_path)
    workshop = Workshop(tmp_path)
    before = os.umask(0o077)
    try:
        workshop.run()
    finally:
        os.umask(before)
    (meta,) = (tmp_path / "cache").rglob("meta.json")
    packed = [meta.parent, *meta.parent.iterdir()]
    assert len(packed) > 4
    assert [path for path in packed if path.stat().st_mode & 0o044 != 0o044] == []
    manifests = workshop.manifests()
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in manifests)
