"""Tables as text: golden bytes, and nothing in them breaks out of its place."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.render import FORMATS, TEXT_FORMATS, values
from tests.comparisons.samples import a_comparison, a_line

HOSTILE = "a|b\nc \x1b[31m`x` =1 <script>"
COMPARISON = a_comparison(
    a_line(),
    a_line(
        key={"framework": HOSTILE},
        quantity="=HYPERLINK(1)",
        printed="",
        published=None,
        measured=None,
        ratio=None,
        n=0,
        samples=0,
        state="crashed: it\nbroke\x1b[31m",
        flags=[],
    ),
)

MARKDOWN = r"""### Model size (Table I) · tier quick · digits · rigorous

tier quick: minutes

a note

| framework | quantity | published | measured | ratio | n | samples | flags |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
| pytorch | int8 size | ~10.76 MB | 5.380 MiB | 0.500 | 1 | 3 | drift, few-samples |
| a\|b c  \[31m\`x\` =1 \<script\> | =HYPERLINK(1) | – | crashed | – | 0 | 0 |  |

crashed: it broke \[31m (cell 0123456789ab)
"""

CSV = """\
run,table,place,scope,framework,quantity,printed,printed_unit,published,measured,low,high,unit,work,\
ratio,n,samples,state,flags,cells
a-run,table1,Table I,tier quick · digits · rigorous,pytorch,int8 size,~10.76,MB,10.76,\
5.38,,,MiB,,0.5,1,3,ok,drift few-samples,0123456789ab
a-run,table1,Table I,tier quick · digits · rigorous,a|b c  [31m`x` =1 <script>,\
'=HYPERLINK(1),,MB,,,,,MiB,,,0,0,crashed: it broke [31m,,0123456789ab
"""


def test_markdown_to_the_byte() -> None:
    assert TEXT_FORMATS["md"]([COMPARISON]) == MARKDOWN


def test_csv_to_the_byte() -> None:
    assert TEXT_FORMATS["csv"]([COMPARISON]) == CSV


HTML = """\
<table>
<thead><tr><th scope="col">framework</th><th scope="col">quantity</th>\
<th scope="col" class="number">published</th><th scope="col" class="number">measured</th>\
<th scope="col" class="number">ratio</th><th scope="col" class="number">n</th>\
<th scope="col" class="number">samples</th><th scope="col">flags</th></tr></thead>
<tbody>
<tr><td>pytorch</td><td>int8 size</td><td class="number">~10.76 MB</td>\
<td class="number">5.380 MiB</td><td class="number">0.500</td><td class="number">1</td>\
<td class="number">3</td><td>drift, few-samples</td></tr>
<tr><td>a|b c  [31m`x` =1 &lt;script&gt;</td><td>=HYPERLINK(1)</td><td class="number">–</td>\
<td class="number">crashed</td><td class="number">–</td><td class="number">0</td>\
<td class="number">0</td><td></td></tr>
</tbody>
</table>
<p>crashed: it broke [31m (cell 0123456789ab)</p>
"""


def test_html_to_the_byte() -> None:
    text = TEXT_FORMATS["html"]([COMPARISON])
    assert text.startswith('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n')
    assert text.partition("</h2>")[2].partition("<table>")[0].count("<p>") == 2
    assert HTML in text


@given(st.text(), st.text())
def test_no_text_is_a_tag_in_html(key: str, quantity: str) -> None:
    line = a_line(key={"framework": key}, quantity=quantity, state="x", measured=None)
    tags = re.findall(r"<[^>]*>", TEXT_FORMATS["html"]([a_comparison(line)]))
    assert len(tags) == len(re.findall(r"<[^>]*>", TEXT_FORMATS["html"]([a_comparison(a_line())])))


def test_json_is_read_back_whole() -> None:
    text = TEXT_FORMATS["json"]([COMPARISON])
    assert "\x1b" not in text
    (table,) = json.loads(text)
    assert (table["id"], table["scope"]) == ("table1", "tier quick · digits · rigorous")
    assert table["lines"][0]["measured"] == 5.38
    assert table["lines"][1]["measured"] is None
    assert table["lines"][1]["key"] == {"framework": HOSTILE}


def test_a_table_of_issues_is_a_table_of_its_own_columns() -> None:
    issues = [{"area": "hardware", "issue": "a|b"}, {"area": "profiler", "issue": ""}]
    text = TEXT_FORMATS["md"]([a_comparison(issues=issues, note="", scope_note="")])
    assert text.splitlines()[2:] == [
        "| area | issue |",
        "| --- | --- |",
        r"| hardware | a\|b |",
        "| profiler |  |",
    ]


def test_a_table_without_lines_says_so() -> None:
    assert TEXT_FORMATS["md"]([a_comparison()]).endswith("\n(no rows)\n")


def columns(row: str) -> int:
    """Cells of a Markdown row: pipes that are not escaped, less one."""
    return len(re.findall(r"(?:^|[^\\])(?:\\\\)*(?=\|)", row)) - 1


@given(st.text(), st.text(), st.text())
def test_no_text_changes_the_number_of_columns_in_markdown(
    key: str, quantity: str, state: str
) -> None:
    line = a_line(key={"framework": key}, quantity=quantity, measured=None, state=state)
    text = TEXT_FORMATS["md"]([a_comparison(line, note="", scope_note="")])
    rows = text.split("\n")[2:5]
    assert [columns(row) for row in rows] == [8, 8, 8]
    assert all(character.isprintable() or character == "\n" for character in text)


@given(st.text(), st.text())
def test_any_text_is_one_harmless_field_in_csv(quantity: str, state: str) -> None:
    line = a_line(quantity=quantity, state=state)
    rows = list(csv.reader(io.StringIO(TEXT_FORMATS["csv"]([a_comparison(line)]))))
    assert [len(row) for row in rows] == [20, 20]
    assert all(field[:1] not in ("=", "+", "-", "@", "\t", "\r") for field in rows[1])


@given(st.text())
def test_any_text_is_valid_json(text: str) -> None:
    if re.search("[\ud800-\udfff]", text):
        return
    (table,) = json.loads(TEXT_FORMATS["json"]([a_comparison(a_line(state=text))]))
    assert table["lines"][0]["state"] == text


def test_the_formats_there_are() -> None:
    assert FORMATS == ("rich", "md", "csv", "json", "latex", "html")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.5, "0.5000"),
        (10.7512345, "10.75"),
        (999.96, "1,000.0"),
        (1900, "1,900"),
        (1234567.8, "1,234,568"),
        (0.0001234, "0.000123"),
        (-42.616, "-42.62"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_have_four_significant_digits(value: float | None, text: str) -> None:
    assert values.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.051, "0.051 points"), (0.2, "0.2 points"), (-0.0001, "0 points")]
)
def test_points_have_no_digits_that_nobody_measured(value: float, text: str) -> None:
    line = a_line(unit="points", measured=value, printed="", published=value)
    assert values.measured(line) == text
    assert values.published(line) == f"{text} (from others)"
    assert values.measured(a_line(unit="points", measured=2.0, low=1.23456, high=3)) == (
        "2 points [1.235, 3]"
    )


def test_a_long_reason_is_cut_to_one_line() -> None:
    assert values.one_line("a\n\n b") == "a b"
    assert values.one_line("x" * 500) == "x" * 299 + "…"
