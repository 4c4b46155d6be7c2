"""The one step: the customer is created by one call, whose loss nothing but a guess could explain.

There is no look-up and no key of ours. So a row without an unanswered request is absent, and one with such a request
stays in doubt, unless the operator allows one repetition (`resend_unknown`) or a look at its own namespace (`probe`).
Either goes by the settings that the request was made with, for which the ledger is asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from jobs import folded
from jobs.model import Origin, Outcome
from jobs.systems.contract import CUSTOMER_STEP
from jobs.systems.json_reply import Unreadable, identifier, text_of
from jobs.systems.manner import facts_of
from jobs.systems.messages import MOST_BYTES, CallClass, Reader, Reply, Request, Trace
from jobs.systems.omnumi import balance
from jobs.systems.omnumi.dialect import DIALECT
from jobs.systems.omnumi.form import Form
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Finding, Taken, Unclear, Undecided, Verdict

PATH = "/tenant/customer"
DEADLINE_SECONDS = 90.0
"""Chosen: the call carries pictures, and a third party verifies them meanwhile."""

UNRESOLVED = "id_unresolved"
"""Warning of a row whose customer is there, proven by its namespace, but whose id nobody told."""

APPROVED = frozenset({"APPROVED", "ACCEPTED", "PASSED", "VERIFIED", "COMPLETED"})
DECLINED = frozenset({"REJECTED", "DECLINED", "DENIED", "FAILED"})
"""Decisions; the release note shows PENDING alone, so that any other word is no decision."""

REPEATED = {
    "email": "email",
    "phoneNumber": "phone",
    "accountAddress": "account_address",
    "customNamespace": "custom_namespace",
    "tax.idNumber": "tax_id_number",
}
"""Members of the answer that repeat a column."""

LEAST_DIGITS = 7
"""Digits below which the end of a number is no number (chosen)."""

_STATUS = re.compile(r"[A-Z][A-Z _-]{0,39}")
_NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,253}")


@dataclass(frozen=True, slots=True)
class CustomerStep:
    """Creates the customer. Sent at most twice, and that only where the operator said so."""

    form: Form
    awaits_decision: bool = True
    resends_unknown: bool = False
    probes: bool = False
    settle_seconds: float | None = 0.0
    name: str = CUSTOMER_STEP

    @property
    def resends(self) -> int | None:
        """One where that is allowed at all; `look` sees to it that it is no more."""
        return int(self.resends_unknown or self.probes)

    async def look(self, reader: Reader, view: View) -> Finding:
        """What our own ledger says, for the target says nothing; with `probe`, who holds the row's namespace."""
        if "customer_id" in view.facts or view.facts.get("warning") == UNRESOLVED:
            return self.awaited({}) if self.awaits_decision else Done()
        if view.doubt is None:
            return self.absent(view)
        if self.probes and (found := await self.probed(reader, view)) is not None:
            return found
        if view.taken:
            return Unclear("unconfirmed", f"unconfirmed: {view.said}, perhaps by our own unanswered request")
        if self.resends_unknown and view.attempts == 1:
            return self.absent(view)
        return unexplained(view)

    def absent(self, view: View) -> Absent:
        """To be sent; made in the manner of the unanswered request, where there is one."""
        return Absent(facts_of(self.form.as_sent(view.bound).manner))

    async def probed(self, reader: Reader, view: View) -> Finding | None:
        """Whether the wallet's namespace is there: proof where we made it up. None: the probe says nothing.

        That it is not there says nothing either where the ledger does not know in which manner the request was made:
        it may have carried none.
        """
        made, given = self.form.as_sent(view.bound).generated(view.row), view.row.get("custom_namespace")
        if made is None and given is None:
            return None
        reply = await balance.ask(reader, made or given or "")
        if reply.ok and made is None:
            return Unclear("unconfirmed", "unconfirmed: the row's namespace is there, perhaps somebody else's")
        if reply.ok:
            return self.settled({"customer_origin": Origin.CREATED, "warning": UNRESOLVED}, Trace(reply.status))
        if not balance.absent(reply) or not view.bound:
            return None
        if view.taken:
            return Ended(Outcome.CONFLICT, "unproven", f"{view.said}, and not by us: our namespace is not there")
        return self.absent(view) if view.attempts == 1 else unexplained(view)

    def write(self, view: View) -> Request:
        """POST /tenant/customer. The answer repeats the pictures, so that it may be as large as the request.

        A namespace that was made up is its key; one that is derived from a personal number is not told as such.
        """
        form = self.form.as_sent(view.bound)
        body = orjson.dumps(form.body(view.row))
        personal = "personal_key:external_unique_id" in (view.row.warnings or "")
        return Request(
            "create_customer",
            "POST",
            PATH,
            body=body,
            call_class=CallClass.WRITE,
            deadline_seconds=DEADLINE_SECONDS,
            most_bytes=MOST_BYTES + len(body),
            key=None if personal else form.generated(view.row),
        )

    def classify(self, reply: Reply, view: View) -> Verdict:
        """201 with an account is a create; a refusal counts only where no earlier request went unanswered."""
        verdict = DIALECT.judged(reply, partial(self.accepted, view=view), view.row)
        if reply.ok or view.doubt is None or not isinstance(verdict, Ended):
            return verdict
        if verdict.outcome is Outcome.CONFLICT:
            return Taken(verdict.reason, verdict.trace)
        return Doubted(verdict.reason_code, verdict.reason, answered=True, trace=verdict.trace)

    def accepted(self, data: Mapping[str, Any], view: View) -> Done | Undecided | Ended:
        """The ids and the decision are kept, everything else of the reply is dropped here. Raises Unreadable."""
        account = identifier(data.get("customerAccountId"))
        if account is None:
            raise Unreadable("it has no customerAccountId")
        if (member := self.stranger(data, view)) is not None:
            raise Unreadable(f"its {member} is not the one that was sent")
        facts = {"customer_id": account, "customer_origin": Origin.CREATED}
        if status := _STATUS.fullmatch((text_of(data, "complianceStatus") or "").strip().upper()):
            facts["decision_status"] = status[0]
        namespace = text_of(data, "domainNamespace") or ""
        if not view.row.get("custom_namespace") and _NAMESPACE.fullmatch(namespace):
            facts |= {
                "domain_namespace": namespace,
                "wallet_id": namespace,
            }  # one that the row names may be a person's name
        return self.settled(facts)

    def stranger(self, data: Mapping[str, Any], view: View) -> str | None:
        """The first member that says that an answer is about somebody else; None: none does.

        Compared are those that the release note's answer repeats and that no review changes; one that is not there, or
        that was not sent, says nothing.
        """
        row, tax = view.row, data.get("tax")
        shown = {**data, "tax.idNumber": tax.get("idNumber") if isinstance(tax, dict) else None}
        sent = {member: row.get(column) for member, column in REPEATED.items()}
        sent["customNamespace"] = sent["customNamespace"] or self.form.as_sent(view.bound).generated(row)
        for member, ours in {**sent, "tenantId": self.form.tenant}.items():
            if ours and shown.get(member) not in (None, "") and not same(member, ours, shown[member]):
                return member
        return None

    def settled(self, facts: Mapping[str, str], trace: Trace = Trace()) -> Done | Undecided | Ended:
        """A customer that is there, by the decision about it. No other row may hold it."""
        status = facts.get("decision_status")
        claims = {"customer": facts["customer_id"]} if "customer_id" in facts else {}
        if status in DECLINED:
            reason = f"the compliance review ended {status}"
            return Ended(Outcome.DECLINED, "compliance_declined", reason, facts, trace, proves=True, claims=claims)
        if status in APPROVED or not self.awaits_decision:
            return Done(facts, trace, claims)
        return replace(self.awaited(facts, trace), claims=claims)

    def awaited(self, facts: Mapping[str, str], trace: Trace | None = None) -> Undecided:
        """The review is outstanding, and nothing tells its end: not to be asked for again."""
        return Undecided(facts, trace or Trace(), polled=False)


def same(member: str, ours: str, theirs: object) -> bool:
    """Whether a member of an answer, a text, is the one that was sent; of a phone the end, as it may be national."""
    if not isinstance(theirs, str):
        return False
    if member == "phoneNumber":
        sent, shown = ("".join(filter(str.isdecimal, folded.phone(text))).lstrip("0") for text in (ours, theirs))
        return len(shown) >= LEAST_DIGITS and sent.endswith(shown)
    if member == "tax.idNumber":
        ours, theirs = ("".join(filter(str.isalnum, folded.identity(text))) for text in (ours, theirs))
    return folded.email(ours) == folded.email(theirs)


def unexplained(view: View) -> Unclear:
    """In doubt for good; a person has to ask the vendor."""
    times = "a request" if view.attempts == 1 else f"{view.attempts} requests"
    said = f" ({view.said})" if view.said else ""
    return Unclear("unanswered", f"{times} may have been applied, and nothing can be read{said}")
