"""What we presented does not come back: not in a body, a header or a trace id, whole, in parts or cut off."""

import time
from datetime import UTC, datetime

import pytest

from jobs.model import Secrets
from jobs.systems.messages import Reply, Token
from jobs.transport.echo import Ours

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvcGVyYXRvciIsInRlbmFudCI6MTAwMX0.c2lnbmF0dXJlLW9mLXNvbWUtbGVuZ3Ro"
PARTS = JWT.split(".")
OPAQUE = "Zm9v/YmFy+YmF6cXV4cXV1eA=="
PASSWORD = "Tr0ub4dor&3"


def back(text: str, token: str = JWT, status: int = 400, **headers: str) -> Reply:
    ours = Ours.presented(Token.bearer(token), Secrets("operator", PASSWORD))
    reply = Reply(status, headers, text.encode(), datetime(2026, 11, 21, tzinfo=UTC))
    return ours.without(reply, refused=status >= 300)


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (JWT, JWT),
        (JWT, f"Bearer {JWT}"),
        (JWT, PARTS[1]),
        (JWT, PARTS[2]),
        (JWT, JWT[:40] + "..."),
        (JWT, "..." + JWT[-24:]),
        (JWT, PARTS[1][:20]),
        (JWT, f"{JWT} {JWT}"),
        (OPAQUE, OPAQUE),
        (OPAQUE, OPAQUE.replace("/", "\\/")),
        (OPAQUE, "Zm9v%2FYmFy%2BYmF6cXV4cXV1eA%3D%3D"),
        (OPAQUE, OPAQUE[:17]),
        (JWT, PASSWORD),
        (JWT, "Tr0ub4dor%263"),
    ],
)
def test_no_spelling_of_a_secret_comes_back(token: str, text: str) -> None:
    found = back(f'{{"message": "{text} is refused"}}', token, x_trace_id=text)

    for told in (found.body.decode(), found.headers["x_trace_id"]):
        assert "***" in told
        assert not any(text[at : at + 16] in told for at in range(max(1, len(text) - 15)))
    assert found.body.endswith(b' is refused"}')


def test_an_answer_without_secrets_is_the_same_object_and_a_success_keeps_words_that_are_a_password() -> None:
    kept = back('{"town": "Troubador"}', status=200, etag="1")
    town = back(f'{{"town": "{PASSWORD}"}}', status=200)

    assert (kept.body, kept.headers) == (b'{"town": "Troubador"}', {"etag": "1"})
    assert PASSWORD.encode() in town.body
    assert JWT.encode() not in back(JWT, status=200).body


def test_a_secret_too_short_to_hide_is_not_looked_for() -> None:
    ours = Ours.presented(None, Secrets("operator", "ab"))
    reply = Reply(400, {}, b"about", datetime(2026, 11, 21, tzinfo=UTC))

    assert ours.without(reply, refused=True) is reply


def test_an_answer_that_is_made_of_secrets_costs_no_more_than_its_length() -> None:
    began = time.process_time()
    found = back((JWT[:17] + JWT[-17:] + "x") * 100_000)

    assert JWT[:16].encode() not in found.body
    assert time.process_time() - began < 5
