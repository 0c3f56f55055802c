"""Where things are: what comes with Repliquant, what REPLIQUANT_PATH adds to it, cache, runs.

REPLIQUANT_PATH names folders, ``a:b``, that hold any of ``studies/ images/ runners/ datasets/
engines/``. They are searched in order and only add: one name in two places is an error, so that
nothing from outside can take the place of what comes with Repliquant unnoticed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from manifests.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "vendor"
"""What a folder that was packed to be carried has in place of installed packages."""
CELL_PACKAGES = ("machine", "manifests", "runners")
"""What of Repliquant's can be imported where a cell runs, whatever the engine."""
PATH = "REPLIQUANT_PATH"
KINDS = ("studies", "images", "runners", "datasets", "engines")
_OWN = {"runners": ROOT / "runners", "datasets": ROOT / "orchestrator" / "datasets" / "sets"}
_IMAGE_FILES = ("image.toml", "requirements.in", "requirements.txt", "Dockerfile", "verify.py")


def extensions() -> List[Path]:
    """The folders of REPLIQUANT_PATH, in its order, absolute, each once.

    Raises InputError for one that isn't there.
    """
    found: Dict[str, Path] = {}
    for entry in filter(None, os.environ.get(PATH, "").split(os.pathsep)):
        folder = Path(os.path.abspath(os.path.expanduser(entry)))
        if not folder.is_dir():
            what = "is not a folder" if folder.exists() else "does not exist"
            raise InputError(f"{PATH}: {folder} {what}. Create it, or take it out of {PATH}")
        found.setdefault(os.path.realpath(str(folder)), folder)
    found.pop(os.path.realpath(str(ROOT)), None)
    return list(found.values())


def outside(kind: str) -> List[Path]:
    """The folders called ``kind`` in those of REPLIQUANT_PATH."""
    return [path / kind for path in extensions() if (path / kind).is_dir()]


def folders(kind: str) -> List[Path]:
    """The folder that comes with Repliquant, then those from outside.

    REPLIQUANT_STUDIES and REPLIQUANT_IMAGES name another in place of the first.
    """
    given = os.environ.get(f"REPLIQUANT_{kind.upper()}") if kind in ("studies", "images") else None
    own = Path(given) if given else _OWN.get(kind, ROOT / kind)
    return [own, *outside(kind)]


def runner_roots() -> List[Path]:
    """The folders that hold frameworks, protocols and models, one a folder or file."""
    return folders("runners")


class Places:
    """The folders of one kind, wherever they lie: ``STUDIES / "lad2023"`` is a study's folder.

    ``marks`` are the files of which one makes a folder an entry.
    """

    def __init__(self, kind: str, what: str, marks: Iterable[str]) -> None:
        self.kind, self.what, self.marks = kind, what, tuple(marks)

    def __truediv__(self, name: str) -> Path:
        """The folder called ``name``; where there is none, the one that it would have."""
        return self.all().get(name) or folders(self.kind)[0] / name

    def all(self) -> Dict[str, Path]:
        """Every folder by its name. Raises InputError for a name that occurs twice."""
        found = {path.parent for mark in self.marks for path in self.glob(f"[!_.]*/{mark}")}
        return distinct(self.what, ((path.name, path) for path in sorted(found)))

    def glob(self, pattern: str) -> Iterator[Path]:
        """What matches in any of the folders."""
        for folder in folders(self.kind):
            yield from folder.glob(pattern)


STUDIES = Places("studies", "study", ["study.toml"])
IMAGES = Places("images", "image", _IMAGE_FILES)


def own_studies() -> Path:
    """The studies that ``measure`` writes of a person's own models; none of them is listed."""
    return cache() / "own-studies"


def own_study(name: str) -> Optional[Path]:
    """The folder of such a study; None where there is none of that name."""
    folder = own_studies() / name
    return folder if Path(name).name == name and (folder / "study.toml").is_file() else None


def files(what: str, places: Iterable[Path], packages: bool = False) -> Dict[str, Path]:
    """The Python files in folders, by name with dashes; ``what`` they are, for the message.

    With ``packages`` a folder counts too, by its ``__init__.py``. Raises InputError for a name
    that occurs twice.
    """
    found: List[Tuple[str, Path]] = []
    for place in places:
        inside = place.glob("[!_.]*/__init__.py") if packages else ()
        for path in [*place.glob("[!_.]*.py"), *inside]:
            name = path.parent.name if path.name == "__init__.py" else path.stem
            found.append((name.replace("_", "-"), path))
    return distinct(what, found)


def distinct(what: str, found: Iterable[Tuple[str, Path]]) -> Dict[str, Path]:
    """By name. Raises InputError, with both places, for a name that occurs twice."""
    by_name: Dict[str, Path] = {}
    for name, path in found:
        if name in by_name:
            raise InputError(
                f"there are two of the {what} {name!r}: {by_name[name]} and {path}. "
                f"Rename one, or take its folder out of {PATH}"
            )
        by_name[name] = path
    return dict(sorted(by_name.items()))


def home() -> Optional[Path]:
    """The user's home folder; None without HOME for a user number that nobody has."""
    found = os.path.expanduser("~")
    return Path(found) if os.path.isabs(found) else None


def cache() -> Path:
    """REPLIQUANT_CACHE, else the user's cache folder, else ``.cache`` here; not created here."""
    given = os.environ.get("REPLIQUANT_CACHE")
    if given:
        return Path(os.path.expanduser(given))
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # one that is relative is to be ignored, says the specification
        base = str((home() or ROOT) / ".cache")
    return Path(base) / "repliquant"


def runs() -> Path:
    """REPLIQUANT_RUNS, else ``runs`` in the working directory."""
    return Path(os.path.expanduser(os.environ.get("REPLIQUANT_RUNS") or "runs"))


def python_path() -> str:
    """PYTHONPATH of a process that runs a cell: what a cell imports, and what is carried with it.

    Nothing else of Repliquant's is found there, so that none of its packages hides one that the
    interpreter has of its own.
    """
    return os.pathsep.join(map(str, [in_a_cell(), VENDOR] if VENDOR.is_dir() else [in_a_cell()]))


def in_a_cell() -> Path:
    """A folder in the cache with a link to each of ``CELL_PACKAGES``, made where it is missing.

    Where links can't be made it is the folder of the whole project.
    """
    folder = cache() / "cell-packages" / hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:16]
    try:
        for name in CELL_PACKAGES:
            _link(folder / name, ROOT / name)
    except OSError:
        return ROOT
    return folder.absolute()


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and os.readlink(str(link)) == str(target):
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    made = link.with_name(f".{link.name}.{os.getpid()}")
    made.symlink_to(target, target_is_directory=True)
    os.replace(str(made), str(link))


def cell_variables() -> Dict[str, str]:
    """What a cell's process finds Repliquant's code by, and that from outside.

    Only ``runners`` looks at REPLIQUANT_PATH, so that nothing else there can be imported.
    """
    found = {"PYTHONPATH": python_path()}
    if os.environ.get(PATH):
        found[PATH] = os.pathsep.join(map(str, extensions()))
    return found
