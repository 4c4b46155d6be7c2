"""A ledger speaks of one target: one address for each (system, tenant), whatever is done there.

Jobs with a space of their own (`banklingo:decide`) speak of the same target as their system's customers. An origin is
`scheme://host:port/path`, normalised by the caller.
"""

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, inspect, or_, select, update

from jobs.errors import Unusable
from jobs.ledger import tables
from schemas.job_name import JobName

if TYPE_CHECKING:
    from jobs.ledger.store import Store

MOVED_FROM = "moved_from"
"""The fact of a run that says as what the ledger knew the target before."""


def known_origin(store: "Store", system: str, tenant: str) -> str | None:
    """The origin that the spaces of (system, tenant) hold; None: not known yet, or a ledger of an older version."""
    with store.engine.connect() as connection:
        if tables.space.c.origin.name not in {each["name"] for each in inspect(connection).get_columns("space")}:
            return None
        wanted = select(tables.space.c.origin).where(_of(system, tenant), tables.space.c.origin.is_not(None))
        origin: str | None = connection.scalar(wanted)
        return origin


def last_settings(store: "Store", system: str, tenant: str) -> dict[str, Any]:
    """The settings of the newest run at (system, tenant); empty: there was no run."""
    with store.engine.connect() as connection:
        wanted = _runs(system, tenant).with_only_columns(tables.run.c.settings)
        settings = connection.scalar(wanted.order_by(tables.run.c.started_ms.desc()).limit(1))
    return {} if settings is None else dict(json.loads(settings))


def last_base_url(store: "Store", system: str, tenant: str) -> str | None:
    """The base URL of the newest run at (system, tenant), as its settings show it; None: there was no run."""
    return last_settings(store, system, tenant).get("base_url") or None


def moved_before(store: "Store", system: str, tenant: str, origin: str) -> bool:
    """Whether a run at (system, tenant) recorded that the target was at `origin` once."""
    fact = f"{json.dumps(MOVED_FROM)}: {json.dumps(origin)}"
    with store.engine.connect() as connection:
        wanted = _runs(system, tenant).where(tables.run.c.facts.contains(fact, autoescape=True)).limit(1)
        return connection.scalar(wanted) is not None


def remember_origin(connection: Connection, space_id: int, origin: str, before: object) -> None:
    """All spaces of the system and tenant of `space_id` hold `origin`, where they held none, it, or `before`.

    Raises Unusable when they hold another one: somebody was quicker, under another job's lease.
    """
    space = tables.space.c
    system, tenant = connection.execute(select(space.system, space.tenant).where(space.space_id == space_id)).one()
    ours = _of(JobName.parse(system).system, tenant)
    allowed = or_(space.origin.is_(None), space.origin == before)
    connection.execute(update(tables.space).where(ours, allowed).values(origin=origin))
    if other := connection.scalar(select(space.origin).where(ours, space.origin != origin)):
        raise Unusable(f"the ledger has just begun to speak of {other}, not of {origin}", hint="give another --ledger")


def _of(system: str, tenant: str) -> ColumnElement[bool]:
    """The spaces of all jobs of `system` at `tenant`."""
    space = tables.space.c
    jobs = or_(space.system == system, space.system.startswith(JobName(system).siblings, autoescape=True))
    return and_(space.tenant == tenant, jobs)


def _runs(system: str, tenant: str) -> Select[Any]:
    """The runs of all jobs of `system` at `tenant`."""
    run, batch, space = tables.run, tables.batch, tables.space
    joined = run.join(batch, batch.c.batch_id == run.c.batch_id).join(space, space.c.space_id == batch.c.space_id)
    return select(run.c.run_id).select_from(joined).where(_of(system, tenant))
