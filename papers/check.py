"""Everything that is wrong with the files of a study, for whoever writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from manifests import paths
from manifests.runner_files import framework_folders
from papers.audit import read_audit
from papers.claims import read_claims
from papers.figures import read_figures
from papers.layers import tables_over
from papers.mistakes import Mistake, Place, PublishedError, no_such
from papers.paper import AUDIT, CLAIMS, TABLES, open_paper
from papers.published import PublishedTable, read_published
from papers.runner_names import technique_names
from papers.study import base_folder, read_layers, read_study
from papers.study_checks import name_mistakes, recipe_mistakes
from papers.study_types import Study
from papers.value_checks import value_mistakes


def study_file_mistakes(folder: Path) -> list[Mistake]:
    """In the order of the files and their lines; nothing where all is well.

    Raises PublishedError for a folder without ``study.toml``.
    """
    study, found = read_study(folder)
    if study is not None:
        place = Place(read_layers(folder)[0])
        found += name_mistakes(place, study)
        found += recipe_mistakes(place, study)
        found += _of_environments(place, study)
    tables, wrong = _tables(folder, study)
    found += wrong
    if study is not None:
        found += value_mistakes(folder, study, [] if not (folder / TABLES).is_file() else tables)
    found += read_figures(folder, tables)[1]
    found += _of_claims(folder, study, tables)
    found += _of_audit(folder, study, tables)
    return _sorted(found)


def _sorted(found: Sequence[Mistake]) -> list[Mistake]:
    """Each once, by file in the order in which they were read, and by line."""
    order = {path: index for index, path in enumerate(dict.fromkeys(m.path for m in found))}
    return sorted(dict.fromkeys(found), key=lambda mistake: (order[mistake.path], mistake.line))


def _of_environments(place: Place, study: Study) -> Iterator[Mistake]:
    """Frameworks without runners, and images that aren't there."""
    known = list(framework_folders())
    for framework in study.images:
        if not technique_names(framework):
            yield place.at("images", framework, name="images").mistake(
                no_such("framework with runners", framework, known)
            )
    images = sorted(path.parent.name for path in paths.IMAGES.glob("*/image.toml"))
    for name in study.image_names():
        if name not in images:
            section = "images" if name in study.images.values() else "gpu_images"
            yield place.at(section, name="images").mistake(no_such("image", name, images), name)


def _tables(folder: Path, study: Study | None) -> tuple[list[PublishedTable], list[Mistake]]:
    """The tables that claims and checks may name, and what is wrong with the study's own."""
    below = _below(folder, study)
    if not (folder / TABLES).is_file() and below:
        return below, []
    try:
        own, found = read_published(folder)
    except PublishedError as error:
        return below, [Mistake(folder / TABLES, 1, str(error))]
    return tables_over(below, own), found


def _below(folder: Path, study: Study | None) -> list[PublishedTable]:
    base = base_folder(folder, study.extends) if study is not None and study.extends else None
    try:
        return open_paper(base).tables if base is not None else []
    except PublishedError:
        return []  # which is told when that study is checked


def _of_claims(
    folder: Path, study: Study | None, tables: Sequence[PublishedTable]
) -> list[Mistake]:
    if (folder / CLAIMS).is_file():
        return read_claims(folder, tables)[1]
    told = "is missing: nothing says what the paper claims (docs/claims.md has its form)"
    return _missing(folder, study, CLAIMS, told)


def _of_audit(folder: Path, study: Study | None, tables: Sequence[PublishedTable]) -> list[Mistake]:
    if (folder / AUDIT).is_file():
        return read_audit(folder, tables)[1]
    told = "is missing: an audit recomputes derived columns only"
    return _missing(folder, study, AUDIT, told)


def _missing(folder: Path, study: Study | None, name: str, told: str) -> list[Mistake]:
    """A remark, unless the study below has such a file."""
    if study is not None and study.extends:
        return []
    return [Mistake(folder / name, 1, told, remark=True)]
