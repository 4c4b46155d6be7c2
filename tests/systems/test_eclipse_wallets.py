"""Wallets of Eclipse: which types, in which currencies, several for one customer, each at most once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.keys import KeySpace
from jobs.sandbox.server import Sandbox
from schemas.currencies import CURRENCIES
from tests.flow.muster import Muster, arrivals, writes
from tests.flow.people import Row, people, person, record

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


@pytest.mark.few(1)
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


@pytest.mark.few(2)
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_wallet_that_went_away_is_a_difference(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1, "Twowallets", **BOTH)]))
    sandbox.state.delete_wallet(list(sandbox.state.wallets.values())[1])
    assert muster("reconcile", ended.folder.name).code == 1
    (folder,) = ended.folder.glob("reconcile-*")
    assert "partial" in (folder / "reconciliation.csv").read_text()


UNANSWERED = [{"operation": "create_wallet", "kind": "drop_before_commit"}]
BOTH_ALLOWED = {"allowed_wallet_types": [5001, 5002]}


def keys_sent(sandbox: Sandbox) -> set[str | None]:
    """The keys of all wallets that were asked for."""
    return {entry["externalUniqueId"] for entry in writes(sandbox) if entry["operation"] == "create_wallet"}


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["drop_before_commit", "drop_after_commit"])
def test_a_lost_wallet_is_asked_for_in_its_own_type_when_the_target_lists_types_in_another_order(
    muster: Muster, sandbox: Sandbox, file_of: Filed, kind: str
) -> None:
    sandbox.configure(**BOTH_ALLOWED)
    turned = [{"walletTypeId": kind, "allowed": True} for kind in (5002, 5001)]
    turn = {"operation": "wallet_types", "kind": "status", "params": {"status": 200, "body": turned}}
    hidden = {"operation": "list_wallets", "nth": 2, "kind": "status", "params": {"status": 200, "body": []}}
    sandbox.faults([{"operation": "create_wallet", "kind": kind, "nth": 1}, turn | {"nth": [2, 3, 4, 5]}, hidden])
    ended = muster("run", file_of([person(1)]))
    assert (ended.outcomes, held(sandbox)) == (["onboarded"], [(5001, "ZAR")])
    assert keys_sent(sandbox) == {ended.rows[0]["wallet_external_unique_id"]}


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ({"wallet_types": [5002, 5001], **BOTH_ALLOWED}, ()),
        (BOTH_ALLOWED, ('wallet_type_id = "5002"',)),
        ({}, ('currency = "EUR"',)),
        ({}, ('wallet_policy = "exactly"',)),
    ],
)
def test_a_later_run_repeats_the_wallet_that_went_unanswered_whatever_is_chosen_by_then(
    muster: Muster, sandbox: Sandbox, file_of: Filed, tmp_path: Path, target: dict[str, list[int]], lines: list[str]
) -> None:
    sandbox.faults(UNANSWERED)
    assert muster("run", file_of([person(1)])).outcomes == ["failed"]
    sandbox.faults([])
    sandbox.configure(**target)
    settings(tmp_path, *lines)
    ended = muster("retry", "run-1")
    assert (ended.outcomes, held(sandbox)) == (["onboarded"], [(5001, "ZAR")])
    assert keys_sent(sandbox) == {ended.rows[0]["wallet_external_unique_id"]}


@pytest.mark.slow
def test_a_type_that_is_no_longer_allowed_ends_the_row_only_when_its_wallet_is_not_there(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    rows = [person(1, "Before"), person(2, "After")]
    kinds = {"Before": "drop_before_commit", "After": "drop_after_commit"}
    unseen = {"operation": "list_wallets", "kind": "status", "params": {"status": 503}}
    sandbox.faults(
        [{"operation": "create_wallet", "match": {"lastName": name}, "kind": kind} for name, kind in kinds.items()]
        + [unseen | {"match": {"lastName": name}, "nth": list(range(2, 20))} for name in kinds]
    )
    assert muster("run", file_of(rows)).outcomes == ["in_doubt", "in_doubt"]
    sandbox.faults([])
    sandbox.configure(allowed_wallet_types=[5002])
    ended = muster("resume")
    assert ended.outcomes == ["not_eligible", "onboarded"]
    assert ended.rows[0]["reason_code"] == "wallet_type_not_allowed"
    assert held(sandbox) == [(5001, "ZAR")]


@pytest.mark.few(1)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_was_killed_at_its_wallet_is_finished_with_that_wallet(
    muster: Muster, sandbox: Sandbox, file_of: Filed, when: str
) -> None:
    path = file_of([person(1)])
    sandbox.configure(**BOTH_ALLOWED)
    muster.killed("create_wallet", when, 1, "run", path)
    sandbox.configure(wallet_types=[5002, 5001])
    assert (muster("resume").outcomes, held(sandbox)) == (["onboarded"], [(5001, "ZAR")])


def test_a_wallet_that_the_target_opened_itself_is_the_rows_and_no_second_one_is_made(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.configure(own_wallets=[5001])
    ended = muster("run", file_of([person(1)]))
    assert (ended.code, ended.outcomes, held(sandbox)) == (0, ["onboarded"], [(5001, "ZAR")])
    assert ended.rows[0]["wallet_id"] == str(next(iter(sandbox.state.wallets)))
    assert keys_sent(sandbox) == set()


def test_a_wallet_of_another_type_that_the_target_opened_itself_stands_in_no_ones_way(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.configure(own_wallets=[5002])
    ended = muster("run", file_of([person(1)]))
    assert (ended.outcomes, held(sandbox)) == (["onboarded"], [(5001, "ZAR"), (5002, "ZAR")])


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("shown", "cells"),
    [({"own_wallet_keys": True}, {}), ({}, {"currency": "EUR"})],
    ids=["a foreign key", "a currency"],
)
def test_a_wallet_of_the_type_that_is_not_what_the_row_asks_for_is_a_conflict(
    muster: Muster, sandbox: Sandbox, file_of: Filed, shown: dict[str, bool], cells: dict[str, str]
) -> None:
    sandbox.configure(own_wallets=[5001], **shown)
    ended = muster("run", file_of([person(1, **cells)]))
    assert [(row["outcome"], row["reason_code"]) for row in ended.rows] == [("conflict", "wallet_exists")]
    assert held(sandbox) == [(5001, "ZAR")]


def test_where_the_target_lists_no_wallets_a_new_customer_gets_one(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "list_wallets", "kind": "status", "params": {"status": 405}}])
    assert muster("run", file_of([person(1)])).outcomes == ["onboarded"]
    assert held(sandbox) == [(5001, "ZAR")]


UNKNOWN = {"status": 404, "body": [{"type": "BUSINESS", "code": "ARCH086", "traceId": "t"}]}


@pytest.mark.few(1)
@pytest.mark.parametrize("operation", ["list_wallets", "wallet_types"])
def test_not_found_about_a_customer_who_is_not_shown_yet_is_no_empty_list(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str
) -> None:
    sandbox.configure(own_wallets=[5001] if operation == "list_wallets" else [])
    late = ({"operation": each, "nth": 1, "kind": "status", "params": UNKNOWN} for each in (operation, "get_customer"))
    sandbox.faults(list(late))
    ended = muster("run", file_of([person(1)]))
    assert [(row["outcome"], row["reason_code"]) for row in ended.rows] == [("in_doubt", "customer_not_found")]
    assert muster("resume", "run-1").outcomes == ["onboarded"]
    assert held(sandbox) == [(5001, "ZAR")]


def test_not_found_for_a_customer_who_is_shown_is_an_empty_list(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "list_wallets", "kind": "status", "params": UNKNOWN}])
    assert muster("run", file_of([person(1)])).outcomes == ["onboarded"]


def test_all_wallets_are_read_before_one_is_made_however_many_there_are(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    many = [{"walletTypeId": 6000 + number} for number in range(40)] + [{"walletTypeId": 5001}]
    row = person(1)
    key = KeySpace.of("eclipse", str(sandbox.tenant)).customer(row_ref=row["row_ref"], national_id=None)
    sandbox.configure(show_external_ids=True)
    sandbox.plant(**record(row, externalUniqueId=key, kyc="PASSED", wallets=many))
    ended = muster("run", file_of([row]))
    assert [(line["outcome"], line["reason_code"]) for line in ended.rows] == [("conflict", "wallet_exists")]
    assert (len(held(sandbox)), keys_sent(sandbox)) == (41, set())


def answered(operation: str, name: str, body: object, kind: str = "status", **rule: object) -> dict[str, object]:
    """A fault rule: `operation` about the customer with that last name is answered with 200 and `body`."""
    params = {"status": 200, "body": body}
    return {"operation": operation, "match": {"lastName": name}, "kind": kind, "params": params, **rule}


UNREADABLE: list[object] = [1, "true", "false", 0, None, [], "yes"]


@pytest.mark.slow
def test_an_answer_about_types_that_can_not_be_read_is_no_refusal_for_ever(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    spelt = {f"Nkosi-{place}": allowed for place, allowed in enumerate(UNREADABLE)}
    rows = [person(number, name) for number, name in enumerate(spelt, 1)]
    rows += [person(51, "Nkosi-0", wallet_type_id="5001"), person(52, "Nkosi-0", wallet_type_id="5002")]
    second = {"walletTypeId": 5002, "allowed": False}
    sandbox.faults(
        [
            answered("wallet_types", name, [{"walletTypeId": 5001, "allowed": each}, second])
            for name, each in spelt.items()
        ]
    )
    ended = muster("run", file_of(rows))
    assert [(row["outcome"], row["reason_code"]) for row in ended.rows] == [
        *[("failed", "read_failed")] * (len(UNREADABLE) + 1),
        ("not_eligible", "no_wallet_type"),
    ]
    sandbox.faults([])
    assert muster("retry", "run-1").outcomes == [*["onboarded"] * (len(UNREADABLE) + 1), "not_eligible"]


FOREIGN: list[dict[str, object]] = [
    {"walletId": 0},
    {"walletId": "-1"},
    {"walletId": True},
    {"customerId": 4},
    {"customerId": 0},
    {"walletTypeId": 5002},
    {"externalUniqueId": "wal-of-another"},
]


def test_an_answer_about_another_wallet_is_settled_by_reading(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    names = {f"Nkosi-{place}": member for place, member in enumerate(FOREIGN)}
    made = {"walletId": 9, "walletTypeId": 5001, "currency": "ZAR", "status": "ACTIVE"}
    sandbox.faults(
        [answered("create_wallet", name, made | member, "status_after_commit", nth=1) for name, member in names.items()]
    )
    ended = muster("run", file_of([person(number, name) for number, name in enumerate(names, 1)]))
    assert (ended.outcomes, held(sandbox)) == (["onboarded"] * len(FOREIGN), [(5001, "ZAR")] * len(FOREIGN))
    assert {row["wallet_id"] for row in ended.rows} == {str(number) for number in sandbox.state.wallets}


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


@pytest.mark.few(2)
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
