"""Which pictures a data set has: one set of rules for folders and for every kind of archive.

``train/<class>/...`` and ``test/<class>/...`` (or ``validation/``, ``val/``), at the top or up to
three folders below it. Pictures may lie deeper inside their class. Whatever is not taken is
counted by its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, Protocol

from manifests.errors import InputError
from orchestrator.datasets.names import (
    EXPECTED,
    SUFFIXES,
    TEST_NAMES,
    is_picture,
    is_system,
    plain,
    unreadable,
)

_MOST_CLASSES = 256
_MOST_DEPTH = 3
_MOST_FOLDERS = 1000
_MOST_REASONS = 12
HIDDEN = "hidden and system files"
LOOP = "links to a folder above them or read already"
SPECIAL = "not regular files"
NOWHERE = "links that lead nowhere"
OUTSIDE = "beside the splits"
UNCLASSED = "in no class folder"
EMPTY = "class folders without images"


class Entry(NamedTuple):
    """Something in a folder. ``real``: where it is when every link has been followed."""

    name: str
    kind: Literal["file", "folder", "special", "nowhere"]
    real: str


class Tree(Protocol):
    """Folders and files, on a disk or inside an archive. ``where`` names it in messages."""

    where: str

    def root(self) -> str:
        """The ``real`` of its uppermost folder."""

    def entries(self, folder: str) -> list[Entry]:
        """What lies in the folder of that ``real``. Raises InputError when it can't be read."""


class Picture(NamedTuple):
    """``name`` is its path below the splits' folder, ``real`` where its content is."""

    split: str
    label: str
    name: str
    real: str


class Listing(NamedTuple):
    """The pictures by split, class and name, and how much was passed over for which reason."""

    classes: list[str]
    pictures: list[Picture]
    passed_over: dict[str, int]

    def of(self, split: str) -> list[Picture]:
        """Those of one split."""
        return [picture for picture in self.pictures if picture.split == split]

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures each split has."""
        return {split: len(self.of(split)) for split in ("train", "test")}


def survey(tree: Tree) -> Listing:
    """Every picture of ``tree``. Raises InputError for a layout that can't be used."""
    passed: Counter[str] = Counter()
    top, splits = _top(tree, passed)
    by_split = {split: _Split(tree, split, entry, top, passed) for split, entry in splits.items()}
    classes = _classes(tree.where, by_split)
    for split in by_split.values():
        passed[EMPTY] += len(split.empty)
    pictures = [picture for split in by_split.values() for picture in split.pictures]
    return Listing(classes, sorted(pictures), _reasons(passed))


class _Place(NamedTuple):
    """A folder on the way to the splits: what lies in it, and what lies beside the way there."""

    path: str
    real: str
    entries: list[Entry]
    beside: list[Entry]

    def below(self, tree: Tree) -> Iterator[_Place]:
        for entry in self.entries:
            outside = entry.real != self.real and not _above(entry.real, self.real)
            if entry.kind == "folder" and not is_system(entry.name) and outside:
                beside = [*self.beside, *(other for other in self.entries if other is not entry)]
                path = f"{self.path}{entry.name}/"
                yield _Place(path, entry.real, tree.entries(entry.real), beside)


def _top(tree: Tree, passed: Counter[str]) -> tuple[str, dict[str, Entry]]:
    """The folder that holds both splits, and those: the uppermost there is."""
    level = [_Place("", tree.root(), tree.entries(tree.root()), [])]
    for _ in range(_MOST_DEPTH + 1):
        whole = [place for place in level if len(_splits(place.entries)) == 2]
        if len(whole) > 1:
            names = ", ".join(plain(place.path) for place in whole[:5])
            raise InputError(f"{tree.where} holds several data sets ({names}); give one of them")
        if whole:
            splits = _splits(whole[0].entries)
            _count_outside([*whole[0].beside, *whole[0].entries], splits, passed)
            return whole[0].real, splits
        level = [place for above in level for place in above.below(tree)][:_MOST_FOLDERS]
    raise InputError(f"{tree.where} holds {_overview(tree)}; {EXPECTED}")


def _splits(entries: list[Entry]) -> dict[str, Entry]:
    """``train``, and the first that there is of the names that a test split can have."""
    found: dict[str, Entry] = {}
    for split, names in (("train", ("train",)), ("test", TEST_NAMES)):
        for name in names:
            fitting = [e for e in entries if e.kind == "folder" and e.name.lower() == name]
            if fitting and split not in found:
                found[split] = max(fitting, key=lambda entry: entry.name == name)
    return found


def _overview(tree: Tree) -> str:
    """What lies at the top, and below it where that is one folder."""
    entries = [e for e in tree.entries(tree.root()) if not is_system(e.name)]
    one = len(entries) == 1 and entries[0].kind == "folder"
    if one and entries[0].name.lower() not in ("train", *TEST_NAMES):
        below = [f"{entries[0].name}/{entry.name}" for entry in tree.entries(entries[0].real)]
    else:
        below = [entry.name for entry in entries]
    return ", ".join(map(plain, below[:8])) or "nothing"


def _count_outside(entries: list[Entry], splits: dict[str, Entry], passed: Counter[str]) -> None:
    for entry in entries:
        if is_system(entry.name):
            passed[HIDDEN] += 1
        elif entry not in splits.values():
            ending = "/" if entry.kind == "folder" else ""
            passed[f"{OUTSIDE} ({plain(entry.name)[:40]}{ending})"] += 1


class _Split:
    """The pictures of one split, and its class folders that have none."""

    def __init__(
        self, tree: Tree, split: str, entry: Entry, top: str, passed: Counter[str]
    ) -> None:
        self.folder = entry.name
        self.pictures: list[Picture] = []
        self.empty: set[str] = set()
        self.others: dict[str, set[str]] = {}
        self._tree, self._split, self._passed = tree, split, passed
        self._above = (top, entry.real)
        for inside in tree.entries(entry.real):
            if is_system(inside.name):
                passed[HIDDEN] += 1
            elif inside.kind == "folder":
                self._class(inside)
            else:
                passed[UNCLASSED if inside.kind == "file" else NOWHERE] += 1

    @property
    def classes(self) -> set[str]:
        return {picture.label for picture in self.pictures}

    def _class(self, entry: Entry) -> None:
        label = plain(entry.name)
        if self._leads_back(entry):
            self._passed[LOOP] += 1
            return
        if label in self.classes | self.empty:
            raise InputError(
                f"{self._tree.where}: {self.folder} has two folders whose name is {label!r}, "
                "written with different characters. Give them one folder"
            )
        found = list(self._pictures(label, entry, f"{self.folder}/{entry.name}/", set()))
        self.pictures += found
        if not found:
            self.empty.add(label)

    def _pictures(self, label: str, folder: Entry, path: str, read: set[str]) -> Iterator[Picture]:
        """Those in the folder and below it; each folder once, so that no link leads in a circle."""
        read.add(folder.real)
        for entry in self._tree.entries(folder.real):
            name = path + entry.name
            if is_system(entry.name):
                self._passed[HIDDEN] += 1
            elif entry.kind == "folder":
                if entry.real in read or self._leads_back(entry):
                    self._passed[LOOP] += 1
                else:
                    yield from self._pictures(label, entry, f"{name}/", read)
            elif entry.kind == "special":
                self._passed[SPECIAL] += 1
            elif not is_picture(entry.name):
                self._other(label, entry)
            elif entry.kind == "nowhere":
                raise unreadable(f"{self._tree.where}/{plain(name)}", "a link that leads nowhere")
            else:
                yield Picture(self._split, label, name, entry.real)

    def _leads_back(self, entry: Entry) -> bool:
        return any(entry.real == place or _above(entry.real, place) for place in self._above)

    def _other(self, label: str, entry: Entry) -> None:
        if entry.kind == "nowhere":
            self._passed[NOWHERE] += 1
            return
        _, dot, suffix = entry.name.rpartition(".")
        kind = f".{plain(suffix).lower()[:12]}" if dot else "no suffix"
        self.others.setdefault(label, set()).add(kind)
        self._passed[f"not an image ({kind})"] += 1


def _above(folder: str, place: str) -> bool:
    """Whether ``place`` lies inside ``folder``."""
    return folder == "" or place.startswith(f"{folder.rstrip('/')}/")


def _classes(where: str, splits: dict[str, _Split]) -> list[str]:
    train, test = splits["train"], splits["test"]
    for split, other in ((train, test), (test, train)):
        for label in sorted(split.empty):
            # Nobody leaves a class out on purpose whose folder holds something.
            if label in other.classes or label in split.others:
                held = ", ".join(sorted(split.others.get(label, {"nothing"})))
                raise InputError(
                    f"{where}/{split.folder}/{label} has no images (it holds {held}); "
                    f"accepted: {', '.join(SUFFIXES)}"
                )
    if train.classes != test.classes:
        raise InputError(_different(where, train, test))
    return _counted(f"{where}/{train.folder}", sorted(train.classes))


def _different(where: str, train: _Split, test: _Split) -> str:
    only_train = ", ".join(sorted(train.classes - test.classes)[:5]) or "none"
    only_test = ", ".join(sorted(test.classes - train.classes)[:5]) or "none"
    return (
        f"{where}: the splits have different classes (only in {train.folder}: {only_train}; "
        f"only in {test.folder}: {only_test}). Give both the same class folders"
    )


def _counted(where: str, classes: list[str]) -> list[str]:
    """Raises InputError for fewer classes than two, or more than a label can count."""
    if not 2 <= len(classes) <= _MOST_CLASSES:
        raise InputError(
            f"{where} has {len(classes)} class folder{'s' * (len(classes) != 1)}"
            f"{f' ({classes[0]})' if len(classes) == 1 else ''} with images; "
            f"2 to {_MOST_CLASSES} are needed: {EXPECTED}"
        )
    return classes


def _reasons(passed: Iterable[str] | Counter[str]) -> dict[str, int]:
    """By their number; the rare ones together where there are many."""
    ordered = [(reason, count) for reason, count in Counter(passed).most_common() if count]
    kept = dict(ordered[:_MOST_REASONS])
    rest = sum(count for _, count in ordered[_MOST_REASONS:])
    return {**kept, "others": rest} if rest else kept
