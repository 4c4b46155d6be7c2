"""What a sending says of each thing that can go wrong on the way, against a server that plays it over a real socket."""

import asyncio
import errno
import gzip
import logging
import shutil
import socket
import ssl
import subprocess
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from raw_server import OK, Connection, Play, RawServer, answering, served

from jobs.clock import Clock
from jobs.systems.messages import MOST_BYTES, Reply, Request
from jobs.transport import line
from jobs.transport.proxy import checked_proxy
from jobs.transport.sender import HttpSender, MaybeSent, NotSent
from jobs.transport.wire import Wire

POST = Request("create", "POST", "/customers", body=b'{"a":1}', deadline_seconds=2)
GET = Request("find", "GET", "/customers", query=(("identity", "9001015009086"),), deadline_seconds=2)


def head(*lines: str, status: str = "200 OK") -> bytes:
    return ("\r\n".join([f"HTTP/1.1 {status}", *lines]) + "\r\n\r\n").encode()


def sent(play: Play, request: Request = POST, times: int = 1) -> tuple[list[Reply | Exception], RawServer]:
    """What `times` sendings to a server that plays `play` gave, one after the other, and what the server saw."""

    async def work() -> tuple[list[Reply | Exception], RawServer]:
        found: list[Reply | Exception] = []
        async with served(play) as server, HttpSender(server.url, Clock()) as sender:
            for _ in range(times):
                try:
                    found.append(await sender.send(request, {"authorization": "Bearer t"}))
                except (NotSent, MaybeSent) as error:
                    found.append(error)
        return found, server

    return asyncio.run(work())


def only(play: Play, request: Request = POST) -> Reply | Exception:
    return sent(play, request)[0][0]


def test_a_request_and_its_answer_go_through_unchanged() -> None:
    [found], server = sent(answering(head("content-length: 2", "X-Trace-Id: T1", status="409 Conflict") + b"[]"))

    assert isinstance(found, Reply)
    assert (found.status, found.body, found.headers["x-trace-id"]) == (409, b"[]", "T1")
    request = server.heard[0].lower()
    assert request.startswith(b"post /customers http/1.1\r\n")
    assert b"\r\nauthorization: bearer t\r\n" in request
    assert b"\r\ncontent-type: application/json\r\n" in request
    assert request.endswith(b'\r\n\r\n{"a":1}')


def test_a_refused_connection_is_not_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused

        async def work() -> None:
            async with HttpSender(f"http://127.0.0.1:{taken.getsockname()[1]}", Clock()) as sender:
                await sender.send(POST, {})

        with pytest.raises(NotSent):
            asyncio.run(work())


@pytest.mark.parametrize("answer", [head(status="407 Who"), head(status="502 Bad Gateway"), head(status="403 No")])
def test_a_proxy_that_makes_no_connection_has_sent_nothing_on(answer: bytes) -> None:
    async def work() -> bytes:
        async with served(answering(answer)) as server:
            proxy = checked_proxy(server.url.replace("//", "//user:hunter2@"))
            async with HttpSender("https://127.0.0.1:9", Clock(), proxy=proxy) as sender:
                with pytest.raises(NotSent, match="the proxy made no connection") as caught:
                    await sender.send(POST, {"authorization": "Bearer t"})
        assert "hunter2" not in str(caught.value)
        return b"".join(server.heard)

    heard = asyncio.run(work())
    assert heard.startswith(b"CONNECT 127.0.0.1:9 ")
    assert b"Bearer t" not in heard


async def close_unread(connection: Connection) -> None:
    await asyncio.sleep(0)


async def close_read(connection: Connection) -> None:
    await connection.hear()


async def reset_read(connection: Connection) -> None:
    await connection.hear()
    connection.reset()


async def cut_in_the_head(connection: Connection) -> None:
    await connection.hear()
    await connection.say(b"HTTP/1.1 200 OK\r\ncontent-le")


async def silence_after_reading(connection: Connection) -> None:
    await connection.hear()
    await asyncio.sleep(60)


async def head_byte_by_byte(connection: Connection) -> None:
    await connection.hear()
    await connection.say(*(bytes([byte]) for byte in OK), pause=0.1)


async def body_byte_by_byte(connection: Connection) -> None:
    await connection.hear()
    await connection.say(head("content-length: 1000"), *[b" "] * 1000, pause=0.1)


@pytest.mark.parametrize(
    "play",
    [close_read, reset_read, cut_in_the_head, answering(b"garbage\r\n\r\n"), answering(b"\x00" * 50)],
)
def test_a_connection_that_ends_without_an_answer_may_have_carried_the_request(play: Play) -> None:
    found = only(play)

    assert isinstance(found, MaybeSent)
    assert not found.answered


def test_a_connection_that_ends_before_it_is_used_carried_nothing_or_is_in_doubt() -> None:
    [found], server = sent(close_unread)

    assert isinstance(found, (NotSent, MaybeSent))  # the end may come a moment before the request, or after
    assert server.heard == []


@pytest.mark.parametrize("play", [silence_after_reading, head_byte_by_byte, body_byte_by_byte])
def test_one_deadline_spans_the_whole_exchange_however_slowly_it_drips(play: Play) -> None:
    request = Request("create", "POST", "/", body=b"{}", deadline_seconds=0.4)
    clock = Clock()
    began = clock.monotonic()

    found = only(play, request)

    assert isinstance(found, MaybeSent)
    assert 0.3 < clock.monotonic() - began < 20


def cut_body(connection_ends: str) -> Play:
    async def play(connection: Connection) -> None:
        await connection.hear()
        await connection.say(head("content-length: 100") + b'{"customerId"')
        if connection_ends == "reset":
            await asyncio.sleep(0.05)
            connection.reset()

    return play


async def cut_chunks(connection: Connection) -> None:
    await connection.hear()
    await connection.say(head("transfer-encoding: chunked") + b"5\r\nabc")


@pytest.mark.parametrize("play", [cut_body("closed"), cut_body("reset"), cut_chunks])
def test_half_a_body_is_an_answer_but_none_to_rely_on(play: Play) -> None:
    found = only(play)

    assert isinstance(found, MaybeSent)
    assert found.answered


def bomb(size: int) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join([*(packing.compress(b" " * 1_000_000) for _ in range(size)), packing.flush()])


def test_a_compressed_bomb_is_refused_without_being_unpacked() -> None:
    packed = bomb(200)
    tracemalloc.start()

    found = only(answering(head(f"content-length: {len(packed)}", "content-encoding: gzip") + packed))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, MaybeSent)
    assert found.answered
    assert peak < 5 * MOST_BYTES


@pytest.mark.parametrize(
    "answer",
    [
        head(f"content-length: {MOST_BYTES + 1}") + b" " * (MOST_BYTES + 1),
        head("transfer-encoding: chunked") + b"100000\r\n" * 1 + b" " * 0x100000 + b"\r\n600000\r\n" + b" " * 0x600000,
        head(*(f"x-{number}: {'a' * 1000}" for number in range(70)), "content-length: 0"),
        head("x: " + "a" * 300_000, "content-length: 0"),
        head("content-length: 2", "content-encoding: br") + b"{}",
        head("content-length: 2", "content-encoding: gzip") + b"{}",
        head("content-length: 20", "content-encoding: gzip") + gzip.compress(b"{}" * 50)[:20],
    ],
    ids=["body", "chunks", "headers", "header", "brotli", "not gzip", "half gzip"],
)
def test_an_answer_that_is_too_large_or_unreadable_is_no_answer_to_rely_on(answer: bytes) -> None:
    assert isinstance(only(answering(answer)), MaybeSent)


@pytest.mark.parametrize("packed", [False, True])
def test_a_request_says_how_large_its_answer_may_be(packed: bool) -> None:
    body = gzip.compress(b" " * 2000) if packed else b" " * 2000
    play = answering(head(f"content-length: {len(body)}", *["content-encoding: gzip"] * packed) + body)

    read, refused = (only(play, replace(POST, most_bytes=most)) for most in (2000, 1999))

    assert isinstance(read, Reply)
    assert isinstance(refused, MaybeSent)


def test_a_body_of_five_megabytes_and_a_packed_one_are_read() -> None:
    large = b"[" + b" " * (MOST_BYTES - 2) + b"]"
    packed = gzip.compress(large)

    plain = only(answering(head(f"content-length: {len(large)}") + large))
    small = only(answering(head(f"content-length: {len(packed)}", "content-encoding: GZIP") + packed))

    assert isinstance(plain, Reply)
    assert isinstance(small, Reply)
    assert plain.body == small.body == large


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed_and_the_second_host_hears_nothing(status: str) -> None:
    async def work() -> tuple[Reply, RawServer, RawServer]:
        async with served(answering(OK)) as second:
            there = answering(head(f"location: {second.url}/x", "content-length: 0", status=status))
            async with served(there) as first, HttpSender(first.url, Clock()) as sender:
                return await sender.send(POST, {"authorization": "Bearer t"}), first, second

    reply, first, second = asyncio.run(work())

    assert reply.status == int(status[:3])
    assert len(first.heard) == 1
    assert second.connections == 0


def test_cookies_are_not_kept() -> None:
    found, server = sent(answering(head("set-cookie: session=stolen; Path=/", "content-length: 0")), times=3)

    assert all(isinstance(each, Reply) for each in found)
    assert len(server.heard) == 3
    assert not any(b"cookie" in request.lower() for request in server.heard)


def test_proxies_and_netrc_of_the_environment_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login robber password loot\n")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))

    [found], server = sent(answering(OK), GET)

    assert isinstance(found, Reply)
    assert b"basic" not in server.heard[0].lower()


def test_no_log_line_tells_the_query_even_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("asyncio").setLevel(logging.DEBUG)
        found, _ = sent(answering(OK), GET, times=2)

    assert all(isinstance(each, Reply) for each in found)
    assert "9001015009086" not in caplog.text


def test_a_connection_that_the_server_closed_while_idle_is_not_used_again() -> None:
    async def one_each(connection: Connection) -> None:
        await connection.hear()
        await connection.say(OK)

    async def work() -> tuple[list[int], RawServer]:
        async with served(one_each) as server, HttpSender(server.url, Clock()) as sender:
            statuses = []
            for _ in range(3):
                statuses.append((await sender.send(POST, {})).status)
                await asyncio.sleep(0.05)
            return statuses, server

    statuses, server = asyncio.run(work())

    assert statuses == [200, 200, 200]
    assert len(server.heard) == server.connections == 3


def test_a_failed_call_leaves_no_connection_that_a_later_call_would_use() -> None:
    async def work() -> tuple[list[object], int]:
        plays = iter([silence_after_reading, answering(OK)])

        async def play(connection: Connection) -> None:
            await next(plays)(connection)

        found: list[object] = []
        async with served(play) as server, HttpSender(server.url, Clock()) as sender:
            for deadline in (0.2, 30, 30):
                try:
                    reply = await sender.send(Request("create", "POST", "/", body=b"{}", deadline_seconds=deadline), {})
                    found.append(reply.status)
                except MaybeSent:
                    found.append("maybe")
            return found, server.connections

    assert asyncio.run(work()) == (["maybe", 200, 200], 2)


def test_a_cancelled_call_ends_at_once_and_the_sender_goes_on() -> None:
    async def work() -> int:
        plays = iter([silence_after_reading, answering(OK)])

        async def play(connection: Connection) -> None:
            await next(plays)(connection)

        async with served(play) as server, HttpSender(server.url, Clock()) as sender:
            call = asyncio.create_task(sender.send(POST, {}))
            await asyncio.sleep(0.1)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert call.cancelled()
            return (await sender.send(POST, {})).status

    assert asyncio.run(work()) == 200


def test_many_calls_at_once_have_their_own_answers() -> None:
    async def echo(connection: Connection) -> None:
        while request := await connection.hear():
            body = request.split(b"\r\n\r\n", 1)[1]
            await asyncio.sleep(0.01)
            await connection.say(head(f"content-length: {len(body)}") + body)

    async def work() -> list[bytes]:
        async with served(echo) as server, HttpSender(server.url, Clock()) as sender:
            calls = [sender.send(Request("x", "POST", "/", body=b"%d" % number), {}) for number in range(40)]
            return [reply.body for reply in await asyncio.gather(*calls)]

    assert asyncio.run(work()) == [b"%d" % number for number in range(40)]


@pytest.mark.parametrize("header", ["Bearer \u00e9\u4e2d", "Bearer a\r\nx: y", "Bearer \x00"])
def test_a_token_that_is_no_header_is_never_written_to_the_wire(header: str) -> None:
    async def work() -> tuple[Exception, RawServer]:
        async with served(answering(OK)) as server, HttpSender(server.url, Clock()) as sender:
            with pytest.raises((NotSent, MaybeSent)) as caught:
                await sender.send(POST, {"authorization": header})
            return caught.value, server

    error, server = asyncio.run(work())

    assert server.heard == []
    assert "Bearer" not in str(error)


REFUSALS = {
    ConnectionRefusedError(errno.ECONNREFUSED, "27821234567"): "no connection (connection refused)",
    OSError(errno.EHOSTUNREACH, "27821234567"): "no connection (no route to host)",
    socket.gaierror(socket.EAI_NONAME, "27821234567"): "no connection (the name of the host is not known)",
    ssl.SSLError(1, "27821234567"): "no connection (TLS: failed)",
    UnicodeError("27821234567"): "no connection (UnicodeError)",
    TimeoutError(): "no connection within 10 s",
}


@pytest.mark.parametrize(("raised", "said"), REFUSALS.items(), ids=[type(each).__name__ for each in REFUSALS])
def test_only_a_failed_connection_counts_as_not_sent(
    raised: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise raised

    async def work() -> None:
        async with HttpSender("http://127.0.0.1:1", Clock()) as sender:
            await sender.send(POST, {})

    monkeypatch.setattr(line, "opened", fail)
    with pytest.raises(NotSent) as caught:
        asyncio.run(work())
    assert str(caught.value) == said


@pytest.mark.parametrize("raised", [ConnectionResetError, BrokenPipeError, ssl.SSLError, OSError, RuntimeError])
@pytest.mark.parametrize("place", ["ask", "more"])
def test_every_other_failure_of_a_connection_counts_as_maybe_sent(
    raised: type[Exception], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bytes:
        raise raised("27821234567")

    monkeypatch.setattr(Wire, place, fail)
    found = only(answering(OK))

    assert isinstance(found, MaybeSent)
    assert "2782" not in str(found)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_a_self_signed_certificate_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    arguments = ["openssl", *made.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*arguments, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def work() -> RawServer:
        async with served(answering(OK), context) as server:
            async with HttpSender(server.url.replace("http:", "https:"), Clock()) as sender:
                with pytest.raises(NotSent):
                    await sender.send(POST, {"authorization": "Bearer t"})
            return server

    assert asyncio.run(work()).heard == []
