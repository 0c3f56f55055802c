"""The plan: which cells a run has, in which order, and what each one waits for."""

from __future__ import annotations

from typing import Dict, List, Optional

import msgspec

from manifests.cell import Cell

PLAN_SCHEMA = "repliquant/plan/1"


class PlannedCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell and what the orchestrator decided about it.

    ``needs`` are ids of cells that have to be ``ok`` first. ``estimate_s`` comes from
    ``estimate_source``. ``skip`` is the reason why it would not run, empty when it would.
    ``experiment`` is the part of the study that it belongs to, empty for what runs by default;
    ``also`` are further parts that have it.
    """

    id: str
    cell: Cell
    image: str
    needs: List[str]
    estimate_s: float
    study_estimate_s: float
    estimate_source: str
    timeout_s: float
    skip: str = ""
    experiment: str = ""
    also: List[str] = []


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All cells of a run in their order; each gets ``threads`` processor threads.

    ``dataset`` names what is shown, joined by " + "; it stands in for the paper's data sets
    ``stands_in_for``. ``data_sha256`` is one hash over ``packs``, which has the hash of each
    data set at each size, e.g. ``digits at 48 x 48``.

    ``dataset_title`` describes a person's own images, ``dataset_notes`` says what has to be known
    of them. ``weights_to_fetch`` are the published weights that aren't here yet. ``experiments``
    are the parts of the study that were added to those that run by default.
    """

    schema: str = PLAN_SCHEMA
    study: str
    tier: str
    protocol: str
    dataset: str
    cells: List[PlannedCell]
    tier_about: str = ""
    data_sha256: Optional[str] = None
    data_dir: Optional[str] = None
    downloads_bytes: int = 0
    threads: int = 0
    images: Dict[str, str] = {}
    stands_in_for: List[str] = []
    packs: Dict[str, str] = {}
    dataset_title: str = ""
    dataset_notes: List[str] = []
    weights_to_fetch: List[str] = []
    experiments: List[str] = []

    @property
    def notes(self) -> List[str]:
        """How much of the recipe is spent, and what has to be known of the images."""
        tier = [f"tier {self.tier}: {self.tier_about}"] if self.tier_about else []
        return [*tier, *self.dataset_notes]

    def find(self, cell_id: str) -> Optional[PlannedCell]:
        """The planned cell of that id, or None."""
        return next((planned for planned in self.cells if planned.id == cell_id), None)
