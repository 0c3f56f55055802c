"""Claims on measurements that their own flags call into question."""

from __future__ import annotations

import msgspec
import pytest

from comparisons.render.claims import plain, render_markdown
from manifests.flags import FLAGS
from manifests.manifest import Flag, Manifest
from papers.expressions import Evaluator, parse
from papers.expressions import quantities as q
from tests.comparisons.lad2023 import latencies, one, sizes
from tests.comparisons.samples import metric


def disturbed(manifests: list[Manifest], technique: str, *flags: Flag) -> list[Manifest]:
    """The same, with flags on the cells of one technique."""
    return [
        msgspec.structs.replace(one, flags=list(flags)) if one.cell.technique == technique else one
        for one in manifests
    ]


BUSY = Flag(name="busy-machine", detail="others took 75% of the processor time")


@pytest.mark.parametrize("ratio", [2.0, 0.5])
def test_a_claim_that_rests_on_a_disturbed_cell_is_undecided(ratio: float) -> None:
    given = latencies(ratio, 4)
    flagged = disturbed(given, "signature", BUSY)
    found = one(flagged, "interpreter-overhead")
    undisturbed = one(given, "interpreter-overhead").measured
    assert undisturbed.state == ("holds here" if ratio > 1 else "does not hold here")
    assert found.measured.state == "undecided"
    cells = [m.id for m in flagged if m.flags]
    assert found.measured.reason == (
        "busy machine: rests on flagged measurements: busy-machine "
        f"(cells {', '.join(sorted(cells)[:3])} and 5 more)"
    )
    assert found.measured.why.startswith(f"{found.measured.reason}; 0 of 2 ")
    assert {name: sorted(ids) for name, ids in found.flagged.items()} == {
        "busy-machine": sorted(cells)
    }
    (told,) = plain([found])
    assert told["verdict"] == "undecided"
    assert told["flags"] == found.flagged
    assert "rests on flagged measurements: busy-machine" in render_markdown([found], "scope")


DESCRIBING = [name for name, info in FLAGS.items() if info.effect == "describes"]


@pytest.mark.parametrize("name", DESCRIBING)
def test_a_flag_that_describes_is_shown_and_voids_nothing(name: str) -> None:
    found = one(disturbed(latencies(2.0, 4), "signature", Flag(name=name, detail="")), "C12")
    assert found.measured.state == "holds here"
    if name != "uniform-data":  # which is about accuracies
        assert f"flags: {name} (cells " in render_markdown([found], "scope")


def test_a_row_that_nothing_disturbed_decides_alone() -> None:
    """One counterexample is enough, whatever becomes of the others."""
    given = latencies(0.5, 4)
    (first, *_) = [m for m in given if m.cell.technique == "signature"]
    found = one([msgspec.structs.replace(m, flags=[BUSY] * (m is first)) for m in given], "C12")
    assert found.measured.state == "does not hold here"
    assert "undecided" in found.measured.why


@pytest.mark.parametrize("name", sorted({*FLAGS, "of-a-later-version"}))
def test_what_disturbs_a_time_leaves_sizes_alone(name: str) -> None:
    flagged = [msgspec.structs.replace(m, flags=[Flag(name=name, detail="")]) for m in sizes()]
    state = one(flagged, "size-pytorch").measured.state
    spoilt = name in ("impossible-value", "of-a-later-version", "unproven-precision")
    assert state == ("undecided" if spoilt else "holds here")


def test_of_many_disturbed_cells_a_few_are_named() -> None:
    found = one(disturbed(latencies(2.0, 4), "signature", BUSY), "C12")
    assert " and 5 more)" in found.measured.why
    assert len(found.flagged["busy-machine"]) == 8


def test_impossible_numbers_give_no_verdict() -> None:
    given = latencies(7.5, 1)
    stepped = [
        msgspec.structs.replace(m, metrics=[metric("latency_s", -0.857)])
        if m.cell.technique == "signature"
        else m
        for m in given
    ]
    found = one(stepped, "C12")
    assert found.measured[:2] == (
        "not measured",
        "impossible: latency can't be -0.857: it has to be more than 0",
    )
    assert "impossible-value" not in str(found.measured)


DOUBT = frozenset({("busy-machine", "x")})
SURE, UNSURE = q.Quantity(8, 7, 9), q.disturbed(2, DOUBT)


class Source:
    """A table of three rows, one of which was disturbed."""

    def __init__(self) -> None:
        self.headings: q.Headings = {}

    def rows(self, table: str) -> list[q.Row]:
        values = (("1", UNSURE), ("2", q.exactly(5)), ("4", q.exactly(3)))
        return [q.Row({"batch": key}, {"a": value, "b": SURE}, table) for key, value in values]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("t.a[batch=1] < 5", "undecided"),
        ("t.a[batch=1] - t.a[batch=2] < 0", "undecided"),
        ("t.a[batch=1] * 2 > 0", "undecided"),
        ("t.a[batch=2] / t.a[batch=1] > 0", "undecided"),
        ("abs(t.a[batch=1]) > 1", "undecided"),
        ("near(t.a[batch=1], 2, 1)", "undecided"),
        ("not t.a[batch=1] > 5", "undecided"),
        ("spread(t.a) < 9", "undecided"),
        ("mean(t.a) > 0", "undecided"),
        ("max(t.a) >= 5", "holds"),  # whatever the disturbed row is
        ("max(t.a) >= 6", "undecided"),
        ("min(t.a) <= 3", "holds"),
        ("every(t, a > 4)", "does not hold"),  # batch 4 is enough
        ("every(t, a > 1)", "undecided"),
        ("some(t, a > 4)", "holds"),
        ("some(t, a > 9)", "undecided"),
        ("share(t, a > 1) >= 0.6", "holds"),
        ("share(t, a > 1) >= 0.9", "undecided"),
        ("trend(t.a, batch) < 1", "holds"),  # 5 and 3 fall
        ("trend(t.a, batch) > 0", "undecided"),
        ("falling(t.a, batch)", "undecided"),
        ("rising(t.a, batch)", "does not hold"),
        ("t.a[batch=1] < 5 and t.b[batch=1] > 100", "does not hold"),
        ("t.a[batch=1] < 5 or t.b[batch=1] > 1", "holds"),
        ("oom(t.a[batch=1])", "does not hold"),
        ("t.b[batch=1] < 8", "undecided"),
    ],
)
def test_what_a_disturbed_number_leaves_open(text: str, state: str) -> None:
    found = Evaluator(Source(), {}).truth(parse(text))
    assert found.state == state
    by_interval = text == "t.b[batch=1] < 8"
    assert found.doubts == (DOUBT if state == "undecided" and not by_interval else q.NO_DOUBTS)
