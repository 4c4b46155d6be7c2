"""A reply and the way in which it is to be put on the wire. Not the sending itself."""

from dataclasses import dataclass, replace
from enum import Enum, auto

import orjson

Headers = tuple[tuple[str, str], ...]
JSON: Headers = (("content-type", "application/json"),)


class Delivery(Enum):
    """How the bytes of a reply leave."""

    FULL = auto()
    NONE = auto()
    """The connection is closed without a byte."""
    RESET = auto()
    """The connection is reset without a byte."""
    HALF = auto()
    """The head, half of the body, then the connection is closed."""
    SLOW = auto()
    """`pace` bytes of the body a second."""
    CLOSE = auto()
    """Everything, then the connection is closed although the head promised to keep it."""


SILENT = frozenset({Delivery.NONE, Delivery.RESET})
"""Deliveries that send no byte."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`padding` is the number of spaces that follow the body."""

    status: int
    body: bytes = b""
    headers: Headers = JSON
    delivery: Delivery = Delivery.FULL
    pace: float = 1.0
    padding: int = 0

    def with_headers(self, headers: Headers) -> "Reply":
        """With `headers`, each replacing those of the same name; a name given twice is sent twice."""
        named = {name.lower() for name, _ in headers}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in named)
        return replace(self, headers=kept + headers)


def json_reply(value: object, status: int = 200) -> Reply:
    """`value` as JSON."""
    return Reply(status, orjson.dumps(value))


def empty_reply(status: int) -> Reply:
    """No body and no content type, as HEAD is answered."""
    return Reply(status, headers=())
