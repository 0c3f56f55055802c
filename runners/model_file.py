"""A person's own model file, the same for every framework that opens it.

The first technique that opens it is the one that every other is held against: its cell checks what
comes out, and leaves its answers. Samples come as the model takes them, or as pictures, which are
laid out as the model says.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Iterator, Sequence

import numpy as np

from runners import outputs
from runners.failures import Unsupported, first_line, is_out_of_memory
from runners.fidelity import LOGITS, PROBABILITIES
from runners.inference import QuantizeRecipe, evaluate, time_inference
from runners.job import Job
from runners.precision_proof import latency_of
from runners.session import Array, Session, filled

NOT_FINITE = (
    "the model's output holds values that aren't finite (NaN or infinity){}, so that nothing can "
    "be held against it"
)
_SUM = 1e-3
_CALLS = 10
_PROFILED_S = 0.5
_SLOW_S = 0.1
_MOST_VALUES = 2**20
"""Of one answer: more are pictures rather than classes, and all of them are kept."""


def given_file(job: Job) -> Path:
    """The model file that the recipe names; from here on pixels come as it takes them.

    Raises Unsupported without one, ValueError for another file.
    """
    wanted = str(job.cell.recipe.get("model_sha256", ""))
    if not wanted:
        raise Unsupported(
            f"{job.cell.technique} measures a model file: start with repliquant measure FILE"
        )
    path = job.pretrained()
    if job.started_with is None or job.started_with.sha256 != wanted:
        raise ValueError(f"{path} is not the file {wanted} that the recipe names")
    job.starts_from = f"model file {wanted}"
    job.data.scale(str(job.cell.recipe.get("pixels", "0-1")))
    return path


@contextlib.contextmanager
def refused_by(runtime: str) -> Iterator[None]:
    """Whatever a runtime says of a file that it can't open or call is the file's own fault."""
    try:
        yield
    except Unsupported:
        raise
    except Exception as error:
        if is_out_of_memory(error) or isinstance(error, (FileNotFoundError, MemoryError)):
            raise
        raise Unsupported(f"{runtime} refuses the model: {first_line(error)}") from error


def in_layout(images: Array, shape: Sequence[Any]) -> Array:
    """A batch, pictures with channels last, in the layout of an input of that declared ``shape``.

    Channels go first where the shape has them there. Free dimensions are no whole numbers.
    Raises Unsupported for a batch that doesn't fit it.
    """
    if _fits(images.shape, shape):
        return np.ascontiguousarray(images)
    if images.ndim == 4:
        turned = images.transpose(0, 3, 1, 2)
        if _fits(turned.shape, shape):
            return np.ascontiguousarray(turned)
    declared, given = (" x ".join(map(str, sizes)) for sizes in (shape, images.shape))
    raise Unsupported(f"the model takes {declared}, and a batch here is {given}")


def _fits(given: Sequence[int], declared: Sequence[Any]) -> bool:
    if len(given) != len(declared):
        return False
    known = [isinstance(size, int) and size > 0 for size in declared]
    return all(not told or size == wanted for told, size, wanted in zip(known, given, declared))


def flat(session: Session) -> Session:
    """The session with answers of one row a sample."""
    return session._replace(
        classes=lambda answer: _rows(session, answer).argmax(1),
        outputs=lambda answer: _rows(session, answer),
    )


def checked(job: Job, session: Session, runtime: str) -> Session:
    """The flat session, after a batch of test samples went through; cells that time something leave
    that to the one that they start from.

    Raises Unsupported where that fails, and for answers that aren't finite numbers.
    """
    made = flat(session)
    if job.cell.task == "infer":
        return made
    size = job.cell.batch_size
    images = filled(job.data.at(job.data.test_places(size)).images, size)
    with job.phase("build"), refused_by(runtime):
        rows = _rows(session, made.call(made.place(job.data.normalise(images))))
    if len(rows) != size or not 0 < rows.shape[1] <= _MOST_VALUES:
        raise Unsupported(
            f"the model's first output has {len(rows)} rows of {rows.shape[1]:,} values for "
            f"{size} samples; one row a sample is needed"
        )
    if not np.isfinite(rows).all():
        raise Unsupported(NOT_FINITE.format(""))
    return made if made.kind != LOGITS else made._replace(kind=_kind(rows))


def timed(job: Job, session: Session, runtime: str) -> None:
    """Measure; what a runtime refuses only at this size of batch becomes Unsupported."""
    with refused_by(runtime):
        time_inference(job, session)


def profiled_calls(job: Job) -> int:
    """What the recipe says, else so many that they take about as long as measuring did."""
    asked = job.cell.recipe.get("profile_calls")
    if isinstance(asked, int) and asked:
        return asked
    latency_s = latency_of(job)
    return 1 if not latency_s else min(_CALLS, max(1, int(_PROFILED_S / latency_s)))


def worth_profiling(job: Job) -> bool:
    """Whether this process proves its precision: of slow calls a point's first process does."""
    latency_s = latency_of(job)
    return not job.cell.repeat or not latency_s or latency_s < _SLOW_S


def _rows(session: Session, answer: Any) -> Array:
    """float32 (samples, values)"""
    found = answer if session.outputs is None else session.outputs(answer)
    values = np.asarray(found, np.float32)
    return values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)


def _kind(rows: Array) -> str:
    """Of what doesn't say: probabilities where rows have nothing below 0 and come to 1."""
    shares = rows.shape[1] > 1 and (rows >= 0).all() and (abs(rows.sum(1) - 1) < _SUM).all()
    return PROBABILITIES if shares else LOGITS


def answer(job: Job, session: Session) -> None:
    """Answer the test samples; with labels for each of the model's classes, record the accuracy.

    The answers are kept for the cells that start from this one.
    """
    recipe = job.recipe(QuantizeRecipe)
    places = job.data.test_places(recipe.test_images)
    if job.data.labelled and _classes(job, session) == len(job.data.meta.classes):
        evaluate(job, session, recipe.test_images, job.cell.batch_size)
    else:
        _say_why(job, session)
        with job.phase("evaluate"):
            job.outputs = outputs.answers(job, session, places)
        job.session = session
        job.data.used["test"] = len(places)
    if job.cell.weights_from is None:
        _keep(job)


def _keep(job: Job) -> None:
    """Raises Unsupported for answers that nothing can be held against."""
    kept = job.outputs
    if kept is None or kept.values is None:
        raise Unsupported("the model gives no numbers for the test samples")
    lost = int(np.sum(~np.isfinite(kept.values).all(axis=1)))
    if lost:
        raise Unsupported(NOT_FINITE.format(f" for {lost:,} of {len(kept.values):,} samples"))
    if not any(artifact.path == outputs.OUTPUTS_FILE for artifact in job.artifacts):
        outputs.keep(job, kept)


def _classes(job: Job, session: Session) -> int:
    size = job.cell.batch_size
    images = filled(job.data.at(job.data.test_places(1)).images, size)
    found = session.call(session.place(job.data.normalise(images)))
    assert session.outputs is not None
    return int(session.outputs(found).shape[1])


def _say_why(job: Job, session: Session) -> None:
    """Why there is no accuracy."""
    if not job.data.labelled:
        why = "nobody knows what the samples show: give labelled pictures with --data"
    else:
        have, gives = len(job.data.meta.classes), _classes(job, session)
        why = f"the model tells {gives:,} classes apart and the pictures show {have:,}"
        job.warn(why)
    job.record("accuracy", [None], reason=why)
