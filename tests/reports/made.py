"""Made-up runs for the tests of the report files. No personal data."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from jobs.evidence.events import write_events
from jobs.evidence.verify import write_manifest
from jobs.model import ATTENTION, Rate
from jobs.reports.course import UNSENT, course
from jobs.reports.folder import RunFolder
from jobs.reports.funnel import funnel
from jobs.reports.next_steps import NextStep
from jobs.reports.outcome import write_outcome
from jobs.reports.page import write_page
from jobs.reports.reconciliation import write_reconciliation
from jobs.reports.summary import Cause, InputFile, Requests, Summary, book_equations
from schemas.outcome import OUTCOME_SCHEMA
from schemas.reconciliation import RECONCILIATION_SCHEMA

RUN_ID = "20261121T021500Z-7f3a"
LIMIT = Rate(60, 3.0)
STARTED_MS = 1_795_227_300_000
MIXED = {"onboarded": 7, "already_onboarded": 2, "quarantined": 3, "conflict": 1, "pending": 1}


def row(source_row: int, outcome: str = "onboarded", **cells: object) -> dict[str, object]:
    """One line of `outcome.csv`."""
    empty: dict[str, object] = dict.fromkeys(OUTCOME_SCHEMA)
    return empty | {"source_row": source_row, "outcome": outcome, "run_id": RUN_ID, "attempts": 0} | cells


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows as a frame; columns that the schema doesn't know are text."""
    extra = [column for column in (rows[0] if rows else {}) if column not in OUTCOME_SCHEMA]
    return pl.DataFrame(rows, schema=OUTCOME_SCHEMA | dict.fromkeys(extra, pl.String()))


def break_frame(classes: list[str]) -> pl.DataFrame:
    """Lines of `reconciliation.csv`, one for each class."""
    rows = [dict.fromkeys(RECONCILIATION_SCHEMA) | {"class": name} for name in classes]
    return pl.DataFrame(rows, schema=RECONCILIATION_SCHEMA)


def summary(outcomes: Mapping[str, int], **fields: object) -> Summary:
    """The summary of a run that ended with `outcomes`; `fields` replace what is made up."""
    rows = sum(outcomes.values())
    accepted = rows - outcomes.get("quarantined", 0)
    if "next_command" in fields:
        fields["next_steps"] = (NextStep(str(fields.pop("next_command"))),)
    facts: dict[str, object] = {
        "run_id": RUN_ID,
        "system": "eclipse",
        "tenant": "4711",
        "command": "run",
        "started_at": "2026-11-21T02:15:00.000Z",
        "ended_at": "2026-11-21T02:20:00.000Z",
        "input": InputFile("customers.csv", "in/customers.csv", "ab" * 32, rows),
        "outcomes": outcomes,
        "causes": tuple(Cause(name, "a_reason", count) for name, count in outcomes.items() if name in ATTENTION),
        "requests": Requests({"POST": 3 * accepted}, {"200": 3 * accepted}, 3 * accepted),
        "equations": book_equations(read=rows, accepted=accepted, outcomes=outcomes),
    }
    return Summary(**(facts | fields))  # type: ignore[arg-type]


def went(outcomes: Mapping[str, int], limit: Rate | None = LIMIT, seconds: int = 60) -> dict[str, Any]:
    """`course` and `funnel` of a summary: every row that was sent ended at the KYC after one call, evenly spread."""
    sent = [name for name, count in outcomes.items() if name not in UNSENT for _ in range(count)]
    moments: list[tuple[object, ...]] = []
    for number, name in enumerate(sent):
        at = STARTED_MS + 1000 * seconds * number // len(sent)
        status = 503 if number % 10 == 9 else 200
        moments += [
            (at, "intent", str(number), "kyc", 1, None, None, None),
            (at + 40, "result", str(number), "kyc", 1, "done", status, None),
            (at + 40, "outcome", str(number), None, None, name, None, None),
        ]
    ends = {(name, None if name == "onboarded" else "kyc", True): count for name, count in outcomes.items()}
    return {
        "course": course(moments, started_ms=STARTED_MS, ended_ms=STARTED_MS + 1000 * seconds, limit=limit),
        "funnel": funnel(sum(outcomes.values()), ends, ("customer", "kyc", "wallet")),
    }


def rows_of(outcomes: Mapping[str, int]) -> Iterator[dict[str, object]]:
    """As many rows as `outcomes` says, numbered from 1."""
    names = [name for name, count in outcomes.items() for _ in range(count)]
    for number, name in enumerate(names, start=1):
        yield row(number, name, reason_code="a_reason" if name in ATTENTION else None)


def told(row: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """The events of a row as the ledger tells them: its end."""
    known = {"verdict": "outcome", "detail": "reason_code", "step": "failed_step", "key": "external_unique_id"}
    ends = {name: row[column] for name, column in known.items() if row[column] is not None}
    yield {"at": "2026-11-21T02:15:01.000Z", "kind": "outcome", "source_row": row["source_row"], **ends}


def run_folder(path: Path, outcomes: Mapping[str, int] = MIXED) -> RunFolder:
    """A whole run on disk, with its evidence."""
    folder = RunFolder.create(path)
    rows = list(rows_of(outcomes))
    write_outcome([frame(rows)], folder)
    write_reconciliation([break_frame(["match"] * 9 + ["not_sent"] * 5)], folder)
    chain = write_events((event for each in rows for event in told(each)), folder)
    facts = summary(outcomes, reconciliation={"match": 9, "not_sent": 5})
    folder.write_bytes("summary.json", facts.to_json())
    write_page(facts, [each for each in rows if each["outcome"] in ATTENTION], folder)
    write_manifest(folder, {"run_id": RUN_ID, "input": {"sha256": facts.input.sha256}}, chain=chain)
    return folder
