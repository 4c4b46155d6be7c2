"""Templates as Python code, kept where Python keeps that of modules: to make it was a sixth of a run of one row."""

import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

from jobs.atomic import atomic


class Compiled(BytecodeCache):
    """The code of the templates in `folder`; none is kept where Python keeps none, or where nobody may write.

    `how`: what beside its text and Jinja's version decides what a template becomes. Code of another one is made anew.
    """

    def __init__(self, folder: Path, how: str) -> None:
        self.folder, self.how = folder, f"{jinja2.__version__}\n{how}"

    def get_source_checksum(self, source: str) -> str:
        """See BytecodeCache."""
        return super().get_source_checksum(f"{self.how}\n{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """See BytecodeCache; what can't be read is made."""
        with suppress(OSError), self._place(bucket).open("rb") as kept:
            bucket.load_bytecode(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """See BytecodeCache; it does without."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError), atomic(self._place(bucket)) as draft, draft.open("wb") as file:
            bucket.write_bytecode(file)

    def _place(self, bucket: Bucket) -> Path:
        return Path(cache_from_source(str(self.folder / f"template-{bucket.key[:16]}.py")))
