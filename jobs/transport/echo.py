"""Our own secrets in a target's answer: replaced before anybody reads it, so that no reason and no trace id has them.

Looked for are tokens and passwords as they were sent, the parts of a token, and where the target cut them off: their
first and last characters. Whole texts are compared; what a target encodes in its own way is not found.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from urllib.parse import quote

from jobs.model import Secrets
from jobs.systems.messages import Reply, Token
from jobs.value import value

SHORTEST = 6
"""Characters below which a secret is not looked for: half of every answer would be stars (chosen)."""

PART = 16
"""So many characters of a secret are one (chosen): less of it gives nothing away."""

STARS = b"***"


@value
class Ours:
    """What was presented with one call, as it might come back."""

    tokens: tuple[bytes, ...]
    passwords: tuple[bytes, ...]
    marks: frozenset[bytes]
    """One of these is in every text in which something would be replaced."""

    @classmethod
    def presented(cls, token: Token | None, *given: Secrets) -> "Ours":
        """The token of the call, its renewal's headers, and what the operator gave or what took its place."""
        values = [each.token or "" for each in given]
        if token is not None:
            values += [token.header_value.rsplit(" ", 1)[-1], *token.renewal.values()]
        parts = [part for value in values for part in value.split(".") if len(part) >= PART]
        tokens, passwords = _spelt([*values, *parts]), _spelt(each.password or "" for each in given)
        return cls(*(every := (tuple(tokens), tuple(passwords))), frozenset(_marks(chain(*every))))

    def without(self, reply: Reply, *, refused: bool) -> Reply:
        """`reply` without them. The body of a success keeps words that are a password too: they may be anybody's."""
        whole = b"%b\n%b" % (reply.body, "\n".join(reply.headers.values()).encode())
        for mark in self.marks:
            if mark in whole:
                break
        else:
            return reply
        every = (*self.tokens, *self.passwords)
        body = _without(reply.body, every if refused else self.tokens)
        headers = {name: _without(value.encode(), every).decode() for name, value in reply.headers.items()}
        return reply if body is reply.body and headers == reply.headers else replace(reply, body=body, headers=headers)


def _spelt(secrets: Iterable[str]) -> Iterator[bytes]:
    """Gives the secrets that are long enough, longest first: plain, as JSON escapes a slash, and percent-encoded."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST:
            yield from dict.fromkeys(
                text.encode() for text in (secret, secret.replace("/", "\\/"), quote(secret, safe=""))
            )


def _marks(secrets: Iterable[bytes]) -> Iterator[bytes]:
    """Gives the first and the last characters of each secret, or all of a short one."""
    for secret in secrets:
        yield from (secret[:PART], secret[-PART:])


def _without(text: bytes, secrets: Iterable[bytes]) -> bytes:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, STARS)
        if len(secret) > PART:
            text = _without_beginnings(text, secret)
            text = _without_beginnings(text[::-1], secret[::-1])[::-1] if secret[-PART:] in text else text
    return text


def _without_beginnings(text: bytes, secret: bytes) -> bytes:
    """`text` without what begins like `secret`, for PART characters or more. In linear time."""
    first, done, pieces = secret[:PART], 0, list[bytes]()
    while (at := text.find(first, done)) >= 0:
        pieces += [text[done:at], STARS]
        done = at + _alike(text[at : at + len(secret)], secret)
    return b"".join([*pieces, text[done:]]) if pieces else text


def _alike(one: bytes, other: bytes) -> int:
    """How many leading bytes are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))
