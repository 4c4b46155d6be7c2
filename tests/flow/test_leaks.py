"""No personal number and no secret in anything that a run leaves or says, in whatever spelling."""

import random
import re
import unicodedata
from pathlib import Path

import polars as pl
import pytest

from jobs.sandbox.server import Sandbox
from jobs.systems.eclipse.system import Eclipse
from tests import leaks as leaking
from tests.leaks import OWN as OWN
from tests.leaks import contents as contents
from tests.leaks import leaks as leaks
from tests.leaks import spellings
from tests.privacy.test_masking import bared, disguised

from .muster import Ended, Muster
from .people import person, written
from .scenario import ROWS, every_outcome

TEXTS = (
    ".csv",
    ".json",
    ".ndjson",
    ".html",
    ".md",
    *(f"{name} {number}" for name in ("stdout", "stderr") for number in "012"),
)
"""How names of what is text end."""


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
    return leaking.everything(muster.folder, ended, {"customers.csv", "yesterday.csv"})


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize(("count", "told"), [(24, 3), pytest.param(2_500, 40, marks=pytest.mark.slow)])
def test_no_disguise_of_a_number_reaches_ledger_reports_events_screen_or_log(
    muster: Muster, sandbox: Sandbox, count: int, told: int
) -> None:
    """The target sends each person's number back, disguised, in every place that is kept of an answer.

    The file is called by one.
    """
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    rows = [person(number) for number in range(1, count + 1)]
    faults = []
    for nth, row in enumerate(rows, start=1):
        code, trace, *words = [disguised(row["national_id"], chance) for _ in range(told)]
        error = {"type": "BUSINESS", "code": code, "description": "; no: ".join(words), "traceId": trace}
        faults.append(
            {"operation": "create_customer", "nth": nth, "kind": "status", "params": {"status": 400, "body": [error]}}
        )
    sandbox.faults(faults)
    number = rows[0]["national_id"]
    path = written(muster.folder / f"{number[:6]}-{number[6:10]} {number[10:]}.csv", rows)
    ended = muster("run", path, "-v", "--concurrency", "1")
    assert set(ended.outcomes) == {"rejected"}
    again = muster("resume", "run-1", "--output", "json"), muster("run", path.with_suffix(".none"))
    assert (again[0].code, again[1].code) == (1, 2), again[0].stderr
    shown = leaking.everything(
        muster.folder, (ended, *again, muster("status"), muster("report", "run-1", "--sample", "24")), {path.name}
    )
    texts = {name: raw.decode("utf-8", "replace") for name, raw in shown.items() if name.rpartition("#")[2] != "0"}
    texts |= {name: raw.decode() for name, raw in shown.items() if name.split("#")[0].endswith(TEXTS)}
    bare = {name: bared(text) for name, text in texts.items()}
    assert len(bare) > 10
    inner = [row["national_id"][1:12] for row in rows]
    found = [name for name, digits in bare.items() for part in inner if part in digits and stands_in(texts[name], part)]
    assert found == [], (seed, found)


def stands_in(text: str, digits: str) -> bool:
    """Whether `digits` follow one another in the text, with signs between them at most: in the thousands of hashes of a
    ledger, letters left out, some number is found by chance.
    """
    plain = "".join(
        sign if (digit := unicodedata.digit(sign, None)) is None else str(digit)
        for sign in unicodedata.normalize("NFKC", text)
    )
    return re.search(r"[\W_]{0,16}".join(digits), plain) is not None


def test_a_number_in_hashes_is_chance_and_one_behind_signs_is_not() -> None:
    assert stands_in("x9001 0150\u00a09\uff10\u2460 ", "90010150901")
    assert not stands_in("9001a0150f901", "90010150901")


def test_a_number_in_the_name_of_a_file_is_nowhere(muster: Muster) -> None:
    number = "8001015009087"
    path, record = muster.folder / f"{number}.csv", muster.folder / f"{number}.csv.control.json"
    written(path, [person(1)])
    record.write_text('{"rows": 1}')
    (muster.folder / f"{number} book.csv").write_bytes(b"PK\3\4book")
    (muster.folder / f"{number} ids.csv").write_text("row_ref\n1\n")
    (muster.folder / f"{number} bad.json").write_text("{}")
    ended = [
        muster("plan", path, "--out", "plan.json"),
        muster("run", path),
        muster("validate", path),
        muster("status", path),
        muster("approve", "plan.json"),
        muster("validate", f"{number} book.csv"),
        muster("validate", path, "--control", f"{number} bad.json"),
        muster("resume", "run-1", "--decisions", f"{number} ids.csv"),
        muster("reconcile", "run-1", "--against", f"{number} ids.csv"),
    ]
    assert [each.code for each in ended] == [0, 0, 0, 0, 8, 2, 2, 2, 2]
    named = {each.name for each in muster.folder.iterdir() if number in each.name}
    assert leaks(leaking.everything(muster.folder, ended, named), {number: "the name"}) == []
