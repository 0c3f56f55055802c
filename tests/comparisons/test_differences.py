"""Two runs cell by cell: verdicts, effect sizes, and what differs between the environments."""

from __future__ import annotations

import random
from typing import Any

import pytest

from comparisons.differences import Differences, PoolingError, make_side
from comparisons.environments import facts
from comparisons.observations import ONE_PROCESS
from manifests.manifest import (
    CodeVersion,
    Context,
    Dataset,
    Environment,
    ImageUsed,
    Inputs,
    Machine,
    Manifest,
    Split,
)
from tests.comparisons.noise import times
from tests.comparisons.samples import compare, measured, metric, only, processes
from tests.manifests.samples import a_cell

TRIALS = 200


def test_a_clear_difference_has_a_direction_and_a_size() -> None:
    base, new = [0.010, 0.0101, 0.0102, 0.0099] * 2, [0.020, 0.0201, 0.0199, 0.0202] * 2
    line = only(processes("latency_s", base), processes("latency_s", new))
    assert (line.verdict, line.n_base, line.n_new) == ("slower", 8, 8)
    assert line.ratio == pytest.approx(1.995, abs=0.01)
    assert line.interval is not None
    assert line.interval.low < 1.995 < line.interval.high
    assert only(processes("latency_s", new), processes("latency_s", base)).verdict == "faster"


def test_samples_inside_a_process_are_not_repeats() -> None:
    base = [measured(a_cell(), metric("latency_s", *[0.010] * 500))]
    new = [measured(a_cell(), metric("latency_s", *[0.020] * 500))]
    line = only(base, new)
    assert (line.verdict, line.why, line.p) == ("undecided", ONE_PROCESS, None)
    assert line.ratio == 2.0


@pytest.mark.first(1)
@pytest.mark.parametrize("seed", [1, 7, 13])
def test_the_same_configuration_compared_with_itself_two_hundred_times(seed: int) -> None:
    """One cell of ten processes on both sides, as a run of five such cells too."""
    source = random.Random(seed)
    found = [_cells(source, 1.0, (1,)).lines[0].verdict for _ in range(TRIALS)]
    assert sum(verdict in ("faster", "slower") for verdict in found) <= 0.05 * TRIALS
    several = [_cells(source, 1.0, (1, 2, 4, 8, 16)).lines for _ in range(TRIALS // 5)]
    false = sum(line.verdict in ("faster", "slower") for lines in several for line in lines)
    assert false <= 0.05 * TRIALS


@pytest.mark.parametrize("seed", [1, 7, 13])
def test_a_planted_slowdown_of_5_percent_is_found(seed: int) -> None:
    source = random.Random(seed)
    found = [_cells(source, 1.05, (1,)).lines[0].verdict for _ in range(TRIALS)]
    assert sum(verdict == "slower" for verdict in found) >= 0.9 * TRIALS


def _cells(source: random.Random, slower: float, batches: tuple[int, ...]) -> Differences:
    """All cells are slower by that factor."""
    sides: list[list[Manifest]] = []
    for factor in (1.0, slower):
        side = []
        for batch in batches:
            for number, value in enumerate(times(source, 10, factor)):
                cell = a_cell(batch_size=batch, repeat=number)
                side.append(measured(cell, metric("latency_s", value)))
        sides.append(side)
    return compare(*sides)


def test_sizes_are_compared_exactly() -> None:
    assert (
        only(processes("model_size_bytes", [9.0]), processes("model_size_bytes", [9.0])).verdict
        == "same"
    )
    assert (
        only(processes("model_size_bytes", [9.0]), processes("model_size_bytes", [8.0])).verdict
        == "smaller"
    )


@pytest.mark.parametrize(
    ("name", "images", "verdict"),
    [
        ("accuracy", 100, "undecided"),
        ("accuracy", 10_000, "higher"),
        ("accuracy", None, "undecided"),
        ("top5_accuracy", 10_000, "higher"),
        ("f1", 10_000, "undecided"),
    ],
)
def test_a_proportion_is_one_of_the_test_images(
    name: str, images: int | None, verdict: str
) -> None:
    inputs = Inputs() if images is None else Inputs(dataset=_data(images))
    line = only(processes(name, [0.80], inputs=inputs), processes(name, [0.83], inputs=inputs))
    assert line.verdict == verdict


def _data(images: int) -> Dataset:
    return Dataset(
        name="digits", origin="here", classes=[], image_size=8, mean=[], std=[],
        splits={"test": Split(count=images, sha256="0")},
    )  # fmt: skip


def test_what_is_certainly_near_is_the_same() -> None:
    near = [1.0, 1.001, 1.0005, 0.9995, 0.999, 1.0002, 1.0001, 0.9999]
    assert only(processes("latency_s", near), processes("latency_s", near[::-1])).verdict == "same"


def test_failed_cells_are_not_compared_and_missing_ones_are_named() -> None:
    base = processes("latency_s", [1.0])
    new = [measured(a_cell(batch_size=1), metric("latency_s", 1.0))]
    found = compare(base, new)
    assert found.lines == []
    assert found.only_base == [a_cell().title]
    assert found.only_new == [a_cell(batch_size=1).title]
    assert compare(base, processes("latency_s", [1.0], status="crashed", reason="x")).lines == []


def environment(cpu: str, torch: str = "2.1") -> Environment:
    machine = Machine(
        system="Linux", architecture="x86_64", cpu=cpu, cpus=2, instruction_sets=["avx2"],
        memory_bytes=1,
    )  # fmt: skip
    return Environment(machine=machine, threads=2, packages={"torch": torch})


def test_what_differs_between_the_environments_is_listed() -> None:
    base = processes("latency_s", [1.0], environment=environment("one"))
    new = processes("latency_s", [1.0], environment=environment("two", "2.2"))
    assert compare(base, base).environments == []
    assert [tuple(found) for found in compare(base, new).environments] == [
        ("processor", "one", "two"),
        ("pytorch: torch", "2.1", "2.2"),
    ]


def test_an_environment_that_one_side_did_not_run_is_one_line() -> None:
    def beside(framework: str) -> list[Manifest]:
        cell = a_cell(framework=framework)
        return [measured(cell, metric("latency_s", 1.0), environment=environment("one"))]

    both = beside("pytorch") + beside("tensorflow")
    assert [tuple(found) for found in compare(both, beside("pytorch")).environments] == [
        ("environment tensorflow", "ran", "did not run"),
    ]
    assert [tuple(found) for found in compare(beside("tensorflow"), both).environments] == [
        ("environment pytorch", "did not run", "ran"),
    ]


def test_what_is_not_known_of_an_environment_is_no_fact() -> None:
    image = ImageUsed(name="an-image", kind="venv", lock_sha256="ab")
    context = Context(engine="local", image=image, kit=CodeVersion(version="1"), run="r")
    fields: dict[str, Any] = {"environment": environment("one"), "context": context}
    found = facts(processes("latency_s", [1.0], **fields))
    assert "an-image: digest" not in found
    assert found["an-image: lock"] == {"ab"}


def test_runs_of_one_side_are_pooled_only_when_their_environments_agree() -> None:
    one = ("r1", processes("latency_s", [1.0], environment=environment("one")))
    same = ("r2", processes("latency_s", [1.1], environment=environment("one")))
    other = ("r3", processes("latency_s", [1.2], environment=environment("two")))
    assert len(make_side([one, same]).manifests) == 2
    with pytest.raises(PoolingError, match=r"r1 and r3 .*processor: one against two.*--pool"):
        make_side([one, other])
    assert len(make_side([one, other], pool=True).manifests) == 2
