"""What several commands take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from services.parameters import ChoiceWithHint

Decorated = TypeVar("Decorated", bound=Callable[..., object])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def in_format(accepted: Sequence[str], also: str = "") -> Callable[[Decorated], Decorated]:
    """``--format``, by default the first of ``accepted``; ``also`` as in ChoiceWithHint."""
    *most, last = accepted
    return click.option(
        "--format",
        "format_",
        type=ChoiceWithHint("format", accepted, also),
        default=accepted[0],
        show_default=True,
        help=f"{', '.join(most)} or {last}.",
    )
