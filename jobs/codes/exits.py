"""The exit codes, and the words of `error.code`."""

from jobs.codes.code import Code
from jobs.errors import ExitCode

EXITS: dict[int, Code] = {
    int(number): Code(str(int(number)), meaning, action)
    for number, meaning, action in (
        (ExitCode.OK, "everything the command promised is true", "Nothing."),
        (
            ExitCode.ATTENTION,
            "finished, but rows need attention",
            "Take the next steps that the run named: muster status RUN names them again, muster open lists all runs.",
        ),
        (
            ExitCode.UNUSABLE,
            "usage, settings or input file unusable; nothing was sent",
            "Correct what the message names, and give the same command again.",
        ),
        (
            ExitCode.POLICY,
            "stopped by policy, or by a ledger or a disk that failed",
            "Read why it stopped (first line of report.md); once that is settled: muster resume RUN.",
        ),
        (
            ExitCode.PERMISSION,
            "authentication or permission",
            "Check credential and tenant (muster doctor), then muster resume RUN.",
        ),
        (
            ExitCode.PENDING,
            "finished; only pending rows remain",
            "Let muster resume RUN run later, by hand or by cron.",
        ),
        (
            ExitCode.LOCKED,
            "another run holds the lock, or another process the ledger's",
            "See who works (muster status); wait with --lock-timeout, or start again when it has ended.",
        ),
        (
            ExitCode.INTEGRITY,
            "integrity: the books do not balance or the evidence does not verify",
            "Rely on nothing of that run, keep its folder as it is, and let somebody look: muster verify RUN names it.",
        ),
        (
            ExitCode.STALE_PLAN,
            "the plan is stale or not approved",
            "Make the plan again (muster plan INPUT --out PLAN) or have it approved by somebody else (muster approve).",
        ),
        (
            ExitCode.INTERNAL,
            "internal error: a defect of muster",
            "Report the line that begins with `at`; muster resume RUN goes on, nothing is lost.",
        ),
        (
            ExitCode.UNREACHABLE,
            "the target could not be reached; nothing is wrong with file or credential: run it again",
            "muster resume RUN, or the same command again, when the target answers (muster doctor tries it).",
        ),
        (ExitCode.SIGINT, "interrupted by SIGINT; the state is saved", "muster resume RUN goes on."),
        (ExitCode.SIGTERM, "interrupted by SIGTERM; the state is saved", "muster resume RUN goes on."),
    )
}

FAILURES: tuple[Code, ...] = (
    Code("usage", "the command line makes no sense", "muster COMMAND --help shows examples."),
    Code("unusable", "settings or input file can't be worked with", "Correct what the message names."),
    Code("ledger", "the ledger can't be read or written", "Look at its file and disk; muster doctor checks both."),
    Code("machine", "the disk, memory or a library of this machine failed", "Look at what the hint names."),
    Code("undelivered", "a run's folder is whole here, and not in its bucket", "Run the command that the hint names."),
    Code("policy", "a limit of the operator's stopped the run", "Settle the cause, then muster resume RUN."),
    Code("not_permitted", "the credential was refused, or lacks a right", "Check it with muster doctor."),
    Code("locked", "another run is at work", "Wait for it; muster status says who it is."),
    Code("unproven", "books do not balance, or evidence does not verify", "Let somebody look before anything is sent."),
    Code("stale_plan", "the plan is stale or not approved", "Make it again, or have it approved."),
    Code("internal", "a defect of muster", "Report it with the place that the message names."),
    Code("unreachable", "the target does not answer", "Run it again later."),
    Code("interrupted", "SIGINT came", "muster resume RUN."),
    Code("terminated", "SIGTERM came", "muster resume RUN."),
)
"""The values of `error.code` in JSON."""
