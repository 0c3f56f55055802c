"""``measure``: from a person's model file and samples to a run, and to what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from manifests.errors import InputError
from manifests.files import as_text
from services import measure_budget
from services.measure_budget import Budget, batch_order
from services.own_model_study import AS_GIVEN, TIER, Question, written

if TYPE_CHECKING:
    from manifests.manifest import Manifest
    from manifests.plan import PlannedCell
    from orchestrator.messages import Listener
    from orchestrator.model_files.intake import ModelFile
    from orchestrator.running.execute import Outcome, Session
    from orchestrator.running.request import Request

BATCHES = (1, 8, 32)
RANDOM = "random"
_RANDOM_SAMPLES = 96
_CALIBRATING, _TESTED = 128, 1000
"""Samples at most, of what a person gives."""
_PICTURES = 3
_MOST_ROUNDS = 30
_OWN_S = 5.0
"""What the command takes before its first cell and after its last, environments left aside."""


Split = tuple[int, int]
"""Samples that calibrate, and samples that are answered."""


class Measuring(NamedTuple):
    """What is asked, and the request that answers it."""

    path: Path
    question: Question
    request: Request
    labelled: bool
    budget_s: float

    @property
    def random(self) -> bool:
        """Whether nobody gave samples."""
        return self.request.dataset == RANDOM

    @property
    def cells_s(self) -> float:
        """What of the budget is for cells; the rest is the command's own."""
        return max(0.0, self.budget_s - _OWN_S)


def measuring(
    path: Path,
    batches: Sequence[int],
    data: Path | None,
    pixels: str,
    budget_s: float,
    options: Request,
) -> Measuring:
    """Take a model in and prepare what is asked of it; ``options`` say where it runs.

    Raises InputError for what can't be measured, in a line.
    """
    from orchestrator.model_files.intake import take_in

    model = take_in(path)
    wanted = _batches(model, batches)
    place, name, known = _samples(model, data)
    calibrating, tested = (_CALIBRATING, _TESTED) if known is None else known
    side = model.entry.image[0] if model.entry.image else model.entry.shape[-1]
    asked = Question(model, wanted, side, pixels, calibrating, tested)
    request = options._replace(
        study=written(asked), tier=TIER, data_dir=place, dataset=name, repeats=1
    )
    return Measuring(path, asked, request, labelled=place.is_dir(), budget_s=budget_s)


def carry_out(measuring: Measuring, tell: Listener) -> Outcome:
    """Run it as far as its budget goes, what tells most first, and then again.

    Raises InputError where no toolchain can hold anything against the file, with the reason.
    """
    from orchestrator.running.execute import session

    with session(measuring.request, tell) as held:
        once(held, measuring)
        again(held, measuring.cells_s)
        return held.outcome


def once(held: Session, measuring: Measuring) -> None:
    """Every toolchain at the smallest batch size; other batch sizes within the budget."""
    cells = [one for one in held.prepared.chosen if not one.cell.repeat]
    held.run_chosen(measure_budget.first_stage(cells, measuring.question.reference))
    _check_reference(measuring, held)
    for stage in measure_budget.later_stages(cells):
        manifests = held.prepared.run.load().manifests
        waiting = measure_budget.not_ended(stage, manifests)
        fitting = Budget(measuring.cells_s, manifests).fitting(waiting)
        if fitting and not held.paused:
            held.run_chosen(fitting)


def reference(measuring: Measuring, manifests: Sequence[Manifest]) -> Manifest | None:
    """Of the cell that opened the file as it is, where that has ended."""
    for one in manifests:
        cell = one.cell
        if (cell.framework, cell.task, cell.technique) == (
            measuring.question.reference, "quantize", AS_GIVEN,
        ):  # fmt: skip
            return one
    return None


def _check_reference(measuring: Measuring, held: Session) -> None:
    found = reference(measuring, held.prepared.run.load().manifests)
    if found is not None and found.status == "unsupported":
        raise _refused(measuring.path, found.reason)


def again(held: Session, budget_s: float) -> None:
    """Further processes of every cell that times something, batch size by batch size, as long as
    one of them fits in whole.
    """
    first = [p for p in held.prepared.chosen if p.cell.task == "infer" and not p.cell.repeat]
    batches = batch_order(one.cell.batch_size for one in first)
    done = dict.fromkeys(batches, 0)
    going = True
    while going:
        rounds = [_round(held, budget_s, first, batch, done) for batch in batches]
        going = any(rounds)


def _round(
    held: Session, budget_s: float, first: Sequence[PlannedCell], batch: int, done: dict[int, int]
) -> bool:
    """One more process of each cell of that batch size that ended; whether there was time."""
    from orchestrator.planning.quadruples import in_turn, repeated

    manifests = held.prepared.run.load().manifests
    ended = {one.id for one in manifests if one.status == "ok"}
    repeat = done[batch] + 1
    cells = [p for p in measure_budget.inferences(first, batch) if p.id in ended]
    more = [repeated(one, repeat) for one in in_turn(cells, repeat)]
    if not more or held.paused or repeat >= _MOST_ROUNDS:
        return False
    if not Budget(budget_s, manifests).holds(measure_budget.not_ended(more, manifests)):
        return False
    held.run_further(more)
    done[batch] = repeat
    return True


def _batches(model: ModelFile, batches: Sequence[int]) -> Sequence[int]:
    fixed = model.entry.batch
    if fixed is None:
        return batches or BATCHES
    if set(batches) - {fixed}:
        raise InputError(
            f"the model takes batches of {fixed} alone: give --batch {fixed}, or export it with a "
            "free batch"
        )
    return [fixed]


def _samples(model: ModelFile, data: Path | None) -> tuple[Path, str | None, Split | None]:
    """Where the samples lie, what they are called, and how many calibrate and are answered, where
    that is known before they are read. Raises InputError.
    """
    from orchestrator.datasets import samples

    entry = model.entry
    if data is None:
        made = samples.random_samples(entry.shape, entry.image, _RANDOM_SAMPLES)
        return made, RANDOM, _split(_RANDOM_SAMPLES)
    if not samples.is_samples(data):
        if entry.image is None or entry.image[1] != _PICTURES:
            raise InputError(
                f"class folders have pictures of three channels, and the model takes "
                f"{entry.words}. Give a NumPy file (.npy) of samples with --data"
            )
        return data, None, None
    found = samples.opened(data)
    accepted = [entry.shape]
    if entry.image:
        side, channels = entry.image
        accepted.append((side, side, channels))
    if tuple(found.shape[1:]) not in accepted:
        shown = " x ".join(map(str, found.shape[1:]))
        raise InputError(
            f"{as_text(str(data))} has samples of {shown}, and the model takes {entry.words}"
        )
    return data, "samples", _split(len(found))


def _split(count: int) -> Split:
    from orchestrator.datasets.samples import calibrating

    first = calibrating(count)
    return min(first, _CALIBRATING), min(count - first, _TESTED)


def _refused(path: Path, why: str) -> InputError:
    from orchestrator.model_files.intake import refused

    return refused(path, why)
