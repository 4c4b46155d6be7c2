"""A target, or something before it, that delivers answers twice: no row ends by what was said of another one."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox
from tests.processes.proxy import FaultyProxy

from .muster import ONE_OF_EACH, Muster, standing
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


class Repeating(FaultyProxy):
    """Carries everything, and gives each answer that holds `word` twice."""

    def __init__(self, target: str, word: bytes) -> None:
        super().__init__(target, seed=1, every=10**9)
        self.word, self.repeated = word, 0

    def _answered(self, client: socket.socket, reply: bytes, fault: str | None) -> bool:
        twice = self.word in reply
        self.repeated += twice
        client.sendall(reply * (1 + twice))
        return True


@pytest.mark.few(2)
@pytest.mark.parametrize("word", [b"FAILED", b"customerId", b"HTTP/1.1"])
@pytest.mark.parametrize("concurrency", ["1", "4"])
def test_an_answer_delivered_twice_says_nothing_of_another_row(
    muster: Muster, sandbox: Sandbox, file_of: Filed, word: bytes, concurrency: str
) -> None:
    rows = [person(1, "Kycfail"), *people(7, first=2)]
    with Repeating(sandbox.base_url, word) as proxy:
        ended = muster("run", file_of(rows), "--concurrency", concurrency, "--base-url", proxy.url)

    assert proxy.repeated
    assert ended.outcomes == ["declined"] + ["onboarded"] * 7
    assert [standing(sandbox, row["national_id"]) for row in rows[1:]] == [ONE_OF_EACH] * 7
    assert {line["class"] for line in ended.reconciliation} == {"match"}
