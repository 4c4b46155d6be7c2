"""The documents that rows of the input name: there, of a kind that is taken, small enough. Contents are not kept."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jobs.attachments import MOST_BYTES, defect


@dataclass(frozen=True, slots=True)
class Files:
    """Where the documents lie, and how large one may be in bytes."""

    folder: Path
    most_bytes: int = MOST_BYTES

    def unusable(self, references: pl.Series) -> pl.Series:
        """Mask of the references that name no usable document; a row without one names nothing wrong."""
        if references.null_count() == len(references):
            return pl.repeat(value=False, n=len(references), dtype=pl.Boolean, eager=True)
        return pl.Series(
            [each is not None and defect(self.folder, each, self.most_bytes) is not None for each in references],
            dtype=pl.Boolean,
        )
