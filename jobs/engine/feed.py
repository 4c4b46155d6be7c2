"""From the rows of a batch to the cases of a run, and an outcome for every row whatever happens."""

from collections.abc import AsyncIterator, Mapping, Sequence

from jobs.batch import Batch, Slice
from jobs.clock import Clock, milliseconds
from jobs.engine.case import Case
from jobs.engine.driver import RowDriver
from jobs.engine.endings import LEFT
from jobs.engine.newcomers import Newcomers
from jobs.engine.opening import Taking, known_of, ledger_keys, left_out, open_case
from jobs.keys import Pseudonyms
from jobs.ledger.history import sent_among
from jobs.ledger.rows import EventRow, Known, Transition
from jobs.ledger.shards import Sent
from jobs.ledger.writer import Writer
from jobs.systems.row import Row

SWEPT_AT_ONCE = 10_000
"""Rows that are looked up together when a run was stopped (chosen): each window opens the file once more."""


class Feed:
    """The rows of one run, or of a shard of it: the cases, and at the end those that nobody came to."""

    def __init__(
        self,
        batch: Batch | Slice,
        writer: Writer,
        engine: RowDriver,
        clock: Clock,
        pseudonyms: Pseudonyms,
        taking: Taking,
        *,
        newcomers: Newcomers | None = None,
        again: bool = False,
        sent: Sent | None = None,
    ) -> None:
        """`newcomers`: who is known to be new; None: each row is looked for.

        `again`: other processes of this run have worked on the rows; those that have ended are left out. `sent`: what
        they sent; None: the ledger is asked.
        """
        self.batch, self.writer, self.engine, self.clock = batch, writer, engine, clock
        self.pseudonyms, self.taking = pseudonyms, taking
        self.store, self.run_id = writer.store, writer.run_id
        self.newcomers, self.again, self.sent = newcomers, again, sent
        self.last = 0
        """The source row that was handed out, or settled, last; 0: none."""

    async def quarantine(self, batch: Batch) -> None:
        """Records the rows that failed validation."""
        now_ms = milliseconds(self.clock.now())
        for rows in batch.quarantined(self.pseudonyms):
            for row in rows:
                event = EventRow(
                    now_ms, "outcome", row.source_row, row.key, verdict=row.outcome, detail=row.reason_code
                )
                await self._settle(Transition(event=event, outcome=row))

    async def fresh(self, limit: int | None) -> AsyncIterator[Case]:
        """The cases to work on, in input order; rows that the ledger has settled are recorded on the way.

        `limit`: how many cases at most; the rows beyond are left as they stand. None: all.
        """
        begun = seen = 0
        for rows in self.batch.accepted():
            seen += len(rows)
            window = await self._opened(rows)
            await self._list(window, self.batch.rows - seen, limit)
            for place, opened in enumerate(window):
                self.last = row_of(opened)
                if isinstance(opened, Transition):
                    await self._settle(opened)
                elif limit is not None and begun >= limit:
                    self.engine.stops.limited()
                    await self.engine.leave(opened, "limit")
                else:
                    begun += 1
                    if self.newcomers is not None:
                        if self.newcomers.stale:
                            await self._list(window[place:], self.batch.rows - seen, limit)
                        opened.unlisted = self.newcomers.new(opened.row)
                    yield opened

    async def _list(self, window: Sequence[Case | Transition], after: int, limit: int | None) -> None:
        """Has the target listed where that is worth it, if the `after` rows behind the window are as those in it."""
        if self.newcomers is None or not window:
            return
        cases = [case for case in window if isinstance(case, Case)][:limit]
        more = after * len(cases) // len(window)
        await self.newcomers.expect(cases, more if limit is None else min(more, limit - len(cases)))

    async def sweep(self) -> None:
        """Gives an outcome to every row that the engine did not come to."""
        await self.writer.commit(Transition())
        if self.store.settled_rows(self.run_id) == self.batch.rows:
            return
        for rows in self.batch.accepted(SWEPT_AT_ONCE):
            settled = self.store.settled_among(self.run_id, rows[0].source_row, rows[-1].source_row)
            left = [row for row in rows if row.source_row not in settled]
            known, sent = await self._known(left), self._sent(rows)
            now_ms, reason = milliseconds(self.clock.now()), self.engine.stops.reason
            for row in left:
                record = known_of(row, known, self.pseudonyms)
                if record is None:
                    note = LEFT.get(reason)
                    await self._settle(left_out(row, self.run_id, self.pseudonyms, reason, note, now_ms))
                    continue
                opened = self._open(row, record, now_ms, sent)
                if isinstance(opened, Transition):
                    await self._settle(opened)
                else:
                    await self.engine.leave(opened)

    async def _opened(self, rows: Sequence[Row]) -> list[Case | Transition]:
        """What the ledger makes of each row."""
        if self.again:
            settled = self.store.settled_among(self.run_id, rows[0].source_row, rows[-1].source_row)
            rows = [row for row in rows if row.source_row not in settled]
        if not rows:
            return []
        known, sent = await self._known(rows), self._sent(rows)
        now_ms = milliseconds(self.clock.now())
        return [self._open(row, known_of(row, known, self.pseudonyms), now_ms, sent) for row in rows]

    def _sent(self, rows: Sequence[Row]) -> Sent:
        """What other processes of this run have sent for the rows."""
        if self.sent is not None:
            return self.sent
        return sent_among(self.store, self.run_id, rows[0].source_row, rows[-1].source_row) if self.again else {}

    async def _known(self, rows: Sequence[Row]) -> Mapping[str, Known]:
        """What the ledger knows of the rows, by key."""
        keys = ledger_keys(rows, self.pseudonyms)
        known: Mapping[str, Known] = await self.writer.offload(self.store.known, self.writer.space_id, keys)
        return known

    def _open(self, row: Row, known: Known | None, now_ms: int, sent: Sent) -> Case | Transition:
        steps = [step.name for step in self.engine.system.steps_of(row)]
        opened = open_case(row, known, self.run_id, self.pseudonyms, self.taking, now_ms, steps=steps)
        if isinstance(opened, Case) and row.source_row in sent:
            opened.attempts, opened.first_attempt_ms, opened.last_attempt_ms = sent[row.source_row]
        return opened

    async def _settle(self, transition: Transition) -> None:
        assert transition.outcome is not None
        await self.writer.post(transition)
        self.engine.progress.advance(1, transition.outcome.outcome)


def row_of(opened: Case | Transition) -> int:
    """The source row of a case, or of one that is settled."""
    if isinstance(opened, Case):
        return opened.row.source_row
    assert opened.outcome is not None
    return opened.outcome.source_row
