"""Brings staged text into the one form that rules, keys, requests and comparisons use. Refuses nothing itself.

all           surrounding white space and invisible signs dropped, empty is null; a secret keeps both
name, text    NFC, runs of spaces are one space
reference     NFC
file          as it is: a path
identity      spaces and dashes inside dropped; zeros and letters stay as they are
phone         digits with country code, null when it is no mobile number; the text given stays in `phone_text`
code          upper or lower case where the target has only one
"""

from collections.abc import Mapping

import polars as pl

from jobs.intake.phones import normalise_phones
from jobs.intake.preflight import InputFile
from jobs.intake.stage import LINE, SOURCE_ROW, STRAY, SURPLUS, staged_name
from schemas.column import Column
from schemas.columns import columns_of, gathered

WHITE = (
    " \t\r\n\x0b\x0c\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode white space; written out because languages differ about it."""


JOINERS = "\u200c\u200d"
"""Some scripts spell the end of a name with them."""

INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff"
)
"""Format characters that show nothing at the end of a value: byte order marks, zero width, direction."""


def normalise(window: pl.DataFrame, file: InputFile, *, region: str) -> pl.DataFrame:
    """`source_row`, `~line`, `~stray`, `~surplus` and every canonical column of the system as text.

    Null when absent or blank. `window` is a slice of the staged file. `phone_text` holds the phone as given.
    `~surplus` is not null on ragged rows, also on those that an earlier `quarantine.csv` marked.
    """
    columns = columns_of(file.system)
    ours = window.select(SOURCE_ROW, LINE, STRAY, _ragged(file), *(_normalised(column, file) for column in columns))
    names = [column.name for column in columns]
    ours = ours.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in names)
    for column in columns:
        if column.kind == "phone":
            ours = ours.with_columns(pl.col(column.name).alias(f"{column.name}_text"))
            ours = ours.with_columns(normalise_phones(ours[column.name], region))
    return ours


def _ends(column: Column) -> str:
    """What is no part of a value at its ends. A path is taken as it is, and a name may end with a joiner."""
    if column.kind == "file":
        return WHITE
    return WHITE + INVISIBLE + ("" if column.kind in ("name", "text") else JOINERS)


def as_issued(references: pl.Series) -> pl.Series:
    """References as keys were derived from them before invisible signs were dropped; null where that is the same."""
    name = references.name
    hidden = pl.col(name).str.contains(f"[{INVISIBLE}{JOINERS}]")
    given = pl.col(name).str.strip_chars(WHITE).str.normalize("NFC")
    rows = references.to_frame().with_row_index("~at").filter(hidden).with_columns(given)
    return references.clear(len(references)).scatter(rows["~at"], rows[name])


def _ragged(file: InputFile) -> pl.Expr:
    if "_surplus" not in file.header:
        return pl.col(SURPLUS)
    marked = pl.col(staged_name("_surplus")).str.strip_chars(WHITE)
    return pl.coalesce(SURPLUS, pl.when(marked != "").then(marked)).alias(SURPLUS)


def _gathered(column: Column, file: InputFile) -> pl.Expr:
    """The values of all headers that mean `column`, as one JSON object of text; null where all of them are empty."""
    headers = [header for header, meaning in file.mapping.items() if meaning == column.name]
    if column.numbered:
        return _numbered(column, {gathered(column, header) or header: header for header in headers}, file)
    values = {
        gathered(column, header) or header.strip(): pl.col(staged_name(header)).str.strip_chars(WHITE + INVISIBLE)
        for header in headers
    }
    if not values:
        return pl.lit(None, dtype=pl.String).alias(column.name)
    members = [pl.when(value != "").then(value).alias(name) for name, value in sorted(values.items())]
    whole = pl.struct(members).struct.json_encode()
    return pl.when(pl.any_horizontal(member.is_not_null() for member in members)).then(whole).alias(column.name)


def _numbered(column: Column, members: Mapping[str, str], file: InputFile) -> pl.Expr:
    """The values of the headers that `members` names, as one JSON object of those that are there; null: none is."""
    by_name = {each.name: each for each in column.numbered}
    shown = []
    for member, header in sorted(members.items()):
        value = _value(by_name[member.partition("_")[2]], header, file)
        inside = pl.struct(value.alias(member)).struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")
        shown.append(pl.when(value != "").then(inside))
    if not shown:
        return pl.lit(None, dtype=pl.String).alias(column.name)
    whole = pl.concat_str(shown, separator=",", ignore_nulls=True)
    return pl.when(whole != "").then(pl.lit("{") + whole + pl.lit("}")).alias(column.name)


def _normalised(column: Column, file: InputFile) -> pl.Expr:
    if column.gathers is not None:
        return _gathered(column, file)
    header = file.header_of(column.name)
    if header is None:
        return pl.lit(None, dtype=pl.String).alias(column.name)
    return _value(column, header, file).alias(column.name)


def _value(column: Column, header: str, file: InputFile) -> pl.Expr:
    """What stands below `header`, written as `column` is."""
    value = pl.col(staged_name(header))
    if not column.secret:
        value = value.str.strip_chars(_ends(column))
    value = file.spellings.read(value, column)
    if column.kind in ("name", "text", "reference"):
        value = value.str.normalize("NFC")
    if column.kind in ("name", "text"):
        value = value.str.replace_all(r"\p{Zs}+", " ")
    if column.kind == "identity":
        value = value.str.replace_all(r"[\p{Zs}\p{Pd}]", "")
    if column.case:
        value = value.str.to_uppercase() if column.case == "upper" else value.str.to_lowercase()
    return value
