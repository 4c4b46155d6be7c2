"""Where a ledger is: in a file, or in a database of a server. What lies beside it, and how people name it."""

from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from jobs.errors import Unusable
from jobs.ledger import sqlite
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.names import access_log, key_file, refuse_password
from jobs.value import value

EXAMPLES = "--ledger sqlite:///muster.db, or --ledger postgresql://USER@HOST/DATABASE?sslmode=verify-full"


class Place(Protocol):
    """Where a ledger is. As a text it is what people are told."""

    @property
    def folder(self) -> Path:
        """Where files go that belong to the ledger."""
        ...

    @property
    def name(self) -> str:
        """What it is called on a page."""
        ...

    @property
    def key_file(self) -> Path | None:
        """The key of its pseudonyms, where no MUSTER_PSEUDONYM_KEY is given; None: there is no such file."""
        ...

    @property
    def access_log(self) -> Path:
        """Who looked people up."""
        ...

    @property
    def whole_name(self) -> str:
        """Its name for a program, from any working directory."""
        ...

    def exists(self) -> bool:
        """Whether a ledger is there. Raises Unusable where that can't be told."""
        ...

    def refuse_remains(self) -> None:
        """Raises Unusable when what is there is left of a ledger that was damaged or moved."""
        ...

    def open(self) -> Engine:
        """An engine whose commits are on the disk when they are told. Raises Unusable, LedgerBroken."""
        ...


def place_of(url: str) -> Place:
    """The place that `url` names. Raises Unusable."""
    refuse_password(url)
    try:
        parts = make_url(url)
        kind = parts.get_backend_name()
    except (ArgumentError, ValueError):
        raise Unusable("--ledger is no URL of a ledger", hint=EXAMPLES) from None
    if kind == "sqlite":
        return File(sqlite.path_of(parts))
    if kind in {"postgresql", "postgres"}:
        return Server(parts.set(drivername="postgresql"))
    raise Unusable(f"a ledger of kind {kind!r} is not known", hint=EXAMPLES)


@value
class File:
    """A SQLite database."""

    path: Path

    def __str__(self) -> str:
        """Its path as it was given."""
        return str(self.path)

    @property
    def folder(self) -> Path:
        """As of `Place`: its own."""
        return self.path.parent

    @property
    def name(self) -> str:
        """As of `Place`."""
        return self.path.name

    @property
    def key_file(self) -> Path | None:
        """As of `Place`: beside it."""
        return key_file(self.path)

    @property
    def access_log(self) -> Path:
        """As of `Place`: beside it."""
        return access_log(self.path)

    @property
    def whole_name(self) -> str:
        """As of `Place`."""
        return str(self.path.absolute())

    def exists(self) -> bool:
        """As of `Place`."""
        return self.path.exists()

    def refuse_remains(self) -> None:
        """As of `Place`."""
        sqlite.refuse_remains(self.path)

    def open(self) -> Engine:
        """As of `Place`."""
        return sqlite.open_engine(self.path)


@value
class Server:
    """A schema of a PostgreSQL database. Files that belong to it go into the working directory."""

    url: URL

    def __str__(self) -> str:
        """The URL, which never has a password."""
        return self.url.render_as_string()

    @property
    def folder(self) -> Path:
        """As of `Place`."""
        return Path()

    @property
    def name(self) -> str:
        """As of `Place`."""
        service = self.url.query.get("service")
        return self.url.database or (service if isinstance(service, str) else None) or "postgresql"

    @property
    def key_file(self) -> Path | None:
        """As of `Place`: a key that only one machine has would be another one on the next."""
        return None

    @property
    def access_log(self) -> Path:
        """As of `Place`."""
        return access_log(Path(self.name))

    @property
    def whole_name(self) -> str:
        """As of `Place`."""
        return str(self)

    def exists(self) -> bool:
        """As of `Place`: the server is asked."""
        from jobs.ledger.migration import version_of

        engine = self.open()
        try:
            return version_of(engine) is not None
        except LedgerBroken as error:
            raise Unusable(error.message, hint=error.hint) from None
        finally:
            engine.dispose()

    def refuse_remains(self) -> None:
        """As of `Place`: what was committed is the server's to keep."""

    def open(self) -> Engine:
        """As of `Place`."""
        try:
            from jobs.ledger import postgres
        except ImportError:
            hint = "pip install 'muster-onboarding[postgres]'"
            raise Unusable("a ledger in PostgreSQL needs psycopg, which is not installed", hint=hint) from None
        return postgres.open_engine(self.url, str(self))
