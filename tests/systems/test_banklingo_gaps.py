"""What BankLingo's page names and does not spell out: exit, KYC documents, predicates: settings, or refused."""

import json
from pathlib import Path

import orjson
import pytest

from jobs.errors import Unusable
from jobs.systems.banklingo.document import checked_form, filled
from jobs.systems.banklingo.predicates import Predicates
from jobs.systems.optional import Predicate
from tests.flow.muster import arrivals, lines
from tests.flow.people import written

from .banklingo import CHECKER, QUICK, Bank, client, record
from .banklingo import bank as bank

FORM = """'{"field": "{field}", "operator": "{operator}", "value": "{value}"}'"""
PDF = b"%PDF-1.4 a passport"


def decisions(bank: Bank, keys: list[str]) -> Path:
    rows = [
        {"row_ref": f"case-{at}", "contact_encoded_key": key, "reason": "moved away"} for at, key in enumerate(keys)
    ]
    return written(bank.folder / "exit.csv", rows)


def test_exit_is_refused_with_a_sentence_as_long_as_nobody_names_its_command(bank: Bank) -> None:
    key = bank.standing.plant(**record(client(1)), clientState="Active")["contactEncodedKey"]
    before = arrivals(bank.sandbox)
    ended = bank.muster("decide", decisions(bank, [key]), "--command", "exit")

    assert ended.code == 2
    assert "names no command that does it: nothing was sent" in ended.stderr
    assert "exit_command in [banklingo]" in ended.stderr
    assert arrivals(bank.sandbox) == before


def test_clients_are_exited_by_the_command_that_the_settings_name(bank: Bank) -> None:
    bank.switch(exit_command="ExitCustomerCommand")
    bank.settings(**QUICK, exit_command='"ExitCustomerCommand"')
    bank.using(CHECKER)
    planted = [
        bank.standing.plant(**record(client(at)), clientState=state)
        for at, state in enumerate(("Active", "Exited", "Rejected"), start=1)
    ]
    rows = [
        {"row_ref": f"case-{each['id']}", "contact_encoded_key": each["contactEncodedKey"], "id": str(each["id"])}
        for each in planted
    ]
    ended = bank.muster("decide", written(bank.folder / "exit.csv", rows), "--command", "exit", "--run-id", "exit-1")

    told = lines(bank.folder / "runs" / "exit-1" / "outcome.csv")
    assert [(each["outcome"], each["reason_code"]) for each in told] == [
        ("onboarded", ""),
        ("already_onboarded", ""),
        ("rejected", "illegal_transition"),
    ]
    assert ended.code == 1
    assert bank.states() == ["Exited", "Exited", "Rejected"]
    assert bank.calls("exit") == 1


def with_document(bank: Bank, **changes: str) -> dict[str, str]:
    (bank.folder / "passport.pdf").write_bytes(PDF)
    return client(1, document_file="passport.pdf", **changes)


def test_a_row_with_a_document_is_refused_before_its_client_is_made_when_nothing_takes_it(bank: Bank) -> None:
    ended = bank.muster("run", bank.file([with_document(bank), client(2)]))

    assert [(row["outcome"], row["reason_code"]) for row in ended.rows] == [
        ("rejected", "not_offered"),
        ("pending", "decision"),
    ]
    assert "the page names no command for KYC documents" in ended.rows[0]["reason"]
    assert bank.counts() == (1, 0)


def documented(bank: Bank) -> list[int]:
    return [each["documents"] for each in bank.standing.snapshot()["customers"]]


def test_a_document_follows_its_client_by_the_command_that_the_settings_name(bank: Bank) -> None:
    bank.switch(document_command="UploadKycCommand")
    bank.settings(**QUICK, document_command='"UploadKycCommand"')
    ended = bank.muster("run", bank.file([with_document(bank, document_type="Passport"), client(2)]))
    again = bank.muster("run", bank.folder / "clients.csv")

    assert (ended.outcomes, again.outcomes) == (["pending"] * 2, ["pending"] * 2)
    assert sorted(documented(bank)) == [0, 1]
    assert bank.calls("document") == 1
    assert all(PDF not in path.read_bytes() for path in (bank.folder / "runs").rglob("*") if path.is_file())


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["drop_after_commit", "garbage_body"])
def test_a_lost_document_is_never_sent_again(bank: Bank, kind: str) -> None:
    bank.switch(document_command="UploadKycCommand")
    bank.settings(**QUICK, document_command='"UploadKycCommand"')
    bank.fault("document", kind)
    ended = bank.muster("run", bank.file([with_document(bank)]))
    bank.muster("resume", ended.folder.name)

    assert [(row["outcome"], row["failed_step"]) for row in ended.rows] == [("in_doubt", "document")]
    assert bank.calls("document") == 1


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit"])
def test_of_several_documents_each_is_sent_once_and_judged_by_itself(bank: Bank, kind: str) -> None:
    bank.switch(document_command="UploadKycCommand")
    bank.settings(**QUICK, document_command='"UploadKycCommand"')
    bank.sandbox.faults([{"operation": "document", "kind": kind, "nth": 3}])
    further = {f"document_{number}_file": "passport.pdf" for number in (2, 3)}
    rows = [with_document(bank, **further, document_3_type="Utility bill"), client(2, document_2_type="Passport")]
    ended = bank.muster("run", bank.file(rows), "--concurrency", "1")
    again = bank.muster("resume", ended.folder.name)

    assert [(row["outcome"], row["failed_step"], row["reason_code"]) for row in ended.rows] == [
        ("in_doubt", "document:3", "unanswered"),
        ("quarantined", "", "missing:document_2_file"),
    ]
    assert again.outcomes == ["in_doubt", "quarantined"]
    assert (bank.calls("document"), documented(bank)) == (3, [3 if kind == "drop_after_commit" else 2])


def test_forms_are_filled_value_by_value_and_checked() -> None:
    told = {"key": "k-1", "type": 'a "b"', "content": "AAAA"}
    form = {"client": "{key}", "doc": [{"kind": "{type}", "body": "data:{content}"}], "n": 1}

    assert filled(form, told) == {"client": "k-1", "doc": [{"kind": 'a "b"', "body": "data:AAAA"}], "n": 1}
    assert checked_form("{}") == "{}"
    for wrong in ("", "[]", "{"):
        with pytest.raises(Unusable):
            checked_form(wrong)
    for form_, words in (("{", "=,!=,>,<,~"), ("{}", "=")):
        with pytest.raises(Unusable):
            Predicates.of(form_, "predicates", words)


def test_predicates_are_written_as_the_settings_say() -> None:
    given = Predicates.of('{"path": "{field}", "op": "{operator}", "v": "{value}"}', "filters", "eq,ne,gt,lt,contains")
    wanted = [Predicate("city", "=", "Lagos"), Predicate("lastName", "~", "kaf")]

    assert orjson.loads(orjson.dumps(given.written(wanted))) == {
        "filters": [
            {"path": "city", "op": "eq", "v": "Lagos"},
            {"path": "lastName", "op": "contains", "v": "kaf"},
        ]
    }
    with pytest.raises(Unusable, match="says nowhere how one is written"):
        Predicates.of("", "predicates", "=,!=,>,<,~").written(wanted)


def planted(bank: Bank) -> None:
    for number, name in ((1, "Okafor"), (2, "Nwosu"), (3, "Okafor")):
        bank.standing.plant(**record(client(number, name)), city="Lagos" if number < 3 else "Abuja")


def test_clients_are_searched_by_predicates_and_shown_masked(bank: Bank) -> None:
    planted(bank)
    bank.switch(predicates=True)
    bank.settings(**QUICK, predicate_form=FORM)
    one = bank.muster("lookup", "--i-know", "--where", "lastName~kafor", "--where", "city = Lagos", "--output", "json")
    two = bank.muster("lookup", "--i-know", "--where", "lastName=Okafor")
    none = bank.muster("lookup", "--i-know", "--where", "lastName=Nobody")

    assert (one.code, two.code, none.code) == (0, 0, 1)
    assert len(json.loads(one.stdout)["customers"]) == 1
    assert len(two.stdout.splitlines()) == 2
    assert "Okafor" not in one.stdout + two.stdout
    assert "2 customers fit" in two.stderr


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("lastName=Okafor", "a client was found that does not fit: the predicates were ignored"),
        ("city=Lagos", "everybody was found, so that the predicates may have been ignored"),
    ],
)
def test_a_target_that_ignores_predicates_is_not_believed(bank: Bank, where: str, words: str) -> None:
    planted(bank)
    bank.settings(**QUICK, predicate_form=FORM)
    ended = bank.muster("lookup", "--i-know", "--where", where)

    assert (ended.code, ended.stdout) == (75, "")
    assert words in ended.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--where", "city=Lagos"), "says nowhere how one is written"),
        (("--where", "Lagos"), "is no predicate"),
        (("--where", "=Lagos"), "is no predicate"),
        (("--where", "city=Lagos", "--phone", "+2348030000001"), "goes with no other way"),
        (("--where", "city=Lagos", "--system", "omnumi"), "is not searched by predicates"),
    ],
)
def test_a_search_that_can_not_be_is_refused_before_a_call(bank: Bank, given: tuple[str, ...], words: str) -> None:
    ended = bank.muster("lookup", "--i-know", *given)

    assert ended.code == 2
    assert words in ended.stderr
    assert bank.sandbox.journal() == []
