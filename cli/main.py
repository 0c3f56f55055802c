"""The command ``repliquant``. Results go to standard output, everything else to standard error.

Exit status: 0 done, 1 some cells failed or something is broken, 2 wrong usage or input, 3 the
machine can't, 130 interrupted.
"""

from __future__ import annotations

import importlib
import signal
import sys

import click

from services.standard_streams import flush_output, outlast_readers

COMMANDS = {
    "doctor": "What this machine can run, what it can't, and what to do about it.",
    "studies": "The studies there are; with a name, everything about one.",
    "plan": "The cells of a study, with estimates and what would be skipped. Runs nothing.",
    "run": "Run a study's cells, or go on with a run that was begun.",
    "measure": "Your own .onnx or .tflite file in every toolchain that opens it.",
    "status": "What of a run is done, failed, or still to do.",
    "table": "The paper's tables, published beside measured.",
    "explain": "Each speedup taken apart: calling convention, compiler, precision.",
    "matrix": "What each technique can quantize, probed feature by feature.",
    "claims": "Verdicts on what a paper claims, on its own numbers and on yours.",
    "audit": "Whether a paper's published numbers agree with one another. Measures nothing.",
    "compare": "Two runs cell by cell, and what differs between their environments.",
    "report": "A run as one self-contained page, or for a paper in Markdown or LaTeX.",
    "export": "A run's samples or metrics as one long table: CSV or Parquet.",
    "bundle": "A run with everything behind it as one archive (RO-Crate).",
    "verify": "Whether an archive is whole, and says what its raw samples say.",
    "show": "One cell: where its numbers come from.",
    "tui": "The terminal UI: plan, watch, compare and explain on a screen.",
    "replay": "A finished run on the screen, as it happened, at any speed.",
    "images": "The environments that cells run in: list, build, verify.",
    "stage": "What a study needs, put where machines without a network can read it.",
    "gpu-check": "Every CUDA path of the PyTorch runners on this machine, in minutes.",
}

SCREEN = {"tui": "tui.commands:tui", "replay": "tui.commands:replay"}
"""Commands that lie beside this package: named as entry points are, and imported when used."""


class Commands(click.Group):
    """Imports a command's module only when it is used; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        here = f"cli.commands.{cmd_name.replace('-', '_')}:command"
        module, _, name = SCREEN.get(cmd_name, here).partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from manifests.suggest import unknown

            ctx.fail(unknown("command", args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False,
    callback=lambda ctx, param, value: _version(ctx, value), help="Show the version and exit.",
)  # fmt: skip
def cli() -> None:
    """Re-run published studies of quantization and mixed precision on your own machine, and
    see how far their numbers hold.

    Start with: repliquant doctor
    """


def _version(context: click.Context, asked: bool) -> None:
    if asked:
        from orchestrator.version import VERSION

        click.echo(f"repliquant {VERSION}")
        context.exit()


def main() -> None:
    """Run the command line and turn every expected error into one message."""
    outlast_readers()
    _heed_signals()
    sys.exit(_flushed(_run()))


def _run() -> int:
    try:
        result: object = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.MissingParameter as error:
        _missing(error).show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("repliquant: interrupted", err=True)
        return 130
    except Exception as error:
        return _explain(error)
    return result if isinstance(result, int) else 0


def _flushed(status: int) -> int:
    """What is still to be written out can fail like everything before it."""
    try:
        flush_output()
    except OSError as error:
        return status or _explain(error)
    return status


def _missing(error: click.MissingParameter) -> click.UsageError:
    """With the studies there are, where it is a study that lacks."""
    if error.param is None or error.param.name != "study":
        return error
    from papers.study import study_ids

    text = f"{error.format_message()} Accepted: {', '.join(study_ids()) or 'none'}"
    return click.UsageError(text, error.ctx)


def _explain(error: Exception) -> int:
    """One message for what a person can act on; anything else is a bug and keeps its traceback."""
    from manifests.errors import MachineError, RepliquantError
    from services.phrases import printable

    if not isinstance(error, RepliquantError | OSError):
        raise error
    code = error.exit_code if isinstance(error, RepliquantError) else MachineError.exit_code
    click.echo(f"repliquant: {printable(str(error), lines=True)}", err=True)
    return code


def _heed_signals() -> None:
    """To be asked to end is to be interrupted, also when the terminal is closed (SIGHUP).

    Who is told to ignore that, as by nohup, goes on ignoring it.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(signum: int, frame: object) -> None:
    if signum == signal.SIGHUP:
        # A terminal that is closed sends more than one; a second interruption would kill cells.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise KeyboardInterrupt
