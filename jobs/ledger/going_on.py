"""What a run that works just now does, as another process can see it in the ledger. Reads only; takes no lock."""

from sqlalchemy import func, or_, select

from jobs.ledger import tables
from jobs.ledger.rows import RunRow, StepStatus
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.value import value

MINUTE_MS = 60_000

NEWEST = 200_000
"""Chosen: so many of a run's newest events are looked at; a minute of a thousand calls a second has fewer."""


@value
class GoingOn:
    """A run at work. Counts of the last minute; times in milliseconds."""

    under_way: int
    """Writes that were intended, and whose answer is not known yet."""
    outstanding: int
    """Decisions of the space that are outstanding, of this run's rows or of other files."""
    calls: int
    """Mutating calls of the last minute."""
    ended: int
    """Rows that ended in the last minute, without those that validation refused."""
    newest_ms: int | None
    """When the newest event was; None: there is none."""
    paused_until_ms: int | None
    """Until when the target asked for no calls, of any credential on this ledger; None: it did not."""


def going_on(store: Store, run: RunRow, now_ms: int) -> GoingOn:
    """What `run` does at `now_ms`."""
    event, step, record, pause = tables.event.c, tables.step.c, tables.record.c, tables.pause.c
    space = select(tables.space.c.space_id).where(
        tables.space.c.system == run.system, tables.space.c.tenant == run.tenant
    )
    newest = select(func.max(event.seq)).where(event.run_id == run.run_id).scalar_subquery()
    lately = (
        select(event.kind, func.count())
        .where(event.run_id == run.run_id, event.seq > newest - NEWEST, event.at_ms > now_ms - MINUTE_MS)
        .where(or_(event.kind == "intent", event.verdict != Outcome.QUARANTINED))
        .group_by(event.kind)
    )
    with store.engine.connect() as connection:
        kinds = {str(kind): int(count) for kind, count in connection.execute(lately)}
        intended = select(func.count()).where(
            step.space_id == space.scalar_subquery(), step.status == StepStatus.INTENDED
        )
        outstanding = select(func.count()).where(
            record.space_id == space.scalar_subquery(), record.undecided_since_ms.is_not(None)
        )
        last = select(event.at_ms).where(event.run_id == run.run_id).order_by(event.seq.desc()).limit(1)
        until = select(func.max(pause.asked_ms + pause.seconds * 1000))
        paused = connection.scalar(until) if store.has(tables.pause) else None
        return GoingOn(
            under_way=int(connection.scalar(intended) or 0),
            outstanding=int(connection.scalar(outstanding) or 0),
            calls=kinds.get("intent", 0),
            ended=kinds.get("outcome", 0),
            newest_ms=connection.scalar(last),
            paused_until_ms=int(paused) if paused and paused > now_ms else None,
        )
