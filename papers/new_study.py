"""A new study as text: files that plan and audit at once, for a person to fill in.

What a technique needs before it can be timed (a training, a quantization, their recipes) is taken
from a study that has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests.errors import InputError
from papers.cell_group import CellGroup, Instead, WeightsFrom
from papers.mistakes import no_such
from papers.new_texts import AUDIT, CLAIMS, CSV_HEADER, OVERLAY, STUDY, TABLES
from papers.paper import find_paper
from papers.study import study_ids
from papers.study_types import Study, Tier

_ID = re.compile(r"[a-z][a-z0-9_-]{1,40}")
RESERVED = ("new", "check", "show")
BASELINE = "float32"


class Answers(NamedTuple):
    """What a person says of the paper; ``techniques`` are all of ``framework``."""

    id: str
    title: str = "Title of the paper"
    authors: tuple[str, ...] = ("First Author",)
    year: int = 2024
    where: str = "Where it appeared"
    about: str = "What the paper compares, in one sentence."
    framework: str = "pytorch"
    techniques: tuple[str, ...] = (BASELINE, "ptq-fx")
    model: str = ""
    extends: str = ""


def check_id(study: str) -> None:
    """Raises InputError for a name that can't be a study's, or is one's."""
    if not _ID.fullmatch(study) or study in RESERVED:
        raise InputError(
            f"{study!r} can't be the id of a study. Accepted: a small letter, then small letters, "
            f"digits, - or _; not {', '.join(RESERVED)}. For example: lad2023"
        )
    if study in study_ids():
        raise InputError(f"there is a study {study!r} already. Choose another id")


def write_study(answers: Answers, studies: Path) -> Path:
    """The folder that was written. Raises InputError, OSError."""
    check_id(answers.id)
    folder = studies / answers.id
    if folder.exists():
        raise InputError(f"{folder} is there already. Choose another id, or remove it")
    files = overlay_files(answers) if answers.extends else study_files(answers)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def overlay_files(answers: Answers) -> dict[str, str]:
    """A study laid over another. Raises InputError where that isn't there."""
    base = find_paper(answers.extends).study
    group = max((group for group in base.cells if group.task == "infer"), key=_usual)
    text = OVERLAY.format(
        id=_quoted(answers.id),
        base=_quoted(base.id),
        name=base.id,
        title=_quoted(f"{base.title}, with changes"),
        framework=_quoted(group.framework[0]),
        technique=_quoted(group.technique[0]),
        recipe=_quoted(group.recipe_for(base.protocols[0])),
        weights=_weights(group),
        estimates=_table(group.estimate_s),
        batch_size=2 * base.axes.batch_size,
    )
    return {"study.toml": text}


def study_files(answers: Answers) -> dict[str, str]:
    """Text by file name. Raises InputError for techniques that no study has."""
    source = _source(answers)
    groups = list(_needed(source, answers))
    names = list(dict.fromkeys(group.recipe_for("rigorous") for group in groups))
    fields = {
        "id": _quoted(answers.id), "title": _quoted(answers.title),
        "authors": _list(answers.authors), "year": answers.year, "where": _quoted(answers.where),
        "about": _quoted(answers.about), "model": _quoted(answers.model or source.axes.model),
        "image_size": source.axes.image_size, "batch_size": source.axes.batch_size,
        "framework": answers.framework, "image": _quoted(source.images[answers.framework]),
        "source": source.id,
        "recipes": "\n".join(_recipe(name, source.recipes[name]) for name in names),
        "tiers": "\n".join(_tier(name, tier, names) for name, tier in source.tiers.items()),
        "cells": "\n".join(map(_group, groups)),
    }  # fmt: skip
    timed = [t for group in groups if group.task == "infer" for t in group.technique]
    rows = [f"{name},{source.axes.batch_size}," for name in timed]
    return {
        "study.toml": STUDY.format(**fields),
        "published/tables.toml": TABLES.format(framework=_quoted(answers.framework)),
        "published/table1.csv": "\n".join([CSV_HEADER, *rows]) + "\n",
        "claims.toml": CLAIMS.format(claim=_claim(timed)),
        "audit.toml": AUDIT,
    }


def _source(answers: Answers) -> Study:
    """The first study that times all the techniques."""
    known: dict[str, None] = {}
    studies = [find_paper(name).study for name in study_ids()]
    for study in studies:
        timed = [
            technique
            for group in study.cells
            if group.task == "infer" and answers.framework in group.framework
            for technique in group.technique
        ]
        if set(answers.techniques) <= set(timed):
            return study
        known.update(dict.fromkeys(timed))
    if not known:
        frameworks = sorted({name for study in studies for name in study.images})
        raise InputError(no_such("framework", answers.framework, frameworks))
    strange = [one for one in answers.techniques if one not in known]
    if strange:
        raise InputError(no_such(f"{answers.framework} technique", strange[0], sorted(known)))
    raise InputError(
        f"no study has all of {', '.join(answers.techniques)}: give those of one study first, and "
        "copy the other's cells into study.toml"
    )


def _needed(source: Study, answers: Answers) -> Iterator[CellGroup]:
    """Groups that make what is timed, those that others start from first, each but once."""
    found: dict[tuple[str, str], CellGroup] = {}
    for technique in answers.techniques:
        _add(source, answers.framework, "infer", technique, found)
    order = {"train": 0, "quantize": 1, "infer": 2}
    groups = sorted(found.items(), key=lambda item: order[item[0][0]])
    return (group for _, group in groups)


def _add(
    source: Study, framework: str, task: str, technique: str,
    found: dict[tuple[str, str], CellGroup],
) -> None:  # fmt: skip
    """A technique's group, after those that it starts from."""
    fitting = [
        group
        for group in source.cells
        if (group.task, framework in group.framework, technique in group.technique)
        == (task, True, True)
        and source.recipes[group.recipe_for("rigorous")].get("keep_weights") is not False
    ]
    if (task, technique) in found or not fitting:
        return
    group = max(fitting, key=_usual)
    if group.weights is not None:
        parent = group.weights.technique or technique
        _add(source, framework, group.weights.task, parent, found)
    found[task, technique] = msgspec.structs.replace(
        group, framework=[framework], technique=[technique]
    )


def _usual(group: CellGroup) -> tuple[bool, bool, int]:
    """A processor's, of those what runs by default, and of those the one with the most batch sizes.

    Each experiment has a network and image sizes of its own, which go together there alone.
    """
    on_a_processor = "cpu" in (group.device or ["cpu"])
    return on_a_processor, not group.experiment, len(group.batch_size or [])


def _group(group: CellGroup) -> str:
    device = group.device or ["cpu"]
    lines = [
        "[[cells]]",
        f"task = {_quoted(group.task)}",
        f"framework = {_list(group.framework)}",
        f"technique = {_list(group.technique)}",
        f"recipe = {_quoted(group.recipe_for('rigorous'))}",
        *([] if "cpu" in device else [f"device = {_list(device)}"]),
        *([_weights(group)] if group.weights else []),
        *(f"instead.{tier} = {_table(_given(part))}" for tier, part in group.instead.items()),
        f"estimate_s = {_table(group.estimate_s)}",
    ]
    return "\n".join(lines) + "\n"


def _weights(group: CellGroup) -> str:
    if group.weights is None:
        return ""
    taken = ("task", "technique", "image_size")
    given = {name: value for name, value in _given(group.weights).items() if name in taken}
    return f"weights = {_table(given)}"


def _given(struct: Instead | WeightsFrom) -> dict[str, object]:
    """Its fields that say something."""
    given = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return {name: value for name, value in given.items() if value is not None}


def _recipe(name: str, values: object) -> str:
    assert isinstance(values, dict)
    return "\n".join([f"[recipes.{name}]", *(f"{k} = {_value(v)}" for k, v in values.items()), ""])


def _tier(name: str, tier: Tier, recipes: Sequence[str]) -> str:
    lines = [
        f"[tiers.{name}]",
        f"about = {_quoted(tier.about)}",
        f"dataset = {_quoted(tier.dataset or 'digits')}",
        f"repeats = {tier.repeats}",
        f"timeout_s = {_table(tier.timeout_s)}",
        *(f"recipes.{one} = {_table(tier.recipes[one])}" for one in recipes if one in tier.recipes),
        "",
    ]
    return "\n".join(lines)


def _claim(techniques: Sequence[str]) -> str:
    quantized = [name for name in techniques if name != BASELINE]
    if BASELINE not in techniques or not quantized:
        return 'untestable = "write what is to be tested as test, and a tolerance"'
    rows = f"table1[technique={quantized[0]}]"
    baseline = f"table1.latency[batch_size, technique={BASELINE}]"
    return f'test = "every({rows}, latency < {baseline})"'


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _quoted(text: str) -> str:
    """JSON's strings are TOML's too, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _table(values: object) -> str:
    assert isinstance(values, dict)
    return "{ " + ", ".join(f"{name} = {_value(value)}" for name, value in values.items()) + " }"
