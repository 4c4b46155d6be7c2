"""`muster ledger`: brought up to date, copied there and back with a run in between, checked."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine, Table, inspect, update

from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.ledger import lease, tables, transfer
from jobs.ledger import postgres as server_ledger
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.sandbox.server import Sandbox
from tests.postgres import Server

from .muster import Muster, arrivals, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def there(postgres: Server) -> str:
    """A place for a ledger on the server."""
    return postgres.ledger()


def test_a_ledger_moves_to_a_server_and_back_and_runs_go_on_in_each(
    muster: Muster, sandbox: Sandbox, file_of: Filed, there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = people(4)
    muster("run", file_of(rows), "--limit", "2")
    copied = muster("ledger", "copy", "--to", there, "--output", "json")
    assert copied.code == 0, copied
    counts = {each["table"]: each["rows"] for each in orjson.loads(copied.stdout)["tables"]}
    assert (counts["run"], counts["outcome"]) == (1, 4)

    monkeypatch.setenv("MUSTER_LEDGER", there)
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY_FILE", str(tmp_path / "muster.db.key"))
    proves_once_each(sandbox, rows, muster("resume"))
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert muster("ledger", "copy", "--to", back).code == 0
    monkeypatch.setenv("MUSTER_LEDGER", back)
    before = arrivals(sandbox)
    again = muster("run", tmp_path / "customers.csv")

    assert (again.code, again.counts) == (0, {"already_onboarded": 4})
    assert writes(sandbox, before) == []
    assert muster("ledger", "check").code == 0
    assert muster("verify", "run-1").code == 0


def stop(*_: object) -> None:
    """As Ctrl-C does."""
    raise KeyboardInterrupt


@pytest.mark.few(1)
@pytest.mark.parametrize("table", ["space", "batch", "step"])
def test_a_copy_that_was_interrupted_is_no_ledger_and_is_gone_on_with(
    muster: Muster, file_of: Filed, there: str, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    muster("run", file_of(people(3)))
    monkeypatch.setattr(transfer, "AT_ONCE", 2)
    copy_table, told = transfer.copy_table, list[int]()

    def interrupted(store: Store, to: Engine, now: Table, _advance: object) -> None:
        def counted(rows: int) -> None:
            told.append(rows)
            if now.name == table and not resumed:
                raise KeyboardInterrupt

        copy_table(store, to, now, counted)

    monkeypatch.setattr(transfer, "copy_table", interrupted)
    resumed: list[bool] = []
    assert muster("ledger", "copy", "--to", there).code == 130
    with pytest.raises(Unusable, match="has not come to its end"):
        Store.open(there)
    resumed.append(True)
    assert muster("ledger", "copy", "--to", there).code == 0
    with Store.opened(there) as store:
        rows = sum(len(rows) for each in transfer.ORDER for rows in transfer.windows(store.engine, each))
    assert sum(told) == rows + 1  # the one space is written anew


@pytest.mark.slow
def test_a_copy_of_a_ledger_that_was_written_to_meanwhile_is_begun_anew(
    muster: Muster, file_of: Filed, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    muster("run", file_of(people(2)))
    with monkeypatch.context() as stopped:
        stopped.setattr(transfer, "end", stop)
        assert muster("ledger", "copy", "--to", there).code == 130
    with Store.opened("sqlite:///muster.db") as store, store.writes.begin() as connection:
        connection.execute(update(tables.run).values(exit_code=1))
    differs = muster("ledger", "copy", "--to", there)

    assert differs.code == 7
    assert "differs in run:" in differs.stderr
    assert muster("ledger", "copy", "--to", there).code == 0


def test_a_ledger_that_is_there_is_not_copied_over(muster: Muster, file_of: Filed, there: str) -> None:
    muster("run", file_of(people(1)))
    Store.open(there).close()

    ended = muster("ledger", "copy", "--to", there)
    assert ended.code == 2
    assert "already" in ended.stderr
    assert muster("ledger", "copy", "--to", "sqlite:///muster.db").code == 2
    assert muster("ledger", "copy", "--to", "postgresql://a:hunter2@b/c").code == 2


def test_an_empty_place_is_made_a_ledger_and_an_old_one_is_brought_up_to_date(muster: Muster, there: str) -> None:
    made = muster("ledger", "upgrade", "--ledger", there)
    again = muster("ledger", "upgrade", "--ledger", there, "--output", "json")

    assert made.code == 0
    assert "was empty" in made.stdout
    assert orjson.loads(again.stdout)["before"] == orjson.loads(again.stdout)["version"] == tables.SCHEMA_VERSION
    assert muster("ledger", "check", "--ledger", there).code == 0


def test_a_later_version_is_made_of_its_file(there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(there).close()
    later = {tables.SCHEMA_VERSION + 1: "ALTER TABLE space ADD COLUMN later text; CREATE TABLE later (n bigint)"}
    monkeypatch.setattr(server_ledger, "scripts", lambda since: [later[since + 1]])
    monkeypatch.setattr(tables, "SCHEMA_VERSION", tables.SCHEMA_VERSION + 1)
    with Store.opened(there) as store:
        assert "later" in inspect(store.engine).get_table_names()


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM record", "each step belongs to a record"),
        ("DELETE FROM outcome WHERE source_row = 1", "a run that ended has one outcome a row"),
        ("UPDATE outcome SET source_row = 99 WHERE source_row = 1", "rows of outcomes are those of their file"),
        ("UPDATE event SET run_id = 99", "each event belongs to a run"),
        ("DELETE FROM batch", "rows that refer to others"),
    ],
)
def test_what_is_wrong_with_a_ledger_is_found(muster: Muster, file_of: Filed, damage: str, words: str) -> None:
    muster("run", file_of(people(2)))
    with closing(sqlite3.connect("muster.db", isolation_level=None)) as ledger:
        ledger.execute(damage)

    ended = muster("ledger", "check")
    assert ended.code == 7
    assert [line for line in ended.stdout.splitlines() if "WRONG" in line and line.startswith(words)]
    assert muster("ledger", "check", "--output", "json").code == 7


def test_a_file_that_is_damaged_is_found(muster: Muster, file_of: Filed) -> None:
    muster("run", file_of(people(2)))
    with closing(sqlite3.connect("muster.db", isolation_level=None)) as ledger:
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ledger.execute("PRAGMA writable_schema=ON")
        ledger.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'run_id, outcome', 'run_id, reason') WHERE type = 'index'"
        )
    ended = muster("ledger", "check")

    assert ended.code == 7, ended


def test_nothing_is_copied_while_a_run_works(muster: Muster, file_of: Filed, there: str) -> None:
    muster("run", file_of(people(1)))
    with Store.opened("sqlite:///muster.db") as store, lease.held(store, 1, lease.Owner.me("somebody"), 0, Clock()):
        assert muster("ledger", "copy", "--to", there).code == 6
    assert not place_of(there).exists()
