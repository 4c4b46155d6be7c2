"""report.html in a real browser: quiet, alone, usable with the keyboard, readable in every form. Needs Chromium."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.reports.dashboard import OpenLine
from jobs.reports.next_steps import NextStep
from jobs.reports.page import page
from jobs.reports.sample import draw
from jobs.reports.totals import ControlTotal
from schemas.reconciliation import RECONCILIATION_SCHEMA

from .made import MIXED, row, run_folder, summary, went
from .test_dashboard import NIGHTS, board
from .test_dashboard import page as all_nights

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]

BAD = {"onboarded": 300, "quarantined": 20, "conflict": 60, "failed": 60, "pending": 9, "not_attempted": 11}
TOTALS = (ControlTotal("hash total", "198bcf939ab00a90", "198bcf939ab00a90"), ControlTotal("rows", 460, 460, 459))
FORMS = [("light", 1280), ("dark", 1280), ("light", 400), ("dark", 400)]
Shown = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Shown]:
    """Opens a page; at the end, fails if it complained or asked for anything but itself."""
    said: list[str] = []

    def show(text: str, scheme: str = "light", width: int = 1280) -> Any:
        path = tmp_path / "page.html"
        path.write_text(text, "utf-8")
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: request.url == path.as_uri() or said.append(request.url))
        tab.goto(path.as_uri())
        return tab

    yield show
    for context in browser.contexts:
        context.close()
    assert said == []


def difference(number: int) -> dict[str, object]:
    """One line of the reconciliation."""
    known = {"source_row": number, "class": "partial" if number % 5 == 0 else "field_difference", "field": "email"}
    return dict.fromkeys(RECONCILIATION_SCHEMA) | known | {"file_value_masked": f"a***@x{number}.example"}


def bad_night() -> str:
    rows = [row(number, "conflict" if number % 2 else "failed", reason="x" * 70) for number in range(1, 121)]
    differences = [difference(number) for number in range(1, 101)]
    ageing = {"under 1 hour": 5, "over 7 days": 4}
    counts = {"match": 300, "field_difference": 80, "partial": 20}
    more = {"pending_ageing": ageing, "control_totals": TOTALS, "exit_code": 1, "next_command": "muster resume x"}
    facts = summary(BAD, **went(BAD), reconciliation=counts, **more)
    return page(facts, rows, differences)


PAGES: dict[str, Callable[[], str]] = {
    "good": lambda: page(summary({"onboarded": 500}, **went({"onboarded": 500})), []),
    "bad": bad_night,
    "empty": lambda: page(summary({}, **went({})), []),
    "all nights": lambda: all_nights(board(NIGHTS, open_lines=[OpenLine("failed", "x" * 40, 3, "o", "d", ["c" * 60])])),
}

FAULTS = """() => {
  const faults = [];
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  ids.forEach((id, at) => ids.indexOf(id) === at || faults.push(`id twice: ${id}`));
  const named = (each) => each.closest("label") || each.getAttribute("aria-label") || each.textContent.trim();
  document.querySelectorAll("input, select, button").forEach((each) => named(each) || faults.push(each.outerHTML));
  document.querySelectorAll("[aria-labelledby]").forEach((each) => each.getAttribute("aria-labelledby").split(" ")
    .forEach((id) => document.getElementById(id)?.textContent.trim() || faults.push(`no label ${id}`)));
  document.querySelectorAll("table").forEach((each) =>
    each.querySelectorAll("thead th:not([scope])").forEach((cell) => faults.push(cell.outerHTML)));
  document.querySelectorAll("svg:not([role=img]):not([aria-hidden])").forEach((each) => faults.push(each.outerHTML));
  document.querySelectorAll("button, select, input").forEach((each) => {
    const box = each.getBoundingClientRect();
    if (box.width && box.height < 24) faults.push(`too small: ${each.outerHTML}`);
  });
  if (document.documentElement.scrollWidth > innerWidth) faults.push(`${document.documentElement.scrollWidth} wide`);
  return faults;
}"""

FAINT = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (part) => ((part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (each) => {
    for (; each; each = each.parentElement) {
      const found = parts(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const each = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !each.checkVisibility() || each.closest("svg, script, :disabled")) continue;
    const [one, other] = [light(parts(getComputedStyle(each).color)), light(ground(each))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) faint.add(`${ratio.toFixed(2)} ${each.outerHTML.slice(0, 80)}`);
  }
  return [...faint];
}"""


@pytest.mark.parametrize(("scheme", "width"), FORMS)
@pytest.mark.parametrize("night", PAGES)
def test_every_form_of_the_page_can_be_read_and_named(shown: Shown, night: str, scheme: str, width: int) -> None:
    tab = shown(PAGES[night](), scheme, width)
    assert tab.evaluate(FAULTS) == []
    assert tab.evaluate(FAINT) == []


def test_both_tables_are_found_sorted_and_filtered_apart(shown: Shown) -> None:
    tab = shown(bad_night())
    tab.locator("[data-table=differences] select[name=kind]").select_option("partial")
    assert tab.locator("#differences-shown").inner_text() == "Rows 1 to 20 of 20 found among 100"
    assert tab.locator("#attention-shown").inner_text() == "Rows 1 to 50 of 120"
    tab.locator("#differences th button", has_text="Row").click()
    tab.locator("#differences th button", has_text="Row").click()
    assert tab.locator("#differences tbody tr").first.locator("td").first.inner_text() == "100"
    assert tab.locator("#attention th[aria-sort]").count() == 0
    tab.locator("[data-table=attention] input[name=find]").fill("no such words")
    tab.get_by_text("No row fits.").wait_for()


def test_the_keyboard_alone_reaches_filters_sorting_pages_and_numbers(shown: Shown) -> None:
    tab = shown(bad_night())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    reached: list[str] = []
    for _ in range(80):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.tagName + ':' + (document.activeElement.name || '')"))
    assert {"SUMMARY:", "INPUT:find", "SELECT:kind", "SELECT:size", "BUTTON:"} <= set(reached)
    tab.locator("details summary").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("details table").is_visible()
    tab.locator("#attention th button").first.focus()
    tab.keyboard.press("Space")
    assert tab.locator("#attention th").first.get_attribute("aria-sort") == "ascending"


def test_without_scripts_the_first_rows_stand_there(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(bad_night(), "utf-8")
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(path.as_uri())
    assert tab.locator("#attention tbody tr").count() == 50
    assert tab.locator(".filters:visible").count() == 0
    assert tab.get_by_text("The first 50 of 120; all are in outcome.csv.").is_visible()
    context.close()


def test_paper_needs_few_sheets_and_shows_no_buttons(shown: Shown, tmp_path: Path) -> None:
    tab = shown(bad_night())
    sheets = len(re.findall(rb"/Type /Page\b", tab.pdf(path=tmp_path / "page.pdf", format="A4")))
    tab.emulate_media(media="print")
    assert 3 <= sheets <= 9
    assert tab.locator(".filters:visible, .pager:visible, details:visible").count() == 0
    assert tab.evaluate(FAINT) == []


ON_PAPER = 688
"""Pixels between the margins of an A4 sheet: 182 mm."""
IN_LINES = """cells => cells.map(cell => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  return text.getClientRects().length;
})"""


def test_codes_on_paper_are_whole_and_the_heads_are_text_that_each_sheet_repeats(shown: Shown) -> None:
    codes = ("column_count:_surplus", "phone_invalid:phone", "attempts_exhausted")
    key = "cust-9debf169-2873-5117-afff-45156b5321bf"
    more = {"external_unique_id": key, "row_ref": "CRM-000001015", "reason": "not done after 5 attempts " * 3}
    rows = [row(number, "failed", reason_code=code, **more) for number, code in enumerate(codes, start=1)]
    tab = shown(page(summary(BAD, **went(BAD)), rows, []), width=ON_PAPER)
    tab.emulate_media(media="print")

    assert tab.locator("#attention td.reason_code").evaluate_all(IN_LINES) == [1, 1, 1]
    assert tab.evaluate("getComputedStyle(document.querySelector('#attention th button')).display") == "contents"


@pytest.mark.parametrize(("scheme", "width"), FORMS)
def test_a_sample_can_be_read_and_prints_one_row_a_sheet(shown: Shown, tmp_path: Path, scheme: str, width: int) -> None:
    sample = draw(run_folder(tmp_path / "r1").path, 4, 1)
    tab = shown(sample.to_html(), scheme, width)
    assert tab.evaluate(FAULTS) == []
    assert tab.evaluate(FAINT) == []
    assert len(re.findall(rb"/Type /Page\b", tab.pdf(format="A4"))) == 1 + len(sample.trails) <= sum(MIXED.values())


BROKEN = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [], broken = [];
  for (let node; (node = texts.nextNode()); )
    for (const option of node.data.matchAll(/--[a-z][a-z-]*/g)) {
      const range = document.createRange();
      range.setStart(node, option.index);
      range.setEnd(node, option.index + option[0].length);
      const lines = new Set([...range.getClientRects()].map(each => each.top));
      if (lines.size) found.push(option[0]);
      if (lines.size > 1) broken.push(option[0]);
    }
  return [found.length, broken];
}"""
"""How many options of commands are shown, and those that a line's end cuts in two."""


@pytest.mark.parametrize("width", [400, 470, 1280])
def test_no_option_of_a_command_is_cut_in_two(shown: Shown, width: int) -> None:
    steps = [
        NextStep(f"muster report {'x' * long} --decisions-template", f"{'y ' * long}--decisions") for long in range(40)
    ]

    count, broken = shown(page(summary(BAD, **went(BAD), next_steps=tuple(steps)), []), width=width).evaluate(BROKEN)

    assert count >= 40
    assert broken == []
