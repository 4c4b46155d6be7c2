"""Fault rules: which call misbehaves, and how often each rule was reached. What a fault does is in `effects`.

A rule is an object: `operation` (a name or `*`), `kind`, optional `nth` (a number, a list of numbers or `every`;
counted over the calls that the rule fits), optional `match` (`externalUniqueId`, `customerId`, `lastName`) and
optional `params` of the kind.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.sandbox.call import Subject

NUMBER = (int, float)
Types = tuple[type, ...]
WHEN: dict[str, Types] = {"when": (str,)}
ANSWER: dict[str, Types] = {"status": (int,), "body": (str, dict, list), "headers": (dict, list)}

KINDS: dict[str, dict[str, Types]] = {
    "delay": {"seconds": NUMBER, **WHEN},
    "status": ANSWER,
    "status_after_commit": ANSWER,
    "throttle": {"status": (int,), "retry_after": (str, *NUMBER), "retry_after_date": NUMBER},
    "drop_before_commit": {"reset": (bool,)},
    "drop_after_commit": {"reset": (bool,)},
    "drop_mid_reply": {},
    "truncated_body": {},
    "garbage_body": {"text": (str,)},
    "empty_body": {},
    "previous_answer": {},
    "wrong_content_type": {},
    "slow_body": {"bytes_per_second": NUMBER},
    "huge_body": {"bytes": (int,), "gzip": (bool,)},
    "redirect": {"status": (int,), "location": (str,)},
    "unauthorized": {},
    "close_after_reply": {},
    "signal_client": {"pid": (int,), **WHEN},
}
"""The kinds, and the parameters of each with their types."""

REQUIRED = {
    "delay": ("seconds",),
    "status": ("status",),
    "status_after_commit": ("status",),
    "redirect": ("location",),
    "signal_client": ("pid",),
}

MATCHES = ("externalUniqueId", "customerId", "lastName")


@dataclass(slots=True)
class Fault:
    """One rule with its counters: `seen` calls that it fits, `reached` calls that it was applied to."""

    operation: str
    kind: str
    nth: frozenset[int] | None = None
    """None: every call that fits."""
    match: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    seen: int = 0
    reached: int = 0

    def fits(self, subject: Subject) -> bool:
        """Is the rule about this call at all?"""
        if self.operation not in ("*", subject.operation):
            return False
        facts = {
            "externalUniqueId": (subject.sent_key, subject.customer_key),
            "customerId": (str(subject.customer_id),),
            "lastName": (subject.last_name,),
        }
        return all(value in facts[name] for name, value in self.match.items())

    def reach(self, subject: Subject) -> bool:
        """Counts the call and says whether the fault happens to it."""
        if not self.fits(subject):
            return False
        self.seen += 1
        if self.nth is not None and self.seen not in self.nth:
            return False
        self.reached += 1
        return True

    def as_json(self) -> dict[str, object]:
        """The rule with its counters."""
        return {
            "operation": self.operation,
            "kind": self.kind,
            "nth": "every" if self.nth is None else sorted(self.nth),
            "match": dict(self.match),
            "params": dict(self.params),
            "seen": self.seen,
            "reached": self.reached,
        }


class Faults:
    """The rules in force, in the order given; several may happen to one call."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def replace(self, rules: object) -> None:
        """Puts `rules` in the place of all earlier ones; ValueError leaves those as they were."""
        if not isinstance(rules, list):
            raise TypeError("fault rules are a list")
        self._rules = [parse(rule) for rule in rules]

    def reach(self, subject: Subject) -> list[Fault]:
        """The faults that happen to this call."""
        return [rule for rule in self._rules if rule.reach(subject)] if self._rules else []

    def as_json(self) -> list[dict[str, object]]:
        """All rules with their counters."""
        return [rule.as_json() for rule in self._rules]


def parse(rule: object) -> Fault:
    """A rule from JSON; ValueError or TypeError says what is wrong with it."""
    if not isinstance(rule, Mapping):
        raise TypeError("a fault rule is an object")
    unknown = sorted(set(rule) - {"operation", "kind", "nth", "match", "params"})
    if unknown:
        raise ValueError(f"unknown member {unknown[0]!r} in a fault rule")
    kind = rule.get("kind")
    if kind not in KINDS:
        raise ValueError(f"unknown fault kind {kind!r}; known: {', '.join(KINDS)}")
    match = {str(name): str(value) for name, value in dict(rule.get("match") or {}).items()}
    if not set(match) <= set(MATCHES):
        raise ValueError(f"match knows only {', '.join(MATCHES)}")
    params = dict(rule.get("params") or {})
    _check_params(kind, params)
    if "when" in KINDS[kind]:
        params.setdefault("when", "before")
    return Fault(str(rule.get("operation", "*")), kind, _nth(rule.get("nth", "every")), match, params)


def _nth(value: object) -> frozenset[int] | None:
    if value == "every":
        return None
    numbers = value if isinstance(value, list) else [value]
    if not numbers or any(type(number) is not int or number < 1 for number in numbers):
        raise ValueError("nth is a number from 1, a list of them, or 'every'")
    return frozenset(numbers)


def _check_params(kind: str, params: Mapping[str, Any]) -> None:
    known = KINDS[kind]
    for name, value in params.items():
        if name not in known:
            raise ValueError(f"{kind} has no parameter {name!r}")
        if not isinstance(value, known[name]) or (isinstance(value, bool) and bool not in known[name]):
            raise TypeError(f"{kind}: {name} has the wrong type")
    missing = [name for name in REQUIRED.get(kind, ()) if name not in params]
    if missing:
        raise ValueError(f"{kind} needs {missing[0]}")
    if params.get("when", "before") not in ("before", "after"):
        raise ValueError("when is 'before' or 'after' (the commit)")
    if not 200 <= params.get("status", 200) <= 599:
        raise ValueError("status is between 200 and 599")
    if min(params.get(name, 1) for name in ("bytes_per_second", "bytes")) <= 0 or params.get("seconds", 0) < 0:
        raise ValueError("seconds, bytes and bytes_per_second must be positive")
    if not 1 < params.get("pid", 2) < 2**31:
        raise ValueError("pid names one process: no group, not process 1")
    if params.get("pid") == os.getpid():
        raise ValueError("pid is the sandbox itself")
