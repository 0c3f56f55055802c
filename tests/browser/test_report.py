"""The report in a real browser: nothing fetched, nothing complained of, all of it reachable."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.audit import audit
from comparisons.report import ReportInput, render_page
from comparisons.report.charts import script
from comparisons.results import gather
from manifests.paths import ROOT
from manifests.plan import Plan
from tests.browser.conftest import Browser
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

STUDY = ROOT / "studies" / "lad2023"
MIB = 2**20
CELL = a_cell(task="train", technique="float32")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some cells of lad2023, one of which crashed with a hostile reason."""
    int8 = a_cell(task="quantize", technique="ptq-eager")
    failed = a_cell(technique="ptq-fx", batch_size=1)
    manifests = [
        measured(CELL, metric("model_size_bytes", 42.6 * MIB)),
        measured(int8, metric("model_size_bytes", 10.8 * MIB)),
        measured(failed, status="crashed", reason="<script>alert(1)</script>"),
        *(
            measured(
                a_cell(technique="float32", batch_size=1, repeat=n), metric("latency_s", 0.01 + n)
            )
            for n in range(3)
        ),
    ]
    plan: Plan = a_plan(*(manifest.cell for manifest in manifests))
    evidence = gather(STUDY, plan, manifests, "a-run")
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(ReportInput(evidence, audit(STUDY), "", script())))
    return path


def test_nothing_is_fetched_and_the_console_is_silent(browser: Browser, page: Path) -> None:
    browser.screen(1200, 900)
    browser.open(page)
    browser.wait("document.querySelectorAll('.alive svg').length > 0")
    assert browser.requests() == [page.as_uri()]
    assert browser.logs() == []


def test_tables_and_charts_are_visible(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.wait("document.querySelectorAll('.alive svg').length > 0")
    charts = browser.ask(
        "[...document.querySelectorAll('.chart')].map((c) => c.getBoundingClientRect().height)"
    )
    assert charts
    assert all(height > 40 for height in charts)
    assert browser.ask("document.querySelectorAll('.drawn:not([hidden])').length") == 0
    rows = browser.ask("document.querySelectorAll('#tables tbody tr').length")
    assert rows > 20
    assert browser.ask("document.querySelector('#claims').innerText.includes('C15')")
    assert browser.ask("document.querySelector('#audit').innerText.includes('67 TFLOPS')")


def test_without_its_script_the_drawn_charts_stay(browser: Browser, page: Path) -> None:
    text = page.read_text().replace('<script type="module">', '<script type="text/plain">')
    still = page.with_name("still.html")
    still.write_text(text)
    browser.open(still)
    assert browser.ask("document.querySelectorAll('.drawn:not([hidden]) svg').length") > 0
    assert browser.logs() == []


def test_a_number_leads_to_its_cell_by_keyboard_alone(browser: Browser, page: Path) -> None:
    browser.screen(1200, 900)
    browser.open(page)
    seen = []
    for _ in range(200):
        browser.press("\ue004")  # tab
        seen.append(browser.ask("document.activeElement.getAttribute('href')"))
        if seen[-1] == f"#cell-{CELL.id}":
            break
    assert seen[0] == "#main"
    assert seen[-1] == f"#cell-{CELL.id}"
    outline = browser.ask("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    browser.press("\ue007")  # enter
    browser.wait(f"document.getElementById('cell-{CELL.id}').open")
    assert browser.ask(
        f"document.getElementById('cell-{CELL.id}').innerText.includes('manifest.json')"
    )


def test_a_link_from_outside_opens_its_cell(browser: Browser, page: Path) -> None:
    browser.open(page, f"#cell-{CELL.id}")
    browser.wait(f"document.getElementById('cell-{CELL.id}').open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1400])
def test_it_fits_the_screen_and_can_be_read(
    browser: Browser, page: Path, width: int, scheme: str
) -> None:
    browser.screen(width, 800, prefers_color_scheme=scheme)
    browser.open(page)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.ask("parseFloat(getComputedStyle(document.body).fontSize)") >= 15
    for element in ("body", ".holds", ".does-not-hold", ".soft", "a"):
        assert browser.ask(_CONTRAST.replace("SELECTOR", element)) >= 4.5, (element, scheme)


_CONTRAST = """(() => {
  const light = (text) => { const [r, g, b] = text.match(/[\\d.]+/g).map((v) => v / 255).map(
    (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const front = light(getComputedStyle(document.querySelector('SELECTOR')).color);
  const back = light(getComputedStyle(document.body).backgroundColor);
  return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
})()"""


@pytest.mark.parametrize("width", [360, 400, 590])
def test_on_a_phone_every_verdict_is_on_the_screen(
    browser: Browser, page: Path, width: int
) -> None:
    browser.screen(width, 800)
    browser.open(page)
    ends = (
        "[...document.querySelectorAll('#claims td')].map((c) => c.getBoundingClientRect().right)"
    )
    browser.wait("document.querySelectorAll('#claims td').length > 0")
    assert max(browser.ask(ends)) <= width
    labels = browser.ask(
        "[...document.querySelector('#claim-C1').cells].map((c) => c.dataset.label || '')"
    )
    assert labels == ["", "the paper says", "place", "published", "measured", "evidence"]


@pytest.mark.parametrize("alive", [True, False])
def test_charts_take_the_colours_of_a_dark_page(browser: Browser, page: Path, alive: bool) -> None:
    browser.screen(1200, 900, prefers_color_scheme="dark")
    shown = page if alive else page.with_name("dark.html")
    if not alive:
        text = page.read_text().replace('<script type="module">', '<script type="text/plain">')
        shown.write_text(text)
    browser.open(shown)
    place = ".alive" if alive else ".drawn"
    browser.wait(f"document.querySelectorAll('{place} svg text').length > 0")
    told = browser.ask(f"getComputedStyle(document.querySelector('{place} svg text')).fill")
    assert told == browser.ask("getComputedStyle(document.body).color") == "rgb(230, 232, 235)"
    backs = browser.ask("getComputedStyle(document.querySelector('.chart')).backgroundColor")
    assert backs == "rgba(0, 0, 0, 0)"
    white = f"document.querySelectorAll('{place} svg [fill=white], {place} svg [fill=\"#fff\"]')"
    assert browser.ask(f"{white}.length") == 0


def test_the_first_screen_says_what_holds_and_where(browser: Browser, page: Path) -> None:
    browser.screen(1280, 900)
    browser.open(page)
    told = browser.ask("document.querySelector('#summary').innerText.replace(/\\s+/g, ' ')")
    assert told.startswith("1 of 16 claims holds here, ")
    assert "6 of 16 claims hold, 2 do not hold, 8 have no number" in told
    assert "min for all cells together" in told
    top = browser.ask("document.querySelector('#summary tbody tr').getBoundingClientRect().bottom")
    assert top < 900


@pytest.mark.parametrize("width", [400, 1280])
def test_charts_are_as_wide_as_the_page(browser: Browser, page: Path, width: int) -> None:
    browser.screen(width, 900)
    browser.open(page)
    browser.wait("document.querySelectorAll('.alive svg').length > 0")
    browser.wait("document.querySelectorAll('.drawn:not([hidden])').length === 0")
    rooms = browser.ask(
        "[...document.querySelectorAll('.chart')].map((c) => c.clientWidth - "
        "c.querySelector('.alive svg').getBoundingClientRect().width)"
    )
    assert rooms and all(0 <= room <= 60 for room in rooms)


def test_cells_are_chosen_by_words_and_status(browser: Browser, page: Path) -> None:
    browser.screen(1280, 900)
    browser.open(page)
    shown = "[...document.querySelectorAll('#cells details.cell')].filter((c) => !c.hidden).length"
    assert browser.ask(shown) == 6
    browser.ask("document.getElementById('cell-words').focus()")
    browser.press("FLOAT32 infer")
    browser.wait(f"{shown} === 3")
    assert browser.ask("document.getElementById('cell-count').textContent") == "3 of 6"
    browser.ask(
        "(() => { const s = document.getElementById('cell-status'); s.value = 'crashed'; "
        "s.dispatchEvent(new Event('change')); })()"
    )
    browser.wait(f"{shown} === 0")


def test_a_link_finds_a_cell_that_the_words_leave_out(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.ask("document.getElementById('cell-words').focus()")
    browser.press("nothing is called so")
    browser.ask(f"location.hash = '#cell-{CELL.id}'")
    browser.wait(f"document.getElementById('cell-{CELL.id}').open")
    assert not browser.ask(f"document.getElementById('cell-{CELL.id}').hidden")


def test_it_prints_without_what_only_a_screen_needs(browser: Browser, page: Path) -> None:
    browser.screen(1200, 900)
    browser.open(page)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.ask("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.ask("getComputedStyle(document.querySelector('.wide')).overflowX") == "visible"
    printed = browser.driver.print_page()
    assert len(printed) > 10_000
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_hostile_text_stays_text(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.wait("document.querySelector('#cells').innerText.includes('<script>alert(1)')")
    assert browser.ask("[...document.scripts].every((s) => !s.textContent.startsWith('alert'))")
