"""The end of a run whose ledger failed, was taken over or is held, or whose disk is full: told, and reported so far.

The ledger can't be written then, so the run does not end in it: it is like one that was killed, and `muster resume`
goes on with it. What can be read is told: `outcome.csv` has every row, those that the ledger knows no end of as they
stand. The other files of a run are left to whoever goes on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from heapq import merge
from itertools import chain, islice
from typing import Any

import polars as pl

from jobs.clock import milliseconds
from jobs.disk import unusable
from jobs.engine.case import Case
from jobs.engine.opening import known_of, ledger_keys, open_case
from jobs.errors import ExitCode, MusterError, strongest
from jobs.keys import Pseudonyms
from jobs.ledger import tables
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.columns import outcome_line
from jobs.ledger.history import outcomes_among, sent_among
from jobs.ledger.rows import OutcomeRow
from jobs.model import RESUMABLE
from jobs.publishing.books import mutating
from jobs.publishing.mending import write_refused
from jobs.publishing.outcome_frames import LEDGER_COLUMNS, shown
from jobs.reports.folder import RunFolder
from jobs.reports.outcome import write_outcome
from jobs.run.context import MOST_REPORTED, RunContext
from jobs.storage.copies import here
from jobs.systems.row import Row
from jobs.windows import A_WINDOW

CODE = "broken_off"
"""Reason code of a row that was not begun when the run was cut short."""

SIGNALS = frozenset({ExitCode.SIGINT, ExitCode.SIGTERM})

OURS = frozenset({ExitCode.INTERNAL, ExitCode.INTEGRITY})
"""Codes that a signal does not outweigh."""


@contextmanager
def reported_if_cut_short(context: RunContext) -> Iterator[None]:
    """A block that needs ledger and disk. Raises `cut_short` in the place of what they refuse."""
    try:
        yield
    except (LedgerBroken, OSError, ImportError, MemoryError, pl.exceptions.PolarsError) as error:
        told = cut_short(context, error)
        if told is None:
            raise
        raise told from error


def cut_short(context: RunContext, error: Exception) -> MusterError | None:
    """Reports what is known of the run that `error` ended; what to raise. None: `error` is a defect, not a failure."""
    cause = error if isinstance(error, LedgerBroken) else unusable(error, context.given.settings.out)
    if cause is None:
        return None
    run, folder, hint = context.run, here(context.run.folder), cause.hint or ""
    if not _sent(context):
        with suppress(OSError):
            folder.rmdir()  # only when nothing was written there
        message, onward = f"{cause.message}; nothing was sent", "start again"
        return _ending(cause, _code(context, cause, sent=False), message, hint.replace("muster resume", onward))
    message = f"{cause.message}; run {run.run_id} was cut short, {_reported(context, cause)}"
    onward = f"muster {'report' if _ended(context) else 'resume'} {run.run_id}"
    if "muster resume" not in hint:
        hint = f"{hint}, then muster resume"
    return _ending(cause, _code(context, cause, sent=True), message, hint.replace("muster resume", onward))


def _sent(context: RunContext) -> bool:
    """Whether anything may have been sent: calls that were given up are counted nowhere, but their intents are."""
    try:
        return bool(mutating(context.calls) or context.session.store.intent_total(context.run.run_id))
    except LedgerBroken:
        return True


def _ending(cause: MusterError, code: ExitCode, message: str, hint: str) -> MusterError:
    error = MusterError.ending(code, message, hint)
    error.code = None if code in SIGNALS else cause.code
    return error


def _code(context: RunContext, cause: MusterError, *, sent: bool) -> ExitCode:
    """What a scheduler is told: 2 becomes 3 once something was sent, and a signal outweighs both."""
    signals = context.stops.codes & SIGNALS
    if signals and cause.exit_code not in OURS:
        return strongest(signals)
    return ExitCode.POLICY if sent and cause.exit_code is ExitCode.UNUSABLE else cause.exit_code


def _ended(context: RunContext) -> bool:
    """Whether the ledger knows the end of the run: only files are missing then."""
    try:
        row = context.session.store.run(context.run.run_id)
    except LedgerBroken:
        return False
    return row is not None and row.ended_ms is not None


def _reported(context: RunContext, cause: MusterError) -> str:
    """Writes `outcome.csv`, `outcome.parquet` and `quarantine.csv`; what the user is told of it."""
    folder, batch = RunFolder(here(context.run.folder)), context.given.batch
    if (folder.path / "outcome.csv").exists():
        return f"but every row has its end: {folder.path / 'outcome.csv'}"
    if context.stops.signalled.is_set() and batch.rows > MOST_REPORTED:
        return f"and its {batch.rows:,} rows are too many to be reported on the way out"
    try:
        pseudonyms = context.session.pseudonyms
        count = write_outcome((shown(rows, batch, pseudonyms) for rows in _windows(context, cause)), folder)
        write_refused(context.run, batch, folder)
    except (MusterError, OSError, pl.exceptions.PolarsError) as error:
        why = error if isinstance(error, MusterError) else unusable(error, folder.path)
        return f"and outcome.csv can't be written: {why.message if why else type(error).__name__}"
    left = sum(count.outcomes[outcome] for outcome in RESUMABLE)
    return f"{left:,} of {count.rows:,} rows are open: {folder.path / 'outcome.csv'}"


def _windows(context: RunContext, cause: MusterError) -> Iterator[list[tuple[Any, ...]]]:
    """Every row of the file, with its end in this run where the ledger knows one, else as it stands."""
    pseudonyms = context.session.pseudonyms
    accepted: Iterator[Row | OutcomeRow] = chain.from_iterable(context.given.batch.accepted())
    refused: Iterator[Row | OutcomeRow] = chain.from_iterable(context.given.batch.quarantined(pseudonyms))
    rows = merge(accepted, refused, key=lambda row: row.source_row)
    while window := list(islice(rows, A_WINDOW)):
        first, last = window[0].source_row, window[-1].source_row
        ended = outcomes_among(context.session.store, context.run.run_id, LEDGER_COLUMNS, first, last)
        told = {row[0]: row for row in ended}
        left = [row for row in window if row.source_row not in told]
        open_rows = [row for row in left if isinstance(row, Row)]
        ends = [row for row in left if isinstance(row, OutcomeRow)]
        reason = f"the run was cut short: {cause.message}"
        for end in (*ends, *_standing(context, pseudonyms, open_rows, reason)):
            line = outcome_line(end, context.run.run_id, end.key)
            columns = dict(zip(tables.outcome.columns.keys(), line, strict=True))
            told[end.source_row] = tuple(columns[name] for name in LEDGER_COLUMNS)
        yield [told[row.source_row] for row in window]


def _standing(context: RunContext, pseudonyms: Pseudonyms, rows: Sequence[Row], reason: str) -> Iterator[OutcomeRow]:
    """How accepted rows stand that the run has not ended. A write that the ledger knows no answer of is in doubt."""
    if not rows:
        return
    run_id, now_ms = context.run.run_id, milliseconds(context.place.clock.now())
    known = context.session.store.known(context.session.space_id, ledger_keys(rows, pseudonyms))
    sent = sent_among(context.session.store, run_id, rows[0].source_row, rows[-1].source_row)
    for row in rows:
        record = known_of(row, known, pseudonyms)
        steps = [step.name for step in context.given.system.steps_of(row)]
        case = open_case(row, record, run_id, pseudonyms, context.given.taking, now_ms, steps=steps)
        if isinstance(case, Case):
            case.attempts, case.first_attempt_ms, case.last_attempt_ms = sent.get(row.source_row, (0, None, None))
            outcome, code, step = case.standing(CODE)
            case = case.end(outcome, code, reason, step, now_ms)
        assert case.outcome is not None
        yield case.outcome
