"""The log of a ledger's seals beside the folders of runs in a bucket, for whoever reads them there."""

import logging
import tempfile
from contextlib import suppress
from pathlib import Path

from jobs.errors import MusterError, Unusable
from jobs.evidence.log.tiles import CHECKPOINT, Log
from jobs.ledger.rows import RunRow
from jobs.storage.address import address_of, is_address
from jobs.storage.bucket import Bucket, Seen, Taken, opened


def deliver_log(log: Log, run: RunRow) -> None:
    """Brings `seals-LEDGER/` beside the folder of `run` up to date, the checkpoint last; nothing for one that is here.

    What fails is told, and made good by the next seal: the log itself lies beside the ledger.
    """
    if not is_address(run.folder):
        return
    place = address_of(run.folder).above / log.folder.name
    try:
        bucket = opened(place)
        there = bucket.seen()
        with log.alone():
            for path in sorted(log.folder.rglob("*")):
                name = path.relative_to(log.folder).as_posix()
                if path.is_file() and name not in {*there, CHECKPOINT, "lock"}:
                    with suppress(Taken):  # a tile is what it is
                        bucket.put(name, path, retention=None)
            _checkpoint(bucket, log, there.get(CHECKPOINT))
    except (OSError, MusterError) as error:
        logging.getLogger(__name__).warning("the log of the ledger was not delivered to %s: %s", place, error)


def _checkpoint(bucket: Bucket, log: Log, there: Seen | None) -> None:
    """Raises Unusable where the checkpoint of another log is there."""
    known = log.checkpoint()
    if known is None:
        return
    if there is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / CHECKPOINT
            bucket.get(CHECKPOINT, path)
            before = path.read_text(encoding="utf-8")
        if before == known.note:
            return
        if before.partition("\n")[0] != known.origin:
            raise Unusable("the log of another ledger lies there", hint="give this ledger another --out")
    replaced = None if there is None else there.etag
    bucket.put(CHECKPOINT, log.folder / CHECKPOINT, instead_of=replaced, retention=None)
