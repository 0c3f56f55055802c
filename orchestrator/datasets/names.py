"""Names of pictures, splits and classes: which are taken, which are nobody's, and how they read."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from manifests.errors import InputError

TEST_NAMES = ("test", "validation", "val")
SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".dib", ".webp", ".gif", ".ppm",
    ".pgm", ".pbm", ".pnm", ".tif", ".tiff", ".tga", ".jp2",
)  # fmt: skip
EXPECTED = "expected train/<class>/*.jpg and test/<class>/*.jpg (or validation/)"
_SYSTEM = frozenset(
    ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin",
     "system volume information", "lost+found", "icon\r", "__pycache__")
)  # fmt: skip


def plain(name: str) -> str:
    """A name as text: composed characters, and bytes that aren't UTF-8 written out."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def is_system(name: str) -> bool:
    """Files that operating systems, editors and notebooks leave behind, and hidden ones."""
    return name.startswith(".") or name.lower() in _SYSTEM


def is_picture(name: str) -> bool:
    """By its suffix."""
    return name.lower().endswith(SUFFIXES)


def words(passed_over: Mapping[str, int]) -> str:
    """ "3 hidden and system files, 1 not an image (.txt)"; empty for nothing."""
    return ", ".join(f"{count:,} {reason}" for reason, count in passed_over.items())


def unreadable(place: str, why: str) -> InputError:
    """A file that should be a picture and can't be read as one."""
    return InputError(
        f"{place} can't be read as an image ({why}). Repair it or take it out of the data set"
    )
