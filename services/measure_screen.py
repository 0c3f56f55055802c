"""What measuring a model came to, on one screen of 80 columns and 24 lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from manifests.runner_files import framework
from services.measure_rows import NOT_RUN, Row
from services.phrases import printable, significant, size

LINES, COLUMNS = 24, 80
_TAKEN = 2
_HEADS = ("toolchain", "precision", "batch", "latency (95 %)", "per s", "size", "agree", "proof")
_WIDTHS = (13, 9, 5, 18, 7, 9, 7, 5)


class Screen(NamedTuple):
    """What it is made from. ``about`` says what is not known."""

    title: str
    rows: Sequence[Row]
    advice: str
    about: Sequence[str]
    next_step: str


def measure_screen(shown: Screen) -> list[str]:
    """At most 24 lines, none wider than 80 columns."""
    foot = _wrapped(shown.advice, "")
    for label, text in (("unknown  ", "; ".join(shown.about)), ("next     ", shown.next_step)):
        foot += _wrapped(text, label) if text else []
    room = LINES - _TAKEN - 3 - len(foot)
    return [_cut(shown.title), _line(_HEADS), *_body(shown.rows, room), "", *foot][: LINES - 1]


def _body(rows: Sequence[Row], room: int) -> list[str]:
    """The rows; where there are too many the last ones are counted."""
    refused = [row for row in rows if row.status != "ok"]
    lines = [_measured(row) for row in rows if row.status == "ok"]
    lines += dict.fromkeys(_refusal(row) for row in refused)
    if len(lines) <= room:
        return lines
    left = len(lines) - room + 1
    return [*lines[: room - 1], f"... and {left} more rows: --json has all"]


def _measured(row: Row) -> str:
    name = framework(row.framework).title
    return _line(
        (
            name if not row.disturbed else f"{name[:12]}*",
            row.precision if row.proven else "INT8?",
            str(row.batch_size),
            _latency(row),
            _rate(row.throughput_items_per_s),
            size(row.size_bytes) if row.size_bytes else "–",
            _agreement(row),
            _share(row),
        )
    )


def _latency(row: Row) -> str:
    if row.latency_s is None:
        return "–"
    long = row.latency_s >= 1
    middle = f"{row.latency_s:.3g} s" if long else f"{1e3 * row.latency_s:.3g} ms"
    ends = row.interval_s
    if ends is None:
        return middle
    half = 100 * (ends.high - ends.low) / 2 / row.latency_s
    return f"{middle} ± {half:.0f} %"


def _rate(value: float | None) -> str:
    """Three digits of a rate; a dash for none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else significant(value)


def _agreement(row: Row) -> str:
    if row.reference:
        return "itself"
    return "–" if row.agreement is None else f"{100 * row.agreement:.1f} %"


def _share(row: Row) -> str:
    share = row.time_share if row.time_share is not None else row.count_share
    return "–" if share is None else f"{100 * share:.0f} %"


def _refusal(row: Row) -> str:
    """What fails does so at every batch size; what had no time is named with its own."""
    name = framework(row.framework).title
    what = f"{row.precision} batch {row.batch_size}" if row.status == NOT_RUN else row.precision
    return _cut(printable(f"{name} {what}: {row.status}: {row.reason}"))


def _line(fields: Sequence[str]) -> str:
    cells = []
    for place, (text, width) in enumerate(zip(fields, _WIDTHS, strict=True)):
        cut = text if len(text) <= width else text[: width - 1] + "…"
        cells.append(cut.ljust(width) if place < 2 else cut.rjust(width))
    return " ".join(cells)


def _wrapped(text: str, label: str) -> list[str]:
    lines = textwrap.wrap(
        printable(text), COLUMNS - len(label), break_long_words=True, break_on_hyphens=False
    )
    return [(label if not place else " " * len(label)) + line for place, line in enumerate(lines)]


def _cut(text: str) -> str:
    return text if len(text) <= COLUMNS else text[: COLUMNS - 1] + "…"
