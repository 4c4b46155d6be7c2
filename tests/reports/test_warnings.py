"""Warnings of the validation: by name and count in every report, and never a night that went well over damage."""

from dataclasses import replace

from jobs.reports.markdown import render_markdown
from jobs.reports.page import page
from jobs.reports.text import render_text
from jobs.reports.verdict import verdict

from .made import summary

WARNED = {"null_word:last_name": 2, "leading_zeros_lost:national_id": 1200}


def test_every_warning_is_shown_by_name_and_count() -> None:
    made = summary({"onboarded": 1200}, warnings=WARNED)
    text, markdown, html = render_text(made), render_markdown(made), page(made, ())
    assert "leading_zeros_lost:national_id  1,200" in text
    assert "Warnings: null\\_word:last\\_name 2, leading\\_zeros\\_lost:national\\_id 1,200." in markdown
    banner = html[html.index('class="verdict') : html.index('id="outcomes"')]
    assert "leading_zeros_lost:national_id 1,200, null_word:last_name 2." in banner


def test_a_night_with_damaged_identity_numbers_did_not_go_well() -> None:
    well = summary({"onboarded": 1200})
    assert verdict(well).mood == "good"
    told = verdict(replace(well, warnings=WARNED))
    assert told.mood == "attention"
    assert "1,200 identity numbers seem to have lost zeros" in told.sentence
    waiting = verdict(summary({"pending": 1200}, warnings=WARNED))
    assert waiting.mood == "attention"
    assert "went well" not in waiting.sentence
