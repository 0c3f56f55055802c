"""A package is installed only with a content that the lock knows, or that somebody vouches for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from manifests.errors import InputError, MachineError
from orchestrator.engines.docker import wheels
from orchestrator.engines.local import LocalEngine
from orchestrator.environments import venvs
from orchestrator.environments.images import Image, load_image
from orchestrator.environments.pins import read_pins
from orchestrator.environments.pip_installs import local_builds, requires_any, write_parts
from tests.conftest import ROOT
from tests.fakes.studies import write_image
from tests.fakes.wheels import write_wheel

LOCKS = sorted([*ROOT.glob("requirements*.txt"), *ROOT.glob("images/*/*requirements*.txt")])


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def locked(tmp_path: Path, index: Path, *names: str) -> Image:
    """An image whose lock has the hash of each of these wheels of version 1."""
    lines = []
    for name in names:
        digest = hashlib.sha256((index / f"{name}-1-py3-none-any.whl").read_bytes()).hexdigest()
        lines.append(f"{name}==1 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{digest}\n")
    write_image(tmp_path, "small", "".join(lines))
    return load_image("small", tmp_path / "images")


def plant(index: Path, name: str) -> None:
    """A wheel of the same name with another content."""
    write_wheel(index, name, files={f"{name}.py": "raise SystemExit('planted')\n"})


@pytest.mark.parametrize("lock", LOCKS, ids=[str(path.relative_to(ROOT)) for path in LOCKS])
def test_every_package_of_every_lock_has_a_hash(lock: Path) -> None:
    pins = read_pins(lock)
    assert pins
    assert [pin.title for pin in pins if "--hash=sha256:" not in pin.text] == []


def test_the_lock_of_torch_knows_the_build_of_the_index_and_one_for_the_processor() -> None:
    (torch,) = [
        p for p in read_pins(ROOT / "images/pytorch-cpu/requirements.txt") if p.name == "torch"
    ]
    assert "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7" in torch.text
    assert "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b" in torch.text


def test_a_planted_wheel_is_refused_by_name_with_the_reason(tmp_path: Path, index: Path) -> None:
    for name in ("good", "bad"):
        write_wheel(index, name)
    small = locked(tmp_path, index, "good", "bad")
    plant(index, "bad")
    with pytest.raises(MachineError) as refused:
        venvs.build(small, lambda note: None)
    text = str(refused.value)
    assert "bad==1 is refused: its content is not what the lock knows" in text
    assert f"from file://{index}/bad-1-py3-none-any.whl" in text
    assert "REPLIQUANT_ALLOW_UNHASHED=bad==1" in text
    assert venvs.ready(small) is None


def test_so_it_is_when_packages_are_fetched_for_a_container(tmp_path: Path, index: Path) -> None:
    write_wheel(index, "bad")
    small = locked(tmp_path, index, "bad")
    plant(index, "bad")
    with pytest.raises(MachineError, match="bad==1 is refused: its content is not"):
        wheels.fetch(small, "x86_64", lambda note: None)


@pytest.mark.thorough
def test_a_rebuilt_wheel_is_taken_when_it_is_named_and_results_say_so(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("good", "my_own"):
        write_wheel(index, name)
    small = locked(tmp_path, index, "good", "my_own")
    checked = LocalEngine().prepare(small, lambda note: None)
    assert checked.unhashed == []
    plant(index, "my_own")
    monkeypatch.setenv("REPLIQUANT_ALLOW_UNHASHED", "My.Own==1, elsewhere==3")
    assert venvs.ready(small) is None, "what was checked is another environment"
    used = LocalEngine().prepare(small, lambda note: None)
    assert used.unhashed == ["my-own==1"]
    folder = venvs.environment_folder(small)
    assert json.loads((folder / "ready.json").read_text())["unhashed"] == ["my-own==1"]
    (module,) = folder.glob("lib/*/site-packages/my_own.py")
    assert "planted" in module.read_text()
    fetched = wheels.fetch(small, "x86_64", lambda note: None)
    assert (fetched / "unhashed.txt").read_text() == "my_own==1\n"
    assert "my_own" not in (fetched / "hashed.txt").read_text()
    monkeypatch.delenv("REPLIQUANT_ALLOW_UNHASHED")
    assert LocalEngine().prepare(small, lambda note: None) == checked


@pytest.mark.parametrize("named", ["bad", "bad==2"])
def test_an_exemption_names_the_version_that_the_lock_has(
    tmp_path: Path, index: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(index, "bad")
    small = locked(tmp_path, index, "bad")
    monkeypatch.setenv("REPLIQUANT_ALLOW_UNHASHED", named)
    with pytest.raises(InputError) as refused:
        venvs.build(small, lambda note: None)
    assert str(refused.value) == (
        f"REPLIQUANT_ALLOW_UNHASHED names {named!r}. Accepted here: bad==1"
    )


def test_a_build_that_lies_in_a_folder_is_taken_before_the_indexs(tmp_path: Path) -> None:
    """Where the lock knows it: another one there, or for another Python, changes nothing."""
    for tag in ("cp311-cp311-linux_x86_64", "cp312-cp312-linux_x86_64"):
        write_wheel(tmp_path, "torch", "2+cpu", tag)
    write_wheel(tmp_path, "other", "1+cpu", "cp311-cp311-linux_x86_64")
    wheel = tmp_path / "torch-2+cpu-cp311-cp311-linux_x86_64.whl"
    own = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = tmp_path / "requirements.txt"
    hashes = f"--hash=sha256:{'0' * 64} --hash=sha256:{own}"
    lock.write_text(f"torch==2 {hashes}\nother==1 --hash=sha256:{'0' * 64}\n")
    links = f"https://index.example/links {tmp_path}"
    assert local_builds([lock], links, "3.11", "x86_64") == {"torch==2": own}
    assert local_builds([lock], links, "3.11", "aarch64") == {}
    hashed, _ = write_parts([lock], tmp_path, {"torch==2": own})
    assert hashed.read_text() == (
        f"torch==2 --hash=sha256:{own}\nother==1 --hash=sha256:{'0' * 64}\n"
    )


METADATA = "Metadata-Version: 2.1\nName: torch\nRequires-Dist: numpy\n"


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("", False),
        ('Requires-Dist: Triton==3.7.1; platform_system == "Linux"\n', True),
        ('Requires-Dist: cuda-toolkit[cublas]==13; platform_system == "Linux"\n', True),
        ('Requires-Dist: triton; extra == "fast"\n', False),
        ('Requires-Dist: triton; sys_platform == "win32"\n', False),
    ],
)
def test_what_another_build_needs_is_installed_only_beside_that_build(
    line: str, needed: bool
) -> None:
    more = ROOT / "images" / "pytorch-cpu" / "requirements-more.txt"
    assert requires_any([METADATA + line], more) is needed
