"""The optional step after the customer: the target makes a password and tells the customer, whom nobody can unmail."""

from dataclasses import dataclass

import orjson

from jobs.systems.azakaw import envelope
from jobs.systems.azakaw.forms import USER_TYPES, kind_of
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Done, Finding, Unclear, Verdict


@dataclass(frozen=True, slots=True)
class PasswordStep:
    """Has the target make a password and send it to the customer. Nothing shows whether it did: sent once only."""

    name: str = "password"
    resends: int | None = 0
    settle_seconds: float | None = 0.0
    """Waiting shows nothing."""

    async def look(self, reader: Reader, view: View) -> Finding:
        """Absent as long as no request of ours may have been applied."""
        if view.doubt is None and not view.taken:
            return Absent()
        return Unclear("unanswered", "the request for a password was not answered with a success; nothing shows it")

    def write(self, view: View) -> Request:
        """POST SetCustomerPassword; the vendor's sample has no password in it."""
        kind = view.facts.get("customer_kind") or kind_of(view.row)
        body = {"userType": USER_TYPES[kind], "submissionId": view.facts["customer_id"]}
        path = "/ExtCustomerManagement/SetCustomerPassword"
        return Request("set_password", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A success is one whatever its result: none is documented."""
        if 200 <= envelope.status_of(reply) < 300 and envelope.code_of(reply) is not None:
            return Done({}, envelope.trace_of(reply))
        if 200 <= envelope.status_of(reply) < 300:
            return envelope.doubtful(reply, "unreadable_reply", "the target's answer is no envelope")
        return envelope.refusal(reply)
