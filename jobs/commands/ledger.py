"""`muster ledger`: the ledger as a whole."""

from typing import Any

import click

from jobs.commands.options import effective, ledger_there, options, progress_of, say, show_json, the_clock
from jobs.errors import ExitCode


@click.group("ledger")
def command() -> None:
    """Bring the ledger up to date, copy it between SQLite and PostgreSQL, check it.

    \b
    Examples:
      muster ledger check
      muster ledger copy --to 'postgresql://muster@db.example/muster?sslmode=verify-full'
    """


@command.command("upgrade")
@options("ledger", "output")
def upgrade(**given: Any) -> None:
    """Make the tables of an empty ledger, or bring those of an older version up to date; forward only.

    \b
    Examples:
      muster ledger upgrade
      muster ledger upgrade --ledger 'postgresql:///?service=muster-owner'

    Any command that writes does it too; this one is for who owns the tables, where runs may not change them.
    """
    from jobs.ledger.place import place_of
    from jobs.operations.ledger import upgrade as brought

    settings = effective(given)
    found = brought(settings, the_clock())
    place = place_of(settings.ledger)
    if settings.output == "json":
        show_json({"schema_version": 1, "ledger": place.whole_name, "before": found.before, "version": found.now})
        return
    was = "is up to date" if found.before == found.now else f"was {found.before or 'empty'}"
    say(f"{place}: version {found.now}, {was}")


@command.command("copy")
@click.option("--to", "to", required=True, metavar="URL", help="Where the copy goes: an empty place, or a copy begun.")
@options("ledger", "lock_timeout", "output")
def copy(to: str, **given: Any) -> None:
    """Copy the ledger to another place, SQLite or PostgreSQL, and compare each table: rows, and a hash over them.

    \b
    Examples:
      muster ledger copy --to 'postgresql://muster@db.example/muster?sslmode=verify-full'
      muster ledger copy --ledger 'postgresql:///?service=muster' --to sqlite:///muster.db

    No run works meanwhile. Given again after an interruption it goes on; until it has ended, no run takes the copy for
    a ledger. From then on use the copy alone: two ledgers of one target know nothing of each other.
    """
    from jobs.ledger.place import place_of
    from jobs.operations.ledger import copy as copied

    settings = effective(given)
    ledger_there(settings.ledger)
    found = copied(settings, to, the_clock(), progress_of(settings, given))
    if settings.output == "json":
        rows = [{"table": each.table, "rows": each.rows, "sha256": each.sha256} for each in found]
        show_json({"schema_version": 1, "ledger": place_of(to).whole_name, "tables": rows})
        return
    for each in found:
        say(f"{each.table:<12} {each.rows:>12,} rows  {each.sha256[:16]}  the same")
    say(f"{place_of(to)} is a ledger now; put {place_of(settings.ledger)} away, it knows nothing of what comes")
    key = place_of(settings.ledger).key_file
    if key is not None and key.exists():
        say(f"its key of pseudonyms goes with it: {key}, or MUSTER_PSEUDONYM_KEY_FILE={key.absolute()}", err=True)


@command.command("check")
@options("ledger", "output")
def check(**given: Any) -> None:
    """Check the ledger: what the database says of its files, and what has to be true of the rows. Ends with 7 if not.

    \b
    Example:
      muster ledger check --output json
    """
    from jobs.operations.ledger import check as checked

    settings = effective(given)
    ledger_there(settings.ledger)
    found = checked(settings)
    wrong = sum(bool(each.wrong) for each in found)
    if settings.output == "json":
        listed = [{"check": each.what, "wrong": each.wrong, "example": each.example or None} for each in found]
        show_json({"schema_version": 1, "sound": not wrong, "checks": listed})
    else:
        for each in found:
            state = f"WRONG  {each.wrong:,} times, first {each.example}" if each.wrong else "ok"
            say(f"{each.what:<48} {state}")
    raise click.exceptions.Exit(ExitCode.INTEGRITY if wrong else ExitCode.OK)
