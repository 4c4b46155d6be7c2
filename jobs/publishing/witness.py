"""To whom the checkpoints of the ledger's log are handed: a file, a command, or a bucket that keeps them."""

import shlex
import subprocess
import tempfile
from pathlib import Path

from jobs.errors import Unproven
from jobs.evidence.log.checkpoint import Checkpoint
from jobs.ledger.rows import RunRow
from jobs.storage.address import address_of, is_address
from jobs.storage.bucket import Bucket, Taken, opened
from jobs.storage.retention import Retention
from jobs.storage.threads import each_of
from jobs.value import value

SECONDS = 30
"""How long a command may take (chosen): the evidence is sealed already, and somebody waits for the end."""


@value
class Witness:
    """`place`: a file, `| COMMAND`, or an address in a cloud; empty: nobody is told. `retention`: of its objects."""

    place: str
    retention: Retention | None = None

    @classmethod
    def of(cls, run: RunRow) -> "Witness":
        """As the run had it."""
        return cls(str(run.settings.get("witness") or ""), Retention.of(run.settings))

    def tell(self, request: str, checkpoint: Checkpoint) -> None:
        """Hands a checkpoint over: a command reads the `request` of a witness from stdin, others get the note.

        Raises OSError, SubprocessError, MusterError.
        """
        if self.place.startswith("|"):
            words = shlex.split(self.place[1:])
            subprocess.run(words, input=request.encode(), check=True, timeout=SECONDS, capture_output=True)  # noqa: S603
        elif is_address(self.place):
            _keep(opened(address_of(self.place)), checkpoint, self.retention)
        else:
            with Path(self.place).open("a", encoding="utf-8") as file:
                file.write(checkpoint.note)

    def told(self) -> str:
        """The checkpoints that a file or a bucket has, one behind the other; of others nothing is known."""
        if is_address(self.place):
            bucket = opened(address_of(self.place))
            names = sorted(name for name in bucket.seen() if name.startswith("muster-ledger/"))
            return "".join(each_of(lambda name: _read(bucket, name), names))
        return Path(self.place).read_text(encoding="utf-8") if self.place and Path(self.place).is_file() else ""


def _keep(bucket: Bucket, checkpoint: Checkpoint, retention: Retention | None) -> None:
    """Makes one object a checkpoint, named by its log and its size, and replaces none. Raises Unproven for a fork."""
    name = f"{checkpoint.origin}/{checkpoint.size:012}"
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "checkpoint"
        draft.write_text(checkpoint.note, encoding="utf-8")
        try:
            bucket.put(name, draft, retention=retention)
        except Taken:
            if _read(bucket, name) != checkpoint.note:
                raise Unproven(f"the witness was given another checkpoint of {checkpoint.size} entries") from None


def _read(bucket: Bucket, name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint"
        bucket.get(name, path)
        return path.read_text(encoding="utf-8")
