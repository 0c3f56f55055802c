"""Data sets by name: one file each, here or in ``datasets/`` of a folder on REPLIQUANT_PATH.

A file is found by its name, which is the data set's, and has

- ``source(cache, place=None, name=NAME) -> Source``: the images, from ``place`` where a person
  has given one, else embedded or from the cache or by a download when they are loaded;

and, where they apply,

- ``PHRASE``: the data set in a sentence, "the embedded digits";
- ``remote() -> Remote`` and ``IMAGE_SIZE``: the file that is fetched, and a size at which its
  images are packed, so that a plan can say what there is to download;
- ``recognises(place) -> bool``: whether a folder or an archive holds it as its publisher has it;
- ``name_in(place, cache) -> str``: the name of what was recognised; its own unless it says so;
- ``found_in(folder) -> Path | None``: where it lies in a folder with several data sets;
- ``RESERVED``: further names that only it gives;
- ``CAPTIONS``: True where its pictures have captions in place of classes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

from manifests import paths
from manifests.errors import InputError
from manifests.suggest import nearest
from orchestrator.datasets.downloads import Remote
from orchestrator.datasets.pack import Source
from orchestrator.outside_module import outside_module

_HERE = Path(__file__).parent


class DataSet(NamedTuple):
    """A data set's module, with what it leaves out filled in."""

    name: str
    module: object

    def source(self, cache: Path, place: Path | None = None, name: str = "") -> Source:
        """The images. Raises InputError."""
        make = self.module.source  # type: ignore[attr-defined]
        return cast(Source, make(cache, place, name or self.name))

    @property
    def phrase(self) -> str:
        """The data set in a sentence."""
        return str(getattr(self.module, "PHRASE", self.name))

    @property
    def captions(self) -> bool:
        """Whether its pictures have captions in place of classes."""
        return bool(getattr(self.module, "CAPTIONS", False))

    @property
    def names(self) -> tuple[str, ...]:
        """Its own, and those that only it gives."""
        return (self.name, *getattr(self.module, "RESERVED", ()))

    def remote(self) -> tuple[Remote, int] | None:
        """What is fetched, and the image size at which that is asked for; None for nothing."""
        make = getattr(self.module, "remote", None)
        return (make(), int(getattr(self.module, "IMAGE_SIZE", 32))) if make else None

    def recognises(self, place: Path) -> bool:
        """Whether ``place`` holds it as its publisher has it."""
        asked = getattr(self.module, "recognises", None)
        return bool(asked and asked(place))

    def name_in(self, place: Path, cache: Path) -> str:
        """The name of what was recognised."""
        asked = getattr(self.module, "name_in", None)
        return str(asked(place, cache)) if asked else self.name

    def found_in(self, folder: Path) -> Path | None:
        """Where it lies in a folder with several data sets."""
        asked = getattr(self.module, "found_in", None)
        return cast("Path | None", asked(folder)) if asked else None


def names() -> list[str]:
    """The data sets there are: those that come with Repliquant first."""
    return sorted(_files(), key=lambda name: (_files()[name].parent != _HERE, name))


def data_set(name: str) -> DataSet:
    """Raises InputError for an unknown one, or a file that is not a data set."""
    found = _files()
    if name not in found:
        raise InputError(
            f"no data set {name!r}.{nearest(name, found)} Accepted: {', '.join(names())}, "
            "or images with --data-dir"
        )
    return DataSet(name, _module(found[name]))


def data_sets() -> Iterator[DataSet]:
    """Those that can be used; a broken file from outside harms only who asks for it."""
    for name in names():
        try:
            yield data_set(name)
        except InputError:
            continue


def _files() -> dict[str, Path]:
    """By the name that cells have, which is the file's; with dashes where its own NAME has them."""
    found = paths.files("data set", paths.folders("datasets"))
    return {_called(path): path for path in found.values()}


def _called(path: Path) -> str:
    """Read, not imported: a broken file has a name too."""
    dashed = path.stem.replace("_", "-")
    return dashed if f'\nNAME = "{dashed}"\n' in _text(path) else path.stem


@cache
def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


@cache
def _module(path: Path) -> object:
    if path.parent == _HERE:
        return importlib.import_module(f"{__name__}.{path.stem}")
    try:
        module = outside_module(f"{__name__}.from_outside.{path.stem}", path)
    except Exception as error:
        raise InputError(f"the data set {path} can't be read: {_where(error, path)}") from error
    if not callable(getattr(module, "source", None)):
        raise InputError(
            f"{path} is not a data set: it has no function source(cache, place, name). "
            "docs/add-a-study.md shows one"
        )
    return module


def _where(error: Exception, path: Path) -> str:
    """The error with the line of the file that it comes from."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{f'line {line}: ' if line else ''}{type(error).__name__}: {error}"
