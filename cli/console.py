"""The two consoles: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click
import msgspec
from rich.console import Console

from services.consoles import console_on
from services.phrases import printable


def out() -> Console:
    """Standard output."""
    return console_on(sys.stdout)


def err() -> Console:
    """Standard error."""
    return console_on(sys.stderr)


def warn(warnings: Iterable[str]) -> None:
    """A line each on standard error."""
    for warning in warnings:
        click.echo(f"warning: {printable(warning)}", err=True)


def print_json(value: object) -> None:
    """Indented JSON on standard output."""
    text = msgspec.json.format(_encoded(value), indent=2).decode()
    click.echo(text)


def _encoded(value: object) -> bytes:
    """As JSON; bytes of names that are no UTF-8 are spelled out."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_spelled_out(msgspec.to_builtins(value)))


def _spelled_out(value: object) -> object:
    from manifests.files import as_text

    if isinstance(value, dict):
        return {_spelled_out(key): _spelled_out(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_spelled_out(each) for each in value]
    return as_text(value) if isinstance(value, str) else value
