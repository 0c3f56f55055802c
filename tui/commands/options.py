"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorated = Callable[..., Any]

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


def request_options(function: Decorated) -> Decorated:
    """Everything that decides which cells a run has."""
    for option in reversed(_CHOICES):
        function = option(function)
    return function
