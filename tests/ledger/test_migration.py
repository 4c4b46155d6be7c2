"""A ledger of an older version is brought up to date where it lies, as a whole or not at all."""

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from books import RUN, SetClock, intent, now_ms, url_of
from sqlalchemy import Engine, Table

from jobs.errors import Unusable
from jobs.ledger import lease, migration, tables
from jobs.ledger.learned import Learned, learned, teach
from jobs.ledger.permits import Pool, reserve
from jobs.ledger.rows import IdClaim, Transition
from jobs.ledger.store import Store
from jobs.model import Outcome, Rate

LESSON = Learned(Rate(9, 60.0), SetClock().stamp(), "HTTP 429")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger as version 1 left it: one run with an intent and an outcome, and three permits that are out."""
    connection = sqlite3.connect(tmp_path / "muster.db")
    connection.executescript(Path(__file__).with_name("version_1.sql").read_text())
    connection.close()
    (tmp_path / "muster.db").chmod(0o600)
    return url_of(tmp_path)


def schema(url: str) -> Mapping[str, Any]:
    """Every table and index with its statement, and the version. SQLite enforces no length of a text."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    found: dict[str, Any] = {
        name: re.sub(r"VARCHAR\(\d+\)", "TEXT", " ".join((sql or "").split()))
        for name, sql in connection.execute("SELECT name, sql FROM sqlite_master")
    }
    found["version"] = connection.execute("SELECT version FROM schema_version").fetchall()
    connection.close()
    return found


def test_an_older_ledger_keeps_all_it_knew_and_works_like_a_new_one(url: str) -> None:
    with Store.opened(url, create=False) as store:
        assert [run.run_id for run in store.runs()] == [RUN.run_id]
        assert store.outcome_counts(RUN.run_id) == {Outcome.ONBOARDED: 1}
        assert store.known(1, ["a"])["a"].steps["customer"].attempts == 1
        assert reserve(Pool(store, "pool", "mine", SetClock()), Rate(10, 60), 10, []).permits == 7
        teach(store, "pool", LESSON)
        epoch = lease.take(store, 1, lease.Owner.me("next"), now_ms())
        store.apply(1, epoch, RUN.run_id, [intent("b")])
    with Store.opened(url, create=False) as again:
        assert learned(again, "pool") == {"pool": LESSON}
        assert set(again.known(1, ["a", "b"])) == {"a", "b"}


def test_a_migrated_ledger_has_the_schema_of_a_new_one(url: str, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    Store.open(url_of(tmp_path / "new")).close()

    Store.open(url).close()

    assert schema(url) == schema(url_of(tmp_path / "new"))


def test_a_migration_that_breaks_off_changes_nothing_and_is_made_up_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = schema(url), Table.create

    def create(self: Table, *given: Any, **named: Any) -> None:
        real(self, *given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Table, "create", create)
        with pytest.raises(KeyboardInterrupt):
            Store.open(url)
    assert schema(url) == before

    Store.open(url).close()
    assert schema(url)["version"] == [(tables.SCHEMA_VERSION,)]


def test_two_that_find_an_older_ledger_at_once_migrate_it_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = migration.upgraded

    def second(engine: Engine) -> int:
        monkeypatch.setattr(migration, "upgraded", real)
        Store.open(url).close()  # the other one is quicker
        return real(engine)

    monkeypatch.setattr(migration, "upgraded", second)
    with Store.opened(url) as store:
        assert [run.run_id for run in store.runs()] == [RUN.run_id]


def test_who_only_reads_may_leave_an_older_ledger_as_it_is(url: str) -> None:
    before = schema(url)

    with Store.opened(url, create=False, upgrade=False) as store:
        assert [run.run_id for run in store.runs()] == [RUN.run_id]
        assert not store.has(tables.learned)

    assert schema(url) == before


def test_an_older_ledger_knows_whose_customers_are_whose_once_it_is_migrated(url: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    facts = '{"customer_id": "55", "wallet_id": "w1"}'
    connection.execute("UPDATE record SET facts = ? WHERE key = 'a'", (facts,))
    connection.commit()
    connection.close()

    with Store.opened(url, create=False) as store:
        epoch = lease.take(store, 1, lease.Owner.me("next"), now_ms())
        claims = (IdClaim("customer", "55", "b"), IdClaim("wallet", "w1", "b"), IdClaim("wallet", "w2", "b"))
        assert store.apply(1, epoch, RUN.run_id, [Transition(claims=claims)]) == dict.fromkeys(claims[:2], "a")


def test_versions_that_tables_were_added_in_follow_on_each_other() -> None:
    assert list(tables.ADDED) == list(range(2, tables.SCHEMA_VERSION + 1))


def test_a_version_that_nobody_knows_is_refused(url: str) -> None:
    with Store.opened(url) as store, store.writes.begin() as connection:
        connection.execute(tables.schema_version.update().values(version=99))
    with pytest.raises(Unusable, match="99"):
        Store.open(url, upgrade=False)
