"""All that a bank shows: exported masked or in full, in a look-up, and read again by a reconciliation."""

import json
import stat
from typing import Any

import pyrage
import pytest

from jobs.operations.export import masked_tree
from jobs.sandbox.blink.routes import OPERATIONS
from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster, arrivals, lines

from .blink import ADDRESS, CONTACTS, Filed, configure, only, row
from .blink import muster as muster

KYC = {"nonFinancialSituation": {"isPep": True, "occupation": "Notary"}, "financialSituation": {"assets": 1234567}}
ANNA = {
    "customerIdentification": "C-9001",
    "externalReference": "X-9001",
    "name": "Anna Meier",
    "kyc": KYC,
    "persons": [
        {
            "personIdentification": "P-9001",
            "givenName": "Anna",
            "lastName": "Meier",
            "contacts": [{"medium": "email", "contactContent": "anna.meier@example.com"}],
        }
    ],
    "addresses": [{"postalAddress": {"physicalAddress": {"streetName": "Seestrasse", "townName": "Zug"}}}],
}
SECRETS = ("Anna", "Meier", "anna.meier", "Seestrasse", "Zug", "Notary", "1234567")


@pytest.fixture
def bank(muster: Muster, sandbox: Sandbox) -> Muster:
    """Anna is the only customer with consent but two of the start."""
    sandbox.of("blink").plant(**ANNA)
    for number in range(3, 41):
        sandbox.of("blink").amend("customers", f"C-{number:04d}", consent=False)
    return muster


def exported(muster: Muster, what: str, *, full: bool = False) -> list[dict[str, Any]]:
    """The records of a kind, from a file that only its owner may read."""
    target = muster.folder / f"{what}.ndjson"
    ended = muster("export", "--what", what, "--reveal-to" if full else "--to", target.name)
    assert ended.code == 0, ended.stderr
    assert ("personal data as they are" in ended.stderr) is full
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("what", "records"), [("customers", 3), ("persons", 3), ("kyc", 3), ("addresses", 2)])
def test_every_kind_is_exported_masked_or_in_full(bank: Muster, what: str, records: int) -> None:
    masked, full = exported(bank, what), exported(bank, what, full=True)

    assert (len(masked), len(full)) == (records, records)
    shown = json.dumps(masked[-1])
    assert [secret for secret in SECRETS if secret in shown] == []
    named = "P-9001" if what == "persons" else "C-9001"
    assert named in shown
    assert named in json.dumps(full[-1])
    assert any(secret in json.dumps(full[-1]) for secret in SECRETS)


def test_an_export_in_full_is_encrypted_where_a_recipient_is_named(bank: Muster) -> None:
    key = pyrage.x25519.Identity.generate()
    ended = bank("export", "--what", "kyc", "--reveal-to", "kyc.age", "--recipient", str(key.to_public()))

    assert (ended.code, "personal data as they are" in ended.stderr) == (0, False)
    assert b"Notary" in pyrage.decrypt((bank.folder / "kyc.age").read_bytes(), [key])
    assert list(bank.folder.glob("**/*.ndjson")) == [bank.folder / "muster.db.access.ndjson"]


def test_a_masked_record_has_every_member_and_shows_codes_and_ids_alone(bank: Muster) -> None:
    person = exported(bank, "persons")[-1]
    record = exported(bank, "kyc")[-1]

    assert person["contactInformation"][0]["medium"] == "email"
    assert person["personDetails"]["personType"] == "naturalPerson"
    assert person["customerList"] == [{"customerIdentification": "C-9001"}]
    assert set(person["contactInformation"][0]["contactContent"][:-3]) == {"*"}
    assert record["kyc"] == {
        "nonFinancialSituation": {"isPep": "***", "occupation": "******"},
        "financialSituation": {"assets": "***"},
    }
    assert masked_tree("", {"accountBalance": 7, "deep": [{"n": None}]}, ()) == {"deep": [{"n": None}]}


def test_each_export_is_a_line_of_the_access_log_that_names_nobody(bank: Muster) -> None:
    exported(bank, "kyc")
    exported(bank, "persons", full=True)

    log = (bank.folder / "muster.db.access.ndjson").read_text(encoding="utf-8")
    told = [json.loads(line) for line in log.splitlines()]
    assert [(each["kind"], each["of"], each["revealed"]) for each in told] == [
        ("export", "kyc", False),
        ("export", "persons", True),
    ]
    assert [secret for secret in SECRETS if secret in log] == []


def test_a_bank_that_lists_no_persons_is_asked_for_each_with_its_contacts(bank: Muster, sandbox: Sandbox) -> None:
    listed = exported(bank, "persons", full=True)
    configure(sandbox, offers=sorted(set(OPERATIONS) - {"list_persons"}))

    assert exported(bank, "persons", full=True) == listed


@pytest.mark.parametrize(("what", "operation"), [("kyc", "get_kyc"), ("customers", "list_customers")])
def test_what_the_bank_does_not_offer_leaves_no_file(bank: Muster, sandbox: Sandbox, what: str, operation: str) -> None:
    configure(sandbox, offers=sorted(set(OPERATIONS) - {operation}))
    ended = bank("export", "--what", what, "--to", "out.ndjson")

    assert ended.code == 2
    assert f"the bank does not offer to {operation.replace('_', ' ')}" in ended.stderr
    assert not (bank.folder / "out.ndjson").exists()


@pytest.mark.parametrize(
    "given",
    [
        ("--what", "kyc"),
        ("--what", "kyc", "--to", "a", "--reveal-to", "b"),
        ("--what", "wallets", "--to", "a"),
        ("--what", "kyc", "--to", "no/such/folder"),
        ("--what", "kyc", "--to", "a", "--system", "eclipse"),
    ],
)
def test_an_export_that_can_not_be_is_refused_before_a_call(
    bank: Muster, sandbox: Sandbox, given: tuple[str, ...]
) -> None:
    before = arrivals(sandbox)

    assert bank("export", *given).code == 2
    assert arrivals(sandbox) == before


def test_a_look_up_in_full_shows_persons_contacts_address_and_kyc_masked(bank: Muster) -> None:
    ended = bank("lookup", "--customer-id", "C-9001", "--full")
    document = json.loads(bank("lookup", "--customer-id", "C-9001", "--full", "--output", "json").stdout)

    [found] = document["customers"]
    assert ended.code == 0
    assert [secret for secret in SECRETS if secret in ended.stdout + json.dumps(document)] == []
    assert found["profile"]["persons.1.personIdentification"] == "P-9001"
    assert {"persons.1.contactInformation.1.contactContent", "address.addressIdentification"} <= set(found["profile"])
    assert {"kyc.nonFinancialSituation.isPep", "kyc.financialSituation.assets"} <= set(found["profile"])
    assert "decision" not in ended.stdout
    assert "wallet" not in ended.stdout


def test_a_file_of_keys_reads_no_kyc(bank: Muster, sandbox: Sandbox) -> None:
    (bank.folder / "ids.csv").write_text("bank_customer_id\nC-9001\nC-0001\n", encoding="utf-8")
    ended = bank("lookup", "--from", "ids.csv", "--by", "customer-id", "--to", "found.csv")
    assert ended.code == 0, ended.stderr

    assert [line["status"] for line in lines(bank.folder / "found.csv")] == ["active", "active"]
    assert {entry["operation"] for entry in sandbox.journal()} == {"token", "get_customer"}


def test_a_reconciliation_in_full_reads_the_person_and_the_kyc_record(
    bank: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.of("blink").amend("customers", "C-0005", consent=True)
    sandbox.of("blink").plant(customerIdentification="C-9002", kyc=None)
    rows = [
        row(1),
        only(9001, "bank_person_id"),
        {"row_ref": "r", "bank_customer_id": "C-9002"},
        only(5, *CONTACTS[:1]),
    ]
    run = bank("run", file_of(rows))
    sandbox.of("blink").amend("persons", "P-0005", deleted=True)

    plain, full = bank("reconcile", run.folder.name), bank("reconcile", run.folder.name, "--full")

    first, second = sorted(run.folder.glob("reconcile-*"), key=lambda path: path.stat().st_mtime_ns)
    told = [(each["source_row"], each["class"], each["field"]) for each in lines(second / "reconciliation.csv")]
    assert (plain.code, full.code) == (0, 1)
    assert {each["class"] for each in lines(first / "reconciliation.csv")} == {"match"}
    assert told == [
        ("1", "match", ""),
        ("2", "match", ""),
        ("3", "field_difference", "kyc"),
        ("4", "field_difference", "bank_person_id"),
    ]
    assert bank("reconcile", run.folder.name, "--full", "--against", "x.csv").code == 2


def test_a_bank_without_persons_and_kyc_is_compared_as_far_as_it_goes(
    bank: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    run = bank("run", file_of([only(1, *ADDRESS)]))
    configure(sandbox, offers=sorted(set(OPERATIONS) - {"get_kyc", "get_person"}))

    assert bank("reconcile", run.folder.name, "--full").code == 0
