"""``measure``: from a person's model file and samples to a run, and to what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from manifests.errors import InputError
from manifests.files import as_text
from services.own_model_study import AS_GIVEN, TIER, Question, written

if TYPE_CHECKING:
    from manifests.manifest import Manifest
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


Split = tuple[int, int]
"""Samples that calibrate, and samples that are answered."""


class Measuring(NamedTuple):
    """What is asked, and the request that answers it."""

    path: Path
    question: Question
    request: Request
    labelled: bool
    budget_s: float | None

    @property
    def random(self) -> bool:
        """Whether nobody gave samples."""
        return self.request.dataset == RANDOM


def measuring(
    path: Path,
    batches: Sequence[int],
    data: Path | None,
    pixels: str,
    budget_s: float | None,
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
    repeats = 1 if budget_s is not None else options.repeats
    request = options._replace(
        study=written(asked), tier=TIER, data_dir=place, dataset=name, repeats=repeats
    )
    return Measuring(path, asked, request, labelled=place.is_dir(), budget_s=budget_s)


def carry_out(measuring: Measuring, tell: Listener) -> Outcome:
    """Run it, and within a budget again as often as that allows.

    Raises InputError where no toolchain can hold anything against the file, with the reason.
    """
    from orchestrator.running.execute import session

    with session(measuring.request, tell) as held:
        held.run_chosen()
        _check_reference(measuring, held)
        if measuring.budget_s is not None:
            again(held, measuring.budget_s)
        return held.outcome


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
    """Further processes of every cell that times something, as long as a round fits in."""
    from orchestrator.planning.quadruples import in_turn, repeated
    from services.quadruple_choice import spent_s

    first = [p for p in held.prepared.chosen if p.cell.task == "infer" and not p.cell.repeat]
    for repeat in range(1, _MOST_ROUNDS):
        manifests = held.prepared.run.load().manifests
        ended = {one.id: one for one in manifests}
        able = [p for p in first if p.id in ended and ended[p.id].status == "ok"]
        round_s = sum(ended[p.id].wall_s for p in able)
        if not able or held.paused or spent_s(manifests) + round_s > budget_s:
            return
        held.run_further([repeated(one, repeat) for one in in_turn(able, repeat)])


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
