"""How BankLingo speaks: a named command or query to one of two paths, and the envelope of every reply.

Members of replies are read without regard to case: both spellings are on the vendor's pages.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import orjson

from jobs.errors import NotPermitted
from jobs.systems import json_reply
from jobs.systems.dialect import Dialect
from jobs.systems.json_reply import Unreadable
from jobs.systems.messages import CallClass, Reader, ReadFailed, Reply, Request, Trace
from jobs.systems.row import Row
from jobs.value import value

SUCCESS = "00"

QUERY_MEMBER = {"commandName": "queryName", "cmd": "cmd"}
"""What names a query where `commandName`, or `cmd`, names a command. Pages of other modules have the second form."""

MEMBERS = (
    "firstName",
    "lastName",
    "middleName",
    "emailAddress",
    "phoneNumber",
    "dateOfBirth",
    "gender",
    "address",
    "city",
    "state",
    "country",
    "identificationType",
    "identificationNumber",
    "customerType",
    "branchEncodedKey",
    "contactEncodedKey",
    "rejectionReason",
    "reason",
)
"""What a refusal may name. Its own words are not repeated: they quote the value that is refused."""

_CODE = re.compile(r"CBS_([1-5][0-9]{2})")
_SHOWN_CODE = re.compile(r"[A-Za-z0-9_]{1,40}")


@value
class Envelope:
    """How messages are named. `member` is one of QUERY_MEMBER."""

    member: str = "commandName"

    def command(self, operation: str, name: str, content: Mapping[str, object]) -> Request:
        """The command `name`, a write."""
        body = orjson.dumps({self.member: name, "data": content})
        return Request(operation, "POST", "/api/bpm/cmd", body=body, call_class=CallClass.WRITE)

    def query(self, operation: str, name: str, content: Mapping[str, object]) -> Request:
        """The query `name`, a read."""
        body = orjson.dumps({QUERY_MEMBER[self.member]: name, "data": content})
        return Request(operation, "POST", "/api/bpm/qry", body=body, call_class=CallClass.READ)


@value
class Opened:
    """A reply out of its envelope; names in `content` are lower case.

    `status` is the number in the code, else HTTP's; but 429 is 429 whatever the code says.
    """

    status: int
    code: str | None
    succeeded: bool
    message: str = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)


def opened(reply: Reply) -> Opened:
    """The envelope, opened once however many ask. Raises Unreadable when it is none."""
    return reply.once(_opened)


def _opened(reply: Reply) -> Opened:
    record = _lowered(json_reply.record_of(reply))
    if not isinstance(record, dict) or not {"issuccessful", "statuscode"} <= record.keys():
        raise Unreadable("not the vendor's envelope")
    code = json_reply.text_of(record, "statuscode")
    numbered = _CODE.fullmatch(code or "")
    content = record.get("data")
    return Opened(
        status=int(numbered[1]) if numbered and reply.status != 429 else reply.status,
        code=code if code and _SHOWN_CODE.fullmatch(code) else None,
        succeeded=reply.ok and record["issuccessful"] is True and code == SUCCESS,
        message=json_reply.text_of(record, "message") or "",
        content=content if isinstance(content, dict) else {},
    )


def _lowered(value: Any) -> Any:
    """`value` with all names in lower case. Raises Unreadable when two names become one."""
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    if not isinstance(value, dict):
        return value
    lowered = {name.lower(): _lowered(each) for name, each in value.items()}
    if len(lowered) != len(value):
        raise Unreadable("a name is given twice")
    return lowered


class BankLingoDialect(Dialect):
    """The number in the code of the body counts, else the HTTP status; there are no trace ids."""

    taken = "the target refuses it: {words}"
    forbidden = "the target does not allow it to this credential"
    refused = "the target refuses the data: {words}"
    broken = "the target answered {words}"

    def status_of(self, reply: Reply) -> int:
        """The number in the code of the body, else the HTTP status."""
        return opened(reply).status if self.readable(reply) else reply.status

    def succeeded(self, reply: Reply) -> bool:
        """Whether the envelope says so; without one, whether HTTP does."""
        return opened(reply).succeeded if self.readable(reply) else reply.ok

    def content_of(self, reply: Reply) -> Mapping[str, Any]:
        """The member `data`, names in lower case. Raises Unreadable."""
        return opened(reply).content

    def trace_of(self, reply: Reply) -> Trace:
        """Status, and the code of a refusal."""
        refused = self.readable(reply) and not opened(reply).succeeded
        return Trace(reply.status, opened(reply).code if refused else None)

    def words_of(self, reply: Reply, row: Row | None = None) -> str:
        """Which members a refusal names, for a sentence; its code or status when it names none."""
        if not self.readable(reply):
            return f"HTTP {reply.status}"
        members = [name for name in MEMBERS if re.search(rf"\b{name}\b", opened(reply).message)]
        return ", ".join(members) or opened(reply).code or f"HTTP {reply.status}"

    def readable(self, reply: Reply) -> bool:
        """Whether the body is an envelope."""
        try:
            opened(reply)
        except Unreadable:
            return False
        return True

    def check_blocked(self, reply: Reply) -> None:
        """Raises NotPermitted for a 404 that is not the target's own."""
        if reply.status == 404 and not self.readable(reply):
            raise NotPermitted("the target knows no such path", hint="check --base-url")

    def answered(self, reply: Reply) -> bool:
        """Says no, even when there was an answer: a repeated command may have a second effect."""
        return False


DIALECT = BankLingoDialect()


async def answer(reader: Reader, request: Request) -> Mapping[str, Any] | None:
    """The content of a query's reply, names in lower case; None when it is not there (404).

    Raises ReadFailed when the answer proves nothing, NotPermitted on 403.
    """
    reply = await reader.read(request)
    try:
        envelope = opened(reply)
    except Unreadable as error:
        raise ReadFailed(f"{request.operation}: HTTP {reply.status}, {error}", DIALECT.trace_of(reply)) from error
    if envelope.succeeded:
        return envelope.content
    if envelope.status == 404:
        return None
    if envelope.status == 403:
        raise NotPermitted(f"the credential may not {request.operation.replace('_', ' ')}")
    raise ReadFailed(f"{request.operation}: {DIALECT.words_of(reply)}", DIALECT.trace_of(reply))
