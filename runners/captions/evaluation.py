"""What a captioner is worth: words it gets right, captions it tells, and what it lost.

Token accuracy is taken with the right words before each word (teacher forcing), over all words that
are no padding, ``<end>`` among them. BLEU-4 and the share of exact captions are of captions that
the network tells by itself, the likeliest word at each place. What a float network answers is kept
for those that are made of it: the share of words that both put first is ``token_agreement``.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator, NamedTuple, Optional, Tuple

import numpy as np

from runners import fidelity
from runners.captions.bleu import bleu4
from runners.captions.words import START, first_captions, references, told
from runners.data import Images
from runners.job import Job
from runners.measure import Durations, measure
from runners.session import record_latency

Array = Any

Answer = Callable[[Array, Array], Array]
"""float32 pictures (n, h, w, 3) and int64 words (n, length) -> float32 logits (n, length, words).
Batches have the cell's size, always."""

ANSWERS_FILE = "captions.npz"
_KEPT_LOGITS = 64
"""Pictures of which all logits are kept."""


class Answered(NamedTuple):
    """``first``: int64 (n, length), the likeliest words. ``logits``: of the first pictures."""

    first: Array
    logits: Array


def evaluate(
    job: Job, answer: Answer, test_images: int, trained_anew: Optional[Answered] = None
) -> Answered:
    """Record ``token_accuracy``, ``bleu``, ``exact_captions``, and what is lost against the float
    network, where the cell starts from one, or against the one that it trained anew; keep the
    answers.
    """
    found = judge(job, answer, test_images)
    _record_lost(job, test_images, found, trained_anew)
    _keep(job, test_images, found)
    return found


def judge(job: Job, answer: Answer, test_images: int, label: str = "") -> Answered:
    """Record ``token_accuracy``, ``bleu`` and ``exact_captions``."""
    part = job.data.test(test_images)
    with job.phase("evaluate"):
        found = _forced(job, answer, part)
        said = np.concatenate([_greedy(answer, images, words) for images, words in
                               batches(job, part)])[: len(part.labels)]  # fmt: skip
    _record_right(job, part, found, label)
    _record_told(job, part, said, label)
    return found


def time_calls(job: Job, call: Callable[[], Any], calls: int) -> None:
    """Record the latency of one call on a batch of the cell's size, the words of whole captions."""
    if calls:
        durations = Durations(warm_up_s=0.2, warm_up_count=3, measure_s=0.2, measure_count=calls)
        measured = measure(call, durations, progress=job.events.step, phase=job.phase)
        record_latency(job, measured, "one call: every word of a batch's captions")


def one_batch(job: Job, images: Array, words: Array) -> Tuple[Array, Array]:
    """Both filled up to the cell's batch size with copies of the last."""
    rows = np.minimum(np.arange(job.cell.batch_size), len(images) - 1)
    return images[rows], words[rows]


def batches(job: Job, part: Images) -> Iterator[Tuple[Array, Array]]:
    """Normalised pictures and the words before each, in batches of the cell's size."""
    size = job.cell.batch_size
    read = first_captions(part).read
    for begin in range(0, len(read), size):
        images = job.data.normalise(part.images[begin : begin + size])
        yield one_batch(job, images, read[begin : begin + size])


def _forced(job: Job, answer: Answer, part: Images) -> Answered:
    first, kept, count = [], [], 0
    for images, words in batches(job, part):
        logits = answer(images, words)
        first.append(logits.argmax(2))
        if count < _KEPT_LOGITS:
            kept.append(np.asarray(logits, np.float32))
        count += len(words)
        job.events.step(min(count, len(part.labels)), len(part.labels))
    whole = np.concatenate(first)[: len(part.labels)]
    return Answered(whole.astype(np.int64), np.concatenate(kept)[: min(len(whole), _KEPT_LOGITS)])


def _greedy(answer: Answer, images: Array, words: Array) -> Array:
    """int64 (n, length): what the network tells, word by word."""
    read = np.zeros_like(words)
    read[:, 0] = START
    said = np.zeros_like(words)
    for place in range(words.shape[1]):
        said[:, place] = answer(images, read)[:, place].argmax(1)
        if place + 1 < words.shape[1]:
            read[:, place + 1] = said[:, place]
    return said


def _record_right(job: Job, part: Images, found: Answered, label: str) -> None:
    captions = first_captions(part)
    right = (found.first == captions.right)[captions.counted]
    job.record("token_accuracy", [float(right.mean())], label, items=int(right.size))


def _record_told(job: Job, part: Images, said: Array, label: str) -> None:
    words = job.data.meta.classes
    lines = [told(line, words) for line in said]
    expected = references(part.labels, words)
    judged = bleu4(lines, expected)
    job.record("bleu", [judged.score], label, items=len(lines), source=judged.source,
               reason=judged.reason)  # fmt: skip
    exact = [line in {stream[row] for stream in expected} for row, line in enumerate(lines)]
    job.record("exact_captions", [float(np.mean(exact))], label, items=len(lines))


def _keep(job: Job, test_images: int, found: Answered) -> None:
    places = job.data.test_places(test_images)
    np.savez(job.folder / ANSWERS_FILE, places=places, first=found.first, logits=found.logits)
    job.artifact(ANSWERS_FILE, "likeliest words of the test pictures, logits of some")


def _kept(job: Job, test_images: int) -> Optional[Answered]:
    """What the float network that this one was made of answered to the same pictures."""
    with np.load(job.weights.file(ANSWERS_FILE)) as file:
        same = np.array_equal(file["places"], job.data.test_places(test_images))
        return Answered(file["first"], file["logits"]) if same else None


def _record_lost(
    job: Job, test_images: int, found: Answered, trained_anew: Optional[Answered]
) -> None:
    """Record ``token_agreement``, ``kl_nats`` and ``sqnr_db``; nothing for a new network."""
    if job.cell.weights_from is None:
        return
    against = f"against cell {job.cell.weights_from}"
    if trained_anew is not None:
        against = "against the float network that this cell trained anew"
    parent = trained_anew or _kept(job, test_images)
    if parent is None:
        why = "its cell tested other pictures"
        job.record("token_agreement", [None], source=against, reason=why)
        return
    counted = first_captions(job.data.test(test_images)).counted
    same = (parent.first == found.first)[counted]
    job.record("token_agreement", [float(same.mean())], items=int(same.size), source=against)
    some = counted[: len(parent.logits)]
    x, y = parent.logits[some], found.logits[some]
    divergence = fidelity.kl(x, fidelity.LOGITS, y, fidelity.LOGITS)
    finite = bool(np.isfinite(divergence).all())
    why = "" if finite else "a divergence isn't finite"
    job.record("kl_nats", [float(divergence.mean()) if finite else None], items=len(x),
               source=against, reason=why)  # fmt: skip
    noise = fidelity.sqnr(x, y)
    job.record("sqnr_db", [noise.db], items=len(x), source=f"logits, {against}",
               reason=noise.reason)  # fmt: skip
