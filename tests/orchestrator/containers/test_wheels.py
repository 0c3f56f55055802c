"""An image's packages are fetched on the host: the right builds, all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import InputError, MachineError
from orchestrator.engines.docker import wheels
from tests.fakes.wheels import write_wheel as wheel
from tests.orchestrator.containers.small_wheels import begun, fetch, image

pytestmark = [pytest.mark.cells, pytest.mark.usefixtures("index")]


def test_the_wheels_of_a_lock_are_fetched_once(tmp_path: Path, index: Path) -> None:
    expected = [wheel(index, "one"), wheel(index, "two", "2.5")]
    small = image(tmp_path, "one==1", "two==2.5")
    found, told = fetch(small)
    assert found == expected
    assert any(text.startswith("fetch: Processing ") for text in told)
    assert fetch(small) == (expected, [])
    assert begun(tmp_path) == []


def test_the_news_count_the_packages(tmp_path: Path, index: Path) -> None:
    wheel(index, "one"), wheel(index, "two")
    steps: list[tuple[int, int]] = []
    wheels.fetch(
        image(tmp_path, "# a comment", "one==1", "two==1"), "x86_64",
        lambda note: steps.append((note.done, note.of)),
    )  # fmt: skip
    assert steps[-1] == (2, 2)
    assert {of for _, of in steps} == {2}
    assert steps == sorted(steps)


def test_another_lock_python_or_architecture_is_another_folder(tmp_path: Path, index: Path) -> None:
    wheel(index, "one"), wheel(index, "one", "2")
    found = set()
    for pin, python, architecture in [
        ("one==1", "3.11", "x86_64"),
        ("one==1", "3.11", "aarch64"),
        ("one==1", "3.12", "x86_64"),
        ("one==2", "3.11", "x86_64"),
    ]:
        small = image(tmp_path, pin, python=python)
        found.add(wheels.fetch(small, architecture, lambda note: None))
    assert len(found) == 4


TAKEN = {
    ("x86_64", "3.11"): [
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp311-cp311-manylinux2014_x86_64",
        "cp311-cp311-manylinux2010_x86_64",
        "cp311-cp311-manylinux1_x86_64",
        "cp311-cp311-manylinux_2_5_x86_64",
        "cp311-cp311-manylinux_2_36_x86_64",
        "cp311-cp311-linux_x86_64",
        "cp39-abi3-manylinux_2_28_x86_64",
        "py3-none-manylinux_2_28_x86_64",
        "py2.py3-none-any",
    ],
    ("aarch64", "3.8"): [
        "cp38-cp38-manylinux_2_17_aarch64.manylinux2014_aarch64",
        "py3-none-any",
    ],
}


@pytest.mark.parametrize(("architecture", "python"), TAKEN)
def test_wheels_for_the_container_are_taken(
    tmp_path: Path, index: Path, architecture: str, python: str
) -> None:
    tags = TAKEN[architecture, python]
    files = [wheel(index, f"p{number}", tag=tag) for number, tag in enumerate(tags)]
    small = image(tmp_path, *(f"p{number}==1" for number in range(len(tags))), python=python)
    assert fetch(small, architecture)[0] == sorted(files)


@pytest.mark.first(2)
@pytest.mark.parametrize(
    "tag",
    [
        "cp312-cp312-manylinux_2_28_x86_64",  # of another Python
        "cp311-cp311-manylinux_2_28_aarch64",  # of another processor
        "cp311-cp311-musllinux_1_2_x86_64",  # of another C library
        "cp311-cp311-manylinux_2_39_x86_64",  # of a newer C library than bookworm's
        "cp311-cp311-macosx_11_0_x86_64",
        "cp311-cp311-win_amd64",
    ],
)
def test_a_wheel_for_something_else_is_not(tmp_path: Path, index: Path, tag: str) -> None:
    wheel(index, "one", tag=tag)
    with pytest.raises(MachineError, match="No matching distribution found for one==1"):
        fetch(image(tmp_path, "one==1"))


def test_of_several_builds_the_one_for_the_newest_c_library_is_taken(
    tmp_path: Path, index: Path
) -> None:
    for glibc in ("2_17", "2_28", "2_34"):
        wheel(index, "one", tag=f"cp311-cp311-manylinux_{glibc}_x86_64")
    found, _ = fetch(image(tmp_path, "one==1"))
    assert found == ["one-1-cp311-cp311-manylinux_2_34_x86_64.whl"]


def test_nothing_is_built_from_source(tmp_path: Path, index: Path) -> None:
    """A source's setup.py would run on the host, with the host's rights."""
    (index / "one-1.tar.gz").write_bytes(b"")
    with pytest.raises(MachineError, match="No matching distribution found for one==1"):
        fetch(image(tmp_path, "one==1"))


def test_a_failing_pip_shows_its_last_lines_and_leaves_nothing(tmp_path: Path, index: Path) -> None:
    wheel(index, "one")
    small = image(tmp_path, "one==1", "two==1")
    with pytest.raises(MachineError) as failed:
        fetch(small)
    text = str(failed.value)
    assert text.startswith(
        "the packages of small could not be fetched: pip ended with status 1. Its last lines:\n  "
    )
    assert "No matching distribution found for two==1" in text
    assert text.endswith("or build it alone: repliquant images build small")
    assert failed.value.exit_code == 3
    assert len(text.splitlines()) <= 1 + 15 + 1
    assert begun(tmp_path) == []
    wheel(index, "two")
    assert len(fetch(image(tmp_path, "one==1", "two==1"))[0]) == 2


def test_a_lock_without_hashes_is_refused_with_the_next_step(tmp_path: Path, index: Path) -> None:
    wheel(index, "one")
    small = image(tmp_path)
    small.lock.write_text("one==1\n")
    with pytest.raises(MachineError, match="Hashes are required") as refused:
        fetch(small)
    assert "The lock has no hash for it; run: repliquant images lock" in str(refused.value)


def test_an_image_that_needs_no_package_has_a_folder_without_any(tmp_path: Path) -> None:
    assert fetch(image(tmp_path, "# nothing"))[0] == []


def test_an_image_without_its_lock_says_how_to_make_it(tmp_path: Path) -> None:
    small = image(tmp_path)
    small.lock.unlink()
    with pytest.raises(
        InputError, match=r"requirements\.txt can't be read .*; run: repliquant images lock"
    ):
        fetch(small)


def test_variables_that_would_lead_python_elsewhere_do_not_reach_pip(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "pip.py").write_text("raise SystemExit('trapped')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "trap"))
    file = wheel(index, "one")
    assert fetch(image(tmp_path, "one==1"))[0] == [file]


def test_what_fails_is_told_before_anything_is_left(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache on a full disk: the folder is not taken for a finished one."""
    wheel(index, "one")
    small = image(tmp_path, "one==1")

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wheels, "sync_folder", full)
    with pytest.raises(OSError, match="No space left"):
        fetch(small)
    assert begun(tmp_path) == []
