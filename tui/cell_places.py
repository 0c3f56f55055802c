"""Where the shown cell runs, read on a thread: engines with a queue have to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.loaded import Placed
from tui.reading import Reader

if TYPE_CHECKING:
    from textual.app import App

    from manifests.plan import PlannedCell
    from manifests.run_folder import Run

AGAIN_S = 5.0
"""A cell that waits gets its node some time, one that begins its process."""


class CellPlaces(Reader):
    """Methods are for the screen's thread."""

    def __init__(self, app: App[str]) -> None:
        super().__init__(app)
        self._asked: tuple[str, str] | None = None
        self._asked_s = 0.0
        self._found: dict[str, str] = {}

    def words(self, run: Run | None, planned: PlannedCell, now_s: float, running: bool) -> str:
        """What is known by now; what can still change is asked for from time to time."""
        if run is None:
            return ""
        wanted = str(run.folder), f"{planned.id} {running}"
        if self._asked != wanted or (running and now_s - self._asked_s > AGAIN_S):
            self._asked, self._asked_s = wanted, now_s
            self._read(run, planned)
        return self._found.get(planned.id, "")

    def take(self, placed: Placed) -> None:
        """Keep what has been read; of other cells nothing is kept."""
        self._found = {placed.cell: placed.words}

    def _read(self, run: Run, planned: PlannedCell) -> None:
        def look() -> None:
            from services.cell_place import place_words

            self._post(Placed(planned.id, place_words(run, planned.id, planned.image)))

        self._on_thread(look, "place")
