"""The batch size to choose: the best throughput, the smallest near it, the best within a limit."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.best_batches import BestBatch, Rate, best_batches
from comparisons.points import Points
from comparisons.render import batch_sizes as words
from manifests.manifest import Manifest
from tests.comparisons.samples import a_plan, measured, metric
from tests.conftest import Workshop
from tests.manifests.samples import a_cell


def timed(batch: int, latency_s: float, **fields: object) -> Manifest:
    cell = a_cell(batch_size=batch, **fields)
    return measured(cell, metric("latency_s", latency_s, items=batch))


def found(
    *manifests: Manifest, limit_ms: float | None = None, experiment: str = ""
) -> list[BestBatch]:
    plan = a_plan(*(manifest.cell for manifest in manifests))
    cells = [msgspec.structs.replace(one, experiment=experiment) for one in plan.cells]
    return best_batches(Points(cells, manifests), limit_ms)


BATCHES = timed(1, 0.001), timed(8, 0.00401), timed(32, 0.0156), timed(64, 0.032)
"""1,000, 1,995, 2,051 and 2,000 images a second."""


@pytest.mark.parametrize("experiment", ["", "toolchains"])
def test_the_smallest_batch_near_the_best_is_named(experiment: str) -> None:
    (one,) = found(*BATCHES, experiment=experiment)
    assert (one.best.batch, one.smallest.batch) == (32, 8)
    assert [round(rate.items_per_s) for rate in one.rates] == [1000, 1995, 2051, 2000]
    assert one.within_limit == one.best


@pytest.mark.parametrize(("limit_ms", "batch"), [(100, 32), (15.5, 8), (1.0, 1), (0.9, None)])
def test_a_limit_leaves_out_what_takes_longer(limit_ms: float, batch: int | None) -> None:
    (one,) = found(*BATCHES, limit_ms=limit_ms)
    assert (one.within_limit.batch if one.within_limit else None) == batch
    assert words.plain(one)["best_batch_within_limit"] == batch
    assert ("no batch size" in words.row(one)) == (batch is None)


def test_techniques_and_seeds_are_apart_and_one_batch_size_is_no_choice() -> None:
    others = timed(1, 0.5, technique="other"), timed(2, 2.0, technique="other")
    alone = timed(4, 1.0, technique="alone")
    seeded = timed(1, 1.0, seed=2), timed(8, 1.0, seed=2)
    made = found(*BATCHES, *others, alone, *seeded)
    assert [(one.way["technique"], one.way["seed"], one.best.batch) for one in made] == [
        (BATCHES[0].cell.technique, "1", 32), ("other", "1", 1),
        (BATCHES[0].cell.technique, "2", 8),
    ]  # fmt: skip


def test_processes_of_a_cell_give_their_median() -> None:
    repeats = [timed(1, value, repeat=n) for n, value in enumerate((0.1, 0.2, 0.9))]
    (one,) = found(*repeats, timed(2, 0.5))
    assert one.rates[0].latency_ms == pytest.approx(200)


rates = st.lists(st.floats(0.1, 1e6), min_size=2, max_size=8)


@given(rates, st.floats(0.01, 1e4))
def test_what_is_named_was_measured_and_is_what_it_says(values: list[float], limit: float) -> None:
    made = tuple(Rate(2**n, 1e3 * 2**n / value, value) for n, value in enumerate(values))
    one = BestBatch({}, made, limit)
    assert one.best.items_per_s == max(values)
    assert one.smallest.batch <= one.best.batch
    assert one.smallest.items_per_s >= 0.95 * max(values)
    assert all(r.items_per_s < 0.95 * max(values) for r in made if r.batch < one.smallest.batch)
    within = [rate for rate in made if rate.latency_ms <= limit]
    assert (one.within_limit is None) == (not within)
    if one.within_limit is not None:
        assert one.within_limit.items_per_s == max(rate.items_per_s for rate in within)


@pytest.mark.cells
def test_the_command_names_it_from_a_run(workshop: Workshop) -> None:
    workshop.run()
    text = workshop("explain", "toy", "--best", "--within", "1000").stdout
    told = json.loads(workshop("explain", "toy", "--best", "--within", "1000", "--json").stdout)
    assert "best within 1000 ms" in " ".join(text.split()) or not told
    assert all(one["best_batch"] in [r["batch"] for r in one["rates"]] for one in told)
    refused = workshop("explain", "toy", "--best", "--published", status=2).stderr
    assert "--best is about what a run measured: leave out --published" in refused
    assert "--within" in workshop("explain", "toy", "--within", "0", status=2).stderr
