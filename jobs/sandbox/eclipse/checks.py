"""Strict validation of request bodies. The complaint quotes the value, as real platforms do: clients must mask it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.sandbox.eclipse.refusal import Refused

UNQUOTED = frozenset({"password", "base64EncodedDocument"})
"""Members whose value no complaint repeats."""

Check = Callable[[object], str | None]
"""What is wrong with a value; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Form:
    """The members of a body. Members that it does not know are ignored."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check]

    def accept(self, body: object, *, partial: bool = False) -> dict[str, Any]:
        """The known members of `body`; Refused 400 with one error for each that does not fit.

        `partial`: required members may be absent, as in an update.
        """
        if not isinstance(body, dict):
            raise Refused(400, "JPE001", "The request body is not a JSON object")
        known = {**self.required, **self.optional}
        complaints = [] if partial else [f"{name}: is required" for name in self.required if body.get(name) is None]
        sent = {name: body[name] for name in known if body.get(name) is not None}
        for name, value in sent.items():
            complaint = known[name](value)
            if complaint is not None:
                complaints.append(f"{name}: {complaint}" if name in UNQUOTED else f"{name}: '{value}' {complaint}")
        if complaints:
            raise Refused(400, "VAL001", *complaints)
        return sent

    def with_rules(self, rules: Mapping[str, Check]) -> "Form":
        """The form with some checks replaced."""
        return Form(
            {name: rules.get(name, check) for name, check in self.required.items()},
            {name: rules.get(name, check) for name, check in self.optional.items()},
        )


def text(shortest: int = 1, longest: int | None = None) -> Check:
    """A string of so many characters."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return "must be a string"
        if len(value.strip()) < shortest:
            return f"must have at least {shortest} characters"
        return f"must have at most {longest} characters" if longest is not None and len(value) > longest else None

    return check


def pattern(expression: str, complaint: str) -> Check:
    """A string that matches as a whole."""
    compiled = re.compile(expression, re.ASCII)

    def check(value: object) -> str | None:
        return None if isinstance(value, str) and compiled.fullmatch(value) else complaint

    return check


def exactly(wanted: object) -> Check:
    """One value of one type: true is not 1, and 0.0 is not 0."""

    def check(value: object) -> str | None:
        return None if type(value) is type(wanted) and value == wanted else f"must be {wanted!r}"

    return check


def integer(value: object) -> str | None:
    """A JSON integer, not a boolean and not a string."""
    return None if type(value) is int else "must be an integer"


def boolean(value: object) -> str | None:
    """true or false."""
    return None if isinstance(value, bool) else "must be true or false"
