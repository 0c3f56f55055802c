"""From what a person asks for to a plan: checked before work begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from machine.inventory import compute_capability, visible_gpus
from manifests import paths
from manifests.cell import Protocol
from manifests.codec import UnreadableError
from manifests.errors import InputError
from manifests.plan import Plan, PlannedCell
from manifests.run_folder import Run
from manifests.select import SelectionError, Selector
from orchestrator.datasets import about, catalogue, pretrained
from orchestrator.datasets.pack import Source
from orchestrator.engines.auto import Choice, begun_with, choose_engine
from orchestrator.engines.registry import AUTO, make_engine
from orchestrator.environments.images import load_image
from orchestrator.messages import Listener, LogLine
from orchestrator.model_files import intake
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.gpu_compat import Pairing, pair
from orchestrator.planning.obstacles import Obstacles
from orchestrator.planning.planner import (
    Choices,
    Draft,
    ancestry,
    check_experiment,
    complete,
    draft,
    shown_data,
)
from orchestrator.planning.quadruples import further, point_of
from orchestrator.planning.resources import Resources, allot
from papers.study import DEFAULT, Study, load_study


class Request(NamedTuple):
    """What a person asks for; ``None`` and empty mean the default.

    ``gpus`` are numbers of the GPUs that were allotted, or UUIDs, one cell each; the default is
    the first one alone.
    ``python`` is an interpreter that runs every cell in place of the images. ``repeats``: so many
    processes of every cell; 0: as the tier says, or one where there is a budget. ``budget_s`` is
    the time of cells after which nothing is measured again. Of an ``experiment`` its cells alone
    are chosen, and what they start from. Before the first cell, others are waited for,
    ``wait_quiet_s`` at most. ``wait``: cells in a queue are followed to their end. ``further`` are
    more processes of single cells, by the id of the first one and their numbers.
    """

    study: str
    tier: str = "quick"
    protocol: Protocol | None = None
    dataset: str | None = None
    data_dir: Path | None = None
    expression: str = ""
    engine: str = "auto"
    run_dir: Path | None = None
    rerun: tuple[str, ...] = ()
    threads: int = 0
    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] | None = None
    memory_bytes: int | None = None
    python: Path | None = None
    repeats: int = 0
    budget_s: float | None = None
    experiment: tuple[str, ...] = ()
    wait_quiet_s: float = 0.0
    wait: bool = False
    further: tuple[tuple[str, int], ...] = ()

    @property
    def least_repeats(self) -> int:
        """Of every cell, whatever claims need; 0: as the tier says."""
        return self.repeats or int(self.budget_s is not None)


class Prepared(NamedTuple):
    """A request that was understood: the plan for the engine ``where`` cells run.

    ``ids`` are the cells that it selects, ancestors included; ``resources`` what a cell gets.
    ``places`` says where a data set lies that is neither embedded nor fetched, by its name.
    """

    study: Study
    plan: Plan
    ids: frozenset[str]
    run: Run
    where: Choice
    resources: Resources
    places: Mapping[str, Path] = {}
    sources: Mapping[str, Source] = {}

    @property
    def side_by_side(self) -> bool:
        """Whether several cells may run at once."""
        at_once = self.where.engine.capacity().at_once
        return len(self.resources.gpus) > 1 or (at_once or 1) > 1

    @property
    def chosen(self) -> list[PlannedCell]:
        """The cells that it selects, in the order of the plan."""
        return [planned for planned in self.plan.cells if planned.id in self.ids]


def history() -> Path:
    """Where finished cells' times are remembered."""
    return paths.cache() / "history.jsonl"


def prepare(request: Request, tell: Listener = lambda message: None) -> Prepared:
    """Check everything that can be checked before work begins: the engine first, then the plan.

    ``tell`` hears which engine it is, and why. Raises InputError, and MachineError when the engine
    that was asked for can't be had.
    """
    study = load_study(request.study)
    for name in study.image_names():
        load_image(name)
    for name in request.experiment:
        check_experiment(study, name)
    data, sources, downloads = _data(request, study)
    choices = Choices(
        request.tier, request.protocol, data.dataset, request.data_dir, data.by_slot,
        request.least_repeats,
    )  # fmt: skip
    run = Run(_run_folder(request, study, choices))
    choices = choices._replace(experiments=_experiments(request, study, run))
    drafts = _with_further(draft(study, choices, _pairings(study)), run, request.further)
    _check_labels(sources, drafts, data)
    ids = _choose(drafts, request)
    where = _engine(request, [one for one in drafts if one.id in ids], run)
    tell(LogLine(f"engine {where.engine.name}{f': {where.why}' * bool(where.why)}"))
    resources = allot(
        where.engine, request.cpus, request.gpus, request.memory_bytes, request.threads
    )
    obstacles = Obstacles(len(resources.gpus), where.engine)
    plan = complete(study, choices, drafts, Estimates(history()), obstacles)
    plan = msgspec.structs.replace(
        plan,
        downloads_bytes=downloads,
        threads=resources.threads,
        weights_to_fetch=_weights_to_fetch([p for p in plan.cells if p.id in ids]),
    )
    plan = about.described(plan, sources, data.places)
    plan = about.planned(plan, sources, data.places, paths.cache())
    return Prepared(study, plan, ids, run, where, resources, data.places, sources)


def _with_further(
    drafts: list[Draft], run: Run, asked: Sequence[tuple[str, int]] = ()
) -> list[Draft]:
    """With the repeats that the run's own plan has beyond these, as a budget leaves them, and
    those that are ``asked`` for.

    A plan that can't be used is refused when the folder is opened.
    """
    by_id = {one.id: one for one in drafts}
    try:
        more = further(by_id, run.plan())
    except (UnreadableError, OSError):
        more = []
    points = ((by_id[point].cell, number) for point, number in asked if point in by_id)
    more += [msgspec.structs.replace(cell, repeat=number) for cell, number in points]
    found = {cell.id: cell for cell in more if cell.id not in by_id}
    return drafts + [
        by_id[point_of(cell)]._replace(id=id_, cell=cell) for id_, cell in found.items()
    ]


def _data(request: Request, study: Study) -> tuple[catalogue.DataChoice, dict[str, Source], int]:
    """The data sets, how each is read, and the bytes that have to be downloaded."""
    tier = study.tier(request.tier)
    data = catalogue.choose(list(study.sizes()), request.data_dir, request.dataset, tier.dataset)
    names = dict.fromkeys(data.name_of(slot) for slot in study.sizes())
    cache = paths.cache()
    sources = {name: catalogue.source(name, data.places.get(name), cache) for name in names}
    downloads = (catalogue.download_bytes(name, data.places.get(name), cache) for name in names)
    return data, sources, sum(downloads)


def _check_labels(
    sources: Mapping[str, Source], drafts: Sequence[Draft], data: catalogue.DataChoice
) -> None:
    """Raises InputError where a study would learn from samples that nobody has labelled."""
    for name, source in sources.items():
        asked = (one.cell for one in drafts if one.cell.dataset == name)
        if not source.classes and not all(map(intake.wanted, asked)):
            raise InputError(
                f"{data.places.get(name, name)} has samples without labels, which only "
                "repliquant measure takes. Give class folders: train/<class>/*, test/<class>/*"
            )


def _pairings(study: Study) -> dict[str, Pairing]:
    """The image of each framework for this machine's GPU."""
    capability = compute_capability()
    return {
        framework: pair([load_image(name) for name in names], capability)
        for framework, names in study.gpu_images.items()
    }


def _engine(request: Request, chosen: Sequence[Draft], run: Run) -> Choice:
    """The engine that was asked for, else the run's own, else the best for the chosen cells."""
    if request.python is not None:
        given = make_engine(request.engine, request.python)
        return Choice(given, f"cells run with {request.python}")
    if request.engine != AUTO:
        return Choice(make_engine(request.engine), "")
    here = Obstacles(len(visible_gpus().gpus))
    able = (one.pairing.image for one in chosen if not here.of(one.cell, one.pairing))
    images = [load_image(name) for name in dict.fromkeys(able)]
    return begun_with(run, [one.id for one in chosen], images) or choose_engine(images)


def _weights_to_fetch(chosen: list[PlannedCell]) -> list[str]:
    """With their sizes, where those are known."""
    cells = [planned.cell for planned in chosen if not planned.skip]
    return [
        f"{one.name} ({one.size_bytes / 2**20:.0f} MiB)" if one.size_bytes else one.name
        for one in pretrained.to_fetch(cells, paths.cache())
    ]


def _experiments(request: Request, study: Study, run: Run) -> list[str]:
    """Those asked for, and those that the run has already: none is lost when a run goes on."""
    try:
        had = run.plan().experiments
    except (UnreadableError, OSError):
        had = []
    return [name for name in study.experiments() if name in (*request.experiment, *had)]


def _run_folder(request: Request, study: Study, choices: Choices) -> Path:
    """The folder asked for, else one named after what is run. Raises InputError."""
    name = f"{study.id}-{request.tier}-{shown_data(study, choices).replace(' ', '')}"
    if request.protocol is not None and len(study.protocols) > 1:
        name += f"-{request.protocol}"
    folder = request.run_dir or paths.runs() / name
    if folder == Path() or (folder.exists() and not folder.is_dir()):
        raise InputError(
            f"--run {str(folder)!r} is not a run folder; give a new path or an existing run"
        )
    return folder


def _choose(drafts: Sequence[Draft], request: Request) -> frozenset[str]:
    """What the expression chooses of the experiments asked for, else of what runs by default."""
    asked = {"" if name == DEFAULT else name for name in request.experiment} or {""}
    cells = [one.cell for one in drafts if not asked.isdisjoint(one.group.experiments)]
    try:
        chosen = Selector(request.expression).choose(cells)
    except SelectionError as error:
        raise InputError(str(error)) from error
    return frozenset(one.id for one in ancestry(drafts, [cell.id for cell in chosen]))


def check_rerun(rerun: tuple[str, ...], plan: Plan) -> set[str]:
    """Statuses and cell ids to run again. Raises InputError for anything else."""
    statuses = ("ok", "oom", "unsupported", "timeout", "crashed", "cancelled")
    known = {planned.id for planned in plan.cells}
    for item in rerun:
        if item not in statuses and item not in known:
            raise InputError(
                f"--rerun {item!r} is neither a status ({', '.join(statuses)}) nor the id of a "
                "cell of this plan; see: repliquant plan"
            )
    return set(rerun)
