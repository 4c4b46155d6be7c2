"""Runs follow on each other as they began in the ledger, whatever the wall clock showed then."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from books import RUN

from jobs.ledger.erase import all_runs
from jobs.ledger.seals import add_seal, link_before
from jobs.ledger.store import Store

HOUR_MS = 3_600_000
RUNS = [
    replace(RUN, run_id=name, folder=f"runs/{name}", started_ms=RUN.started_ms - number * HOUR_MS)
    for number, name in enumerate(("first", "second", "third"))
]
"""Each began when the clock was set back by an hour more."""


@pytest.fixture
def store(mostly: str) -> Iterator[Store]:
    with Store.opened(mostly) as opened:
        space_id = opened.space(RUN.system, RUN.tenant)
        for run in RUNS:
            opened.begin_run(space_id, run)
        yield opened


def test_the_newest_run_is_the_one_that_began_last(store: Store) -> None:
    assert [run.run_id for run in store.runs()] == ["third", "second", "first"]
    assert [run.run_id for run in store.runs(1)] == ["third"]
    assert [run.run_id for run in all_runs(store)] == ["first", "second", "third"]


def test_the_run_that_may_have_died_while_it_wrote_its_files_is_the_one_that_began_last(store: Store) -> None:
    for run in RUNS:
        store.end_run(run.run_id, ended_ms=run.started_ms + 1, exit_code=0, summary={})

    assert store.unfinished(store.space(RUN.system, RUN.tenant)) == ["runs/third"]


def test_a_run_is_chained_to_the_one_that_began_before_it(store: Store) -> None:
    for run in RUNS:
        add_seal(store, run.run_id, f"hash of {run.run_id}")
    links = {run.run_id: link_before(store, run) for run in store.runs()}

    assert {name: link and link.run_id for name, link in links.items()} == {
        "first": None,
        "second": "first",
        "third": "second",
    }
