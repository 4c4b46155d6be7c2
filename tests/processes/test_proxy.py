"""A network that loses, delays and cuts: whatever happens, each customer is there once, and the books say so."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress

import pytest
import uvloop

from jobs.clock import Clock
from jobs.systems.messages import Request
from jobs.transport.sender import HttpSender, MaybeSent, NotSent
from tests.flow.muster import lines, standing

from .program import DONE, Program, finished, named, reported, told, whole
from .proxy import FAULTS, FaultyProxy, abort

CODES = frozenset({0, 1, 4, 5})
"""4: the login met five faults in a row."""


def survived(program: Program, seed: int, every: int) -> dict[str, int]:
    """A run through a faulty proxy, gone on with through the same one without faults; the faults that it met."""
    with FaultyProxy(program.base_url, seed, every) as proxy:
        behind = program.through(proxy.url)
        said = behind.here()
        assert said.code in CODES, said
        if said.code == 4:
            named(said)
        honest(behind)
        proxy.every = None
        settled(behind)
    return dict(proxy.met)


def honest(program: Program) -> None:
    """Nothing is there twice; a row that is called onboarded is there as a whole."""
    whole(program)
    found = {row["row_ref"]: standing(program.sandbox, row["national_id"]) for row in program.rows}
    assert all(each.customers <= 1 and each.wallets <= 1 and each.verifications <= 1 for each in found.values()), found
    for folder in program.folders:
        reported(folder, len(program.rows))
        for line in lines(folder / "outcome.csv"):
            assert line["outcome"] not in {"onboarded", "already_onboarded"} or found[line["row_ref"]].wallets == 1


def settled(program: Program) -> None:
    """Goes on without faults: failed rows are retried on purpose, then all is done.

    But for rows whose verification was twice asked for in vain: a third request is a person's to send.
    """
    if program.folders:
        program.here("retry", program.folders[-1].name)
    if program.here().code == 0:
        finished(program)
    honest(program)
    for line, row in zip(lines(program.folders[-1] / "outcome.csv"), program.rows, strict=True):
        if line["outcome"] not in DONE:
            assert (line["outcome"], line["reason_code"], line["failed_step"]) == ("in_doubt", "unanswered", "kyc")
            assert standing(program.sandbox, row["national_id"]).verifications == 0


def test_a_connection_that_is_reset_as_soon_as_it_is_made_is_a_failure_of_the_network() -> None:
    async def outcomes(url: str) -> set[type[BaseException]]:
        async with HttpSender(url, Clock()) as sender:
            sent = [await raised(sender.send(Request("customers", "POST", "/", body=b"{}"), {})) for _ in range(300)]
        return set(sent)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=reset_all, args=(server,), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            assert runner.run(outcomes(url)) <= {NotSent, MaybeSent}
        server.shutdown(socket.SHUT_RDWR)


async def raised(call: Coroutine[object, object, object]) -> type[BaseException]:
    """How a call failed."""
    try:
        await call
    except Exception as error:
        return type(error)
    raise AssertionError("it was answered")


def reset_all(server: socket.socket) -> None:
    """Accepts, and resets, until the server is shut down."""
    with suppress(OSError):
        while True:
            abort(server.accept()[0])


@pytest.mark.few(1)
@pytest.mark.parametrize("seed", range(4))
def test_faults_of_the_network_cost_nothing(program: Program, seed: int) -> None:
    survived(program, seed, every=6)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("hundred", range(3))
def test_many_seeds_of_faults_cost_nothing_and_every_kind_is_met(program: Program, hundred: int) -> None:
    met: set[str] = set()
    for seed in range(1000 + 100 * hundred, 1100 + 100 * hundred):
        program.sandbox.reset()
        fresh = Program.of(program.folder / f"s{seed}", program.sandbox, program.rows)
        with told(f"seed {seed}"):
            met |= set(survived(fresh, seed, every=4))
    assert met == set(FAULTS)
