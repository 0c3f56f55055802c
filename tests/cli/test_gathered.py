"""On a screen, quantities of a row that were not measured for one reason share a line."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from cli.comparison_tables import rich_comparison
from comparisons.comparison import Line
from comparisons.render import values
from tests.comparisons.samples import a_comparison, a_line

REASON = "unsupported: the image has no such kernel"
NO_GPU = "unsupported: needs an NVIDIA GPU; none was found"


def missing(quantity: str, printed: str, cell: str, **changes: object) -> Line:
    given: dict[str, object] = {"state": REASON, **changes}
    return a_line(
        quantity=quantity, printed=printed, measured=None, ratio=None, cells=[cell], flags=[],
        **given,
    )  # fmt: skip


def shown(*lines: Line) -> list[str]:
    file = StringIO()
    console = Console(file=file, width=160)
    console.print(*rich_comparison(a_comparison(*lines), 160), sep="\n")
    return [" ".join(line.split()) for line in file.getvalue().splitlines()]


def test_printed_numbers_stay_and_measured_ones_have_lines_of_their_own() -> None:
    told = shown(
        missing("Base", "39.3", "a" * 12),
        missing("INT8", "1.2", "b" * 12),
        missing("a step", "", "c" * 12),
        a_line(quantity="on a CPU", printed=""),
    )
    assert "pytorch Base / INT8 39.3 / 1.2 MB unsupported – 1 3" in told
    assert not [line for line in told if "a step" in line]
    assert [line for line in told if line.startswith("pytorch on a CPU")]
    assert f"{REASON} (cell {'a' * 12}, {'b' * 12}, {'c' * 12})" in told


def test_a_word_in_a_number_s_place_has_no_unit() -> None:
    told = shown(
        missing("without AMP", "OOM", "a" * 12, printed_unit="ms"),
        missing("with AMP", "49.12", "b" * 12, printed_unit="ms"),
        missing("speedup", "N/A", "c" * 12, printed_unit="×"),
        a_line(quantity="on a CPU", printed=""),
    )
    assert "pytorch without AMP / with AMP / speedup OOM / 49.12 ms / N/A unsupported – 1 3" in told


def test_rows_do_not_run_into_one_another() -> None:
    told = shown(
        missing("Base", "39.3", "a" * 12),
        missing("Base", "47", "b" * 12, key={"framework": "tensorflow"}),
    )
    assert len([line for line in told if "unsupported –" in line]) == 2


def test_many_cells_are_counted() -> None:
    lines = [missing("Base", "1", f"{n:012x}") for n in range(7)]
    assert values.reasons(a_comparison(*lines)) == [f"{REASON} (7 cells)"]


def test_what_a_gpu_alone_can_fill_is_one_line() -> None:
    rows = [
        missing("Base", "1", "a" * 12, key={"framework": f"f{n}"}, state=NO_GPU) for n in range(40)
    ]
    told = shown(*rows, a_line(quantity="on a CPU", printed=""))
    assert len([line for line in told if "NVIDIA" in line or "unsupported" in line]) == 1
    line = "40 rows need an NVIDIA GPU; none was found (published numbers: --format md)"
    assert line in told
    assert line in shown(*rows)
    assert "1 row needs an NVIDIA GPU; none was found (published numbers: --format md)" in shown(
        rows[0]
    )
