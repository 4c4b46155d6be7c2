"""BankLingo: what replies mean, and whole runs against its stand-in."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from jobs.errors import NotPermitted
from jobs.keys import KeySpace
from jobs.systems.banklingo.contacts import Contacts
from jobs.systems.banklingo.dialect import DIALECT, Envelope
from jobs.systems.banklingo.system import BankLingo, BankLingoSettings
from jobs.systems.contract import Setup
from jobs.systems.messages import ReadFailed, Reply, Request
from jobs.systems.row import Doubt, Row, View
from jobs.systems.verdict import Absent, Done, Finding
from tests.flow.muster import lines

from .banklingo import CHECKER, QUICK, Bank, client, clients, record
from .banklingo import bank as bank


def reply(body: object, status: int = 200) -> Reply:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Reply(status, {}, content, datetime(2026, 11, 21, tzinfo=UTC))


def sealed(code: str = "00", status: int = 200, message: str = "", **content: Any) -> Reply:
    return reply({"isSuccessful": code == "00", "statusCode": code, "message": message, "data": content}, status)


ROW = Row(1, "CRM-1", "cust-1", client(1) | {"phone": "2348030000001"}, "", "", None)
VIEW = View(ROW, {})


def system(**settings: Any) -> BankLingo:
    return BankLingo(Setup("bank-1", KeySpace.of("banklingo", "bank-1")), BankLingoSettings(**settings))


@pytest.mark.parametrize(
    ("answer", "verdict", "reason_code"),
    [
        (sealed(contactEncodedKey="key-1", id=7), "Done", None),
        (sealed(encodedKey="key-1"), "Done", None),
        (sealed(id=7), "Done", None),
        (sealed(), "Doubted", "unreadable_reply"),
        (sealed(contactEncodedKey="key-1", emailAddress="other@example.com"), "Doubted", "unreadable_reply"),
        (sealed(contactEncodedKey="key-1", emailAddress=" ADAEZE.1@example.com"), "Done", None),
        (sealed(contactEncodedKey="key-1", phoneNumber="+234 803 000 0001"), "Done", None),
        (sealed(contactEncodedKey="key-1", phoneNumber="+234 803 000 0002"), "Doubted", "unreadable_reply"),
        (sealed(contactEncodedKey="key-1", phoneNumber=2348030000001), "Doubted", "unreadable_reply"),
        (sealed(contactEncodedKey="key-1", identificationNumber="NIN00000002"), "Doubted", "unreadable_reply"),
        (sealed(contactEncodedKey="key-1", encodedKey="key-2"), "Doubted", "unreadable_reply"),
        (sealed(contactEncodedKey=True, id=7), "Doubted", "unreadable_reply"),
        (sealed(contactEncodedKey=1.5, id=7), "Doubted", "unreadable_reply"),
        (reply({"isSuccessful": 1, "statusCode": "00", "data": {"id": 7}}), "Doubted", "server_error"),
        (reply({"isSuccessful": "true", "statusCode": "00", "data": {"id": 7}}), "Doubted", "server_error"),
        (reply({"isSuccessful": True, "statusCode": 0, "data": {"id": 7}}), "Doubted", "server_error"),
        (reply(b'{"isSuccessful":true'), "Doubted", "unreadable_reply"),
        (reply({"isSuccessful": False, "statusCode": "99"}), "Doubted", "server_error"),
        (sealed("CBS_400", 400), "Ended", "refused_by_target"),
        (sealed("CBS_400", 200), "Ended", "refused_by_target"),
        (sealed("CBS_403", 403), "Ended", "forbidden"),
        (sealed("CBS_409", 409), "Taken", None),
        (sealed("CBS_409", 200), "Taken", None),
        (sealed("CBS_500", 500), "Doubted", "server_error"),
        (sealed("CBS_500", 200), "Doubted", "server_error"),
        (sealed("00", 500, contactEncodedKey="key-1"), "Doubted", "server_error"),
        (reply(b"<html>", 502), "Doubted", "server_error"),
        (reply(b"", 429), "Throttled", None),
        (sealed("CBS_500", 429), "Throttled", None),
        (reply(b"", 302), "Ended", "redirected"),
    ],
)
def test_what_a_reply_to_a_create_means(answer: Reply, verdict: str, reason_code: str | None) -> None:
    found = system().customer.classify(answer, VIEW)

    assert type(found).__name__ == verdict
    assert getattr(found, "reason_code", None) == reason_code


def test_a_client_belongs_to_one_row() -> None:
    found = system().customer.classify(sealed(contactEncodedKey="key-1", id=7), VIEW)

    assert isinstance(found, Done)
    assert dict(found.claims) == {"customer": "key-1"}


def test_a_repetition_is_the_request_that_was_lost_whatever_the_settings_are_now() -> None:
    first, changed = system(branch="b-7"), system(branch="b-8", phone_plus=False, envelope="cmd")

    async def looked(view: View) -> Finding:
        return await changed.customer.look(Blind([]), view)

    chosen = asyncio.run(first.customer.look(Blind([]), VIEW))
    assert isinstance(chosen, Absent)
    lost = replace(VIEW, doubt=Doubt(datetime(2026, 11, 21, tzinfo=UTC), 1), bound=chosen.facts)
    again = asyncio.run(looked(lost))

    assert isinstance(again, Absent)
    assert again.facts == chosen.facts
    assert changed.customer.write(lost).body == first.customer.write(VIEW).body
    assert changed.customer.write(VIEW).body != first.customer.write(VIEW).body


def test_the_members_of_a_reply_are_read_in_any_case() -> None:
    answer = reply({"IsSuccessful": True, "StatusCode": "00", "Data": {"ContactEncodedKey": "key-1", "Id": 7}})
    found = system().customer.classify(answer, VIEW)

    assert isinstance(found, Done)
    assert (found.facts["customer_id"], found.facts["contact_id"]) == ("key-1", "7")


def test_a_refusal_is_told_by_the_names_of_members_and_never_by_their_values() -> None:
    answer = sealed("CBS_400", 400, "lastName: 'Okafor' is refused; emailAddress: 'a@example.com' is not valid")

    assert DIALECT.words_of(answer) == "lastName, emailAddress"
    assert DIALECT.words_of(sealed("CBS_400", 400, "'Okafor'")) == "CBS_400"


def test_a_path_that_the_target_does_not_know_ends_the_job() -> None:
    with pytest.raises(NotPermitted):
        system().customer.classify(reply(b"", 404), VIEW)


def test_a_create_says_what_the_row_says_in_the_vendors_words() -> None:
    body = orjson.loads(system(branch="b-7").customer.write(VIEW).body or b"")

    assert body["commandName"] == "CreateContactCommand"
    assert (body["data"]["phoneNumber"], body["data"]["gender"]) == ("+2348030000001", "Female")
    assert (body["data"]["branchEncodedKey"], body["data"]["customerType"]) == ("b-7", "Individual")


class Pages:
    """Answers list queries from scripted (total, keys) pages, whatever is asked."""

    def __init__(self, *pages: tuple[int, list[str]]) -> None:
        self.pages = iter(pages)

    async def read(self, request: Request) -> Reply:
        total, keys = next(self.pages)
        rows = [{"contactEncodedKey": key, "emailAddress": f"{key}@example.com"} for key in keys]
        return sealed(totalCount=total, contacts=rows)


def scanned(*pages: tuple[int, list[str]]) -> list[str]:
    async def scan() -> list[str]:
        return [each.key async for page in Contacts(Envelope()).scan(Pages(*pages), None) for each in page]

    return asyncio.run(scan())


@pytest.mark.parametrize(
    ("pages", "keys"),
    [
        ([(0, [])], []),
        ([(3, ["a", "b"]), (3, ["c"])], ["a", "b", "c"]),
        ([(2, ["a"]), (3, ["b"]), (3, ["a", "b", "c"])], ["a", "b", "c"]),
        ([(3, ["a", "b"]), (3, []), (3, ["a", "b", "c"])], ["a", "b", "c"]),
        ([(3, ["a"]), (3, ["a"]), (3, ["a", "b", "c"])], ["a", "b", "c"]),
    ],
    ids=["nobody", "two pages", "the total moved", "a page is missing", "a page came twice"],
)
def test_a_list_is_read_until_it_adds_up(pages: list[tuple[int, list[str]]], keys: list[str]) -> None:
    assert scanned(*pages) == keys


def test_a_list_that_never_adds_up_is_no_list() -> None:
    with pytest.raises(ReadFailed):
        scanned(*[(3, ["a"]), (3, [])] * 5)


class Blind:
    """A target whose searches look through something else than e-mail addresses; counts the readings of its list."""

    def __init__(self, emails: list[str]) -> None:
        self.emails, self.listed = emails, 0

    async def read(self, request: Request) -> Reply:
        asked = orjson.loads(request.body or b"")["data"]
        self.listed += "searchTerm" not in asked
        shown = [] if "searchTerm" in asked else self.emails
        rows = [
            {"contactEncodedKey": email.partition("@")[0] if isinstance(email, str) else "k", "emailAddress": email}
            for email in shown
        ]
        return sealed(totalCount=len(rows), contacts=rows)


def test_a_search_that_finds_nobody_is_not_believed_and_the_list_is_read_once_for_all() -> None:
    reader, contacts = Blind(["A@example.com", "b@example.com"]), Contacts(Envelope())

    async def found() -> list[list[str]]:
        wanted = ["a@example.com", "b@example.com", "c@example.com"]
        hits = await asyncio.gather(*(contacts.with_email(reader, email, anew=False) for email in wanted))
        return [[each.key for each in each_hits] for each_hits in hits]

    assert asyncio.run(found()) == [["A"], ["b"], []]
    assert reader.listed == 2  # once to try the search, once as the list


class Minding(Blind):
    """A target whose searches mind capitals."""

    async def read(self, request: Request) -> Reply:
        asked = orjson.loads(request.body or b"")["data"]
        if "searchTerm" not in asked:
            return await super().read(request)
        found = [email for email in self.emails if asked["searchTerm"] in email]
        return sealed(
            totalCount=len(found), contacts=[{"contactEncodedKey": "A", "emailAddress": each} for each in found]
        )


def test_a_search_that_minds_capitals_is_not_believed() -> None:
    contacts = Contacts(Envelope())
    found = asyncio.run(contacts.with_email(Minding(["A@example.com"]), "a@example.com", anew=False))

    assert [each.key for each in found] == ["A"]


@pytest.mark.parametrize("email", [True, 7, ["a@example.com"], {"address": "a@example.com"}])
def test_a_list_with_an_email_that_is_no_text_proves_nobody_absent(email: object) -> None:
    with pytest.raises(ReadFailed, match="no text"):
        asyncio.run(Contacts(Envelope()).with_email(Blind([email]), "a@example.com", anew=False))  # type: ignore[list-item]  # what a target may send


def test_who_doubts_reads_the_list_anew() -> None:
    reader, contacts = Blind(["a@example.com"]), Contacts(Envelope())

    async def found() -> list[int]:
        before = len(await contacts.with_email(reader, "new@example.com", anew=False))
        reader.emails.append("new@example.com")
        stale = len(await contacts.with_email(reader, "new@example.com", anew=False))
        return [before, stale, len(await contacts.with_email(reader, "new@example.com", anew=True))]

    assert asyncio.run(found()) == [0, 0, 1]


@pytest.mark.parametrize(("blind", "passed"), [(True, None), (False, True)])
def test_a_preflight_says_whether_searching_works(blind: bool, passed: bool | None) -> None:
    reader = Blind(["a@example.com"] if blind else [])

    checks = asyncio.run(system().examine(reader))

    assert [(check.name, check.passed) for check in checks] == [("list of clients", True), ("search", passed)]


def test_clients_are_created_wait_for_approval_and_are_complete_when_approved(bank: Bank) -> None:
    first = bank.muster("run", bank.file(clients(3)))
    for key in bank.held():
        bank.standing.amend("customers", key, clientState="Approved")
    second = bank.muster("resume")

    assert (first.code, first.outcomes) == (5, ["pending"] * 3)
    assert {row["decision_status"] for row in first.rows} == {"Pending Approval"}
    assert (second.code, second.outcomes) == (0, ["onboarded"] * 3)
    assert bank.muster("run", bank.file(clients(3))).outcomes == ["already_onboarded"] * 3
    assert (bank.counts(), bank.calls("create_contact")) == ((3, 0), 3)


@pytest.mark.slow
def test_a_plan_counts_the_create_and_not_the_approval(bank: Bank) -> None:
    path = bank.file(clients(2))
    before = bank.muster("plan", path)
    bank.muster("run", path)

    assert "2 mutating calls" in before.stdout
    assert "0 mutating calls" in bank.muster("plan", path).stdout


def test_a_rejected_client_ends_declined(bank: Bank) -> None:
    bank.muster("run", bank.file(clients(1)))
    bank.standing.amend("customers", bank.held()[0], clientState="Rejected")
    ended = bank.muster("resume")

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["declined"], "not_approved")
    assert [line["class"] for line in ended.reconciliation] == ["match"]


@pytest.mark.slow
def test_without_the_decision_a_created_client_is_complete(bank: Bank) -> None:
    bank.settings(**QUICK, await_decision="false")
    ended = bank.muster("run", bank.file(clients(2)))

    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert ended.rows[0]["decision_status"] == "Pending Approval"
    assert bank.muster("run", bank.file(clients(2))).outcomes == ["already_onboarded"] * 2


@pytest.mark.slow
def test_without_a_number_the_decision_can_not_be_read(bank: Bank) -> None:
    bank.switch(returns_id=False)
    bank.muster("run", bank.file(clients(1)))
    bank.standing.amend("customers", bank.held()[0], clientState="Approved")
    planned = bank.muster("plan", bank.file(clients(1)))
    ended = bank.muster("resume")

    assert "would end as pending" in planned.stdout
    assert "finished" not in planned.stdout
    assert (ended.outcomes, ended.code) == (["pending"], 5)
    assert [line["class"] for line in ended.reconciliation] == ["match"]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "switches",
    [{"pascal_case": True}, {"http_ok": True}, {"search_ignores_term": True}, {"tenant_id": "bank-1"}],
    ids=lambda switches: next(iter(switches)),
)
def test_every_dialect_of_the_target_is_understood(bank: Bank, switches: Mapping[str, Any]) -> None:
    bank.switch(**switches)
    rows = [*clients(3), client(4, "Refused")]
    ended = bank.muster("run", bank.file(rows))

    assert ended.outcomes == ["pending"] * 3 + ["rejected"]
    assert (ended.rows[3]["error_code"], ended.rows[3]["reason"]) == (
        "CBS_400",
        "the target refuses the data: lastName",
    )
    assert bank.counts() == (3, 0)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("planted", "reason_code"),
    [
        ([record(client(1))], "same_person"),
        ([record(client(1), emailAddress="ADAEZE.1@example.com", phoneNumber="+234 803 000 0009")], "email_taken"),
        ([record(client(1), emailAddress="adaeze.1@EXAMPLE.com", phoneNumber="+234 803 000 0001")], "same_person"),
        ([record(client(1)), record(client(1))], "ambiguous"),
    ],
    ids=["the same", "another phone", "spelt otherwise", "two of them"],
)
def test_somebody_elses_client_is_never_adopted(bank: Bank, planted: list[dict[str, Any]], reason_code: str) -> None:
    for each in planted:
        bank.standing.plant(**each)
    ended = bank.muster("run", bank.file(clients(1)))

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["conflict"], reason_code)
    assert bank.calls("create_contact") == 0


LOST = ["drop_before_commit", "drop_after_commit", "truncated_body", "garbage_body", "empty_body"]


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", LOST)
def test_a_create_without_an_answer_is_settled_by_searching_and_never_repeated(bank: Bank, kind: str) -> None:
    bank.standing.plant(**record(client(99)))
    bank.fault("create_contact", kind)
    ended = bank.muster("run", bank.file(clients(1)))

    expected = "in_doubt" if kind == "drop_before_commit" else "pending"
    assert ended.outcomes == [expected]
    assert bank.calls("create_contact") == 1
    assert bank.counts() == ((1, 0) if kind == "drop_before_commit" else (2, 0))
    assert bank.muster("resume").outcomes == [expected]
    assert bank.calls("create_contact") == 1


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("kind", "params"), [("status", {"status": 500}), ("status_after_commit", {"status": 504})], ids=["500", "504"]
)
def test_an_error_of_the_server_is_a_doubt_that_is_not_sent_again(
    bank: Bank, kind: str, params: dict[str, int]
) -> None:
    bank.fault("create_contact", kind, **params)
    ended = bank.muster("run", bank.file(clients(1)))

    assert ended.outcomes == (["in_doubt"] if kind == "status" else ["pending"])
    assert bank.calls("create_contact") == 1


def test_a_lost_create_is_sent_once_more_when_the_operator_wants_it(bank: Bank) -> None:
    bank.settings(**QUICK, resend_unknown="true")
    bank.fault("create_contact", "drop_before_commit")
    ended = bank.muster("run", bank.file(clients(1)))

    assert (ended.outcomes, bank.counts(), bank.calls("create_contact")) == (["pending"], (1, 0), 2)


@pytest.mark.slow
def test_a_lost_create_is_sent_again_when_a_person_says_that_it_was_not_done(bank: Bank) -> None:
    bank.fault("create_contact", "drop_before_commit")
    bank.muster("run", bank.file(clients(1)))
    said = {"row": "1", "decision": "not_done", "customer_id": "", "reason": "asked the bank", "decided_by": "anna"}
    ended = bank.muster("resume", "--decisions", bank.file([said], "decisions.csv"))

    assert (ended.outcomes, bank.counts(), bank.calls("create_contact")) == (["pending"], (1, 0), 2)


def test_a_client_is_found_again_without_the_file(bank: Bank) -> None:
    bank.switch(returns_id=False)
    path = bank.file(clients(2))
    first = bank.muster("run", path).rows[0]
    bank.standing.amend("customers", first["customer_id"], phoneNumber="+234 803 999 9999")
    path.unlink()
    ended = bank.muster("reconcile", "run-1")

    found = next((bank.folder / "runs" / "run-1").glob("reconcile-*")) / "reconciliation.csv"
    classes = [(line["source_row"], line["class"], line["field"]) for line in lines(found)]
    assert (ended.code, classes) == (1, [("1", "field_difference", "phone"), ("2", "match", "")])


@pytest.mark.few(1)
@pytest.mark.parametrize("order", ["newest", "shuffled"])
def test_whatever_the_order_of_the_list_nobody_is_made_twice(bank: Bank, order: str) -> None:
    for number in range(1, 41):
        bank.standing.plant(**record(client(number)))
    bank.switch(search_ignores_term=True, list_order=order)
    bank.fault("create_contact", "drop_after_commit")
    ended = bank.muster("run", bank.file([client(1), client(40), client(101)]), "--concurrency", "1")

    assert ended.outcomes == ["conflict", "conflict", "pending"]
    assert (bank.counts(), bank.calls("create_contact")) == ((41, 0), 1)


def test_a_list_whose_pages_never_add_up_creates_nobody(bank: Bank) -> None:
    for number in range(1, 121):
        bank.standing.plant(**record(client(number)))
    bank.switch(search_ignores_term=True, list_order="shuffled")
    ended = bank.muster("run", bank.file(clients(1)))

    assert ended.outcomes[0] in {"failed", "conflict"}
    assert bank.calls("create_contact") == 0


@pytest.mark.slow
def test_a_create_that_is_sent_again_another_day_is_the_same_request(bank: Bank) -> None:
    bank.settings(**QUICK, resend_unknown="false", branch='"b-7"')
    bank.fault("create_contact", "drop_before_commit")
    bank.muster("run", bank.file(clients(1)))
    bank.settings(**QUICK, resend_unknown="true", branch='"b-8"', phone_plus="false")
    ended = bank.muster("resume")

    sent = [entry["bodySha256"] for entry in bank.sandbox.journal() if entry["operation"] == "create_contact"]
    assert (ended.outcomes, bank.counts(), len(sent), len(set(sent))) == (["pending"], (1, 0), 2, 1)


def test_a_search_that_finds_nothing_is_found_out_and_the_whole_list_is_read(bank: Bank) -> None:
    """The list shows another e-mail address than the one that searches look through."""
    planted = [bank.standing.plant(**record(client(number))) for number in range(1, 61)]
    bank.switch(search_ignores_term=True)
    rows = [client(1), *clients(2, first=101)]
    bank.fault("create_contact", "drop_after_commit")
    ended = bank.muster("run", bank.file(rows), "--concurrency", "1")

    assert ended.outcomes == ["conflict", "pending", "pending"]
    assert ended.rows[0]["reason"].startswith(f"client {planted[0]['contactEncodedKey']}")
    assert bank.counts() == (62, 0)
    assert bank.calls("create_contact") == 2


def test_a_reply_without_a_key_is_settled_by_searching(bank: Bank) -> None:
    bank.switch(reply_without_key=True)
    ended = bank.muster("run", bank.file(clients(1)))

    assert (ended.outcomes, ended.rows[0]["customer_id"]) == (["pending"], bank.held()[0])
    assert bank.counts() == (1, 0)


def test_a_refused_duplicate_that_nobody_shows_is_a_conflict(bank: Bank) -> None:
    bank.fault("create_contact", "status", status=409, body={"isSuccessful": False, "statusCode": "CBS_409"})
    ended = bank.muster("run", bank.file(clients(1)))

    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["conflict"], "email_taken")


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_at_a_create_is_finished_without_a_double(bank: Bank, when: str) -> None:
    path = bank.file(clients(6))
    bank.muster.killed("create_contact", when, 4, "run", path, "--concurrency", "3")
    ended = bank.muster("resume")

    assert set(ended.outcomes) <= {"pending", "in_doubt"}
    assert (bank.counts()[1], len(ended.rows)) == (0, 6)
    assert bank.counts()[0] + ended.outcomes.count("in_doubt") == 6


def test_a_limit_is_waited_for_and_costs_no_attempt(bank: Bank) -> None:
    bank.fault("create_contact", "throttle", [1, 2], retry_after="0")
    ended = bank.muster("run", bank.file(clients(2)))

    assert (ended.outcomes, bank.counts()) == (["pending"] * 2, (2, 0))


def test_two_rows_with_one_email_address_in_whatever_case_are_both_kept_back(bank: Bank) -> None:
    ended = bank.muster("run", bank.file([client(1), client(2, email="adaeze.1@EXAMPLE.COM"), client(3)]))

    assert ended.outcomes == ["quarantined", "quarantined", "pending"]
    assert ended.rows[0]["reason_code"] == "duplicate_in_file:email"
    assert bank.counts() == (1, 0)


def test_a_legal_customer_is_refused_before_anything_is_sent(bank: Bank) -> None:
    ended = bank.muster("run", bank.file([client(1, customer_kind="legal"), client(2, customer_kind="Individual")]))

    assert ended.outcomes == ["quarantined", "pending"]
    assert ended.rows[0]["reason_code"] == "value_invalid:customer_kind"


@pytest.mark.slow
def test_reconciling_finds_a_client_that_was_changed_and_one_that_is_gone(bank: Bank) -> None:
    bank.muster("run", bank.file(clients(3)), "--concurrency", "1")  # so that they are created in the order of the file
    changed, gone, _ = bank.held()
    bank.standing.amend("customers", changed, emailAddress="new@example.com", identificationNumber="NIN99999999")
    bank.standing.amend("customers", gone, deleted=True)
    ended = bank.muster("reconcile", "run-1", "--list")

    found = next((bank.folder / "runs" / "run-1").glob("reconcile-*")) / "reconciliation.csv"
    assert ended.code == 1
    assert [(line["source_row"], line["class"], line["field"]) for line in lines(found)] == [
        ("1", "field_difference", "email"),
        ("1", "field_difference", "national_id"),
        ("2", "missing_in_target", "customer_id"),
        ("3", "match", ""),
    ]


@pytest.mark.slow
def test_nothing_personal_is_left_behind(bank: Bank) -> None:
    rows = [*clients(2), client(3, "Refused"), client(4, email="not an address")]
    bank.fault("create_contact", "drop_after_commit")
    ended = bank.muster("run", bank.file(rows))

    said = ended.stdout + ended.stderr
    files = [
        path for path in bank.folder.rglob("*") if path.is_file() and path.name not in ("quarantine.csv", "clients.csv")
    ]
    secrets = ["Adaeze.1@", "adaeze.1@", "0000001", "NIN00000001", "maker-token", "Broad Street", "1990-01-31"]
    hits = [(path.name, secret) for path in files for secret in secrets if secret.encode() in path.read_bytes()]
    assert [hit for hit in hits if hit[1] != "0000001" or hit[0].endswith(".csv")] == []
    assert [secret for secret in secrets if secret in said] == []


@pytest.mark.parametrize(
    ("by", "found"),
    [
        (("--phone", "+234 803 000 0001"), 1),
        (("--last-name", "Okafor"), 2),
        (("--customer-id", "no-such-key"), 0),
    ],
)
def test_clients_are_looked_up_by_what_a_list_shows(bank: Bank, by: tuple[str, str], found: int) -> None:
    for row in clients(2):
        bank.standing.plant(**record(row))
    ended = bank.muster("lookup", "--i-know", *by)

    assert ended.code == (0 if found == 1 else 1)
    assert sum("customerId=" in line for line in ended.stdout.splitlines()) == found
    assert "Adaeze.1@" not in ended.stdout


def test_a_look_up_shows_the_state_as_the_status_and_the_number_that_decide_needs(bank: Bank) -> None:
    planted = bank.standing.plant(**record(client(1)), clientState="Active", state="Lagos")
    ended = bank.muster("lookup", "--customer-id", str(planted["id"]))
    (bank.folder / "ids.csv").write_text(f"customer_id\n{planted['id']}\n", encoding="utf-8")
    bank.muster("lookup", "--from", "ids.csv", "--by", "customer-id", "--to", "found.csv")

    assert f"id={planted['id']} " in ended.stdout
    assert "clientStateDescription=Active" in ended.stdout
    assert "Lagos" not in ended.stdout
    assert lines(bank.folder / "found.csv")[0]["status"] == "Active"


def test_the_credential_is_a_token_and_the_wrong_one_is_refused_at_once(bank: Bank) -> None:
    bank.using("wrong")
    assert bank.muster("run", bank.file(clients(1))).code == 4
    bank.monkeypatch.delenv("MUSTER_TOKEN")
    assert bank.muster("run", bank.file(clients(1))).code == 2
    bank.using(CHECKER)
    assert bank.muster("run", bank.file(clients(1))).outcomes == ["pending"]
