"""From a study to a plan: every cell of a tier, in the order in which they run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple, TypeVar
from typing import Protocol as TypingProtocol

import msgspec

from manifests.cell import Cell, Device, Protocol
from manifests.errors import InputError
from manifests.features import feature_batch, features_of
from manifests.plan import Plan, PlannedCell
from manifests.suggest import check
from orchestrator.datasets import sets
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.gpu_compat import Pairing
from orchestrator.planning.lineage import Lineage
from orchestrator.planning.obstacles import Obstacles
from orchestrator.planning.quadruples import A_QUADRUPLE, in_turn
from papers.cell_group import CellGroup
from papers.study import DEFAULT, Study

_CPU: Device = "cpu"
_T = TypeVar("_T")


class Choices(NamedTuple):
    """What the person chose for a run.

    ``protocol`` None means all that the study has. ``dataset`` stands in for the study's data
    sets, but for those that ``datasets`` gives a name of their own. ``repeats``: so many processes
    of every cell; 0: as many as the tier says. ``experiments`` are planned beside what runs by
    default.
    """

    tier: str
    protocol: Protocol | None
    dataset: str
    data_dir: Path | None = None
    datasets: Mapping[str, str] = {}
    repeats: int = 0
    experiments: Collection[str] = ()

    def name_of(self, slot: str) -> str:
        """What a cell of the study's data set ``slot`` shows."""
        return self.datasets.get(slot) or self.dataset or slot

    def shown_by(self, group: CellGroup, slot: str) -> str:
        """The same for a group: its own data set makes way for another of captions only."""
        if not group.own_dataset:
            return self.name_of(slot)
        given = self.dataset in sets.names() and sets.data_set(self.dataset).captions
        return self.dataset if given else group.own_dataset


class Draft(NamedTuple):
    """A cell with its place in the study, before anything is known of where it runs."""

    id: str
    cell: Cell
    group: CellGroup
    pairing: Pairing

    @property
    def needs(self) -> list[str]:
        """Ids of the cells that have to be there first."""
        return [self.cell.weights_from] if self.cell.weights_from else []


def draft(study: Study, choices: Choices, pairings: Mapping[str, Pairing] = {}) -> list[Draft]:
    """All cells of the tier, in their order. Raises InputError for what the study doesn't have.

    ``pairings`` has the image for this machine's GPU, by framework.

    Training and quantizing come first, then inference, repeat by repeat, forward and backwards
    (A B B A, then B A A B), so that a slow drift of the machine falls on all variants alike.
    """
    study.tier(choices.tier)
    for name in choices.experiments:
        check_experiment(study, name)
    if choices.protocol is not None and choices.protocol not in study.protocols:
        raise InputError(
            f"{study.id} has no protocol {choices.protocol!r}. "
            f"Accepted: {', '.join(study.protocols)}"
        )
    lineage = Lineage(study.id, repeats_allowed=bool(study.extends))
    drafts: list[Draft] = []
    for group, wanted in _ordered(study, choices):
        cell = lineage.add(wanted, group.weights)
        if cell is not None:
            drafts.append(Draft(cell.id, cell, group, _pairing(study, group, cell, pairings)))
    if choices.protocol is None:
        return drafts
    # Of another protocol only what the cells of the chosen one start from.
    return ancestry(drafts, [one.id for one in drafts if one.cell.protocol == choices.protocol])


def shown_data(study: Study, choices: Choices) -> str:
    """The names of all data sets that cells show."""
    return " + ".join(dict.fromkeys(choices.name_of(slot) for slot in study.sizes()))


def check_experiment(study: Study, name: str) -> None:
    """Raises InputError with the experiments there are."""
    known = [DEFAULT, *study.experiments()]
    check("experiment", name, known, InputError, after=f" of {study.id}")


def make_plan(
    study: Study,
    choices: Choices,
    estimates: Estimates,
    gpus: int,
    pairings: Mapping[str, Pairing] = {},
) -> Plan:
    """The plan for a machine with so many GPUs, on which every image can run."""
    drafts = draft(study, choices, pairings)
    return complete(study, choices, drafts, estimates, Obstacles(gpus))


def complete(
    study: Study,
    choices: Choices,
    drafts: Sequence[Draft],
    estimates: Estimates,
    obstacles: Obstacles,
) -> Plan:
    """The plan of the drafted cells for where they would run."""
    used = {one.cell.protocol for one in drafts}
    only = used.pop() if len(used) == 1 else "both"
    return Plan(
        study=study.id,
        tier=choices.tier,
        tier_about=study.tier(choices.tier).about,
        protocol=choices.protocol or only,
        dataset=shown_data(study, choices),
        stands_in_for=[s for s in study.sizes() if s and choices.name_of(s) != s],
        data_dir=str(choices.data_dir) if choices.data_dir else None,
        cells=[_planned(study, one, estimates, obstacles) for one in drafts],
        images=study.images,
        experiments=list(choices.experiments),
    )


def _ordered(study: Study, choices: Choices) -> Iterator[tuple[CellGroup, Cell]]:
    wanted = {"", *choices.experiments}
    groups = [group for group in study.cells if not wanted.isdisjoint(group.experiments)]
    parts = [part for group in groups for part in group.parts(choices.tier)]
    pairs = [(part, cell) for part in parts for cell in _expand(study, part, choices)]
    made = [pair for pair in pairs if pair[1].task != "infer"]
    infer = [pair for pair in pairs if pair[1].task == "infer"]

    def repeats(pair: tuple[CellGroup, Cell]) -> int:
        return choices.repeats or study.repeats(pair[0], choices.tier)

    for first in range(0, max(map(repeats, pairs), default=0), A_QUADRUPLE):
        for block in (made, infer):
            for repeat in range(first, first + A_QUADRUPLE):
                again = [pair for pair in block if repeats(pair) > repeat]
                for group, cell in in_turn(again, repeat):
                    yield group, msgspec.structs.replace(cell, repeat=repeat)


def _expand(study: Study, group: CellGroup, choices: Choices) -> Iterator[Cell]:
    axes = study.axes
    own = group.protocol or study.protocols
    protocols = [p for p in own if choices.protocol in (None, p)]
    if group.task != "infer" and not protocols:
        protocols = own  # what is timed in the chosen protocol starts from somewhere
    for (
        slot,
        model,
        framework,
        batch,
        device,
        protocol,
        technique,
        variant,
        feature,
        seed,
    ) in product(
        _or_default(group.dataset, list(study.sizes())),
        _or_default(group.model, [axes.model]),
        group.framework,
        _or_default(group.batch_size, [axes.batch_size]),
        _or_default(group.device, [_CPU]),
        protocols,
        group.technique,
        _or_default(group.variant, [""]),
        features_of(group.feature or [""]),
        _or_default(group.seed, [axes.seed]),
    ):
        sizes = _or_default(group.image_size, [study.sizes()[slot]])
        for size, recipe in product(sizes, group.recipes_for(protocol)):
            yield Cell(
                study=study.cell_study,
                task=group.task,
                framework=framework,
                technique=technique,
                variant=variant,
                environment=group.environment,
                feature=feature,
                model=model,
                dataset=choices.shown_by(group, slot),
                image_size=size,
                batch_size=feature_batch(feature) or batch,
                device=device,
                seed=seed,
                protocol=protocol,
                tier=choices.tier,
                recipe=study.recipe(recipe, choices.tier),
            )


def _or_default(values: list[_T] | None, default: list[_T]) -> list[_T]:
    """An empty list stays empty: it means none."""
    return default if values is None else values


def _planned(study: Study, draft: Draft, estimates: Estimates, obstacles: Obstacles) -> PlannedCell:
    cell = draft.cell
    guess = draft.group.estimate_s[cell.tier] * study.effort.get(cell.model, 1.0)
    estimate = estimates.of(cell, guess)
    return PlannedCell(
        id=draft.id,
        cell=cell,
        image=draft.pairing.image,
        needs=draft.needs,
        estimate_s=round(estimate.seconds, 1),
        study_estimate_s=guess,
        estimate_source=estimate.source,
        timeout_s=study.tiers[cell.tier].timeout_s[cell.task],
        skip=obstacles.of(cell, draft.pairing),
        experiment=draft.group.experiment,
        also=draft.group.also,
    )


def _pairing(
    study: Study, group: CellGroup, cell: Cell, pairings: Mapping[str, Pairing]
) -> Pairing:
    """The environment of a cell, and what keeps it from running there."""
    if cell.environment:
        return Pairing(cell.environment)
    if cell.device != "gpu":
        return Pairing(group.image or study.images[cell.framework])
    names = study.gpu_images.get(cell.framework) or [study.images[cell.framework]]
    found = pairings.get(cell.framework) or Pairing(names[0])
    return found._replace(image=group.image or found.image)


class _Needing(TypingProtocol):
    """A cell, planned or only drafted."""

    @property
    def id(self) -> str: ...
    @property
    def needs(self) -> list[str]: ...


_N = TypeVar("_N", bound=_Needing)


def ancestry(cells: Sequence[_N], chosen: Iterable[str]) -> list[_N]:
    """The chosen cells and all that they need, in their order."""
    wanted = set(chosen)
    for one in reversed(cells):
        if one.id in wanted:
            wanted.update(one.needs)
    return [one for one in cells if one.id in wanted]


def with_ancestors(plan: Plan, chosen: list[str]) -> list[PlannedCell]:
    """The chosen cells and all that they need, in the order of the plan."""
    return ancestry(plan.cells, chosen)
