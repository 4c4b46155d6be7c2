"""What a person does next about a row, by outcome and reason code. Sentences only; nothing is decided here."""

from jobs.model import MatchClass, Outcome

_BY_CODE: dict[tuple[str, str], str] = {
    (Outcome.QUARANTINED, "missing"): "Fill the field: muster mend RUN --to FILE gives the rows, to be run again.",
    (Outcome.QUARANTINED, "duplicate_in_file"): "Decide which row is right, keep that one, feed it back.",
    (Outcome.QUARANTINED, "column_count"): "The line has too few or too many fields; mend its quotes or separators.",
    (Outcome.QUARANTINED, "encoding"): "The text was damaged before it came here; export it again as UTF-8.",
    (Outcome.CONFLICT, "unproven"): "Look the customer up; it can't be shown to be the same person.",
    (
        Outcome.CONFLICT,
        "already_registered",
    ): "Find out whose the data are; of another person who shares them, decide `another_person` and resume.",
    (
        Outcome.CONFLICT,
        "changed_since",
    ): "The row differs from what was sent before; update the customer at the target by hand.",
    (Outcome.PENDING, "decision"): "Wait for the decision, then resume the run.",
    (Outcome.PENDING, "interrupted"): "Resume the run; it goes on where it stopped.",
    (Outcome.DECLINED, "kyc_failed"): "Find out why; once it is put right, ask again: muster kyc RUN --retrigger.",
    (Outcome.FAILED, "document_unreadable"): "Put the document back where the row says it is, then retry the run.",
    (Outcome.FAILED, "redirected"): "The target answered with a redirect, which is never followed; check the base URL.",
}

_BY_OUTCOME: dict[str, str] = {
    Outcome.ONBOARDED: "Nothing.",
    Outcome.ALREADY_ONBOARDED: "Nothing.",
    Outcome.QUARANTINED: "Correct the value: muster mend RUN --to FILE gives the rows, to be run again.",
    Outcome.CONFLICT: "Look the customer up and decide who holds the phone, identity or key.",
    Outcome.REJECTED: "Read the target's reason and correct the row, which muster mend RUN --to FILE gives.",
    Outcome.DECLINED: "Follow the procedure for declined customers; the check is not repeated.",
    Outcome.NOT_ELIGIBLE: "Ask the operator of the target for a wallet type that is allowed.",
    Outcome.PENDING: "Resume the run.",
    Outcome.FAILED: "Safe to try again: retry the run.",
    Outcome.IN_DOUBT: "Check at the target whether the write took effect, before anything is sent again.",
    Outcome.NOT_ATTEMPTED: "Resume the run; nothing was sent for these rows.",
}


def advice(outcome: str, reason_code: str = "") -> str:
    """The next thing to do; the code's own sentence where there is one (`missing:email` is `missing`)."""
    code = reason_code.partition(":")[0]
    return _BY_CODE.get((outcome, code)) or _BY_OUTCOME.get(outcome, "Look at the row.")


OUTCOME_MEANINGS: dict[str, str] = {
    Outcome.ONBOARDED: "every step done",
    Outcome.ALREADY_ONBOARDED: "complete before this run; nothing changed",
    Outcome.QUARANTINED: "failed validation; nothing was sent",
    Outcome.CONFLICT: "held by another customer, or not proven ours",
    Outcome.REJECTED: "the target refused the data",
    Outcome.DECLINED: "negative decision; no wallet",
    Outcome.NOT_ELIGIBLE: "no wallet type allowed",
    Outcome.PENDING: "unfinished; resume picks it up",
    Outcome.FAILED: "attempts used up; surely not done",
    Outcome.IN_DOUBT: "a write may have been applied",
    Outcome.NOT_ATTEMPTED: "the run stopped before this row",
}
"""Each outcome in a few words, for the report."""

CLASS_MEANINGS: dict[str, str] = {
    MatchClass.MATCH: "the target holds what the outcome promises",
    MatchClass.FIELD_DIFFERENCE: "a field differs",
    MatchClass.STATUS_DIFFERENCE: "a status differs",
    MatchClass.PARTIAL: "only a part is there, such as a customer without the wallet",
    MatchClass.MISSING_IN_TARGET: "not found at the target",
    MatchClass.ONLY_IN_TARGET: "at the target, but not in the file",
    MatchClass.AMBIGUOUS: "several customers fit",
    MatchClass.UNVERIFIED: "could not be read; never counted as a match",
    MatchClass.NOT_SENT: "nothing was sent, so nothing was compared",
}
"""Each class of the reconciliation in a few words, for the report."""
