"""An auditor's sample is drawn from evidence that verifies, and belongs to it afterwards."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.evidence.events import read_events
from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def ended(muster: Muster, file_of: Filed) -> Ended:
    return muster("run", file_of([*people(6), person(7, "Kycfail"), person(8, phone="1")]))


def test_a_sample_is_reproducible_and_under_the_seal(muster: Muster, sandbox: Sandbox, ended: Ended) -> None:
    calls = len(sandbox.journal())
    (muster.folder / "customers.csv").unlink()
    first = muster("report", "run-1", "--sample", "3", "--seed", "7")
    assert (first.code, "3 of 8 rows drawn with seed 7" in first.stdout) == (0, True)
    files = [ended.folder / "sample-3-7.html", ended.folder / "sample-3-7.csv", ended.folder / "SHA256SUMS"]
    before = [path.read_bytes() for path in files[:2]]
    assert muster("verify", "run-1").code == 0
    assert muster("report", "run-1", "--sample", "3", "--seed", "7").code == 0
    assert muster("report", "run-1", "--sample", "1", "--by-outcome").stdout.startswith("3 of 8 rows drawn")
    assert muster("verify", "run-1").code == 0
    del files[2]
    assert [path.read_bytes() for path in files] == before
    assert len(sandbox.journal()) == calls


def test_a_trail_holds_every_event_of_its_row(muster: Muster, ended: Ended) -> None:
    shown = json.loads(muster("report", "run-1", "--sample", "8", "--output", "json").stdout)
    page = (ended.folder / "sample-8-1.html").read_text("utf-8")
    events = list(read_events(ended.folder / "events.ndjson"))
    with (ended.folder / "sample-8-1.csv").open(newline="", encoding="utf-8") as lines:
        listed = list(csv.DictReader(lines))
    assert shown["rows"] == [int(line["source_row"]) for line in listed] == list(range(1, 9))
    for event in (event for event in events if "source_row" in event):
        assert f'<th scope="row">{event["n"]}</th>' in page
        assert event.get("trace_id", "") in page
    assert sum(int(line["events"]) for line in listed) == sum("source_row" in event for event in events)
    assert listed[6]["outcome"] == "declined"


def test_no_sample_is_drawn_from_evidence_that_was_changed(muster: Muster, ended: Ended) -> None:
    path = ended.folder / "events.ndjson"
    path.write_bytes(path.read_bytes().replace(b"customer", b"Customer", 1))
    refused = muster("report", "run-1", "--sample", "3")
    assert refused.code == 7
    assert "does not verify" in refused.stderr
    assert list(ended.folder.glob("sample-*")) == []


def test_a_sample_that_cannot_be_drawn_is_refused(muster: Muster, ended: Ended) -> None:
    for wrong in (["--seed", "3"], ["--by-outcome"], ["--sample", "0"], ["--sample", "1001"], ["--sample", "x"]):
        assert muster("report", "run-1", *wrong).code == 2, wrong
    assert list(ended.folder.glob("sample-*")) == []
