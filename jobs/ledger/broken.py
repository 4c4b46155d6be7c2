"""What can be wrong with a ledger that was good when it was opened, and the exit code of each.

LedgerBroken          2  it can't be read or written; 3 once something was sent (jobs/run/cut_short.py)
 ├─ LedgerAway        2  the server was lost in the middle of it, so that nobody knows what became of it
 ├─ LedgerBusy        6  another process writes to it, and does not end
 ├─ Fenced            6  another run took the tenant over (jobs/ledger/store.py)
 ├─ LedgerLost        7  what was committed is gone
 └─ LedgerRefuses    70  it refuses a row: a defect of muster
"""

from jobs.errors import ExitCode, MusterError


def words_of(error: object) -> str:
    """What a driver's error says, in one line that holds no value of a row: PostgreSQL tells these beside it."""
    diag = getattr(error, "diag", None)
    return str(getattr(diag, "message_primary", None) or error).strip().partition("\n")[0]


class LedgerBroken(MusterError):
    """The ledger can't be read or written; nothing may be sent without it."""

    exit_code = ExitCode.UNUSABLE
    code: str | None = "ledger"


class LedgerAway(LedgerBroken):
    """The connection to the ledger's server was lost: whether the last transaction was committed, it did not tell."""


class LedgerBusy(LedgerBroken):
    """Another process held the ledger's write lock for as long as was waited; nothing was changed."""

    exit_code = ExitCode.LOCKED
    code = None


class LedgerLost(LedgerBroken):
    """What was committed to the ledger is gone, wholly or in part."""

    exit_code = ExitCode.INTEGRITY


class LedgerRefuses(LedgerBroken):
    """The ledger refuses what is to be written, on a machine that works."""

    exit_code = ExitCode.INTERNAL
    code = None
