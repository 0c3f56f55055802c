"""The form that says how a study is to be run. It takes what ``repliquant run`` takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestrator.engines.registry import AUTO, names
from services.run_options import read_options
from services.selection import RunOptions, options_of
from tui.screens.dialogs import Asked
from tui.text import error_text

if TYPE_CHECKING:
    from orchestrator.running.request import Prepared
    from papers.study import Study

_ALL = "all"
_PATHS = ("data_dir", "run_dir", "python")
_UNITS = ((2**40, "t"), (2**30, "g"), (2**20, "m"), (2**10, "k"))


def fields(options: RunOptions, study: Study, prepared: Prepared | None) -> list[Asked]:
    """What is asked, with what was chosen before; ``prepared`` is the plan that this came to."""
    request = options.request
    tiers = tuple(dict.fromkeys([*study.tiers, request.tier]))
    protocols = tuple(dict.fromkeys([_ALL, *study.protocols, request.protocol or _ALL]))
    engines = tuple(dict.fromkeys([AUTO, *names(), request.engine]))
    dataset = prepared.plan.dataset if prepared else "the tier's own"
    folder = str(prepared.run.folder) if prepared else ""
    return [
        Asked("tier", "tier", request.tier, tiers),
        Asked("protocol", "protocol", request.protocol or _ALL, protocols),
        Asked("dataset", "data set", request.dataset or "", (), dataset),
        Asked("data_dir", "data folder", _text(request.data_dir), (), "none"),
        *_experiments(request.experiment, study),
        Asked("expression", "cells (-k)", request.expression, (), "all"),
        Asked("claim", "of a claim", options.claim, (), "its number (C2) or its id; all"),
        Asked("sample", "sample only", "yes" if options.sample else "no", ("no", "yes")),
        Asked("repeats", "repeats", str(request.repeats or ""), (), "as the tier says"),
        Asked("budget_s", "budget", _time(request.budget_s), (), "none; or 10m, 2h"),
        Asked("engine", "engine", request.engine, engines),
        Asked("python", "python", _text(request.python), (), "the images' own"),
        Asked("threads", "threads", str(request.threads or ""), (), "all processors"),
        Asked("cpus", "processors", ",".join(map(str, request.cpus)), (), "all; or 0-3,6"),
        Asked("gpus", "GPUs", ",".join(request.gpus or ()), (), "the first; or all, or 0,1"),
        Asked("memory_bytes", "memory", _size(request.memory_bytes), (), "containers only: 8g"),
        Asked("wait_quiet_s", "quiet wait", _seconds(request.wait_quiet_s), (), "none; or seconds"),
        Asked("run_dir", "run folder", _text(request.run_dir), (), folder),
    ]


def _experiments(asked: Sequence[str], study: Study) -> list[Asked]:
    """Asked for where the study has parts that don't run by default."""
    known = ",".join(study.experiments())
    field = Asked("experiment", "experiments", ",".join(asked), (), f"the default; or {known}")
    return [field] if known else []


def chosen(options: RunOptions, answers: dict[str, str]) -> RunOptions:
    """The options as the answers have it. Raises InputError in the command line's own words."""
    given = {name: "" if text == _ALL and name == "protocol" else text
             for name, text in answers.items()}  # fmt: skip
    for name in _PATHS:
        given[name] = os.path.expanduser(given.get(name, ""))
    return options_of(options.request.study, read_options(given))


def problem(options: RunOptions, answers: dict[str, str]) -> str:
    """What is wrong with the answers, as far as that can be said before work begins; or ""."""
    from tui.loaders import read_plan

    try:
        read_plan(chosen(options, answers))
    except Exception as error:  # said in the form, which stays
        return error_text(error)
    return ""


def narrowing(options: RunOptions) -> Iterator[str]:
    """What keeps cells out of the plan, and for how long cells are measured again, a word each."""
    if options.request.expression:
        yield f"-k {options.request.expression}"
    if options.request.experiment:
        yield f"experiment {', '.join(options.request.experiment)}"
    if options.claim:
        yield f"claim {options.claim}"
    if options.sample:
        yield "sample"
    if options.request.budget_s is not None:
        yield f"budget {_time(options.request.budget_s)}"


def _seconds(wait_s: float) -> str:
    return f"{wait_s:g}" if wait_s else ""


def _text(path: object) -> str:
    return "" if path is None else str(path)


def _time(seconds: float | None) -> str:
    """As ``--budget`` takes it."""
    if seconds is None:
        return ""
    for unit, letter in ((3600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds / unit:g}{letter}"
    return f"{seconds:g}s"


def _size(count: int | None) -> str:
    """As ``--memory`` takes it."""
    for unit, letter in _UNITS if count else ():
        if count and count % unit == 0:
            return f"{count // unit}{letter}"
    return str(count or "")
