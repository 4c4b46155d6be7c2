"""The URL of a ledger, which holds no secret, and the files of one in SQLite by their names."""

import re
from glob import escape
from pathlib import Path

from jobs.errors import Unusable

WAL, SHM = "-wal", "-shm"
"""What SQLite keeps beside a database that is in use: what was committed last, and the index and locks of that."""


PASSWORD = re.compile(r"^[^/?#]*://[^/?#]*:[^/?#]*@|[?&](ssl)?password=", re.IGNORECASE)
"""Where a URL holds a secret: before the host, or as a parameter (postgresql.org/docs/15/libpq-connect.html)."""


def refuse_password(url: str) -> None:
    """Raises Unusable when a ledger's URL holds a password; it is not shown."""
    if PASSWORD.search(url):
        raise Unusable(
            "--ledger holds a password, which every user of the machine can read in the list of processes",
            hint="leave it out of the URL: give it in ~/.pgpass, in a service file (?service=NAME), or in PGPASSWORD",
        )


def beside(ledger: Path, ending: str) -> Path:
    """The file whose name is the ledger's with `ending` behind it."""
    return Path(f"{ledger}{ending}")


def key_file(ledger: Path) -> Path:
    """The key of the ledger's pseudonyms, where no MUSTER_PSEUDONYM_KEY is given."""
    return beside(ledger, ".key")


def access_log(ledger: Path) -> Path:
    """Who looked people up, beside the ledger."""
    return beside(ledger, ".access.ndjson")


def copies(ledger: Path) -> list[Path]:
    """What runs saved of a ledger whose files were taken from under them and nobody has put back, oldest first."""
    return sorted(ledger.parent.glob(f"{escape(ledger.name)}.rescued-*"), key=lambda copy: (len(copy.name), copy.name))


def put_back(copy: Path, ledger: Path) -> str:
    """The command that makes `copy` the ledger: the other files are of another one, and would be read with it."""
    return f"rm -f {beside(ledger, WAL)} {beside(ledger, SHM)} && mv {copy} {ledger}"
