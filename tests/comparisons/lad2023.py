"""Claims of lad2023 judged by manifests made for them."""

from __future__ import annotations

from comparisons.claims import Judged, judge, load_claims
from comparisons.comparison import compare_tables
from manifests.manifest import Manifest
from manifests.paths import ROOT
from papers.published import load_published
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

STUDIES = ROOT / "studies"


MIB = 2**20


SIZES = {
    ("train", "float32"): 40.0 * MIB,
    ("quantize", "ptq-eager"): 10.0 * MIB,
}  # fmt: skip


def sizes(int8: float = 10.0 * MIB, **fields: str) -> list[Manifest]:
    values = {**SIZES, ("quantize", "ptq-eager"): int8}
    return [
        measured(
            a_cell(task=task, technique=technique),
            metric("model_size_bytes", value),
            **(fields if technique != "float32" else {}),
        )
        for (task, technique), value in values.items()
    ]


def one(manifests: list[Manifest], claim: str, tier: str = "quick") -> Judged:
    plan = a_plan(*(manifest.cell for manifest in manifests))
    folder = STUDIES / "lad2023"
    tables = load_published(folder)
    comparisons = compare_tables(tables, plan, manifests, "a-run")
    (found,) = judge(load_claims(folder), tables, comparisons, tier, claim, None, manifests)
    return found


def latencies(ratio: float, processes: int) -> list[Manifest]:
    """Interpreter and signature at both batch sizes; the first is that many times slower."""
    made = []
    for repeat in range(processes):
        for batch in (1, 128):
            for technique, value in (("tflite-float32", ratio), ("signature", 1.0)):
                cell = a_cell(
                    framework="tensorflow", technique=technique, batch_size=batch, repeat=repeat
                )
                off = 1 + 0.001 * repeat
                made.append(measured(cell, metric("latency_s", value * off, items=batch)))
    return made
