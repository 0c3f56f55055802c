"""An experiment runs by its name, joins the run that is there, and mixes with nothing in it."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Workshop
from tests.orchestrator.reading import the_run

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]
SEEDS = """\
[[cells]]
task = "infer"
framework = ["alpha"]
technique = ["plain"]
recipe = "infer"
batch_size = [1]
seed = [1, 2]
weights = { task = "train" }
experiment = "seeds"
estimate_s = { quick = 1 }

[[unspecified]]
"""
TABLE = """
[[table]]
id = "seeds"
title = "Latency by seed"
place = "section 2"
key = ["framework", "seed"]
select = { task = "infer", batch_size = 1, framework = "alpha" }
experiment = "seeds"

[[table.column]]
name = "latency"
label = "latency"
unit = "ms"
metric = "latency_s"
"""
CLAIM = """\
[[claim]]
id = "fast"
place = "Table I"
text = "Alpha is fast."
table = "table1"
test = "table1.latency[framework=alpha] > 0"

[[claim]]
id = "seeds-matter"
place = "section 2"
text = "A seed changes the latency."
table = "seeds"
test = "every(seeds by framework, max(latency) > min(latency))"
"""


@pytest.fixture
def with_seeds(workshop: Workshop) -> Workshop:
    """The toy study with two more cells, a table and a claim of an experiment."""
    folder = workshop.folder / "studies" / "toy"
    study, tables = folder / "study.toml", folder / "published" / "tables.toml"
    study.write_text(study.read_text().replace("[[unspecified]]\n", SEEDS, 1))
    tables.write_text(tables.read_text() + TABLE)
    (folder / "claims.toml").write_text(CLAIM)
    return workshop


def tables_of(workshop: Workshop) -> dict[str, list[dict[str, object]]]:
    found = json.loads(workshop("table", "toy", "--format", "json").stdout)
    return {table["id"]: table["lines"] for table in found}


def claims_of(workshop: Workshop) -> list[tuple[str, str]]:
    found = json.loads(workshop("claims", "toy", "--json").stdout)
    return [(claim["number"], claim["id"]) for claim in found["claims"]]


def test_an_experiment_is_left_out_of_a_run_by_default(with_seeds: Workshop) -> None:
    with_seeds.run()
    assert len(with_seeds.executed()) == 6
    assert list(tables_of(with_seeds)) == ["table1"]
    assert claims_of(with_seeds) == [("C1", "fast")]


def test_an_experiment_runs_its_cells_and_what_they_start_from(with_seeds: Workshop) -> None:
    done = with_seeds.run("--experiment", "seeds")
    assert "3 cells executed; of 3: 3 ok" in done.stderr
    cells = [one.cell for one in the_run(with_seeds).plan().cells]
    assert len(cells) == 8 and [c.seed for c in cells].count(0) == 6


def test_an_experiment_joins_the_run_and_stays_in_it(with_seeds: Workshop) -> None:
    with_seeds.run()
    before = tables_of(with_seeds)["table1"]
    done = with_seeds.run("--experiment", "seeds")
    assert "2 cells executed; of 3: 3 ok" in done.stderr
    done = with_seeds.run()
    assert "0 cells executed; of 6: 6 ok" in done.stderr
    tables = tables_of(with_seeds)
    assert tables["table1"] == before  # a latency of one seed, not the median of three
    shown = [(line["key"], line["n"]) for line in tables["seeds"]]
    assert shown == [
        ({"framework": "alpha", "seed": seed}, 1) for seed in ("0", "1", "2")
    ]  # fmt: skip
    assert claims_of(with_seeds) == [("C1", "fast"), ("C2", "seeds-matter")]


def test_a_claim_about_an_experiment_runs_its_cells(with_seeds: Workshop) -> None:
    done = with_seeds.run("--claim", "seeds-matter")
    assert "4 cells executed; of 4: 4 ok" in done.stderr
    assert "C2" in done.stdout


def test_a_stand_in_about_an_experiment_runs_its_cells_as_well(with_seeds: Workshop) -> None:
    claims = with_seeds.folder / "studies" / "toy" / "claims.toml"
    own = 'test = "table1.latency[framework=alpha] > 0"\n'
    stand_in = 'stand_in = "every(seeds, latency > 0)"\n'
    claims.write_text(claims.read_text().replace(own, own + stand_in, 1))
    with_seeds.run("-k", "framework=alpha")
    (told,) = json.loads(with_seeds("claims", "toy", "--json").stdout)["claims"]
    assert told["stand_in"]["reason"] == "not run: --experiment seeds adds it"
    with_seeds.run("--claim", "fast")
    seeds = [one.cell.seed for one in the_run(with_seeds).plan().cells if one.experiment == "seeds"]
    assert sorted(seeds) == [1, 2]
    told, _ = json.loads(with_seeds("claims", "toy", "--json").stdout)["claims"]
    assert told["stand_in"]["verdict"] == "holds here"


def test_both_run_together_when_both_are_named(with_seeds: Workshop) -> None:
    done = with_seeds.run("--experiment", "default", "--experiment", "seeds")
    assert "8 cells executed; of 8: 8 ok" in done.stderr


def test_an_unknown_experiment_is_refused_before_anything_runs(with_seeds: Workshop) -> None:
    told = with_seeds.run("--experiment", "sedes", status=2).stderr
    assert "no experiment 'sedes' of toy. Did you mean 'seeds'? Accepted: default, seeds" in told
    assert not with_seeds.executed()


def test_a_table_about_an_experiment_that_is_not_there_is_a_mistake(with_seeds: Workshop) -> None:
    tables = with_seeds.folder / "studies" / "toy" / "published" / "tables.toml"
    tables.write_text(tables.read_text().replace('= "seeds"\n\n', '= "sedes"\n\n', 1))
    told = with_seeds("studies", "check", "toy", status=1).stdout
    assert "table seeds: no experiment 'sedes'. Did you mean 'seeds'?" in told, told
