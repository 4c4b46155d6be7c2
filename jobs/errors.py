"""What can end a command, and the exit code of each.

    MusterError                 70  internal error
     ├─ Unusable                 2  usage, settings or input file; nothing was sent
     ├─ NotPermitted             4  authentication or permission
     ├─ Unreachable             75  the target did not answer for as long as one waits
     ├─ Locked                   6  another run holds the (system, tenant)
     ├─ Unproven                 7  books do not balance, evidence does not verify
     └─ LedgerBroken             2  the ledger can't be read or written; 3 once something was sent

A policy that stops a run (3) is no exception: the run ends by itself, see `jobs/engine/stops.py`.
`jobs/__main__.py` is the one place that turns them into a sentence and an exit code.
"""

from collections.abc import Mapping
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
    UNREACHABLE = 75
    SIGINT = 130
    SIGTERM = 143


PRECEDENCE = (
    ExitCode.INTERNAL,
    ExitCode.INTEGRITY,
    ExitCode.SIGINT,
    ExitCode.SIGTERM,
    ExitCode.PERMISSION,
    ExitCode.UNREACHABLE,
    ExitCode.POLICY,
    ExitCode.ATTENTION,
    ExitCode.PENDING,
    ExitCode.OK,
)
"""Which code wins when several hold, the first one first. 2, 6 and 8 end before anything is sent."""


def strongest(codes: set[ExitCode]) -> ExitCode:
    """The code of `codes` that wins; OK when there is none."""
    return next((code for code in PRECEDENCE if code in codes), ExitCode.OK)


WORDS: Mapping[ExitCode, str] = {
    ExitCode.UNUSABLE: "unusable",
    ExitCode.POLICY: "policy",
    ExitCode.PERMISSION: "not_permitted",
    ExitCode.LOCKED: "locked",
    ExitCode.INTEGRITY: "unproven",
    ExitCode.STALE_PLAN: "stale_plan",
    ExitCode.INTERNAL: "internal",
    ExitCode.UNREACHABLE: "unreachable",
    ExitCode.SIGINT: "interrupted",
    ExitCode.SIGTERM: "terminated",
}
"""Stable names of the ways to fail, for programs. Codes that are not here are no failures."""

RETRYABLE = frozenset({ExitCode.LOCKED, ExitCode.UNREACHABLE, ExitCode.SIGINT, ExitCode.SIGTERM})
"""Where the same command may succeed a little later though nobody has changed anything."""


class MusterError(Exception):
    """A failure with a sentence for the user and, where there is one, what to do next."""

    exit_code = ExitCode.INTERNAL
    code: str | None = None
    """A stable name of this kind of failure; None: that of its exit code."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @classmethod
    def ending(cls, code: ExitCode, message: str, hint: str | None = None) -> "MusterError":
        """A failure that ends the command with `code`."""
        error = cls(message, hint=hint)
        error.exit_code = code
        return error

    @property
    def retryable(self) -> bool:
        """Whether the same command may succeed a little later though nobody has changed anything."""
        return self.exit_code in RETRYABLE

    def document(self) -> dict[str, object]:
        """What programs are told: the contract's `error`."""
        return {
            "code": self.code or WORDS[self.exit_code],
            "exit_code": int(self.exit_code),
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
        }


class Unusable(MusterError):
    """Usage, settings or the input file can't be worked with. Raised only before anything was sent."""

    exit_code = ExitCode.UNUSABLE


class Usage(Unusable):
    """The command line itself: an unknown command or option, a missing argument."""

    code = "usage"


class NotPermitted(MusterError):
    """The credential, the tenant or the permissions are wrong for the whole job."""

    exit_code = ExitCode.PERMISSION


class Unreachable(MusterError):
    """The target can't be reached, or answers nothing of use, for as long as one waits for it; it refused nothing."""

    exit_code = ExitCode.UNREACHABLE


class Locked(MusterError):
    """Another run works on the same (system, tenant) in this ledger."""

    exit_code = ExitCode.LOCKED


class Unproven(MusterError):
    """The books do not balance or the evidence does not verify."""

    exit_code = ExitCode.INTEGRITY
