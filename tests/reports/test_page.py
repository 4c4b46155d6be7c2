import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.reports.bar import WIDTH, bar, share
from jobs.reports.folder import RunFolder
from jobs.reports.nights import MOST_NIGHTS, Night
from jobs.reports.page import FILES, INLINE_ROWS, page, write_page
from jobs.reports.summary import Cause, Equation, InputFile
from jobs.reports.totals import ControlTotal
from jobs.settings.settings import Settings

from .made import MIXED, row, rows_of, summary, went

EVIL = '</script><script>alert(1)</script><img src=x onerror="a">\x1b[31m\u202e\u2028{{7*7}}'


class Outline(HTMLParser):
    """Every tag with its attributes, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.inside = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[-1] += data


def carried(text: str) -> list[list[object]]:
    """The rows that lie in the page as data."""
    rows: list[list[object]] = json.loads(Outline(text).scripts[0])["rows"]
    return rows


def test_the_page_refers_to_nothing_outside() -> None:
    text = page(summary(MIXED), rows_of(MIXED))
    assert not re.search(r"https?://|//[a-z]|@import|url\(", re.sub(r'"//.*?\n', "", text.replace("// ", "")))
    for tag, attributes in Outline(text).tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert all((attributes.get(name) or "#").startswith("#") for name in ("src", "action"))
        place = attributes.get("href") or "#"
        assert place.startswith("#") or place in FILES
        assert not any(name.startswith("on") or name == "style" for name in attributes)


def test_the_policy_allows_the_pages_own_style_and_script_alone() -> None:
    text = page(summary(MIXED), rows_of(MIXED))
    [policy] = [attributes["content"] or "" for tag, attributes in Outline(text).tags if "http-equiv" in attributes]
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)[0]
    for content in (style, Outline(text).scripts[-1]):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_hostile_text_stays_text() -> None:
    facts = summary(
        {"rejected": 1},
        tenant=EVIL,
        input=InputFile(EVIL, EVIL, "ab" * 32, 1),
        causes=(Cause("rejected", EVIL, 1),),
        notes=(EVIL,),
        settings={EVIL: EVIL},
        warnings={EVIL: 1},
        next_command=EVIL,
    )
    text = page(facts, [row(1, "rejected", reason=EVIL, row_ref=EVIL)])
    harmless = Outline(page(summary({"rejected": 1}), [row(1, "rejected", reason="x", row_ref="x")]))
    assert len(Outline(text).scripts) == len(harmless.scripts) == 2
    assert not any(tag == "img" for tag, _ in Outline(text).tags)
    assert all(character.isprintable() or character in "\n\t" for character in text)
    assert "{{7*7}}" in text
    assert carried(text)[0][2] == EVIL.replace("\x1b", "\\u001b").replace("\u202e", "\\u202e").replace(
        "\u2028", "\\u2028"
    )


def test_every_count_stands_in_the_page_for_readers_without_scripts() -> None:
    text = page(summary(MIXED, exit_code=1, next_command="muster retry x"), rows_of(MIXED))
    for words in ("4 of 14 rows need attention", "muster retry x", "1: finished, but rows need attention"):
        assert words in text
    for name, count in MIXED.items():
        assert re.search(rf">{name}<.*?<td class=.number.>{count}<", text), name
    assert text.count('<td class="source_row" data-label="Row">') == 14


def test_100_000_rows_are_capped_and_the_rest_is_counted() -> None:
    facts = summary({"failed": 100_000}, exit_code=1)
    text = page(facts, (row(number, "failed", reason_code="http_503") for number in range(1, 100_001)))
    assert len(carried(text)) == INLINE_ROWS
    assert "80,000 more are in <code>outcome.csv</code>" in text
    assert text.count("<tr>") < 200
    assert len(text) < 6_000_000


def test_an_empty_run_has_a_page_without_a_table_of_rows(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r1")
    text = write_page(summary({}), [], folder).read_text("utf-8")
    assert "There was nothing to do" in text
    assert "No row needs attention." in text
    assert len(Outline(text).scripts) == 1


def test_pictures_have_words_for_those_who_cannot_see_them() -> None:
    text = page(summary(MIXED, **went(MIXED)), [])
    drawings = [attributes for tag, attributes in Outline(text).tags if tag == "svg"]
    named = [each["aria-labelledby"] or "" for each in drawings if each.get("role") == "img"]
    assert len(named) == 4
    assert len(set(named)) == 4
    for name in " ".join(named).split():
        assert re.search(rf'id="{name}">[^<]+<', text), name
    assert all(each.get("role") == "img" or each.get("aria-hidden") == "true" for each in drawings)
    assert "11 rows ended, of them 9 complete, 1 pending and 1 needing attention" in text
    assert "At most 1 of 60 calls allowed in any 3 s." in text


def test_a_run_without_a_known_limit_shows_its_busiest_minute() -> None:
    text = page(summary(MIXED, **went(MIXED, limit=None)), [])
    assert "Calls in any 1 min; the target documents no limit" in text
    assert "At most 11 calls in any 1 min; no limit was known." in text
    assert 'class="limit"' not in text


def test_a_run_of_one_row_that_was_never_sent_has_no_charts() -> None:
    text = page(summary({"quarantined": 1}, **went({"quarantined": 1})), [])
    assert "Nothing was sent, so there is nothing to draw." in text
    assert 'class="funnel"' in text


def test_differences_stand_beside_the_rows_that_need_attention() -> None:
    found = [
        {"source_row": 7, "class": "field_difference", "field": "email", "file_value_masked": EVIL, "similarity": 88.5}
    ]
    text = page(summary({"onboarded": 9}, reconciliation={"match": 8, "field_difference": 3_000}), [], found)
    assert "2,999 more are in <code>reconciliation.csv</code>" in text
    assert carried(text)[0][:3] == [7, "field_difference", "email"]
    assert carried(text)[0][-1] == 88.5
    assert "<img" not in text
    assert "found no difference" in page(summary({"onboarded": 9}, reconciliation={"match": 9}), [])


def test_a_total_that_one_source_alone_knows_stands_apart_and_is_not_called_agreed() -> None:
    totals = (
        ControlTotal("rows", 14, 14, None),
        ControlTotal("customers created", None, 7, None),
        ControlTotal("rows conflict", None, 1, None),
        ControlTotal("rows adopted", None, 0, None),
        ControlTotal("hash total of phones", "198bcf939ab00a90", "198bcf939ab00a91", None),
    )
    text = page(summary(MIXED, equations=(), control_totals=totals), [])
    lines = re.findall(r'<th scope="row">(.*?)</th>.*?(ok|not ok)</span></td></tr>', text)
    found = {name: mark for name, mark in lines if name in {total.name for total in totals}}
    assert found == {"rows": "ok", "hash total of phones": "not ok"}
    alone = text.partition("What only one source knows")[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', alone) == ["customers created"]
    assert "do not balance" in text


def test_the_head_names_file_duration_and_files_and_both_readers_find_their_answer() -> None:
    text = page(summary(MIXED, reconciliation={"match": 9, "partial": 2}), rows_of(MIXED), files={"outcome.csv": "x"})
    head = text.partition('<section aria-labelledby="outcomes">')[0]
    for words in ('<p class="file">customers.csv</p>', "<dd>5 min</dd>", '<a href="outcome.csv"', "2 differences"):
        assert words in head
    assert re.search(r"Books</dt><dd><a [^>]+>balance</a>", head)
    unread = page(summary({"onboarded": 9}, reconciliation={"match": 8, "unverified": 1}), [])
    assert re.search(r">not all read</a> <small>8 match, 1 not read", unread)
    assert re.search(r"Need attention</dt><dd><a [^>]+>4</a>", head)
    assert "report.xlsx" not in text
    ids = {attributes["id"] for _, attributes in Outline(text).tags if "id" in attributes}
    leads = {attributes["href"] or "" for tag, attributes in Outline(text).tags if tag == "a"}
    assert {place[1:] for place in leads if place.startswith("#")} <= ids


def test_only_settings_that_somebody_chose_are_shown() -> None:
    chosen = {**Settings().shown(), "rate": "60/180", "run_id": "x", "eclipse.currency": "ZAR", "passwords": ""}
    text = page(summary(MIXED, settings=chosen), [])
    shown = re.findall(r'<th scope="row">([^<]+)</th><td class="break">([^<]*)</td>', text)
    assert dict(shown) == {"rate": "60/180", "eclipse.currency": "ZAR"}
    assert "Every setting had its default." in page(summary(MIXED, settings=Settings().shown()), [])


def test_each_rule_of_the_validation_has_a_line_with_rows_share_and_an_example() -> None:
    causes = (
        Cause("quarantined", "missing:email", 2, (3, 9)),
        Cause("quarantined", "phone_invalid:phone", 1, (3,)),
        Cause("conflict", "phone_taken", 1, (5,)),
    )
    both = "line 4: phone is not a number; nor a short one; email is missing"
    rows = [row(3, "quarantined", reason=both), row(5, "conflict", reason="taken")]
    text = page(summary({"onboarded": 16, "quarantined": 3, "conflict": 1}, causes=causes), rows)
    table = text.partition('<table class="rules">')[2].partition("</table>")[0]
    lines = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in table.split("<tr>")[2:]]
    assert lines == [
        ["2", "10.0 %", "3, 9", "line 4: email is missing"],
        ["1", "5.0 %", "3", "line 4: phone is not a number; nor a short one"],
    ]
    assert "Validation rules" not in page(summary({"onboarded": 1}), [])


def test_the_nights_before_are_a_picture_and_a_table_when_there_were_some() -> None:
    nights = [
        Night(f"r{number}", "run", "c.csv", 1_795_227_300_000 + 86_400_000 * number, 9, {"onboarded": 9}, 60_000, 0)
        for number in range(40)
    ]
    limited = replace(nights[-1], limits={"calls": 60, "peak": 34}, exit_code=None, outcomes={"failed": 9})
    text = page(summary(MIXED), [], nights=[*nights[:-1], limited])
    table = text.partition('<table class="nights cards">')[2].partition("</table>")[0]
    shown = re.findall(r'<th scope="row" data-label="Run">(.*?)</th>', table)
    assert shown == [f"r{number}" for number in range(39, 39 - MOST_NIGHTS, -1)]
    assert "34 of 60" in table.partition("r38")[0]
    assert "open" in table.partition("r38")[0]
    assert 'id="nights"' not in page(summary(MIXED), [], nights=nights[:1])


def test_each_printed_sheet_names_run_and_page_and_the_name_can_end_no_rule() -> None:
    text = page(summary(MIXED, run_id='x"; } </style> \\'), [])
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert 'counter(page) " of " counter(pages)' in style
    assert r'content: "muster, run x\22 \3b  \7d  \3c \2f style\3e  \5c ' in style


def test_headings_go_down_one_level_at_a_time() -> None:
    tags = [tag for tag, _ in Outline(page(summary(MIXED, **went(MIXED)), rows_of(MIXED))).tags]
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_an_equation_that_does_not_hold_is_seen() -> None:
    off = Equation("rows read = rows in the ledger", 14, 12)
    text = page(summary(MIXED, equations=(off,)), [])
    assert text.count("✕ not ok</span>") == 1
    assert "✓ ok" not in text
    assert "do not balance" in text


def test_marks_and_numbers_stand_for_themselves_where_colours_cannot() -> None:
    text = page(summary(MIXED), [])
    [description] = re.findall(r'<desc id="bar-text">(.*?)</desc>', text)
    assert description.startswith("onboarded 7 (50.0 %), already_onboarded 2 (14.3 %), quarantined 3")
    assert "✓ ok" in text


@pytest.mark.parametrize(
    "counts", [{"a": 1}, {"a": 10**6, "b": 1}, {"a": 3, "b": 0, "c": 5}, dict.fromkeys("abcdefghijk", 1)]
)
def test_the_bar_shows_every_outcome_and_fills_its_width(counts: dict[str, int]) -> None:
    pieces = bar(counts)
    assert [piece.name for piece in pieces] == [name for name, count in counts.items() if count]
    assert sum(piece.width for piece in pieces) == pytest.approx(WIDTH, abs=0.1)
    assert all(piece.drawn >= 1 for piece in pieces)
    assert bar({"a": 0}) == ()


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [(0, 9, ""), (9, 9, "100 %"), (1, 3, "33.3 %"), (1, 10**6, "< 0.1 %"), (10**6 - 1, 10**6, "99.9 %"), (0, 0, "")],
)
def test_shares_never_round_to_nothing_or_to_all(count: int, total: int, text: str) -> None:
    assert share(count, total) == text


def palettes() -> list[dict[str, str]]:
    """The light and the dark colours by name."""
    style = files("jobs.reports").joinpath("report.css").read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--(\w+(?:-\w+)?): (#[0-9a-f]{6})", block)) for block in style.split("@media screen")[:2]
    )
    return [light, dark]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""
    shades = sorted((luminance(one), luminance(other)), reverse=True)
    return (shades[0] + 0.05) / (shades[1] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_text_and_pieces_of_the_bar_have_the_contrast_that_wcag_aa_asks(palette: dict[str, str]) -> None:
    for mood in ("good", "waiting", "attention", "bad"):
        assert contrast(palette[mood], palette[f"{mood}-back"]) >= 4.5, mood
        assert contrast(palette["ink"], palette[f"{mood}-back"]) >= 4.5, mood
    for text in ("ink", "soft", "link", "good", "bad"):
        assert min(contrast(palette[text], palette[ground]) for ground in ("sheet", "page", "faint")) >= 4.5, text
    for picture in ("passed", "limit"):
        assert contrast(palette[picture], palette["sheet"]) >= 3, picture
    for outcome in MIXED | dict.fromkeys(
        ("rejected", "declined", "not_eligible", "failed", "in_doubt", "not_attempted")
    ):
        assert contrast(palette[outcome], palette["sheet"]) >= 3, outcome
