"""The step of a decision: one command about one client, sent when the client's state allows it.

Where the state can be read, an illegal transition is refused before anything is sent, and a command that went
unanswered is settled by the state. Where it can't, the target is asked once, and no doubt is settled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from jobs import folded
from jobs.model import Outcome
from jobs.systems.banklingo.contacts import KEYS, Contact, Contacts, key_of
from jobs.systems.banklingo.customer import PAYLOAD, Form, written_with
from jobs.systems.banklingo.dialect import DIALECT, Envelope, opened
from jobs.systems.banklingo.states import (
    ACTIVE,
    APPROVED,
    BLACKLISTED,
    EXITED,
    PENDING,
    REJECTED,
    STATES,
    as_number,
    number_of,
    state_of,
)
from jobs.systems.json_reply import Unreadable
from jobs.systems.manner import bound_to
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Taken, Unclear, Verdict
from jobs.value import value


@value
class Command:
    """One command. `origins` are the states that it may start from, `targets` those that show it done."""

    operation: str
    name: str
    origins: frozenset[str]
    targets: frozenset[str]
    members: Mapping[str, str] = field(default_factory=dict)
    """Column to the vendor's member, beside the client's key."""
    state: str | None = None
    """The state that it leads to; None: it leaves the state alone."""
    checked: bool = False
    """Whether who created the client may not give it."""

    def leads(self) -> str:
        """For a sentence: where it may start from."""
        return " or ".join(state for state in STATES if state in self.origins)


COMMANDS = {
    "approve": Command(
        "approve",
        "ApproveCustomerCommand",
        frozenset({PENDING}),
        frozenset({APPROVED, ACTIVE}),
        {"notes": "approvalNotes"},
        APPROVED,
        checked=True,
    ),
    "reject": Command(
        "reject",
        "RejectCustomerCommand",
        frozenset({PENDING}),
        frozenset({REJECTED}),
        {"reason": "rejectionReason", "notes": "rejectionNotes"},
        REJECTED,
        checked=True,
    ),
    "blacklist": Command(
        "blacklist",
        "BlacklistCustomerCommand",
        frozenset({APPROVED, ACTIVE}),
        frozenset({BLACKLISTED}),
        {"reason": "reason", "notes": "notes"},
        BLACKLISTED,
    ),
    "undo-blacklist": Command(
        "undo_blacklist",
        "UndoBlacklistCustomerCommand",
        frozenset({BLACKLISTED}),
        frozenset({PENDING}),
        {"reason": "reason", "notes": "notes"},
        PENDING,
    ),
    "request-approval": Command(
        "request_approval",
        "RequestCustomerApprovalCommand",
        frozenset({REJECTED}),
        frozenset({PENDING}),
        {"notes": "notes"},
        PENDING,
    ),
    "exit": Command(
        "exit",
        "",
        frozenset(STATES) - {REJECTED, EXITED},
        frozenset({EXITED}),
        {"reason": "reason", "notes": "notes"},
        EXITED,
    ),
    "update": Command(
        "update_contact",
        "UpdateContactCommand",
        frozenset(STATES) - {REJECTED, EXITED},
        frozenset(),
        {
            column: member
            for column, member in PAYLOAD.items()
            if column not in {"date_of_birth", "gender", "id_type", "national_id"}
        },
    ),
}
"""The vendor's table of state changes, by what `muster decide` calls them.

`exit`: the page says that clients are exited and names no command, so that the settings do; it leads to Exited, and
from where, the target decides. `request-approval`: one page lets a rejected client be submitted again, another calls it
view-only; the target decides.
`update`: rejected and exited clients are view-only; of the others the target decides.
"""


@dataclass(frozen=True, slots=True)
class CommandStep:
    """Gives the command about the client that the row names."""

    command: Command
    envelope: Envelope
    contacts: Contacts
    form: Form
    credential: Callable[[], str | None]
    """Names the credential that decides, as a pseudonym."""
    known: Callable[[str], Mapping[str, str]]
    """What the ledger knows of a client, by key."""
    strict: bool
    """Whether clients of which the ledger does not know who created them are refused."""
    settle_seconds: float | None
    resends: int | None = None
    """A command that is repeated finds the client in another state, and an update sets the same values."""
    name: str = "decision"

    async def look(self, reader: Reader, view: View) -> Finding:
        """Whether the client is where the command leads, and may be brought there by this credential."""
        if view.doubt is not None and view.bound.get("command", self.command.name) != self.command.name:
            return Unclear("changed_since", f"another command of this row is unanswered: {view.bound['command']}")
        number = self.number(view.row)
        if number is None:
            return self.unread(view)
        record = await self.contacts.record(reader, number)
        key = client_of(view.row)
        if record is None:
            return refused(view, "customer_not_found", f"the target knows no client {number}")
        if key not in (record.key, number):
            reason = f"record {number} is that of client {record.key}, not of {key}"
            return refused(view, "other_customer", reason)
        state = state_of(record)
        if self.shows(record, state, view.row):
            return Done({"customer_id": record.key, "contact_id": number, "decision_status": state})
        if state not in self.command.origins:
            reason = f"{self.command.operation}: client {record.key} is {state}; it starts from {self.command.leads()}"
            return refused(view, "illegal_transition", reason, {**self.claimed(record.key), "decision_status": state})
        if view.taken:
            reason = f"{self.command.operation}: the target refuses it, though it shows client {record.key} as {state}"
            return refused(view, "illegal_transition", reason, {"decision_status": state})
        before, now = view.bound.get("modified"), record.get("lastModified") or ""
        if before is not None and before != now:
            reason = f"client {record.key} was changed since: perhaps by the unanswered command, and then by others"
            return Unclear("unanswered", reason)
        return self.allowed(view, {"modified": now})

    def shows(self, record: Contact, state: str, row: Row) -> bool:
        """Whether the record shows the command done: by its state, or by the members that it sets."""
        if self.command.targets:
            return state in self.command.targets
        sent = {member: self.form.value(row, column) for column, member in self.command.members.items()}
        return all(
            value is None
            or value == record.get(member)
            or (member == PAYLOAD["phone"] and folded.digits(value) == folded.digits(record.get(member) or ""))
            for member, value in sent.items()
        )

    def number(self, row: Row) -> str | None:
        """The `id` to read the client's record by: the row's own, or the ledger's; None when neither has it."""
        return as_number(row.get("id")) or number_of(self.known(client_of(row)))

    def unread(self, view: View) -> Finding:
        """The state can't be read: nothing is known but what the target answers."""
        if view.doubt is not None:
            reason = "the command went unanswered, and without the client's number its state can't be read"
            return Unclear("unanswered", reason)
        if view.taken:
            reason = f"{self.command.operation}: the client's state does not allow it"
            return Ended(Outcome.REJECTED, "illegal_transition", reason)
        return self.allowed(view, {})

    def allowed(self, view: View, seen: Mapping[str, str]) -> Finding:
        """Maker and checker are two: who created a client does not approve or reject it.

        `seen`: what the record showed, and what a look after an unanswered command compares.
        """
        key = client_of(view.row)
        made_of = {**seen, "command": self.command.name, **written_with(self.envelope, self.form, view)}
        absent = Absent(self.claimed(key) | made_of)
        if not self.command.checked:
            return absent
        maker = self.known(key).get("maker")
        if maker is not None and maker == self.credential():
            reason = "this credential created the client; another one has to decide about it"
            return refused(view, "same_credential", reason)
        if maker is None and self.strict:
            reason = "this ledger does not know who created the client (strict_maker_checker)"
            return refused(view, "maker_unknown", reason)
        return absent

    def write(self, view: View) -> Request:
        """The command."""
        form, envelope = bound_to(self.form, view.bound), bound_to(self.envelope, view.bound)
        filled = ((member, form.value(view.row, column)) for column, member in self.command.members.items())
        members = {member: value for member, value in filled if value}
        key = {"contactEncodedKey": client_of(view.row)}
        return envelope.command(self.command.operation, self.command.name, key | members)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A success about this client is done; a 409 is judged by the state."""
        key = client_of(view.row)
        if DIALECT.readable(reply) and DIALECT.status_of(reply) == 404:
            reason = f"the target knows no client {key}"
            return Ended(Outcome.REJECTED, "customer_not_found", reason, trace=DIALECT.trace_of(reply))
        verdict = DIALECT.judged(reply, partial(self.given, key=key))
        if isinstance(verdict, Taken) and self.wanted(reply):
            return Done(self.facts(key), verdict.trace)
        return verdict

    def given(self, content: Mapping[str, Any], key: str) -> Done:
        """The command was given. Raises Unreadable when the reply is about another client."""
        about = key_of(content, *KEYS)
        if about is not None and about != key:
            raise Unreadable(f"it is about client {about}")
        return Done(self.facts(key))

    def wanted(self, reply: Reply) -> bool:
        """Whether the refusal says what the command is for: `request-approval` wants a client that is in approval."""
        asked = self.command.operation == "request_approval" and DIALECT.readable(reply)
        return asked and "already" in opened(reply).message.casefold()

    def claimed(self, key: str) -> dict[str, str]:
        """Whom a row is about, whatever becomes of it; not for an update, whose values would be compared."""
        return {"customer_id": key} if self.command.targets else {}

    def facts(self, key: str) -> dict[str, str]:
        """What is known of a client about whom the command was given."""
        return {"customer_id": key} | ({"decision_status": self.command.state} if self.command.state else {})


def refused(view: View, code: str, reason: str, facts: Mapping[str, str] | None = None) -> Ended | Unclear:
    """The end of a row that must not be commanded; what an unanswered command of its own did is then not known."""
    if view.doubt is not None:
        return Unclear("unanswered", f"the command went unanswered, and {reason}")
    return Ended(Outcome.REJECTED, code, reason, facts or {})


def client_of(row: Row) -> str:
    """The key of the client that the row names."""
    return row.values["contact_encoded_key"]
