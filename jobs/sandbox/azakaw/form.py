"""The bodies that Azakaw accepts, after the parameter table of its Customer Profile Management page.

The page marks the name of a person or company by its samples only; which of a company's members are required is chosen.
"""

import re
from collections.abc import Mapping
from typing import Any

INDIVIDUAL, LEGAL = "IndividualCustomer", "LegalCustomer"

NAMES = {
    INDIVIDUAL: ("individualCustomer", ("firstName", "lastName"), ()),
    LEGAL: ("legalEntityCustomer", ("fullName", "registrationNumber"), ("tradingName",)),
}
"""By userType: the object that names the customer, its required and its optional members."""

REQUIRED = ("userType", "customerEmail", "employeeId", "formId")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def complaints(body: Mapping[str, Any]) -> list[str]:
    """What is wrong with the body of AddCustomer, a sentence each; they quote values, as real validators do."""
    found = [f"{name} is required" for name in REQUIRED if not _is_text(body.get(name))]
    if _is_text(body.get("customerEmail")) and not EMAIL.fullmatch(body["customerEmail"].strip()):
        found.append(f"customerEmail '{body['customerEmail']}' is not valid")
    if not isinstance(body.get("sendEmail"), bool):
        found.append("sendEmail is required and must be true or false")
    if not isinstance(body.get("customerMobileNumber", ""), str):
        found.append("customerMobileNumber must be a string")
    user_type = body.get("userType")
    if isinstance(user_type, str) and user_type in NAMES:
        return found + _named(body, *NAMES[user_type])
    return [*found, f"userType must be {INDIVIDUAL} or {LEGAL}"]


def name(body: Mapping[str, Any]) -> str:
    """What an accepted body calls the customer: first and last name, or a company's full name."""
    if body["userType"] == LEGAL:
        return str(body["legalEntityCustomer"]["fullName"])
    person = body["individualCustomer"]
    return f"{person['firstName']} {person['lastName']}"


def last_name(body: Mapping[str, Any]) -> str | None:
    """What chooses the scenario: a person's last name or a company's full name; None when there is none."""
    for member, part in (("individualCustomer", "lastName"), ("legalEntityCustomer", "fullName")):
        named = body.get(member)
        if isinstance(named, dict) and isinstance(named.get(part), str):
            return str(named[part])
    return None


def _named(body: Mapping[str, Any], member: str, required: tuple[str, ...], optional: tuple[str, ...]) -> list[str]:
    named = body.get(member)
    if not isinstance(named, dict):
        return [f"{member} is required"]
    found = [f"{member}.{part} is required" for part in required if not _is_text(named.get(part))]
    return found + [
        f"{member}.{part} must be a string" for part in optional if not isinstance(named.get(part, ""), str)
    ]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
