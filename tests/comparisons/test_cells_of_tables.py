"""Which cells stand behind a number: none of another experiment, none that leave its metric out."""

from __future__ import annotations

import msgspec

from comparisons.comparison import compare_tables
from manifests.manifest import Manifest
from papers.published import Column, PublishedTable, TableFile
from tests.comparisons.samples import a_plan, measured, metric, planned
from tests.manifests.samples import a_cell

ACCURACY = Column(name="accuracy", label="accuracy", unit="%", metric="accuracy")
SIZE = Column(name="size", label="size", unit="MiB", metric="model_size_bytes")
TABLE = TableFile(
    id="t", title="T", place="Table 1", key=["framework"], select={"task": "train"},
    column=[ACCURACY, SIZE],
)  # fmt: skip
LEARNT = a_cell(task="train", image_size=16, recipe={})
STEPS = a_cell(
    task="train", image_size=16, recipe={"keep_weights": False, "evaluate": False}, batch_size=7
)
SEED = a_cell(task="train", image_size=16, recipe={}, seed=2)


def made(accuracy: float, cell: object = LEARNT) -> Manifest:
    return measured(cell, metric("accuracy", accuracy), metric("model_size_bytes", 2**20))  # type: ignore[arg-type]


def lines(table: TableFile, *manifests: Manifest, experiment: str = "") -> dict[str, list[str]]:
    """The cells behind each quantity, by the row's values and the quantity."""
    plan = a_plan(LEARNT, STEPS)
    seeds = msgspec.structs.replace(planned(SEED), experiment="seeds")
    experiments = [experiment] if experiment else []
    plan = msgspec.structs.replace(plan, cells=[*plan.cells, seeds], experiments=experiments)
    found = compare_tables([PublishedTable(table, [], [])], plan, list(manifests), "r")
    return {
        " ".join([*line.key.values(), line.quantity]): line.cells
        for comparison in found
        for line in comparison.lines
    }


def test_a_number_has_no_cells_that_leave_it_to_others() -> None:
    both = made(0.9), measured(STEPS, metric("train_step_s", 1.0))
    assert lines(TABLE, *both) == {
        "pytorch accuracy": [LEARNT.id], "pytorch size": [LEARNT.id]
    }  # fmt: skip


def test_what_a_cell_does_not_leave_out_it_has() -> None:
    step = Column(name="step", label="step", unit="s", metric="train_step_s")
    table = msgspec.structs.replace(TABLE, column=[step])
    assert lines(table) == {"pytorch step": [LEARNT.id, STEPS.id]}


def test_cells_of_an_experiment_stand_in_its_own_tables_alone() -> None:
    own = msgspec.structs.replace(TABLE, key=["seed"], experiment="seeds", column=[ACCURACY])
    assert SEED.id not in lines(TABLE, experiment="seeds")["pytorch accuracy"]
    assert lines(own, experiment="seeds") == {"1 accuracy": [LEARNT.id], "2 accuracy": [SEED.id]}


def test_a_table_of_an_experiment_is_shown_where_the_run_has_it() -> None:
    own = msgspec.structs.replace(TABLE, experiment="seeds")
    assert lines(own) == {} and lines(own, experiment="seeds") != {}


def test_a_cell_of_two_experiments_stands_in_the_tables_of_both() -> None:
    plan = a_plan(LEARNT)
    both = msgspec.structs.replace(planned(SEED), experiment="seeds", also=["more"])
    plan = msgspec.structs.replace(plan, cells=[*plan.cells, both], experiments=["seeds", "more"])
    for name in ("seeds", "more"):
        own = msgspec.structs.replace(TABLE, key=["seed"], experiment=name, column=[ACCURACY])
        (found,) = compare_tables([PublishedTable(own, [], [])], plan, [], "r")
        assert [line.cells for line in found.lines] == [[LEARNT.id], [SEED.id]]
    (default,) = compare_tables([PublishedTable(TABLE, [], [])], plan, [], "r")
    assert default.lines[0].cells == [LEARNT.id]


def test_a_column_may_take_cells_beside_its_row() -> None:
    """Each technique beside the float32 model, which has none of the recipe's keys."""
    child = a_cell(
        task="quantize", technique="ptq", recipe={"calibration_images": 8}, image_size=16
    )
    base = Column(
        name="base", label="base", unit="%", metric="accuracy",
        select={"any": {"task": "train"}},
        instead={"technique": "float32", "calibration_images": ""},
    )  # fmt: skip
    table = msgspec.structs.replace(
        TABLE, key=["framework", "technique", "calibration_images"], select={"task": "quantize"},
        column=[ACCURACY, base],
    )  # fmt: skip
    float32 = msgspec.structs.replace(LEARNT, technique="float32")
    (found,) = compare_tables(
        [PublishedTable(msgspec.structs.replace(table, select={}), [], [])],
        a_plan(float32, child), [], "r",
    )  # fmt: skip
    assert {(line.key["technique"], line.column): line.cells for line in found.lines} == {
        ("float32", "accuracy"): [float32.id],
        ("float32", "base"): [float32.id],
        ("ptq", "accuracy"): [child.id],
        ("ptq", "base"): [float32.id],
    }


def test_rows_are_told_apart_by_what_a_recipe_says() -> None:
    cells = [a_cell(task="train", recipe={"calibration_images": n}) for n in (8, 32, 128)]
    table = msgspec.structs.replace(TABLE, key=["calibration_images"], column=[ACCURACY])
    (found,) = compare_tables([PublishedTable(table, [], [])], a_plan(*cells), [], "r")
    assert [(line.key["calibration_images"], line.cells) for line in found.lines] == [
        ("8", [cells[0].id]), ("32", [cells[1].id]), ("128", [cells[2].id]),
    ]  # fmt: skip


def test_cells_of_another_environment_stand_where_a_table_asks_for_environments() -> None:
    older = a_cell(task="train", image_size=16, recipe={}, environment="older")
    plan = a_plan(LEARNT, older)
    for key, rows in ((["framework"], [[LEARNT.id]]), (["environment"], [[LEARNT.id], [older.id]])):
        table = msgspec.structs.replace(TABLE, key=key, column=[ACCURACY])
        (found,) = compare_tables([PublishedTable(table, [], [])], plan, [], "r")
        assert [line.cells for line in found.lines] == rows
