"""The folder of a run, and reading thousands of manifests out of it."""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional

from manifests.codec import (
    MAX_PLAN_BYTES,
    UnreadableError,
    decode_manifest,
    read_bounded,
    read_struct,
)
from manifests.compaction import compact
from manifests.files import as_text
from manifests.manifest import Manifest
from manifests.plan import PLAN_SCHEMA, Plan
from manifests.select import Selector

MANY = 20_000
"""With more manifests than these, memory counts for more than a tenth of the time."""


class Loaded(NamedTuple):
    """The manifests that could be read, and one warning for each that could not."""

    manifests: List[Manifest]
    warnings: List[str]


class Run:
    """``runs/<id>/``: plan.json, cells/<cell id>/{manifest.json, events.jsonl, log.txt, ...}."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        """Its name; bytes that are no UTF-8 are spelled out, because documents can't hold them."""
        return as_text(self.folder.name)

    @property
    def plan_path(self) -> Path:
        return self.folder / "plan.json"

    @property
    def cells(self) -> Path:
        return self.folder / "cells"

    def cell_folder(self, cell_id: str) -> Path:
        return self.cells / cell_id

    def manifest_path(self, cell_id: str) -> Path:
        return self.cell_folder(cell_id) / "manifest.json"

    def plan(self) -> Plan:
        """Raises UnreadableError, or FileNotFoundError when the folder is no run."""
        plan = read_struct(self.plan_path, Plan, MAX_PLAN_BYTES)
        if plan.schema != PLAN_SCHEMA:
            raise UnreadableError(
                f"{self.plan_path} has schema {plan.schema[:80]!r}; this version reads "
                f"{PLAN_SCHEMA}: a newer version may have written it"
            )
        return plan

    def manifest(self, cell_id: str) -> Optional[Manifest]:
        """The manifest of a cell, None when it has none. Raises UnreadableError or OSError."""
        path = self.manifest_path(cell_id)
        try:
            return _read(str(path))
        except FileNotFoundError:
            return None
        except UnreadableError as error:
            raise UnreadableError(f"{path}: {error}") from error

    def load(self, selector: Optional[Selector] = None) -> Loaded:
        """Every manifest that ``selector`` accepts, ordered by cell id.

        A file that can't be used gives a warning that names it; it never ends the reading.
        """
        try:
            paths = self._manifest_files()
        except OSError as error:
            return Loaded([], [_warning(str(self.cells), error)])
        with _collector_at_rest():
            return _load(paths, selector)

    def _manifest_files(self) -> List[str]:
        try:
            names = sorted(os.listdir(self.cells))
        except FileNotFoundError:
            return []
        paths = [f"{self.cells}/{name}/manifest.json" for name in names if "." not in name]
        return [path for path in paths if os.path.lexists(path)]


def _load(paths: List[str], selector: Optional[Selector]) -> Loaded:
    many = len(paths) > MANY
    manifests: List[Manifest] = []
    warnings: List[str] = []
    for path in paths:
        try:
            manifest = _read(path)
        except (UnreadableError, OSError) as error:
            warnings.append(_warning(path, error))
            continue
        if selector is None or selector.accepts(manifest.cell):
            manifests.append(manifest)
            if many:
                compact(manifest)
    return Loaded(manifests, warnings)


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Thousands of manifests hold no cycles, and looking for some takes a fifth of the time.

    What was read is frozen: later searches pass it by; it is still freed when nobody needs it.
    """
    resting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if resting:
            gc.enable()


def _read(path: str) -> Manifest:
    manifest = decode_manifest(read_bounded(path))
    if os.path.basename(os.path.dirname(path)) != manifest.id:
        raise UnreadableError(f"belongs to cell {manifest.id}, not to the folder it lies in")
    return manifest


def _warning(path: str, error: Exception) -> str:
    text = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return f"skipped {path}: {text}"
