"""Wallets of Eclipse: which types, in which currencies, several for one customer, each at most once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.keys import KeySpace
from jobs.sandbox.server import Sandbox
from schemas.currencies import CURRENCIES
from tests.flow.muster import Muster, arrivals, writes
from tests.flow.people import Row, people, person

Filed = Callable[[list[Row]], Path]

pytestmark = pytest.mark.usefixtures("hasty")

BOTH = {"wallet_type_id": "5001;5002"}


def settings(folder: Path, *lines: str) -> None:
    """`[eclipse]` in muster.toml."""
    (folder / "muster.toml").write_text("\n".join(["[eclipse]", *lines, ""]))


def held(sandbox: Sandbox) -> list[tuple[int, str]]:
    """Type and currency of every wallet at the target."""
    wallets = sandbox.state.wallets.values()
    return sorted((each.fields["walletTypeId"], each.fields["currency"]) for each in wallets)


@pytest.mark.parametrize(
    ("currency", "expected"), [("zar", ["ZAR", "ZAR"]), ("ZAR;USD", ["ZAR", "USD"]), ("", ["ZAR", "ZAR"])]
)
def test_a_customer_gets_every_wallet_that_is_asked_for(
    muster: Muster, sandbox: Sandbox, file_of: Filed, currency: str, expected: list[str]
) -> None:
    ended = muster("run", file_of([person(1, "Twowallets", currency=currency, **BOTH)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"]), ended.rows
    assert held(sandbox) == list(zip((5001, 5002), expected, strict=True))
    (row,) = ended.rows
    assert row["wallet_id"] == ";".join(map(str, sandbox.state.wallets))
    keys = KeySpace.of("eclipse", str(sandbox.tenant))
    shown = [keys.wallet(row["external_unique_id"], kind) for kind in ("5001", "5002")]
    assert row["wallet_external_unique_id"] == ";".join(shown)
    assert [line["class"] for line in ended.reconciliation] == ["match"]
    made = {each["name"]: each["ledger"] for each in ended.summary["control_totals"] if "wallets" in each["name"]}
    codes = expected if currency else ["default", "default"]
    names = [f"wallets created, type {kind}, currency {code}" for kind, code in zip((5001, 5002), codes, strict=True)]
    assert made == dict.fromkeys(names, 1)


@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit", "truncated_body"])
def test_a_lost_second_wallet_is_found_or_sent_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed, kind: str
) -> None:
    sandbox.faults([{"operation": "create_wallet", "kind": kind, "nth": 2}])
    ended = muster("run", file_of([person(1, "Twowallets", **BOTH)]))
    assert (ended.outcomes, len(held(sandbox))) == (["onboarded"], 2)
    assert ended.rows[0]["wallet_id"].count(";") == 1


def test_a_row_without_its_second_wallet_is_not_complete(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1, **BOTH)]))
    (row,) = ended.rows
    assert (row["outcome"], row["failed_step"]) == ("not_eligible", "wallet:5002")
    assert (row["wallet_id"].count(";"), len(held(sandbox))) == (0, 1)


def test_with_the_ledger_lost_both_wallets_are_found(
    muster: Muster, sandbox: Sandbox, file_of: Filed, tmp_path: Path
) -> None:
    path = file_of([person(1, "Twowallets", **BOTH)])
    first = muster("run", path).rows[0]["wallet_id"]
    before = arrivals(sandbox)
    for left in tmp_path.glob("muster.db*"):
        left.unlink()
    ended = muster("run", path)
    assert (ended.outcomes, ended.rows[0]["wallet_id"]) == (["already_onboarded"], first)
    assert writes(sandbox, before) == []


def test_a_wallet_that_went_away_is_a_difference(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1, "Twowallets", **BOTH)]))
    sandbox.state.delete_wallet(list(sandbox.state.wallets.values())[1])
    assert muster("reconcile", ended.folder.name).code == 1
    (folder,) = ended.folder.glob("reconcile-*")
    assert "partial" in (folder / "reconciliation.csv").read_text()


def test_the_settings_may_name_the_wallets(muster: Muster, sandbox: Sandbox, file_of: Filed, tmp_path: Path) -> None:
    settings(tmp_path, 'wallet_type_id = "5001;5002"', 'currency = "ZAR;EUR"')
    rows = [person(1, "Twowallets"), person(2, wallet_type_id="5001", currency="USD")]
    assert muster("run", file_of(rows)).outcomes == ["onboarded", "onboarded"]
    assert held(sandbox) == [(5001, "USD"), (5001, "ZAR"), (5002, "EUR")]


def test_exactly_opens_no_wallet_that_nobody_named(
    muster: Muster, sandbox: Sandbox, file_of: Filed, tmp_path: Path
) -> None:
    settings(tmp_path, 'wallet_policy = "exactly"')
    ended = muster("run", file_of([person(1), person(2, wallet_type_id="5001")]))
    assert ended.outcomes == ["not_eligible", "onboarded"]
    assert ended.rows[0]["reason_code"] == "wallet_type_not_named"
    assert held(sandbox) == [(5001, "ZAR")]


@pytest.mark.parametrize(
    "line", ['currency = "ZAX"', 'wallet_policy = "any"', 'wallet_type_id = "5001;5001"', 'currency = "ZAR;USD"']
)
def test_unusable_settings_end_with_2(muster: Muster, file_of: Filed, tmp_path: Path, line: str) -> None:
    settings(tmp_path, line)
    assert muster("run", file_of(people(1))).code == 2


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"currency": "ZAX"}, "value_invalid:currency"),
        ({"currency": "XAU"}, "value_invalid:currency"),
        ({"currency": "ZAR;USD"}, "value_invalid:currency"),
        ({"wallet_type_id": "5001;5001"}, "value_invalid:wallet_type_id"),
        ({"wallet_type_id": "5001;x"}, "value_invalid:wallet_type_id"),
        ({"wallet_type_id": "1;2;3", "currency": "ZAR;USD"}, "value_invalid:currency"),
    ],
)
def test_what_can_be_no_wallet_is_quarantined(
    muster: Muster, file_of: Filed, values: dict[str, str], reason: str
) -> None:
    ended = muster("validate", file_of([person(1, **values)]))
    assert (ended.code, reason in ended.stdout) == (1, True), ended.stdout


def test_the_currencies_are_those_of_iso_4217() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert {"ZAR", "USD", "EUR", "ZWG", "XCG", "SLE"} <= CURRENCIES
    assert not {"HRK", "ANG", "ZWL", "SLL", "XTS", "XXX", "XAU", "CHE"} & CURRENCIES
