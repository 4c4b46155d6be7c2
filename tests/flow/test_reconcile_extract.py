"""A run against an extract of the target: the same differences as a fresh read finds, without a single call."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, arrivals, lines
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def onboarded(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    rows = [*people(6), person(7, "Kycfail"), person(8, phone="1")]
    ended = muster("run", file_of(rows), "--concurrency", "1")  # the target then has them in this order
    assert ended.counts == {"onboarded": 6, "declined": 1, "quarantined": 1}
    return ended


def held(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What the target holds, as an extract would show it."""
    return [
        {
            "customerId": str(customer.customer_id),
            "externalUniqueId": customer.key,
            **{name: str(customer.fields[name]) for name in ("firstName", "lastName", "phone1", "email")},
            "nationalIdentityNumber": customer.fields["nationalIdentityNumber"],
            "kycStatus": customer.verifications[-1].status if customer.verifications else "",
            "walletId": ";".join(map(str, customer.wallets)),
            "status": customer.status,
        }
        for customer in sandbox.state.customers.values()
    ]


def extract(path: Path, rows: list[dict[str, Any]], *without: str) -> Path:
    names = [name for name in rows[0] if name not in without]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def found(ended: Ended) -> list[tuple[str, str, str]]:
    newest = max(ended.folder.glob("reconcile-*"))
    read = lines(newest / "reconciliation.csv")
    return [(line["source_row"], line["class"], line["field"]) for line in read if line["class"] != "match"]


NOT_SENT = ("8", "not_sent", "")


def test_an_unchanged_extract_is_all_matches_without_a_call(
    muster: Muster, sandbox: Sandbox, onboarded: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = extract(muster.folder / "at-target.csv", held(sandbox))
    before = arrivals(sandbox)
    for name in ("IDENTITY", "PASSWORD", "BASE_URL"):
        monkeypatch.delenv(f"MUSTER_{name}")
    ended = muster("reconcile", "run-1", "--against", path)
    assert (ended.code, found(onboarded)) == (0, [NOT_SENT])
    assert arrivals(sandbox) == before
    assert "at-target.csv" in ended.stdout
    assert muster("verify", "run-1").code == 0


CHANGES: list[tuple[Mapping[str, str], tuple[str, str]]] = [
    ({"firstName": "Thandiwe"}, ("field_difference", "first_name")),
    ({"phone1": "0829999999"}, ("field_difference", "phone")),
    ({"walletId": ""}, ("partial", "wallet_id")),
    ({"walletId": "999"}, ("partial", "wallet_id")),
    ({"kycStatus": "FAILED"}, ("status_difference", "decision_status")),
    ({"status": "CLOSED"}, ("status_difference", "status")),
]


def test_each_change_is_found_exactly(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    rows = held(sandbox)
    for row, (changed, _) in zip(rows, CHANGES, strict=False):
        row.update(changed)
    places = {row["customer_id"]: row["source_row"] for row in onboarded.rows}
    expected = [(places[row["customerId"]], *difference) for row, (_, difference) in zip(rows, CHANGES, strict=False)]
    ended = muster("reconcile", "run-1", "--against", extract(muster.folder / "at-target.csv", rows))
    assert (ended.code, found(onboarded)) == (1, [*sorted(expected), NOT_SENT])


@pytest.mark.slow
def test_spellings_are_normalised_first(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    rows = held(sandbox)
    rows[0]["email"] = rows[0]["email"].upper()
    rows[1]["phone1"] = "0" + rows[1]["phone1"].removeprefix("27")
    rows[2]["lastName"] = f" {rows[2]['lastName']}  "
    ended = muster("reconcile", "run-1", "--against", extract(muster.folder / "at-target.csv", rows))
    assert (ended.code, found(onboarded)) == (0, [NOT_SENT])


def test_missing_repeated_and_unknown_customers_are_named(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    rows = [row for row in held(sandbox) if row["customerId"] != onboarded.rows[2]["customer_id"]]
    stranger = {**rows[0], "customerId": "4711", "externalUniqueId": "else", "nationalIdentityNumber": "8001015009087"}
    path = extract(muster.folder / "at-target.csv", [*rows, stranger])
    assert muster("reconcile", "run-1", "--against", path).code == 1
    assert found(onboarded) == [("3", "missing_in_target", "customer_id"), NOT_SENT, ("", "only_in_target", "")]
    newest = max(onboarded.folder.glob("reconcile-*"))
    assert lines(newest / "reconciliation.csv")[-1]["customer_id"] == "4711"


@pytest.mark.slow
def test_several_hits_are_ambiguous_and_listed(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    rows = held(sandbox)
    double = next(row for row in rows if row["customerId"] == onboarded.rows[1]["customer_id"])
    rows.append({**double, "customerId": "4711"})
    path = extract(muster.folder / "at-target.csv", rows)
    muster("reconcile", "run-1", "--against", extract(path, rows, "customerId"))
    assert found(onboarded)[0] == ("2", "ambiguous", "customer_id")


@pytest.mark.slow
def test_a_customer_with_two_wallets_on_two_lines_is_one_customer(
    muster: Muster, sandbox: Sandbox, onboarded: Ended
) -> None:
    rows = held(sandbox)
    rows.append({**rows[0], "walletId": "777"})
    ended = muster("reconcile", "run-1", "--against", extract(muster.folder / "at-target.csv", rows))
    assert (ended.code, found(onboarded)) == (0, [NOT_SENT])


def test_any_lead_is_enough(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    leads = {"customerId", "externalUniqueId", "nationalIdentityNumber"}
    for lead in leads:
        path = extract(muster.folder / "at-target.csv", held(sandbox), *(leads - {lead}))
        ended = muster("reconcile", "run-1", "--against", path)
        assert (lead, ended.code, found(onboarded)) == (lead, 0, [NOT_SENT])


@pytest.mark.slow
def test_what_the_extract_has_not_is_not_compared_and_said(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    path = extract(muster.folder / "at-target.csv", held(sandbox), "walletId", "kycStatus", "email")
    ended = muster("reconcile", "run-1", "--against", path)
    assert (ended.code, found(onboarded)) == (0, [NOT_SENT])
    assert "the extract has no wallet_id: not compared" in ended.stdout
    assert "complete at the target" not in ended.stdout


@pytest.mark.slow
def test_parquet_and_our_own_names_do_as_well(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    rows = pl.DataFrame(held(sandbox)).rename({"customerId": "customer_id", "firstName": "first_name"})
    rows.write_parquet(muster.folder / "at-target.parquet")
    ended = muster("reconcile", "run-1", "--against", muster.folder / "at-target.parquet")
    assert (ended.code, found(onboarded)) == (0, [NOT_SENT])


@pytest.mark.slow
def test_an_extract_and_pseudonyms_find_the_same(muster: Muster, sandbox: Sandbox, onboarded: Ended) -> None:
    rows = held(sandbox)
    next(row for row in rows if row["customerId"] == onboarded.rows[1]["customer_id"])["lastName"] = "Zulu"
    (muster.folder / "customers.csv").unlink()
    ended = muster("reconcile", "run-1", "--against", extract(muster.folder / "at-target.csv", rows))
    assert (ended.code, found(onboarded)) == (1, [("2", "field_difference", "last_name"), NOT_SENT])
    assert "Zulu" not in ended.stdout + (max(onboarded.folder.glob("reconcile-*")) / "reconciliation.csv").read_text()


UNUSABLE = {"firstName,lastName\nA,B\n": "none of the columns", "customerId,firstName\n1\n": "line 2", "": "is empty"}


@pytest.mark.slow
def test_an_extract_that_can_not_be_used_ends_with_2(muster: Muster, onboarded: Ended) -> None:
    path = muster.folder / "at-target.csv"
    for text, said in UNUSABLE.items():
        path.write_text(text)
        ended = muster("reconcile", "run-1", "--against", path)
        assert (ended.code, list(onboarded.folder.glob("reconcile-*"))) == (2, [])
        assert said in ended.stderr
