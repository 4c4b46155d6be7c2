"""A run against an extract of the target's customers: no network, a million rows in flat memory.

Fingerprint first: rows of both sides meet by the hash of what leads from one to the other (customer id, key or identity
number), and where one row meets one row with the same fingerprint of all that is compared, they match. Only the others
are fetched, and judged exactly like a fresh read of the target.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from jobs.clock import Clock, iso
from jobs.intake.duplicates import form_of
from jobs.intake.extract import LEADS, ROW, Extract
from jobs.keys import Pseudonyms
from jobs.model import COMPLETE, MatchClass, Outcome
from jobs.privacy import masking
from jobs.privacy.masking import Mask
from jobs.reconciliation.compare import NOT_SENT, Claim, Line, compare, is_complete, reported
from jobs.reconciliation.pseudonymous import PseudonymComparer
from jobs.reports.not_read import ALL_READ, NotRead
from jobs.systems import capabilities
from jobs.systems.contract import Capabilities
from jobs.systems.sighting import Comparison, Sighting
from schemas.columns import columns_of
from schemas.reconciliation import RECONCILIATION_SCHEMA

KEY = "external_unique_id"

AT_TARGET = ("customer_id", "wallet_id", "decision_status", "customer_status")
"""What the target shows of a customer beside the compared fields."""


@dataclass(slots=True)
class ExtractComparison:
    """One comparison with an extract. `comparer`: our values are pseudonyms (None: they are the input's)."""

    extract: Extract
    system: str
    work: Path
    clock: Clock
    comparer: PseudonymComparer | None = None
    pseudonyms: Pseudonyms | None = None
    """By which the ledger hides keys (None: its key is gone, and hidden ones lead nowhere)."""
    complete: int = 0
    """Rows that the ledger calls complete and the extract shows so."""
    fetched: int = 0
    """Rows of ours whose fields had to be fetched."""
    not_read: NotRead = ALL_READ
    masks: dict[str, Mask] = field(init=False)
    """The compared fields, each with its mask: what every customer has, where the extract has it too."""

    def __post_init__(self) -> None:
        columns = [column for column in columns_of(self.system) if column.required and column.personal]
        self.masks = {
            column.name: masking.OF_KIND.get(column.kind, masking.name)
            for column in columns
            if column.name in self.extract.columns
        }

    @property
    def able(self) -> Capabilities:
        """What the system can do, and what its outcomes promise."""
        return capabilities(self.system)

    @property
    def whole(self) -> bool:
        """Whether the extract shows all that makes a row complete."""
        return {"wallet_id", "decision_status"} <= self.extract.columns

    @property
    def missing(self) -> list[str]:
        """Columns that a row would be compared by and that the extract has not."""
        wanted = [column.name for column in columns_of(self.system) if column.required and column.personal]
        return [name for name in (*wanted, *AT_TARGET) if name not in self.extract.columns]

    def frames(self, ours: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Frames of RECONCILIATION_SCHEMA: our rows in order, then what nobody of ours led to.

        `ours`: windows with the columns of `promises.LEDGER` and of the compared fields, in input order.
        """
        meetings, parts = self._meetings(ours)
        read_at = iso(self.clock.now())
        for part in parts:
            window = pl.read_parquet(part)
            met = window.join(meetings, on="source_row", how="left", maintain_order="left")
            yield self._window(met, read_at)
        yield from self._strangers(meetings, read_at)

    def _meetings(self, ours: Iterator[pl.DataFrame]) -> tuple[pl.DataFrame, Sequence[Path]]:
        """For each row of ours: the rows of the extract that it leads to, and whether all is plainly equal."""
        theirs = self._theirs()
        parts: list[Path] = []
        prints: list[pl.DataFrame] = []
        for window in ours:
            parts.append(self.work / f"ours-{len(parts):06}.parquet")
            window.write_parquet(parts[-1])
            prints.append(window.select("source_row", self._lead().alias("lead"), self._print_of_ours().alias("print")))
        if not prints:
            prints.append(pl.DataFrame(schema={"source_row": pl.Int64, "lead": pl.UInt64, "print": pl.UInt64}))
        met = pl.concat(prints).join(theirs, on="lead", how="inner")
        meetings = met.group_by("source_row").agg(
            pl.col(ROW),
            ((pl.len() == 1) & (pl.col("print") == pl.col("print_theirs")).fill_null(value=False).all()).alias("equal"),
        )
        return meetings, parts

    def _theirs(self) -> pl.DataFrame:
        """`lead`, `ROW` and the fingerprint of every row of the extract, once for each way that leads to it."""
        prints = []
        for place, part in enumerate(sorted(self.extract.path.glob("*.parquet"))):
            rows = self._sealed(pl.read_parquet(part))
            rows.write_parquet(self.work / f"theirs-{place:06}.parquet")
            shown = rows.select(
                ROW,
                _hashed([self._value(name) for name in self.masks] + [pl.col(name) for name in self._facts()]).alias(
                    "print_theirs"
                ),
                *(_led(name, self._leading(name)).alias(name) for name in self._leads()),
            )
            prints += [
                shown.select(pl.col(name).alias("lead"), ROW, "print_theirs").drop_nulls("lead")
                for name in self._leads()
            ]
            if KEY in rows.columns and self.pseudonyms is not None:
                hidden = self._hidden(rows).select(ROW, _led(KEY, self._folded(KEY)).alias("lead"))
                prints.append(
                    hidden.join(shown.select(ROW, "print_theirs"), on=ROW)
                    .select("lead", ROW, "print_theirs")
                    .drop_nulls("lead")
                )
        return pl.concat(prints)

    def _hidden(self, rows: pl.DataFrame) -> pl.DataFrame:
        """With the keys as the ledger shows those that lead to a person."""
        hide = self.pseudonyms.hidden if self.pseudonyms is not None else lambda _: None
        return rows.with_columns(pl.Series(KEY, [each and hide(each) for each in rows[KEY]], pl.String))

    def _sealed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """With the pseudonyms of what is compared beside it, where pseudonyms are all that we have."""
        if self.comparer is None:
            return rows
        of = self.comparer.pseudonyms.of
        return rows.with_columns(
            pl.Series(f"~{name}", [None if value is None else of(name, value) for value in rows[name]], pl.String)
            for name in self.masks
        )

    def _value(self, name: str) -> pl.Expr:
        """A column of the extract as it is compared."""
        if self.comparer is not None and name in self.masks:
            return pl.col(f"~{name}")
        return pl.col(name).str.to_lowercase() if name == "email" else pl.col(name)

    def _leading(self, name: str) -> pl.Expr:
        """A column of the extract that leads to a customer, in whatever spelling."""
        return self._value(name) if self.comparer is not None else self._folded(name)

    def _folded(self, name: str) -> pl.Expr:
        column = next((each for each in columns_of(self.system) if each.name == name), None)
        form = None if column is None or self.comparer is not None else form_of(column)
        return pl.col(name) if form is None else form

    def _leads(self) -> list[str]:
        return [name for name in LEADS if name in self.extract.columns]

    def _facts(self) -> list[str]:
        """What the extract shows beside the compared fields."""
        return [name for name in AT_TARGET if name in self.extract.columns]

    def _lead(self) -> pl.Expr:
        """What a row of ours is found by: its customer id or key; where none is promised, its identity number."""
        promised = ~pl.col("outcome").is_in(list(NOT_SENT)) & pl.col("customer_id").is_not_null()
        leads = self._leads()
        first = [_led(name, pl.when(promised).then(self._folded(name))) for name in leads]
        others = (_led(name, self._folded(name)) for name in reversed(leads) if name != "customer_id")
        return pl.coalesce(*first, *others)

    def _print_of_ours(self) -> pl.Expr:
        """The fingerprint that a complete row promises; null for the others, which are judged one by one."""
        decided = self.able.decided.get(Outcome.ONBOARDED, frozenset())
        words = {"decision_status": decided, "customer_status": self.able.active}
        if any(len(words[name]) != 1 for name in self._facts() if name in words):
            return pl.lit(None, dtype=pl.UInt64)  # no one word is promised, so that each row is judged by itself
        promised = {name: pl.lit(word) for name, each in words.items() for word in each}
        values = [
            pl.col(name).str.to_lowercase() if name == "email" and self.comparer is None else pl.col(name)
            for name in self.masks
        ]
        facts = [promised.get(name, pl.col(name)) for name in self._facts()]
        held = pl.col("customer_id").is_not_null() & pl.col("wallet_id").is_not_null()
        return pl.when(pl.col("outcome").is_in(list(COMPLETE)) & held).then(_hashed(values + facts))

    def _window(self, met: pl.DataFrame, read_at: str) -> pl.DataFrame:
        """The lines of one window: the plain ones at once, the others fetched and compared."""
        silent = pl.col("outcome").is_in(list(NOT_SENT))
        equal = pl.col("equal").fill_null(value=False)
        plain = met.filter(silent | equal).select(
            "source_row",
            "external_unique_id",
            "customer_id",
            pl.when(silent)
            .then(pl.lit(MatchClass.NOT_SENT.value))
            .otherwise(pl.lit(MatchClass.MATCH.value))
            .alias("class"),
            *(
                pl.lit(None, dtype=pl.String).alias(name)
                for name in ("field", "file_value_masked", "target_value_masked")
            ),
            pl.when(~silent).then(pl.lit(read_at)).alias("read_at"),
            pl.lit(None, dtype=pl.Int64).alias("similarity"),
        )
        self.complete += plain.filter(pl.col("class") == MatchClass.MATCH).height
        others = met.filter(~silent & ~equal)
        self.fetched += others.height
        lines = [reported(claim, line, read_at) for claim, line in self._judged(others)]
        judged = pl.DataFrame(lines, schema=RECONCILIATION_SCHEMA, orient="row")
        return pl.concat([plain, judged]).sort("source_row", maintain_order=True)

    def _judged(self, others: pl.DataFrame) -> Iterator[tuple[Claim, Line]]:
        theirs = self._fetched(others)
        for entry in others.iter_rows(named=True):
            claim = Claim(
                entry["source_row"],
                entry["external_unique_id"],
                Outcome(entry["outcome"]),
                entry["customer_id"],
                entry["wallet_id"],
            )
            lines = self._compared(claim, entry, [theirs[row] for row in entry[ROW] or ()])
            self.complete += is_complete(claim, lines)
            yield from ((claim, line) for line in lines)

    def _fetched(self, others: pl.DataFrame) -> dict[int, dict[str, Any]]:
        wanted = others.select(pl.col(ROW).explode()).drop_nulls().unique()
        if wanted.is_empty():
            return {}
        found = pl.scan_parquet(sorted(self.work.glob("theirs-*.parquet"))).join(wanted.lazy(), on=ROW, how="semi")
        return {row[ROW]: row for row in found.collect().iter_rows(named=True)}

    def _compared(self, claim: Claim, ours: Mapping[str, Any], theirs: Sequence[Mapping[str, Any]]) -> Sequence[Line]:
        """All differences of one row; rows of the extract that show one customer's wallets are one customer."""
        if claim.customer_id is None and self._lead_is_missing(ours):
            self.not_read = self.not_read.and_more("nothing of the row leads into the extract", complete=False)
            return (Line(MatchClass.UNVERIFIED),)
        ids = list(dict.fromkeys(self._id(row) for row in theirs))
        if len(ids) != 1:
            return compare(claim, Sighting(ids), self.able)
        wallets = [row["wallet_id"] for row in theirs if row.get("wallet_id")]
        sightings = [self._sighting(claim, ours, row, ids, wallets) for row in theirs]
        found = [line for sighting in sightings for line in compare(claim, sighting, self.able)]
        lines = tuple(dict.fromkeys(found))
        return tuple(line for line in lines if line.match_class is not MatchClass.MATCH) or (matched_in(lines),)

    def _lead_is_missing(self, ours: Mapping[str, Any]) -> bool:
        leads = [name for name in self._leads() if name != "customer_id"]
        return all(ours.get(name) is None for name in leads)

    def _id(self, row: Mapping[str, Any]) -> str:
        return str(row.get("customer_id") or f"row {row[ROW]}")

    def _sighting(
        self,
        claim: Claim,
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
        ids: Sequence[str],
        wallets: Sequence[str],
    ) -> Sighting:
        """What one row of the extract shows. A column that it has not counts as what was promised."""
        has = self.extract.columns
        promised = claim.wallet_id.split(";") if claim.wallet_id else []
        return Sighting(
            customer_ids=ids,
            comparisons=[self._comparison(name, ours, theirs, mask) for name, mask in self.masks.items()],
            decision_status=theirs["decision_status"] if "decision_status" in has else self._promised(claim),
            wallet_ids=wallets if "wallet_id" in has else self._unseen(claim, promised),
            customer_status=theirs.get("customer_status"),
        )

    def _promised(self, claim: Claim) -> str | None:
        return next(iter(self.able.decided.get(claim.outcome, ())), None)

    def _unseen(self, claim: Claim, promised: Sequence[str]) -> Sequence[str] | None:
        return promised if promised or claim.outcome not in COMPLETE else None

    def _comparison(self, name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], mask: Mask) -> Comparison:
        if self.comparer is not None:
            return self.comparer.compared(name, ours[name], theirs[name], mask)
        return Comparison(name, ours[name], theirs[name], mask)

    def _strangers(self, meetings: pl.DataFrame, read_at: str) -> Iterator[pl.DataFrame]:
        """Customers of the extract that no row of ours led to, by parts of the extract."""
        met = meetings.select(pl.col(ROW).explode()).unique()
        for part in sorted(self.work.glob("theirs-*.parquet")):
            rows = pl.read_parquet(part).join(met, on=ROW, how="anti", maintain_order="left")
            if not rows.is_empty():
                yield _only_in_target(rows if KEY not in rows.columns else self._hidden(rows), read_at)


def matched_in(lines: Sequence[Line]) -> Line:
    """Of lines that agree, the one that names another spelling."""
    return max(lines, key=lambda line: line.field is not None)


def _hashed(values: Sequence[pl.Expr]) -> pl.Expr:
    """64 bits over all of `values`; stable within one process."""
    named = [value.alias(f"field_{place}") for place, value in enumerate(values)]
    return pl.struct(named).hash(seed=0) if named else pl.lit(0, dtype=pl.UInt64)


def _led(name: str, value: pl.Expr) -> pl.Expr:
    """64 bits of what leads to a customer; null where it is null."""
    return pl.when(value.is_not_null()).then((pl.lit(f"{name}|") + value).hash(seed=1))


def _only_in_target(rows: pl.DataFrame, read_at: str) -> pl.DataFrame:
    """One line for each customer that only the target has."""
    names = {"external_unique_id", "customer_id"} & set(rows.columns)
    lines = rows.with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in RECONCILIATION_SCHEMA if name not in names
    )
    return lines.select(pl.col(name).cast(kind) for name, kind in RECONCILIATION_SCHEMA.items()).with_columns(
        pl.lit(MatchClass.ONLY_IN_TARGET.value).alias("class"), pl.lit(read_at).alias("read_at")
    )
