"""The PostgreSQL ledger's own promises: what its server has to say, its locks, its loss, and the least rights."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from books import RUN, begun, ended, intent, record
from sqlalchemy import Float, Integer, LargeBinary, String, insert, inspect, text
from sqlalchemy.engine import Inspector
from sqlalchemy.types import TypeDecorator

from jobs.errors import ExitCode, Unusable
from jobs.ledger import lease, tables, turn
from jobs.ledger import postgres as ours
from jobs.ledger.broken import LedgerAway, LedgerBroken, LedgerBusy, LedgerLost
from jobs.ledger.bulk_insert import Many
from jobs.ledger.customers import made_customers
from jobs.ledger.database import wipe
from jobs.ledger.place import place_of
from jobs.ledger.rows import Transition
from jobs.ledger.store import Store
from jobs.ledger.transitions import Fence
from tests.postgres import Server


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.ledger()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.opened(url) as opened:
        yield opened


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://muster:hunter2@db/muster",
        "postgresql:///muster?password=hunter2",
        "postgresql+psycopg://muster:hunter2@db/muster",
        "postgresql:///muster?sslpassword=hunter2",
    ],
)
def test_a_password_within_the_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(Unusable, match="holds a password") as caught:
        place_of(url)

    assert "hunter2" not in f"{caught.value!r} {caught.value.hint}"
    assert ".pgpass" in str(caught.value.hint)


def test_a_ledger_is_there_once_it_was_made(url: str) -> None:
    place = place_of(url)

    assert not place.exists()
    Store.open(url).close()
    assert place.exists()
    assert place.key_file is None
    assert str(place) == place.whole_name == url


def test_files_that_belong_to_it_are_named_after_the_database_or_the_service() -> None:
    assert place_of("postgresql://db/customers").access_log == Path("customers.access.ndjson")
    assert place_of("postgresql:///?service=nightly").name == "nightly"
    assert place_of("postgresql://").folder == Path()


def test_a_server_that_is_not_there_is_named_and_nothing_was_sent(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="can't be reached") as caught:
        Store.open(f"postgresql://somebody@/muster?host={tmp_path}")

    assert caught.value.exit_code is ExitCode.UNUSABLE


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("synchronous_commit = off", "synchronous_commit = off"),
        ("default_transaction_read_only = on", "read_only = on"),
    ],
)
def test_a_server_that_does_not_keep_what_it_commits_is_refused(postgres: Server, setting: str, words: str) -> None:
    role = f"careless_{setting.partition('_')[0]}"
    postgres.ask(f"CREATE ROLE {role} LOGIN")
    postgres.ask(f"ALTER ROLE {role} SET {setting}")

    with pytest.raises(Unusable, match=words) as caught:
        Store.open(postgres.ledger(role=role))

    assert caught.value.hint


def test_a_database_that_loses_names_is_refused(postgres: Server) -> None:
    postgres.ask("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")

    with pytest.raises(Unusable, match="server_encoding = SQL_ASCII"):
        Store.open(f"postgresql://postgres@/ascii?host={postgres.folder}")


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_setting_that_loses_commits_is_refused(url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ours.PROMISES, name, ("perhaps", "it has to hold"))  # type: ignore[index]

    with pytest.raises(Unusable, match=f"{name} = on"):
        Store.open(url)


def shape(found: Inspector) -> dict[str, Any]:
    """The tables of a database: columns in their order, keys, indexes, references."""
    return {
        name: {
            "columns": [
                (each["name"], type(each["type"]).__name__, each["nullable"]) for each in found.get_columns(name)
            ],
            "key": found.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted(each["column_names"] for each in found.get_unique_constraints(name)),
            "indexes": {
                each["name"]: each["column_names"]
                for each in found.get_indexes(name)
                if not each.get("duplicates_constraint")
            },
            "references": [
                (each["constrained_columns"], each["referred_table"], each["referred_columns"])
                for each in found.get_foreign_keys(name)
            ],
        }
        for name in sorted(found.get_table_names())
    }


def kind(column: Any) -> str:
    """How a column of the tables is kept in PostgreSQL: no length and no 32 bits bind it."""
    names = {Float: "DOUBLE_PRECISION", Integer: "BIGINT", String: "TEXT", LargeBinary: "BYTEA"}
    lies = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return next(name for each, name in names.items() if isinstance(lies, each))


def test_the_files_make_the_tables_that_the_program_knows(store: Store) -> None:
    made = shape(inspect(store.engine))
    made["record"]["indexes"].pop("record_by_customer")

    assert made == {
        table.name: {
            "columns": [(each.name, kind(each), bool(each.nullable)) for each in table.columns],
            "key": [each.name for each in table.primary_key],
            "unique": sorted(
                [each.name for each in found.columns]  # type: ignore[attr-defined]
                for found in table.constraints
                if type(found).__name__ == "UniqueConstraint"
            ),
            "indexes": {found.name: [each.name for each in found.columns] for found in table.indexes},
            "references": [
                ([each.parent.name], each.column.table.name, [each.column.name])
                for each in sorted(table.foreign_keys, key=lambda each: each.parent.name)
            ],
        }
        for table in sorted(tables.metadata.tables.values(), key=lambda each: each.name)
    }


def test_text_is_compared_byte_by_byte_whatever_the_database_speaks(store: Store) -> None:
    wanted = text(
        "SELECT count(*), count(*) FILTER (WHERE collation_name = 'C') FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND data_type = 'text'"
    )
    with store.engine.connect() as connection:
        columns, plain = connection.execute(wanted).one()

    assert columns == plain > 40


def test_there_is_a_file_for_each_version_up_to_the_newest() -> None:
    names = sorted(path.name for path in (Path(ours.__file__).parent / "ddl").iterdir())

    assert names == [f"postgresql_{version}.sql" for version in range(5, tables.SCHEMA_VERSION + 1)]


def test_a_reader_can_not_write(store: Store) -> None:
    with store.engine.connect() as connection, pytest.raises(LedgerBroken, match="read-only"):
        connection.execute(text("DELETE FROM space"))


def test_the_character_that_the_server_refuses_is_kept_as_its_picture(store: Store) -> None:
    begun(store, replace(RUN, folder="a\0b"))

    assert [run.folder for run in store.runs()] == ["a\N{SYMBOL FOR NULL}b"]


def test_longer_values_than_the_tables_say_are_kept(store: Store) -> None:
    begun(store).apply(ended(1, reason_code="c" * 500, failed_step="s" * 500))

    assert store.outcome_counts(RUN.run_id)


def test_customers_are_found_by_what_the_target_calls_them(store: Store) -> None:
    book, names = begun(store), ["4711", 'with "quotes" and \\', "Größe"]
    facts = [{"customer_id": name, "bio": '{"customer_id": "8"}'} for name in names]
    book.apply(*(Transition(record(f"k{n}", facts=each)) for n, each in enumerate(facts)))

    assert made_customers(store, "eclipse", "1001", [*names, "8"]) == dict(zip(names, facts, strict=True))


@contextmanager
def writing(store: Store, space_id: int | None = None) -> Iterator[None]:
    """Somebody writes, and does not end."""
    engine = store.writes if space_id is None else store.about(space_id)
    with engine.begin():
        yield


def test_who_writes_is_waited_for_and_named_in_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "BUSY_SECONDS", 0.2)
    book = begun(store)
    with writing(store), pytest.raises(LedgerBusy, match="locked for writing"):
        book.apply(ended(1))
    book.apply(ended(1))

    assert store.settled_rows(RUN.run_id) == 1


def test_a_space_does_not_wait_for_another_one_and_nobody_who_reads_waits(store: Store) -> None:
    book = begun(store)
    with writing(store, 4711):
        book.apply(ended(1))
    with writing(store):
        assert store.settled_rows(RUN.run_id) == 1
    with writing(store, book.space_id), pytest.raises(LedgerBusy), store.about(book.space_id, patience=0.0).begin():
        pass


def test_a_ledger_of_another_schema_does_not_wait_for_this_one(postgres: Server, store: Store) -> None:
    with writing(store), Store.opened(postgres.ledger()) as other:
        begun(other).apply(ended(1))


def test_two_that_take_one_tenant_at_once_get_one_after_the_other(url: str) -> None:
    Store.open(url).close()
    epochs, ready = list[int](), threading.Barrier(4)

    def take() -> None:
        with Store.opened(url) as store:
            space_id = store.space("eclipse", "1")
            ready.wait()
            for _ in range(5):
                with store.writes.begin() as connection:
                    epoch = connection.scalar(text("SELECT epoch FROM space"))
                    connection.execute(text("UPDATE space SET epoch = :epoch"), {"epoch": epoch + 1})
                epochs.append(space_id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store.opened(url) as store, store.engine.connect() as connection:
        assert connection.scalar(text("SELECT epoch FROM space")) == len(epochs) == 20


def test_a_writer_that_stands_still_behind_a_batch_loses_its_lock(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ours.ENDING, "idle_in_transaction_session_timeout", "0.3s")
    with Store.opened(url) as frozen, Store.opened(url) as other:
        connection = frozen.engine.execution_options(writes=True).connect()
        connection.begin()
        calls = [
            {"run_id": "r", "operation": f"o{row}", "method": "GET", "status": "200", "calls": 1} for row in range(3)
        ]
        connection.execute(insert(tables.call), calls)
        with other.engine.execution_options(writes=True, patience=20.0).begin():
            pass
        with pytest.raises(LedgerAway):
            connection.execute(text("SELECT 1"))


def test_the_server_is_told_to_notice_who_is_gone(store: Store) -> None:
    with store.engine.connect() as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "20s"
        assert {connection.scalar(text(f"SHOW {name}")) for name in ours.ENDING} == {"20s", "0"}  # no TCP, a socket


def test_a_connection_that_was_lost_between_commits_costs_nothing(postgres: Server, store: Store) -> None:
    book = begun(store)
    book.apply(ended(1))
    postgres.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster'")
    book.apply(ended(2))

    assert store.settled_rows(RUN.run_id) == 2


@contextmanager
def lost(monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> Iterator[None]:
    """The next commit's answer is lost: the server has made it, or not."""
    commit = psycopg.Connection.commit
    once: Callable[[], bool] = iter([True]).__next__

    def cut(connection: psycopg.Connection[Any]) -> None:
        try:
            once()
        except StopIteration:
            return commit(connection)
        if committed:
            commit(connection)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(psycopg.Connection, "commit", cut)
    yield
    monkeypatch.setattr(psycopg.Connection, "commit", commit)


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("group", ["intents", "outcomes"])
def test_a_commit_whose_answer_was_lost_is_made_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, group: str, committed: bool
) -> None:
    book = begun(store)
    book.apply(intent("before"))
    rows = [intent("a"), intent("b")] if group == "intents" else [ended(1), intent("a"), intent("b")]
    with lost(monkeypatch, committed=committed):
        book.apply(*rows)
    book.apply(intent("after"))

    assert book.events() == ["before", "a", "b", "after"]
    assert store.settled_rows(RUN.run_id) == (group == "outcomes")
    assert set(store.known(book.space_id, ["a", "b"])) == {"a", "b"}


def test_who_was_taken_over_while_the_server_was_lost_writes_nothing_more(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = begun(store)
    hold = Fence.hold

    def taken_over(self: Fence, connection: Any, _many: Many) -> None:
        monkeypatch.setattr(Fence, "hold", hold)
        connection.connection.driver_connection.close()
        with Store.opened(url) as other:
            lease.release(other, self.space_id, self.epoch)
            lease.take(other, self.space_id, replace(lease.Owner.me("next")), 1)
        raise LedgerAway("lost")

    monkeypatch.setattr(Fence, "hold", taken_over)
    with pytest.raises(LedgerBroken, match="took over"):
        book.apply(intent("a"))
    assert book.events() == []


@pytest.mark.slow
def test_a_server_that_crashes_and_comes_back_costs_nothing(postgres: Server) -> None:
    with Store.opened(postgres.ledger()) as store:
        book, halt = begun(store), threading.Event()
        told, broken = list[int](), list[Exception]()

        def work() -> None:
            row = 0
            try:
                while not halt.is_set():
                    row += 1
                    book.apply(intent(f"cust-{row}"), ended(row))
                    told.append(row)
            except Exception as error:
                broken.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        for crash in (postgres.crash, lambda: killed(postgres), postgres.crash):
            seen = len(told)
            while len(told) < seen + 20 and worker.is_alive():
                threading.Event().wait(0.01)
            crash()
        seen = len(told)
        while len(told) < seen + 20 and worker.is_alive():
            threading.Event().wait(0.01)
        halt.set()
        worker.join()

        assert broken == []
        assert [row["source_row"] for page in store.outcomes(RUN.run_id) for row in page] == told
        assert book.events() == [f"cust-{row}" for row in told]


def killed(server: Server) -> None:
    """One of the server's processes is killed: it ends all others, and recovers as from a crash."""
    for pid in server.backends()[:1]:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def crashed(postgres: Server) -> Iterator[Server]:
    """The server, which is there again afterwards."""
    yield postgres
    if postgres.process is None:
        postgres.start()


@pytest.mark.slow
def test_a_server_that_stays_away_ends_the_run(crashed: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "AWAY_SECONDS", 0.3)
    with Store.opened(crashed.ledger()) as store:
        book = begun(store)
        crashed.stop(signal.SIGQUIT)
        with pytest.raises(LedgerBroken, match="was away for") as caught:
            book.apply(ended(1))

    assert caught.value.exit_code is ExitCode.UNUSABLE


@pytest.fixture
def followed() -> Iterator[tuple[Server, Server, Store]]:
    """A server, a replica that nobody waits for, and a ledger of the one that may be written to."""
    with Server.running() as first, first.followed(lagging=True) as second:
        hosts = quote(f"{first.folder},{second.folder}", safe="")
        url = f"postgresql://postgres@/postgres?host={hosts}&target_session_attrs=read-write"
        with Store.opened(url) as store:
            yield first, second, store


def failed_over(first: Server, second: Server) -> None:
    first.stop(signal.SIGQUIT)
    second.ask("SELECT pg_promote()")


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["intents", "outcomes"])
def test_a_server_that_lacks_what_was_acknowledged_is_worked_with_no_more(
    followed: tuple[Server, Server, Store], lost: str
) -> None:
    first, second, store = followed
    book = begun(store)
    book.apply(intent("a"))
    second.caught_up(first)
    second.follow_no_more()
    book.apply(intent("b") if lost == "intents" else ended(1))
    failed_over(first, second)
    for _ in range(2):
        with pytest.raises(LedgerLost, match="went back in time"):
            book.apply(intent("c"))

    assert book.events() == ["a"]


@pytest.mark.slow
def test_a_replica_that_has_all_that_was_acknowledged_is_worked_with(followed: tuple[Server, Server, Store]) -> None:
    first, second, store = followed
    book = begun(store)
    book.apply(intent("a"))
    second.caught_up(first)
    failed_over(first, second)
    book.apply(intent("b"))

    assert book.events() == ["a", "b"]


@pytest.mark.slow
def test_a_server_that_does_not_know_its_owner_is_worked_with_no_more(followed: tuple[Server, Server, Store]) -> None:
    first, second, store = followed
    second.caught_up(first)
    second.follow_no_more()
    book = begun(store)
    failed_over(first, second)
    with pytest.raises(LedgerLost, match="went back in time"):
        book.apply(intent("a"))


def test_the_least_rights_are_enough_for_a_run_and_for_no_change_of_the_tables(postgres: Server, url: str) -> None:
    Store.open(url).close()
    with Store.opened(postgres.granted(url)) as store:
        book = begun(store)
        book.apply(intent("a"), ended(1))
        made_customers(store, "eclipse", "1001", ["4711"])
        lease.beat(store, book.space_id, book.epoch, 1)
        store.end_run(RUN.run_id, ended_ms=2, exit_code=0, summary={})
        with pytest.raises(LedgerBroken, match="must be owner"), store.writes.begin() as connection:
            connection.execute(text("ALTER TABLE space ADD COLUMN other text"))
        with pytest.raises(Unusable, match="may not do"):
            wipe(store.engine)


def test_a_role_that_may_not_make_tables_is_told_who_may(postgres: Server, url: str) -> None:
    postgres.ask("CREATE ROLE guest LOGIN")
    schema = str(place_of(url).url.query["options"]).partition("=")[2]  # type: ignore[attr-defined]
    postgres.ask(f"GRANT USAGE ON SCHEMA {schema} TO guest")

    with pytest.raises(Unusable, match="permission denied") as caught:
        Store.open(postgres.ledger(role="guest", schema=schema))

    assert "owner" in str(caught.value.hint)


def test_what_was_erased_is_not_in_the_tables_files_any_more(postgres: Server, store: Store) -> None:
    book = begun(store)
    book.apply(ended(1, reason="needle-in-the-file"))
    with store.writes.begin() as connection:
        connection.execute(text("DELETE FROM outcome"))
    wipe(store.engine)
    postgres.ask("CHECKPOINT")

    (path,) = postgres.ask(f"SELECT pg_relation_filepath('{store.engine.url.query['options'][14:]}.outcome')")[0]
    assert b"needle-in-the-file" not in (postgres.data / path).read_bytes()
