"""``flickr8k``: the pictures and captions of Hodosh 2013, from a folder that a person has.

No publisher states a digest of it, so nothing is fetched. The folder has the usual two parts: the
pictures (``Images`` or ``Flicker8k_Dataset``), and beside them the captions, ``captions.txt`` with
lines ``image,caption`` or ``Flickr8k.token.txt`` with lines ``image#0 <tab> caption``; the latter
may lie in ``Flickr8k_text``, where lists of the test and training pictures are used too. Without
those lists the last eighth of the pictures, by name, is the test split.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from manifests.cell import sha256_hex
from manifests.errors import InputError
from orchestrator.datasets import decoder
from orchestrator.datasets.captions import tokens, vocabulary, words_of
from orchestrator.datasets.contents import Contents, hashes
from orchestrator.datasets.pack import Part, Progress, Source

NAME = "flickr8k"
CAPTIONS = True
FOLDERS = ("Images", "images", "Flicker8k_Dataset", "Flickr8k_Dataset")
TEXTS = ("captions.txt", "Flickr8k.token.txt", "Flickr8k_text/Flickr8k.token.txt")
LISTS = {"train": "Flickr_8k.trainImages.txt", "test": "Flickr_8k.testImages.txt"}
LONGEST = 20
AT_LEAST = 5
"""How often a word has to stand in the training captions to be one of the vocabulary."""
TEST_SHARE = 8
MALFORMED = "lines that are no caption"
NO_PICTURE = "captions of pictures that are not there"
NO_CAPTION = "pictures without a caption"
UNLISTED = "pictures in neither list"


class Folder(NamedTuple):
    """Where both parts lie."""

    pictures: Path
    text: Path


class Listing(NamedTuple):
    """The captions of each picture by its name, split by split, and what was passed over."""

    splits: dict[str, dict[str, list[list[str]]]]
    passed_over: dict[str, int]


def recognises(place: Path) -> bool:
    """True for a folder with both parts."""
    return _parts_of(place) is not None


def found_in(folder: Path) -> Path | None:
    """The folder itself."""
    return folder if recognises(folder) else None


def source(cache: Path, place: Path | None = None, name: str = NAME) -> Source:
    """From ``place`` alone. Raises InputError without one, or for one that has not both parts."""
    parts = _parts_of(place) if place else None
    if parts is None:
        raise InputError(
            f"{place or NAME} can't be used: no publisher states a digest of Flickr8k, so nothing "
            f"is fetched. Give a folder with {FOLDERS[0]}/ and {TEXTS[0]} (image,caption), or with "
            f"{FOLDERS[2]}/ and {TEXTS[1]}, with --data-dir"
        )
    found = listing(parts)
    return Source(
        name=name,
        origin="Hodosh 2013, pictures and captions in a folder",
        classes=_words(found),
        key="flickr8k-1",
        load=partial(_load, parts, found),
        contents=partial(_contents, parts, found, cache),
        counts={split: len(pictures) for split, pictures in found.splits.items()},
        passed_over=found.passed_over,
    )


def _parts_of(place: Path) -> Folder | None:
    pictures = next((place / name for name in FOLDERS if (place / name).is_dir()), None)
    text = next((place / name for name in TEXTS if (place / name).is_file()), None)
    return Folder(pictures, text) if pictures and text else None


def listing(parts: Folder) -> Listing:
    """Both splits. Raises InputError where one of them would be empty."""
    passed: Counter[str] = Counter()
    there = {path.name for path in parts.pictures.iterdir() if path.is_file()}
    said: dict[str, list[list[str]]] = defaultdict(list)
    for picture, caption in _lines(parts.text, passed):
        if picture in there:
            said[picture].append(words_of(caption))
        else:
            passed[NO_PICTURE] += 1
    passed[NO_CAPTION] = len(there) - len(said)
    splits = _split(parts.text.parent, dict(sorted(said.items())), passed)
    for split, pictures in splits.items():
        if not pictures:
            raise InputError(f"{parts.text}: no caption of a picture for the {split} split")
    return Listing(splits, {why: count for why, count in passed.items() if count})


def _lines(text: Path, passed: Counter[str]) -> Iterator[tuple[str, str]]:
    """The picture and the caption of each line."""
    try:
        content = text.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{text} can't be read: {error.strerror}") from error
    tabbed = text.name == "Flickr8k.token.txt"
    rows = (
        (line.split("\t", 1) for line in content.splitlines())
        if tabbed
        else csv.reader(io.StringIO(content))
    )
    for number, row in enumerate(rows):
        if not tabbed and number == 0 and row[:2] == ["image", "caption"]:
            continue
        name, caption = row[0].partition("#")[0].strip() if row else "", ",".join(row[1:])
        if name and words_of(caption):
            yield name, caption
        else:
            passed[MALFORMED] += 1


def _split(
    folder: Path, said: dict[str, list[list[str]]], passed: Counter[str]
) -> dict[str, dict[str, list[list[str]]]]:
    lists = {split: folder / name for split, name in LISTS.items()}
    if not all(path.is_file() for path in lists.values()):
        names = list(said)
        first = len(names) - len(names) // TEST_SHARE
        chosen = {"train": names[:first], "test": names[first:]}
    else:
        chosen = {
            split: [name for name in path.read_text(encoding="utf-8").split() if name in said]
            for split, path in lists.items()
        }
    passed[UNLISTED] = len(set(said) - {name for names in chosen.values() for name in names})
    return {split: {name: said[name] for name in names} for split, names in chosen.items()}


def _words(found: Listing) -> list[str]:
    training = (line for lines in found.splits["train"].values() for line in lines)
    return vocabulary(training, AT_LEAST)


def _contents(parts: Folder, found: Listing, cache: Path, progress: Progress | None) -> str | None:
    """One hash over the captions and every picture; without ``progress`` only if known."""
    paths = [parts.text, *(parts.pictures / name for s in found.splits.values() for name in s)]
    memory = Contents(cache, f"flickr8k {parts.text.resolve()}")
    try:
        if progress is None:
            known = [memory.known(path) for path in paths]
            digests = [digest for digest in known if digest is not None]
        else:
            said = progress
            digests = hashes(paths, memory, lambda done: said("reading flickr8k", done, len(paths)))
    except OSError as error:
        raise InputError(f"{error.filename} can't be read: {error.strerror}") from error
    return sha256_hex(":".join(digests).encode()) if len(digests) == len(paths) else None


def _load(parts: Folder, found: Listing, size: int, progress: Progress) -> dict[str, Part]:
    words = _words(found)
    return {
        split: _part(parts.pictures, pictures, words, size, progress)
        for split, pictures in found.splits.items()
    }


def _part(
    folder: Path, said: dict[str, list[list[str]]], words: list[str], size: int, progress: Progress
) -> Part:
    import numpy as np

    images = np.empty((len(said), size, size, 3), np.uint8)
    sizes: Counter[str] = Counter()
    for index, name in enumerate(said):
        path = folder / name
        decoder.bounded(str(path), path.stat().st_size)
        decoded = decoder.decode(path.read_bytes(), str(path), size)
        images[index] = decoded.pixels
        sizes["{} x {}".format(*decoded.size)] += 1
        if index % 500 == 0:
            progress("decoding images", index, len(said))
    return Part(images, tokens(list(said.values()), words, LONGEST), sizes=sizes)  # type: ignore[arg-type]
