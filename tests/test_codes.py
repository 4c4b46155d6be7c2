"""Every code has one place that says what it means and what to do; advice, docs and `muster codes` are made of it."""

import json
import re
from pathlib import Path

import pytest

from jobs.__main__ import status
from jobs.codes.exits import EXITS, FAILURES
from jobs.codes.outcomes import CLASSES, OUTCOMES
from jobs.codes.reasons import REASONS
from jobs.codes.validation import REFUSALS, WARNINGS
from jobs.errors import WORDS, ExitCode
from jobs.model import MatchClass, Outcome
from jobs.reports.advice import advice
from schemas import sentences

JOBS = Path(__file__).parents[1] / "jobs"


def test_every_code_that_a_row_may_end_with_is_explained() -> None:
    found = set()
    for folder in ("systems", "engine", "run"):
        for source in (JOBS / folder).rglob("*.py"):
            text = source.read_text(encoding="utf-8")
            found |= set(re.findall(r'(?:Ended|Unclear|Doubted)\(\s*(?:Outcome\.[A-Z_]+,\s*)?"([a-z_]+)"', text))
            found |= set(re.findall(r'\.policy\(\s*"([a-z_]+)"', text))

    assert len(found) > 40
    assert found - {code.name for code in REASONS} == set()


def test_every_outcome_class_exit_code_and_failure_is_explained() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(CLASSES) == set(MatchClass)
    assert set(EXITS) == set(ExitCode)
    assert {code.name for code in FAILURES} == {*WORDS.values(), "usage", "ledger", "machine", "undelivered"}


def test_every_code_of_the_validation_is_explained() -> None:
    assert {code.name for code in REFUSALS} == set(sentences._PHRASES) - {"phone_double"}
    assert {code.name for code in WARNINGS} == set(sentences._REMARKS)


def test_a_code_is_explained_once_with_two_sentences() -> None:
    names = [(code.of, code.name) for code in REASONS]

    assert len(names) == len(set(names))
    assert all(code.meaning and not code.meaning.endswith(".") and code.action.endswith(".") for code in REASONS)


def test_nothing_advises_to_work_in_the_folder_of_a_run() -> None:
    said = " ".join(code.action for code in (*REASONS, *OUTCOMES.values(), *CLASSES.values(), *EXITS.values()))

    assert "quarantine.csv" not in said


def test_advice_is_that_of_the_code_and_else_that_of_the_outcome() -> None:
    assert advice("quarantined", "missing:email;phone_invalid:phone").startswith("Fill the field")
    assert advice("rejected", "E4711") == OUTCOMES["rejected"].action
    assert advice("nonsense") == "Look at the row."


def test_the_command_lists_all_or_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["codes"]) == 0
    listed = capsys.readouterr().out
    assert status(["codes", "phone_taken", "--output", "json"]) == 0
    one = json.loads(capsys.readouterr().out)

    assert all(f"  {code.name} ({code.of}): {code.meaning}" in listed for code in REASONS)
    assert one["exit_codes"] == []
    assert [code["outcome"] for code in one["reason_codes"]] == ["conflict"]


def test_an_unknown_code_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["codes", "phone_token"]) == 2
    assert "did you mean 'phone_taken'" in capsys.readouterr().err
