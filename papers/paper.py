"""One study as a whole: what is run, what the paper printed and claims, and what is audited.

Each file is read when it is first asked for, and once. ``open_paper`` gives the same paper again
for as long as none of its files changes.
"""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from manifests.errors import InputError
from papers.ladders import Ladders, ladders_of
from papers.published import PublishedTable, load_published
from papers.study import base_folder, checked_study, study_folder
from papers.study_types import Study

if TYPE_CHECKING:
    from papers.audit import AuditFile
    from papers.claims import ClaimsFile
    from papers.figures import Figure

CLAIMS, AUDIT, TABLES = "claims.toml", "audit.toml", "published/tables.toml"
_SETTLED_NS = 1_000_000_000
"""A file that is younger may change without a sign: clocks of file systems tick slowly."""


class Paper:
    """The study in ``folder``. Everything raises PublishedError where a file can't be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        """The study's name."""
        return self.folder.name

    @cached_property
    def study(self) -> Study:
        """``study.toml``, with what it extends."""
        return checked_study(self.folder)

    @cached_property
    def base(self) -> Paper | None:
        """The study that this one is laid over."""
        name = self.study.extends
        folder = base_folder(self.folder, name) if name else None
        return open_paper(folder) if folder is not None else None

    @cached_property
    def tables(self) -> list[PublishedTable]:
        """The published tables; an overlay's own take the place of those with their ids."""
        if self.base is None:
            return load_published(self.folder)
        from papers.layers import tables_over

        own = load_published(self.folder) if self.has(TABLES) else []
        return tables_over(self.base.tables, own)

    @cached_property
    def claims(self) -> ClaimsFile:
        """The claims; none where there is no file."""
        from papers.claims import load_claims  # tables alone need no language of claims
        from papers.layers import claims_over

        below = self.base.claims if self.base is not None else None
        own = load_claims(self.folder, self.tables) if self.has(CLAIMS) else None
        return claims_over(below, own)

    @cached_property
    def figures(self) -> list[Figure]:
        """What the paper draws of its tables."""
        from papers.figures import load_figures
        from papers.layers import figures_over

        own = load_figures(self.folder, self.tables)
        return figures_over(self.base.figures, own) if self.base is not None else own

    @cached_property
    def audit(self) -> AuditFile:
        """The checks; none where there is no file."""
        from papers.audit import load_audit
        from papers.layers import audit_over

        own = load_audit(self.folder, self.tables)
        return audit_over(self.base.audit, own) if self.base is not None else own

    @cached_property
    def ladders(self) -> Ladders:
        """How its speedups are taken apart."""
        return ladders_of(self.study.ladder)

    @property
    def folders(self) -> list[Path]:
        """Its own, and those of the studies below it."""
        below = self.base.folders if self.base is not None else []
        return [self.folder, *below]

    def has(self, name: str) -> bool:
        """Whether there is such a file in the study's own folder."""
        return (self.folder / name).is_file()

    def check_claims(self) -> None:
        """Raises InputError where the study, and all below it, have no claims."""
        if not any((folder / CLAIMS).is_file() for folder in self.folders):
            raise InputError(
                f"{self.id} has no {CLAIMS}: nothing says what its paper claims. "
                f"Write {self.folder / CLAIMS}; docs/claims.md has its form"
            )


_Stamp = tuple[tuple[str, int, int, int], ...]


class _Opened(NamedTuple):
    paper: Paper
    stamp: _Stamp


_opened: dict[Path, _Opened] = {}


def open_paper(folder: Path) -> Paper:
    """The paper of a study's folder: the same one until one of its files changes."""
    folder = folder.absolute()
    stamp = _stamp(folder)
    known = _opened.get(folder)
    if known is not None and known.stamp == stamp and _below_is_same(known.paper):
        return known.paper
    paper = Paper(folder)
    newest = max((changed for _, changed, _, _ in stamp), default=0)
    if time.time_ns() - newest > _SETTLED_NS:
        _opened[folder] = _Opened(paper, stamp)
    return paper


def find_paper(study: str) -> Paper:
    """The paper of a study by its id. Raises InputError with the studies there are."""
    return open_paper(study_folder(study))


def _below_is_same(paper: Paper) -> bool:
    base = paper.__dict__.get("base")
    return base is None or open_paper(base.folder) is base


def _stamp(folder: Path) -> _Stamp:
    """What changes with the files of a study: their names, times, sizes and inodes."""
    files = [*folder.glob("*.toml"), *folder.glob("published/*")]
    found = [(str(path), path.stat()) for path in sorted(files) if path.is_file()]
    return tuple((name, s.st_mtime_ns, s.st_size, s.st_ino) for name, s in found)
