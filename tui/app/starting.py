"""From the command line to the screen and back."""

from __future__ import annotations

import os
import sys
from typing import Any

from orchestrator.errors import InputError, MachineError
from orchestrator.sessions import Request
from orchestrator.study import load_study
from tui.app.app import Repliquant
from tui.runs import find_run


def open_screen(study: str | None, readonly: bool, choices: dict[str, Any]) -> int:
    """Show the app until it is left; then finish or follow what it began. The exit status."""
    _need_terminal()
    request = None
    if study is not None:
        load_study(study)
        request = Request(study, **choices)
    return _shown(Repliquant(request, readonly=readonly))


def open_replay(run: str, speed: float) -> int:
    """Raises InputError for a run that can't be played."""
    from tui.app.recording import read_recording
    from tui.app.replay import Replay

    recording = read_recording(find_run(run))
    _need_terminal()
    return _shown(Repliquant(replay=Replay(recording, speed)))


def serve(port: int) -> int:
    """The app for browsers of this machine, until Ctrl-C."""
    from tui.app.serving import serve_app

    serve_app([sys.executable, "-m", "tui", *_inner_arguments()], port)
    return 0


def _inner_arguments() -> list[str]:
    """This command's own arguments without those of serving."""
    arguments = sys.argv[1:]
    kept = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--port":
            skip = True
        elif argument != "--web" and not argument.startswith("--port="):
            kept.append(argument)
    return kept


def _need_terminal() -> None:
    """Raises MachineError where there is nothing to draw on."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise MachineError(
            "the screen needs a terminal, and this is none. The commands do the same without "
            "one: repliquant --help"
        )


def _shown(app: Repliquant) -> int:
    """The status: 1 when a cell of the screen's last run failed, 130 when it was cut off."""
    try:
        answer = app.run()
    except BaseException:
        app.conducting.cancel("the screen ended")
        app.conducting.join()
        raise
    if answer == "go-on":
        return _follow(app)
    if app.return_code:
        app.conducting.cancel("the screen ended")
        app.conducting.join()
    return app.return_code or 0


def _follow(app: Repliquant) -> int:
    """The run goes on here, as lines; Ctrl-C cancels it."""
    from tui.console import err
    from tui.progress import Progress

    with Progress(err()) as progress:
        progress.join_in(app.course)
        try:
            while not app.conducting.join(0.2):
                for heard in app.conducting.inbox.drain():
                    progress(heard.news)
        except KeyboardInterrupt:
            app.conducting.cancel("interrupted")
            app.conducting.join()
            return 130
        for heard in app.conducting.inbox.drain():
            progress(heard.news)
    return 0


__all__ = ["InputError", "open_replay", "open_screen", "serve"]
