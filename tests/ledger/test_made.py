"""Customers are asked for by id: the ledger reads those, and not all that it knows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from books import RUN, begun
from sqlalchemy import event

from jobs.ledger import customers as made
from jobs.ledger.customers import made_customers
from jobs.ledger.packed import unpack_all
from jobs.ledger.rows import RecordRow, Transition
from jobs.ledger.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A ledger with 2,000 customers of a tenant, one of another, and a row that has no customer."""
    store = Store.open(f"sqlite:///{tmp_path}/muster.db")
    records = [
        RecordRow(f"key-{number}", "f", {}, "r1", facts={"customer_id": str(number), "maker": f"maker-{number % 2}"})
        for number in range(2_000)
    ]
    for tenant, known in (("1", [*records, RecordRow("key-x", "f", {}, "r1")]), ("2", records[:1])):
        book = begun(store, replace(RUN, system="blink", tenant=tenant, run_id=f"r{tenant}"))
        book.apply(*(Transition(record=replace(record, run_id=book.run_id)) for record in known))
    return store


def test_only_the_customers_that_are_asked_for_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def counted(packed: bytes) -> dict[str, str]:
        read.append(packed)
        return unpack_all(packed)

    monkeypatch.setattr("jobs.ledger.stored.unpack_all", counted)

    found = made_customers(store, "blink", "1", ["7", "1999", "3000"])

    assert {number: facts["maker"] for number, facts in found.items()} == {"7": "maker-1", "1999": "maker-1"}
    assert len(read) == 2


def test_more_customers_than_a_query_takes_are_all_found(store: Store) -> None:
    wanted = [str(number) for number in range(1_500)]

    assert list(made_customers(store, "blink", "1", wanted)) != []
    assert set(made_customers(store, "blink", "1", wanted)) == set(wanted)
    assert set(made_customers(store, "blink", "2", wanted)) == {"0"}
    assert made_customers(store, "blink", "3", wanted) == {}


def test_a_customer_is_found_by_an_index(store: Store) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda _c, _u, text, values, *_: asked.append((text, values)))
    made_customers(store, "blink", "1", ["7", "8"])
    statement, values = asked[-1]

    with store.engine.connect() as connection:
        plan = [str(line[-1]) for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]

    assert any(f"USING INDEX {made.INDEX} (customer_id=?" in line for line in plan), plan
