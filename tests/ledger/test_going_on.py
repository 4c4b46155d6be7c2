"""What another process sees of a run at work."""

from dataclasses import replace
from pathlib import Path

from jobs.ledger.going_on import going_on
from jobs.ledger.rows import EventRow
from jobs.ledger.store import Store
from jobs.model import Outcome
from tests.books import RUN, begun, ended, intent, record, url_of

NOW = RUN.started_ms + 600_000


def at(seconds_ago: float) -> int:
    """A moment before `NOW`, in milliseconds."""
    return NOW - round(1000 * seconds_ago)


def test_a_run_at_work_is_seen_from_outside(tmp_path: Path) -> None:
    with Store.opened(url_of(tmp_path)) as store:
        book = begun(store)
        sent = [intent(f"cust-{number}") for number in range(3)]
        times = (90, 30, 20)
        book.apply(
            *(
                replace(each, event=replace(each.event, at_ms=at(seconds)))
                for each, seconds in zip(sent, times, strict=True)
                if each.event
            )
        )
        book.apply(
            replace(ended(1), event=EventRow(at(10), "outcome", 1, "cust-0", verdict="onboarded")),
            replace(ended(2, Outcome.QUARANTINED), event=EventRow(at(5), "outcome", 2, None, verdict="quarantined")),
            replace(intent("cust-9"), record=record("cust-9", undecided_since_ms=at(40)), step=None, event=None),
        )

        seen = going_on(store, RUN, NOW)

    assert (seen.under_way, seen.outstanding) == (3, 1)
    assert (seen.calls, seen.ended) == (2, 1)
    assert seen.newest_ms == at(5)
    assert seen.paused_until_ms is None
