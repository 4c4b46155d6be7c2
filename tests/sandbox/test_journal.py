"""The journal as a witness: order, commits, no persons."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from jobs.sandbox.server import Sandbox

from .caller import Caller, person


def test_a_whole_onboarding_is_journalled_in_order(sandbox: Sandbox, operator: Caller) -> None:
    customer = operator.verified(1)
    wallet = operator.wallet(customer).json()["walletId"]
    operator("GET", "customers", params={"identity": person(1)["phone1"], "limit": 1})
    entries = sandbox.journal()
    assert [(entry["operation"], entry["commit"]) for entry in entries] == [
        ("login", None),
        ("create_customer", 1),
        ("trigger_kyc", 2),
        ("create_wallet", 3),
        ("search_customers", None),
    ]
    assert [entry["n"] for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry["credential"] for entry in entries[1:]] == ["operator"] * 4
    assert [entry["customerId"] for entry in entries[1:4]] == [customer] * 3
    assert (entries[3]["walletId"], entries[3]["externalUniqueId"]) == (wallet, "wal-000001")
    assert entries[4]["query"] == ["identity", "limit"]
    assert {entry["status"] for entry in entries} == {200}


def test_times_never_go_back_and_a_commit_lies_after_its_arrival(sandbox: Sandbox, operator: Caller) -> None:
    for number in range(20):
        operator.create(number)
    entries = sandbox.journal()
    arrivals = [entry["monotonic"] for entry in entries]
    assert arrivals == sorted(arrivals)
    assert all(entry["committedMonotonic"] >= entry["monotonic"] for entry in entries if entry["committed"])


def test_a_repetition_can_be_told_from_another_request(sandbox: Sandbox, operator: Caller) -> None:
    for number in (1, 1, 2):
        operator.create(number)
    operator("GET", "customers", params={"limit": 1})
    *made, read = [entry["bodySha256"] for entry in sandbox.journal()][1:]

    assert (made[0] == made[1] != made[2], read) == (True, None)


def test_no_value_of_a_person_and_no_secret_is_journalled(sandbox: Sandbox, operator: Caller) -> None:
    operator.create(1)
    operator.create(2, phone1="+2782")
    operator("GET", "customers", params={"identity": person(1)["nationalIdentityNumber"]})
    text = str(sandbox.journal()) + str(sandbox.snapshot())
    secret = [person(1)[name] for name in ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber")]
    secret += [sandbox.password, operator.headers["Authorization"].split(".")[1]]
    assert [value for value in secret if value in text] == []


def test_commits_of_many_clients_are_numbered_without_gap_and_match_the_records(sandbox: Sandbox) -> None:
    def work(worker: int) -> list[int]:
        with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
            # Every number is tried by two workers: one of them must get 409.
            return [caller.create(number).status_code for number in range(worker // 2 * 20, worker // 2 * 20 + 20)]

    with ThreadPoolExecutor(8) as pool:
        codes = [code for answered in pool.map(work, range(8)) for code in answered]
    committed = sorted((entry for entry in sandbox.journal() if entry["committed"]), key=lambda entry: entry["commit"])
    assert (codes.count(200), codes.count(409)) == (80, 80)
    assert [entry["commit"] for entry in committed] == list(range(1, 81))
    stored = [customer["customerId"] for customer in sandbox.snapshot()["customers"]]
    assert [entry["customerId"] for entry in committed] == stored


def test_a_commit_is_journalled_before_its_reply(sandbox: Sandbox, operator: Caller, control: httpx.Client) -> None:
    sandbox.faults([{"operation": "create_customer", "kind": "delay", "params": {"seconds": 0.5, "when": "after"}}])
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(operator.create, 1)
        while not (open_entries := [e for e in control.get("/journal").json()["entries"] if e["committed"]]):
            assert not reply.done()
        assert (open_entries[0]["status"], open_entries[0]["delivered"]) == (None, None)
        assert reply.result().status_code == 200


def test_the_journal_can_be_read_on_from_a_number(operator: Caller, control: httpx.Client) -> None:
    for number in range(5):
        operator.create(number)
    page = control.get("/journal", params={"after": 2, "limit": 3}).json()
    assert ([entry["n"] for entry in page["entries"]], page["last"]) == ([3, 4, 5], 6)
