"""A launcher of a cell as a real process, and what it leaves."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil

from manifests.codec import read_manifest
from manifests.manifest import CodeVersion, Context, ImageUsed, Manifest
from manifests.order import CellOrder
from tests.manifests.samples import a_cell

ROOT = Path(__file__).resolve().parents[2]
LONG_S = 120.0
CONTEXT = Context(
    engine="fake",
    image=ImageUsed(name="alpha", kind="given"),
    kit=CodeVersion(version="0"),
    run="r",
)


class Launched:
    """A launcher in a session of its own, as engines start it."""

    def __init__(self, folder: Path, python: str, **changes: Any) -> None:
        recipe = changes.pop("recipe", {})
        self.cell = a_cell(recipe={"seconds": 0.5, "phase": "measure", **recipe})
        order = CellOrder(cell=self.cell, context=CONTEXT, threads=1, **changes)
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for name, data in (("cell", order.cell), ("context", CONTEXT), ("order", order)):
            (folder / f"{name}.json").write_bytes(msgspec.json.encode(data))
        self.process = subprocess.Popen(
            [python, "-B", "-m", "runners.launcher", str(folder), "--module", "tests.fakes.runner"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, cwd=ROOT,
            env={**os.environ, "FAKE_LOG": str(folder / "executed.txt"), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

    def ended(self) -> int:
        self.said, self.complained = self.process.communicate(timeout=LONG_S)
        return self.process.returncode

    def manifest(self) -> Manifest:
        return read_manifest(self.folder / "manifest.json")

    def child(self, what: str) -> psutil.Process:
        """The process of the cell ("tests.fakes.runner") or of the sampler, once it is there."""
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(self.process.pid).children():
                    if what in child.cmdline():
                        return child
            time.sleep(0.01)
        raise AssertionError(f"no {what}")

    def in_phase(self, name: str) -> None:
        wait_for(self.folder / "events.jsonl", f'"name":"{name}"')


def wait_for(path: Path, text: str) -> None:
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.01)
    raise AssertionError(f"no {text} in {path}")
