"""What `compare` says: energy, sizes, flags, names, and environments in few lines."""

from __future__ import annotations

import pytest

from comparisons.differences import Difference, Differences, compare_runs, make_side
from comparisons.environments import Differing, condensed
from comparisons.pairs import Side
from comparisons.render import differences as words
from manifests.manifest import Flag, Manifest
from tests.comparisons.samples import measured, metric, only, processes
from tests.manifests.samples import a_cell


def labelled(name: str, label: str, values: list[float]) -> list[Manifest]:
    return [
        measured(a_cell(repeat=n), metric(name, value, label=label))
        for n, value in enumerate(values)
    ]


BASE, NEW = [10.0, 10.1, 9.9, 10.0, 10.2, 9.8] * 2, [20.0, 20.1, 19.9, 20.0, 20.2, 19.8] * 2


@pytest.mark.parametrize("label", ["", "measure", "train", "measure gpus/0"])
def test_energy_is_compared_whoever_recorded_it(label: str) -> None:
    line = only(labelled("energy_j", label, BASE), labelled("energy_j", label, NEW))
    assert (line.verdict, line.label) == ("more", label)
    assert line.quantity == (f"energy ({label})" if label else "energy")


def test_energy_of_different_phases_is_not_compared() -> None:
    base, new = labelled("energy_j", "measure", BASE), labelled("energy_j", "train", NEW)
    assert compare(base, new).lines == []


def compare(base: list[Manifest], new: list[Manifest]) -> Differences:
    return compare_runs(make_side([("a", base)]), make_side([("b", new)]))


def test_a_gpus_memory_is_compared_though_the_cells_ran_on_different_gpus() -> None:
    base = labelled("peak_memory_bytes", "GPU 0", BASE)
    line = only(base, labelled("peak_memory_bytes", "GPU 3", NEW))
    assert (line.verdict, line.label) == ("larger", "GPU")


def test_two_gpus_are_compared_each_with_its_own() -> None:
    def both(values: tuple[float, float]) -> list[Manifest]:
        found = [metric("peak_memory_bytes", v, label=f"GPU {n}") for n, v in enumerate(values)]
        return [measured(a_cell(), *found)]

    lines = compare(both((1.0, 2.0)), both((1.0, 2.0))).lines
    assert [(line.label, line.base) for line in lines] == [("GPU 0", 1.0), ("GPU 1", 2.0)]


SIZE = 44_680_000


@pytest.mark.parametrize(
    ("new", "verdict", "why"),
    [
        (SIZE, "same", "equal"),
        (SIZE - 4_000, "same", "differs by 4,000 bytes (0.009 %), within the margin of 2 %"),
        (SIZE // 4, "smaller", "differs by 33,510,000 bytes (75 %)"),
        (SIZE * 2, "larger", "differs by 44,680,000 bytes (100 %)"),
    ],
)
def test_sizes_are_told_exactly_and_judged_by_the_margin(new: int, verdict: str, why: str) -> None:
    line = only(processes("model_size_bytes", [SIZE]), processes("model_size_bytes", [new]))
    assert (line.verdict, line.why) == (verdict, why)


def flagged(name: str, values: list[float], flag: str) -> list[Manifest]:
    found = processes(name, values)
    return [*found[:-1], *processes(name, values, flags=[Flag(name=flag, detail="")])[-1:]]


def test_a_disturbed_process_decides_nothing() -> None:
    new = flagged("latency_s", NEW, "busy-machine")
    line = only(processes("latency_s", BASE), new)
    assert (line.verdict, line.p) == ("undecided", None)
    assert line.why == f"rests on flagged measurements: busy-machine (cell {new[-1].id})"
    assert words.row(line)[-2:] == ["undecided", "busy-machine"]
    informed = only(processes("latency_s", BASE), flagged("latency_s", NEW, "few-samples"))
    assert (informed.verdict, words.row(informed)[-1]) == ("slower", "few-samples")
    size = processes("model_size_bytes", [8.0], flags=[Flag(name="drift", detail="")])
    assert only(processes("model_size_bytes", [9.0]), size).verdict == "smaller"


def test_impossible_numbers_have_no_ratio() -> None:
    line = only(processes("latency_s", [-0.857] * 4), processes("latency_s", [0.1] * 4))
    assert (line.verdict, line.ratio, line.interval, line.p) == ("undecided", None, None, None)
    assert "impossible-value" in line.why


def test_two_constants_of_two_processes_are_no_certainty() -> None:
    line = only(processes("latency_s", [1.0, 1.0]), processes("latency_s", [2.0, 2.0]))
    assert (line.verdict, line.p) == ("undecided", pytest.approx(1 / 3))


def test_columns_are_called_by_the_runs() -> None:
    def side(*names: str) -> Side:
        return Side(list(names), [], {})

    assert words.names_of(side("runs/old", "runs/older"), side("new")) == ("old, older", "new")
    assert words.names_of(side("a/run"), side("b/run")) == ("a/run", "b/run")
    assert words.names_of(side("ratio"), side("x")) == ("run ratio", "x")
    assert words.header(("old", "new"))[:4] == ["cell", "quantity", "old", "new"]


def a_difference(**changes: object) -> Difference:
    (line,) = compare(processes("latency_s", [0.25]), processes("latency_s", [0.5])).lines
    return line._replace(**changes)  # type: ignore[arg-type]


def test_values_have_the_units_that_people_read() -> None:
    assert words.row(a_difference())[1:5] == ["latency", "250.0 ms", "500.0 ms", "2.000"]
    assert words.value(2**20, "model_size_bytes") == "1.000 MiB"
    assert words.value(0.8754, "accuracy") == "87.54 %"


def test_the_next_step_is_named_where_there_are_no_repeats() -> None:
    told = words.summary(Differences([], [a_difference()], [], []), ("old", "new"))
    assert told[:2] == [
        "1 undecided",
        "undecided, once: only one process on a side; give three runs a side: compare a,b,c d,e,f",
    ]
    assert told[-1].startswith("ratio = new / old; ")


def test_packages_of_one_side_are_one_line() -> None:
    found = [
        Differing("processor", "one", "two"),
        Differing("pytorch: autocommand", "2.2.2", "(none)"),
        Differing("pytorch: digest", "ab", "(none)"),
        Differing("pytorch: tomli", "2.0", "(none)"),
        Differing("pytorch: torch", "2.1", "2.2"),
        Differing("pytorch: zipp", "(none)", "3"),
    ]
    assert [tuple(item) for item in condensed(found)] == [
        ("processor", "one", "two"),
        ("pytorch: digest", "ab", "(none)"),
        ("pytorch: torch", "2.1", "2.2"),
        ("pytorch: packages that the other lacks", "2: autocommand 2.2.2, tomli 2.0", "(none)"),
        ("pytorch: packages that the other lacks", "(none)", "1: zipp 3"),
    ]
