"""How a row ends, and how it compares with a fresh read of the target."""

from jobs.codes.code import Code
from jobs.model import MatchClass, Outcome

OUTCOMES: dict[str, Code] = {
    outcome: Code(outcome.value, meaning, action)
    for outcome, meaning, action in (
        (Outcome.ONBOARDED, "every step done", "Nothing."),
        (Outcome.ALREADY_ONBOARDED, "complete before this run; nothing changed", "Nothing."),
        (
            Outcome.QUARANTINED,
            "failed validation; nothing was sent",
            "Correct the value: muster mend RUN --to FILE gives the rows, to be run again.",
        ),
        (
            Outcome.CONFLICT,
            "held by another customer, or not proven ours",
            "Find out who holds the phone, identity or key; decide with muster resume RUN --decisions FILE.",
        ),
        (
            Outcome.REJECTED,
            "the target refused the data",
            "Read the target's reason and correct the row, which muster mend RUN --to FILE gives.",
        ),
        (
            Outcome.DECLINED,
            "negative decision; no wallet",
            "Follow the procedure for declined customers; the check is not repeated.",
        ),
        (
            Outcome.NOT_ELIGIBLE,
            "no wallet type allowed",
            "Ask the operator of the target for a wallet type that is allowed.",
        ),
        (Outcome.PENDING, "unfinished; resume picks it up", "muster resume RUN."),
        (Outcome.FAILED, "attempts used up; surely not done", "Safe to try again: muster retry RUN."),
        (
            Outcome.IN_DOUBT,
            "a write may have been applied",
            "muster resume RUN looks again; then decide with --decisions (muster report RUN --decisions-template).",
        ),
        (Outcome.NOT_ATTEMPTED, "the run stopped before this row", "muster resume RUN; nothing was sent for it."),
    )
}

CLASSES: dict[str, Code] = {
    name: Code(name.value, meaning, action)
    for name, meaning, action in (
        (MatchClass.MATCH, "the target holds what the outcome promises", "Nothing."),
        (MatchClass.FIELD_DIFFERENCE, "a field differs", "Correct the target or the source, by hand."),
        (MatchClass.STATUS_DIFFERENCE, "a status differs", "Ask at the target why it was changed."),
        (
            MatchClass.PARTIAL,
            "only a part is there, such as a customer without the wallet",
            "Find out what happened to the rest at the target.",
        ),
        (MatchClass.MISSING_IN_TARGET, "not found at the target", "Find out who removed it."),
        (MatchClass.ONLY_IN_TARGET, "at the target, but not in the file", "Find out who made it."),
        (MatchClass.AMBIGUOUS, "several customers fit", "Decide which is ours: muster reconcile RUN --decisions FILE."),
        (
            MatchClass.UNVERIFIED,
            "could not be read; never counted as a match",
            "muster reconcile RUN reads again.",
        ),
        (MatchClass.NOT_SENT, "nothing was sent, so nothing was compared", "Nothing."),
    )
}
