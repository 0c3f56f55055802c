"""From the command line to the screen and back."""

from __future__ import annotations

import contextlib
import copy
import os
import sys
import traceback
from typing import TYPE_CHECKING

from manifests.codec import UnreadableError
from manifests.errors import MachineError
from manifests.run_folder import Run
from orchestrator.messages import LogLine
from papers.study import load_study, study_ids
from services.consoles import console_on
from services.progress import Progress
from services.run_state import RunState
from services.runs import find_run
from services.selection import RunChoices, options_of
from tui.app import Repliquant
from tui.kept import read_kept, write_kept
from tui.run_queue import Begun, Ended

if TYPE_CHECKING:
    from pathlib import Path


def open_screen(study: str | None, readonly: bool, choices: RunChoices) -> int:
    """Show the app until it is left; then finish or follow what it began. The exit status."""
    _need_terminal()
    if study is not None:
        load_study(study)
    kept = read_kept()
    app = Repliquant(options_of(_first(study, choices, kept.study), choices), readonly=readonly)
    app.kept = kept
    status = _shown(app)
    if not readonly:
        kept.study = app.data.study
        write_kept(kept)
    return status


def print_screens(study: str | None, screen: str, choices: RunChoices) -> int:
    """The screens as lines on standard output; 0."""
    import click

    from tui.plain import plain_screens

    if study is not None:
        load_study(study)
    options = options_of(_first(study, choices), choices)
    for line in plain_screens(options, study_ids(), screen):
        click.echo(line)
    return 0


def _first(study: str | None, choices: RunChoices, kept: str = "") -> str:
    """The study to show first: the one asked for, that of the run, the last one, any."""
    last = kept if kept in study_ids() else ""
    return study or _study_of(choices["run_dir"]) or last or next(iter(study_ids()), "")


def _study_of(folder: Path | None) -> str:
    """The study of the run in a folder; "" where there is none, or not one that can be read."""
    if folder is not None:
        with contextlib.suppress(UnreadableError, OSError):
            study = Run(folder).plan().study
            return study if study in study_ids() else ""
    return ""


def open_replay(run: str, speed: float) -> int:
    """Raises InputError for a run that can't be played."""
    from tui.recording import read_recording
    from tui.replay import Replay

    recording = read_recording(find_run(run))
    _need_terminal()
    return _shown(Repliquant(replay=Replay(recording, speed)))


def serve(port: int) -> int:
    """The app for browsers of this machine, until Ctrl-C."""
    from tui.web_server import serve_app

    serve_app([sys.executable, "-m", "cli", *_inner_arguments()], port)
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
            "the screen needs a terminal, and standard input or output isn't one. The commands do "
            "the same without: repliquant --help"
        )


def _shown(app: Repliquant) -> int:
    """The status: 1 when a cell of the screen's runs failed, 130 when one was cut off."""
    try:
        answer = _run(app)
        if app.crashed:
            return _follow(app, "The screen has crashed.") or 1
        if answer == "go-on":
            return _follow(app)
        return app.return_code or app.live.exit_status()
    finally:
        app.live.queue.cancel("the screen ended")
        app.live.queue.join()
        if app.live.sampling is not None:
            app.live.sampling.stop()


def _run(app: Repliquant) -> str | None:
    """The app's answer. What it raises is printed: no fault of the screen ends a run."""
    try:
        return app.run()
    except Exception as error:
        app.crashed = True
        traceback.print_exception(error)
        return None


def _follow(app: Repliquant, why: str = "") -> int:
    """The run goes on here, as lines; Ctrl-C cancels it, a second one kills."""
    console = console_on(sys.stderr)
    queue = app.live.queue
    goes_on = queue.active and not queue.pausing
    words = [why, "The run goes on here; Ctrl-C cancels it" if goes_on else ""]
    if any(words):
        console.print(" ".join(words).strip(), markup=False)
    with Progress(console, state=copy.deepcopy(app.live.run_state)) as progress:
        while queue.active:
            try:
                queue.join(0.2)
                _print_messages(app, progress)
            except KeyboardInterrupt:
                if queue.cancelling:
                    queue.kill()
                else:
                    queue.cancel("interrupted")
        _print_messages(app, progress)
    return app.live.exit_status()


def _print_messages(app: Repliquant, progress: Progress) -> None:
    """What has come since the last time, as lines."""
    for message, _ in app.live.take_messages():
        if isinstance(message, Begun):
            progress.state = RunState(message.chosen)
        elif not isinstance(message, Ended):
            progress(message)
        elif message.error:
            progress(LogLine(message.error, "important"))
