"""Which cells are measured next: forward and back, the cheapest first, and never what is spoilt."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.cell import Cell
from manifests.manifest import Flag, Manifest, Status
from manifests.plan import Plan, PlannedCell
from orchestrator.planning.quadruples import further, point_of, quadruple, repeated
from services.quadruple_choice import Costs, affordable, choose, next_quadruple, spent_s
from services.still_open import OpenComparison, StillOpen
from services.until_decided import aim, without_failed
from tests.manifests.samples import a_cell, a_manifest, planned

A, B, C = planned(1, 2.0), planned(2, 3.0), planned(4, 100.0)
PLAN = Plan(study="toy", tier="quick", protocol="rigorous", dataset="digits", cells=[A, B, C])
NAMES = {A.id: "A", B.id: "B", C.id: "C"}
PAIR = frozenset({A.id, B.id})


def told(cells: list[PlannedCell]) -> str:
    """``A0 B0 B1 A1``."""
    return " ".join(f"{NAMES[point_of(one.cell)]}{one.cell.repeat}" for one in cells)


def ran(*names: str, status: Status = "ok", flag: str = "") -> list[Manifest]:
    """Manifests of the processes called A0, B1, ..."""
    by_name = {name: a_planned for a_planned, name in zip((A, B, C), "ABC", strict=True)}
    flags = [Flag(name=flag, detail="")] if flag else []
    cells = [repeated(by_name[name[0]], int(name[1:])).cell for name in names]
    return [a_manifest(cell, status=status, flags=flags, wall_s=2.0) for cell in cells]


def following(manifests: list[Manifest], points: frozenset[str] = PAIR) -> str:
    return told(next_quadruple(PLAN, points, Costs(PLAN, manifests), manifests))


def test_a_quadruple_runs_forward_and_then_back() -> None:
    assert told(quadruple([A, B, C], 0)) == "A0 B0 C0 C1 B1 A1"
    assert told(quadruple([A, B], 3)) == "B6 A6 A7 B7"
    assert quadruple([A], 0)[0] == A


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], "A0 B0 B1 A1"),
        (["A0", "B0"], "B1 A1"),
        (["A0", "B0", "B1"], "A1"),
        (["A0", "B0", "B1", "A1"], "B2 A2 A3 B3"),
        (["A0", "B0", "B1", "A1", "B2", "A2"], "A3 B3"),
        # A ran with others meanwhile: its processes and B's would not lie beside each other.
        (["A0", "B0", "A1"], "B2 A2 A3 B3"),
        (["A0", "B0", "B1", "A1", "A2", "A3"], "A4 B4 B5 A5"),
    ],
)
def test_what_was_cut_off_is_gone_on_with_and_else_a_new_one_begins(
    there: list[str], expected: str
) -> None:
    assert following(ran(*there)) == expected


def test_what_ran_side_by_side_is_not_gone_on_with() -> None:
    begun = ran("A0", "B0")
    cells = next_quadruple(PLAN, PAIR, Costs(PLAN, begun), begun, anew=True)
    assert told(cells) == "B2 A2 A3 B3"


def test_a_disturbed_quadruple_is_not_gone_on_with() -> None:
    busy = ran("B0", flag="busy-machine")
    assert following([*ran("A0"), *busy]) == "B2 A2 A3 B3"
    assert following([*ran("A0", "B1", "A1"), *busy]) == "B2 A2 A3 B3"


@pytest.mark.parametrize("flag", ["high-variation", "drift", "few-samples"])
def test_a_flag_that_describes_voids_nothing(flag: str) -> None:
    assert following(ran("A0", "B0", flag=flag)) == "B1 A1"


def test_a_cancelled_process_runs_again_under_its_own_number() -> None:
    assert following([*ran("A0", "B0"), *ran("B1", status="cancelled")]) == "B1 A1"


def test_estimates_of_further_processes_are_what_the_earlier_ones_took() -> None:
    """Of a technique that took 3.75 times as long as it was expected to, others will as well."""
    manifests = [msgspec.structs.replace(m, wall_s=7.5) for m in ran("A0", "A1")]
    costs = Costs(PLAN, manifests)
    assert (costs.of(A.id), costs.of(B.id), costs.of(C.id)) == (7.5, 11.25, 375.0)
    cells = next_quadruple(PLAN, PAIR, costs, manifests)
    assert [one.estimate_s for one in cells] == [11.25, 7.5, 7.5, 11.25]


def test_what_passes_between_cells_is_part_of_what_they_cost() -> None:
    there = ran("A0", "B0")
    starts = ("10:00:00", "10:00:05")
    timed = [
        msgspec.structs.replace(one, started_at=f"2026-01-01T{start}+00:00", wall_s=2.0)
        for one, start in zip(there, starts, strict=True)
    ]
    assert Costs(PLAN, timed).of(A.id) == 2.0 + 3.0 / 2


steps = st.lists(st.sampled_from(["all", "cut off", "disturbed", "crashed"]), max_size=8)


@given(steps)
def test_whatever_happens_no_process_runs_twice_and_none_is_lost(happened: list[str]) -> None:
    manifests: list[Manifest] = []
    for what in happened:
        cells = next_quadruple(PLAN, PAIR, Costs(PLAN, manifests), manifests)
        known = {manifest.id for manifest in manifests}
        assert not known & {one.id for one in cells}
        numbers = {one.cell.repeat // 2 for one in cells}
        assert len(numbers) == 1
        done = cells[:1] if what == "cut off" else cells
        flags = [Flag(name="suspended", detail="")] if what == "disturbed" else []
        status: Status = "crashed" if what == "crashed" else "ok"
        manifests += [a_manifest(one.cell, status=status, flags=flags) for one in done]
        if what == "all":
            (number,) = numbers
            there = {m.id for m in manifests if m.cell.repeat // 2 == number}
            assert there == {one.id for one in quadruple([A, B], number)}


def claim(number: str, *points: str, more: int = 3) -> StillOpen:
    cells = frozenset(points)
    return StillOpen(number, (OpenComparison(cells, more, more),), "", "", cells)


NO_RUN = Costs(PLAN, [])


def test_the_cheapest_claim_comes_first_and_what_shares_half_goes_along() -> None:
    cheap, dear = claim("C1", A.id, B.id), claim("C2", B.id, C.id)
    alike = claim("C3", A.id)
    found = choose([dear, cheap, alike], NO_RUN, 1000)
    assert found is not None
    assert (found.claims, found.points, found.seconds) == (("C3",), frozenset({A.id}), 6.0)
    found = choose([dear, cheap], NO_RUN, 1000)
    assert found is not None
    assert (found.claims, found.points) == (("C1",), PAIR)
    shares = claim("C4", A.id, B.id, C.id)
    found = choose([claim("C5", C.id, A.id), shares], NO_RUN, 1000)
    assert found is not None
    assert (found.claims, found.points) == (("C5", "C4"), frozenset(NAMES))
    assert aim(found) == "C5, C4 open: 3 more processes a side (3 cells), about 5 min"


def test_nothing_is_begun_whose_next_look_does_not_fit() -> None:
    two = [claim("C1", A.id, B.id), claim("C2", C.id)]
    found = choose(two, NO_RUN, 15.0)
    assert found is not None
    assert found.claims == ("C1",)
    assert choose(two, NO_RUN, 14.9) is None
    assert choose([StillOpen("C3", (), "", "", frozenset())], NO_RUN, 1000) is None


def test_a_claim_is_as_dear_as_all_that_it_compares() -> None:
    both = StillOpen(
        "C1",
        (OpenComparison(PAIR, 3, 5), OpenComparison(frozenset({B.id, C.id}), 2, 2)),
        "", "", PAIR,
    )  # fmt: skip
    assert both.further() == {A.id: 3, B.id: 3, C.id: 2}
    assert both.further(likely=True) == {A.id: 5, B.id: 5, C.id: 2}
    assert NO_RUN.to_look(both) == 3 * 2 + 3 * 3 + 2 * 100
    assert choose([both], NO_RUN, 200) is None


def test_a_claim_of_a_cell_that_fails_is_left_alone() -> None:
    two = [claim("C1", A.id, B.id), claim("C2", C.id)]
    crashed = [*ran("A0", "B0", "C0"), *ran("B1", status="crashed")]
    assert [one.number for one in without_failed(two, crashed)] == ["C2"]
    assert without_failed(two, ran("B1", status="cancelled")) == two


def at(started: str, wall_s: float) -> Manifest:
    return a_manifest(started_at=f"2026-01-01T{started}+00:00", wall_s=wall_s)


def test_time_is_spent_once_for_cells_side_by_side_and_a_night_is_none() -> None:
    assert spent_s([]) == 0
    assert spent_s([at("10:00:00", 10), at("10:00:12", 10)]) == 22
    assert spent_s([at("10:00:00", 10), at("10:00:05", 10), at("10:00:06", 2)]) == 15
    assert spent_s([at("10:00:00", 10), at("20:00:00", 10)]) == 10 + 30 + 10


def test_a_plan_keeps_the_further_processes_of_its_points_alone() -> None:
    other: Cell = msgspec.structs.replace(a_cell(batch_size=77), repeat=2)
    more = [repeated(A, 1), repeated(B, 5), repeated(A, 0)]
    stranger = msgspec.structs.replace(A, id=other.id, cell=other)
    old = msgspec.structs.replace(PLAN, cells=[*PLAN.cells, *more, stranger])
    ids = dict.fromkeys([A.id, B.id, C.id])
    assert further(ids, old) == [more[0].cell, more[1].cell]
    assert further({**ids, more[0].id: None}, old) == [more[1].cell]


def test_three_claims_about_the_same_cells_come_before_a_quicker_one() -> None:
    """A takes 2 s a process, B 3: four of B for three claims, or three of A for one."""
    alike = {B.id: 4}
    needs = [{A.id: 3}, alike, alike, alike]
    assert affordable(needs, Costs(PLAN, []), 13.0) == [1, 2, 3]
    assert affordable(needs, Costs(PLAN, []), 18.0) == [0, 1, 2, 3]
    assert affordable(needs, Costs(PLAN, []), 11.0) == [0]
    assert affordable(needs, Costs(PLAN, []), 5.0) == []
    assert affordable([], Costs(PLAN, []), 5.0) == []


@given(
    st.lists(
        st.dictionaries(st.sampled_from([A.id, B.id, C.id]), st.integers(1, 4), min_size=1),
        max_size=6,
    ),
    st.floats(0, 400),
)
def test_no_larger_set_fits_and_no_equally_large_one_is_quicker(
    needs: list[dict[str, int]], left_s: float
) -> None:
    costs = Costs(PLAN, [])

    def together_s(places: tuple[int, ...]) -> float:
        points = {point for place in places for point in needs[place]}
        return sum(
            max(needs[place].get(point, 0) for place in places) * costs.of(point)
            for point in points
        )

    sets = [s for n in range(len(needs) + 1) for s in itertools.combinations(range(len(needs)), n)]
    fitting = [(-len(s), together_s(s)) for s in sets if together_s(s) <= left_s]
    found = tuple(affordable(needs, costs, left_s))
    assert (-len(found), together_s(found)) == pytest.approx(min(fitting))


def test_of_many_claims_some_are_weighed_and_the_rest_later() -> None:
    needs = [{A.id: 1, B.id: number % 4} for number in range(60)]
    assert len(affordable(needs, Costs(PLAN, []), 11.0)) == 14
