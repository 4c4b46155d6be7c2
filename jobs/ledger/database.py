"""What each kind of database does in its own way, once it is opened: the engine holds it."""

from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from jobs.ledger.turn import Turn


class Database(Protocol):
    """SQLite (`sqlite.py`) or PostgreSQL (`postgres.py`)."""

    turn: Turn

    def check(self, connection: Any) -> None:
        """Raises LedgerBroken when what the driver's `connection` writes to is not the ledger any more."""

    def server(self, connection: Any) -> str:
        """Who keeps what the driver's `connection` is about to commit: another text is another server, or a restart."""

    def make(self, connection: Connection) -> None:
        """Makes the tables of the newest version, within the transaction of `connection`."""

    def upgrade(self, connection: Connection, since: int) -> None:
        """Makes what the versions after `since` have more."""

    def wipe(self, engine: Engine) -> None:
        """Leaves nothing of deleted rows in the database's files, as far as that is in its hands."""


def database_of(engine: Engine | Connection) -> Database:
    """The database that an engine, or a connection of it, works with."""
    found: Database = engine.get_execution_options()["database"]
    return found


def still_there(connection: Connection) -> None:
    """Raises LedgerBroken when the ledger is not what it was; what can be saved is saved then.

    Asked before and after a write: what is acknowledged was on the disk under the ledger's name.
    """
    database_of(connection).check(connection.connection.driver_connection)


def server_of(connection: Connection) -> str:
    """Who keeps what a transaction that writes is about to commit, as `Database.server` says it."""
    return database_of(connection).server(connection.connection.driver_connection)


def wipe(engine: Engine) -> None:
    """Leaves nothing of deleted rows in the database: what was freed is overwritten and given back.

    What the disk itself remembers of overwritten blocks, and backups, is not in a database's hands.
    """
    database_of(engine).wipe(engine)
