"""Reading a large table of the ledger window by window, so that neither memory nor a connection is held for long."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Engine, Row, Select


def paged(engine: Engine, wanted: Select[Any], by: Column[Any], window: int) -> Iterator[Sequence[Row[Any]]]:
    """The rows of `wanted` in the order of `by`, at most `window` at a time and never none.

    `by` is one of the selected columns, rises from 1 and never repeats: each window begins behind the one before it.
    """
    after = 0
    while True:
        with engine.connect() as connection:
            rows = connection.execute(wanted.where(by > after).order_by(by).limit(window)).all()
        if not rows:
            return
        yield rows
        after = rows[-1]._mapping[by]
