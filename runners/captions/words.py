"""Captions as the numbers that a pack holds, and as words again.

In a pack of captions labels are uint16 (count, captions of a picture, words): a caption between
START and END, filled up with PAD; a caption that is all PAD is none. Its classes are the words.
"""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Sequence

import numpy as np

from runners.data import Data, Images
from runners.failures import Unsupported
from runners.models.captioner import Captioner

Array = Any

PAD, START, END = 0, 1, 2
_MARKS = ["<pad>", "<start>", "<end>"]


class Captions(NamedTuple):
    """What a network reads and should answer: int64 (n, length) each, for one caption a picture."""

    read: Array
    right: Array

    @property
    def counted(self) -> Array:
        """bool (n, length): where there is a word to answer."""
        found: Array = self.right != PAD
        return found


def network_of(data: Data) -> Captioner:
    """The network for a pack's words, captions and pictures. Raises Unsupported for classes."""
    words = data.meta.classes
    labels = data.labels("test")
    if labels.ndim != 3 or words[: len(_MARKS)] != _MARKS:
        raise Unsupported(
            f"a captioner needs pictures with captions, and {data.meta.name} has classes: use "
            "digit-captions, or a folder of Flickr8k with --data-dir"
        )
    return Captioner(len(words), labels.shape[2] - 1, data.meta.image_size)


def first_captions(part: Images) -> Captions:
    """The first caption of each picture."""
    return shifted(part.labels[:, 0])


def shifted(lines: Array) -> Captions:
    """Whole captions (n, words): each word is to be answered from those before it."""
    lines = np.asarray(lines).astype(np.int64)
    return Captions(np.ascontiguousarray(lines[:, :-1]), np.ascontiguousarray(lines[:, 1:]))


def chosen(labels: Array, generator: Any) -> Array:
    """One caption of each picture, drawn among those that it has."""
    there = (labels != PAD).any(axis=2).sum(axis=1)
    drawn = (generator.random(len(labels)) * there).astype(np.int64)
    found: Array = labels[np.arange(len(labels)), drawn]
    return found


def told(numbers: Sequence[int], words: Sequence[str]) -> str:
    """The words up to END, as one text."""
    found: List[str] = []
    for number in numbers:
        if number == END:
            break
        if number not in (PAD, START):
            found.append(words[number])
    return " ".join(found)


def references(labels: Array, words: Sequence[str]) -> List[List[Optional[str]]]:
    """Every caption of every picture as BLEU takes them: first captions, second ones, and so on;
    None where a picture has no such one.
    """
    found: List[List[Optional[str]]] = []
    for place in range(labels.shape[1]):
        lines = labels[:, place]
        found.append([told(line, words) if line.any() else None for line in lines])
    return found
