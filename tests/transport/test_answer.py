"""What bytes mean as an answer: whole, cut, followed by more, or such that two readers would read them differently."""

import gzip

import pytest

from jobs.transport.answer import MAX_HEADER_BYTES, MOST_INTERIM, Answer, Unreadable, unpacked

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"transfer-encoding: chunked\r\n\r\n"

WHOLE = {
    "a length": (OK + b"content-length: 2\r\n\r\n{}", b"{}"),
    "no body": (OK + b"content-length: 0\r\n\r\n", b""),
    "blanks round the length": (OK + b"Content-Length:   2  \r\n\r\n{}", b"{}"),
    "chunks": (CHUNKS + b"2\r\n{}\r\n0\r\n\r\n", b"{}"),
    "chunks with extensions": (CHUNKS + b'1;a="b"\r\n{\r\n1\r\n}\r\n0\r\n\r\n', b"{}"),
    "chunks with trailers": (CHUNKS + b"2\r\n{}\r\n0\r\nx-sum: 1\r\nx-trace-id: 2\r\n\r\n", b"{}"),
    "no content": (b"HTTP/1.1 204 None\r\n\r\n", b""),
    "no content, with a length": (b"HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\n", b""),
    "not modified": (b"HTTP/1.1 304 Same\r\ncontent-length: 5\r\n\r\n", b""),
    "no reason": (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
    "an offer to upgrade": (OK + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
    "interim answers": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: a\r\n\r\n" + OK + b"content-length: 2\r\n\r\n{}",
        b"{}",
    ),
}


def read(*parts: bytes, head_only: bool = False, most: int = 100) -> Answer:
    answer = Answer(head_only=head_only, most=most)
    for part in parts:
        answer.take(part)
    return answer


def each_byte(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


@pytest.mark.parametrize(("said", "body"), WHOLE.values(), ids=WHOLE)
def test_an_answer_is_whole_with_its_last_byte_and_not_before(said: bytes, body: bytes) -> None:
    at_once, halves, dripped = read(said), read(said[:-3], said[-3:]), read(*each_byte(said))
    missing = read(said[:-1])

    for answer in (at_once, halves, dripped):
        assert (answer.done, answer.left, answer.keeps, answer.body) == (True, False, True, body)
        assert "x-sum" not in answer.headers
    assert not missing.done
    with pytest.raises(Unreadable):
        missing.end()


@pytest.mark.parametrize(("said", "body"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize(
    "surplus", [b"\n", b"\r\n", b"}", b"HTTP/1.1 200 OK\r\n\r\n", OK + b"content-length: 1\r\n\r\nX"]
)
def test_what_comes_behind_it_is_left_there_and_changes_nothing(said: bytes, body: bytes, surplus: bytes) -> None:
    answer = read(said + surplus)

    assert (answer.status, answer.done, answer.left, answer.body) == (read(said).status, True, True, body)
    assert answer.headers == read(said).headers


@pytest.mark.parametrize("length", [b"+2", b"-2", b"0x2", b"", b"2 2", b"2, 2", b"2,3", b"2x", b"9" * 30, b"2;"])
def test_a_length_that_is_no_number_is_no_length(length: bytes) -> None:
    with pytest.raises(Unreadable):
        read(OK + b"content-length: " + length + b"\r\n\r\n{}")


AMBIGUOUS = {
    "two lengths": OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "the same length twice": OK + b"content-length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a length and chunks": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks and a length": OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks twice": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "packed chunks": OK + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks that are not last": OK + b"transfer-encoding: chunked, gzip\r\n\r\n{}",
    "chunks that are none": OK + b"transfer-encoding: xchunked\r\n\r\n{}",
    "a blank before the colon": OK + b"content-length : 2\r\n\r\n{}",
    "a folded header": OK + b"x: a\r\n content-length: 9\r\ncontent-length: 2\r\n\r\n{}",
    "bare line feeds": OK.replace(b"\r", b"") + b"content-length: 2\n\n{}",
    "a bare return": OK + b"x: a\rcontent-length: 9\r\ncontent-length: 2\r\n\r\n{}",
    "a zero byte": OK + b"x: a\x00b\r\ncontent-length: 2\r\n\r\n{}",
    "a header without a name": OK + b": 2\r\ncontent-length: 2\r\n\r\n{}",
    "a chunk's size that is none": CHUNKS + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk's size with a sign": CHUNKS + b"+2\r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer": CHUNKS + b"2\r\n{}}\r\n0\r\n\r\n",
    "a chunk of too many digits": CHUNKS + b"f" * 17 + b"\r\n{}",
    "bare line feeds between chunks": CHUNKS + b"2\n{}\n0\n\n",
    "another version": b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "another protocol": b"RTSP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "blank lines before it": b"\r\n\r\n" + OK + b"content-length: 2\r\n\r\n{}",
    "a request": b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}",
    "a status that is none": b"HTTP/1.1 099 What\r\ncontent-length: 2\r\n\r\n{}",
    "a status of four digits": b"HTTP/1.1 2000 What\r\ncontent-length: 2\r\n\r\n{}",
    "other rules from here on": b"HTTP/1.1 101 Switch\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    "nothing but zeroes": b"\x00" * 50,
}


@pytest.mark.parametrize("said", AMBIGUOUS.values(), ids=AMBIGUOUS)
@pytest.mark.parametrize("dripping", [False, True])
def test_what_two_readers_would_read_differently_is_no_answer(said: bytes, dripping: bool) -> None:
    with pytest.raises(Unreadable):
        read(*(each_byte(said) if dripping else [said]))


def test_an_answer_without_a_length_ends_with_its_connection_which_carries_no_other() -> None:
    answer = read(OK + b"\r\n{", b"}")
    assert not answer.done

    answer.end()

    assert (answer.done, answer.keeps, answer.body) == (True, False, b"{}")


@pytest.mark.parametrize(
    "said",
    [
        OK + b"connection: close\r\ncontent-length: 2\r\n\r\n{}",
        OK + b"Connection: Keep-Alive, Close\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}",
    ],
)
def test_a_connection_that_the_target_ends_is_not_kept(said: bytes) -> None:
    answer = read(said)

    assert (answer.done, answer.keeps, answer.body) == (True, False, b"{}")


@pytest.mark.parametrize("length", [b"content-length: 90\r\n", b"transfer-encoding: chunked\r\n", b""])
def test_an_answer_to_head_ends_with_its_head(length: bytes) -> None:
    answer = read(OK + length + b"\r\n", head_only=True)
    followed = read(OK + length + b"\r\nX", head_only=True)

    assert (answer.done, answer.left, answer.body) == (True, False, b"")
    assert (followed.done, followed.left, followed.body) == (True, True, b"")


@pytest.mark.parametrize(
    "said",
    [
        OK + b"content-length: 101\r\n\r\n" + b"x" * 101,
        CHUNKS + b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n",
        OK + b"x: " + b"a" * MAX_HEADER_BYTES + b"\r\n\r\n",
        OK + b"x: " + b"a" * (MAX_HEADER_BYTES + 10),
        OK + b"".join(b"x-%d: %b\r\n" % (number, b"a" * 1000) for number in range(70)) + b"\r\n",
        CHUNKS + b"1;" + b"a" * 2 * MAX_HEADER_BYTES,
        CHUNKS + b"1\r\nx\r\n0\r\n" + b"".join(b"x-%d: %b\r\n" % (number, b"a" * 1000) for number in range(70)),
        b"HTTP/1.1 103 Hints\r\n\r\n" * (MOST_INTERIM + 1),
    ],
    ids=["body", "chunk", "header", "endless header", "headers", "endless extension", "trailers", "interim answers"],
)
def test_nothing_grows_beyond_its_bound(said: bytes) -> None:
    with pytest.raises(Unreadable):
        read(*(said[place : place + 7001] for place in range(0, len(said), 7001)))


def test_headers_are_lower_case_and_what_came_twice_is_joined() -> None:
    answer = read(
        OK + b"X-Trace-Id: T1\r\nx-trace-id: T2\r\nname: J\xc3\xb6rg\r\nold: J\xf6rg\r\ncontent-length: 0\r\n\r\n"
    )

    assert answer.headers == {"x-trace-id": "T1, T2", "name": "Jörg", "old": "Jörg", "content-length": "0"}


def test_a_body_is_unpacked_within_its_bound() -> None:
    packed = gzip.compress(b" " * 2000)

    assert unpacked(packed, " GZIP ", 2000) == b" " * 2000
    assert unpacked(b"", "gzip") == b""
    assert unpacked(b"{}", "identity") == b"{}"
    for body, coding, most in (
        (packed, "gzip", 1999),
        (packed[:-9], "gzip", 9999),
        (b"{}", "gzip", 9),
        (b"{}", "br", 9),
    ):
        with pytest.raises(Unreadable):
            unpacked(body, coding, most)
