"""The form that says how a study is to be run. It takes what ``repliquant run`` takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.commands.options import read_options
from orchestrator.engines.registry import AUTO, names
from services.selection import Wish, wish_of
from tui.data import told
from tui.screens.dialogs import Asked

if TYPE_CHECKING:
    from orchestrator.running.request import Prepared
    from papers.study import Study

_ALL = "all"
_PATHS = ("data_dir", "run_dir", "python")
_UNITS = ((2**40, "t"), (2**30, "g"), (2**20, "m"), (2**10, "k"))


def fields(wish: Wish, study: Study, prepared: Prepared | None) -> list[Asked]:
    """What is asked, with what was chosen before; ``prepared`` is the plan that this came to."""
    request = wish.request
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
        Asked("expression", "cells (-k)", request.expression, (), "all"),
        Asked("claim", "of a claim", wish.claim, (), "its number (C2) or its id; all"),
        Asked("sample", "sample only", "yes" if wish.sample else "no", ("no", "yes")),
        Asked("engine", "engine", request.engine, engines),
        Asked("python", "python", _text(request.python), (), "the images' own"),
        Asked("threads", "threads", str(request.threads or ""), (), "all processors"),
        Asked("cpus", "processors", ",".join(map(str, request.cpus)), (), "all; or 0-3,6"),
        Asked("gpus", "GPUs", ",".join(request.gpus or ()), (), "the first; or all, or 0,1"),
        Asked("memory_bytes", "memory", _size(request.memory_bytes), (), "containers only: 8g"),
        Asked("run_dir", "run folder", _text(request.run_dir), (), folder),
    ]


def chosen(wish: Wish, answers: dict[str, str]) -> Wish:
    """The wish as the answers have it. Raises InputError in the command line's own words."""
    given = {name: "" if text == _ALL and name == "protocol" else text
             for name, text in answers.items()}  # fmt: skip
    for name in _PATHS:
        given[name] = os.path.expanduser(given.get(name, ""))
    return wish_of({"study": wish.request.study, **read_options(given)})


def problem(wish: Wish, answers: dict[str, str]) -> str:
    """What is wrong with the answers, as far as that can be said before work begins; or ""."""
    from tui.loaders import read_plan

    try:
        read_plan(chosen(wish, answers))
    except Exception as error:  # said in the form, which stays
        return told(error)
    return ""


def narrowing(wish: Wish) -> Iterator[str]:
    """What keeps cells out of the plan, a word each."""
    if wish.request.expression:
        yield f"-k {wish.request.expression}"
    if wish.claim:
        yield f"claim {wish.claim}"
    if wish.sample:
        yield "sample"


def _text(path: object) -> str:
    return "" if path is None else str(path)


def _size(count: int | None) -> str:
    """As ``--memory`` takes it."""
    for unit, letter in _UNITS if count else ():
        if count and count % unit == 0:
            return f"{count // unit}{letter}"
    return str(count or "")
