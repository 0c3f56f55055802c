"""``repliquant tui``: the terminal UI."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.options import CountRange, run_options


@click.command("tui")
@click.argument("study", required=False)
@run_options
@click.option("--readonly", is_flag=True, help="Look only: nothing is started or written.")
@click.option("--web", is_flag=True, help="Serve it to browsers of this machine instead.")
@click.option("--port", type=CountRange(1, 65535), default=8000, show_default=True,
              help="The port for --web.")  # fmt: skip
def command(study: str | None, readonly: bool, web: bool, port: int, **choices: Any) -> int:
    """Plan, watch, compare and explain runs on a screen. STUDY is the first to show.

    Exit status as of the last run that was started from the screen.
    """
    from tui.launch import open_screen, serve

    return serve(port) if web else open_screen(study, readonly, choices)
