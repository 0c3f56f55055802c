"""From the command line to the screen and back."""

from __future__ import annotations

import os
import sys
from typing import Any

from orchestrator.errors import MachineError
from orchestrator.study import load_study, study_ids
from tui.app.app import Repliquant
from tui.choosing import wish_of
from tui.runs import find_run


def open_screen(study: str | None, readonly: bool, choices: dict[str, Any]) -> int:
    """Show the app until it is left; then finish or follow what it began. The exit status."""
    _need_terminal()
    if study is not None:
        load_study(study)
    first = study or next(iter(study_ids()), "")
    return _shown(Repliquant(wish_of({"study": first, **choices}), readonly=readonly))


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
    """The status: 1 when a cell of the screen's runs failed, 130 when one was cut off."""
    try:
        answer = app.run()
        if answer == "go-on":
            return _follow(app)
        return app.return_code or app.stage.exit_status()
    finally:
        app.stage.conducting.cancel("the screen ended")
        app.stage.conducting.join()
        if app.stage.sampling is not None:
            app.stage.sampling.stop()


def _follow(app: Repliquant) -> int:
    """The run goes on here, as lines; Ctrl-C cancels it, a second one kills."""
    from tui.console import err
    from tui.progress import Progress

    console = err()
    if not app.stage.conducting.pausing:
        console.print("the run goes on here; Ctrl-C cancels it", markup=False)
    with Progress(console) as progress:
        progress.join_in(app.stage.course)
        while app.stage.conducting.active:
            try:
                app.stage.conducting.join(0.2)
                for heard in app.stage.conducting.inbox.drain():
                    progress(heard.news)
                    app.stage.course.take(*heard)
            except KeyboardInterrupt:
                if app.stage.conducting.cancelling:
                    app.stage.conducting.kill()
                else:
                    app.stage.conducting.cancel("interrupted")
        for heard in app.stage.conducting.inbox.drain():
            progress(heard.news)
            app.stage.course.take(*heard)
    return app.stage.exit_status()
