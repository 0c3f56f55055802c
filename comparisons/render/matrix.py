"""The support matrix in words, signs and as data."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from typing import Any

import msgspec

from comparisons.matrix import Column, Entry, Matrix, counts
from comparisons.render import values
from comparisons.render.markdown import simple_table
from manifests.features import FEATURES
from manifests.probe_record import MEANINGS, SIGNS

LIST_HEADER = ["feature", "framework", "technique", "outcome", "dB", "what ran, or was said"]
_FIELDS = [
    "feature", "group", "framework", "technique", "variant", "device", "environment", "outcome",
    "promised", "ran", "folded", "sqnr_db", "agreement", "limit_db", "images", "stage", "words",
    "versions", "cell",
]  # fmt: skip
_ABSENT = ""


def sign(entry: Entry | None) -> str:
    """One or two characters."""
    return SIGNS.get(entry.outcome, "?") if entry else _ABSENT


def word(entry: Entry | None) -> str:
    """The outcome, or that there is none."""
    if entry is None:
        return _ABSENT
    return entry.outcome or "not run"


def legend(matrix: Matrix) -> str:
    """The outcomes that occur, with how often and what they mean."""
    parts = [
        f"{SIGNS[name]} {name} {count}: {MEANINGS[name]}" for name, count in counts(matrix).items()
    ]
    missing = len(matrix.entries) - matrix.filled
    if missing:
        parts.append(f"? {missing} without an outcome")
    return "; ".join(parts)


def short_titles(columns: Sequence[Column]) -> list[str]:
    """Names without the framework where all have one."""
    one = len({column.framework for column in columns}) == 1
    return [column.title.removeprefix(f"{column.framework} ") if one else column.title
            for column in columns]  # fmt: skip


def list_row(entry: Entry) -> list[str]:
    """In the order of ``LIST_HEADER``."""
    probe = entry.probe
    noise = "" if probe is None or probe.sqnr_db is None else f"{probe.sqnr_db:.1f}"
    column = entry.column
    named = (column.technique, column.variant, column.environment)
    technique = " ".join(word for word in named if word)
    return [
        entry.feature, entry.column.framework, technique, word(entry), noise, told(entry),
    ]  # fmt: skip


def told(entry: Entry) -> str:
    """What ran in which types; where something was refused, the words."""
    probe = entry.probe
    if probe is None or not (probe.own or probe.others):
        return entry.words
    ran = _types(probe.own if not probe.folded else probe.others)
    return f"folded into its neighbours: {ran}" if probe.folded else ran


def _types(counted: dict[str, dict[str, int]]) -> str:
    return "; ".join(
        f"{kind}: " + ", ".join(f"{name} ×{count}" for name, count in named.items())
        for kind, named in counted.items()
    )


def plain(entry: Entry) -> dict[str, Any]:
    """For ``--json`` and CSV: everything that is known of one outcome."""
    probe, column = entry.probe, entry.column
    feature = FEATURES.get(entry.feature)
    return {
        "feature": entry.feature,
        "group": feature.group if feature else "",
        "framework": column.framework,
        "technique": column.technique,
        "variant": column.variant,
        "environment": column.environment,
        "device": column.device,
        "outcome": entry.outcome or None,
        "promised": probe.promised if probe else "",
        "ran": {"own": probe.own, "others": probe.others} if probe else {},
        "folded": probe.folded if probe else None,
        "sqnr_db": probe.sqnr_db if probe else None,
        "agreement": probe.agreement if probe else None,
        "limit_db": probe.limit_db if probe else None,
        "images": probe.images if probe else 0,
        "stage": probe.stage if probe else "",
        "words": entry.words,
        "versions": entry.versions,
        "cell": entry.cell,
    }


def as_csv(matrix: Matrix) -> str:
    """A line an outcome, with a header."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(_FIELDS)
    for entry in entries(matrix):
        found = plain(entry)
        texts = {name: _types(found["ran"].get("own", {})) if name == "ran" else found[name]
                 for name in _FIELDS}  # fmt: skip
        texts["versions"] = " ".join(f"{name} {v}" for name, v in entry.versions.items())
        writer.writerow([_harmless(texts[name]) for name in _FIELDS])
    return output.getvalue()


def as_json(matrix: Matrix) -> str:
    """A list of outcomes, indented."""
    return msgspec.json.format(msgspec.json.encode([*map(plain, entries(matrix))])).decode() + "\n"


def as_markdown(title: str, matrix: Matrix) -> str:
    """A table of words, features by techniques, and the refusals behind it."""
    header = ["feature", *(column.title for column in matrix.columns)]
    rows = [
        [name, *(word(matrix.at(name, column)) for column in matrix.columns)]
        for name in matrix.features
    ]
    return simple_table(title, header, rows) + f"\n{legend(matrix)}\n"


def as_html(title: str, matrix: Matrix) -> str:
    """A page without scripts: colour and word of each outcome, its words on hovering."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"<h1>{html.escape(title)}</h1>\n{html_table(matrix)}\n"
        f"<p>{html.escape(legend(matrix))}</p></html>\n"
    )


STYLE = (
    "table.matrix{border-collapse:collapse;font-size:.85rem}"
    ".matrix th,.matrix td{padding:.15rem .4rem;border:1px solid #8884;text-align:center}"
    ".matrix th:first-child{text-align:left}"
    ".o-int8,.o-int16x8,.o-float16,.o-bfloat16,.o-float8{background:#2e7d3250}"
    ".o-simulated{background:#0277bd40}.o-mixed{background:#f9a82540}"
    ".o-refused{background:#c6282840}.o-wrong,.o-crashed,.o-timeout{background:#6a1b9a50}"
)
"""Colour never stands alone: each field has its sign and its word too."""


def html_table(matrix: Matrix, base: str | None = None) -> str:
    """``base`` is the way to the run's folder, for links to manifests; without one, none."""
    head = "".join(f'<th scope="col">{_text(column.title)}</th>' for column in matrix.columns)
    rows = [_html_row(matrix, name, base) for name in matrix.features]
    body = "\n".join(rows)
    return (
        f'<table class="matrix">\n<thead><tr><th scope="col">feature</th>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table>"
    )


def _html_row(matrix: Matrix, name: str, base: str | None) -> str:
    fields = [_html_field(matrix.at(name, column), base) for column in matrix.columns]
    return f'<tr><th scope="row">{_text(name)}</th>{"".join(fields)}</tr>'


def _html_field(entry: Entry | None, base: str | None) -> str:
    if entry is None:
        return "<td></td>"
    shown = f"{_text(sign(entry))} {_text(word(entry))}"
    if base is not None and entry.words != "not run":
        shown = f'<a href="{_text(base)}cells/{entry.cell}/manifest.json">{shown}</a>'
    return f'<td class="o-{entry.outcome or "none"}" title="{_text(told(entry))}">{shown}</td>'


def entries(matrix: Matrix) -> list[Entry]:
    """In the order of features, then of techniques."""
    found = [matrix.at(name, column) for name in matrix.features for column in matrix.columns]
    return [entry for entry in found if entry is not None]


def _text(given: str) -> str:
    return html.escape(values.printable(given))


def _harmless(field: object) -> object:
    """A text that a spreadsheet takes for a formula gets a quote."""
    if not isinstance(field, str):
        return "" if field is None else field
    text = values.printable(field)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
