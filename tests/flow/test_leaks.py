"""No personal number and no secret in anything that a run leaves or says, in whatever spelling."""

import base64
import gzip
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from jobs.sandbox.server import Sandbox
from jobs.systems.eclipse.system import Eclipse

from .muster import Ended, Muster
from .people import person, written
from .scenario import ROWS, every_outcome

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


def national(phone: str) -> str:
    """The same number as written inside the country."""
    return "0" + phone.removeprefix("27")


def forbidden(sandbox: Sandbox, tokens: set[str]) -> dict[str, str]:
    """What must not appear, by what it is."""
    found = {}
    for row, _ in ROWS:
        found[row["national_id"]] = f"identity number of {row['row_ref']}"
        found[row["email"]] = f"e-mail of {row['row_ref']}"
        if row["phone"].isdigit():
            digits = row["phone"] if row["phone"].startswith("27") else "27" + row["phone"][1:]
            found[digits] = f"phone of {row['row_ref']}"
            found[national(digits)] = f"phone of {row['row_ref']}"
    found |= dict.fromkeys(tokens, "token")
    return found | {sandbox.password: "password"}


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
        database.close()


def leaks(told: dict[str, bytes], values: dict[str, str]) -> list[str]:
    """Where something was found, and what it is; never the value itself."""
    needles = {spelling: kind for value, kind in values.items() for spelling in spellings(value) if len(spelling) > 5}
    return sorted(
        {f"{name}: {kind}" for name, raw in told.items() for needle, kind in needles.items() if needle in raw}
    )


@pytest.fixture
def tokens(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every token that the client was given."""
    seen: set[str] = set()
    usual = Eclipse.token_of

    def noted(self: Eclipse, reply: object) -> object:
        token = usual(self, reply)  # type: ignore[arg-type]
        seen.add(token.header_value.removeprefix("Bearer "))
        return token

    monkeypatch.setattr(Eclipse, "token_of", noted)
    return seen


def everything(muster: Muster, *ended: Ended) -> dict[str, bytes]:
    """All that was left in the working directory, beside the input, and all that was said."""
    inputs = {"customers.csv", "yesterday.csv"}
    told = {}
    for path in sorted(muster.folder.rglob("*")):
        if path.is_file() and path.name not in inputs:
            for number, content in enumerate(contents(path)):
                told[f"{path.relative_to(muster.folder)}#{number}"] = content
    for number, each in enumerate(ended):
        told[f"stdout {number}"], told[f"stderr {number}"] = each.stdout.encode(), each.stderr.encode()
    return told


@pytest.fixture(params=["seed", pytest.param("vendor", marks=pytest.mark.slow)])
def ended(request: pytest.FixtureRequest, muster: Muster, sandbox: Sandbox, hasty: None, tokens: set[str]) -> Ended:
    sandbox.configure(strictness=request.param)
    return every_outcome(muster, sandbox, "-v")


def test_every_outcome_occurs(ended: Ended) -> None:
    assert ended.outcomes == [outcome for _, outcome in ROWS]
    assert all(count for count in ended.summary["outcomes"].values())
    assert ended.code == 3
    assert all(equation["ok"] for equation in ended.summary["equations"])


def test_nothing_personal_and_no_secret_is_left_anywhere(
    muster: Muster, sandbox: Sandbox, ended: Ended, tokens: set[str]
) -> None:
    more = [muster("status"), muster("runs"), muster("reconcile", "run-2"), muster("config"), muster("resume", "-v")]
    told = everything(muster, ended, *more)
    values = forbidden(sandbox, tokens)
    found = leaks({name: raw for name, raw in told.items() if OWN not in name}, values)
    assert found == []
    secrets = {value: kind for value, kind in values.items() if kind in {"password", "token"}}
    assert leaks(told, secrets) == []


def test_quarantined_rows_alone_are_shown_as_they_came(muster: Muster, sandbox: Sandbox, ended: Ended) -> None:
    content = (ended.folder / OWN).read_bytes()
    refused = {row["national_id"] for row, outcome in ROWS if outcome == "quarantined"}
    others = {row["national_id"] for row, _ in ROWS} - refused
    assert all(number.encode() in content for number in refused)
    assert not any(number.encode() in content for number in others)


def test_the_scan_can_fail(tmp_path: Path) -> None:
    number = "9001015009086"
    for spelling in spellings(number):
        if len(spelling) > 5:
            assert leaks({"file": b"before " + spelling + b" after"}, {number: "it"}) == ["file: it"], spelling
    pl.DataFrame({"a": [number] * 50}).write_parquet(tmp_path / "packed", compression="zstd")
    packed = dict(enumerate(contents(tmp_path / "packed")))
    assert leaks({str(name): raw for name, raw in packed.items()}, {number: "it"})


def test_what_the_target_quotes_is_masked(
    muster: Muster, sandbox: Sandbox, tokens: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROWS[1][0]
    identity = row["national_id"]
    words = f"phone1: '{row['phone']}' of {row['email']}, {identity} or {identity[:6]} {identity[6:]} is refused"
    refusal = [{"type": "BUSINESS", "code": "VAL001", "description": words, "traceId": "trace-1"}]
    params = {"status": 400, "body": refusal}
    sandbox.faults([{"operation": "create_customer", "kind": "status", "params": params}])
    ended = muster("run", written(muster.folder / "customers.csv", [row]))
    assert ended.outcomes == ["rejected"]
    assert "is refused" in ended.rows[0]["reason"]
    assert leaks(everything(muster, ended), forbidden(sandbox, tokens)) == []


def test_a_process_shows_no_secret_in_its_arguments_or_when_it_breaks(muster: Muster, sandbox: Sandbox) -> None:
    path = written(muster.folder / "customers.csv", [person(1)])
    garbage = {"status": 200, "body": {"headerName": "Authorization", "headerValue": 7, "password": sandbox.password}}
    sandbox.faults([{"operation": "login", "kind": "status", "params": garbage}])
    ended = muster.process("run", path, "-v")
    assert ended.code == 4
    assert "Traceback" not in ended.stderr
    assert sandbox.password not in ended.stdout + ended.stderr
