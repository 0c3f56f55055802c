"""The life of one cell: run its technique, and leave a manifest whatever happens."""

from __future__ import annotations

import datetime
import platform
import time
import traceback
from typing import Callable, List, Optional

import msgspec

from machine import cgroup
from machine.conditions import conditions
from machine.inventory import free_memory_share, visible_gpus
from manifests.artifacts import file_sha256
from manifests.codec import write_manifest
from manifests.flags import impossible_flags
from manifests.manifest import (
    Conditions,
    Context,
    Dataset,
    Environment,
    Flag,
    Inputs,
    Manifest,
)
from runners import lifeline, limited_memory, machine, outputs, techniques
from runners.failures import Unsupported, Verdict, classify, for_lack_of_memory, printable
from runners.float_parent import record_fidelity
from runners.job import Job
from runners.starting_weights import Weights

OK = Verdict("ok", "", False)
_ERROR_LIMIT = 20_000


def execute(
    job: Job,
    weights: Optional[Weights],
    context: Optional[Context],
    finishing: Callable[[], None] = lambda: None,
    result: str = "manifest.json",
) -> Manifest:
    """Run the cell of ``job``; its ``result`` is on disk before the ``done`` event is sent.

    ``finishing`` is called when the technique has ended: from there on an end that somebody
    asks for comes too late. Raises OSError when the manifest itself can't be written.
    """
    started_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    before = conditions()  # load and pressure are others' until the cell begins
    begin = time.perf_counter()
    verdict, error = _attempt(job)
    finishing()
    if verdict == OK:
        _record_data(job)
    job.record("peak_memory_bytes", [machine.peak_rss_bytes()], source="rss of the process")
    environment = _environment(job, before)
    manifest = Manifest(
        id=job.cell.id,
        cell=job.cell,
        status=verdict.status,
        reason=verdict.reason,
        error=error,
        transient=verdict.transient,
        started_at=started_at,
        wall_s=time.perf_counter() - begin,
        metrics=job.metrics,
        proof=job.proof,
        flags=_flags(job, environment),
        context=context,
        environment=environment,
        inputs=_inputs(job, weights),
        artifacts=job.artifacts,
        phases=job.phases,
        fidelity=job.fidelity,
        float_set=job.float_set,
        answers=outputs.right_answers(job.outputs) if job.outputs is not None else None,
        probe=job.probe,
    )
    write_manifest(job.folder / result, manifest)
    job.events.done(manifest.status, manifest.reason)
    return manifest


def _record_data(job: Job) -> None:
    """What data making the model took, also where that is none; nothing of what only infers
    or is probed."""
    if job.cell.task in ("infer", "probe"):
        return
    used = job.split_counts()
    for use in ("calibration", "train"):
        job.record("images_used", [used.get(use, 0)], label=use, source="drawn from the data set")
    steps = sum(len(metric.samples) for metric in job.metrics if metric.name == "train_step_s")
    job.record("optimizer_steps", [steps], source="steps that were timed")


def _attempt(job: Job) -> tuple[Verdict, str]:
    killed_before = cgroup.oom_kills()
    try:
        lifeline.listen()
        with job.phase("import"):
            run = techniques.find(job.cell)
        with limited_memory.limited(job):
            run(job)
        _check_start(job)
        _check_proof(job)
        record_fidelity(job)
    except BaseException as error:  # also SystemExit and Stopped: each becomes a status
        given = "memory" if job.cell.device == "cpu" else "GPU memory"
        verdict = classify(error, lambda: _free_share(job), given)
        if not job.cell.memory_limit_bytes:  # a kill at another limit tells nothing of the cell's
            verdict = for_lack_of_memory(verdict, killed_before, cgroup.oom_kills())
        verdict = limited_memory.telling_limit(verdict, job)
        text = traceback.format_exc()[-_ERROR_LIMIT:]
        return verdict._replace(reason=printable(verdict.reason)), printable(text)
    return OK, ""


def _check_start(job: Job) -> None:
    """A cell that should have started from published weights and did not shows something else."""
    asked = str(job.cell.recipe.get("weights", "none"))
    if asked != "none" and job.cell.weights_from is None and job.started_with is None:
        raise Unsupported(
            f"the recipe starts from {asked} weights, which this technique can't take"
        )


def _check_proof(job: Job) -> None:
    """Record the proof by count as a metric, and flag a cell in which nothing ran as promised.

    Where nothing was seen, no proof says so.
    """
    if job.proof is None:
        return
    reason = "" if job.proof.coverage is not None else "no convolution or product was seen"
    job.record("promised_share", [job.proof.coverage], source=job.proof.source, reason=reason)
    if job.proof.coverage == 0:
        detail = f"0 % in {job.proof.promised}: {', '.join(job.proof.fallback[:5])}"
        job.flag(Flag(name="unproven-precision", detail=detail))


def _flags(job: Job, environment: Environment) -> List[Flag]:
    """Its own, and those for more memory than the machine has."""
    found = impossible_flags(job.metrics, environment.machine)
    return [*job.flags, *(flag for flag in found if flag not in job.flags)]


def _free_share(job: Job) -> Optional[float]:
    """How much of the cell's GPU, or of its limit, is free; what the cell holds it still holds."""
    if job.cell.device == "cpu":
        return limited_memory.free_share(job)
    ours = visible_gpus().gpus
    return free_memory_share(ours[0]) if ours else None


def _environment(job: Job, before: Conditions) -> Environment:
    return Environment(
        machine=machine.machine(),
        python=platform.python_version(),
        packages=machine.package_versions(),
        threads=job.threads,
        variables=machine.telling_variables(),
        settings=job.settings,
        limits=machine.limits(),
        conditions=before,
    )


def _inputs(job: Job, weights: Optional[Weights]) -> Inputs:
    return Inputs(
        dataset=_dataset(job),
        weights=f"cell {job.cell.weights_from}" if weights else job.starts_from or "none",
        weights_manifest_sha256=_weights_hash(weights),
        weights_file_sha256=job.started_with.sha256 if job.started_with else None,
        weights_checked=job.started_with.checked if job.started_with else "",
        seeds={"seed": job.cell.seed},
    )


def _dataset(job: Job) -> Optional[Dataset]:
    try:
        meta = job.data.meta
    except ValueError:
        return None
    return msgspec.structs.replace(meta, used=job.split_counts())


def _weights_hash(weights: Optional[Weights]) -> Optional[str]:
    """The hash of the parent's manifest, which holds the hash of each of its files."""
    path = weights.folder / "manifest.json" if weights else None
    return file_sha256(path) if path and path.is_file() else None
