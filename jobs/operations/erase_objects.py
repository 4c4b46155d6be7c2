"""What an erasure finds in a bucket beside the folders of runs: earlier versions of objects, and locks."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from jobs.errors import ExitCode, MusterError
from jobs.ledger.rows import RunRow
from jobs.storage.address import address_of, is_address
from jobs.storage.bucket import Absent, opened
from jobs.storage.retention import NAMELESS


def refuse_locked(runs: Iterable[RunRow], now: datetime) -> None:
    """Raises MusterError (3) where objects of `runs` that hold personal data can't be removed yet.

    Then nothing was erased. Evidence that names nobody may be locked: it stays as it is.
    """
    for run in runs:
        if not is_address(run.folder):
            continue
        kept = [each for each in opened(address_of(run.folder)).locked(now) if not NAMELESS.fullmatch(each.name)]
        if kept:
            ends = [each.until for each in kept if each.until is not None]
            until = f"until {max(ends):%Y-%m-%d}" if len(ends) == len(kept) else "by a legal hold, which has no end"
            names = sorted({each.name for each in kept})
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise MusterError.ending(
                ExitCode.POLICY,
                f"{run.folder}/{names[0]}{more}: personal data that are locked ({kept[0].mode}) {until}; "
                "nothing was erased",
                hint="repeat the command then; what is locked from now on: docs/cloud.md",
            )


def remove_old_versions(run: RunRow) -> bool:
    """Removes all earlier versions of the objects of `run` that may hold personal data.

    False: the bucket does not tell which there are. Raises NotPermitted, Unreachable.
    """
    with suppress(Absent):  # a bucket that is gone has none
        return not is_address(run.folder) or opened(address_of(run.folder)).remove_old(NAMELESS)
    return True
