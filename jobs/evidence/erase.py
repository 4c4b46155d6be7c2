"""Erases what is personal from a run's folder and seals it anew: the counts, the chain and the earlier manifest stay.

The manifest says what was erased, when, by whom, of how many rows, and which files are gone, with their hashes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from jobs.evidence.events import Chain, read_events, write_events
from jobs.evidence.later import later_folders
from jobs.evidence.manifest import MANIFEST, SIGNATURE, STAMP, facts_of
from jobs.evidence.sums import SUMS, files_of, sha256
from jobs.keys import DERIVED, HIDDEN, is_hidden
from jobs.ledger.erase import decision_left, personal_of_events
from jobs.privacy.age_files import ENDING
from jobs.reports.folder import RunFolder
from jobs.reports.outcome import write_outcome
from jobs.reports.reconciliation import write_reconciliation
from jobs.value import value
from jobs.windows import A_WINDOW
from schemas.outcome import OUTCOME
from schemas.reconciliation import RECONCILIATION
from schemas.report_column import ReportColumn, personal

KEPT = {MANIFEST, SIGNATURE, STAMP, SUMS, "verify.py", "README-AUDITOR.md", "summary.json", "events.ndjson"}
KEPT |= {f"{name}.{kind}" for name in ("outcome", "reconciliation") for kind in ("csv", "parquet")}
"""All other files are removed: they repeat what these hold, or the input itself."""

Seal = Callable[[RunFolder, Mapping[str, object], Chain | None], None]
"""Seals a folder with facts and the ends of its chain."""


@value
class Erasure:
    """What is to be erased. `rows` None: of every row what shows a person; else all that leads to these source rows."""

    what: str
    at: str
    by: str
    rows: frozenset[int] | None
    quarantined: frozenset[int] = frozenset()
    """Data lines of `quarantine.csv`, from 0, that go; all of them when `rows` is None."""
    leading: frozenset[int] = frozenset()
    """Source rows whose keys go too, where `rows` is None."""

    @property
    def forgotten(self) -> bool:
        """Whether persons are forgotten, not whole runs purged."""
        return self.rows is not None

    def profiles(self, run: Path) -> frozenset[str]:
        """The customers of the rows concerned, whom profiles are named by, as long as the run's table names them."""
        table = run / "outcome.parquet"
        if not table.exists():
            return frozenset()
        concerned = pl.scan_parquet(table, glob=False).filter(_concerned(self)).select("customer_id").collect()
        return frozenset(concerned["customer_id"].drop_nulls())


KEYS = ("external_unique_id", "wallet_external_unique_id")


def leading(run: Path) -> frozenset[int]:
    """The source rows of a run whose keys may lead to a person: hidden ones, and those that an older muster derived."""
    table = run / "outcome.parquet"
    if not table.exists():
        return frozenset()
    found = pl.scan_parquet(table, glob=False).filter(LEADS).select("source_row").collect()
    return frozenset(found["source_row"])


_KEY = pl.col(KEYS[0]).fill_null("")
LEADS = _KEY.str.contains(f"^{HIDDEN}$") | (pl.col("row_ref").is_null() & _KEY.str.contains(f"^{DERIVED}$"))


def erase(folder: RunFolder, erasure: Erasure, seal: Seal) -> None:
    """Erases in the folder and in the later ones inside it; each is sealed anew. Downloaded profiles go."""
    gone = erasure.profiles(folder.path)
    if not erasure.forgotten:
        erasure = replace(erasure, leading=leading(folder.path))
    for path in later_folders(folder.path):
        its = RunFolder.existing(path)
        if path.name.startswith("profiles-"):
            erase_profiles(its, erasure, gone, seal)
        else:
            _erase_one(its, erasure, seal)
    _erase_one(folder, erasure, seal)


def erase_profiles(folder: RunFolder, erasure: Erasure, gone: frozenset[str], seal: Seal) -> None:
    """Removes the profiles of the customers `gone` in a folder of downloads, and seals it.

    When whole runs are purged, all go.
    """
    before = _hashes(folder)
    for path in files_of(folder.path):
        profile = path.name not in KEPT and not path.name.startswith("manifest-")
        if profile and (erasure.rows is None or Path(path.name.removesuffix(ENDING)).stem in gone):
            path.unlink()
    _sealed(folder, erasure, before, None, seal, rows=len(before) - len(_hashes(folder)))


def _erase_one(folder: RunFolder, erasure: Erasure, seal: Seal) -> None:
    before = _hashes(folder)
    table = folder.path / "outcome.parquet"
    rows = 0
    if table.exists():
        rows = int(pl.scan_parquet(table, glob=False).filter(_concerned(erasure)).select(pl.len()).collect().item())
        write_outcome(_blanked(folder.path, "outcome", OUTCOME, erasure), folder)
    if (folder.path / "reconciliation.parquet").exists():
        write_reconciliation(_blanked(folder.path, "reconciliation", RECONCILIATION, erasure), folder)
    chain = _events(folder, erasure)
    _quarantine(folder, erasure)
    gone = [path for path in files_of(folder.path) if path.name not in KEPT and not path.name.startswith("manifest-")]
    for path in gone:
        if path.name != "quarantine.csv" or erasure.rows is None:
            path.unlink()
    _sealed(folder, erasure, before, chain, seal, rows=rows)


def _sealed(
    folder: RunFolder, erasure: Erasure, before: Mapping[str, str], chain: Chain | None, seal: Seal, *, rows: int
) -> None:
    """Seals the folder with a note of what was erased. `before`: the hashes of its files before that."""
    facts = facts_of(folder.path) if (folder.path / MANIFEST).exists() else {}
    left = _hashes(folder)
    note = {"what": erasure.what, "at": erasure.at, "by": erasure.by, "rows": rows}
    note["removed"] = [{"name": name, "sha256": sha} for name, sha in before.items() if name not in left]
    note["written_anew"] = [name for name, sha in before.items() if left.get(name, sha) != sha]
    seal(folder, {**facts, "erasures": [*facts.get("erasures", []), note]}, chain)


def _hashes(folder: RunFolder) -> dict[str, str]:
    return {path.name: sha256(path) for path in files_of(folder.path)}


def _concerned(erasure: Erasure) -> pl.Expr:
    return pl.lit(True) if erasure.rows is None else pl.col("source_row").is_in(sorted(erasure.rows))


def _blanked(path: Path, name: str, known: Mapping[str, ReportColumn], erasure: Erasure) -> Iterator[pl.DataFrame]:
    """The table by windows, what is personal of the `known` columns and all others empty in the rows concerned."""
    table = pl.scan_parquet(path / f"{name}.parquet", glob=False)
    names = table.collect_schema().names()
    goes = {*personal(known, forgotten=erasure.forgotten), *(each for each in names if each not in known)}
    blank = [
        pl.when(_concerned(erasure)).then(None).otherwise(pl.col(each)).alias(each) for each in names if each in goes
    ]
    led = pl.col("source_row").is_in(sorted(erasure.leading)) | pl.col(KEYS[0]).str.contains(f"^{HIDDEN}$")
    kept = [each for each in names if each in KEYS and each not in goes]
    blank += [pl.when(led.fill_null(value=False)).then(None).otherwise(pl.col(each)).alias(each) for each in kept]
    rows = int(table.select(pl.len()).collect().item())
    for start in range(0, max(rows, 1), A_WINDOW):
        yield table.slice(start, A_WINDOW).collect().with_columns(blank)


def _events(folder: RunFolder, erasure: Erasure) -> Chain | None:
    """The events chained anew, without the fingerprints of bodies, and without what leads to the rows concerned."""
    path = folder.path / "events.ndjson"
    return write_events(_lines(path, erasure), folder) if path.exists() else None


def _lines(path: Path, erasure: Erasure) -> Iterator[Mapping[str, object]]:
    chained, goes = {"n", "prev", "hash"}, {*personal_of_events(forgotten=erasure.forgotten)}
    for event in read_events(path):
        concerned = erasure.rows is None or event.get("source_row") in erasure.rows
        hidden = chained | goes if concerned else chained
        leads = event.get("source_row") in erasure.leading or is_hidden(event.get("key") or "")
        if leads and not erasure.forgotten:
            hidden = {*hidden, "key"}
        if concerned and event.get("kind") == "decision" and event.get("detail"):
            event["detail"] = decision_left(event["detail"], forgotten=erasure.forgotten)
        yield {name: value for name, value in event.items() if name not in hidden}


def _quarantine(folder: RunFolder, erasure: Erasure) -> None:
    """`quarantine.csv` without the lines that go; as records, since a value may hold line ends."""
    path = folder.path / "quarantine.csv"
    if erasure.quarantined and path.exists():
        folder.write_bytes(path.name, _without(path, lambda number: number in erasure.quarantined))


def _without(path: Path, goes: Callable[[int], bool]) -> bytes:
    import csv
    import io
    import sys

    csv.field_size_limit(sys.maxsize)
    text = path.read_text(encoding="utf-8-sig")
    header = text.partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(
        line for number, line in enumerate(lines, start=-1) if number < 0 or not goes(number)
    )
    return out.getvalue().encode()
