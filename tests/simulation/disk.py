"""The ledger's files, and what a power cut leaves of them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, text

from jobs.ledger.sqlite import open_engine
from jobs.ledger.store import Store

FULL = 2


_compiled: dict[Any, Any] = {}
"""Statements compiled once for all ledgers of a test process: a fifth of its time (measured)."""

_dialects: list[Dialect] = []
"""The one dialect of all ledgers: what was compiled is known by it, and of another one by nobody."""


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """`Store.opened`, with the compiled statements of all before it."""
    with Store.opened(url) as store:
        yield hastened(store)


@contextmanager
def looked_into(url: str) -> Iterator[Store]:
    """The ledger as it is, for the checks: none is made or brought up to date."""
    store = hastened(Store(open_engine(Path(url.removeprefix("sqlite:///")))))
    try:
        yield store
    finally:
        store.close()


def hastened(store: Store) -> Store:
    """`store`, with the compiled statements of all before it."""
    _dialects.extend([] if _dialects else [store.engine.dialect])
    store.engine.dialect = _dialects[0]
    store.engine = store.engine.execution_options(compiled_cache=_compiled)
    store.writes = store.engine.execution_options(writes=True)
    return store


@dataclass
class Disk:
    """What a power cut leaves: all that was synced. Without synchronous=FULL that is the state of the opening."""

    kept: dict[str, bytes]

    @classmethod
    def before(cls, folder: Path) -> "Disk":
        """The files as the process finds them."""
        return cls({path.name: path.read_bytes() for path in folder.iterdir()})

    def lose_power(self, folder: Path) -> None:
        """Takes back what was not synced; nothing when every commit was."""
        with looked_into(f"sqlite:///{folder / 'muster.db'}") as store, store.engine.connect() as connection:
            synchronous = connection.execute(text("PRAGMA synchronous")).scalar()
        if synchronous == FULL:
            return
        for path in folder.iterdir():
            path.unlink()
        for name, content in self.kept.items():
            (folder / name).write_bytes(content)


_template: Path | None = None


def empty_ledger() -> Path:
    """A ledger with its tables, made once a process."""
    global _template
    if _template is None:
        _template = Path(tempfile.mkdtemp(prefix="ledger-")) / "muster.db"
        Store.open(f"sqlite:///{_template}").close()
    return _template
