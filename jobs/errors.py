"""What can end a command, and the exit code of each.

    MusterError                 70  internal error
     ├─ Unusable                 2  usage, settings or input file; nothing was sent
     ├─ PolicyStop               3  error budget, breaker, canary, deadline
     ├─ NotPermitted             4  authentication or permission
     ├─ Locked                   6  another run holds the (system, tenant)
     ├─ Unproven                 7  books do not balance, evidence does not verify
     ├─ LedgerBroken             2  the ledger can't be read or written; others: jobs/ledger/broken.py
     └─ CutShort                 3  ledger or disk failed once something was sent; others: jobs/cut_short.py

`jobs/__main__.py` is the one place that turns them into a sentence and an exit code.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells the scheduler."""

    OK = 0
    ATTENTION = 1
    UNUSABLE = 2
    POLICY = 3
    PERMISSION = 4
    PENDING = 5
    LOCKED = 6
    INTEGRITY = 7
    STALE_PLAN = 8
    INTERNAL = 70
    SIGINT = 130
    SIGTERM = 143


PRECEDENCE = (
    ExitCode.INTERNAL,
    ExitCode.INTEGRITY,
    ExitCode.SIGINT,
    ExitCode.SIGTERM,
    ExitCode.PERMISSION,
    ExitCode.POLICY,
    ExitCode.ATTENTION,
    ExitCode.PENDING,
    ExitCode.OK,
)
"""Which code wins when several hold, the first one first. 2, 6 and 8 end before anything is sent."""


def strongest(codes: set[ExitCode]) -> ExitCode:
    """The code of `codes` that wins; OK when there is none."""
    return next((code for code in PRECEDENCE if code in codes), ExitCode.OK)


class MusterError(Exception):
    """A failure with a sentence for the user and, where there is one, what to do next."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Unusable(MusterError):
    """Usage, settings or the input file can't be worked with. Raised only before anything was sent."""

    exit_code = ExitCode.UNUSABLE


class PolicyStop(MusterError):
    """A policy of the operator stopped the run; the rows left are `not_attempted`."""

    exit_code = ExitCode.POLICY


class NotPermitted(MusterError):
    """The credential, the tenant or the permissions are wrong for the whole job."""

    exit_code = ExitCode.PERMISSION


class Locked(MusterError):
    """Another run works on the same (system, tenant) in this ledger."""

    exit_code = ExitCode.LOCKED


class Unproven(MusterError):
    """The books do not balance or the evidence does not verify."""

    exit_code = ExitCode.INTEGRITY


class CutShort(MusterError):
    """The machine, its ledger or a rival ended a command that had sent something; the state is saved."""

    def __init__(self, code: ExitCode, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = code
