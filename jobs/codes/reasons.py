"""Why a row that was accepted ended as it did: each reason code, under each outcome that it comes with."""

from jobs.codes.code import Code
from jobs.codes.outcomes import OUTCOMES
from jobs.codes.validation import REFUSALS
from jobs.model import Outcome

_DECIDE = "Decide with muster resume RUN --decisions FILE; muster report RUN --decisions-template makes one."
_VENDOR = "Ask the vendor who has it."
_RESUME = "muster resume RUN."
_LOOK = f"muster resume RUN looks again; if it stays so, {_DECIDE[0].lower()}{_DECIDE[1:]}"
_CORRECT = "Correct the row, which muster mend RUN --to FILE gives, or decide with --decisions FILE."

_CONFLICTS = (
    ("same_person", "the target has the same person under another key", _DECIDE),
    ("identity_taken", "another customer has the identity number", _CORRECT),
    ("phone_taken", "another customer has the phone", _CORRECT),
    ("email_taken", "another customer has the e-mail address", _CORRECT),
    ("key_taken", "the key is that of another customer", "Give the row another key, or look the customer up."),
    ("unproven", "it can't be shown to be the same person", f"Look the customer up. {_DECIDE}"),
    ("ambiguous", "several customers at the target fit", _DECIDE),
    ("wallet_exists", "the customer has a wallet of that kind that is not ours", "Settle it at the target."),
    ("wallet_key_taken", "the wallet's key is that of another wallet", "Settle it at the target."),
    ("held_by_another", "another row of the ledger holds that customer or wallet", _DECIDE),
    (
        "customer_not_active",
        "the customer is ours and not active",
        "Activate it at the target, then muster resume RUN.",
    ),
    (
        "already_registered",
        "phone or e-mail are registered already",
        "Find out whose the data are; of another person who shares them, decide `another_person` and resume.",
    ),
    ("login_taken", "the login is somebody else's", _CORRECT),
    ("has_login", "the customer has a login that we did not make", "Settle it at the target."),
    ("login_of_another", "the login leads to another customer", "Settle it at the target."),
    (
        "changed_since",
        "the row differs from what was sent before",
        "Update the customer at the target by hand.",
    ),
    ("reference_differs", "the bank has another reference for that customer", _CORRECT),
    ("same_customer", "another row leads to the same customer", _CORRECT),
    ("person_not_linked", "the person is not linked to that customer", _CORRECT),
    ("address_hidden", "the bank does not show the address that is to be changed", "Ask the bank."),
    ("account_taken", "the account is somebody else's", _VENDOR),
    ("namespace_taken", "the namespace is somebody else's", _VENDOR),
    ("user_taken", "the user is somebody else's", _VENDOR),
)
_REJECTIONS = (
    ("refused_by_target", "the target refused the data; error_code and trace_id say why", OUTCOMES["rejected"].action),
    (
        "forbidden",
        "the credential may not do that with this row",
        "Ask for the right, or let another credential do it.",
    ),
    ("not_available", "the bank does not offer that for this customer", "Ask the bank, or the customer for consent."),
    ("customer_inactive", "the bank's customer is not active", "Ask the bank."),
    ("not_offered", "the bank does not offer that change", "Ask the bank."),
    ("illegal_transition", "the customer's state does not allow that command", "Look at the customer's state."),
    ("customer_not_found", "there is no such customer", _CORRECT),
    ("other_customer", "the id leads to another customer", _CORRECT),
    ("same_credential", "who created the client does not decide about it", "Let another credential decide."),
    ("maker_unknown", "it is not known who created the client", "Let a credential decide that surely did not."),
)
_DOUBTS = (
    ("unanswered", "a request went unanswered and reading does not show what became of it", _LOOK),
    ("read_failed", "the target could not be read", _LOOK),
    ("interrupted", "the run was interrupted while a request was under way", _LOOK),
    ("changed_since", "the repetition would be another request than the open one", _DECIDE),
    ("held_by_another", "the answer names what another row of the ledger holds", _LOOK),
    ("other_customer", "the answer is about another customer", _LOOK),
    ("customer_not_found", "the customer is not shown any more", _LOOK),
    ("wallets_unreadable", "the wallets could not be read", _LOOK),
    ("documents_unreadable", "the documents could not be read", _LOOK),
    ("addresses_unreadable", "the addresses could not be read", _LOOK),
    ("handover_refused", "the proof of the login was refused", _LOOK),
    ("not_shown", "the bank took it and does not show it", "muster resume RUN looks again; then ask the bank."),
    ("unconfirmed", "somebody has it, perhaps by our unanswered request", f"Ask the vendor. {_DECIDE}"),
    ("list_unavailable", "the list of submissions can't be had", "Ask the vendor for it; then muster resume RUN."),
    ("unreadable_reply", "the answer made no sense", _LOOK),
    ("server_error", "the target failed while it answered", _LOOK),
    ("read_back", "what was written is not yet shown", _LOOK),
)
_UNTOUCHED = (
    ("interrupted", "a signal stopped the run"),
    ("deadline", "the time of --deadline came"),
    ("throttled", "the target asked for a longer pause than the run may wait"),
    ("max_errors", "more rows than --max-errors allows needed attention"),
    ("breaker", "as many rows in a row failed as --breaker allows"),
    ("same_cause", "as many rows ended alike as --same-cause allows"),
    ("canary", "the first rows did not compare well"),
    ("worker_died", "the processes that worked on them died, one after the other"),
    ("limit", "beyond --limit"),
    ("not_permitted", "the target no longer took the credential"),
    ("unreachable", "the target could not be reached any more"),
    ("broken_off", "the run's ledger or disk failed"),
)
_OTHERS = (
    (Outcome.ONBOARDED, "changed_since", "its data were changed after they were sent", "Correct the target by hand."),
    (Outcome.ALREADY_ONBOARDED, "changed_since", "the row differs from what was sent", "Correct the target by hand."),
    (
        Outcome.DECLINED,
        "kyc_failed",
        "KYC failed; failed_checks names the checks",
        "Find out why; once it is put right, ask again: muster kyc RUN --retrigger.",
    ),
    (Outcome.DECLINED, "not_approved", "the bank's people refused the client", OUTCOMES["declined"].action),
    (Outcome.DECLINED, "compliance_declined", "the compliance review said no", OUTCOMES["declined"].action),
    (Outcome.DECLINED, "application_rejected", "compliance rejected the application", OUTCOMES["declined"].action),
    (Outcome.NOT_ELIGIBLE, "no_wallet_type", "no wallet type is allowed", OUTCOMES["not_eligible"].action),
    (Outcome.NOT_ELIGIBLE, "wallet_type_not_allowed", "the type asked for is not allowed", "Ask for another type."),
    (Outcome.NOT_ELIGIBLE, "wallet_type_not_named", "several types fit and none was named", "Name wallet_type_id."),
    (Outcome.PENDING, "decision", "the decision is outstanding", "Wait for the decision, then muster resume RUN."),
    (Outcome.PENDING, "interrupted", "stopped between two steps", "muster resume RUN goes on where it stopped."),
    (Outcome.FAILED, "attempts_exhausted", "every attempt failed, and surely nothing was done", "muster retry RUN."),
    (Outcome.FAILED, "read_failed", "the target could not be read, and nothing was sent", "muster retry RUN."),
    (
        Outcome.FAILED,
        "throttled",
        "the target refused every attempt for its limits",
        "muster retry RUN, with less --rate.",
    ),
    (
        Outcome.FAILED,
        "redirected",
        "the target answered with a redirect, which is never followed",
        "Check --base-url, then muster retry RUN.",
    ),
    (
        Outcome.FAILED,
        "login_exists",
        "the customer has a login, so that ONBOARDING may attach nothing more",
        "Let an operator go on: muster run of the same file.",
    ),
    (
        Outcome.FAILED,
        "own_login_unusable",
        "the customer's own login can't be used to go on",
        "Let an operator go on: muster run of the same file.",
    ),
    (
        Outcome.FAILED,
        "document_unreadable",
        "the document that the row names can't be read any more",
        "Put the document back where the row says it is, then muster retry RUN.",
    ),
    (Outcome.FAILED, "given_up", "a person decided that nothing is ever sent for it again", "Nothing."),
)

REASONS: tuple[Code, ...] = (
    *REFUSALS,
    *(Code(name, meaning, action, Outcome.CONFLICT) for name, meaning, action in _CONFLICTS),
    *(Code(name, meaning, action, Outcome.REJECTED) for name, meaning, action in _REJECTIONS),
    *(Code(name, meaning, action, Outcome.IN_DOUBT) for name, meaning, action in _DOUBTS),
    *(Code(name, meaning, action, outcome) for outcome, name, meaning, action in _OTHERS),
    *(Code(name, meaning, _RESUME, Outcome.NOT_ATTEMPTED) for name, meaning in _UNTOUCHED),
)
"""Every reason code under every outcome that it comes with."""

_BY_OUTCOME = {(code.of, code.name): code for code in REASONS}


def reason(outcome: str, reason_code: str) -> Code | None:
    """The entry of the first code in `reason_code` (`missing:email;…` is `missing`); None: it is the target's own."""
    return _BY_OUTCOME.get((outcome, reason_code.partition(";")[0].partition(":")[0]))
