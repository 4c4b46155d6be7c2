"""BankLingo's messages: a named command or query to one of two paths, and the envelope of every reply.

Members of replies are read without regard to case: both spellings are on the vendor's pages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.systems import json_reply
from jobs.systems.json_reply import Unreadable
from jobs.systems.messages import CallClass, Reader, ReadFailed, Reply, Request, Trace
from jobs.systems.retry_after import retry_after_seconds
from jobs.systems.verdict import Doubted, Ended, Taken, Throttled

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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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
    """The envelope. Raises Unreadable when it is none."""
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
    """The same with all names in lower case. Raises Unreadable when two names become one."""
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    if not isinstance(value, dict):
        return value
    lowered = {name.lower(): _lowered(each) for name, each in value.items()}
    if len(lowered) != len(value):
        raise Unreadable("a name is given twice")
    return lowered


def status_of(reply: Reply) -> int:
    """The number in the code of the body, else the HTTP status."""
    try:
        return opened(reply).status
    except Unreadable:
        return reply.status


def readable(reply: Reply) -> bool:
    """Whether the body is an envelope."""
    try:
        opened(reply)
    except Unreadable:
        return False
    return True


def trace_of(reply: Reply) -> Trace:
    """Status and code; the vendor has no trace id."""
    try:
        envelope = opened(reply)
    except Unreadable:
        return Trace(reply.status)
    return Trace(reply.status, None if envelope.succeeded else envelope.code)


def named(reply: Reply) -> str:
    """Which members a refusal names, for a sentence; its code or status when it names none."""
    try:
        envelope = opened(reply)
    except Unreadable:
        return f"HTTP {reply.status}"
    members = [name for name in MEMBERS if re.search(rf"\b{name}\b", envelope.message)]
    return ", ".join(members) or envelope.code or f"HTTP {reply.status}"


def refusal(reply: Reply) -> Ended | Doubted | Taken | Throttled:
    """What any reply to a command but a success means. Raises NotPermitted when the whole job is blocked.

    A doubt counts as unanswered even when there was an answer: a repeated command may have a second effect.
    """
    trace, status = trace_of(reply), status_of(reply)
    if status == 429:
        return Throttled(retry_after_seconds(reply.headers, reply.received_at), trace)
    if status == 409:
        return Taken(f"the target refuses it: {named(reply)}", trace)
    if 300 <= status < 400:
        reason = "the target answered with a redirect, which is never followed"
        return Ended(Outcome.FAILED, "redirected", reason, trace=trace)
    if status == 403:
        return Ended(Outcome.REJECTED, "forbidden", "the target does not allow it to this credential", trace=trace)
    if status == 404 and not readable(reply):
        raise NotPermitted("the target knows no such path", hint="check --base-url")
    if status == 408 or not 400 <= status < 500:
        return Doubted("server_error", f"the target answered {named(reply)}", answered=False, trace=trace)
    return Ended(Outcome.REJECTED, "refused_by_target", f"the target refuses the data: {named(reply)}", trace=trace)


def doubtful(reply: Reply, why: str) -> Doubted:
    """A success whose body does not prove what it should."""
    reason = f"the target answered HTTP {reply.status}, but {why}"
    return Doubted("unreadable_reply", reason, answered=False, trace=trace_of(reply))


async def answer(reader: Reader, request: Request) -> Mapping[str, Any] | None:
    """The content of a query's reply, names in lower case; None when it is not there (404).

    Raises ReadFailed when the answer proves nothing, NotPermitted on 403.
    """
    reply = await reader.read(request)
    try:
        envelope = opened(reply)
    except Unreadable as error:
        raise ReadFailed(f"{request.operation}: HTTP {reply.status}, {error}", trace_of(reply)) from error
    if envelope.succeeded:
        return envelope.content
    if envelope.status == 404:
        return None
    if envelope.status == 403:
        raise NotPermitted(f"the credential may not {request.operation.replace('_', ' ')}")
    raise ReadFailed(f"{request.operation}: {named(reply)}", trace_of(reply))
