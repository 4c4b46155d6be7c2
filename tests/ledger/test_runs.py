"""Runs follow on each other as they began in the ledger, whatever the wall clock showed then."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from books import RUN, url_of
from sqlalchemy.event import listen

from jobs.ledger.erase import all_runs
from jobs.ledger.open_rows import standings, still_open
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


def test_what_is_open_costs_as_many_questions_after_many_nights_as_after_few(tmp_path: Path) -> None:
    asked: list[int] = []
    for nights in (2, 60):
        (tmp_path / str(nights)).mkdir()
        with Store.opened(url_of(tmp_path / str(nights))) as store:
            space_id = store.space(RUN.system, RUN.tenant)
            for number in range(nights):
                name = f"night-{number:03d}"
                store.begin_run(space_id, replace(RUN, run_id=name, folder=name, input_sha256=f"{number:064x}"))
                store.end_run(name, ended_ms=RUN.started_ms + 1, exit_code=0, summary={"much": ["of it"]})
            statements: list[str] = []
            listen(store.engine, "before_cursor_execute", lambda *call, said=statements: said.append(call[2]))
            files = standings(store)
            assert (still_open(store, files), len(files)) == ([], nights)
            assert {run.summary for standing in files for run in standing.runs} == {None}
            asked.append(len(statements))

    assert asked[0] == asked[1]
