"""What a plan needs is put into a folder, checked by hashes, and made of what lies there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import write_image
from tests.fakes.wheels import write_wheel

pytestmark = pytest.mark.cells


@pytest.fixture
def staged(workshop: Workshop) -> Path:
    """A study whose environments have a package each, staged from an index that is a folder."""
    from manifests.artifacts import file_sha256

    index = workshop.folder / "index"
    index.mkdir()
    name = write_wheel(index, "tiny", files={"tiny.py": "VALUE = 3\n"})
    lock = f"tiny==1 --hash=sha256:{file_sha256(index / name)}\n"
    for image in ("alpha", "beta"):
        write_image(workshop.folder, image, lock, "import tiny\nprint('ok: tiny', tiny.VALUE)\n")
    workshop.environment.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index))
    folder = workshop.folder / "staged"
    told = workshop("stage", "toy", str(folder)).stderr
    assert f"{folder} will need about 0.0 GB more" in told
    return folder


def listed(folder: Path) -> list[str]:
    return [file["path"] for file in json.loads((folder / "staged.json").read_text())["files"]]


def test_packages_environments_and_data_lie_there(workshop: Workshop, staged: Path) -> None:
    names = listed(staged)
    assert sum(name.endswith("tiny-1-py3-none-any.whl") for name in names) == 2
    assert any(name.startswith("data/digits-8-") for name in names)
    assert len(list(staged.glob("envs/*/ready.json"))) == 2
    told = workshop("stage", "toy", str(staged), "--check")
    assert told.stdout == "" and told.stderr.endswith("files checked, 0 faults\n")


def test_a_second_time_nothing_is_fetched(workshop: Workshop, staged: Path) -> None:
    workshop.environment["PIP_FIND_LINKS"] = str(workshop.folder / "nowhere")
    told = workshop("stage", "toy", str(staged)).stderr
    assert "fetch:" not in told and "alpha: ready" in told


def test_what_a_node_sees_otherwise_is_named(workshop: Workshop, staged: Path) -> None:
    changed, gone = listed(staged)[:2]
    with open(staged / changed, "ab") as file:
        file.write(b" ")
    (staged / gone).unlink()
    told = workshop("stage", "toy", str(staged), "--check", status=1).stdout
    assert f"{changed} is not what was staged\n" in told
    assert f"{gone} is missing\n" in told


def test_only_its_size_is_said_and_nothing_is_made(workshop: Workshop) -> None:
    folder = workshop.folder / "staged"
    told = workshop("stage", "toy", str(folder), "--size").stderr
    assert "alpha: 0.00 GB, of which 0.00 GB to download" in told
    assert not folder.exists()


def test_too_little_room_is_said_before_anything_is_fetched(workshop: Workshop) -> None:
    image = workshop.folder / "images" / "alpha" / "image.toml"
    image.write_text(image.read_text().replace("disk_mb = 1", "disk_mb = 900000000"))
    told = workshop("stage", "toy", str(workshop.folder / "staged"), status=3).stderr
    assert "GB free, and this takes 900000.0 GB. Free some, or give another folder" in told
