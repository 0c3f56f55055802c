"""Pictures with captions: a vocabulary, and captions as numbers of its words.

A pack of captions has them in place of labels: uint16 (count, captions of a picture, words), each
caption between ``<start>`` and ``<end>``, filled up with ``<pad>``. Its classes are the vocabulary.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Tokens = np.ndarray[Any, np.dtype[np.uint16]]

PAD, START, END, UNKNOWN = "<pad>", "<start>", "<end>", "<unknown>"
MARKS = (PAD, START, END, UNKNOWN)
"""The first words of every vocabulary, in this order: runners find them by their numbers."""


def words_of(caption: str) -> list[str]:
    """In lower case, without punctuation."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?", caption.lower())


def vocabulary(captions: Iterable[Sequence[str]], at_least: int = 1) -> list[str]:
    """The marks, then the words that occur so often, in alphabetical order."""
    counts = Counter(word for words in captions for word in words)
    return [*MARKS, *sorted(word for word, count in counts.items() if count >= at_least)]


def tokens(
    captions: Sequence[Sequence[Sequence[str]]], words: Sequence[str], longest: int
) -> Tokens:
    """uint16 (pictures, captions, longest + 2) of each picture's captions.

    What goes beyond ``longest`` words is cut off, a word that isn't in the vocabulary is unknown,
    and a picture with fewer captions than another has empty ones, all padding.
    """
    import numpy as np

    numbers = {word: number for number, word in enumerate(words)}
    most = max(map(len, captions))
    found = np.zeros((len(captions), most, longest + 2), np.uint16)
    for row, of_picture in zip(found, captions, strict=True):
        for line, caption in zip(row, of_picture, strict=False):
            inside = [numbers.get(word, numbers[UNKNOWN]) for word in caption[:longest]]
            line[: len(inside) + 2] = [numbers[START], *inside, numbers[END]]
    return found
