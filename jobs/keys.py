"""Idempotency keys and keyed pseudonyms: pure functions, stable across versions and machines.

A key names one intention for ever: the same row gives the same key on every run and every machine,
so the target refuses a second create whatever happened to the first.
"""

import hmac
import re
import uuid
from collections.abc import Mapping

import orjson

from jobs.value import value

APP = uuid.uuid5(uuid.NAMESPACE_DNS, "muster-onboarding")
"""Root of every key. Changing it would make every earlier customer a stranger."""

DERIVED = r"cust-[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
"""A key that was derived; of what, it does not show, but whoever can list that can find it."""

HIDDEN = r"hidden-[0-9a-f]{32}"
"""What is shown in the place of a key that leads to a person."""


@value
class KeySpace:
    """The keys of one (system, tenant). Nested namespaces keep `a|b` + `c` apart from `a` + `b|c`."""

    namespace: uuid.UUID

    @classmethod
    def of(cls, system: str, tenant: str) -> "KeySpace":
        """The space of `tenant` at `system`."""
        return cls(uuid.uuid5(APP, f"{system}|{tenant}"))

    def customer(self, *, row_ref: str | None, national_id: str | None) -> str:
        """`cust-<uuid>` from the source's own key where there is one, else from the identity number."""
        if row_ref:
            return self.derived("row_ref", row_ref)
        if not national_id:
            raise ValueError("a key needs a row_ref or an identity number")
        return self.derived("national_id", national_id)

    def derived(self, seed: str, value: str) -> str:
        """`cust-<uuid>` from the value of the column `seed`."""
        return f"cust-{uuid.uuid5(self.namespace, f'{seed}|{value}')}"

    def wallet(self, customer_key: str, wallet_type_id: int | str) -> str:
        """`wal-<uuid>` of one wallet type of one customer."""
        return f"wal-{uuid.uuid5(self.namespace, f'{customer_key}|{wallet_type_id}')}"


@value
class Pseudonyms:
    """Keyed HMACs of what must be compared and must not be stored.

    A bare hash of a 13-digit identity number is no mask: the whole space takes seconds to search.
    """

    secret: bytes

    def __repr__(self) -> str:
        return "Pseudonyms(secret=***)"

    def of(self, kind: str, value: str) -> str:
        """32 hex digits (128 bits) of HMAC-SHA-256 over `kind` and `value`."""
        return hmac.digest(self.secret, f"{kind}|{value}".encode(), "sha256").hex()[:32]

    def hidden(self, key: str) -> str:
        """What ledger and files show of a key that was made from a number or an address; of itself, itself."""
        return key if is_hidden(key) else f"hidden-{self.of('key', key)}"

    def fingerprint(self, payload: Mapping[str, object]) -> str:
        """32 hex digits that change when any value of `payload` changes; its order does not matter."""
        body = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
        return hmac.digest(self.secret, b"payload|" + body, "sha256").hex()[:32]


def is_hidden(key: str) -> bool:
    """Whether `key` is what `Pseudonyms.hidden` makes."""
    return re.fullmatch(HIDDEN, key) is not None
