"""``gpu-check``: every path of the runners that a GPU can take, in a few minutes.

Not a study: nothing published stands beside it. Its plan (``gpu_check_plan``) has the frameworks
that are there; what an environment lacks becomes ``unsupported`` with the reason. The plan for a
processor has the same parts, small, and shows that the command works.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from machine.inventory import compute_capability, described, visible_gpus
from manifests import paths
from manifests.cell import Device
from manifests.errors import InputError, MachineError
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from manifests.runner_files import framework
from orchestrator.engines.base import Engine
from orchestrator.engines.interpreter import GivenEngine
from orchestrator.engines.registry import AUTO, entry, first, make_engine
from orchestrator.environments.images import load_images
from orchestrator.gpu_check.deadline import Deadline
from orchestrator.gpu_check.expected import Expected, expected_of
from orchestrator.gpu_check.plan import NAME, check_plan, checked_frameworks
from orchestrator.gpu_check.probe import Probe, earlier, keep, memory_of, probe
from orchestrator.messages import Listener, LogLine
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.gpu_compat import pair
from orchestrator.running.exit_status import FAILED, exit_status

LIMIT_S = 480.0
_OTHERWISE = "--device cpu runs the small plan for a processor"
_OWN = "give an interpreter that has {} for CUDA: --python PATH"


class Check(NamedTuple):
    """What was asked for: ``engine`` and ``python`` as for a run, and where it goes.

    ``framework``: this one only; else those that are there. ``limit_s`` is for everything, from
    ``started`` on (time.monotonic(); None: now). ``resume``: there has to be a run to go on with.
    """

    engine: str = AUTO
    python: Path | None = None
    device: Device = "gpu"
    framework: str | None = None
    run_dir: Path | None = None
    limit_s: float = LIMIT_S
    started: float | None = None
    resume: bool = False

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Those that it may plan."""
        return (self.framework,) if self.framework else checked_frameworks()

    @property
    def run(self) -> Run:
        """Where it goes."""
        return Run(self.run_dir or paths.runs() / f"{NAME}-{self.device}")


class Checked(NamedTuple):
    """The run, the manifests that it has, and the cells that there was no time for.

    ``images_missing``: environments that could not be made ready. ``broken``: ids of cells that
    could not be started although theirs was there. ``expected`` is by cell id.
    """

    run: Run
    manifests: list[Manifest]
    unstarted: list[PlannedCell]
    images_missing: list[str]
    broken: frozenset[str] = frozenset()
    expected: Mapping[str, Expected] = {}
    probe: Mapping[str, Any] = {}
    device: Device = "gpu"

    def exit_status(self, all_as_expected: bool = True) -> int:
        """As that of a run, but running out of memory is a result, and so is what had no time.

        1 also where something is not as expected, unless nothing could run at all.
        """
        statuses = [
            *(None if manifest.transient and manifest.status == "cancelled" else manifest.status
              for manifest in self.manifests),
            *(None for _ in self.unstarted),
        ]  # fmt: skip
        status = exit_status(statuses, self.broken, self.images_missing, FAILED - {"oom"})
        return status if status or all_as_expected else 1


def check(asked: Check, tell: Listener) -> Checked:
    """Run the check. Raises MachineError on a machine without CUDA, and other RepliquantErrors."""
    from orchestrator.datasets.packs import prepare_packs
    from orchestrator.running.executor import Executor
    from orchestrator.running.orders import Setup
    from orchestrator.running.run_lock import opened

    _refuse_nothing_to_resume(asked)
    run, deadline = asked.run, Deadline(asked.limit_s, tell)
    engine, images = _where(asked, tell)
    if asked.python is not None:  # nothing has to be fetched before cells can start
        deadline.begin(asked.started)
    probed = earlier(run.folder) or probe(engine, images.get("pytorch"), deadline.left_s(), tell)
    memory_bytes = _memory_bytes(asked, probed)
    capacity = engine.capacity()
    plan = check_plan(asked.device, images, len(capacity.cpus), memory_bytes)
    packs = prepare_packs(plan, {}, paths.cache(), lambda what, done, of: None)
    plan = msgspec.structs.replace(plan, data_sha256=packs.sha256, packs=packs.digests)
    gpus = capacity.gpus[:1] if asked.device == "gpu" else ()
    with opened(run, plan):
        keep(run.folder, probed)
        setup = Setup(
            engine, packs.folder_of, plan.threads, Estimates(run.folder / "history.jsonl"),
            deadline, gpus=gpus,
        )  # fmt: skip
        executor = Executor(run, setup)
        deadline.hold(executor)
        try:
            executor.execute(plan.cells, set())
        finally:
            deadline.close()
    manifests = {manifest.id: manifest for manifest in run.load().manifests}
    return Checked(
        run,
        [manifests[planned.id] for planned in plan.cells if planned.id in manifests],
        [planned for planned in plan.cells if planned.id not in manifests],
        executor.images_missing,
        frozenset(executor.broken),
        {planned.id: expected_of(planned.cell, memory_bytes) for planned in plan.cells},
        probed,
        asked.device,
    )


def _refuse_nothing_to_resume(asked: Check) -> None:
    """Raises InputError where --resume has nothing to go on with."""
    folder = asked.run.folder
    if asked.resume and not asked.run.plan_path.is_file():
        raise InputError(
            f"--resume: {folder} holds no gpu-check to go on with. Leave --resume out to start "
            "one there, or name its folder with --run"
        )


def _memory_bytes(asked: Check, probed: Probe) -> int | None:
    """Of the GPU that cells get: as CUDA says, else as its driver does."""
    if asked.device == "cpu":
        return None
    told = memory_of(probed)
    if told is None:
        known = [gpu.memory_bytes for gpu in described().values() if gpu.memory_bytes]
        told = max(known, default=None)
    return told


def _where(asked: Check, tell: Listener) -> tuple[Engine, dict[str, str]]:
    """The engine, and the image of each framework, once it is sure that there is a GPU."""
    if asked.python is not None:
        engine = make_engine(asked.engine, asked.python)
        assert isinstance(engine, GivenEngine)
        held = _held(engine, asked.frameworks)
        found = _with_cuda(engine, held, tell) if asked.device == "gpu" else held
        return engine, {name: framework(name).cpu_image for name in found}
    if asked.device == "cpu":
        engine = make_engine(first(containers=False) if asked.engine == AUTO else asked.engine)
        return engine, {name: framework(name).cpu_image for name in asked.frameworks}
    if not visible_gpus().gpus:
        raise MachineError(
            "gpu-check needs an NVIDIA GPU and its driver; none was found on this machine. "
            f"{_OTHERWISE}"
        )
    images = _gpu_images(asked.frameworks, compute_capability(), tell)
    return _container_engine(asked.engine), images


def _held(engine: GivenEngine, frameworks: tuple[str, ...]) -> list[str]:
    """The frameworks that the interpreter has. Raises MachineError for none."""
    found = [name for name in frameworks if engine.has(name)]
    if found:
        return found
    names = [framework(name).modules[0] for name in frameworks]
    missing = engine.probed.missing
    why = [f"{name}: {missing.get(name, 'not installed')}" for name in names]
    raise MachineError(
        f"gpu-check needs {' or '.join(names)} in {engine.python} ({'; '.join(why)}). "
        f"Install one there ({engine.python} -m pip install {names[0]}), or give another --python"
    )


def _with_cuda(engine: GivenEngine, held: list[str], tell: Listener) -> list[str]:
    """Those that see a GPU. Raises MachineError for none."""
    seeing = [name for name in held if engine.seen(name)]
    blind = {f: _blind(engine, f) for f in held if f not in seeing}
    if not seeing:
        raise MachineError(f"gpu-check needs CUDA: {'; '.join(blind.values())}. {_OTHERWISE}")
    for name, why in blind.items():
        tell(LogLine(f"{name} is left out: {why}", "important"))
    return seeing


def _blind(engine: GivenEngine, name: str) -> str:
    asked, known = engine.probed_by(name), framework(name)
    module = known.modules[0]
    if module not in asked.modules:
        return f"{module} of {engine.python} can't be imported ({asked.missing.get(module)})"
    version = asked.modules[module]
    return f"{module} {version} of {engine.python} sees no NVIDIA GPU ({known.gpus.none})"


def _gpu_images(frameworks: tuple[str, ...], capability: str, tell: Listener) -> dict[str, str]:
    """The newest image of each framework that serves this GPU. Raises MachineError for none."""
    found: dict[str, str] = {}
    obstacles: list[str] = []
    images = load_images()[0][::-1]
    for name in frameworks:
        own = [i for i in images if i.file.framework == name and i.file.gpu]
        image, obstacle = pair(own, capability) if own else ("", f"no image of {name} for GPUs")
        if obstacle:
            obstacles.append(obstacle)
        else:
            found[name] = image
    if not found:
        raise MachineError(f"gpu-check has no image: {'; '.join(obstacles)}. Instead, {_own()}")
    for obstacle in obstacles:
        tell(LogLine(obstacle, "important"))
    return found


def _own() -> str:
    return _OWN.format(" or ".join(framework(name).title for name in checked_frameworks()))


def _container_engine(name: str) -> Engine:
    """The images for GPUs are containers. Raises RepliquantError where none can be run."""
    name = first(containers=True) if name == AUTO else name
    if not entry(name).containers:
        raise MachineError(
            f"the images for GPUs are containers: give --engine {first(containers=True)}, "
            f"or else {_own()}"
        )
    try:
        return make_engine(name)
    except MachineError as error:
        raise MachineError(
            f"gpu-check finds no {name.capitalize()} for its images: {error}. Or {_own()}"
        ) from error
