"""The frame in which every system's answers are judged, and what all dialects have in common."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from jobs.errors import NotPermitted
from jobs.systems import SYSTEMS, adapter, json_reply
from jobs.systems.defaults import Defaults
from jobs.systems.dialect import Dialect
from jobs.systems.json_reply import Unreadable
from jobs.systems.messages import ReadFailed, Reply, Request
from jobs.systems.verdict import Done, Doubted, Ended, Taken, Throttled, Verdict

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PLAIN = Dialect()
READ = Request("find_people", "GET", "/people")


def reply(status: int, body: bytes = b"{}", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def made(person: Any) -> Done:
    if "id" not in person:
        raise Unreadable("it has no id")
    return Done({"customer_id": str(person["id"])})


def dialect_of(name: str) -> Dialect:
    """The one dialect of a system."""
    found = (each for each in vars(adapter(name)).values() if isinstance(each, type) and issubclass(each, Defaults))
    return next(each.dialect for each in found if each is not Defaults)


def short(verdict: Verdict) -> str:
    return f"{type(verdict).__name__} {getattr(verdict, 'reason_code', '')}".strip()


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (201, b'{"id": 7}', "Done"),
        (200, b"{}", "Doubted unreadable_reply"),
        (200, b"[]", "Doubted unreadable_reply"),
        (204, b"", "Doubted unreadable_reply"),
        (302, b"", "Ended redirected"),
        (400, b"", "Ended refused_by_target"),
        (403, b"", "Ended forbidden"),
        (404, b"", "Ended refused_by_target"),
        (408, b"", "Doubted server_error"),
        (409, b"", "Taken"),
        (429, b"", "Throttled"),
        (500, b"", "Doubted server_error"),
        (199, b"", "Doubted server_error"),
    ],
)
def test_the_frame_has_a_meaning_for_every_answer(status: int, body: bytes, meaning: str) -> None:
    verdict = PLAIN.judged(reply(status, body), made)

    assert short(verdict) == meaning
    assert verdict.trace.http_status == status


@pytest.mark.parametrize(("status", "answered"), [(408, False), (500, True), (502, False), (503, True), (504, False)])
def test_who_gave_up_in_between_says_nothing_of_the_target(status: int, answered: bool) -> None:
    verdict = PLAIN.judged(reply(status), made)

    assert isinstance(verdict, Doubted)
    assert verdict.answered is answered


def test_a_pause_that_was_asked_for_is_kept() -> None:
    assert PLAIN.judged(reply(429, retry_after="7"), made) == Throttled(7.0, PLAIN.trace_of(reply(429)))


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
def test_what_no_page_says_otherwise_means_the_same_at_every_system(name: str, status: int) -> None:
    expected, found = (each.judged(reply(status, b""), made) for each in (PLAIN, dialect_of(name)))

    assert short(found) == short(expected)


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("status", [200, 400, 409])
@pytest.mark.parametrize("body", [b'{"id": 7}', b'{"statusCode": "CBS_400", "isSuccessful": false}', b"<html>"])
def test_a_reply_is_parsed_once_whatever_is_asked_of_it(
    name: str, status: int, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed, usual = Counter[bytes](), orjson.loads
    monkeypatch.setattr(json_reply.orjson, "loads", lambda text: parsed.update([text]) or usual(text))
    dialect, answer = dialect_of(name), reply(status, body)

    dialect.status_of(answer)
    dialect.throttled(answer)
    dialect.readable(answer)
    dialect.trace_of(answer)
    verdict = dialect.judged(answer, made)

    assert isinstance(verdict, (Done, Doubted, Ended, Taken))
    assert parsed[body] <= 1


@pytest.mark.parametrize(("status", "own"), [(401, False), (400, True)])
def test_a_login_is_refused_in_the_words_of_the_target(status: int, own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dialect, "own", lambda _, __: own)

    with pytest.raises(NotPermitted, match=f"refused: HTTP {status}"):
        PLAIN.granted(reply(status), "refused: {words}")


@pytest.mark.parametrize("answer", [reply(403), reply(503, b"<html>"), reply(200, b"[]"), reply(200, b"")])
def test_what_is_no_word_of_the_target_gives_up_no_password(answer: Reply) -> None:
    with pytest.raises(ValueError, match=r"without a code|expected an object|not JSON"):
        PLAIN.granted(answer, "refused: {words}")


def test_a_read_shows_its_content_or_nothing_that_could_be_believed() -> None:
    assert PLAIN.shown(READ, reply(200, b'{"id": 7}')) == {"id": 7}
    with pytest.raises(NotPermitted, match="may not find people"):
        PLAIN.shown(READ, reply(403))
    for answer in (reply(404), reply(200, b"[]")):
        with pytest.raises(ReadFailed, match="find_people: "):
            PLAIN.shown(READ, answer)
