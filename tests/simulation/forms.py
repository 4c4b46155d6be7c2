"""What the model of the target demands of bodies. Written from the vendor's page; shares no code with anything."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Rule = Callable[[Any], bool]


def matches(expression: str) -> Rule:
    """Text that matches as a whole."""
    return lambda value: isinstance(value, str) and re.fullmatch(expression, value, re.ASCII) is not None


def said(value: Any) -> bool:
    """Text that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def number(value: Any) -> bool:
    """A JSON integer; true is none."""
    return type(value) is int


def key(value: Any) -> bool:
    """A key of the client, of 6 to 100 characters."""
    return said(value) and len(value.strip()) >= 6 and len(value) <= 100


def zero(value: Any) -> bool:
    """The version of a new record."""
    return number(value) and value == 0


CUSTOMER: Mapping[str, Rule] = {
    "firstName": said,
    "lastName": said,
    "phone1": matches("[1-9][0-9]{6,14}"),
    "email": matches(r"[^@\s]+@[^@\s]+"),
    "nationalIdentityNumber": said,
    "userTypeId": number,
    "externalUniqueId": key,
    "version": zero,
}
WALLET: Mapping[str, Rule] = {
    "walletTypeId": number,
    "currency": matches("[A-Z]{3}"),
    "status": lambda value: value == "ACTIVE",
    "externalUniqueId": key,
    "version": zero,
}
LOGIN: Mapping[str, Rule] = {
    "identity": lambda value: said(value) and 3 <= len(value) <= 40,
    "password": lambda value: said(value) and 3 <= len(value) <= 80,
}
RENEWAL: Mapping[str, Rule] = {"jwt": said}


def fault_of(body: Any, form: Mapping[str, Rule]) -> tuple[str, str] | None:
    """Code and words for what is wrong with `body`; None when nothing is."""
    if not isinstance(body, dict):
        return "JPE001", "not a JSON object"
    wrong = next((name for name, rule in form.items() if not rule(body.get(name))), None)
    return None if wrong is None else ("VAL001", f"{wrong}: {body.get(wrong)} does not fit")
