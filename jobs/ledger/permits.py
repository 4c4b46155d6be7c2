"""Windows that hold over restarts, boots and between processes: every permit is a line in the ledger until it expired.

Permits are fungible: what counts is how many are out or were answered less than the window's length ago. They are
counted on the clock of the boot that gave them. Those of another boot count from the moment when this one sees them
first: nobody can know how old they are, and no limit of the target is exceeded by thinking them young.
"""

from collections.abc import Mapping, Sequence
from math import ceil

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from jobs.clock import Clock, Stamp
from jobs.ledger import tables
from jobs.ledger.boots import know, meet
from jobs.ledger.dialect import numbers
from jobs.ledger.learned import in_force, tried_higher
from jobs.ledger.lost_answer import made_once
from jobs.ledger.store import Store
from jobs.model import Rate
from jobs.value import value

LOST_SECONDS = 120.0
"""A permit counts as answered so long after its process last said that it lives: more than any deadline (chosen)."""

KEPT_SECONDS, MOST_KEPT = 3600.0, 10_000
"""A line stays so long after its answer, for runs with a longer window than the one who asks; and beyond that one's
window the newest so many, for a thousand calls a second would be millions (chosen; documented: 60 calls in 180 s)."""


@value
class Pool:
    """What shares a limit (a credential, an address), and the process that takes permits of it."""

    store: Store
    name: str
    process: str
    """A random mark, of 32 characters at most."""
    clock: Clock


@value
class Reservation:
    """What a process got: `permits` to use, or how long to wait before asking again, and the limit in force."""

    permits: int
    wait_seconds: float
    rate: Rate


def reserve(pool: Pool, rate: Rate, wanted: int, answered_up: Sequence[int]) -> Reservation:
    """Records when calls were answered, and takes up to `wanted` new permits, in one transaction.

    `answered_up`: in ms of this boot. Nothing is taken beyond `rate`, nor beyond what was learned of the pool.
    """
    lost: list[Stamp] = []
    return made_once(lambda _again: _reserved(pool, rate, wanted, answered_up, lost))


def _reserved(pool: Pool, rate: Rate, wanted: int, answered_up: Sequence[int], lost: list[Stamp]) -> Reservation:
    """As `reserve`, once; `lost`: when attempts took permits whose answer was lost, to which this one is added."""
    table = tables.permit
    with pool.store.about_permits().begin() as connection:
        now = pool.clock.stamp()  # only now: whoever had the lock before was earlier
        know(connection, (pool.name, now.boot, pool.process))
        if lost:
            answered_up = _untold(connection, pool, answered_up)
            if found := _given(connection, pool, lost):
                return Reservation(found, 0.0, rate)
        lost.append(now)
        _report(connection, pool, answered_up, now)
        clocks = meet(connection, pool.name, now)
        limit = in_force(connection, pool.name, rate, now)
        taken, free_in = _taken(connection, pool.name, clocks, ceil(limit.seconds * 1000))
        if free_in > limit.seconds + 0.001:
            _mend(connection, pool.name, now)
        if taken >= limit.calls:
            limit = tried_higher(connection, pool.name, rate, now)
        permits = max(0, min(wanted, limit.calls - taken))
        if permits:
            connection.execute(insert(table), [_line(pool, now)] * permits)
            return Reservation(permits, 0.0, limit)
    return Reservation(0, max(0.005, free_in), limit)


def renew(pool: Pool, unused: int) -> None:
    """Says that the process lives, so that its permits are not lost; `unused` of them are free at once."""
    made_once(lambda again: _renewed(pool, 0 if again else unused))


def _renewed(pool: Pool, unused: int) -> None:
    table = tables.permit
    with pool.store.about_permits().begin() as connection:
        now = pool.clock.stamp()
        _give_back(connection, pool, unused)
        mine = update(table).where(*_out(pool.name, now.boot), table.c.process == pool.process)
        connection.execute(mine.values(sent_up=now.up_ms))


def hand_back(pool: Pool, answered_up: Sequence[int], unused: int) -> None:
    """At the end of a run: when calls were answered, and how many permits were never used and are free at once."""
    made_once(lambda again: _handed_back(pool, answered_up, 0 if again else unused, again=again))


def _handed_back(pool: Pool, answered_up: Sequence[int], unused: int, *, again: bool) -> None:
    with pool.store.about_permits().begin() as connection:
        answered_up = _untold(connection, pool, answered_up) if again else answered_up
        know(connection, (pool.name, pool.clock.boot(), pool.process))
        _report(connection, pool, answered_up, pool.clock.stamp())
        _give_back(connection, pool, unused)


def _untold(connection: Connection, pool: Pool, answered_up: Sequence[int]) -> Sequence[int]:
    """Nothing when the ledger knows the last of these answers, else all: they are told together."""
    table = tables.permit.c
    mine = (table.pool == pool.name, table.boot == pool.clock.boot(), table.process == pool.process)
    told = select(table.permit_id).where(*mine, table.answered_up == answered_up[-1]).limit(1) if answered_up else None
    return answered_up if told is None or connection.scalar(told) is None else ()


def _given(connection: Connection, pool: Pool, lost: Sequence[Stamp]) -> int:
    """How many permits the ledger gave at one of these moments."""
    table = tables.permit.c
    moments = [each.up_ms for each in lost]
    out = (*_out(pool.name, pool.clock.boot()), table.process == pool.process, table.sent_up.in_(moments))
    return connection.scalar(select(func.count()).where(*out)) or 0


def undated(pool: Pool, seconds: float) -> int:
    """How many calls of other boots count in a window of `seconds` now: from before a restart, or of other machines."""
    with pool.store.about_permits().begin() as connection:
        now = pool.clock.stamp()
        _mend(connection, pool.name, now)
        others = {boot: up for boot, up in meet(connection, pool.name, now).items() if boot != now.boot}
        return _taken(connection, pool.name, others, ceil(seconds * 1000))[0] if others else 0


def _taken(connection: Connection, pool: str, clocks: Mapping[str, int], span: int) -> tuple[int, float]:
    """How many places of a window of `span` ms are taken, and seconds until the next is free as far as is known.

    `clocks`: what the clock of each boot shows, in ms.
    """
    table, taken, free = tables.permit, 0, [100]
    for boot, now_up in clocks.items():
        _clear(connection, pool, boot, now_up, span)
        recent = (table.c.pool == pool, table.c.boot == boot, table.c.answered_up > now_up - span)
        found = select(func.count(), func.min(table.c.answered_up)).where(*recent)
        answered, first = connection.execute(found).one()
        taken += answered + (connection.scalar(select(func.count()).where(*_out(pool, boot))) or 0)
        if first is not None:
            free.append(first + span - now_up)
    return taken, min(free[1:] or free) / 1000


def _clear(connection: Connection, pool: str, boot: str, now_up: int, span: int) -> None:
    """Answers permits whose process died, and deletes lines that no window needs; `span` is the caller's, in ms."""
    table, lost = tables.permit, int(LOST_SECONDS * 1000)
    died = update(table).where(*_out(pool, boot), table.c.sent_up <= now_up - span - lost)
    connection.execute(died.values(answered_up=table.c.sent_up + lost, answered_ms=table.c.sent_ms + lost))
    answered = (table.c.pool == pool, table.c.boot == boot, table.c.answered_up.is_not(None))
    newest = select(table.c.answered_up).where(*answered).order_by(table.c.answered_up.desc())
    spare = connection.scalar(newest.offset(MOST_KEPT - 1).limit(1))
    old = now_up - int(KEPT_SECONDS * 1000)
    old = min(now_up - span, old if spare is None else max(spare - 1, old))
    connection.execute(delete(table).where(*answered, table.c.answered_up <= old))


def _mend(connection: Connection, pool: str, now: Stamp) -> None:
    """No answer lies in the future: after a machine was set back to an earlier state, that was now."""
    table = tables.permit
    later = update(table).where(table.c.pool == pool, table.c.boot == now.boot)
    connection.execute(later.where(table.c.answered_up > now.up_ms + 1).values(answered_up=now.up_ms))
    connection.execute(
        later.where(table.c.answered_up.is_(None), table.c.sent_up > now.up_ms).values(sent_up=now.up_ms)
    )


def _out(pool: str, boot: str) -> tuple[ColumnElement[bool], ...]:
    """The permits of a boot that are not answered."""
    table = tables.permit.c
    return table.pool == pool, table.boot == boot, table.answered_up.is_(None)


def _give_back(connection: Connection, pool: Pool, unused: int) -> None:
    table = tables.permit
    if unused:
        out = select(table.c.permit_id).where(*_out(pool.name, pool.clock.boot()), table.c.process == pool.process)
        spare = out.order_by(table.c.permit_id.desc()).limit(unused)
        connection.execute(delete(table).where(table.c.permit_id.in_(spare)))


def _report(connection: Connection, pool: Pool, answered_up: Sequence[int], now: Stamp) -> None:
    """Gives each answer to the oldest permit of the process that is out; one that counts as lost counts once more.

    One statement, however many there are: nobody else can use the ledger meanwhile.
    """
    if not answered_up:
        return
    table, wall_less_up = tables.permit, now.wall_ms - now.up_ms
    mine = select(table.c.permit_id).where(*_out(pool.name, now.boot), table.c.process == pool.process)
    oldest = mine.order_by(table.c.permit_id).limit(len(answered_up)).subquery()
    numbered = select(
        oldest.c.permit_id, func.row_number().over(order_by=oldest.c.permit_id).label("number")
    ).subquery()
    number, up_ms = numbers(connection, answered_up)
    answers = update(table).where(table.c.permit_id == numbered.c.permit_id, numbered.c.number == number)
    told = connection.execute(answers.values(answered_up=up_ms, answered_ms=up_ms + wall_less_up)).rowcount
    if lost := answered_up[told:]:
        times = [{"answered_up": up_ms, "answered_ms": wall_less_up + up_ms} for up_ms in lost]
        connection.execute(insert(table), [{**_line(pool, now), **each} for each in times])


def _line(pool: Pool, given: Stamp) -> dict[str, object]:
    """A permit that is out."""
    sent = {"sent_up": given.up_ms, "sent_ms": given.wall_ms}
    return {"pool": pool.name, "boot": given.boot, "process": pool.process, **sent}
