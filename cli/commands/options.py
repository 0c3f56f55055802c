"""Options that several commands share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import click

from manifests.errors import InputError

Decorated = Callable[..., Any]


class NumberRange(click.FloatRange):
    """A number between two others; click calls it a float range in its messages."""

    name = "number"


class CountRange(click.IntRange):
    """A whole number between two others."""

    name = "whole number"


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

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
        "-k",
        "expression",
        default="",
        help="Choose cells, e.g. 'pytorch and ptq', 'batch_size>=32 and not qat'.",
    ),
    click.option(
        "--run", "run_dir", type=click.Path(path_type=Path), help="Folder of the run to go on with."
    ),
)

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_MOST_CPUS = 8192


class _Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers as the kernel and Docker write lists of them: 0-3,6."""

    name = "numbers"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        numbers: dict[int, None] = {}
        for part in value.split(","):
            match = _RANGE.fullmatch(part.strip())
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
            if not first <= last < _MOST_CPUS:
                self.fail(f"{part!r} names no processors; write them as 0-3,6", param, ctx)
            numbers |= dict.fromkeys(range(first, last + 1))
        return tuple(numbers)


class _Memory(click.ParamType[int]):
    """An amount of memory: 512m, 8g, or bytes."""

    name = "size"
    _UNITS: ClassVar = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        text = str(value).strip().lower().removesuffix("b").removesuffix("i")
        unit = self._UNITS.get(text[-1:], 1)
        digits = text[:-1] if unit > 1 else text
        good = digits.isascii() and digits.isdigit() and len(digits) < 16
        if not good or not 16 * 2**20 <= int(digits) * unit < 2**60:
            self.fail(f"{value!r} is no amount of memory of 16m or more; e.g. 8g", param, ctx)
        return int(digits) * unit


def _gpus(context: Any, param: Any, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    gpus = [part.strip() for part in value.split(",")]
    if not all(gpus):
        raise click.BadParameter(f"{value!r} names no GPUs; write all, or 0,1", context, param)
    return tuple(dict.fromkeys(gpus))


_RESOURCES = (
    click.option("--cpus", type=_Numbers(), default=(), help="Processors to use, e.g. 0-3."),
    click.option("--gpus", callback=_gpus, help="GPUs to use, one cell each: all, or 0,1."),
    click.option("--memory", "memory_bytes", type=_Memory(), help="Limit of a container: 8g."),
)


_WHERE = (
    click.option("--engine", default="auto", show_default=True, help="Where: auto, docker, local."),
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


def resource_options(function: Decorated) -> Decorated:
    """What one cell may use of the machine."""
    return _with(_RESOURCES, function)


def request_options(function: Decorated) -> Decorated:
    """Everything that decides which cells a run has, and which of them can run."""
    return _with((*_CHOICES, *_WHERE), function)


def run_options(function: Decorated) -> Decorated:
    """Which cells, where they run, and what they may use: all that a Wish holds."""
    return _with((*_CHOICES, *_WHERE, *_RESOURCES, *_NARROWING), function)


def _with(options: Sequence[Callable[[Decorated], Decorated]], function: Decorated) -> Decorated:
    for option in reversed(options):
        function = option(function)
    return function


def read_options(given: Mapping[str, str]) -> dict[str, Any]:
    """What a command makes of the options of a run, by the names of its parameters.

    "" leaves an option at its default; "yes" sets one that takes no value, "no" doesn't.
    Raises InputError with the command line's own message.
    """
    command = _options_alone()
    arguments: list[str] = []
    for option in command.params:
        text = given.get(option.name or "", "")
        if isinstance(option, click.Option) and option.is_flag:
            arguments += option.opts[:1] if text == "yes" else []
        elif text:
            arguments += [option.opts[0], text]
    try:
        return command.make_context("run", arguments).params
    except click.UsageError as error:
        raise InputError(error.format_message()) from error


@functools.cache
def _options_alone() -> click.Command:
    """The options of a run without a command behind them."""

    @click.command("run")
    @run_options
    def command(**choices: Any) -> None:
        """Never called."""

    return command
