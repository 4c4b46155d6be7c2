"""What each system promises: how every item of the battery ends there. docs/systems.md is made from this."""

from collections.abc import Mapping

from .faults import COMMITTED

Ends = Mapping[str, str]

SERVER_ERRORS = ("500", "502", "503", "504")
DOUBT = "in_doubt (unanswered)"
UNREADABLE = "refused: Omnumi shows nothing of its customers, so there is nothing to read again"

EVERYWHERE: Ends = {
    "refused": "rejected (refused_by_target)",
    "400": "rejected (refused_by_target)",
    "a redirect": "failed (redirected)",
    "401 (always)": "the run ends with 4",
    "403 (first of the run)": "the run ends with 4",
    "403 (later)": "rejected (forbidden)",
    "doctor": "ends with 0",
    **dict.fromkeys(("in full", "where", "exported", "downloaded", "employees", "told"), "refused"),
}
"""Unless a system's own table says otherwise."""

SETTLED: Ends = {
    **EVERYWHERE,
    "happy": "onboarded",
    "again": "already_onboarded",
    "429 (once)": "onboarded, sent 2 times",
    "500 (once)": "onboarded, sent 2 times",
    "401 (once)": "onboarded, sent 2 times",
    "lost, and the write not committed": "onboarded, sent 2 times",
    **dict.fromkeys(COMMITTED, "onboarded"),
    "killed before": "onboarded",
    "killed after": "onboarded",
    "elsewhere": "onboarded, sent 2 times",
    "elsewhere after": "onboarded",
    "otherwise before": "onboarded, sent 2 times",
    "otherwise after": "onboarded",
    "planned again": "already_onboarded",
}
"""Where a write whose answer is lost is looked for, and sent again when it was not done."""

NEVER_REPEATED: Ends = {
    **EVERYWHERE,
    "happy": "pending (decision)",
    "again": "pending",
    "429 (once)": "pending (decision), sent 2 times",
    **dict.fromkeys(SERVER_ERRORS, DOUBT),
    "500 (once)": DOUBT,
    "401 (once)": "the run ends with 4",
    "lost, and the write not committed": DOUBT,
    "killed before": DOUBT,
    "elsewhere": DOUBT,
    "otherwise before": "pending (decision), sent 2 times",
    "planned again": "finish",
}
"""Where a write whose answer is lost is not sent again, and who was created waits for a decision."""

ECLIPSE: Ends = {
    **SETTLED,
    **dict.fromkeys(SERVER_ERRORS, "failed (attempts_exhausted), sent 5 times"),
    "409": "conflict (key_taken)",
    "404": "the run ends with 4",
    "limit": "none: found by trying",
    "decided": "onboarded",
    "planned": "create",
    "spelt": "onboarded",
    "respelt": "match",
    "changed": "field_difference",
    "deleted": "missing_in_target",
    "looked up": "by identity",
    "in full": "shown",
}

OMNUMI: Ends = {
    **NEVER_REPEATED,
    "400": DOUBT,
    "409": DOUBT,
    "a redirect": DOUBT,
    "404": "the run ends with 4",
    **dict.fromkeys(COMMITTED, DOUBT),
    "killed after": DOUBT,
    "elsewhere after": DOUBT,
    "otherwise after": "in_doubt (unconfirmed), sent 2 times",
    "limit": "1 in 1 s",
    "decided": "pending (decision)",
    "planned": "unknown",
    "planned again": "pending",
    "spelt": "pending (decision)",
    "respelt": UNREADABLE,
    "changed": UNREADABLE,
    "deleted": UNREADABLE,
    "looked up": "refused: Omnumi can't find customers by phone",
}

BANKLINGO: Ends = {
    **NEVER_REPEATED,
    "409": "conflict (email_taken)",
    "404": "rejected (refused_by_target)",
    **dict.fromkeys(COMMITTED, "pending (decision)"),
    "killed after": "pending (decision)",
    "elsewhere after": "pending (decision)",
    "otherwise after": "pending (decision)",
    "limit": "2 in 1 s",
    "decided": "onboarded",
    "planned": "create",
    "spelt": "conflict (same_person)",
    "respelt": "match",
    "changed": "field_difference",
    "deleted": "missing_in_target",
    "looked up": "by phone",
    "where": "sent once its form is set",
}

AZAKAW: Ends = {
    **SETTLED,
    **dict.fromkeys(SERVER_ERRORS, f"{DOUBT}, sent 2 times"),
    "409": "conflict (email_taken)",
    "404": "the run ends with 4",
    "limit": "10 in 60 s",
    "decided": "onboarded",
    "planned": "create",
    "spelt": "conflict (email_taken)",
    "respelt": "match",
    "changed": "status_difference",
    "deleted": "missing_in_target",
    "looked up": "by email",
    "downloaded": "pdf, json",
    "employees": "listed",
    "told": "received once its proof is set",
}

BLINK: Ends = {
    **SETTLED,
    **dict.fromkeys(SERVER_ERRORS, f"{DOUBT}, sent 2 times"),
    "409": "rejected (refused_by_target)",
    "elsewhere": "in_doubt (not_shown)",
    "403 (later)": "the run ends with 4",
    "404": "rejected (refused_by_target)",
    "limit": "none: found by trying",
    "decided": "nothing is decided",
    "planned": "finish",
    "spelt": "onboarded",
    "respelt": "match",
    "changed": "field_difference",
    "deleted": "missing_in_target",
    "looked up": "by customer-id",
    "in full": "shown",
    "exported": "customers, persons, kyc, addresses",
}
