"""Published beside measured, line by line."""

from __future__ import annotations

import pytest

from comparisons.comparison import (
    Comparison,
    Line,
    UnknownTableError,
    choose_table,
    compare_tables,
    describe_environments,
    describe_weights,
    side_by_side,
)
from comparisons.measured import derive, published_value
from comparisons.points import Points
from manifests.manifest import Environment, Inputs, Machine
from manifests.paths import ROOT
from papers.published import (
    Column,
    Printed,
    PublishedRow,
    PublishedTable,
    TableFile,
    load_published,
)
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell, a_manifest

MIB = 2**20
FLOAT = a_cell(task="train", technique="float32")
INT8 = a_cell(task="quantize", technique="ptq-eager")


def lad2023(float_bytes: float = 40 * MIB, **int8: str) -> list[Comparison]:
    """All tables for two PyTorch cells, the int8 one a quarter of the size."""
    manifests = [
        measured(FLOAT, metric("model_size_bytes", float_bytes)),
        measured(INT8, metric("model_size_bytes", float_bytes / 4), **int8),
    ]
    published = load_published(ROOT / "studies" / "lad2023")
    return compare_tables(published, a_plan(FLOAT, INT8), manifests, "a-run")


def test_a_line_has_both_numbers_and_their_ratio() -> None:
    line = lad2023()[0].lines[0]
    assert (line.key, line.quantity, line.unit) == ({"framework": "pytorch"}, "float32 size", "MiB")
    assert (line.printed, line.published, line.measured) == ("42.62", 42.62, 40.0)
    assert line.ratio == pytest.approx(0.938527)
    assert (line.n, line.samples, line.state, line.cells) == (1, 1, "ok", [FLOAT.id])


def test_a_derived_quantity_is_computed_from_what_was_measured() -> None:
    line = lad2023()[0].lines[2]
    assert (line.quantity, line.published, line.measured) == ("reduction in size", 74.7, 75.0)
    assert line.cells == [FLOAT.id, INT8.id]


def test_a_derived_quantity_without_one_of_its_parts_says_why() -> None:
    table = lad2023(status="crashed", reason="it broke")[0]
    assert [line.state for line in table.lines[:3]] == [
        "ok",
        "crashed: it broke",
        "crashed: it broke",
    ]
    assert table.lines[2].measured is None
    assert table.lines[2].ratio is None


def test_a_place_that_nothing_answers_keeps_its_published_number() -> None:
    line = lad2023()[0].lines[3]
    assert (line.key["framework"], line.published, line.measured) == ("tensorflow", 42.61, None)
    assert line.state == "no such cell"


def test_every_table_says_tier_data_set_and_protocol() -> None:
    assert {table.scope for table in lad2023()} == {"tier quick · digits · rigorous"}


def test_one_table_is_chosen_by_its_id() -> None:
    tables = lad2023()
    assert choose_table(tables, "") == tables
    assert [table.id for table in choose_table(tables, "table2")] == ["table2"]
    with pytest.raises(UnknownTableError, match=r"no table 'tabel2'\. Did you mean 'table2'\? Acc"):
        choose_table(tables, "tabel2")


def test_cells_from_different_machines_are_told() -> None:
    manifests = [
        a_manifest(
            environment=Environment(machine=_machine(cpu), threads=2, packages={"torch": version})
        )
        for cpu, version in (("one", "2.1"), ("two", "2.0"), ("two", "2.0"))
    ]
    assert describe_environments(manifests) == [
        "the cells come from different machines or threads",
        "measured on one, 2 processors, 2 threads, Linux (1 cells)",
        "measured on two, 2 processors, 2 threads, Linux (2 cells)",
        "torch 2.0, 2.1",
    ]


def _machine(cpu: str) -> Machine:
    return Machine(
        system="Linux", architecture="x86_64", cpu=cpu, cpus=2, instruction_sets=[],
        memory_bytes=None,
    )  # fmt: skip


def derived(name: str, *pairs: tuple[float, float], **fields: float) -> Line:
    """A column derived from accuracies a and b of as many processes as there are pairs."""
    columns = [
        Column(name="a", label="a", unit="%", metric="accuracy", select={"any": {"seed": 1}}),
        Column(name="b", label="b", unit="%", metric="accuracy", select={"any": {"seed": 2}}),
        Column(name="d", label="d", unit="%", derive={name: ["a", "b"]}),
    ]
    cells = [a_cell(seed=seed, repeat=n) for n in range(len(pairs)) for seed in (1, 2)]
    values = [value for pair in pairs for value in pair]
    manifests = [
        measured(cell, metric("accuracy", value)) for cell, value in zip(cells, values, strict=True)
    ]
    numbers = {name: Printed(str(value), value) for name, value in fields.items()}
    none = dict.fromkeys(("a", "b", "d"), Printed("", None))
    row = PublishedRow({"framework": "pytorch"}, {**none, **numbers})
    table = PublishedTable(
        TableFile(id="t", title="T", place="p", key=["framework"], column=columns), [row], []
    )
    (compared,) = compare_tables([table], a_plan(*cells), manifests)
    return compared.lines[-1]


def test_a_drop_stands_beside_the_papers_and_is_no_ratio() -> None:
    line = derived("drop", (0.9, 0.85), a=90.0, b=88.0)
    assert line.measured == pytest.approx(5.0)
    assert (line.printed, line.published, line.ratio) == ("", 2.0, None)


@pytest.mark.parametrize(
    ("first", "second", "lost"),
    [("85.383", "85.332", 0.051), ("85.4", "85.332", 0.068), ("87", "88.15", -1.15)],
)
def test_a_drop_has_the_decimals_of_what_it_is_between(
    first: str, second: str, lost: float
) -> None:
    column = Column(name="c", label="c", unit="points", derive={"drop": ["a", "b"]})
    numbers = {
        "a": Printed(first, float(first)),
        "b": Printed(second, float(second)),
        "c": Printed("", None),
    }
    assert published_value(column, PublishedRow({}, numbers)) == lost
    assert derive("drop", 85.383, 85.332) == 0.051


def test_a_speedup_that_is_not_printed_stands_beside_ours() -> None:
    line = derived("ratio", (0.9, 0.3), a=80.0, b=20.0)
    assert line.measured == pytest.approx(3.0)
    assert (line.published, line.ratio) == (4.0, pytest.approx(0.75))


def test_what_is_derived_has_an_interval_over_processes() -> None:
    assert (derived("ratio", (0.9, 0.3)).low, derived("ratio", (0.9, 0.3)).high) == (None, None)
    line = derived("ratio", (0.9, 0.3), (0.8, 0.3), (0.85, 0.3))
    assert line.low is not None
    assert line.high is not None
    assert line.low < 0.85 / 0.3 < line.high
    line = derived("drop", (0.9, 0.3), (0.9, 0.3))
    assert (line.low, line.high) == (pytest.approx(60.0), pytest.approx(60.0))


def test_both_protocols_stand_side_by_side_and_empty_lines_are_left_out() -> None:
    cells = [
        a_cell(task="infer", technique="a", protocol=protocol)
        for protocol in ("rigorous", "as-published")
    ]
    only = a_cell(task="infer", technique="b")
    plan = a_plan(*cells, only)
    values = (0.002, 0.004, 0.006)
    manifests = [
        measured(cell, metric("latency_s", value, value, 5 * value))
        for cell, value in zip([*cells, only], values, strict=True)
    ]
    columns = [
        Column(name=name, label=name, unit="ms", metric="latency_s",
               select={"any": {"technique": name}})
        for name in ("a", "b", "c", "d")
    ]  # fmt: skip
    table = TableFile(
        id="t", title="T", place="p", key=["framework"], data="t.csv",
        select={"task": "infer"}, column=columns,
    )  # fmt: skip
    printed = {"a": Printed("1", 1.0), "b": Printed("", None), "c": Printed("OOM", None),
               "d": Printed("", None)}  # fmt: skip
    row = PublishedRow({"framework": "pytorch"}, printed)
    lines = side_by_side(
        table, row, Points(plan.cells, manifests), "quick", ["as-published", "rigorous"]
    )
    told = [(line.key["protocol"], line.quantity, line.printed, line.measured) for line in lines]
    # As published the mean counts, in the rigorous protocol the median.
    assert told == [
        ("as-published", "a", "1", pytest.approx(4.0 * 7 / 3)),
        ("as-published", "c", "OOM", None),
        ("rigorous", "a", "1", pytest.approx(2.0)),
        ("rigorous", "b", "", pytest.approx(6.0)),
    ]


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ("ImageNet, keras.applications", " · pretrained weights: ImageNet"),
        ("none: ImageNet's could not be fetched (no network)", " · pretrained weights: none"),
    ],
)
def test_a_table_of_accuracies_says_what_its_networks_started_from(weights: str, told: str) -> None:
    cell = a_cell(task="train", recipe={"weights": "imagenet"})
    column = Column(name="a", label="a", unit="%", metric="accuracy")
    table = TableFile(id="t", title="T", place="p", key=["framework"], column=[column])
    manifest = measured(cell, inputs=Inputs(weights=weights, seeds={}))
    plan = a_plan(cell)
    assert describe_weights(table, Points(plan.cells, [manifest])) == told
    assert describe_weights(table, Points(plan.cells, [])) == " · pretrained weights: ImageNet"


@pytest.mark.parametrize(("device", "told"), [("gpu", ""), ("cpu", " · lines marked CPU are sta")])
def test_a_table_with_stand_ins_says_so_in_its_head(device: str, told: str) -> None:
    columns = [
        Column(
            name=name, label=name, unit="s", metric="latency_s", select={"any": {"device": name}}
        )
        for name in ("gpu", "cpu")
    ]  # fmt: skip
    table = PublishedTable(
        TableFile(id="t", title="T", place="p", key=["framework"], column=columns),
        [PublishedRow({"framework": "pytorch"}, {})],
        [],
    )
    cell = a_cell(device=device)
    (found,) = compare_tables([table], a_plan(cell), [measured(cell, metric("latency_s", 1.0))])
    assert found.scope.partition("rigorous")[2].startswith(told)
    assert bool(told) == ("stand-ins" in found.scope)
