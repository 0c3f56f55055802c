"""``repliquant replay``: a finished run as it happened."""

from __future__ import annotations

import click

from cli.commands.options import NumberRange


@click.command("replay")
@click.argument("run")
@click.option("--speed", type=NumberRange(1, 100), default=1.0, show_default=True,
              help="How many times faster than it was: 1 to 100.")  # fmt: skip
def command(run: str, speed: float) -> int:
    """Show RUN (an id or a folder) as it happened. Needs neither GPU nor Docker; runs nothing."""
    from tui.launch import open_replay

    return open_replay(run, speed)
