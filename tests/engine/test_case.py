"""One row on its way: what the quick ways say is what the long ways say."""

from dataclasses import replace

import pytest

from jobs.engine.case import Case
from jobs.engine.opening import Taking, left_out, open_case
from jobs.keys import Pseudonyms
from jobs.model import Outcome
from jobs.systems.row import Row

PSEUDONYMS = Pseudonyms(b"k" * 32)
VALUES = {"first_name": "Thandi", "phone": "27821234567", "national_id": "9001015009086", "email": "t@example.com"}
ROW = Row(7, "CRM-7", "cust-0000007", VALUES, "2782*****67", "*********9086", "phone_guessed:phone")


@pytest.mark.parametrize("row", [ROW, replace(ROW, row_ref=None, warnings=None)])
@pytest.mark.parametrize("reason", ["interrupted", "deadline", "canary"])
def test_a_row_that_a_stopped_run_did_not_come_to_ends_as_a_case_would_that_was_opened_and_left(
    row: Row, reason: str
) -> None:
    case = open_case(row, None, "run-1", PSEUDONYMS, Taking(), 1_000)
    assert isinstance(case, Case)
    outcome, code, step = case.standing(reason)

    assert left_out(row, "run-1", PSEUDONYMS, reason, "why", 1_000) == case.end(outcome, code, "why", step, 1_000)


@pytest.mark.parametrize("warnings", [None, "personal_key:external_unique_id"])
def test_a_row_that_was_left_out_is_written_down_as_a_fresh_case_would_be(warnings: str | None) -> None:
    row = Row(3, "CRM-3", "cust-3", {"phone": "27820000003", "national_id": "3"}, "2782*", "*3", warnings)
    case = open_case(row, None, "run-1", PSEUDONYMS, Taking(), 5)
    assert isinstance(case, Case)
    outcome, code, step = case.standing("interrupted")

    left = left_out(row, "run-1", PSEUDONYMS, "interrupted", "the run was interrupted", 5)

    assert (outcome, step) == (Outcome.NOT_ATTEMPTED, None)
    assert left == case.end(outcome, code, "the run was interrupted", step, 5)
