"""The sender's control record: what the sender says the file holds, checked before anything is believed or sent.

`INPUT.control.json` or `INPUT.control.toml` beside the input, or a file named by `--control`:

    rows                    data rows, the header not counted
    sha256                  of the file's bytes, in hex
    hash_total_national_id  sum of the identity numbers, each with its digits read as one number, modulo 10^12
    columns                 the headers, in order

Only what it names is checked; one of them has to be there.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from jobs.errors import Unusable
from jobs.intake.stage import Staged
from jobs.privacy import file_names, masking
from jobs.storage.arrival import called
from jobs.value import value

MODULUS = 10**12
FIELDS: dict[str, type] = {"rows": int, "sha256": str, "hash_total_national_id": int, "columns": list}


@value
class ControlRecord:
    """A record as read. `sha256`: of the record's own bytes."""

    path: Path
    sha256: str
    stated: Mapping[str, Any]

    def facts(self) -> dict[str, object]:
        """What the manifest says of it: which file, and what was compared; no total of personal numbers."""
        return {"path": called(self.path), "sha256": self.sha256, "compared": sorted(self.stated)}


def control_record(staged: Staged, named: Path | None) -> ControlRecord | None:
    """The record that goes with the file, compared with it; None when there is none and none was `named`.

    Raises Unusable when it can't be read, or naming everything that differs, expected and seen.
    """
    path = named or _beside(staged.file.path)
    if path is None:
        return None
    record = read_control(path)
    differences = list(_differences(record.stated, staged))
    if differences:
        control, ours = file_names.shown(path.name), file_names.shown(staged.file.path.name)
        raise Unusable(
            f"{ours} is not the file that {control} describes: {'; '.join(differences)}",
            hint="ask the sender for the whole file; nothing was sent",
        )
    return record


def read_control(path: Path) -> ControlRecord:
    """The record in `path`, its fields known and of the right kind. Raises Unusable."""
    named = file_names.shown(path)
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
        stated = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise Unusable(f"the control record {named} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise Unusable(f"the control record {named} is neither JSON nor TOML") from None
    if not isinstance(stated, dict) or not stated:
        raise Unusable(f"the control record {named} states nothing", hint=f"it may state {', '.join(FIELDS)}")
    for name, told in stated.items():
        kind = FIELDS.get(name)
        if kind is None:
            raise Unusable(f"the control record {named} has an unknown field {name!r:.40}", hint=", ".join(FIELDS))
        if not isinstance(told, kind) or isinstance(told, bool):
            raise Unusable(f"the control record {named}: {name} is no {kind.__name__}")
    return ControlRecord(path, hashlib.sha256(content).hexdigest(), stated)


def _beside(path: Path) -> Path | None:
    found = [each for suffix in ("json", "toml") if (each := Path(f"{path}.control.{suffix}")).exists()]
    if len(found) > 1:
        raise Unusable(
            f"{file_names.shown(path.name)} has two control records", hint="remove one, or name one with --control"
        )
    return found[0] if found else None


def _differences(stated: Mapping[str, Any], staged: Staged) -> Iterator[str]:
    file = staged.file
    if stated.get("rows", file.rows) != file.rows:
        yield f"rows: expected {stated['rows']:,}, seen {file.rows:,}"
    if stated.get("sha256", file.sha256).lower() != file.sha256:
        yield f"sha256: expected {stated['sha256'].lower()[:64]}, seen {file.sha256}"
    if stated.get("columns", list(file.header)) != list(file.header):
        yield f"columns: expected {_listed(stated['columns'])}, seen {_listed(file.header)}"
    if "hash_total_national_id" in stated:
        seen, expected = identity_total(staged), stated["hash_total_national_id"] % MODULUS
        if seen != expected:  # of a file of one row the total is the number itself
            shown = f"expected {masking.identity(f'{expected:012}')}, seen {masking.identity(f'{seen:012}')}"
            yield f"hash_total_national_id: {shown}"


def _listed(headers: Any) -> str:
    return masking.text(",".join(str(header) for header in headers))[:300]


def identity_total(staged: Staged) -> int:
    """The sum of all identity numbers of the file as it came, quarantined rows too, modulo 10^12.

    Digits in other scripts and all that is no digit are left out; a value without digits counts nothing.
    """
    header = staged.file.header_of("national_id")
    if header is None:
        return 0
    digits = pl.col("national_id").str.replace_all(r"[^0-9]", "").str.tail(12)
    number = digits.replace("", None).cast(pl.Int64, strict=False)
    column = staged.originals({"national_id": header}).select(number.alias("number"))
    pieces = column.select((pl.col("number") // 10**6).sum().alias("high"), (pl.col("number") % 10**6).sum())
    high, low = pieces.collect().row(0)
    return (int(high or 0) * 10**6 + int(low or 0)) % MODULUS
