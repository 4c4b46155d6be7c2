"""An auditor's sample of a run: rows drawn by a rule that anybody can repeat, each with its trail on one page.

Made from the evidence in the run's folder alone, without ledger, input file or network. It judges no row.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from heapq import nsmallest
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from jobs.reports.rendering import printed_foot, rendered
from jobs.reports.spreadsheet import guard
from jobs.value import value
from schemas.outcome import OUTCOME_SCHEMA

RULE = "SHA-256 of seed|input|row, the smallest first"
"""How rows are drawn: the hash of `<seed>|<SHA-256 of the input in hex>|<source_row>`, ascending. Chosen: it needs no
generator of random numbers, which others would have to have in the same version."""

TO_FILL_IN = ("checked_by", "result", "remark")
"""Empty columns behind the row, for the auditor."""


@value
class Trail:
    """One row of the sample with all that the evidence says of it."""

    row: Mapping[str, Any]
    """Its line of the outcome."""
    draw: str
    """The hash by which it was drawn, in hex."""
    events: list[Mapping[str, Any]] = field(default_factory=list)
    """Its events, oldest first; with `n`, their line, and `hash` where each has one of its own."""
    lines: list[Mapping[str, Any]] = field(default_factory=list)
    """Its lines of the reconciliation."""


@value
class Sample:
    """`size` rows of a run, or of each of its outcomes; all when there are fewer. In input order."""

    size: int
    seed: int
    summary: Mapping[str, Any]
    """summary.json of the run."""
    trails: Sequence[Trail]
    by_outcome: bool = False
    """Whether so many rows of each outcome were drawn, so that the rare ones are in it."""

    @property
    def name(self) -> str:
        """The name of its files, without their ending."""
        return f"sample-{self.size}-{self.seed}" + ("-by-outcome" if self.by_outcome else "")

    @property
    def drawn_from(self) -> list[tuple[str, int, int]]:
        """Each outcome with its rows in the sample and in the run."""
        drawn = Counter(str(trail.row["outcome"]) for trail in self.trails)
        counts: Mapping[str, int] = self.summary["outcomes"]
        return [(outcome, drawn[outcome], rows) for outcome, rows in counts.items() if rows]

    def to_html(self) -> str:
        """A page that needs nothing else; printed, each row begins a new sheet."""
        foot = printed_foot(f"muster, run {self.summary['run_id']}, sample of seed {self.seed}")
        return rendered("sample.html.j2", "sample.css", foot=foot, sample=self, summary=self.summary, rule=RULE)

    def to_csv(self) -> str:
        """A line for each row, as in outcome.csv, and columns to be filled in."""
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(["draw", *OUTCOME_SCHEMA, "events", "reconciliation", *TO_FILL_IN])
        for trail in self.trails:
            cells = [_cell(trail.row.get(column)) for column in OUTCOME_SCHEMA]
            classes = ";".join(sorted({line["class"] for line in trail.lines}))
            lines.writerow([trail.draw, *cells, len(trail.events), classes, *("" for _ in TO_FILL_IN)])
        return text.getvalue()


def draw(
    folder: Path, events: Iterable[Mapping[str, Any]], size: int, seed: int, *, by_outcome: bool = False
) -> Sample:
    """Draws from the files of a run: outcome.parquet, events.ndjson, reconciliation.parquet, summary.json.

    `events`: those of events.ndjson, with `n`, their line.
    `by_outcome`: `size` rows of each outcome, by the same rule, in the place of `size` rows in all.
    """
    summary = orjson.loads((folder / "summary.json").read_bytes())
    outcome = pl.scan_parquet(folder / "outcome.parquet", glob=False)
    rows = outcome.select("source_row", pl.col("outcome").cast(pl.String)).collect()
    parts = rows.partition_by("outcome") if by_outcome else [rows]
    drawn = {
        row: digest
        for part in parts
        for digest, row in drawn_rows(part["source_row"], size, seed, summary["input"]["sha256"])
    }
    wanted = pl.col("source_row").is_in(list(drawn))
    found = outcome.filter(wanted).collect().iter_rows(named=True)
    trails = {row["source_row"]: Trail(row, drawn[row["source_row"]]) for row in found}
    for event in events:
        if event.get("source_row") in trails:
            trails[event["source_row"]].events.append(event)
    lines = pl.scan_parquet(folder / "reconciliation.parquet", glob=False).filter(wanted).collect()
    for line in lines.iter_rows(named=True):
        trails[line["source_row"]].lines.append(line)
    return Sample(size, seed, summary, [trails[row] for row in sorted(trails)], by_outcome)


def drawn_rows(rows: Iterable[int], size: int, seed: int, sha256: str) -> list[tuple[str, int]]:
    """(hash, source row) of those that `RULE` draws; `sha256`: of the input, in hex."""
    return nsmallest(size, ((hashlib.sha256(f"{seed}|{sha256}|{row}".encode()).hexdigest(), row) for row in rows))


def _cell(value: object) -> str:
    return "" if value is None else guard(str(value))
