"""The profile of a customer without a login, brought to what a corrected row says.

The right is "ProfileOfNewCustomer.UPDATE.Allowed". The vendor's page names no operation for it: PUT on the profile's
own path is assumed, with the members of the create, and with `version` where the profile shows one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from jobs.model import Outcome
from jobs.systems.contract import PROFILE_STEP
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.customer import PAYLOAD, members, same_identity, same_phone
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.eclipse.existence import has_login
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Verdict

VERSION = "profile_version"
"""The fact that holds the version which the change is made of; empty: none was shown."""


@dataclass(frozen=True, slots=True)
class ProfileStep:
    """Changes the profile. Repeating it changes nothing more, so resending after a look is safe."""

    tenant_path: str
    name: str = PROFILE_STEP
    resends: int | None = None
    settle_seconds: float | None = None

    async def look(self, reader: Reader, view: View) -> Finding:
        """Whether the profile is as the row. Nothing is read of a row whose data are those that were sent."""
        if not view.changed and view.doubt is None and not view.taken:
            return Done()
        customer_id = view.facts["customer_id"]
        if await has_login(reader, self.tenant_path, customer_id):
            return Unclear("changed_since", "the customer has a login, after which ONBOARDING may change nothing")
        profile = await shown.profile(reader, self.tenant_path, customer_id)
        if profile is None:
            return Unclear("customer_not_found", f"the target does not show customer {customer_id}")
        if not same_identity(view.row, profile):
            return Ended(Outcome.CONFLICT, "changed_since", "the customer has another identity number than the row")
        return self.settled(view, profile)

    def settled(self, view: View, profile: Mapping[str, Any]) -> Finding:
        """What a profile says of the change: done, to be sent (once more), or refused."""
        sent, version = view.bound.get(VERSION) or None, wire.identifier(profile.get("version"))
        moved = sent is not None and version != sent
        if agrees(view.row, profile) and (moved or shows_all(view.row, profile)):
            return Done()
        if view.taken and view.doubt is None:
            return Ended(Outcome.CONFLICT, "already_registered", f"the target refuses the changed data: {view.said}")
        if moved:
            return Unclear("unanswered", "the profile was changed, and not to what the row says")
        return Absent({VERSION: sent or version or ""})

    def write(self, view: View) -> Request:
        """PUT /customers/{id}. It carries no key: the path says whom it changes."""
        body: dict[str, object] = {**members(view.row)}
        if version := view.facts.get(VERSION):
            body["version"] = int(version)
        path = shown.path_of(self.tenant_path, view.facts["customer_id"])
        return Request("update_customer", "PUT", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """Any 2xx is a change, also without a body: what the reply holds is not documented."""
        if reply.ok and not reply.body.strip():
            return Done(trace=DIALECT.trace_of(reply))
        return DIALECT.judged(reply, partial(changed, customer_id=view.facts["customer_id"]))


def changed(record: Mapping[str, Any], customer_id: str) -> Done:
    """The profile is changed. Raises Unreadable when the reply is about another customer's."""
    if wire.contradicts(record, "customerId", customer_id):
        raise wire.Unreadable("the profile is another customer's")
    return Done()


def agrees(row: Row, profile: Mapping[str, Any]) -> bool:
    """Whether no member that the profile shows is another one than the row's."""
    return all(
        profile.get(api) in (None, "") or wire.text_of(profile, api) == value or same_number(api, row, profile)
        for api, value in members(row).items()
    )


def same_number(api: str, row: Row, profile: Mapping[str, Any]) -> bool:
    """Whether it is the phone or identity number, and only spelt otherwise."""
    by_number = {PAYLOAD["phone"]: same_phone, PAYLOAD["national_id"]: same_identity}
    return api in by_number and by_number[api](row, profile)


def shows_all(row: Row, profile: Mapping[str, Any]) -> bool:
    """Whether the profile shows every member that the row fills."""
    return all(profile.get(api) not in (None, "") for api in members(row))
