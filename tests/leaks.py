"""The search for what must not be left or said, in whatever spelling. It knows neither commands nor systems."""

import base64
import gzip
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import polars as pl

from jobs.ledger.packed import unpack, unpack_all
from tests.flow.muster import Ended

OWN = "quarantine.csv"
"""The one file that shows rows as they came: the refused ones, for mending."""


def spellings(value: str) -> Iterator[bytes]:
    """`value` as it might hide: plain, grouped, escaped, encoded, packed."""
    plain = {value, value.upper(), quote(value, safe=""), json.dumps(value)[1:-1], value.replace("@", "\\u0040")}
    if value.isdigit():
        plain |= {
            sign.join(value[at : at + size] for at in range(0, len(value), size))
            for sign in " -."
            for size in (2, 3, 4)
        }
        plain |= {f"+{value}", f"{value[:6]} {value[6:10]} {value[10:]}"}
    for text in plain:
        raw = text.encode()
        yield from (raw, raw[::-1], text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode())
        for shift in range(3):
            packed = base64.b64encode(b"x" * shift + raw)
            yield packed[4 * (shift > 0) : len(packed) // 4 * 4 - 4]  # without what depends on the neighbours
    if value.isdigit():
        number = int(value)
        yield from (number.to_bytes(8, "little"), number.to_bytes(8, "big"), number.to_bytes(6, "big"))


def contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and of what is packed in it."""
    raw = path.read_bytes()
    yield raw
    if raw[:2] == b"\x1f\x8b":
        yield gzip.decompress(raw)
    if raw[:4] == b"PAR1":
        yield pl.read_parquet(path).write_json().encode()
    if raw[:15] == b"SQLite format 3":
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            yield "\n".join(database.iterdump()).encode()
            yield "\n".join(unpacked(database)).encode("utf-8", "surrogatepass")
        database.close()


def unpacked(database: sqlite3.Connection) -> Iterator[str]:
    """The texts that a ledger holds as bytes."""
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in database.execute(f'SELECT * FROM "{name}"'):
            for each in row:
                if isinstance(each, bytes):
                    for read in (unpack, unpack_all):
                        with suppress(UnicodeDecodeError, IndexError):
                            yield str(read(each))


def everything(folder: Path, ended: Sequence[Ended], inputs: Collection[str]) -> dict[str, bytes]:
    """All that was left in `folder` beside the files named `inputs`, and all that was said."""
    told = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in inputs:
            for number, content in enumerate(contents(path)):
                told[f"{path.relative_to(folder)}#{number}"] = content
    for number, each in enumerate(ended):
        told[f"stdout {number}"], told[f"stderr {number}"] = each.stdout.encode(), each.stderr.encode()
    return told


def leaks(told: dict[str, bytes], values: dict[str, str]) -> list[str]:
    """Where something was found, and what it is; never the value itself."""
    needles = {spelling: kind for value, kind in values.items() for spelling in spellings(value) if len(spelling) > 5}
    return sorted(
        {f"{name}: {kind}" for name, raw in told.items() for needle, kind in needles.items() if needle in raw}
    )
