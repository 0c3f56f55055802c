"""Options of resources: what they take, and what is refused before anything runs."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from services.run_options import run_options
from tests.conftest import Workshop

taken: dict[str, Any] = {}


@click.command()
@run_options
def command(**choices: Any) -> None:
    taken.clear()
    taken.update({name: choices[name] for name in ("cpus", "gpus", "memory_bytes")})


def given(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    return dict(taken)


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 2
    return done.output.splitlines()[-1]


def test_without_them_the_engine_decides() -> None:
    assert given() == {"cpus": (), "gpus": None, "memory_bytes": None}


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0", (0,)),
        ("0-3", (0, 1, 2, 3)),
        ("0-1,6", (0, 1, 6)),
        ("6,0-1", (6, 0, 1)),
        (" 2 , 4-5", (2, 4, 5)),
        ("1,1,0-1", (1, 0)),
        ("0008", (8,)),
    ],
)
def test_processors_are_written_as_the_kernel_writes_them(text: str, cpus: tuple[int, ...]) -> None:
    assert given("--cpus", text)["cpus"] == cpus


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", ""), ("a", "a"), ("-1", "-1"), ("0,", ""), ("1-", "1-"), ("0-1-2", "0-1-2"),
        ("5,3-1", "3-1"), ("0x1", "0x1"), ("1.5", "1.5"), ("0-99999999999", "0-99999999999"),
        ("٣", "٣"), ("all", "all"),
    ],
)  # fmt: skip
def test_what_names_no_processors_is_refused(text: str, part: str) -> None:
    told = f"Invalid value for '--cpus': {part!r} is not a list of processors; write it as 0-3,6"
    assert refused("--cpus", text) == f"Error: {told}"


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("0", ("0",)),
        ("0,2", ("0", "2")),
        (" 1 , 0 ", ("1", "0")),
        ("1,1", ("1",)),
        ("all", ("all",)),
    ],
)
def test_gpus_are_a_list_or_all(text: str, gpus: tuple[str, ...]) -> None:
    assert given("--gpus", text)["gpus"] == gpus


@pytest.mark.parametrize("text", ["", ",", "0,", " "])
def test_what_names_no_gpus_is_refused(text: str) -> None:
    assert f"{text!r} is not a list of GPUs; write all, or 0,1" in refused("--gpus", text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8g", 8 * 2**30),
        ("8G", 8 * 2**30),
        ("8gb", 8 * 2**30),
        ("8GiB", 8 * 2**30),
        ("512m", 512 * 2**20),
        ("16m", 16 * 2**20),
        ("16777216", 16 * 2**20),
        ("20000k", 20000 * 2**10),
        ("1t", 2**40),
    ],
)
def test_memory_is_written_as_docker_writes_it(text: str, size: int) -> None:
    assert given("--memory", text)["memory_bytes"] == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "g",
        "8x",
        "1.5g",
        "-8g",
        "0",
        "15m",
        "8",
        "8 g",
        "0x10g",
        "٣g",
        "9" * 30,
        "9999999t",
        "all",
    ],
)
def test_what_is_no_amount_of_memory_is_refused(text: str) -> None:
    told = f"{text!r} is not a size; give 16m or more, e.g. 8g"
    assert refused("--memory", text) == f"Error: Invalid value for '--memory': {told}"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--memory", "1g"], "--memory needs containers, and the engine local runs none."),
        (["--gpus", "7"], "--gpus 7: the engine local has no such GPU. Accepted: "),
        (["--cpus", "8000"], "--cpus 8000: the engine local has no such processor. Accepted: "),
    ],
)
def test_what_the_local_engine_lacks_is_refused_before_an_environment_is_made(
    workshop: Workshop, options: list[str], told: str
) -> None:
    done = workshop("run", "toy", "--engine", "local", *options, status=2)
    assert f"repliquant: {told}" in done.stderr
    assert not workshop.runs.exists()
    assert not (workshop.folder / "cache").exists()
