"""The whole way from a request to finished cells; the command line and the screen both use it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from machine.inventory import compute_capability, usable_cpus, visible_gpus
from manifests import paths
from manifests.cell import Cell, Protocol
from manifests.errors import InputError
from manifests.files import warnings_told
from manifests.manifest import Manifest
from manifests.plan import Plan, PlannedCell
from manifests.run_folder import Run
from manifests.select import SelectionError, Selector
from orchestrator.datasets import about, catalogue, pretrained
from orchestrator.datasets.pack import Source
from orchestrator.engines import AUTO, Engine, make_engine
from orchestrator.engines.auto import choose_engine
from orchestrator.environments.images import load_image
from orchestrator.messages import Listener, Note
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.gpu_compat import pair
from orchestrator.planning.planner import Choices, make_plan, with_ancestors, with_gpus
from orchestrator.planning.resources import allot
from orchestrator.planning.resuming import outstanding
from orchestrator.running.control import Steering
from orchestrator.running.exit_status import exit_status
from papers.study import Study, load_study

if TYPE_CHECKING:
    from machine.sampler import Sampler


class Request(NamedTuple):
    """What a person asks for; ``None`` and empty mean the default.

    ``gpus`` are numbers of the GPUs that were allotted, or UUIDs, one cell each; the default is
    the first one alone.
    ``python`` is an interpreter that runs every cell in place of the images.
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


class Prepared(NamedTuple):
    """A request that was understood. ``chosen`` are the cells it selects, ancestors included.

    ``places`` says where a data set lies that is neither embedded nor fetched, by its name.
    """

    study: Study
    plan: Plan
    chosen: list[PlannedCell]
    run: Run
    places: Mapping[str, Path] = {}
    sources: Mapping[str, Source] = {}


class Outcome(NamedTuple):
    """What an execution did. ``ended`` are the manifests of the cells that it ran.

    ``broken`` are ids of cells that could not be started although their image was there.
    """

    prepared: Prepared
    ended: list[Manifest]
    images_missing: list[str]
    broken: frozenset[str] = frozenset()

    def exit_status(self, manifests: list[Manifest]) -> int:
        """With the manifests that the run has now."""
        found = {manifest.id: manifest.status for manifest in manifests}
        statuses = [found.get(planned.id) for planned in self.prepared.chosen]
        return exit_status(statuses, self.broken, self.images_missing)


def history() -> Path:
    """Where finished cells' times are remembered."""
    return paths.cache() / "history.jsonl"


def prepare(request: Request) -> Prepared:
    """Check everything that can be checked before work begins. Raises InputError."""
    study = load_study(request.study)
    for name in study.image_names():
        load_image(name)
    tier = study.tier(request.tier)
    data = catalogue.choose(list(study.sizes()), request.data_dir, request.dataset, tier.dataset)
    downloads = 0
    sources: dict[str, Source] = {}
    for name in dict.fromkeys(data.name_of(slot) for slot in study.sizes()):
        sources[name] = catalogue.source(name, data.places.get(name), paths.cache())
        downloads += catalogue.download_bytes(name, data.places.get(name), paths.cache())
    choices = Choices(request.tier, request.protocol, data.dataset, request.data_dir, data.by_slot)
    capability = compute_capability()
    pairings = {
        framework: pair([load_image(name) for name in names], capability)
        for framework, names in study.gpu_images.items()
    }
    plan = make_plan(study, choices, Estimates(history()), len(visible_gpus().gpus), pairings)
    plan = msgspec.structs.replace(
        plan,
        downloads_bytes=downloads,
        threads=request.threads or len(request.cpus or usable_cpus()),
    )
    plan = about.described(plan, sources, data.places)
    plan = about.planned(plan, sources, data.places, paths.cache())
    run = Run(_run_folder(request, study, plan))
    chosen = _choose(plan, request.expression)
    plan = msgspec.structs.replace(plan, weights_to_fetch=_weights_to_fetch(chosen))
    return Prepared(study, plan, chosen, run, data.places, sources)


def _weights_to_fetch(chosen: list[PlannedCell]) -> list[str]:
    """With their sizes, where those are known."""
    cells = [planned.cell for planned in chosen if not planned.skip]
    return [
        f"{one.name} ({one.size_bytes / 2**20:.0f} MiB)" if one.size_bytes else one.name
        for one in pretrained.to_fetch(cells, paths.cache())
    ]


def _run_folder(request: Request, study: Study, plan: Plan) -> Path:
    """The folder asked for, else one named after what is run. Raises InputError."""
    name = f"{study.id}-{request.tier}-{plan.dataset.replace(' ', '')}"
    if request.protocol is not None and len(study.protocols) > 1:
        name += f"-{request.protocol}"
    folder = request.run_dir or paths.runs() / name
    if folder == Path() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"--run {str(folder)!r} is no folder for a run; give a new or a run's own")
    return folder


def _choose(plan: Plan, expression: str) -> list[PlannedCell]:
    try:
        chosen = Selector(expression).choose([planned.cell for planned in plan.cells])
    except SelectionError as error:
        raise InputError(str(error)) from error
    return with_ancestors(plan, [cell.id for cell in chosen])


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


def execute(
    request: Request,
    tell: Listener,
    sampler: Sampler | None = None,
    steering: Steering | None = None,
) -> Outcome:
    """Prepare the data, hold the run's folder, run what is outstanding.

    ``sampler`` is the screen's, which shows how the cells fare. ``steering`` pauses and cancels the
    run from other threads. Raises KitError, and KeyboardInterrupt after marking the cell that was
    cut off.
    """
    with warnings_told(lambda text: tell(Note(f"warning: {text}", "important"))):
        return _execute(request, tell, sampler, steering)


def _execute(
    request: Request, tell: Listener, sampler: Sampler | None, steering: Steering | None
) -> Outcome:
    # The data sets need numpy; planning and showing don't.
    from orchestrator.datasets.packs import prepare_packs
    from orchestrator.running.executor import Conductor, Means
    from orchestrator.running.run_lock import opened

    steering = steering or Steering()
    tell = steering.heard(tell)
    prepared = prepare(request)
    rerun = check_rerun(request.rerun, prepared.plan)
    engine = _engine(request, prepared, tell)
    allotted = allot(engine, request.cpus, request.gpus, request.memory_bytes, request.threads)
    prepared = _for_engine(prepared, len(allotted.gpus))
    if engine.name == "local" and request.python is None:
        prepared = _within_reach(prepared)

    def progress(what: str, done: int, of: int) -> None:
        tell(Note(f"{what}: {done:,} of {of:,}", "detail", done, of))

    todo = [item.planned for item in outstanding(prepared.run, prepared.chosen, rerun)]
    pretrained.prepare_pretrained(
        [planned.cell for planned in todo if not planned.skip], paths.cache(), progress
    )
    packs = prepare_packs(prepared.plan, prepared.places, paths.cache(), progress)
    plan = about.packed(prepared.plan, prepared.sources, prepared.places, packs.folders)
    for note in plan.dataset_notes:
        tell(Note(note))
    plan = msgspec.structs.replace(
        plan,
        weights_to_fetch=[],
        data_sha256=packs.sha256,
        packs=packs.digests,
        threads=allotted.threads,
    )
    prepared = prepared._replace(plan=plan)
    with opened(prepared.run, plan):
        means = Means(
            engine, packs.folder_of, plan.threads, Estimates(history()), tell,
            allotted.cpus, allotted.gpus, allotted.memory_bytes, sampler, _pretrained,
        )  # fmt: skip
        conductor = Conductor(prepared.run, means)
        steering.take(conductor)
        ended = conductor.conduct(prepared.chosen, rerun)
    return Outcome(prepared, ended, conductor.images_missing, frozenset(conductor.broken))


def _pretrained(cell: Cell) -> Path | None:
    """The folder of published weights of a cell that starts from some."""
    if not pretrained.wanted(cell) or pretrained.obstacle(cell):
        return None
    return pretrained.folder_of(cell, paths.cache()).resolve()


def _for_engine(prepared: Prepared, gpus: int) -> Prepared:
    """Which cells are skipped is the engine's to say: its machine can be another one."""
    plan = with_gpus(prepared.plan, gpus)
    chosen = {planned.id for planned in prepared.chosen}
    return prepared._replace(plan=plan, chosen=[p for p in plan.cells if p.id in chosen])


def _engine(request: Request, prepared: Prepared, tell: Listener) -> Engine:
    """The engine that was asked for, or the best there is; says which and why."""
    if request.python is not None:
        given = make_engine(request.engine, request.python)
        tell(Note(f"engine local: cells run with {request.python}"))
        return given
    if request.engine == AUTO:
        names = dict.fromkeys(planned.image for planned in prepared.chosen if not planned.skip)
        choice = choose_engine([load_image(name) for name in names])
        tell(Note(f"engine {choice.engine.name}: {choice.why}"))
        return choice.engine
    engine = make_engine(request.engine)
    tell(Note(f"engine {engine.name}"))
    return engine


def _within_reach(prepared: Prepared) -> Prepared:
    """Cells whose environment can't be made here are skipped with the reason."""
    from orchestrator.environments import venvs

    names = dict.fromkeys(planned.image for planned in prepared.plan.cells if not planned.skip)
    obstacles = {name: venvs.obstacle(load_image(name)) for name in names}
    cells = {
        planned.id: planned
        if planned.skip
        else msgspec.structs.replace(planned, skip=obstacles[planned.image])
        for planned in prepared.plan.cells
    }
    plan = msgspec.structs.replace(prepared.plan, cells=list(cells.values()))
    return prepared._replace(plan=plan, chosen=[cells[planned.id] for planned in prepared.chosen])
