"""What a person decided about rows that muster may not decide itself: read from a small file, checked, recorded.

    row,decision,customer_id,reason,decided_by

ours            the customer is ours: adopted, when the target shows it with the row's identity number
not_done        the unanswered write was not applied: attempts may go on
another_person  somebody else rightly has the row's phone or e-mail address: it is created all the same
give_up         the row ends `failed` for good; nothing is ever sent for it again
leave           it stays as it is
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import orjson
import polars as pl

from jobs import folded
from jobs.batch import Batch
from jobs.engine.case import GIVEN_UP
from jobs.errors import Unusable
from jobs.ledger.customers import holders
from jobs.ledger.rows import EventRow, IdClaim, Known, RecordRow, RunRow, StepRow, StepStatus, Transition
from jobs.ledger.store import Store
from jobs.model import COMPLETE, Origin, Outcome
from jobs.privacy import file_names, masking
from jobs.reconciliation.compare import Claim, Opener, normalised
from jobs.systems.contract import System
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.optional import SHAREABLE, SHARED
from jobs.systems.row import Row
from jobs.systems.sighting import Sighting
from jobs.value import value

COLUMNS = ("row", "decision", "customer_id", "reason", "decided_by")
OPTIONAL = frozenset({"customer_id"})
_ID = re.compile(r"[^\W_]+(?:-[^\W_]+)*")

LONGEST = {"reason": 200, "decided_by": 80, "customer_id": 64}
"""Characters (chosen); the rest of a reason is not kept."""


class Choice(StrEnum):
    """What was decided."""

    OURS = "ours"
    NOT_DONE = "not_done"
    ANOTHER_PERSON = "another_person"
    GIVE_UP = "give_up"
    LEAVE = "leave"


@value
class Resolution:
    """One line of the file. `reason` and `decided_by` are masked where they hold numbers or e-mails."""

    line: int
    source_row: int
    choice: Choice
    customer_id: str | None
    reason: str
    decided_by: str


@value
class Decided:
    """A decision about a row that is open to one, with what the ledger knows of it."""

    decision: Resolution
    known: Known

    @property
    def event(self) -> str:
        """What the history keeps of it, as JSON."""
        given = self.decision
        kept = {"customer_id": given.customer_id, "decided_by": given.decided_by, "reason": given.reason}
        return orjson.dumps({name: value for name, value in kept.items() if value}).decode()

    def told(self, run_id: str, at: str) -> Mapping[str, object]:
        """It as a line of `events.ndjson`."""
        given, key = self.decision, self.known.record.key
        place = {"at": at, "run_id": run_id, "kind": "decision", "source_row": given.source_row, "key": key}
        return {**place, "verdict": given.choice.value, "detail": self.event}

    def transition(self, customer_step: str, *, shown: bool) -> Transition | None:
        """What changes in the ledger but the event; None: nothing (`leave`).

        `shown`: the target shows its customers. Where it does not, the step of a customer that is ours is not called
        done: its own look says, from what the ledger knows, whether a decision about it is still outstanding.
        """
        record, given = self.known.record, self.decision
        if given.choice is Choice.GIVE_UP:
            reason = f"given up by {given.decided_by}: {given.reason}"
            return Transition(
                record=replace(record, outcome=Outcome.FAILED, reason_code=GIVEN_UP, reason=reason, failed_step=None)
            )
        if given.choice is Choice.LEAVE:
            return None
        reopened = replace(record, outcome=None, reason_code=None, reason=None, failed_step=None)
        if given.choice is Choice.NOT_DONE:
            return Transition(record=reopened)
        step = self.known.steps.get(customer_step) or StepRow(customer_step, StepStatus.OPEN)
        if given.choice is Choice.ANOTHER_PERSON:
            shared = ";".join(filter(None, (record.facts.get(SHARED), record.facts.get(SHAREABLE))))
            facts = {**record.facts, SHARED: shared, SHAREABLE: ""}
            return Transition(record=replace(reopened, facts=facts), step=replace(step, status=StepStatus.OPEN))
        facts = {"customer_origin": Origin.ADOPTED, **record.facts, "customer_id": given.customer_id or ""}
        status = StepStatus.DONE if shown else StepStatus.UNDECIDED
        settled = replace(step, status=status, doubt_since_ms=None, doubts=0)
        claims = (IdClaim("customer", given.customer_id, record.key),) if given.customer_id else ()
        return Transition(record=replace(reopened, facts=facts), step=settled, claims=claims)

    def reopened_steps(self) -> Iterator[StepRow]:
        """The steps in doubt, open again because the write was not applied."""
        if self.decision.choice is Choice.NOT_DONE:
            for step in self.known.steps.values():
                if step.status in {StepStatus.INTENDED, StepStatus.DOUBTFUL}:
                    yield replace(step, status=StepStatus.OPEN, doubt_since_ms=None, doubts=0)

    def transitions(self, system: System, now_ms: int) -> Iterator[Transition]:
        """All that the ledger is told, the event first."""
        given, record = self.decision, self.known.record
        yield Transition(
            event=EventRow(
                now_ms, "decision", given.source_row, record.key, verdict=given.choice.value, detail=self.event
            )
        )
        changed = self.transition(system.steps[0].name, shown=system.capabilities.reads_back)
        if changed is not None:
            yield changed
            yield from (Transition(record=changed.record, step=step) for step in self.reopened_steps())


def read_decisions(path: Path) -> list[Resolution]:
    """The lines of `path`, UTF-8 CSV with the columns of `COLUMNS`. Raises Unusable naming the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(text, strict=True)
            header = next(lines, [])
            _check_header(path, header)
            found = [_decision(path, lines.line_num, header, cells) for cells in lines if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unusable(f"the decisions in {file_names.shown(path)} can't be read: {error}") from error
    _refuse_repeated(path, found)
    return found


def open_to_decision(
    path: Path, decisions: Sequence[Resolution], store: Store, space_id: int, run: RunRow, ambiguous: Collection[int]
) -> list[Decided]:
    """The decisions with what the ledger knows of their rows.

    `ambiguous`: rows of `run` for which several customers were found. Raises Unusable naming the line for a row that
    `run` has not, that is not open to that decision, or that a later run has settled meanwhile; and for a customer
    that another row has.
    """
    wanted = {each.source_row for each in decisions}
    entries = {
        row["source_row"]: row for rows in store.outcomes(run.run_id) for row in rows if row["source_row"] in wanted
    }
    known = store.known(space_id, [row["external_unique_id"] for row in entries.values() if row["external_unique_id"]])
    holder = dict(holders(store, space_id, [each.customer_id for each in decisions if each.customer_id]))
    decided: list[Decided] = []
    for each in decisions:
        entry = entries.get(each.source_row)
        if entry is None:
            raise _refused(path, each.line, f"run {run.run_id} has no row {each.source_row}")
        outcome = Outcome(entry["outcome"])
        _check_outcome(path, each, outcome, each.source_row in ambiguous)
        its = known.get(entry["external_unique_id"] or "")
        if its is None or its.record.outcome is not outcome:
            raise _refused(path, each.line, f"row {each.source_row} is no longer as run {run.run_id} left it")
        _check_customer(path, each, its.record, holder)
        _check_shareable(path, each, its.record)
        decided.append(Decided(each, its))
    return decided


async def prove(
    path: Path,
    decided: Iterable[Decided],
    system: System,
    reader: Reader,
    rows: Mapping[int, Row],
    opener: Opener | None = None,
) -> None:
    """Reads each customer that is said to be ours. Raises Unusable when one has not the row's natural key.

    `rows`: the input's rows by source row; without them `opener` compares the ledger's pseudonyms. Where the target
    shows nothing, the word of who decided counts, as the events record it.
    """
    for each in decided:
        given, key = each.decision, each.known.record.key
        if given.choice is not Choice.OURS or not system.capabilities.reads_back:
            continue
        row = rows.get(given.source_row)
        row = row or Row(given.source_row, None, key, {}, phone_masked="", national_id_masked="", warnings=None)
        try:
            sighting = await system.sight(reader, row, {"customer_id": given.customer_id or ""})
        except ReadFailed as error:
            raise _refused(
                path, given.line, f"customer {given.customer_id} could not be read: {error.reason}"
            ) from None
        if opener is not None:
            sighting = opener.opened(sighting, each.known.record.pseudonyms)
        column = system.capabilities.natural_key
        if not same_person(sighting, column):
            words = "identity number" if column == "national_id" else column.replace("_", " ")
            raise _refused(path, given.line, f"customer {given.customer_id} has not the {words} of that row")


def same_person(sighting: Sighting, column: str) -> bool:
    """Whether the one customer seen has the row's value of `column`, in whatever spelling."""
    values = [
        (normalised(each.ours), normalised(each.theirs))
        for each in sighting.comparisons
        if each.field == column and each.ours is not None
    ]
    return len(sighting.customer_ids) == 1 and any(folded.same(column, *both) for both in values)


def rows_of(batch: Batch, decided: Sequence[Decided]) -> dict[int, Row]:
    """The input's rows of those that are said to be ours."""
    wanted = {each.decision.source_row for each in decided if each.decision.choice is Choice.OURS}
    if not wanted:
        return {}
    return {row.source_row: row for rows in batch.accepted() for row in rows if row.source_row in wanted}


def as_decided(claim: Claim, choice: str, customer_id: str | None) -> Claim:
    """What the ledger claims of a row once a person decided about it."""
    outcome, customer = told(choice, customer_id)
    return replace(claim, outcome=outcome or claim.outcome, customer_id=customer or claim.customer_id)


def frame_as_decided(ours: pl.DataFrame, decided: Mapping[int, tuple[str, str | None]]) -> pl.DataFrame:
    """Says what a person decided in a frame with `source_row`, `outcome` and `customer_id`."""
    if not decided:
        return ours
    rows = [(row, *told(choice, customer_id)) for row, (choice, customer_id) in decided.items()]
    schema = {"source_row": pl.Int64, "outcome_decided": pl.String, "customer_decided": pl.String}
    beside = ours.join(pl.DataFrame(rows, schema=schema, orient="row"), "source_row", "left", maintain_order="left")
    return beside.with_columns(
        pl.coalesce("outcome_decided", "outcome").alias("outcome"),
        pl.coalesce("customer_decided", "customer_id").alias("customer_id"),
    ).drop("outcome_decided", "customer_decided")


def told(choice: str, customer_id: str | None) -> tuple[Outcome | None, str | None]:
    """The outcome and the customer id that a decision puts in the place of the run's (None: those stay)."""
    if choice == Choice.OURS:
        return Outcome.PENDING, customer_id
    return (Outcome.FAILED if choice in {Choice.GIVE_UP, Choice.NOT_DONE} else None), None


def _check_header(path: Path, header: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in header and name not in OPTIONAL]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        wrong = (
            f"misses {', '.join(missing)}" if missing else f"has {', '.join(map(repr, unknown)) or 'a column twice'}"
        )
        raise _refused(path, 1, f"the header {wrong}; it must be {','.join(COLUMNS)}")


def _decision(path: Path, line: int, header: Sequence[str], cells: Sequence[str]) -> Resolution:
    if len(cells) != len(header):
        raise _refused(path, line, f"{len(cells)} fields, the header has {len(header)}")
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    if not given["row"].isascii() or not given["row"].isdigit() or not 0 < len(given["row"]) < 13:
        raise _refused(path, line, "row must be the number of a row, 1 the first data row")
    if given["decision"] not in set(Choice):
        raise _refused(path, line, f"decision must be one of {', '.join(Choice)}")
    for name in ("reason", "decided_by"):
        if not given[name]:
            raise _refused(path, line, f"{name} is missing")
    choice, customer_id = Choice(given["decision"]), given.get("customer_id") or None
    if (choice is Choice.OURS) is (customer_id is None):
        raise _refused(path, line, "customer_id belongs to the decision `ours`, and to no other")
    if customer_id is not None and (len(customer_id) > LONGEST["customer_id"] or not _ID.fullmatch(customer_id)):
        raise _refused(path, line, "customer_id must be letters and digits, with single dashes between")
    kept = {name: masking.text(given[name])[: LONGEST[name]] for name in ("reason", "decided_by")}
    return Resolution(line, int(given["row"]), choice, customer_id, kept["reason"], kept["decided_by"])


def _refuse_repeated(path: Path, decisions: Sequence[Resolution]) -> None:
    first: dict[int, int] = {}
    for each in decisions:
        if each.source_row in first:
            raise _refused(
                path, each.line, f"row {each.source_row} is decided in line {first[each.source_row]} already"
            )
        first[each.source_row] = each.line


def _check_outcome(path: Path, given: Resolution, outcome: Outcome, ambiguous: bool) -> None:
    decidable = outcome in {Outcome.IN_DOUBT, Outcome.CONFLICT} or (ambiguous and outcome not in COMPLETE)
    if not decidable:
        raise _refused(path, given.line, f"row {given.source_row} is {outcome}; there is nothing to decide about it")
    if given.choice is Choice.NOT_DONE and outcome is not Outcome.IN_DOUBT:
        raise _refused(path, given.line, f"row {given.source_row} is {outcome}; only one in doubt can be not_done")


def _check_customer(path: Path, given: Resolution, record: RecordRow, holder: dict[str, str]) -> None:
    """`holder`: the key that has each customer; what this line gives to the row is added."""
    if given.customer_id and holder.setdefault(given.customer_id, record.key) != record.key:
        raise _refused(path, given.line, f"another row has customer {given.customer_id} already; it can't be of two")
    before = record.facts.get("customer_id")
    if given.choice is Choice.OURS and before and before != given.customer_id:
        raise _refused(path, given.line, f"row {given.source_row} led to customer {before} already")


def _check_shareable(path: Path, given: Resolution, record: RecordRow) -> None:
    wanted = given.choice is Choice.ANOTHER_PERSON
    if wanted and (record.outcome is not Outcome.CONFLICT or not record.facts.get(SHAREABLE)):
        why = "only a conflict over nothing but a phone or an e-mail address can be another_person"
        raise _refused(path, given.line, f"row {given.source_row} is {record.outcome}; {why}")


def _refused(path: Path, line: int, why: str) -> Unusable:
    return Unusable(f"{file_names.shown(path.name)}, line {line}: {why}")
