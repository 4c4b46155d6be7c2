"""The version of a ledger's schema: made for an empty database, brought up to date, refused when it is newer."""

from sqlalchemy import Engine, insert, inspect, select, update

from jobs.errors import Unusable
from jobs.ledger import tables
from jobs.ledger.database import database_of


def migrate(engine: Engine, *, create: bool, upgrade: bool) -> int:
    """Makes the tables of an empty database, brings an older one up to date, refuses one of a newer version.

    `create`, `upgrade` False: an empty one is refused, an older one stays as it is. A ledger that is made already is
    only read: a process that was stopped within a commit keeps the write lock, and who comes second has to hear who
    that is. Gives the version that it has then. Raises Unusable.
    """
    version = version_of(engine)
    if version is None and not create:
        raise Unusable("the ledger is empty: nothing was run with it yet")
    if version is None:
        make(engine)
        version = version_of(engine)
    if version is not None and version < 0:
        raise Unusable("that is a copy of a ledger that has not come to its end", hint="muster ledger copy goes on")
    if version is not None and upgrade and version < tables.SCHEMA_VERSION:
        version = upgraded(engine)
    if version is None or version > tables.SCHEMA_VERSION:
        raise Unusable(f"the ledger has schema version {version}, this muster knows {tables.SCHEMA_VERSION}")
    return version


def version_of(engine: Engine) -> int | None:
    """The version of the schema; None for an empty database. Raises Unusable for one that is no ledger."""
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        if names and tables.schema_version.name not in names:
            raise Unusable("that database belongs to another program: it has tables, and none of a ledger")
        if not names:
            return None
        return connection.scalar(select(tables.schema_version.c.version))


def make(engine: Engine) -> None:
    """Makes all tables, unless another process was quicker."""
    with engine.execution_options(writes=True).begin() as connection:
        if not engine.dialect.has_table(connection, tables.schema_version.name):
            database_of(engine).make(connection)
            connection.execute(insert(tables.schema_version).values(version=tables.SCHEMA_VERSION))


def upgraded(engine: Engine) -> int:
    """Makes what later versions have more, version by version, all in one transaction; the version then.

    Read again under the write lock: another process may have been quicker.
    """
    with engine.execution_options(writes=True).begin() as connection:
        version = connection.scalar(select(tables.schema_version.c.version)) or 0
        if version < tables.SCHEMA_VERSION:
            database_of(engine).upgrade(connection, version)
            connection.execute(update(tables.schema_version).values(version=tables.SCHEMA_VERSION))
    return max(version, tables.SCHEMA_VERSION)
