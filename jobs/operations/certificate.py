"""The certificate of an erasure: what was erased when and by whom, as a file that names nobody."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from jobs import __version__
from jobs.atomic import atomic
from jobs.disk import advice
from jobs.errors import Unusable
from jobs.ledger.place import place_of
from jobs.os_user import people
from jobs.publishing.sealing import signing
from jobs.value import value

BEYOND = (
    "backups and snapshots of the machine",
    "input files and files for mending, wherever they lie",
    "the target, which keeps what the customer is",
)
"""What no erasure reaches."""


@value
class Certificate:
    """What was erased. Nothing in it is personal."""

    what: str
    at: str
    rows: Mapping[str, int]
    """By run, how many of its rows."""
    before: Mapping[str, str]
    after: Mapping[str, str]
    """By run, the SHA-256 of the manifest that it had and has; the manifest says which files went."""
    absent: Sequence[str]
    """Runs whose folder was not there: the ledger was cleaned, the folder was not."""
    left: Sequence[str]
    """Workspaces that may be somebody's at work, or of another machine."""
    unseen: Sequence[str] = ()
    """Folders in buckets that do not tell whether they keep earlier versions."""

    def write(self, path: Path) -> None:
        """Writes the certificate, and its signature beside it where there is a key. Raises Unusable."""
        document = {
            "schema_version": 1,
            "what": self.what,
            "at": self.at,
            "by": people(),
            "muster": __version__,
            "runs": [
                {
                    "run_id": run_id,
                    "rows": rows,
                    "manifest_before": self.before.get(run_id),
                    "manifest_after": self.after.get(run_id),
                    "folder": "absent" if run_id in self.absent else "erased",
                }
                for run_id, rows in self.rows.items()
            ],
            "ledger": "erased, overwritten and compacted",
            "workspaces_left": list(self.left),
            "not_reached": [*BEYOND, *(f"earlier versions below {each}, where any are kept" for each in self.unseen)],
        }
        content = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        sign = signing()
        try:
            _write(path, content)
            if sign is not None:
                _write(path.with_name(f"{path.name}.sig"), sign.sign(content))
        except OSError as error:
            hint = advice(path.parent, error.errno, "--certificate")
            raise Unusable(f"all was erased, but {path} can't be written: {error.strerror}", hint=hint) from error


def usual_place(ledger: str, at: str) -> Path:
    """Where a certificate goes when nobody says: beside the ledger."""
    return place_of(ledger).folder / f"erasure-{at.replace(':', '').replace('-', '').partition('.')[0]}Z.json"


def _write(path: Path, content: bytes) -> None:
    with atomic(path) as draft:
        draft.write_bytes(content)
