import json

import pytest

from jobs.model import MatchClass, Outcome
from jobs.reports.advice import CLASS_MEANINGS, OUTCOME_MEANINGS, advice
from jobs.reports.markdown import render_markdown
from jobs.reports.summary import Cause, Equation, Requests, ageing, book_equations
from jobs.reports.text import render_text
from jobs.reports.verdict import verdict

from .made import MIXED, summary


def test_the_document_has_what_the_contract_promises() -> None:
    document = json.loads(summary({"onboarded": 2}, next_command="muster resume").to_json())
    assert set(document["outcomes"]) == set(Outcome)
    assert set(document["reconciliation"]) == set(MatchClass)
    assert document["outcomes"]["failed"] == 0
    assert document["input"] == {
        "name": "customers.csv",
        "path": "in/customers.csv",
        "sha256": "ab" * 32,
        "rows": 2,
        "skipped_lines": 0,
    }
    assert document["requests"] == {"by_method": {"POST": 6}, "by_status": {"200": 6}, "mutating": 6}
    assert document["schema_version"] == 1
    assert (document["exit_code"], document["exit_meaning"]) == (0, "everything the command promised is true")


def test_reasons_add_up_over_outcomes() -> None:
    causes = (Cause("failed", "http_503", 3), Cause("in_doubt", "http_503", 1), Cause("failed", "redirected", 2))
    document = json.loads(summary(MIXED, causes=causes).to_json())
    assert document["reasons"] == {"http_503": 4, "redirected": 2}
    assert len(document["causes"]) == 3


def test_equations_hold_for_true_books_and_fail_for_a_lost_row() -> None:
    assert all(equation.ok for equation in book_equations(read=14, accepted=11, outcomes=MIXED))
    lost = book_equations(read=14, accepted=11, outcomes=MIXED | {"onboarded": 6})
    assert [equation.ok for equation in lost] == [True, False, False]
    unread = book_equations(read=15, accepted=11, outcomes=MIXED)
    assert [equation.ok for equation in unread] == [False, True, False]


OFF = Equation("rows read = rows in the ledger", 14, 13)
AWAY = Equation("onboarded = found at the target", 9, 8, "target")


@pytest.mark.parametrize(
    ("outcomes", "fields", "mood", "words"),
    [
        ({"onboarded": 3}, {}, "good", "3 rows, every customer onboarded"),
        ({"onboarded": 2, "already_onboarded": 1}, {}, "good", "(1 of them before this run)"),
        ({"already_onboarded": 1}, {}, "good", "1 row, onboarded before; nothing was changed"),
        ({}, {}, "good", "nothing to do"),
        ({"onboarded": 3, "pending": 1}, {"exit_code": 5}, "waiting", "1 row still waits"),
        ({"onboarded": 3, "failed": 1}, {"exit_code": 1}, "attention", "1 of 4 rows needs attention"),
        ({"onboarded": 3, "failed": 1}, {"exit_code": 0}, "attention", "1 of 4 rows needs attention"),
        (
            {"onboarded": 3},
            {"reconciliation": {"match": 2, "partial": 1}},
            "attention",
            "1 difference to the target stands",
        ),
        ({"onboarded": 9}, {"equations": (AWAY,)}, "attention", "another number of customers"),
        ({"onboarded": 3, "not_attempted": 2}, {"exit_code": 3}, "attention", "2 rows not attempted"),
        ({"onboarded": 3}, {"exit_code": 130}, "attention", "interrupted"),
        ({"onboarded": 3}, {"exit_code": 4}, "bad", "credential"),
        ({"onboarded": 3}, {"exit_code": 70}, "bad", "internal error"),
        ({"onboarded": 14}, {"equations": (OFF,), "exit_code": 0}, "bad", "do not balance"),
    ],
)
def test_the_verdict_says_the_strongest_thing(
    outcomes: dict[str, int], fields: dict[str, object], mood: str, words: str
) -> None:
    found = verdict(summary(outcomes, **fields))
    assert found.mood == mood
    assert words in found.sentence


def test_the_text_is_plain_aligned_and_complete() -> None:
    text = render_text(summary(MIXED, exit_code=1, next_command="muster retry x", equations=(OFF,), notes=("Late.",)))
    assert "  rows read          14\n  onboarded           7\n  already_onboarded   2\n" in text
    assert "NOT OK  rows read = rows in the ledger: 14 != 13" in text
    assert text.endswith("Exit code 1: finished, but rows need attention\nNext: muster retry x\n")
    assert "failed" not in text
    assert "\x1b" not in text


def test_hostile_names_cannot_drive_the_terminal() -> None:
    text = render_text(summary({"onboarded": 1}, notes=("a\x1b[31m\nred\u202e",), tenant="\x1b]0;x"))
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert "  a\\u001b[31m\\u000ared\\u202e\n" in text


def test_an_empty_run_renders_without_tables() -> None:
    text = render_text(summary({}, requests=Requests()))
    assert "There was nothing to do" in text
    assert "Sent" not in text


def test_ages_fall_into_every_class() -> None:
    assert list(ageing([0, 3599, 3600, 86_400, 259_200, 604_800, 1e9]).values()) == [2, 1, 1, 1, 2]
    assert sum(ageing([]).values()) == 0


def test_every_outcome_and_class_has_its_words() -> None:
    assert set(OUTCOME_MEANINGS) == set(Outcome)
    assert set(CLASS_MEANINGS) == set(MatchClass)
    assert all(advice(outcome, "unheard_of").endswith(".") for outcome in Outcome)
    assert advice("quarantined", "missing:email") != advice("quarantined", "phone_invalid:phone")


def test_secrets_do_not_reach_the_document() -> None:
    settings = {
        "password": "hunter2",
        "MUSTER_IDENTITY": "bob",
        "base_url": "https://bob:pw@host/x",
        "token_file": "/run/t",
    }
    document = json.loads(summary({}, settings=settings).to_json())
    assert document["settings"] == {
        "password": "***",
        "MUSTER_IDENTITY": "***",
        "base_url": "https://***@host/x",
        "token_file": "/run/t",
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost/eclipse", True),
        ("http://[::1]:1", True),
        ("https://eclipse.example", False),
        ("", False),
    ],
)
def test_a_run_at_a_stand_in_says_so_first(url: str, shown: bool) -> None:
    made = summary(MIXED, settings={"base_url": url})
    assert ("Not the real target" in render_text(made).splitlines()[1]) is shown
    assert ("Not the real target" in render_markdown(made)) is shown
