"""``repliquant images``: writing one, and one that is broken beside others."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import write_image

LOCAL = ("--engine", "local")


def states(workshop: Workshop, status: int) -> dict[str, str]:
    listed = workshop("images", "list", *LOCAL, "--json", status=status)
    return {line["image"]: line["state"] for line in json.loads(listed.stdout)}


@pytest.fixture
def extension(workshop: Workshop) -> Path:
    """A folder on REPLIQUANT_PATH."""
    folder = workshop.folder / "extension"
    folder.mkdir()
    workshop.environment["REPLIQUANT_PATH"] = str(folder)
    return folder


def test_a_new_image_is_listed_and_once_locked_it_can_be_built(
    workshop: Workshop, extension: Path
) -> None:
    made = workshop("images", "new", "mine-cpu", "--framework", "mine", "--about", "My own")
    folder = extension / "images" / "mine-cpu"
    assert (
        made.stdout == f"{folder}: written\n" and "repliquant images lock mine-cpu" in made.stderr
    )
    assert "No runners here are of framework 'mine'." in made.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        "image.toml", "requirements.in", "verify.py",
    ]  # fmt: skip
    assert tomllib.loads((folder / "image.toml").read_text())["about"] == "My own"
    assert states(workshop, 0)["mine-cpu"] == "not locked; run: repliquant images lock mine-cpu"

    (folder / "requirements.txt").write_text("")
    version = f'python = ["{".".join(map(str, __import__("sys").version_info[:2]))}"]'
    text = (folder / "image.toml").read_text()
    (folder / "image.toml").write_text(text.replace('python = ["3.11"]', version))
    (folder / "verify.py").write_text("def it_starts():\n    return 'started'\n")
    workshop("images", "build", "mine-cpu", *LOCAL)
    assert states(workshop, 0)["mine-cpu"] == "ready"
    assert "ok: started" in workshop("images", "verify", "mine-cpu", *LOCAL).stdout


def test_a_new_images_checks_hold_where_numpy_is(workshop: Workshop, extension: Path) -> None:
    workshop("images", "new", "mine-cpu", "--framework", "mine")
    file = extension / "images" / "mine-cpu" / "verify.py"
    names: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert str(names["arrays_can_be_multiplied"]()).startswith("numpy ")  # type: ignore[operator]


@pytest.mark.parametrize(("arguments", "says"), [
    (("alpha", "--framework", "x"), "there is an image 'alpha' already: "),
    (("Mine", "--framework", "x"), "'Mine' can't be a name. Accepted: small letters"),
    (("../x", "--framework", "x"), "'../x' can't be a name"),
    (("x", "--framework", "X"), "'X' can't be a framework"),
    (("x", "--framework", "x", "--python", "3"), "'3' can't be a version of Python"),
    (("x", "--framework", "x", "--about", 'a "b"'), "a line without quotes is accepted"),
    (("x", "--framework", "x", "--into", "."), "is not on REPLIQUANT_PATH, so that nothing would"),
])  # fmt: skip
def test_what_can_not_be_written_is_said_and_leaves_nothing(
    workshop: Workshop, extension: Path, arguments: tuple[str, ...], says: str
) -> None:
    assert says in workshop("images", "new", *arguments, status=2).stderr
    assert not list(extension.rglob("image.toml"))


def test_a_broken_image_hurts_only_itself(workshop: Workshop) -> None:
    folder = write_image(workshop.folder, "torn")
    (folder / "image.toml").write_text('name = "torn"\nframework = 5\n')
    write_image(workshop.folder, "renamed").rename(workshop.folder / "images" / "other")
    (workshop.folder / "images" / "half").mkdir()
    (workshop.folder / "images" / "half" / "requirements.in").write_text("numpy\n")

    told = workshop("images", "list", *LOCAL, status=1)
    assert f"{folder / 'image.toml'}:2: framework: Expected `str`, got `int`" in told.stderr
    found = states(workshop, 1)
    assert found["torn"].startswith("broken: ") and found["alpha"].startswith("not built")
    assert "half/image.toml can't be read" in found["half"]
    assert "name: is 'renamed', but the folder is 'other'" in found["other"]

    assert "alpha" in workshop("plan", "toy").stdout
    workshop.run()
    doctor = workshop("doctor", "--verbose", status=3)
    assert "image torn" in doctor.stdout and "image alpha" in doctor.stdout
    built = workshop("images", "build", "alpha", *LOCAL)
    assert built.stdout == "alpha: ready\n"
    assert "torn/image.toml:2" in workshop("images", "build", "torn", *LOCAL, status=2).stderr


def test_a_name_that_is_there_twice_is_an_error_with_both_places(
    workshop: Workshop, extension: Path
) -> None:
    write_image(extension, "alpha")
    told = workshop("images", "list", *LOCAL, status=2).stderr
    assert "there are two of the image 'alpha'" in told
    assert str(extension / "images" / "alpha") in told


def test_a_folder_on_the_path_that_is_not_there_is_named(workshop: Workshop) -> None:
    workshop.environment["REPLIQUANT_PATH"] = "nowhere"
    for command in (("studies",), ("images", "list"), ("plan", "toy"), ("run", "toy")):
        told = workshop(*command, status=2).stderr
        assert "REPLIQUANT_PATH: " in told and "nowhere does not exist" in told
