"""Who is there is learnt from a listing where that costs less than searching for each row; both find the same."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from jobs.engine.case import Case
from jobs.engine.newcomers import Newcomers
from jobs.errors import NotPermitted
from jobs.sandbox.server import Sandbox
from jobs.systems.eclipse.customer import marks_of
from jobs.systems.eclipse.system import Eclipse
from jobs.systems.messages import ReadFailed
from jobs.systems.sighting import Listed

from .muster import Ended, Muster, arrivals, standing, writes
from .people import Row, people, person, record

Filed = Callable[[list[Row]], Path]

NEW = 10


@pytest.fixture(autouse=True)
def _worth(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows are worth a listing."""
    monkeypatch.setattr("jobs.systems.listing.WORTH_SPARING", NEW)


def calls(sandbox: Sandbox, after: int = 0) -> Counter[str]:
    """Calls by operation; those of a search that name nobody are `list`."""
    return Counter(
        "list" if each["operation"] == "search_customers" and "identity" not in each["query"] else each["operation"]
        for each in sandbox.journal(after)
    )


@pytest.fixture
def searching(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on no listing is worth its pages."""
    return lambda: monkeypatch.setattr("jobs.systems.listing.WORTH_SPARING", 1_000_000)


def test_a_new_row_costs_three_writes_and_five_reads_at_most(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of(people(NEW)))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * NEW)
    found = calls(sandbox)
    assert len(writes(sandbox)) == 3 * NEW
    assert found["wallet_types"] == NEW
    assert found["list_wallets"] == found["read_kyc"] + NEW == 2 * NEW  # before its wallet, and in the fresh read
    assert found["get_customer"] == 0
    assert found["search_customers"] == 2 * 3  # three are looked for all the same
    assert found["list"] <= 6
    again = arrivals(sandbox)
    assert muster("run", muster.folder / "customers.csv").outcomes == ["already_onboarded"] * NEW
    assert writes(sandbox, again) == []


def scenario(sandbox: Sandbox) -> list[Row]:
    """Rows of every kind, and who is there before: strangers by phone, by number, by both, doubles, other spellings."""
    phone, number, both, double, dialled, spelt, loose = (person(each) for each in range(101, 108))
    sandbox.plant(**record(person(901), phone1=phone["phone"]))
    sandbox.plant(**record(person(902), nationalIdentityNumber=number["national_id"]))
    sandbox.plant(**record(both))
    for key in ("a", "b"):
        sandbox.plant(**record(double, externalUniqueId=f"else-{key}"))
    sandbox.plant(**record(person(903), phone1="0" + dialled["phone"][2:]))
    sandbox.plant(
        **record(person(904), nationalIdentityNumber=f"{spelt['national_id'][:6]} {spelt['national_id'][6:]}")
    )
    sandbox.plant(**record(person(905), phone1="+" + loose["phone"]))
    return [*people(NEW), phone, number, both, double, dialled, spelt, loose]


def told(ended: Ended) -> list[tuple[str, str, str]]:
    return [(line["outcome"], line["reason_code"], line["customer_origin"]) for line in ended.rows]


@pytest.mark.parametrize("enforcing", [pytest.param(True, marks=pytest.mark.slow), False])
def test_both_ways_find_the_same(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    monkeypatch: pytest.MonkeyPatch,
    searching: Callable[[], None],
    enforcing: bool,
) -> None:
    if not enforcing:
        monkeypatch.setattr("jobs.sandbox.eclipse.customers._refuse_taken", lambda *_, **__: None)
    found = []
    for way in ("listing", "searching"):
        if way == "searching":
            searching()
        sandbox.reset()
        rows = scenario(sandbox)
        before = arrivals(sandbox)
        first = muster("run", file_of(rows), "--ledger", f"sqlite:///{way}.db")
        here = calls(sandbox, before)
        assert (here["list"] > 0) is (way == "listing")
        lost = muster("run", file_of([*rows, *people(NEW, first=200)]), "--ledger", f"sqlite:///{way}-2.db")
        found.append((told(first), told(lost), [standing(sandbox, row["national_id"]) for row in rows]))
    assert found[0] == found[1]
    outcomes = Counter(outcome for outcome, *_ in found[0][0])
    assert outcomes == {"onboarded": NEW + 3, "conflict": 4}  # the target does not find three by their other spelling
    assert Counter(found[0][1]) >= Counter(
        {("already_onboarded", "", "adopted"): NEW, ("onboarded", "", "created"): NEW}
    )


def test_who_comes_after_the_listing_is_met_by_the_create_and_judged(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, listing = people(NEW), Newcomers.expect

    async def late(newcomers: Newcomers, cases: Sequence[Case], more: int) -> None:
        await listing(newcomers, cases, more)
        sandbox.state.add_customer(sandbox.tenant, {**record(rows[-1]), "userTypeId": 1, "externalUniqueId": "x"}, 0)

    monkeypatch.setattr(Newcomers, "expect", late)
    ended = muster("run", file_of(rows))
    assert ended.counts == {"onboarded": NEW - 1, "conflict": 1}
    assert ended.rows[-1]["reason_code"] == "unproven"


COVERED = {"customerId": 7, "nationalIdentityNumber": "90******09087", "phone1": "2782****567"}


@pytest.mark.few(1)
@pytest.mark.parametrize("shown", [NotPermitted("no"), ReadFailed("no list"), [], [marks_of(COVERED)]])
def test_a_listing_that_does_not_show_who_is_there_is_not_believed(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    monkeypatch: pytest.MonkeyPatch,
    shown: Exception | list[frozenset[str] | None],
) -> None:
    async def listing(*_: object) -> AsyncIterator[list[Listed]]:
        if isinstance(shown, Exception):
            raise shown
        yield [Listed("7", None, None, {}, each) for each in shown]

    monkeypatch.setattr(Eclipse, "listing", listing)
    rows = people(NEW)
    for row in rows[:2]:
        sandbox.plant(**record(row))
    before = arrivals(sandbox)
    ended = muster("run", file_of(rows), "--concurrency", "8")
    assert ended.counts == {"onboarded": NEW - 2, "conflict": 2}
    assert calls(sandbox, before)["create_customer"] == NEW - 2


def test_an_old_listing_is_not_believed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.engine.newcomers.HOLDS_SECONDS", 0.0)
    before = arrivals(sandbox)
    assert muster("run", file_of(people(NEW))).code == 0
    assert calls(sandbox, before)["search_customers"] == 2 * NEW
