"""Cells by their handles: where each is, how it ended, and having it end."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path

from manifests.bundle import Begun
from manifests.files import write_atomically
from manifests.manifest import Status
from orchestrator.engines.base import Exit, Handle, Standing
from orchestrator.engines.slurm import arrays, ends
from orchestrator.engines.slurm.client import Client
from orchestrator.engines.slurm.configuration import SlurmSettings
from orchestrator.engines.slurm.states import NODE_ENDS, Task
from orchestrator.engines.slurm.survey import Seen, Survey


class Tasks:
    """Those that somebody asked about. Every method may be called from any thread."""

    def __init__(self, client: Client, settings: SlurmSettings) -> None:
        self._client = client
        self._settings = settings
        self._surveys: dict[Path, Survey] = {}
        self._folders: dict[str, Path] = {}
        self._lock = threading.RLock()

    def know(self, handle: Handle, folder: Path) -> None:
        """A handle and the folder of its cell."""
        with self._lock:
            self._folders[handle.name] = folder
            self.survey(arrays.run_of(folder)).watch([arrays.ticket(handle).array])

    def folder(self, handle: Handle) -> Path:
        """Of the cell."""
        return self._folders[handle.name]

    def survey(self, run: Path) -> Survey:
        """What Slurm knows of a run."""
        with self._lock:
            if run not in self._surveys:
                self._surveys[run] = Survey(self._client, run, self._settings.poll_s)
            return self._surveys[run]

    def standing(self, handle: Handle) -> Standing:
        """The manifest counts first, then the marker, then what Slurm says; a task that has ended
        without either is looked at again until late files would have been seen.
        """
        folder = self._folders.get(handle.name)
        if folder is None:
            return Standing("gone")
        status = ends.sealed_status(folder)
        if status and status != "cancelled":
            return Standing("ended", status)
        ended = ends.marker(folder, handle.name)
        if ended is not None and not ended.manifest_sha256:
            return Standing("ended", "its launcher left no manifest")
        return self._by_slurm(handle, folder, status)

    def _by_slurm(self, handle: Handle, folder: Path, status: str) -> Standing:
        seen = self._seen(handle, folder)
        begun = ends.begun(folder)
        if not seen.answered:
            return Standing("running" if begun else "queued", "Slurm does not answer")
        if seen.task is not None and seen.task.live != "ended":
            return _live(seen.task, begun)
        if status:
            return Standing("ended", status)
        if not seen.submitted:
            return Standing("ended", "it was not submitted")
        if ends.settled_since(folder, self._log(handle, folder)) < self._settings.late_s:
            return Standing("running", "its job has ended; its manifest is waited for")
        return Standing("ended", "its job left no manifest")

    def _seen(self, handle: Handle, folder: Path) -> Seen:
        with self._lock:
            return self.survey(arrays.run_of(folder)).seen(arrays.ticket(handle))

    def _log(self, handle: Handle, folder: Path) -> Path:
        place = arrays.ticket(handle)
        base = arrays.run_of(folder) / arrays.FOLDER / place.array
        return base / "log" / f"{place.task}.txt"

    def withdraw(self, handles: Sequence[Handle], status: Status, reason: str) -> None:
        """Have them end; the other cells of their jobs end, too."""
        names = set()
        for handle in handles:
            folder = self._folders.get(handle.name)
            seen = self._seen(handle, folder) if folder else None
            if folder and seen and seen.task and seen.task.live != "ended":
                said = json.dumps({"status": status, "reason": reason}).encode()
                with contextlib.suppress(OSError):
                    write_atomically(folder / "stop.json", said)
                names.add(seen.task.name)
        if names:
            self._client.cancel(sorted(names))

    def end(self, handle: Handle) -> Exit:
        """How one that neither waits nor runs has ended; it is forgotten here."""
        folder = self._folders.pop(handle.name)
        seen = self._seen(handle, folder)
        if not seen.submitted and not ends.begun(folder):
            return Exit(0, lost="Slurm was never given its job")
        log = self._log(handle, folder)
        ended = ends.end_of(folder, handle.name, seen.task, log, self._settings.late_s)
        if ended.lost and seen.task is not None and seen.task.state in NODE_ENDS:
            arrays.add_failed_node(arrays.run_of(folder), seen.task.node)
        return ended


def _live(task: Task, begun: Begun | None) -> Standing:
    """Of a bundle that runs, the cells that it has not come to still wait."""
    if task.live == "running" and begun is not None:
        return Standing("running", f"job {task.name} on {task.node}")
    if task.live == "running":
        return Standing("queued", f"job {task.name} on {task.node} comes to it")
    why = f" ({task.reason})" if task.reason not in ("", "None") else ""
    return Standing("queued", f"job {task.name}{why}")
