"""What was not measured is said once: for all quantities of a row, and for both protocols."""

from __future__ import annotations

from comparisons.comparison import Line
from comparisons.render import TEXT_FORMATS, values
from comparisons.render.groups import gathered
from tests.comparisons.samples import a_comparison, a_line

REASON = "unsupported: needs an NVIDIA GPU; none was found"


def missing(quantity: str, printed: str, cell: str, protocol: str = "") -> Line:
    return a_line(
        key=row(protocol), quantity=quantity, printed=printed, measured=None, ratio=None, n=0,
        samples=0, state=REASON, cells=[cell], flags=[],
    )  # fmt: skip


def row(protocol: str) -> dict[str, str]:
    return {"model": "vgg16", **({"protocol": protocol} if protocol else {})}


def told(*lines: Line) -> list[tuple[str, ...]]:
    return [
        (*line.key.values(), line.quantity, values.published(line), values.measured(line))
        for line in gathered(lines)
    ]


def test_both_protocols_share_a_line_and_the_printed_numbers_stand_once() -> None:
    lines = [
        missing("Base", "39.3", "a" * 12, "as-published"),
        missing("INT8", "1.2", "b" * 12, "as-published"),
        missing("Base", "39.3", "c" * 12, "rigorous"),
        missing("INT8", "1.2", "d" * 12, "rigorous"),
    ]
    assert told(*lines) == [("vgg16", "both", "Base / INT8", "39.3 / 1.2 MB", "unsupported")]
    assert [cell[0] for line in gathered(lines) for cell in line.cells] == ["a", "c", "b", "d"]


def test_a_printed_number_stands_beside_what_was_measured() -> None:
    measured = a_line(key=row("rigorous"), quantity="Base", printed="39.3")
    other = missing("Base", "39.3", "a" * 12, "as-published")
    assert told(other, measured) == [
        ("vgg16", "as-published", "Base", "–", "unsupported"),
        ("vgg16", "rigorous", "Base", "39.3 MB", "5.380 MiB"),
    ]


def test_every_measured_line_stays() -> None:
    lines = [a_line(), a_line(printed=""), a_line(quantity="another", printed="")]
    assert gathered(lines) == lines


def test_each_cell_of_a_line_is_named_once() -> None:
    lines = [
        missing("total", "19", "a" * 12),
        missing("convolutions", "", "a" * 12),
        missing("share", "", "b" * 12),
    ]
    assert told(*lines) == [("vgg16", "total", "19 MB", "unsupported")]
    assert gathered(lines)[0].cells == ["a" * 12, "b" * 12]


def test_all_formats_for_people_share_it_and_those_for_programs_do_not() -> None:
    comparison = a_comparison(
        missing("Base", "39.3", "a" * 12), missing("INT8", "1.2", "b" * 12), key=["model"]
    )
    for name in ("md", "html", "latex"):
        text = TEXT_FORMATS[name]([comparison])
        assert text.count("39.3 / 1.2 MB") == 1, name
    for name in ("csv", "json"):
        text = TEXT_FORMATS[name]([comparison])
        assert "39.3 / 1.2" not in text, name
        assert text.count(REASON) == 2, name
