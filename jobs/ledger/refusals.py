"""Which rows of a file its runs refused for one reason: read for the validation of the same file, later."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import Store, select_runs
from jobs.model import Outcome


def refusals(store: Store, run_ids: Sequence[str], code: str, first: int, last: int) -> Iterator[tuple[int, bool]]:
    """Source rows `first` to `last` that `run_ids` have, with whether the run refused it for `code`."""
    table = tables.outcome.c
    wanted = select(table.source_row, table.outcome, table.reason_code).where(
        table.run_id.in_(run_ids), table.source_row.between(first, last)
    )
    with store.engine.connect() as connection:
        for row, outcome, reason in connection.execute(wanted):
            yield row, outcome == Outcome.QUARANTINED and code in (reason or "").split(";")


def runs_over(store: Store, system: str, tenant: str, sha256: str) -> list[str]:
    """The runs over a file of that content."""
    space, batch = tables.space.c, tables.batch.c
    same = (space.system == system, space.tenant == tenant, batch.input_sha256 == sha256)
    return [run.run_id for run in store.matching(select_runs().where(*same))]
