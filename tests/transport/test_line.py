"""What a target sends that nobody asked for is never taken for the answer to the next request. Over real sockets."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from raw_server import Connection, Play, RawServer, served

from jobs.clock import Clock
from jobs.systems.messages import Certificate, Reply, Request
from jobs.transport import line, wire
from jobs.transport.proxy import checked_proxy
from jobs.transport.sender import HttpSender, MaybeSent, NotSent

Work = Callable[[HttpSender, RawServer], Awaitable[Any]]

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    """Both are in use: the fast one by runs, the other by small commands."""
    return LOOPS[request.param]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Certificate]:
    """A server's TLS, and what a client verifies it with."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=target.example"
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made.split(), *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, Certificate(authorities=(certificate,))


def asking(word: str, size: int = 0) -> Request:
    """A write that the server answers with its own word."""
    return Request("create", "POST", f"/{word}", body=b"x" * size or b"{}", deadline_seconds=5)


def answer(word: bytes, *lines: bytes) -> bytes:
    head = b"\r\n".join([b"HTTP/1.1 200 OK", b"content-length: %d" % len(word), *lines])
    return head + b"\r\n\r\n" + word


def word_of(request: bytes) -> bytes:
    """The word that a request asks for."""
    return request.split(b" ", 2)[1].lstrip(b"/")


def echoing(surplus: Callable[[bytes], bytes], *, apart: bool = False) -> Play:
    """Answers each request with its word and, after the word `first`, with what `surplus` makes of the answer.

    `apart`: in a write of its own, and the surplus is there before the client hears the answer's last byte.
    """

    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            said = answer(word_of(request))
            more = surplus(said) if word_of(request) == b"first" else b""
            await (connection.say(said, more) if apart else connection.say(said + more))

    return play


def worked(
    loop: Callable[[], asyncio.AbstractEventLoop],
    play: Play,
    work: Work,
    tls: tuple[ssl.SSLContext, Certificate] | None = None,
) -> tuple[Any, RawServer]:
    """What `work` gave with a sender and a server that plays `play`, and the server."""

    @asynccontextmanager
    async def both() -> AsyncIterator[tuple[HttpSender, RawServer]]:
        async with served(play, tls and tls[0]) as server:
            url = server.url.replace("http:", "https:") if tls else server.url
            async with HttpSender(url, Clock(), certificate=tls and tls[1]) as sender:
                yield sender, server

    async def main() -> tuple[Any, RawServer]:
        async with both() as (sender, server):
            return await work(sender, server), server

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main())


async def first_and_second(sender: HttpSender, _server: RawServer) -> list[bytes]:
    """The words of two calls, one after the other."""
    return [(await sender.send(asking(word), {})).body for word in ("first", "second")]


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n"

SURPLUS: dict[str, Callable[[bytes], bytes]] = {
    "the same answer again": lambda said: said,
    "another answer": lambda _: answer(b"FAILED"),
    "bytes after the length": lambda _: b"}}",
    "a line end": lambda _: b"\r\n",
    "100 Continue": lambda _: b"HTTP/1.1 100 Continue\r\n\r\n",
    "103 Early Hints, often": lambda _: b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 50,
    "half an answer": lambda _: b"HTTP/1.1 200 OK\r\ncontent-le",
    "a million bytes": lambda said: said * 20_000,
}


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
@pytest.mark.parametrize("apart", [False, True])
def test_whatever_follows_an_answer_is_not_the_answer_to_the_next_request(
    loop: Callable[[], asyncio.AbstractEventLoop], surplus: Callable[[bytes], bytes], apart: bool
) -> None:
    words, server = worked(loop, echoing(surplus, apart=apart), first_and_second)

    assert words == [b"first", b"second"]
    assert server.connections == 2


@pytest.mark.parametrize("apart", [False, True])
def test_nor_over_tls(
    loop: Callable[[], asyncio.AbstractEventLoop], secured: tuple[ssl.SSLContext, Certificate], apart: bool
) -> None:
    words, server = worked(loop, echoing(SURPLUS["another answer"], apart=apart), first_and_second, secured)

    assert words == [b"first", b"second"]
    assert server.connections == 2


def test_nor_what_follows_the_last_chunk(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            more = CHUNKED + b"5\r\nagain\r\n0\r\n\r\n"
            await connection.say(more if word_of(request) == b"first" else answer(word_of(request)))

    words, server = worked(loop, play, first_and_second)

    assert words == [b"first", b"second"]
    assert server.connections == 2


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_second_copy_that_comes_while_nobody_asks_ends_the_connection(
    loop: Callable[[], asyncio.AbstractEventLoop], secured: tuple[ssl.SSLContext, Certificate], tls: bool
) -> None:
    heard, closed = asyncio.Event(), asyncio.Event()

    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            await connection.say(answer(word_of(request)))
            if word_of(request) == b"first":
                await heard.wait()  # the client has its answer, and its connection is idle
                await connection.say(answer(b"first"))
                assert await connection.hear() == b""
                closed.set()
                return

    async def work(sender: HttpSender, _server: RawServer) -> bytes:
        await sender.send(asking("first"), {})
        heard.set()
        await asyncio.wait_for(closed.wait(), 10)  # at once, not when it is to be used again
        return (await sender.send(asking("second"), {})).body

    assert worked(loop, play, work, secured if tls else None)[0] == b"second"


def test_bytes_that_only_the_system_has_yet_are_seen_too(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            await connection.say(answer(word_of(request)))
            if word_of(request) == b"first":
                connection.writer.get_extra_info("socket")  # kept open; the test writes to it
                writers.append(connection.writer)

    writers: list[asyncio.StreamWriter] = []

    async def work(sender: HttpSender, _server: RawServer) -> bytes:
        await sender.send(asking("first"), {})
        writers[0].write(answer(b"first"))  # leaves at once, and this client's loop has had no turn since
        return (await sender.send(asking("second"), {})).body

    assert worked(loop, play, work)[0] == b"second"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_clean_connection_carries_one_request_after_the_other(
    loop: Callable[[], asyncio.AbstractEventLoop], secured: tuple[ssl.SSLContext, Certificate], tls: bool
) -> None:
    async def work(sender: HttpSender, _server: RawServer) -> list[bytes]:
        return [(await sender.send(asking(f"w{number}"), {})).body for number in range(20)]

    words, server = worked(loop, echoing(lambda _: b""), work, secured if tls else None)

    assert words == [b"w%d" % number for number in range(20)]
    assert server.connections == 1


def test_a_connection_that_the_target_wants_closed_is_not_used_again(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            await connection.say(answer(word_of(request), b"connection: close"))

    words, server = worked(loop, play, first_and_second)

    assert words == [b"first", b"second"]
    assert server.connections == 2


def test_of_several_idle_connections_the_one_that_rested_longest_is_used(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    together = asyncio.Event()
    numbers: list[int] = []

    async def play(connection: Connection) -> None:
        mine = len(numbers)
        numbers.append(0)
        if mine == 1:
            together.set()
        while await connection.hear():
            await together.wait()
            await connection.say(answer(b"%d" % mine))

    async def work(sender: HttpSender, _server: RawServer) -> list[bytes]:
        await asyncio.gather(sender.send(asking("a"), {}), sender.send(asking("b"), {}))
        return [(await sender.send(asking("c"), {})).body for _ in range(6)]

    words, server = worked(loop, play, work)

    assert server.connections == 2
    assert words in ([b"0", b"1"] * 3, [b"1", b"0"] * 3)


@pytest.mark.parametrize("said", [answer(b"first"), b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"])
def test_a_target_that_speaks_before_it_is_asked_is_sent_nothing(
    loop: Callable[[], asyncio.AbstractEventLoop], said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = asyncio.Event()
    usual = line.connected

    async def after_it_spoke(*given: Any) -> wire.Wire:
        found = await usual(*given)
        await spoken.wait()
        return found

    monkeypatch.setattr(line, "connected", after_it_spoke)

    async def play(connection: Connection) -> None:
        await connection.say(said)
        spoken.set()
        await connection.hear()

    async def work(sender: HttpSender, _server: RawServer) -> None:
        with pytest.raises(NotSent, match="before it was asked"):
            await sender.send(asking("first"), {})

    assert worked(loop, play, work)[1].heard == []


@pytest.mark.few(8)
@pytest.mark.parametrize(("status", "believed"), [(200, False), (201, False), (302, False), (409, False), (413, True)])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_an_answer_to_half_a_request_is_believed_only_when_it_refuses_the_rest(
    loop: Callable[[], asyncio.AbstractEventLoop],
    secured: tuple[ssl.SSLContext, Certificate],
    tls: bool,
    status: int,
    believed: bool,
) -> None:
    over = asyncio.Event()

    async def play(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        connection.reader._transport.pause_reading()  # type: ignore[attr-defined]  # the rest never arrives
        await connection.say(b"HTTP/1.1 %d Early\r\ncontent-length: 2\r\n\r\n{}" % status)
        await over.wait()

    async def work(sender: HttpSender, _server: RawServer) -> Reply | MaybeSent:
        try:
            return await sender.send(asking("first", 30_000_000), {})
        except MaybeSent as error:
            return error
        finally:
            over.set()

    found, _ = worked(loop, play, work, secured if tls else None)

    assert isinstance(found, Reply) == believed
    assert believed or not found.answered


def test_a_flood_of_interim_answers_is_no_answer(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def play(connection: Connection) -> None:
        await connection.hear()
        while True:
            await connection.say(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    async def work(sender: HttpSender, _server: RawServer) -> MaybeSent:
        with pytest.raises(MaybeSent) as caught:
            await sender.send(asking("first"), {})
        return caught.value

    assert not worked(loop, play, work)[0].answered


def test_a_few_interim_answers_come_before_the_one_that_counts(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            await connection.say(
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + answer(word_of(request))
            )

    words, server = worked(loop, play, first_and_second)

    assert words == [b"first", b"second"]
    assert server.connections == 1


CUT = (
    answer(b"first", b"x-trace-id: 1"),
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\nx-sum: 1\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"first"),
)


@pytest.mark.few(8)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("said", CUT, ids=["length", "chunks", "interim"])
def test_an_answer_that_is_cut_at_whatever_byte_is_a_doubt_and_is_asked_for_once(
    loop: Callable[[], asyncio.AbstractEventLoop],
    secured: tuple[ssl.SSLContext, Certificate],
    tls: bool,
    reset: bool,
    said: bytes,
) -> None:
    async def play(connection: Connection) -> None:
        place = int(word_of(await connection.hear()))
        await connection.say(said[:place])
        if reset:
            connection.reset()

    async def work(sender: HttpSender, _server: RawServer) -> list[MaybeSent]:
        found = []
        for place in range(len(said)):
            with pytest.raises(MaybeSent) as caught:
                await sender.send(asking(f"{place}"), {})
            found.append(caught.value)
        return found

    found, server = worked(loop, play, work, secured if tls else None)

    assert [int(word_of(request)) for request in server.heard] == list(range(len(said)))
    head = said.rindex(b"HTTP/1.1")
    whole_head = said.index(b"\r\n\r\n", head) + 4
    if not reset:  # which may overtake what was said before it
        assert [each.answered for each in found] == [place >= whole_head for place in range(len(said))]


@pytest.mark.parametrize("bytes_read", [0, 1, 20, 100])
def test_a_connection_that_is_reset_in_the_middle_of_a_request_leaves_a_doubt(
    loop: Callable[[], asyncio.AbstractEventLoop], bytes_read: int
) -> None:
    async def play(connection: Connection) -> None:
        await connection.reader.readexactly(bytes_read)
        await asyncio.sleep(0.01)
        connection.reset()

    async def work(sender: HttpSender, server: RawServer) -> int:
        with pytest.raises(MaybeSent) as caught:
            await sender.send(asking("first", 1000), {})
        assert not caught.value.answered
        return server.connections

    assert worked(loop, play, work)[0] == 1


def test_a_connection_that_ends_while_it_is_taken_carries_each_request_at_most_once(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def play(connection: Connection) -> None:
        request = await connection.hear()
        await connection.say(answer(word_of(request)))
        await asyncio.sleep(int(word_of(request)) % 10 / 5000)

    async def work(sender: HttpSender, _server: RawServer) -> tuple[set[int], set[int]]:
        answered, unsent = set(), set()
        for number in range(100):
            try:
                assert (await sender.send(asking(f"{number}"), {})).body == b"%d" % number
                answered.add(number)
            except NotSent:
                unsent.add(number)
            except MaybeSent:
                pass
            await asyncio.sleep(number % 7 / 5000)
        return answered, unsent

    (answered, unsent), server = worked(loop, play, work)
    heard = [int(word_of(request)) for request in server.heard]

    assert len(heard) == len(set(heard))
    assert answered <= set(heard)
    assert not unsent & set(heard)
    assert len(answered) > 50


def test_a_certificate_for_another_name_is_refused_before_anything_is_sent(
    loop: Callable[[], asyncio.AbstractEventLoop], secured: tuple[ssl.SSLContext, Certificate]
) -> None:
    async def main() -> tuple[str, RawServer]:
        async with served(echoing(lambda _: b""), secured[0]) as server:
            url = server.url.replace("http://127.0.0.1", "https://localhost")
            async with HttpSender(url, Clock(), certificate=secured[1]) as sender:
                with pytest.raises(NotSent) as caught:
                    await sender.send(asking("first"), {})
                return str(caught.value), server

    with asyncio.Runner(loop_factory=loop) as runner:
        said, server = runner.run(main())

    assert said.startswith("no connection (TLS: ")
    assert server.heard == []


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Plain\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
def test_a_handshake_that_comes_to_nothing_has_sent_nothing(
    loop: Callable[[], asyncio.AbstractEventLoop], secured: tuple[ssl.SSLContext, Certificate], said: bytes
) -> None:
    async def play(connection: Connection) -> None:
        await connection.reader.read(1000)
        await connection.say(said)

    async def main() -> None:
        async with (
            served(play) as server,
            HttpSender(server.url.replace("http:", "https:"), Clock(), certificate=secured[1]) as sender,
        ):
            with pytest.raises(NotSent):
                await sender.send(asking("first"), {})

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    "surplus", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nFAILED"], ids=["clean", "surplus"]
)
def test_a_proxy_carries_many_requests_and_may_say_nothing_of_its_own(
    loop: Callable[[], asyncio.AbstractEventLoop],
    secured: tuple[ssl.SSLContext, Certificate],
    tls: bool,
    surplus: bytes,
) -> None:
    async def carry(connection: Connection) -> None:
        asked = await connection.hear()
        await connection.say(b"HTTP/1.1 200 Connected\r\n\r\n" + surplus)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(asked.split(b" ")[1].split(b":")[1]))
        there = asyncio.create_task(pumped(connection.reader, writer))
        await pumped(reader, connection.writer)
        there.cancel()

    async def main() -> tuple[list[bytes | NotSent], RawServer]:
        async with (
            served(echoing(lambda _: b""), secured[0]) as target,
            served(carry, secured[0] if tls else None) as way,
        ):
            proxy = checked_proxy(way.url.replace("http:", "https:") if tls else way.url)
            url = target.url.replace("http:", "https:")
            async with HttpSender(url, Clock(), certificate=secured[1], proxy=proxy) as sender:
                found: list[bytes | NotSent] = []
                for word in ("first", "second", "third"):
                    try:
                        found.append((await sender.send(asking(word), {})).body)
                    except NotSent as error:
                        found.append(error)
                return found, target

    with asyncio.Runner(loop_factory=loop) as runner:
        found, target = runner.run(main())

    if surplus:
        assert {type(each) for each in found} == {NotSent}
        assert target.heard == []
    else:
        assert (found, target.connections) == ([b"first", b"second", b"third"], 1)


async def pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Gives on what comes, to its end."""
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.close()


def test_a_name_with_several_addresses_is_reached_though_the_first_never_answers(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(connection: Connection) -> None:
        while request := await connection.hear():
            await connection.say(answer(word_of(request)))

    usual = wire._dial

    async def dial(family: int, address: Any) -> Any:
        if address == "dead":
            await asyncio.sleep(60)
        if address == "refused":
            raise ConnectionRefusedError
        return await usual(family, address)

    async def two(host: str, port: int) -> list[tuple[int, Any]]:
        return [(2, "dead"), (2, "refused"), (2, ("127.0.0.1", port))]

    monkeypatch.setattr(wire, "_dial", dial)
    monkeypatch.setattr(wire, "addresses", two)

    assert worked(loop, play, first_and_second)[0] == [b"first", b"second"]


def test_a_connection_whose_time_was_up_as_its_answer_came_carries_no_other_request(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, expired = wire.Wire.data_received, list[bool]()

    def late(self: wire.Wire, data: bytes) -> None:
        usual(self, data)
        if not expired:
            expired.append(True)
            self.expire()

    monkeypatch.setattr(wire.Wire, "data_received", late)

    words, server = worked(loop, echoing(lambda _: b""), first_and_second)

    assert words == [b"first", b"second"]
    assert server.connections == 2


def test_https_without_a_way_to_verify_it_makes_no_connection(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    place = line.Place.of("https://target.example/v1")
    with asyncio.Runner(loop_factory=loop) as runner, pytest.raises(line.NoWay, match="without a way to verify"):
        runner.run(line.connected(line.Way(place, None, None, None)))


def test_connections_of_two_schemes_are_of_two_places() -> None:
    plain, secure = line.Place.of("http://127.0.0.1:8443/a"), line.Place.of("https://127.0.0.1:8443/b")
    assert (plain.host, plain.port) == (secure.host, secure.port)
    assert len({plain, secure, line.Place.of("https://127.0.0.1:8443/c")}) == 2
