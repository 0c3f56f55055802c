"""The command line of gpu-check without click and rich: the standard library's alone."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cli.check_page import keep, packed_lines, page_of, plain_table
from manifests.errors import RepliquantError
from manifests.paths import VENDOR
from orchestrator.gpu_check.carry import COMMIT
from orchestrator.gpu_check.check import Check, check
from orchestrator.gpu_check.plan import checked_frameworks
from orchestrator.messages import CellEnded, CellStarted, LogLine, RunMessage
from services.phrases import printable


def main(arguments: Sequence[str]) -> int:
    """The exit status, as the command ``repliquant gpu-check`` has it."""
    started = time.monotonic()
    asked = _parser().parse_args(arguments)
    if asked.minutes <= 0:
        _parser().error("--minutes has to be more than 0")
    _name_commit()
    try:
        return _run(_check(asked, started), asked.json, started)
    except RepliquantError as error:
        sys.stderr.write(f"gpu-check: {printable(str(error), lines=True)}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("gpu-check: interrupted; the same command goes on from here\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gpu-check", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder of the results")
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="runs the cells; by default this"
    )
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--framework", choices=checked_frameworks(), help="this one only")
    parser.add_argument(
        "--minutes", type=float, default=8.0, help="for everything, packing included (8)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on; an error where nothing was begun"
    )
    parser.add_argument("--json", action="store_true", help="print summary.json")
    return parser


def _check(asked: argparse.Namespace, started: float) -> Check:
    return Check(
        python=asked.python, device=asked.device, framework=asked.framework, run_dir=asked.out,
        limit_s=asked.minutes * 60, started=started, resume=asked.resume,
    )  # fmt: skip


def _run(asked: Check, as_json: bool, started: float) -> int:
    checked = check(asked, lambda message: _tell(message, time.monotonic() - started))
    page = page_of(checked)
    folder = checked.run.folder
    packed = keep(page, folder)
    if as_json:
        print((folder / "summary.json").read_text(encoding="utf-8"), end="")
    else:
        for line in [page.title, "", *plain_table(page), "", *page.told(), *page.closing]:
            print(printable(line))
    for line in [f"Summary and manifests: {folder}", *packed_lines(packed)]:
        print(printable(line), file=sys.stderr)
    return checked.exit_status(page.as_expected)


def _tell(message: RunMessage, seconds: float) -> None:
    """One line per message on standard error, with the seconds since the start."""
    if isinstance(message, LogLine):
        text = "" if message.level == "detail" else message.text
    elif isinstance(message, CellStarted):
        text = message.planned.cell.title
    elif isinstance(message, CellEnded):
        reason = f": {message.manifest.reason}" if message.manifest.reason else ""
        text = f"  {message.manifest.status} after {message.manifest.wall_s:.1f} s{reason}"
    else:
        text = ""
    if text:
        print(f"{seconds:5.0f} s  {printable(text)}", file=sys.stderr, flush=True)


def _name_commit() -> None:
    """The commit that the folder was packed from: there is no repository to ask."""
    try:
        commit = (VENDOR / COMMIT).read_text(encoding="utf-8").strip()
    except OSError:
        return
    if commit:
        os.environ.setdefault("REPLIQUANT_COMMIT", commit)
