"""How well the plan of a run predicted it: scored by class, with the rows that came otherwise."""

import csv
from collections import Counter
from collections.abc import Iterator

import orjson
import polars as pl

from jobs.model import Outcome
from jobs.reports.folder import RunFolder
from jobs.reports.summary import Scored
from jobs.windows import A_WINDOW

PLAN_FILE, APPROVAL_FILE, SCORED = "plan.json", "plan-approval.json", "prediction.csv"

_DONE = frozenset({Outcome.ONBOARDED, Outcome.PENDING})
MEANS: dict[str, frozenset[str]] = {
    "create": _DONE,
    "finish": _DONE,
    "unknown": _DONE,
    "nothing": frozenset({Outcome.ALREADY_ONBOARDED}),
    "unreadable": frozenset(Outcome),
}
"""The outcomes that a predicted verdict promises; an outcome promises itself."""


def in_windows(table: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows of a Parquet file, so many at a time that memory does not grow with it."""
    rows = int(table.select(pl.len()).collect().item())
    for offset in range(0, rows, A_WINDOW):
        yield table.slice(offset, A_WINDOW).collect()


def score(folder: RunFolder) -> tuple[Scored, ...]:
    """Compares `plan.json` with `outcome.parquet` of the folder, writes `prediction.csv`; empty without a plan.

    `prediction.csv` has a line for each row that came otherwise: `source_row`, `predicted`, `outcome`, `reason_code`.
    """
    path = folder.path / PLAN_FILE
    if not path.exists():
        return ()
    spans = orjson.loads(path.read_bytes())["plan"]["predicted"]
    starts = pl.DataFrame(spans, schema={"first": pl.Int64, "last": pl.Int64, "predicted": pl.String}, orient="row")
    rows, came = Counter[str](), Counter[str]()
    ended = pl.scan_parquet(folder.path / "outcome.parquet", glob=False).select("source_row", "outcome", "reason_code")
    with folder.open_atomic(SCORED) as draft, draft.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(("source_row", "predicted", "outcome", "reason_code"))
        for frame in in_windows(ended):
            joined = frame.join_asof(starts.sort("first"), left_on="source_row", right_on="first")
            for row, outcome, reason, predicted in joined.select(
                "source_row", "outcome", "reason_code", "predicted"
            ).iter_rows():
                rows[predicted] += 1
                if outcome in MEANS.get(predicted, {predicted}):
                    came[predicted] += 1
                else:
                    lines.writerow((row, predicted, outcome, reason or ""))
    return tuple(Scored(name, count, came[name]) for name, count in sorted(rows.items()))
