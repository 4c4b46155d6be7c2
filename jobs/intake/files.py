"""The documents that rows of the input name: there, of a kind that is taken, small enough. Contents are not kept."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from jobs.privacy.documents import MOST_BYTES, defect
from jobs.value import value

Refused = Callable[[str, int, int], Mapping[int, bool]]
"""Of the rows from the second to the third number: whether an earlier run refused them for a code; none: look."""


@value
class Files:
    """Where the documents lie, and how large one may be in bytes."""

    folder: Path
    most_bytes: int = MOST_BYTES
    refused: Refused | None = None
    """What earlier runs found; None: nothing is known."""

    def unusable(self, code: str, references: pl.Series, rows: pl.Series) -> pl.Series:
        """Mask of the references that name no usable document; a row without one names nothing wrong.

        `rows` are the source rows, rising; `code` is what a refused row is refused for.
        """
        if references.null_count() == len(references):
            return pl.repeat(value=False, n=len(references), dtype=pl.Boolean, eager=True)
        known = self.refused(code, rows[0], rows[-1]) if self.refused else {}
        bad = [
            each is not None and (known[row] if row in known else self._bad(each))
            for row, each in zip(rows, references, strict=True)
        ]
        return pl.Series(bad, dtype=pl.Boolean)

    def _bad(self, reference: str) -> bool:
        return defect(self.folder, reference, self.most_bytes) is not None
