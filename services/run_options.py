"""The options of a run: what its commands take, and what the screen's form asks for."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, Unpack, cast

import click

from manifests.errors import InputError
from services.parameters import CountRange, Duration, Memory, NumberRange, Numbers, gpu_names
from services.selection import RunChoices

MOST_REPEATS = 1000

Decorated = TypeVar("Decorated", bound=Callable[..., object])

_CHOICES = (
    click.option("--tier", default="quick", show_default=True, help="How much of the recipe."),
    click.option("--protocol", help="rigorous or as-published; all that the study has by default."),
    click.option(
        "--dataset", help="Data set (digits, cifar10, cats_vs_dogs); the tier's own by default."
    ),
    click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="A folder or archive of train/<class>/* and test/<class>/* images, the CIFAR-10 "
        "archive, or a folder that holds one of these for each data set.",
    ),
    click.option(
        "--experiment",
        multiple=True,
        metavar="NAME",
        help="A part of the study that isn't run by default, e.g. seeds; 'default' is the rest. "
        "Repeatable.",
    ),
    click.option(
        "-k",
        "expression",
        default="",
        help="Choose cells, e.g. 'pytorch and ptq', 'batch_size>=32 and not qat'.",
    ),
    click.option(
        "--repeats",
        type=CountRange(0, MOST_REPEATS),
        default=0,
        help="Processes of every cell, of training and quantizing too; 0: as the tier says.",
    ),
    click.option(
        "--budget",
        "budget_s",
        type=Duration(),
        help="Measure everything once, then again what decides open claims, until so "
        "long was spent: 90s, 10m, 2h.",
    ),
    click.option(
        "--run", "run_dir", type=click.Path(path_type=Path), help="Folder of the run to go on with."
    ),
)

_RESOURCES = (
    click.option("--cpus", type=Numbers(), default=(), help="Processors to use, e.g. 0-3."),
    click.option("--gpus", callback=gpu_names, help="GPUs to use, one cell each: all, or 0,1."),
    click.option("--memory", "memory_bytes", type=Memory(), help="Limit of a container: 8g."),
    click.option(
        "--wait-quiet",
        "wait_quiet_s",
        type=NumberRange(0, 86_400),
        default=0,
        show_default=True,
        metavar="SECONDS",
        help="Wait so long at most, before cells, until others leave the machine alone.",
    ),
)


_WHERE = (
    click.option(
        "--engine", default="auto", show_default=True, help="Where: auto, docker, local, slurm."
    ),
    click.option(
        "--python",
        type=click.Path(path_type=Path),
        help="Run cells with this interpreter in place of the images (--engine local).",
    ),
    click.option("--threads", type=CountRange(0, 4096), default=0, help="0: all processors."),
)

_NARROWING = (
    click.option(
        "--claim",
        default="",
        help="Only the cells of one claim (C2, or its id); a run ends with its verdict.",
    ),
    click.option("--sample", is_flag=True, help="Only the quickest cell of each environment."),
)


def request_options(function: Decorated) -> Decorated:
    """Everything that decides which cells a run has, and which of them can run."""
    return _with((*_CHOICES, *_WHERE), function)


def run_options(function: Decorated) -> Decorated:
    """Which cells, where they run, and what they may use: all that RunOptions hold."""
    return _with((*_CHOICES, *_WHERE, *_RESOURCES, *_NARROWING), function)


def _with(options: Sequence[Callable[[Decorated], Decorated]], function: Decorated) -> Decorated:
    for option in reversed(options):
        function = option(function)
    return function


def read_options(given: Mapping[str, str]) -> RunChoices:
    """What a command makes of the options of a run, by the names of its parameters.

    "" leaves an option at its default; "yes" sets one that takes no value, "no" doesn't; commas
    part the values of one that may be given more than once.
    Raises InputError with the command line's own message.
    """
    command = _options_alone()
    try:
        return cast("RunChoices", command.make_context("run", _arguments(given)).params)
    except click.UsageError as error:
        raise InputError(error.format_message()) from error


def command_line(study: str, given: Mapping[str, str]) -> str:
    """The command that runs it: the reverse of ``read_options``, without what is the default."""
    return shlex.join(["repliquant", "run", study, *_arguments(given)])


def _arguments(given: Mapping[str, str]) -> list[str]:
    arguments: list[str] = []
    for option in _options_alone().params:
        text = given.get(option.name or "", "")
        if isinstance(option, click.Option) and option.is_flag:
            arguments += option.opts[:1] if text == "yes" else []
        elif text and text != option.default:
            values = text.split(",") if option.multiple else [text]
            arguments += [word for value in values for word in (option.opts[0], value.strip())]
    return arguments


@functools.cache
def _options_alone() -> click.Command:
    """The options of a run without a command behind them."""

    @click.command("run")
    @run_options
    def command(**choices: Unpack[RunChoices]) -> None:
        """Never called."""

    return command
