"""What the report of a stopped run leaves out, and says so."""

import pytest

from jobs.publishing.findings import Findings
from jobs.publishing.publish import WORKBOOK_LATER, noted, workbook_left_out
from jobs.reports import workbook


def test_only_the_workbook_of_a_large_stopped_run_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "installed", lambda: True)

    assert workbook_left_out(workbook.MOST_ROWS + 1, hurried=True) == WORKBOOK_LATER
    assert workbook_left_out(workbook.MOST_ROWS, hurried=True) is None
    assert workbook_left_out(workbook.MOST_ROWS + 1, hurried=False) is None


def test_a_report_that_has_its_workbook_no_longer_says_that_it_was_left_out() -> None:
    stopped = noted(Findings(notes=("one",)), WORKBOOK_LATER)

    assert stopped.notes == ("one", WORKBOOK_LATER)
    assert noted(stopped, None).notes == ("one",)
