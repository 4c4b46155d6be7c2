"""A file of keys to look customers up by: one column of a CSV, read strictly, normalised like an input's."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from jobs.errors import Unusable
from jobs.intake.phones import check_region, normalise_phone
from jobs.intake.preflight import InputFile, csv_records, preflight
from jobs.privacy import file_names, masking
from jobs.value import value
from schemas.columns import folded
from schemas.job_name import EXTRACT, JobName

COLUMNS: Mapping[str, str] = {
    "phone": "phone",
    "identity": "national_id",
    "email": "email",
    "reference": "external_unique_id",
    "customer-id": "customer_id",
}
"""What is looked up by, and the column that holds it; in the order in which a header is searched."""


_GROUPING = re.compile(r"[\s\-\u2010-\u2015]")
_ID = re.compile(r"(?!\.{1,2}$)[!-~]{1,100}")


@value
class Key:
    """One row of the list. `value` None: it can't be looked up by."""

    source_row: int
    value: str | None
    masked: str


@value
class KeyList:
    """A list that was read to its end: `by` is one of COLUMNS, `place` that column's place in the file."""

    file: InputFile
    by: str
    place: int
    region: str

    @classmethod
    def read(
        cls, path: Path, *, by: str | None, system: str, region: str, encoding: str | None, delimiter: str | None
    ) -> "KeyList":
        """`by` None: what the header says. A file of one column needs no known header. Raises Unusable."""
        file = preflight(path, encoding=encoding, delimiter=delimiter, system=str(JobName(system, EXTRACT)))
        if file.format != "csv":
            raise Unusable(f"{file.source.name} is no CSV; a list of keys has to be one")
        by = by or _told_by_header(file)
        header = _header(file, by)
        if header is None and len(file.header) > 1:
            raise Unusable(f"{file.source.name} has no column {COLUMNS[by]}")
        if header is None and any(sign.isdigit() or sign == "@" for sign in file.header[0]):
            raise Unusable(
                f"the first line of {file.source.name} looks like a key", hint=f"begin it with {COLUMNS[by]}"
            )
        place = 0 if header is None else file.header.index(header)
        return cls(file, by, place, check_region(region))

    def __iter__(self) -> Iterator[Key]:
        """The keys in the order of the file. Raises Unusable when it changed meanwhile."""
        width, mask = len(self.file.header), masking.OF_KIND.get(self.by, masking.text)
        for row, (_, fields, _) in enumerate(csv_records(self.file), start=1):
            text = fields[self.place].strip() if len(fields) == width else ""
            yield Key(row, normalised(self.by, text, self.region), mask(text))


def normalised(by: str, text: str, region: str) -> str | None:
    """`text` as it is looked up; None when it can't be: empty, no phone number, no id."""
    if by == "phone":
        return normalise_phone(text, region)
    if by == "identity":
        return _GROUPING.sub("", text) or None
    if by == "customer-id":
        return text if _ID.fullmatch(text) else None
    return text or None


def _header(file: InputFile, by: str) -> str | None:
    """The header of the column to look up by; `identity` is the identity number here, also where there are logins."""
    named = (name for name in file.header if folded(name) == folded(by))
    return file.header_of(COLUMNS[by]) or next(named, None)


def _told_by_header(file: InputFile) -> str:
    found = [by for by in COLUMNS if _header(file, by) is not None]
    if len(found) != 1:
        words = f"has columns for {', '.join(found)}" if found else "has no column that is known"
        raise Unusable(
            f"{file_names.shown(file.path.name)} {words}",
            hint=f"say what to look up by: --by {found[0] if found else 'phone'}",
        )
    return found[0]
