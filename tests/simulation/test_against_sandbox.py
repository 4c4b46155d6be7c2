"""The simulated target and the sandbox give the same answers, call by call, to whatever sequence of calls.

Compared are the status and the members that the adapter reads; ids by the order in which they were given, times by
their form. Where the two rightly differ, and what is done about it here:

time       A KYC of the sandbox is decided by being read, one of the target by the passing of time: with `kyc_polls` 0
           every KYC is read whenever one is, and time passes for the target just then. Of several KYC of a customer
           only the newest is compared, which is the one that the adapter reads: reading decides no other.
people     The sandbox goes by the end of a last name, the target by the identity number: PEOPLE have both.
manners    What the documents leave open (page size, loose search, keys shown, types shown early, unique phones) the
           target varies by its seed; here it does as the sandbox does. Statuses that are missing and `allowed` that is
           spelt differently are liberties that only the target takes.
tokens     Those of the target expire in virtual time; here none expires.
not there  Other filters than `identity`, HEAD, PUT, addresses, documents, identities, portal users, the members of a
           trigger: the engine's three steps do not use them, and the target does not know them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.sandbox.server import Sandbox
from tests.examples import some

from .population import Persona
from .records import Manners
from .sides import Caller, Model, Served

TYPES = ((5001, True), (5002, False))
NONE = ((5001, False), (5002, False))
NEVER = 1e9
SLOWLY = 0.5
"""Seconds of a slow KYC; a poll comes a second later."""

PEOPLE: Mapping[str, tuple[str, Persona]] = {
    "9001015001": ("Nkosi", Persona("plain", types=TYPES)),
    "9001015002": ("NkosiKycslow", Persona("slow", seconds=SLOWLY, types=TYPES)),
    "9001015003": ("NkosiKycfail", Persona("declined", verdict="FAILED", types=TYPES)),
    "9001015004": ("NkosiKYCSLOWFAIL", Persona("slowly declined", verdict="FAILED", seconds=SLOWLY, types=TYPES)),
    "9001015005": ("NkosiKycstuck", Persona("stuck", seconds=NEVER, types=TYPES)),
    "9001015006": ("NkosiKycodd", Persona("odd", verdict="REFERRED", types=TYPES)),
    "9001015007": ("NkosiRefused", Persona("refused", refused=True)),
    "9001015008": ("NkosiNowallet", Persona("no type", types=NONE)),
    "9001015009": ("NkosiTwowallets", Persona("two types", types=((5001, True), (5002, True)))),
    "ab-1010": ("Nkosi", Persona("letters", types=TYPES)),
    "AB-1010": ("Nkosi", Persona("letters", types=TYPES)),
}
PHONES = tuple(f"2782000111{number}" for number in range(6))
KEYS = tuple(f"cust-{number}" for number in range(8))

Step = tuple[Any, ...]


def made(step: Step, caller: Caller) -> Any:
    """What one side gives for `step`."""
    match step:
        case "login", changes:
            return caller.call("POST", "/authentication/login", body=spoilt(dict(caller.side.login), changes))
        case "renew", changes:
            body = {"jwt": caller.auth.removeprefix("Bearer ")}
            return caller.call("POST", "/authentication/renew", body=spoilt(body, changes))
        case "bad token", auth:
            kept, caller.auth = caller.auth, auth.replace("TOKEN", caller.auth.partition(" ")[2])
            found = caller.call("GET", f"{caller.own}/customers", {"identity": PHONES[0]})
            caller.auth = kept
            return found
        case "create", number, phone, key, changes:
            return caller.call("POST", f"{caller.own}/customers", body=spoilt(person(number, phone, key), changes))
        case "search", query:
            return caller.call("GET", f"{caller.own}/customers", query)
        case "poll", who, query:
            caller.side.wait()
            ids = [*range(len(caller.customers)), who]
            return [caller.call("GET", f"{caller.customer(each)}/ratify", query) for each in ids]
        case "wallet", who, key, changes:
            wanted = {
                "walletTypeId": 5001,
                "currency": "ZAR",
                "status": "ACTIVE",
                "externalUniqueId": key,
                "version": 0,
            }
            return caller.call("POST", f"{caller.customer(who)}/wallets", body=spoilt(wanted, changes))
        case method, tail, who, query:
            return caller.call(method, f"{caller.customer(who)}{tail}", query, {} if method == "POST" else None)
        case "elsewhere", method, path:
            return caller.call(method, path.replace("OTHER", str(int(caller.side.tenant) + 1)))
    raise AssertionError(step)


def person(number: str, phone: str, key: str) -> dict[str, Any]:
    """A create that fits."""
    names = {"firstName": "Thandi", "lastName": PEOPLE[number][0], "email": "thandi@example.com"}
    ids = {"phone1": phone, "nationalIdentityNumber": number, "externalUniqueId": key}
    return {**names, **ids, "userTypeId": 1, "version": 0}


def spoilt(body: dict[str, Any], changes: Any) -> Any:
    """`body` with `changes`, of which None takes a member away; another thing than changes is the body itself."""
    if not isinstance(changes, dict):
        return changes
    return {name: value for name, value in (body | changes).items() if value is not None}


def often(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Mostly `usual`."""
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), st.sampled_from(others))


FIRST = {"offset": "0", "limit": "1"}
WHO = st.sampled_from([0, 0, 0, 1, 1, 2, 5, "abc", "0", "999999999"])
PAGES = often({}, FIRST, {"limit": "2", "offset": "1"}, {"limit": "x"}, {"offset": "-1"}, {"limit": "0"})
BAD_PEOPLE: Sequence[Any] = (
    *({name: None} for name in person("9001015001", PHONES[0], KEYS[0])),
    *({"phone1": value} for value in ("+27820001111", "0820001111", "2782", "", 27820001111, "27 82 000 1111")),
    *({"email": value} for value in ("", "thandi", "a@b@c", 5)),
    *({"externalUniqueId": value} for value in ("short", "k" * 101, "  cust  ", 7)),
    *({"version": value} for value in (1, True, "0", 0.0)),
    *({"userTypeId": value} for value in ("1", True, 1.0)),
    *({"firstName": value} for value in ("", " ", 5)),
    *([], "text", {"nationalIdentityNumber": " "}),
)
BAD_WALLETS: Sequence[Any] = (
    *({name: None} for name in ("walletTypeId", "currency", "status", "externalUniqueId", "version")),
    *({"walletTypeId": value} for value in (5002, 5999, "5001", True)),
    *({"currency": value} for value in ("zar", "", 5)),
    *({"status": "BLOCKED"}, {"version": 1}, {"externalUniqueId": "short"}, [], "text"),
)
LOGINS: Sequence[Any] = (
    *({"password": value} for value in ("wrong-password", None, "x", 5)),
    *({"identity": value} for value in ("nobody", None, "x", 5)),
    *([], "text"),
)
QUERIES = st.builds(
    lambda value, page: ({} if value is None else {"identity": value}) | page,
    st.sampled_from([None, *PHONES[:3], *PEOPLE, "9001015", "0820001110", ""]),
    PAGES,
)
NUMBER, PHONE, KEY = (st.sampled_from(list(names)) for names in (PEOPLE, PHONES, KEYS))
ELSEWHERE = (
    *("/tenants/OTHER/customers", "/tenants/OTHER/customers/1", "/tenants/OTHER/customers/1/wallets", "/tenants"),
    *("/tenants/OTHER/nothing", "/tenants/OTHER/customers/1/nothing", "/nothing/OTHER/customers"),
    "/authentication/nothing",
)


def step(kind: str, *parts: Any) -> st.SearchStrategy[Step]:
    """A step of these parts, which are drawn or stand for themselves."""
    return st.tuples(st.just(kind), *(part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts))


KYC, POLL = step("POST", "/ratify", WHO, {}), step("poll", WHO, FIRST)
WALLET = step("wallet", WHO, KEY, {})
STEPS = st.one_of(
    step("create", NUMBER, PHONE, KEY, {}),
    step("create", NUMBER, PHONE, KEY, st.sampled_from(BAD_PEOPLE)),
    step("search", QUERIES),
    *(KYC, KYC, POLL, WALLET, WALLET),
    step("poll", WHO, st.sampled_from([{"limit": "x"}, {"limit": "1", "offset": "-1"}])),
    step("GET", st.sampled_from(["", "/wallet-types"]), WHO, {}),
    step("GET", "/wallets", WHO, PAGES),
    step("wallet", WHO, KEY, st.sampled_from(BAD_WALLETS)),
    step("login", st.sampled_from([{}, *LOGINS])),
    step("renew", st.sampled_from([{}, {"jwt": "nothing"}, {"jwt": None}, {"jwt": 5}, []])),
    step("bad token", st.sampled_from(["", "Bearer", "Bearer nothing", "bearer TOKEN", "TOKEN"])),
    step("elsewhere", st.sampled_from(["GET", "POST", "DELETE"]), st.sampled_from(ELSEWHERE)),
)
HISTORIES = st.builds(
    lambda *parts: [*parts[:-1], *parts[-1]],
    step("create", NUMBER, PHONES[0], KEYS[0], {}),
    step("create", NUMBER, PHONES[1], KEYS[1], {}),
    step("POST", "/ratify", 0, {}),
    st.lists(STEPS, min_size=15, max_size=40),
)
"""Two customers, and whatever may happen to them."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(kyc_polls=0) as running:
        yield running


@pytest.fixture(scope="module")
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
        yield client


def pair(sandbox: Sandbox, http: httpx.Client, shown: tuple[bool, bool]) -> tuple[Caller, Caller]:
    """Both, empty, and logged in."""
    sandbox.reset()
    sandbox.configure(show_external_ids=shown[0], show_wallet_external_ids=shown[1])
    manners = Manners(shown[0], shown[1], page=1000, loose=False, types_early=False, token_seconds=1e6)
    both = (
        Caller(Model({number: persona for number, (_, persona) in PEOPLE.items()}, manners)),
        Caller(Served(sandbox, http)),
    )
    for caller in both:
        made(("login", {}), caller)
    return both


def all_there_is(customers: int) -> list[Step]:
    """Reads everything."""
    tails = ("", "/wallet-types", "/wallets")
    reads: list[Step] = [("GET", tail, who, {}) for who in range(customers) for tail in tails]
    return [("search", {}), *reads, ("poll", 0, FIRST), *reads]


@settings(max_examples=some(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(HISTORIES, st.tuples(st.booleans(), st.booleans()))
def test_the_simulated_target_answers_as_the_sandbox_does(
    sandbox: Sandbox, http: httpx.Client, steps: list[Step], shown: tuple[bool, bool]
) -> None:
    model, served = pair(sandbox, http, shown)
    done: list[Step] = []
    for step in steps:
        done.append(step)
        assert made(step, model) == made(step, served), done
    for step in all_there_is(len(served.customers)):
        assert made(step, model) == made(step, served), [*done, step]


@pytest.mark.parametrize("number", PEOPLE)
def test_a_whole_row_goes_the_same_way(sandbox: Sandbox, http: httpx.Client, number: str) -> None:
    model, served = pair(sandbox, http, (True, True))
    steps: list[Step] = [
        ("search", {"identity": number}),
        ("create", number, PHONES[0], KEYS[0], {}),
        ("create", number, PHONES[1], KEYS[1], {}),
        ("poll", 0, FIRST),
        ("wallet", 0, KEYS[2], {}),
        ("POST", "/ratify", 0, {}),
        *[("poll", 0, FIRST)] * 2,
        ("GET", "/wallet-types", 0, {}),
        *[("wallet", 0, KEYS[2], {"walletTypeId": kind}) for kind in (5001, 5001, 5002)],
        ("POST", "/ratify", 0, {}),
        ("GET", "/wallet-types", 0, {}),
        *[("poll", 0, FIRST)] * 2,
    ]
    for step in (*steps, *all_there_is(1)):
        assert made(step, model) == made(step, served), step


def test_a_member_that_is_missing_is_noticed(sandbox: Sandbox, http: httpx.Client) -> None:
    model, served = pair(sandbox, http, (True, True))
    for caller in (model, served):
        made(("create", "9001015001", PHONES[0], KEYS[0], {}), caller)
    sandbox.configure(show_external_ids=False)

    assert made(("GET", "", 0, {}), model) != made(("GET", "", 0, {}), served)
