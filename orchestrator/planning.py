"""From a study to a plan: every cell of a tier, in the order in which they run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests.cell import Cell, Device, Protocol
from manifests.plan import Plan, PlannedCell
from orchestrator.errors import InputError
from orchestrator.estimates import Estimates
from orchestrator.study import CellGroup, Study

_CPU: Device = "cpu"
_NO_GPU = "needs an NVIDIA GPU; none was found"


class Choices(NamedTuple):
    """What the person chose for a run."""

    tier: str
    protocol: Protocol
    dataset: str
    data_dir: Path | None = None


def make_plan(study: Study, choices: Choices, estimates: Estimates, gpus: int) -> Plan:
    """All cells of the tier. Raises InputError for choices the study doesn't have.

    Training and quantizing come first, then inference repeat by repeat, every other repeat
    backwards (A B B A), so that a slow drift of the machine falls on all variants alike.
    """
    tier = study.tier(choices.tier)
    if choices.protocol not in study.protocols:
        raise InputError(
            f"{study.id} has no protocol {choices.protocol!r}. "
            f"Accepted: {', '.join(study.protocols)}"
        )
    made: dict[tuple[str, str, str], Cell] = {}
    planned: list[PlannedCell] = []
    seen: set[str] = set()
    for group, cell in _ordered(study, choices, tier.repeats):
        cell = _with_weights(cell, group, made, study)
        if cell.id in seen:
            raise InputError(f"studies/{study.id}/study.toml: {cell.title} is listed twice")
        seen.add(cell.id)
        if cell.task != "infer":
            made[cell.framework, cell.task, cell.technique] = cell
        planned.append(_planned(study, group, cell, estimates))
    plan = Plan(
        study=study.id,
        tier=choices.tier,
        tier_about=tier.about,
        protocol=choices.protocol,
        dataset=choices.dataset,
        data_dir=str(choices.data_dir) if choices.data_dir else None,
        cells=planned,
        images=study.images,
    )
    return with_gpus(plan, gpus)


def _ordered(study: Study, choices: Choices, repeats: int) -> Iterator[tuple[CellGroup, Cell]]:
    pairs = [(group, cell) for group in study.cells for cell in _expand(study, group, choices)]
    yield from (pair for pair in pairs if pair[1].task != "infer")
    infer = [pair for pair in pairs if pair[1].task == "infer"]
    for repeat in range(repeats):
        for group, cell in reversed(infer) if repeat % 2 else infer:
            yield group, msgspec.structs.replace(cell, repeat=repeat)


def _expand(study: Study, group: CellGroup, choices: Choices) -> Iterator[Cell]:
    axes = study.axes
    batches = group.batch_size or [axes.batch_size]
    for framework, batch, device, technique in itertools.product(
        group.framework, batches, group.device or [_CPU], group.technique
    ):
        yield Cell(
            study=study.id,
            task=group.task,
            framework=framework,
            technique=technique,
            model=axes.model,
            dataset=choices.dataset,
            image_size=axes.image_size,
            batch_size=batch,
            device=device,
            seed=axes.seed,
            protocol=choices.protocol,
            tier=choices.tier,
            recipe=study.recipe(group.recipe, choices.tier),
        )


def _with_weights(
    cell: Cell, group: CellGroup, made: dict[tuple[str, str, str], Cell], study: Study
) -> Cell:
    if group.weights is None:
        return cell
    key = (cell.framework, group.weights.task, group.weights.technique or cell.technique)
    if key not in made:
        raise InputError(
            f"studies/{study.id}/study.toml: {cell.title} starts from {' '.join(key)}, "
            "which no group before it makes"
        )
    return msgspec.structs.replace(cell, weights_from=made[key].id)


def _planned(study: Study, group: CellGroup, cell: Cell, estimates: Estimates) -> PlannedCell:
    estimate = estimates.of(cell, group.estimate_s[cell.tier])
    return PlannedCell(
        id=cell.id,
        cell=cell,
        image=study.images[cell.framework],
        needs=[cell.weights_from] if cell.weights_from else [],
        estimate_s=round(estimate.seconds, 1),
        study_estimate_s=group.estimate_s[cell.tier],
        estimate_source=estimate.source,
        timeout_s=study.tiers[cell.tier].timeout_s[cell.task],
    )


def with_gpus(plan: Plan, gpus: int) -> Plan:
    """The plan for a machine with so many GPUs: without one, cells that need it are skipped."""
    replace = msgspec.structs.replace
    cells = [
        replace(p, skip="" if gpus else _NO_GPU) if p.cell.device == "gpu" else p
        for p in plan.cells
    ]
    return replace(plan, cells=cells)


def with_ancestors(plan: Plan, chosen: list[str]) -> list[PlannedCell]:
    """The chosen cells and all that they need, in the order of the plan."""
    wanted = set(chosen)
    for planned in reversed(plan.cells):
        if planned.id in wanted:
            wanted.update(planned.needs)
    return [planned for planned in plan.cells if planned.id in wanted]
