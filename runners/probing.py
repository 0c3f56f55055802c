"""Probing a technique with the smallest network of one feature, the same for every framework.

The technique does what it does with whole networks: its own function is called, and finds the
feature's network where it would find a trained one. What it made is then held against the float
network, and what its own operations computed in against what the technique promises. Nothing is
timed, no accuracy is taken, and the technique's own proof is not believed: it is taken anew.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import msgspec
import numpy as np

from manifests.features import FEATURES, smaller
from manifests.probe_record import AS_PROMISED, Counts, Outcome, Probe
from manifests.suggest import nearest
from runners import fidelity
from runners.failures import NothingQuantized, Unsupported, is_out_of_memory
from runners.job import Job
from runners.outputs import answers
from runners.precision_proof import Operation, proof_by_type

Array = Any

IMAGES = 64
"""Of the test split, which both networks answer."""
ELSE = " else "
"""Between patterns of a feature's own operations: the next one where the one before finds none."""
_SIMULATED = "simulated int8"
_ALSO: Dict[str, Tuple[str, ...]] = {
    "int8": ("uint8",),
    "hybrid int8": ("int8",),
    "int16x8": ("int16",),
    "tf32": ("float32",),
}
"""What else is as promised: operations without weights have their activations' type alone."""
_OURS = str(Path(__file__).resolve().parent)
_MISTAKES = (TypeError, KeyError, AttributeError, NameError, IndexError, AssertionError)
_LONGEST = 400


class ProbeRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the tasks read that a technique may have: quantizing, training, inferring.

    A rate of 0 leaves the weights what they are. ``compiled``: also by a compiler, where a
    technique ends in one.
    """

    calibration_images: int
    test_images: int
    epochs: int
    train_images: int
    learning_rate: float
    momentum: float
    weight_decay: float
    clip_norm: float
    warm_up: float
    milestones: List[float]
    decay: float
    warm_up_s: float
    warm_up_count: int
    measure_s: float
    measure_count: int
    compiled: bool = False


class Framework(NamedTuple):
    """What a framework's probes are made of.

    ``expected``: float32 NHWC images -> the float network's answers (n, classes). ``operations``:
    what one call of what was made (``job.made``) executes on such images, in its order, each with
    its type.
    ``own``: which of their names are a feature's own, a pattern by feature, and ``otherwise`` for
    those that it doesn't list; ``computing``: which are convolutions and products. ``resized``:
    answers of what was made to images of another size; by itself its session is called with them.
    """

    expected: Callable[[Job, Array], Array]
    operations: Callable[[Job, Array], List[Operation]]
    own: Dict[str, str]
    otherwise: str
    computing: str
    source: str
    resized: Optional[Callable[[Job, Array], Array]] = None


def probe(job: Job, make: Callable[[Job], None], framework: Framework) -> None:
    """Set the job's ``probe``: what ``make``, the technique's own task, does to the feature.

    Raises Unsupported for a feature that nobody knows and for a machine that the technique can't
    use, and what is a mistake of this project.
    """
    check_feature(job.cell.feature)
    images = job.data.normalise(job.data.at(job.data.test_places(IMAGES)).images)
    expected = framework.expected(job, images)
    begun = len(job.phases)
    try:
        make(job)
        with job.phase("probe"):
            found = _judged(job, framework, expected, images)
    except NothingQuantized as error:
        found = Probe(outcome="mixed", promised=job.promised, words=_words(job, error))
    except Exception as error:
        no_machine = isinstance(error, Unsupported) and len(job.phases) == begun
        if no_machine or is_out_of_memory(error) or is_own_mistake(error):
            raise
        stage = job.phases[-1].name if len(job.phases) > begun else "build"
        found = Probe(
            outcome="refused", promised=job.promised, words=_words(job, error), stage=stage
        )
    job.probe = found
    _record(job, found)


def check_feature(name: str) -> None:
    """Raises Unsupported with the features there are."""
    if name not in FEATURES:
        raise Unsupported(
            f"no feature {name!r}.{nearest(name, FEATURES)} Accepted: {', '.join(FEATURES)}"
        )


def is_own_mistake(error: BaseException) -> bool:
    """An error that this project's own code raised, or of the kind that a program makes.

    Neither is a refusal. What a framework's compiled code raises ends in our own line too, and is.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not frames[-1].filename.startswith(_OURS) or isinstance(error, Unsupported):
        return False
    raised = (frames[-1].line or "").startswith("raise")
    return raised or isinstance(error, _MISTAKES)


def _judged(job: Job, framework: Framework, expected: Array, images: Array) -> Probe:
    if job.session is None or job.made is None:
        raise RuntimeError("the technique left nothing that could be called")
    answered = answers(job, job.session, job.data.test_places(IMAGES))
    values = None if answered is None else answered.values
    operations = framework.operations(job, images[: job.cell.batch_size])
    pattern = framework.own.get(job.cell.feature, framework.otherwise)
    proven = proven_by(operations, pattern, framework.computing, job.promised, framework.source)
    job.proof = proof_by_type(_merged(proven.own, proven.others), job.promised, proven.source)
    held = held_against(proven, expected, values)
    if job.cell.feature == "dynamic-shape" and held.outcome != "wrong":
        return _at_other_size(job, framework, held)
    return held


def proven_by(
    operations: List[Operation], own: str, computing: str, promised: str, source: str
) -> Probe:
    """What ran in which type: the feature's own operations or, where it has none left, all that
    compute, into which it was folded.
    """
    rest = [one for one in operations if one.kind and re.search(computing, one.name)]
    mine = _without_ends(_own(operations, own), rest)
    looked_at = mine or rest
    return Probe(
        outcome=_outcome({str(one.kind) for one in looked_at}, promised),
        promised=promised,
        own=_counts(mine),
        others=_counts([one for one in rest if not any(one is other for other in mine)]),
        folded=not mine,
        source=source,
    )


def _own(operations: List[Operation], patterns: str) -> List[Operation]:
    """Those of the first pattern that finds any."""
    for pattern in patterns.split(ELSE):
        found = [one for one in operations if one.kind and re.search(pattern, one.name)]
        if found:
            return found
    return []


def _without_ends(mine: List[Operation], products: List[Operation]) -> List[Operation]:
    """Where a feature's operation is of the kind of the two layers around it, those are not it."""
    ends = [products[0], products[-1]] if len(products) > 1 else []
    inner = [one for one in mine if not any(one is end for end in ends)]
    return inner or mine


def _outcome(kinds: Any, promised: str) -> Outcome:
    fine = {promised, *_ALSO.get(promised, ())}
    if kinds and kinds <= fine:
        word = "int8" if promised == "hybrid int8" else promised
        return word if word in AS_PROMISED else "mixed"
    if _SIMULATED in kinds and kinds <= {*fine, _SIMULATED}:
        return "simulated"
    return "mixed"


def held_against(found: Probe, expected: Array, values: Optional[Array]) -> Probe:
    """With how far the answers ``values`` lie from the ``expected`` ones, and ``wrong`` where that
    is too far. Noise is held against what tells pictures apart: an answer that is the same for
    every picture has none of it.
    """
    images = len(expected)
    if values is None or values.shape != expected.shape:
        return msgspec.structs.replace(
            found, outcome="wrong", images=images, sqnr_reason="no answer that can be compared"
        )
    same = float(np.mean(fidelity.top1(expected) == fidelity.top1(values)))
    middle = expected.mean(axis=0, keepdims=True)
    noise = fidelity.sqnr(expected - middle, values - middle)
    known = noise.db is not None or noise.exact
    wrong = not known or (noise.db is not None and noise.db < found.limit_db)
    return msgspec.structs.replace(
        found,
        outcome="wrong" if wrong else found.outcome,
        images=images,
        sqnr_db=None if noise.db is None else round(noise.db, 2),
        sqnr_reason=noise.reason,
        agreement=same,
    )


def _at_other_size(job: Job, framework: Framework, held: Probe) -> Probe:
    """The same network on smaller pictures. Raises what the framework does where it doesn't."""
    count, side = job.cell.batch_size, smaller(job.cell.image_size)
    images = job.data.normalise(job.data.at(job.data.test_places(IMAGES)).images)[:count]
    cropped = np.ascontiguousarray(images[:, :side, :side])
    with job.phase("other-size"):
        resized = framework.resized or _called
        return held_against(held, framework.expected(job, cropped), resized(job, cropped))


def _called(job: Job, images: Array) -> Array:
    made = job.session
    return made.outputs(made.call(made.place(images)))


def _counts(operations: List[Operation]) -> Counts:
    found: Counts = {}
    for one in operations:
        names = found.setdefault(str(one.kind), {})
        names[one.name] = names.get(one.name, 0) + one.times
    return found


def _merged(one: Counts, other: Counts) -> Counts:
    kinds = dict.fromkeys([*one, *other])
    return {kind: {**one.get(kind, {}), **other.get(kind, {})} for kind in kinds}


def _words(job: Job, error: BaseException) -> str:
    """What an error says, in one line without the places of this machine."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = next((line for line in lines if "error:" in line.lower()), lines[0] if lines else "")
    text = re.sub(r"^.*?error: (loc\(.*\): )?", "", text) if "error:" in text else text
    text = text.replace(str(job.folder), "").strip()
    text = re.sub(r"(?<![\w.])(/[\w.@+-]+){2,}/", "", text)
    name = type(error).__name__
    return (text if isinstance(error, Unsupported) else f"{name}: {text}")[:_LONGEST]


def _record(job: Job, found: Probe) -> None:
    if found.images:
        source = "against the feature's float network, without each class's mean"
        job.record("sqnr_db", [found.sqnr_db], "", found.images, source, found.sqnr_reason)
        job.record("agreement", [found.agreement], "", found.images, source)
