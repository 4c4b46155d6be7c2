"""What counts as an id of the target, in every system's replies."""

from datetime import UTC, datetime

import pytest

from jobs.systems import json_reply
from jobs.systems.json_reply import Unreadable, identifier, record_of
from jobs.systems.messages import Reply

IDS = {
    "7": "7",
    "9223372036854775807": "9223372036854775807",
    '"7"': "7",
    '"007"': "007",
    '"6f9619ff-8b86-d011-b42d-00cf4fc964ff"': "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
    '"C-0001"': "C-0001",
}

NO_IDS = [
    "0",
    "-1",
    "-0",
    "7.0",
    "1.5",
    "1e400",
    "9223372036854775808",
    "1" * 40,
    "true",
    "false",
    "null",
    "[7]",
    "{}",
    '""',
    '" "',
    '"0"',
    '"00"',
    '"-1"',
    '"-"',
    '"7.0"',
    '"1 2"',
    '"../7"',
    '"null"',
    '"None"',
    '"undefined"',
    '"NaN"',
    '"00000000-0000-0000-0000-000000000000"',
    '"7\\n"',
    '"' + "7" * 65 + '"',
    '"\\u0667"',
]


def read(text: str) -> str | None:
    """The id in a body whose member is spelt so; None as well where no such body is believed."""
    reply = Reply(200, {}, b'{"id": ' + text.encode() + b"}", datetime.now(UTC))
    try:
        return identifier(record_of(reply)["id"])
    except Unreadable:
        return None


@pytest.mark.parametrize(("spelt", "expected"), IDS.items())
def test_an_id_is_a_positive_number_or_text_that_stays_as_it_is(spelt: str, expected: str) -> None:
    assert read(spelt) == expected


@pytest.mark.parametrize("spelt", NO_IDS)
def test_what_stands_for_nobody_is_no_id(spelt: str) -> None:
    assert read(spelt) is None


@pytest.mark.parametrize("body", [b'{"id": 7}', b'{"id": '], ids=["whole", "cut"])
def test_a_reply_is_parsed_once_however_many_ask(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    times, usual = [], json_reply.orjson.loads
    monkeypatch.setattr(json_reply.orjson, "loads", lambda text: times.append(text) or usual(text))
    reply = Reply(200, {}, body, datetime.now(UTC))

    asked = [json_reply.is_json(reply) for _ in range(3)]
    for _ in range(2):
        try:
            asked.append(record_of(reply) == {"id": 7})
        except Unreadable as error:
            asked.append("not JSON" not in str(error))

    assert (len(times), len(set(asked))) == (1, 1)
