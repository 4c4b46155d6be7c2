"""What earlier runs over the same file found of the documents that its rows name.

Documents may rightly go away once they were sent. A row whose documents were there when a run read them is not refused
later because they are gone: when it is still to be sent, sending says so. A report made again refuses the rows that
its run refused, and no others.
"""

from collections.abc import Mapping, Sequence

from jobs.ledger.rows import RunRow
from jobs.settings.settings import Settings
from jobs.value import value


@value
class Earlier:
    """Earlier runs over one file, or the one whose report is made again.

    The ledger is opened when it is asked, and what opens it is loaded then: a file mostly has nothing to ask.
    """

    ledger: str
    system: str
    tenant: str
    run_id: str | None = None
    """The run whose report is made again; None: all over the same file, for a new one."""

    @classmethod
    def of(cls, settings: Settings, run: RunRow | None = None) -> "Earlier":
        """For a run made again, or (None) for a new one."""
        return cls(
            settings.ledger,
            settings.job_name.ledger_system,
            settings.tenant or "",
            run.run_id if run is not None else None,
        )

    def issued(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of `keys` that the ledger knows."""
        from jobs.ledger.place import place_of
        from jobs.ledger.store import Store
        from jobs.settings.pseudonyms import key_is_there, pseudonyms_of

        if not place_of(self.ledger).exists():
            return frozenset()
        hidden = pseudonyms_of(self.ledger).hidden if key_is_there(self.ledger) else str
        with Store.opened(self.ledger) as store:
            known = store.known(store.space(self.system, self.tenant), [*keys, *map(hidden, keys)])
        return frozenset(key for key in keys if key in known or hidden(key) in known)

    def refused(self, sha256: str, code: str, first: int, last: int) -> Mapping[int, bool]:
        """Says for source rows `first` to `last` of the file whether they were refused for `code`.

        Rows that are not in it have to be looked at: no run has read them, or (in a new run) they were refused.
        """
        from jobs.ledger.place import place_of
        from jobs.ledger.refusals import refusals, runs_over
        from jobs.ledger.store import Store

        if not place_of(self.ledger).exists():
            return {}
        made_again = self.run_id is not None
        with Store.opened(self.ledger) as store:  # another run may have begun it only now: empty is no error
            runs = [self.run_id] if self.run_id else runs_over(store, self.system, self.tenant, sha256)
            found = refusals(store, runs, code, first, last)
            return {row: refused for row, refused in found if made_again or not refused}
