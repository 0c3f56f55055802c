"""From a study to a plan: every cell of a tier, in the order in which they run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from manifests.cell import Cell, Device, Protocol
from manifests.errors import InputError
from manifests.plan import Plan, PlannedCell
from orchestrator.datasets import pretrained
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.gpu_compat import Pairing
from orchestrator.planning.lineage import Lineage
from papers.study import CellGroup, Study

_CPU: Device = "cpu"
_T = TypeVar("_T")
_NO_GPU = "needs an NVIDIA GPU; none was found"


class Choices(NamedTuple):
    """What the person chose for a run.

    ``protocol`` None means all that the study has. ``dataset`` stands in for the study's data
    sets, but for those that ``datasets`` gives a name of their own.
    """

    tier: str
    protocol: Protocol | None
    dataset: str
    data_dir: Path | None = None
    datasets: Mapping[str, str] = {}

    def name_of(self, slot: str) -> str:
        """What a cell of the study's data set ``slot`` shows."""
        return self.datasets.get(slot) or self.dataset or slot


def make_plan(
    study: Study,
    choices: Choices,
    estimates: Estimates,
    gpus: int,
    pairings: Mapping[str, Pairing] = {},
) -> Plan:
    """All cells of the tier. Raises InputError for choices the study doesn't have.

    ``pairings`` has the image for this machine's GPU, by framework.

    Training and quantizing come first, then inference repeat by repeat, every other repeat
    backwards (A B B A), so that a slow drift of the machine falls on all variants alike.
    """
    tier = study.tier(choices.tier)
    if choices.protocol is not None and choices.protocol not in study.protocols:
        raise InputError(
            f"{study.id} has no protocol {choices.protocol!r}. "
            f"Accepted: {', '.join(study.protocols)}"
        )
    lineage = Lineage(study.id)
    planned: list[PlannedCell] = []
    for group, cell in _ordered(study, choices, tier.repeats):
        cell = lineage.add(cell, group.weights)
        planned.append(_planned(study, group, cell, estimates, _place(study, cell, pairings)))
    used = {item.cell.protocol for item in planned}
    plan = Plan(
        study=study.id,
        tier=choices.tier,
        tier_about=tier.about,
        protocol=used.pop() if len(used) == 1 else "both",
        dataset=" + ".join(dict.fromkeys(choices.name_of(slot) for slot in study.sizes())),
        stands_in_for=[s for s in study.sizes() if s and choices.name_of(s) != s],
        data_dir=str(choices.data_dir) if choices.data_dir else None,
        cells=planned,
        images=study.images,
    )
    plan = with_gpus(plan, gpus)
    return _of_protocol(plan, choices.protocol) if choices.protocol else plan


def _of_protocol(plan: Plan, protocol: Protocol) -> Plan:
    """The cells of one protocol, and of another one only what they start from."""
    chosen = [planned.id for planned in plan.cells if planned.cell.protocol == protocol]
    return msgspec.structs.replace(plan, cells=with_ancestors(plan, chosen), protocol=protocol)


def _ordered(study: Study, choices: Choices, repeats: int) -> Iterator[tuple[CellGroup, Cell]]:
    parts = [part for group in study.cells for part in group.parts(choices.tier)]
    pairs = [(part, cell) for part in parts for cell in _expand(study, part, choices)]
    yield from (pair for pair in pairs if pair[1].task != "infer")
    infer = [pair for pair in pairs if pair[1].task == "infer"]
    for repeat in range(repeats):
        for group, cell in reversed(infer) if repeat % 2 else infer:
            yield group, msgspec.structs.replace(cell, repeat=repeat)


def _expand(study: Study, group: CellGroup, choices: Choices) -> Iterator[Cell]:
    axes = study.axes
    own = group.protocol or study.protocols
    protocols = [p for p in own if choices.protocol in (None, p)]
    if group.task != "infer" and not protocols:
        protocols = own  # what is timed in the chosen protocol starts from somewhere
    for slot, model, framework, batch, device, protocol, technique, variant in itertools.product(
        _or_default(group.dataset, list(study.sizes())),
        _or_default(group.model, [axes.model]),
        group.framework,
        _or_default(group.batch_size, [axes.batch_size]),
        _or_default(group.device, [_CPU]),
        protocols,
        group.technique,
        _or_default(group.variant, [""]),
    ):
        yield Cell(
            study=study.id,
            task=group.task,
            framework=framework,
            technique=technique,
            variant=variant,
            model=model,
            dataset=choices.name_of(slot),
            image_size=study.sizes()[slot],
            batch_size=batch,
            device=device,
            seed=axes.seed,
            protocol=protocol,
            tier=choices.tier,
            recipe=study.recipe(group.recipe_for(protocol), choices.tier),
        )


def _or_default(values: list[_T] | None, default: list[_T]) -> list[_T]:
    """An empty list stays empty: it means none."""
    return default if values is None else values


def _planned(
    study: Study, group: CellGroup, cell: Cell, estimates: Estimates, place: Pairing
) -> PlannedCell:
    guess = group.estimate_s[cell.tier] * study.effort.get(cell.model, 1.0)
    estimate = estimates.of(cell, guess)
    return PlannedCell(
        id=cell.id,
        cell=cell,
        image=group.image or place.image,
        needs=[cell.weights_from] if cell.weights_from else [],
        estimate_s=round(estimate.seconds, 1),
        study_estimate_s=guess,
        estimate_source=estimate.source,
        timeout_s=study.tiers[cell.tier].timeout_s[cell.task],
        skip=place.obstacle or pretrained.obstacle(cell),
    )


def _place(study: Study, cell: Cell, pairings: Mapping[str, Pairing]) -> Pairing:
    """The environment of a cell, and what keeps it from running there."""
    if cell.device != "gpu":
        return Pairing(study.images[cell.framework])
    names = study.gpu_images.get(cell.framework) or [study.images[cell.framework]]
    return pairings.get(cell.framework) or Pairing(names[0])


def with_gpus(plan: Plan, gpus: int) -> Plan:
    """The plan for a machine with so many GPUs: without one, cells that need it are skipped."""
    replace = msgspec.structs.replace

    def skip(planned: PlannedCell) -> str:
        return _NO_GPU if not gpus else "" if planned.skip == _NO_GPU else planned.skip

    cells = [replace(p, skip=skip(p)) if p.cell.device == "gpu" else p for p in plan.cells]
    return replace(plan, cells=cells)


def with_ancestors(plan: Plan, chosen: list[str]) -> list[PlannedCell]:
    """The chosen cells and all that they need, in the order of the plan."""
    wanted = set(chosen)
    for planned in reversed(plan.cells):
        if planned.id in wanted:
            wanted.update(planned.needs)
    return [planned for planned in plan.cells if planned.id in wanted]
