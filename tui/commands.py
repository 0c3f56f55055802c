"""The commands that open the screen. The command line knows them by this module's name alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from services.parameters import CountRange, NumberRange
from services.run_options import run_options

if TYPE_CHECKING:
    from services.selection import RunChoices


@click.command("tui")
@click.argument("study", required=False)
@run_options
@click.option("--readonly", is_flag=True, help="Look only: nothing is started or written.")
@click.option("--plain", is_flag=True, help="Print the screens as lines of words instead.")
@click.option(
    "--screen",
    type=click.Choice(["home", "plan", "run", "results", "explain", "claims"]),
    help="Of --plain only this one.",
)
@click.option("--web", is_flag=True, help="Serve it to browsers of this machine instead.")
@click.option("--port", type=CountRange(1, 65535), default=8000, show_default=True,
              help="The port for --web.")  # fmt: skip
def tui(
    study: str | None,
    readonly: bool,
    plain: bool,
    screen: str | None,
    web: bool,
    port: int,
    **choices: Unpack[RunChoices],
) -> int:
    """Plan, watch, compare and explain runs on a screen. STUDY is the first to show.

    Exit status as of the last run that was started from the screen.
    """
    from tui.launch import open_screen, print_screens, serve

    if plain:
        return print_screens(study, screen or "", choices)
    return serve(port) if web else open_screen(study, readonly, choices)


@click.command("replay")
@click.argument("run")
@click.option("--speed", type=NumberRange(1, 100), default=1.0, show_default=True,
              help="How many times faster than it was: 1 to 100.")  # fmt: skip
def replay(run: str, speed: float) -> int:
    """Show RUN (an id or a folder) as it happened. Needs neither GPU nor Docker; runs nothing."""
    from tui.launch import open_replay

    return open_replay(run, speed)
