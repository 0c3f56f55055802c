"""The form that says how a study is to be run. It takes what ``repliquant run`` takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.engines.registry import AUTO, names
from services.run_options import command_line, read_options
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
    told = texts(options)
    return [
        Asked("tier", "tier", told["tier"], tiers),
        Asked("protocol", "protocol", told["protocol"] or _ALL, protocols),
        Asked("dataset", "data set", told["dataset"], (), dataset),
        Asked("data_dir", "data folder", told["data_dir"], (), "none"),
        *_experiments(told["experiment"], study),
        Asked("expression", "cells (-k)", told["expression"], (), "all"),
        Asked("claim", "of a claim", told["claim"], (), "its number (C2) or its id; all"),
        Asked("sample", "sample only", told["sample"], ("no", "yes")),
        Asked("repeats", "repeats", told["repeats"], (), "as the tier says"),
        Asked("budget_s", "budget", told["budget_s"], (), "none; or 10m, 2h"),
        Asked("engine", "engine", told["engine"], engines),
        Asked("python", "python", told["python"], (), "the images' own"),
        Asked("threads", "threads", told["threads"], (), "all processors"),
        Asked("cpus", "processors", told["cpus"], (), "all; or 0-3,6"),
        Asked("gpus", "GPUs", told["gpus"], (), "the first; or all, or 0,1"),
        Asked("memory_bytes", "memory", told["memory_bytes"], (), "containers only: 8g"),
        Asked("wait_quiet_s", "quiet wait", told["wait_quiet_s"], (), "none; or seconds"),
        Asked("run_dir", "run folder", told["run_dir"], (), folder),
    ]


def texts(options: RunOptions) -> dict[str, str]:
    """What was chosen, as the form has it, by the names of the options; "" where nothing was."""
    request = options.request
    return {
        "tier": request.tier,
        "protocol": request.protocol or "",
        "dataset": request.dataset or "",
        "data_dir": _text(request.data_dir),
        "experiment": ",".join(request.experiment),
        "expression": request.expression,
        "claim": options.claim,
        "sample": "yes" if options.sample else "no",
        "repeats": str(request.repeats or ""),
        "budget_s": _time(request.budget_s),
        "engine": request.engine,
        "python": _text(request.python),
        "threads": str(request.threads or ""),
        "cpus": ",".join(map(str, request.cpus)),
        "gpus": ",".join(request.gpus or ()),
        "memory_bytes": _size(request.memory_bytes),
        "wait_quiet_s": _seconds(request.wait_quiet_s),
        "run_dir": _text(request.run_dir),
    }


def _experiments(asked: str, study: Study) -> list[Asked]:
    """Asked for where the study has parts that don't run by default."""
    known = ",".join(study.experiments())
    field = Asked("experiment", "experiments", asked, (), f"the default; or {known}")
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


def would_take(options: RunOptions, answers: dict[str, str]) -> str:
    """The plan that the answers make so far, in words, and the command line that does the same."""
    from services.plan_words import plan_words
    from tui.loaders import read_plan

    try:
        asked = chosen(options, answers)
        planned = read_plan(asked)
    except Exception as error:  # said in the plan's place
        return f"✗ {error_text(error)}"
    states = {id_: state for id_, (state, _) in planned.states.items()}
    words = plan_words(planned.prepared, states)
    told = [f"{words.cells}, about {words.time}", *words.rest]
    return "\n".join([*told, command_line(asked.request.study, texts(asked))])


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
