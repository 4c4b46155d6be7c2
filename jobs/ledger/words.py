"""Words that ledgers hold as one byte: the number of each is its place here, for ever.

What is not here is kept as it is spelt. New ones come at the end, and with a new version of the schema: an older muster
could not read them. Place 0 is nobody's: it says that a name follows.
"""

from collections.abc import Mapping

WORDS: tuple[str, ...] = (
    "\0",
    # outcomes
    "onboarded", "already_onboarded", "quarantined", "conflict", "rejected", "declined", "not_eligible", "pending",
    "failed", "in_doubt", "not_attempted",
    # states of steps, and verdicts
    "intended", "done", "undecided", "refused", "doubtful", "open", "absent", "ended", "unclear", "again", "throttled",
    "doubted", "taken",
    # kinds of events, decisions of people, kinds of ids
    "run_start", "intent", "result", "outcome", "run_end", "decision", "ours", "not_done", "another_person", "give_up",
    "leave", "customer", "wallet",
    # steps
    "kyc", "password", "document", "approval", "link", "address", "address_use", "second_address", "identity",
    "handover", "portal_user", "profile",
    # names of facts
    "customer_id", "customer_origin", "decision_status", "failed_checks", "kyc_asked", "user_type_id",
    "wallet_currency", "wallet_external_unique_id", "wallet_id", "wallet_type_id",
    # columns of files
    "date_of_birth", "email", "first_name", "last_name", "national_id", "phone", "external_unique_id", "row_ref",
    "gender", "title", "currency", "country", "nationality",
    # values of facts, and of columns of an outcome
    "created", "adopted", "PASSED", "FAILED", "PENDING", "{}", "ZAR", "USD", "EUR", "true", "false",
    # reason codes
    "interrupted", "duplicate_in_file:external_unique_id", "duplicate_in_file:phone", "duplicate_in_file:national_id",
    "phone_invalid:phone", "email_invalid:email", "national_id_invalid:national_id", "missing:phone", "missing:email",
    "missing:national_id", "missing:first_name", "missing:last_name",
    # the SHA-256 of the body `{}`
    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
)  # fmt: skip

BYTES: Mapping[str, bytes] = {word: bytes([number]) for number, word in enumerate(WORDS) if number}
"""Each word as a ledger holds it."""
