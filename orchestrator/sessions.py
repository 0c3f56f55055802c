"""The whole way from a request to finished cells; the command line and the screen both use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from manifests.cell import Protocol
from manifests.manifest import Manifest
from manifests.plan import Plan, PlannedCell
from manifests.select import SelectionError, Selector
from manifests.store import Run
from orchestrator import places
from orchestrator.data import catalogue
from orchestrator.engines import AUTO, Engine, make_engine
from orchestrator.engines.choosing import choose_engine
from orchestrator.errors import InputError
from orchestrator.estimates import Estimates
from orchestrator.images import load_image
from orchestrator.machine import gpu_count, usable_cpus
from orchestrator.news import Listener, Note
from orchestrator.planning import Choices, make_plan, with_ancestors
from orchestrator.steering import Steering
from orchestrator.study import Study, load_study

if TYPE_CHECKING:
    from orchestrator.telemetry.sampling import Sampler


class Request(NamedTuple):
    """What a person asks for; ``None`` and empty mean the default.

    ``gpus`` are numbers of GPUs, one cell each; the default is the first one alone.
    """

    study: str
    tier: str = "quick"
    protocol: Protocol = "rigorous"
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


class Prepared(NamedTuple):
    """A request that was understood. ``chosen`` are the cells it selects, ancestors included."""

    study: Study
    plan: Plan
    chosen: list[PlannedCell]
    run: Run


class Outcome(NamedTuple):
    """What an execution did. ``ended`` are the manifests of the cells that it ran."""

    prepared: Prepared
    ended: list[Manifest]
    images_missing: list[str]


def history() -> Path:
    """Where finished cells' times are remembered."""
    return places.cache() / "history.jsonl"


def prepare(request: Request) -> Prepared:
    """Check everything that can be checked before work begins. Raises InputError."""
    study = load_study(request.study)
    for name in study.images.values():
        load_image(name)
    tier = study.tier(request.tier)
    dataset = catalogue.name_of(request.data_dir, request.dataset, tier.dataset)
    catalogue.source(dataset, request.data_dir, places.cache())
    choices = Choices(request.tier, request.protocol, dataset, request.data_dir)
    plan = make_plan(study, choices, Estimates(history()), gpu_count())
    plan = msgspec.structs.replace(
        plan,
        downloads_bytes=catalogue.download_bytes(dataset, request.data_dir, places.cache()),
        threads=request.threads or len(request.cpus) or usable_cpus(),
    )
    folder = request.run_dir or places.runs() / f"{study.id}-{request.tier}-{dataset}"
    if folder == Path() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"--run {str(folder)!r} is no folder for a run; give a new or a run's own")
    return Prepared(study, plan, _choose(plan, request.expression), Run(folder))


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

    ``sampler`` is one that samples already and goes on afterwards; by default the run has one
    of its own. ``steering`` pauses and cancels it from other threads. Raises KitError, and
    KeyboardInterrupt after marking the cell that was cut off.
    """
    # The data sets need numpy; planning and showing don't.
    from orchestrator.data.pack import pack_digest, read_meta
    from orchestrator.data.pack import prepare as prepare_data
    from orchestrator.holding import opened
    from orchestrator.running import Conductor, Means
    from orchestrator.telemetry.sampling import sampling

    steering = steering or Steering()
    tell = steering.heard(tell)
    prepared = prepare(request)
    rerun = check_rerun(request.rerun, prepared.plan)
    engine = _engine(request, prepared, tell)
    source = catalogue.source(prepared.plan.dataset, request.data_dir, places.cache())
    size = prepared.study.axes.image_size
    data = prepare_data(
        source,
        size,
        places.cache(),
        lambda what, done, of: tell(Note(f"{what}: {done:,} of {of:,}", "detail", done, of)),
    )
    gpus = _gpus(request.gpus, engine)
    plan = msgspec.structs.replace(
        prepared.plan,
        data_sha256=pack_digest(read_meta(data)),
        threads=request.threads or (len(request.cpus) or engine.cpus()) // max(1, len(gpus)),
    )
    prepared = prepared._replace(plan=plan)
    with opened(prepared.run, plan), sampling(sampler) as sampler:
        means = Means(
            engine, lambda cell: data, plan.threads, Estimates(history()), tell,
            request.cpus, gpus, request.memory_bytes, sampler,
        )  # fmt: skip
        conductor = Conductor(prepared.run, means)
        steering.take(conductor)
        ended = conductor.conduct(prepared.chosen, rerun)
    return Outcome(prepared, ended, conductor.images_missing)


def _engine(request: Request, prepared: Prepared, tell: Listener) -> Engine:
    """The engine that was asked for, or the best there is; says which and why."""
    if request.engine == AUTO:
        names = dict.fromkeys(planned.image for planned in prepared.chosen)
        choice = choose_engine([load_image(name) for name in names])
        tell(Note(f"engine {choice.engine.name}: {choice.why}"))
        return choice.engine
    engine = make_engine(request.engine)
    tell(Note(f"engine {engine.name}"))
    return engine


def _gpus(asked: tuple[str, ...] | None, engine: Engine) -> tuple[str, ...]:
    """The GPUs to use. Raises InputError for one that the engine doesn't have."""
    there = engine.gpus()
    if asked is None:
        return tuple(there[:1])
    if asked == ("all",):
        return tuple(there)
    for gpu in asked:
        if gpu not in there:
            raise InputError(
                f"--gpus {gpu!r}: the engine {engine.name} has no such GPU. "
                f"Accepted: all, {', '.join(there) or 'nothing else (it has none)'}"
            )
    return asked
