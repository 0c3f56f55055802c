"""A small run of the study ``toy`` and the archive of it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from comparisons.archive import Bundled, write_bundle
from comparisons.archive.writer import Sources
from manifests.cell import Cell
from manifests.codec import encode_manifest, write_plan
from manifests.manifest import Manifest
from manifests.plan import Plan
from manifests.run_folder import Run
from tests.comparisons import hostile
from tests.comparisons.samples import measured, metric, planned
from tests.fakes.studies import write_study
from tests.manifests.samples import a_cell


def a_toy_cell(**changes: Any) -> Cell:
    return a_cell(
        **{"study": "toy", "framework": "alpha", "technique": "plain", "batch_size": 1, **changes}
    )


def toy_manifests(**fields: Any) -> list[Manifest]:
    """Three repeats, one of which crashed."""
    cells = [a_toy_cell(repeat=number) for number in range(3)]
    made = [measured(cell, metric("latency_s", 0.002, 0.003), **fields) for cell in cells[:2]]
    return [*made, measured(cells[2], status="crashed", reason="it broke\x1b[31m <b>")]


def toy_run(folder: Path, manifests: list[Manifest], image: str = "alpha") -> Run:
    """A run's folder with a plan, logs and these manifests; studies and images beside it."""
    write_study(folder)
    (folder / "studies" / "toy" / "claims.toml").write_text(
        '[[claim]]\nid = "fast"\nplace = "Table I"\ntext = "Alpha is fast."\ntable = "table1"\n'
        'test = "table1.latency[framework=alpha] < 5"\n'
    )
    run = Run(folder / "runs" / "toy-quick-digits")
    for manifest in manifests:
        run.cell_folder(manifest.id).mkdir(parents=True)
        run.manifest_path(manifest.id).write_bytes(encode_manifest(manifest))
        (run.cell_folder(manifest.id) / "log.txt").write_text("a line\n")
    plan = Plan(
        study="toy", tier="quick", protocol="rigorous", dataset="digits",
        cells=[planned(manifest.cell) for manifest in manifests],
    )  # fmt: skip
    write_plan(run.plan_path, plan)
    return run


def bundle(run: Run, target: Path, artifacts: bool = False) -> Bundled:
    """Without Vega's script, which takes a second."""
    home = run.folder.parent.parent
    sources = Sources(run, home / "studies" / "toy", home / "images")
    return write_bundle(sources, run.plan(), target, "0.0.0", lambda: "", artifacts)


def files_of(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def outcome(data: bytes, folder: Path) -> list[str]:
    archive, into = folder / "archive.zip", folder / "into"
    archive.write_bytes(data)
    into.mkdir(exist_ok=True)
    return hostile.outcome(archive, into)
