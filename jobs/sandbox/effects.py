"""What each kind of fault does to a call: before the commit, or to the reply after it.

A kind of `_BEFORE` takes the place of the system's answer, so nothing is committed. A kind of `_AFTER` changes the
reply to a call that was worked on. `delay` and `signal_client` happen on the side that their `when` names.
"""

import asyncio
import contextlib
import gzip
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from jobs.sandbox.clock import Clock, http_date
from jobs.sandbox.faults import Fault
from jobs.sandbox.reply import Delivery, Headers, Reply
from jobs.sandbox.system import System

HUGE = 64 * 1024 * 1024
"""Bytes of a huge body unless the rule says otherwise (chosen: over ten times a sane cap)."""

Params = dict[str, Any]


async def before(faults: Sequence[Fault], system: System, clock: Clock) -> Reply | None:
    """What comes before the commit; the reply that takes the place of the answer, if any: the first rule's."""
    reply: Reply | None = None
    for params, kind in _on_side(faults, "before"):
        if kind == "delay":
            await asyncio.sleep(params["seconds"])
        elif reply is None and kind in _BEFORE:
            reply = _BEFORE[kind](params, system, clock)
    return reply


async def after(faults: Sequence[Fault], reply: Reply, system: System, previous: Reply | None = None) -> Reply:
    """What comes after the commit, and the reply as the faults leave it.

    `previous`: the answer to the call of the same operation before; None: there was none, and that fault does nothing.
    """
    for params, kind in _on_side(faults, "after"):
        if kind == "delay":
            await asyncio.sleep(params["seconds"])
        elif kind == "status_after_commit":
            reply = _chosen(params, system)
        elif kind == "previous_answer":
            reply = previous or reply
        elif kind in _AFTER:
            reply = _AFTER[kind](params, reply)
    return reply


def _on_side(faults: Sequence[Fault], side: str) -> list[tuple[Params, str]]:
    return [(dict(fault.params), fault.kind) for fault in faults if fault.params.get("when", side) == side]


def _kill(params: Params, reply: Reply) -> Reply:
    """The client dies; its call is dropped, so that the side of the commit is certain."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(params["pid"], signal.SIGKILL)
    return replace(reply, delivery=Delivery.NONE)


def _headers(value: dict[str, str] | list[list[str]]) -> Headers:
    pairs = value.items() if isinstance(value, dict) else value
    return tuple((str(name), str(content)) for name, content in pairs)


def _chosen(params: Params, system: System) -> Reply:
    body = params.get("body")
    if body is None:
        reply = system.error(params["status"])
    else:
        content = body.encode() if isinstance(body, str) else orjson.dumps(body)
        reply = Reply(params["status"], content)
    if params["status"] in (204, 304):
        reply = replace(reply, body=b"", headers=())
    return reply.with_headers(_headers(params.get("headers", {})))


def _status(params: Params, system: System, _: Clock) -> Reply:
    return _chosen(params, system)


def _throttle(params: Params, system: System, clock: Clock) -> Reply:
    reply = replace(system.error(429), status=params.get("status", 429))
    if "retry_after_date" in params:
        return reply.with_headers((("retry-after", http_date(clock.now() + params["retry_after_date"])),))
    if "retry_after" in params:
        return reply.with_headers((("retry-after", str(params["retry_after"])),))
    return reply


def _drop(params: Params) -> Delivery:
    return Delivery.RESET if params.get("reset") else Delivery.NONE


def _redirect(params: Params, *_: object) -> Reply:
    return Reply(params.get("status", 307), headers=(("location", params["location"]),))


def _huge(params: Params, reply: Reply) -> Reply:
    size = params.get("bytes", HUGE)
    if not params.get("gzip"):
        return replace(reply, padding=size)
    packed = gzip.compress(reply.body + b" " * size, compresslevel=1)
    return replace(reply, body=packed).with_headers((("content-encoding", "gzip"),))


def _html(_: Params, reply: Reply) -> Reply:
    page = b"<!DOCTYPE html><html><body><h1>Service page</h1></body></html>"
    return replace(reply, body=page, headers=(("content-type", "text/html; charset=utf-8"),))


_BEFORE: dict[str, Callable[[Params, System, Clock], Reply]] = {
    "status": _status,
    "throttle": _throttle,
    "drop_before_commit": lambda params, *_: Reply(0, delivery=_drop(params)),
    "signal_client": lambda params, *_: _kill(params, Reply(0)),
    "redirect": _redirect,
    "unauthorized": lambda _, system, __: system.error(401),
}

_AFTER: dict[str, Callable[[Params, Reply], Reply]] = {
    "drop_after_commit": lambda params, reply: replace(reply, delivery=_drop(params)),
    "signal_client": _kill,
    "drop_mid_reply": lambda _, reply: replace(reply, delivery=Delivery.HALF),
    "truncated_body": lambda _, reply: replace(reply, body=reply.body[: len(reply.body) // 2]),
    "garbage_body": lambda params, reply: replace(reply, body=params.get("text", "\x00%&{[}nonsense").encode()),
    "empty_body": lambda _, reply: replace(reply, body=b""),
    "wrong_content_type": _html,
    "slow_body": lambda params, reply: replace(reply, delivery=Delivery.SLOW, pace=params.get("bytes_per_second", 1.0)),
    "huge_body": _huge,
    "close_after_reply": lambda _, reply: replace(reply, delivery=Delivery.CLOSE),
}
