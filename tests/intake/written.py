"""Input files for tests, written byte by byte."""

from pathlib import Path

from jobs.intake.preflight import InputFile, preflight
from jobs.intake.stage import Staged, stage

HEADER = "first_name,last_name,phone,email,national_id"
ROW = "Thandi,Nkosi,0821234567,thandi@example.com,9001015009086"


def written(folder: Path, content: str | bytes, name: str = "in.csv") -> Path:
    """The path of a file that holds `content`."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, content: str | bytes, **options: str) -> InputFile:
    """`preflight` of a file that holds `content`."""
    return preflight(written(folder, content), **options)  # type: ignore[arg-type]


def staged(folder: Path, content: str | bytes, **options: str) -> Staged:
    """`stage` of a file that holds `content`."""
    return stage(read(folder, content, **options), folder)


def rows(*cells: str, header: str = HEADER) -> str:
    """A file of `header` and one line for each of `cells`, LF line ends."""
    return "\n".join([header, *cells]) + "\n"
