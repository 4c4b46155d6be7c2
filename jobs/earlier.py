"""What earlier runs over the same file found of the documents that its rows name.

Documents may rightly go away once they were sent. A row whose documents were there when a run read them is not refused
later because they are gone: when it is still to be sent, sending says so. A report made again refuses the rows that
its run refused, and no others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from jobs.config import Settings
from jobs.ledger import tables
from jobs.ledger.rows import RunRow
from jobs.ledger.sqlite import path_of
from jobs.ledger.store import Store, select_runs
from jobs.model import Outcome


@dataclass(frozen=True, slots=True)
class Earlier:
    """Earlier runs over one file, or the one whose report is made again. The ledger is opened when it is asked."""

    ledger: str
    realm: str
    tenant: str
    run_id: str | None = None
    """The run whose report is made again; None: all over the same file, for a new one."""

    @classmethod
    def of(cls, settings: Settings, run: RunRow | None = None) -> "Earlier":
        """For a run made again, or (None) for a new one."""
        return cls(settings.ledger, settings.realm, settings.tenant or "", run.run_id if run is not None else None)

    def refused(self, sha256: str, code: str, first: int, last: int) -> Mapping[int, bool]:
        """Of source rows `first` to `last` of the file: whether they were refused for `code`.

        Rows that are not in it have to be looked at: no run has read them, or (in a new run) they were refused.
        """
        if not path_of(self.ledger).exists():
            return {}
        found: dict[int, bool] = {}
        with Store.opened(self.ledger, create=False) as store, store.engine.connect() as connection:
            table = tables.outcome.c
            wanted = select(table.source_row, table.outcome, table.reason_code)
            runs = table.run_id.in_(self._runs(store, sha256))
            for row, outcome, reason in connection.execute(wanted.where(runs, table.source_row.between(first, last))):
                refused = outcome == Outcome.QUARANTINED and code in (reason or "").split(";")
                if not refused or self.run_id is not None:
                    found[row] = refused
        return found

    def _runs(self, store: Store, sha256: str) -> list[str]:
        if self.run_id is not None:
            return [self.run_id]
        space, batch = tables.space.c, tables.batch.c
        same = (space.system == self.realm, space.tenant == self.tenant, batch.input_sha256 == sha256)
        return [run.run_id for run in store.matching(select_runs().where(*same))]
