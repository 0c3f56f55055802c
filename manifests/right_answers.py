"""Which test images a cell's model recognised, so that two cells can be compared image by image."""

from __future__ import annotations

import base64
import binascii
from typing import Optional, Tuple

import msgspec


class RightAnswers(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One bit for each of ``count`` test images, in base64; the first image is the highest bit.

    ``images_sha256`` is a hash of their places in the test split and their labels (int64, little
    endian, all places first), so that two cells with the same one answered about the same images.
    """

    count: int
    images_sha256: str
    right: str


def unpacked(answers: RightAnswers) -> Optional[Tuple[bool, ...]]:
    """One truth an image; None where there aren't as many as ``count`` says."""
    try:
        data = base64.b64decode(answers.right.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if answers.count < 1 or len(data) != (answers.count + 7) // 8:
        return None
    return tuple(bool(data[n // 8] >> (7 - n % 8) & 1) for n in range(answers.count))
