"""Finding studies, and reading ``study.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from manifests import paths
from manifests.documents import Document, DocumentError, converted_as_far, read_document
from manifests.errors import InputError
from papers.mistakes import Mistake, Place, PublishedError, as_mistake, no_such, refuse
from papers.overlay import laid_over, offsets
from papers.study_checks import name_mistakes, study_mistakes
from papers.study_types import DEFAULT, Study, Tier

__all__ = ["DEFAULT", "Study", "Tier"]

FILE = "study.toml"


def study_folders(root: Path | None = None) -> dict[str, Path]:
    """Every folder with a ``study.toml``, by the study's id; under ``root`` alone if given."""
    if root is None:
        return paths.STUDIES.all()
    return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{FILE}"))}


def study_ids(root: Path | None = None) -> list[str]:
    """The studies there are."""
    return list(study_folders(root))


def study_folder(study: str, root: Path | None = None) -> Path:
    """The folder of a study. Raises InputError with the studies there are."""
    folders = study_folders(root)
    own = paths.own_study(study)
    if root is None and study not in folders and own is not None:
        return own
    if study not in folders:
        raise InputError(no_such("study", study, list(folders)))
    return folders[study]


def load_study(study: str, root: Path | None = None) -> Study:
    """Read and check a study. Raises InputError that names file, line and key."""
    return checked_study(study_folder(study, root), names=True)


def checked_study(folder: Path, names: bool = False) -> Study:
    """The study in a folder; ``names`` are those of runners, which have to be here then.

    Raises PublishedError.
    """
    study, mistakes = read_study(folder)
    if names and study is not None:
        mistakes = [*mistakes, *name_mistakes(Place(read_layers(folder)[0]), study)]
    refuse(mistakes)
    assert study is not None
    return study


def read_study(folder: Path) -> tuple[Study | None, list[Mistake]]:
    """A study, None where it can't be read, and everything that is wrong with its file."""
    try:
        document, data = read_layers(folder)
    except DocumentError as error:
        if not error.path.exists():
            raise PublishedError(str(error)) from error
        return None, [as_mistake(error)]
    study, refused = converted_as_far(document, Study, data)
    found = [as_mistake(error) for error in refused]
    if study is None:
        return None, found
    return study, [*found, *study_mistakes(Place(document), study)]


def base_folder(folder: Path, base: str) -> Path | None:
    """Of the study that one in ``folder`` extends: beside it, else wherever studies are."""
    beside = folder.parent / base
    if Path(base).name == base and (beside / FILE).is_file():
        return beside
    return study_folders().get(base)


def read_layers(folder: Path, above: tuple[str, ...] = ()) -> tuple[Document, dict[str, Any]]:
    """The document of a folder, and what it says with what it extends."""
    document = read_document(folder / FILE)
    base = document.data.get("extends")
    if not base or not isinstance(base, str):
        return document, document.data
    found = base_folder(folder, base)
    line = document.line("extends")
    if found is None or folder.name == base:
        known = [name for name in study_folders() if name != folder.name]
        what = f"extends: {no_such('study', base, known)}"
        raise DocumentError(document.path, line, what)
    if base in (*above, folder.name):
        chain = " -> ".join([*above, folder.name, base])
        raise DocumentError(document.path, line, f"extends: goes in a circle: {chain}")
    _, below = read_layers(found, (*above, folder.name))
    return document._replace(offsets=offsets(below)), laid_over(below, document.data)
