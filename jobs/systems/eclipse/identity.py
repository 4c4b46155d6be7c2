"""Step 2 of self-registration, the identity: a login name and a password, asked for once, for a customer without any.

From the moment it exists nothing about the customer is asked with the ONBOARDING credential. A doubt is settled by
logging in as the customer; only where that proves nothing, HEAD says whether there is a login.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from jobs.model import Outcome
from jobs.systems.contract import Passwords
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.eclipse.existence import has_login
from jobs.systems.eclipse.handover import Handover, Proof
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Taken, Unclear, Verdict

MOST_TRIED = 2
"""Logins that settle a doubt, chosen: the name may be a stranger's, whose login more failures could lock."""

SENT = "identity_sha256"
"""The fact that holds a digest of the request without the password: the row may have another login by the next run."""

TAKEN = Ended(Outcome.CONFLICT, "login_taken", "somebody else logs in with this name; choose another one")
"""The name is refused as taken, and our customer has no login: it is somebody's of whatever tenant."""


@dataclass(frozen=True, slots=True)
class IdentityStep:
    """Creates the login. A repeated one is refused (409), so resending after a look is safe."""

    tenant_path: str
    passwords: Passwords
    handover: Handover
    name: str = "identity"
    resends: int | None = None
    settle_seconds: float | None = None

    async def look(self, reader: Reader, view: View) -> Finding:
        """Whether our customer has a login, and whether a request of ours explains it."""
        facts = {SENT: hashlib.sha256(self.told(view.row)).hexdigest()}
        if view.bound.get(SENT, facts[SENT]) != facts[SENT]:
            reason = "the login was changed while its creation is unanswered; restore it, or decide by hand"
            return Unclear("changed_since", reason)
        ours = view.doubt is not None and not view.taken and view.attempts <= MOST_TRIED
        if ours and await self.handover.attempt(reader, view) is Proof.GIVEN:
            return Done()
        customer_id = view.facts["customer_id"]
        if not await has_login(reader, self.tenant_path, customer_id):
            return TAKEN if view.taken else Absent(facts)
        if view.doubt is not None or view.taken:  # it had none when we asked, and an answer of ours is missing or "409"
            return Done()
        return Ended(
            Outcome.CONFLICT, "has_login", f"customer {customer_id} has a login already, which is not from here"
        )

    def write(self, view: View) -> Request:
        """POST /customers/{id}/identities. The password is on the disk, or in the input, before it is sent.

        Neither the password nor a digest that it is part of goes into the ledger; nor does the login name, and so the
        request has no key there.
        """
        row, told = view.row, self.told(view.row)
        body = orjson.loads(told) | {"password": self.passwords.for_row(row, row.values["identity"])}
        return Request(
            "create_identity",
            "POST",
            self.path(view.facts["customer_id"]),
            body=orjson.dumps(body),
            call_class=CallClass.WRITE,
            described=told,
        )

    def told(self, row: Row) -> bytes:
        """What the row says of its login, but for the password."""
        told: dict[str, object] = {"identity": row.values["identity"]}
        if (totp := row.get("totp_enabled")) is not None:
            told["totpEnabled"] = totp == "true"
        if (public_key := row.get("public_key")) is not None:
            told["base64EncodedPublicKey"] = public_key
        return orjson.dumps(told)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with our identity is a login. The target's own words are never repeated: they may quote the password."""
        return wordless(DIALECT.judged(reply, partial(created, view=view)))

    def path(self, customer_id: str) -> str:
        """The one path of creating and asking."""
        return shown.path_of(self.tenant_path, customer_id, "identities")


def created(record: Mapping[str, Any], view: View) -> Done:
    """The login that the reply to a create names. Raises Unreadable."""
    if wire.text_of(record, "identity") != view.row.get("identity"):
        raise wire.Unreadable("it has not the identity that was sent")
    if wire.contradicts(record, "userId", view.facts["customer_id"]):
        raise wire.Unreadable("the identity belongs to another user")
    return Done()


def wordless(verdict: Verdict) -> Verdict:
    """`verdict` with a sentence of ours in the place of the target's."""
    status, code = verdict.trace.http_status, verdict.trace.error_code
    told = f"HTTP {status}{f', {code}' if code else ''}"
    if isinstance(verdict, Ended):
        outcome = verdict.outcome
        return Ended(outcome, verdict.reason_code, f"the target refused the login ({told})", trace=verdict.trace)
    if isinstance(verdict, Taken):
        return Taken(f"the login is refused as taken ({told})", verdict.trace)
    return verdict
