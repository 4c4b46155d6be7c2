"""CSV records: strict parsing with physical line numbers. The one reading of CSV that muster trusts.

polars reads a stray quote or a short row without a word; this reader refuses or reports them, and decides
whether polars may read the file at all.
"""

import csv
import functools
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from jobs.errors import Unusable
from jobs.intake.width import HEADER_CHARACTERS, MOST_CHARACTERS, refuse_many, refuse_wide
from jobs.value import value

DELIMITERS = (",", ";", "\t", "|")
FIELD_LIMIT = 64 << 10
"""Characters of one field. Chosen: an accidental quote then swallows hundreds of rows, not the file."""
HEADER_LINES = 64
"""Physical lines that the header is looked for in. Chosen."""
_STRAY = "has a quotation mark in a field that does not begin with one"
_WHOLE = "write no blank between delimiter and quote, put the whole field in quotes, and double a quote inside it"
_BLANK = " \t\r\n\x1a\ufeff\xa0\u200b"
"""Ctrl-Z too: some exports still end with it."""


@value
class Dialect:
    """How the records are written. `skipped`: physical lines before the header (blank ones, `sep=;`)."""

    delimiter: str
    skipped: int
    header: tuple[str, ...]
    header_line: int
    """The last physical line of the header; 1 in a plain file."""
    trailing: bool = False
    """Every row ends with a delimiter more than the header; what follows it is no field."""
    better: int = 0
    """How many lines to skip to a line that looks more like the header; 0: none does."""
    before: bool = False
    """Lines count as rows as they did before blank lines and further headers were left out, for runs of then."""


def dialect_of(
    lines: Iterator[str], name: str, declared: str | None, known: Callable[[Sequence[str]], int], leave_out: int = 0
) -> tuple[Dialect, Iterator[str]]:
    """The dialect, and all lines again from the first one. `leave_out`: lines before the header, whatever they hold.

    Without a declared delimiter: the one whose header has the most known names (`known` counts them), then the most
    fields.
    Raises Unusable for a file without a header.
    """
    head = list(_head(lines))
    skipped = next((number for number, line in enumerate(head) if number >= leave_out and line.strip(_BLANK)), None)
    if skipped is None:
        raise Unusable(f"{name} is empty")
    announced = _announced(head[skipped])
    skipped += announced is not None
    if not head[skipped:]:
        raise Unusable(f"{name} has no header line")
    if len(head[skipped]) > HEADER_CHARACTERS:
        refuse_many(name, 1 + max(head[skipped].count(mark) for mark in DELIMITERS))
        raise Unusable(f"{name}, line {skipped + 1}: the header has more than {HEADER_CHARACTERS:,} characters")
    if declared is not None:
        choices: Sequence[str] = (_declared(declared),)
    else:
        choices = (announced,) if announced else DELIMITERS
    dialects = [dialect for mark in choices if (dialect := _parsed_header(head, skipped, mark))]
    if not dialects:
        raise Unusable(f"{name}, line {skipped + 1}: the header has a quote that is never closed or text after one")
    refuse_many(name, max(len(one.header) for one in dialects))
    best = max(dialects, key=lambda one: (known(_short(one.header)), len(one.header)))
    refuse_wide(name, best.header)
    if place := stray_quote("".join(head[best.skipped : best.header_line]), best.delimiter):
        raise Unusable(f"{name}, line {best.header_line}: the header's column {place} {_STRAY}", hint=_WHOLE)
    better = _better(head, best, choices, known)
    return replace(best, better=better), itertools.chain(head, lines)


def _better(head: list[str], best: Dialect, choices: Sequence[str], known: Callable[[Sequence[str]], int]) -> int:
    """The number of lines before the one that has the most known names, where that is not the header taken."""
    found, most = 0, known(_short(best.header))
    for number in range(best.header_line, len(head)):
        for mark in choices:
            other = _parsed_header(head, number, mark)
            if other and (names := known(_short(other.header))) > most:
                found, most = number, names
    return found


def _head(lines: Iterator[str]) -> Iterator[str]:
    """The lines that the header is looked for in: all that it may take, and no more of a file with endless lines."""
    taken = 0
    for line in itertools.islice(lines, HEADER_LINES):
        yield line
        taken += len(line)
        if taken > HEADER_CHARACTERS:
            return


def _short(header: Sequence[str]) -> Sequence[str]:
    """The cells that can be names: a header that is split at the wrong sign is one long cell."""
    return [cell for cell in header if len(cell) <= MOST_CHARACTERS]


def records(
    lines: Iterable[str], dialect: Dialect, name: str, skipped: Counter[str] | None = None
) -> Iterator[tuple[int, list[str], int]]:
    """(physical line where it begins, fields, place of a stray quote) of every record after the header.

    A stray quote stands inside a field that does not begin with one; its place counts from 1, and is 0 without one.

    Blank lines, lines of only delimiters, and the header once more (files put together) are no records; `skipped`
    counts them. Where `dialect.before` says so, only blank lines at the end are none. Raises Unusable with the line.
    """
    csv.field_size_limit(FIELD_LIMIT)
    kept: list[str] = []
    told = Counter() if skipped is None else skipped
    given = _kept(itertools.islice(lines, dialect.skipped, None), kept)
    reader = csv.reader(given, delimiter=dialect.delimiter, strict=True)
    next(reader)
    kept.clear()
    line = dialect.skipped + reader.line_num + 1
    blanks: list[int] = []
    try:
        for fields in reader:
            following = dialect.skipped + reader.line_num + 1
            if dialect.before:
                if following == line + 1 and not (fields and "".join(fields).strip(_BLANK)) and len(fields) < 2:
                    blanks.append(line)
                else:
                    yield from ((blank, [], 0) for blank in blanks)
                    blanks.clear()
                    yield line, fields, 0
            elif _is_blank(fields):
                told["blank"] += 1
            elif fields[0].endswith(dialect.header[0]) and _is_header(fields, dialect.header):
                told["header"] += 1
            else:
                text = kept[0] if len(kept) == 1 else "".join(kept)
                suspect = '"' in text and '"' in "".join(fields)
                if dialect.trailing:
                    fields.pop()
                yield line, fields, stray_quote(text, dialect.delimiter) if suspect else 0
            kept.clear()
            line = following
    except csv.Error as error:
        raise _broken(name, error, line, dialect.skipped + reader.line_num) from None


def _kept(lines: Iterable[str], kept: list[str]) -> Iterator[str]:
    """`lines`, each put into `kept` too; whoever empties that has read a whole record.

    A byte order mark before a quote that begins a record is dropped: files were put together there. Elsewhere it harms
    nothing before `normalise`, which drops it.
    """
    for line in lines:
        if line[0] == "\ufeff" and not kept and line[1:2] == '"':
            line = line[1:]
        kept.append(line)
        yield line


def stray_quote(record: str, delimiter: str) -> int:
    """The place, from 1, of the first field of a record's text that holds a quote and does not begin with one; or 0."""
    field, at, place = _field(delimiter), 0, 1
    while at < len(record):
        found = field.match(record, at)
        if found is None or found.end() == at:
            return place
        at, place = found.end(), place + 1
    return 0


@functools.cache
def _field(delimiter: str) -> re.Pattern[str]:
    """One rightly written field and what ends it."""
    mark = re.escape(delimiter)
    return re.compile(rf'(?:"(?:[^"]+|"")*+"|[^"\r\n{mark}]*+)(?:{mark}|\r?\n|\r|$)')


def refuse_stray(name: str, header: Sequence[str], stray: tuple[int, int], rows: int, of: int) -> None:
    """Raises Unusable: most rows have a stray quote, so that it is how the file is written. `stray`: line and place."""
    line, place = stray
    column = header[place - 1] if place <= len(header) else f"column {place}"
    raise Unusable(f"{name}, line {line:,}: {column!r} {_STRAY}, and so have {rows:,} of {of:,} rows", hint=_WHOLE)


def _is_header(fields: list[str], header: Sequence[str]) -> bool:
    """Whether a record is the header once more; a byte order mark may begin it."""
    return fields[1:] == list(header[1:]) and fields[0].removeprefix("\ufeff") == header[0]


def _is_blank(fields: list[str]) -> bool:
    return not fields or not (fields[0].strip(_BLANK) or any(field.strip(_BLANK) for field in fields))


def _announced(line: str) -> str | None:
    """The delimiter of Excel's `sep=;` line."""
    text = line.strip("\r\n").strip('"')
    return text[4] if len(text) == 5 and text[:4].lower() == "sep=" else None


def _declared(delimiter: str) -> str:
    mark = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n \x00' or mark.isalnum():
        raise Unusable(f"--delimiter {delimiter!r} is not one sign such as , ; | or tab")
    return mark


def _parsed_header(head: list[str], skipped: int, delimiter: str) -> Dialect | None:
    reader = csv.reader(head[skipped:], delimiter=delimiter, strict=True)
    try:
        header = next(reader)
    except (csv.Error, StopIteration):
        return None
    return Dialect(delimiter, skipped, tuple(header), skipped + reader.line_num)


def _broken(name: str, error: csv.Error, begins: int, reached: int) -> Unusable:
    text = str(error)
    if "field limit" in text:
        sentence = f"line {begins:,}: a field is longer than {FIELD_LIMIT:,} characters; is a quote never closed?"
    elif "unexpected end" in text:
        sentence = f"line {begins:,}: a quote that opens in this row is never closed"
    elif "expected after" in text:
        sentence = f"line {reached:,}: text follows a closing quote; a quote inside a field is written twice"
    else:
        sentence = f"line {reached:,}: the row can't be read as CSV ({text})"
    return Unusable(f"{name}, {sentence}")
