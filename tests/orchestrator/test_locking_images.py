"""Locking an image: what the resolver finds becomes pins, and a failure leaves the lock alone.

The resolver is a stand-in that pins what it is told; everything around it is real.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manifests.errors import MachineError
from orchestrator.environments.images import Image, load_image
from orchestrator.environments.lockfiles import lock_image
from tests.conftest import Workshop
from tests.fakes.studies import write_image
from tests.fakes.wheels import write_wheel

pytestmark = pytest.mark.cells
HEAD = "# Locked by 'just lock'; edit requirements.in instead.\n"
RESOLVER = """
import pathlib, sys
wanted = pathlib.Path(sys.argv[-1]).read_text()
if "impossible" in wanted:
    sys.exit("ERROR: no version fits\\nimpossible needs another")
out = pathlib.Path(sys.argv[sys.argv.index("--output-file") + 1])
found = [f"{line}==1.0" if "==" not in line else line for line in wanted.split("\\n") if line]
out.write_text("--index-url https://index.example\\n\\n# a comment\\n" + "\\n".join(found) + "\\n")
pathlib.Path(sys.argv[-1]).with_name("arguments").write_text(" ".join(sys.argv))
"""
INDEX = """
import contextlib
from types import SimpleNamespace

VERSIONS = ("0.19.0", "1.0", "2.13.0", "2.13.0+cpu", "7", "7+cu12.1")

class PyPIRepository:
    def __init__(self, arguments, cache_dir):
        pass

    def allow_all_wheels(self):
        return contextlib.nullcontext()

    def find_all_candidates(self, name):
        for version in VERSIONS:
            link = SimpleNamespace(hash_name="sha256", hash=f"{name}-{version}")
            yield SimpleNamespace(version=version, link=link)
"""
FILES = {"piptools/__main__.py": RESOLVER, "piptools/repositories.py": INDEX}


@pytest.fixture(autouse=True)
def _index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is the only package that there is."""
    (tmp_path / "index").mkdir()
    write_wheel(tmp_path / "index", "pip_tools", files=FILES)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))


def image(tmp_path: Path, wanted: str, more: str = "") -> Image:
    folder = write_image(tmp_path, "small", "old==1\n")
    (folder / "requirements.in").write_text(wanted)
    path = folder / "image.toml"
    path.write_text(path.read_text() + more)
    return load_image("small", tmp_path / "images")


def test_what_is_resolved_is_pinned_without_hosts_options_or_local_versions(
    tmp_path: Path,
) -> None:
    wanted = "numpy\nTorch==2.13.0+cpu\nmsgspec==0.19.0; python_version>'3.8'\nodd==7+cu12.1 ; a\n"
    small = image(tmp_path, wanted)
    assert lock_image(small) is True
    assert small.lock.read_text() == (
        f"{HEAD}numpy==1.0 \\\n    --hash=sha256:numpy-1.0\n"
        "Torch==2.13.0 \\\n    --hash=sha256:torch-2.13.0 \\\n    --hash=sha256:torch-2.13.0+cpu\n"
        "msgspec==0.19.0; python_version>'3.8' \\\n    --hash=sha256:msgspec-0.19.0\n"
        "odd==7 ; a \\\n    --hash=sha256:odd-7 \\\n    --hash=sha256:odd-7+cu12.1\n"
    )
    arguments = (small.folder / "arguments").read_text()
    for option in ("--upgrade", "--strip-extras", "--no-emit-index-url", "--no-annotate"):
        assert option in arguments


def test_hashes_are_looked_for_anew_without_other_versions(tmp_path: Path) -> None:
    small = image(tmp_path, "numpy\n")
    small.lock.write_text("torch==2.13.0 \\\n    --hash=sha256:old\n")
    assert lock_image(small, keep_versions=True) is True
    builds = [f"    --hash=sha256:torch-2.13.0{own}" for own in ("", "+cpu")]
    assert small.lock.read_text() == HEAD + " \\\n".join(["torch==2.13.0", *builds]) + "\n"


def test_a_version_of_which_no_file_is_found_is_told(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"no index has a file of numpy==8\.7"):
        lock_image(image(tmp_path, "numpy==8.7\n"))


def test_a_lock_that_stays_as_it_was_is_not_written(tmp_path: Path) -> None:
    small = image(tmp_path, "numpy\n")
    lock_image(small)
    os.utime(small.lock, (1, 1))
    assert lock_image(small) is False
    assert small.lock.stat().st_mtime == 1


def test_what_the_image_does_without_is_left_out(tmp_path: Path) -> None:
    small = image(tmp_path, "tensorflow\ntensorflow-cpu\n", 'lock_without = ["tensorflow"]\n')
    lock_image(small)
    assert (
        small.lock.read_text()
        == f"{HEAD}tensorflow-cpu==1.0 \\\n    --hash=sha256:tensorflow-cpu-1.0\n"
    )


def test_what_cannot_be_resolved_is_told_and_the_lock_stays(tmp_path: Path) -> None:
    small = image(tmp_path, "impossible\n")
    with pytest.raises(MachineError) as failed:
        lock_image(small)
    assert str(failed.value) == (
        "small could not be locked: -m piptools ended with status 1. Its last lines:\n"
        "  ERROR: no version fits\n  impossible needs another\n"
        "Fix the cause and run again: repliquant images lock small"
    )
    assert small.lock.read_text() == "old==1\n"


def test_a_resolver_that_cannot_be_fetched_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(MachineError, match="No matching distribution found for pip-tools"):
        lock_image(image(tmp_path, "numpy\n"))


@pytest.mark.thorough
def test_what_a_container_needs_less_is_locked_as_well(tmp_path: Path) -> None:
    small = image(tmp_path, "numpy\n")
    less = small.folder / "container-requirements.txt"
    less.write_text("")
    less.with_suffix(".in").write_text("msgspec\n")
    assert lock_image(small) is True
    assert small.lock.read_text() == f"{HEAD}numpy==1.0 \\\n    --hash=sha256:numpy-1.0\n"
    head = HEAD.replace("requirements.in", "container-requirements.in")
    assert less.read_text() == f"{head}msgspec==1.0 \\\n    --hash=sha256:msgspec-1.0\n"
    assert lock_image(small) is False
    less.write_text("")
    assert lock_image(small) is True


def test_the_command_says_what_has_changed(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    small = image(tmp_path, "numpy\n")
    assert workshop("images", "lock", "small").stdout == "small: changed\n"
    assert workshop("images", "lock").stdout == "small: as it was\n"
    (small.folder / "requirements.in").write_text("impossible\n")
    told = workshop("images", "lock", "small", status=3).stderr
    assert told.startswith("repliquant: small could not be locked: ")
