"""Omnumi's catalogue of errors, and which last names bring them about. Not the rules that lead to them otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass

BLOCKED = (
    "Tenant's account has been blocked. You will be not able to onboard any user. Please get in touch with support team"
)

CATALOGUE: dict[str, tuple[str, str]] = {
    "tenant_invalid": ("catch", "Please provide valid tenant id"),
    "iso_code": ("Onboard Customer", "Please provide a valid ISO 3166-1 alpha-2 country and state code"),
    "namespace_taken": ("Onboard Customer", "Custom namespace is taken"),
    "address_taken": ("Duplicate", "Account address already taken"),
    "tenant_blocked": ("Tenant", BLOCKED),
    "tenant_unknown": ("Duplicate", "No data found with given tenant Id"),
    "tenant_status": ("Tenant", "Tenant onboarding status is isTenantAvailableCheck?.onboardingStatus"),
    "email_taken": ("onboard", "A user is already been registered with provided email id"),
    "wallet_user": ("onboard", "Wallet user already exists inside tenant"),
    "documents": ("Documents", "There are no sufficient documents"),
    "email_duplicate": ("Duplicate", "A user is already been registered with provided email id"),
    "provider": ("Finclusive", "messages"),
    "provider_row": ("Finclusive", "messages"),
    "catch_second": ("catch", "err[1]"),
    "catch": ("catch", "error.message"),
    "identity": ("Identity", "error in deleting identity"),
    "rule": ("Rule Error", "axiosResponse.errors"),
    "rule_text": ("Rule Error", "axiosResponse.errors"),
    "rule_object": ("Rule Error", "axiosResponse.errors"),
}
"""Type and message of each entry, letter by letter as in the release note of v1.5.0, its placeholders too."""

FILLED = {
    "tenant_status": "Tenant onboarding status is {status}",
    "provider": "Verification provider is not available",
    "provider_row": "Date of birth {dateOfBirth} does not match the document",
    "catch_second": "ValidationError: customer could not be saved",
    "catch": "Cannot read properties of undefined (reading 'status')",
}
"""What a running system says in the place of a placeholder (chosen). Clients must mask what it quotes."""

SCENARIOS: dict[str, tuple[tuple[str, ...], bool]] = {
    "refused": (("documents",), False),
    "blocked": (("tenant_blocked",), False),
    "provider": (("provider",), False),
    "providerdata": (("provider_row",), False),
    "walletuser": (("wallet_user",), False),
    "rulefail": (("rule",), False),
    "rulefailtext": (("rule_text",), False),
    "rulefailobject": (("rule_object",), False),
    "rollback": (("identity",), True),
    "catchall": (("catch",), False),
    "catchafter": (("catch",), True),
    "mixed": (("iso_code", "email_taken"), False),
    "mixedblock": (("documents", "tenant_blocked"), False),
}
"""End of the last name: the errors, and whether a record is left behind although the answer is an error.

No ending is the end of another one.
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a last name asks for. `leaves_record`: the customer is stored in spite of the refusal."""

    names: tuple[str, ...] = ()
    leaves_record: bool = False


def scenario(last_name: str) -> Scenario:
    """The scenario of the ending that fits, in any case; no errors when none does."""
    for ending, story in SCENARIOS.items():
        if last_name.lower().endswith(ending):
            return Scenario(*story)
    return Scenario()


def entry(name: str, body: Mapping[str, object], *, status: str = "", placeholders: bool = False) -> dict[str, object]:
    """One element of `errors`. `body` is the request, which a real message may quote; KeyError: no such name."""
    kind, message = CATALOGUE[name]
    if kind == "Rule Error":
        return {"type": kind, "errors": message if placeholders else _nested(name, str(body.get("email", "")))}
    if name in FILLED and not placeholders:
        message = FILLED[name].format(status=status or "PENDING", dateOfBirth=body.get("dateOfBirth", ""))
    return {"type": kind, "message": message}


def rule_errors(complaints: list[dict[str, str]]) -> dict[str, object]:
    """The Rule Error that stands for a body which breaks the form."""
    return {"type": "Rule Error", "errors": complaints}


def _nested(name: str, email: str) -> object:
    """`errors` of a Rule Error: the note does not say what it is, so a list, a text and an object are played."""
    if name == "rule_text":
        return f"customer {email} was refused by rule 17"
    if name == "rule_object":
        return {"email": [f"{email} was refused by rule 17"], "code": 17}
    return [{"field": "email", "message": f"'{email}' was refused by rule 17"}]
