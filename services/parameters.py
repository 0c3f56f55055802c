"""The kinds of values that options take, with messages that say what is accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import click

from manifests.errors import InputError
from manifests.suggest import unknown

_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_MOST_CPUS = 8192


class NumberRange(click.FloatRange):
    """A number between two others; click calls it a float range in its messages."""

    name = "number"


class CountRange(click.IntRange):
    """A whole number between two others."""

    name = "whole number"


class Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers as the kernel and Docker write lists of them: 0-3,6."""

    name = "numbers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        numbers: dict[int, None] = {}
        for part in str(value).split(","):
            match = _RANGE.fullmatch(part.strip())
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
            if not first <= last < _MOST_CPUS:
                self.fail(f"{part!r} is not a list of processors; write it as 0-3,6", param, ctx)
            numbers |= dict.fromkeys(range(first, last + 1))
        return tuple(numbers)


class ChoiceWithHint(click.ParamType[str]):
    """One of several words; what is none of them is answered with the nearest.

    ``also`` says what there is beside this option, such as a flag.
    """

    name = "word"

    def __init__(self, what: str, accepted: Sequence[str], also: str = "") -> None:
        self._what, self._accepted, self._also = what, tuple(accepted), also

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        if text not in self._accepted:
            choices = ", ".join(self._accepted) + f" ({self._also})" * bool(self._also)
            raise InputError(unknown(self._what, text, self._accepted, choices=choices))
        return text


class Duration(click.ParamType[float]):
    """A time in seconds: 90s, 10m, 2h, 1h30m."""

    name = "time"
    _UNITS: ClassVar = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    _TEXT: ClassVar = re.compile(r"(?:\d{1,6}(?:\.\d{1,6})?[dhms])+", re.ASCII)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip().lower().replace(" ", "")
        parts = re.findall(r"([\d.]+)([dhms])", text) if self._TEXT.fullmatch(text) else []
        units = [unit for _, unit in parts]
        seconds = sum(float(number) * self._UNITS[unit] for number, unit in parts)
        if not seconds or units != sorted(set(units), key="dhms".index):
            self.fail(f"{value!r} is not a time; give 90s, 10m, 2h or 1h30m", param, ctx)
        return seconds


class Memory(click.ParamType[int]):
    """An amount of memory: 512m, 8g, or bytes."""

    name = "size"
    _UNITS: ClassVar = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).strip().lower().removesuffix("b").removesuffix("i")
        unit = self._UNITS.get(text[-1:], 1)
        digits = text[:-1] if unit > 1 else text
        good = digits.isascii() and digits.isdigit() and len(digits) < 16
        if not good or not 16 * 2**20 <= int(digits) * unit < 2**60:
            self.fail(f"{value!r} is not a size; give 16m or more, e.g. 8g", param, ctx)
        return int(digits) * unit


def gpu_names(
    context: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    if value is None:
        return None
    gpus = [part.strip() for part in str(value).split(",")]
    if not all(gpus):
        raise click.BadParameter(
            f"{value!r} is not a list of GPUs; write all, or 0,1", context, param
        )
    return tuple(dict.fromkeys(gpus))


class Batches(click.ParamType[tuple[int, ...]]):
    """Batch sizes: 1,8,32."""

    name = "sizes"
    most = 4096

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        found: dict[int, None] = {}
        for part in str(value).split(","):
            text = part.strip()
            if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= self.most):
                self.fail(f"{part!r} is no batch size; give 1 to {self.most:,}: 1,8,32", param, ctx)
            found[int(text)] = None
        return tuple(sorted(found))
