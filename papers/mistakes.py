"""Mistakes in the files of a study: each with its file, its line, and the nearest that there is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from manifests.documents import Document, DocumentError
from manifests.errors import InputError
from manifests.suggest import nearest
from manifests.toml_lines import Step, Steps


class PublishedError(InputError):
    """A file of a study that can't be used; the message names file, line and place."""


class Mistake(NamedTuple):
    """``text`` says what is wrong at ``line`` of ``path``. A ``remark`` keeps nothing from use."""

    path: Path
    line: int
    text: str
    remark: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class Place(NamedTuple):
    """A part of a document: the steps to it, and what people call it."""

    document: Document
    steps: Steps = ()
    name: str = ""

    def at(self, *steps: Step, name: str = "") -> Place:
        """A part of this part."""
        return Place(self.document, (*self.steps, *steps), name or self.name)

    def mistake(self, text: str, value: object = None, remark: bool = False) -> Mistake:
        """At the line of the part, or of a value within it."""
        line = self.document.line(*self.steps, value=value)
        told = f"{self.name}: {text}" if self.name else text
        return Mistake(self.document.path, line, told, remark)

    def unknown(self, what: str, value: object, accepted: Collection[object]) -> Iterator[Mistake]:
        """One mistake, where ``value`` isn't accepted."""
        if value not in accepted:
            yield self.mistake(no_such(what, value, accepted), value)

    def twice(self, what: str, names: Sequence[str]) -> Iterator[Mistake]:
        """A mistake for each of the entries in an array of tables that has an earlier's name."""
        for index, name in enumerate(names):
            if name in names[:index]:
                yield self.at(index).mistake(f"two {what} are called {name!r}")


def no_such(what: str, value: object, accepted: Collection[object]) -> str:
    """``no unit 'mss'. Did you mean 'ms'? Accepted: s, ms``."""
    names = [str(one) for one in accepted]
    return (
        f"no {what} {value!r}.{nearest(str(value), names)} Accepted: {', '.join(names) or 'none'}"
    )


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raises PublishedError for the first that is more than a remark."""
    for mistake in mistakes:
        if not mistake.remark:
            raise PublishedError(str(mistake))


def as_mistake(error: DocumentError) -> Mistake:
    """What a document can't be read for."""
    return Mistake(error.path, error.line, error.what)
