"""What must hold, whatever happened: the target's own books against the ledger. Names as in docs/reliability.md."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.systems.row import Row

from .disk import opened
from .population import Ending
from .records import Customer
from .world import WORKERS, Ran, World

COMPLETE = frozenset({Outcome.ONBOARDED, Outcome.ALREADY_ONBOARDED})
ABSENT = frozenset({Outcome.FAILED, Outcome.REJECTED, Outcome.NOT_ATTEMPTED})
"""Outcomes which say that the step that ended the row is not done, and will not be."""

UNAUTHORISED = 401


def after_every_run(world: World) -> list[str]:
    """What must hold at any moment, also right after a crash."""
    with opened(world.url) as store:
        return [
            *(f"I5/I6 {offence}" for offence in world.target.offences),
            *known_to_the_ledger(world, store),
            *within_the_window(world),
            *fenced(world),
            *masked(world),
            *(problem for ran in world.runs if ran.complete for problem in one_outcome_a_row(world, store, ran)),
        ]


def after_a_complete_run(world: World, ran: Ran) -> list[str]:
    """What the outcomes of a run claim, held against the target."""
    with opened(world.url) as store:
        outcomes = outcomes_of(store, ran.run_id)
    return [problem for row in world.population.rows for problem in claims(world, row.key, outcomes[row.source_row])]


def at_the_end(world: World, ran: Ran) -> list[str]:
    """What must hold when all faults have passed and every row had its chances."""
    with opened(world.url) as store:
        outcomes = outcomes_of(store, ran.run_id)
        facts = {key: record.record.facts for key, record in store.known(1, keys_of(world)).items()}
    found = [*delivered(world, facts), *nothing_twice(world)]
    for row in world.population.rows:
        outcome, expected = outcomes[row.source_row], expected_of(world, row)
        if not as_expected(outcome["outcome"], expected) and not excused(world, row.key, outcome):
            ended = f"{outcome['outcome']} ({outcome['reason_code']}, {outcome['reason']})"
            found.append(f"I10 row {row.source_row} ended {ended}, without faults {expected}")
    return found


def known_to_the_ledger(world: World, store: Store) -> Iterator[str]:
    """I4: every write that the target saw was an intent first, under the same key."""
    event = tables.event.c
    with store.engine.connect() as connection:
        intents = Counter(
            tuple(row) for row in connection.execute(select(event.key, event.step).where(event.kind == "intent"))
        )
    seen = Counter(
        (arrival.key, arrival.step)
        for arrival in world.target.journal
        if arrival.step is not None and arrival.status != UNAUTHORISED
    )
    for place, count in seen.items():
        if count > intents[place]:
            yield f"I4 {place} arrived {count} times, intended {intents[place]} times"


def within_the_window(world: World) -> Iterator[str]:
    """I7: no sliding window of the target's own clock holds more writes than the limit."""
    at = sorted(arrival.at for arrival in world.target.journal if arrival.step is not None)
    rate = world.rate
    for first, last in zip(at, at[rate.calls :], strict=False):
        if last - first < rate.seconds:
            yield f"I7 {rate.calls + 1} writes within {last - first:.3f} s"


def fenced(world: World) -> Iterator[str]:
    """I16: who lost the lease sends nothing more but what its workers had in their hands."""
    for moment in world.robbed:
        after = [arrival for arrival in world.target.journal if arrival.step and arrival.at > moment]
        if len(after) > WORKERS:
            yield f"I16 {len(after)} writes by a process without a lease"


def masked(world: World) -> Iterator[str]:
    """I8: the ledger's files hold no identity number, phone or e-mail of any row."""
    content = b"".join(path.read_bytes() for path in sorted(world.folder.iterdir()))
    for row in world.population.rows:
        for name in ("national_id", "phone", "email"):
            if row.values[name].encode() in content:
                yield f"I8 the {name} of row {row.source_row} is in the ledger"


def one_outcome_a_row(world: World, store: Store, ran: Ran) -> Iterator[str]:
    """I1: each row of a run that ended has exactly one outcome."""
    have = sorted(outcomes_of(store, ran.run_id))
    if have != [row.source_row for row in world.population.rows]:
        yield f"I1 {ran.run_id} has outcomes for rows {have}"


def delivered(world: World, facts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """I3: the id of every create whose answer reached a client is in the ledger."""
    known = {fact.get(name) for fact in facts.values() for name in ("customer_id", "wallet_id")}
    for operation, server_id in world.network.delivered:
        if server_id not in known:
            yield f"I3 {operation} gave {server_id}, which the ledger does not know"


def nothing_twice(world: World) -> Iterator[str]:
    """I2: no identity has two customers of ours, no customer two wallets of a type."""
    customers = defaultdict(list)
    for customer in world.target.customers.values():
        if not customer.stranger:
            customers[customer.fields["nationalIdentityNumber"]].append(customer)
    for held in customers.values():
        if len(held) > 1:
            yield f"I2 {len(held)} customers for one row"
        for customer in held:
            if len(customer.wallets) != len({wallet.kind for wallet in customer.wallets}):
                yield f"I2 customer {customer.customer_id} has two wallets of a type"


def claims(world: World, key: str, outcome: Mapping[str, Any]) -> Iterator[str]:
    """I12: an outcome is true at the target; what is not known is said to be in doubt.

    Only what this ledger's runs made counts: a customer of an earlier ledger need not be seen before the first look.
    """
    where = f"{outcome['run_id']} row {outcome['source_row']}"
    customer = next((held for held in world.target.ours(key) if held.created >= 0), None)
    told = Outcome(outcome["outcome"])
    if told in COMPLETE and not complete(next(iter(world.target.ours(key)), None), outcome, world.now()):
        yield f"I12 {where} is {told}, which is not so at the target"
    if told is Outcome.FAILED and done(customer, outcome["failed_step"]):
        yield f"I12 {where} failed at {outcome['failed_step']} ({outcome['reason']}), which is done at the target"
    if told in ABSENT and world.network.coming(key):
        yield f"I12 {where} is {told}, and a write for it is still on its way"
    if told in {Outcome.NOT_ATTEMPTED, Outcome.REJECTED} and customer is not None:
        yield f"I12 {where} is {told}, but its customer is there"
    if told in {Outcome.DECLINED, Outcome.NOT_ELIGIBLE} and customer and customer.wallets:
        yield f"I12 {where} is {told}, and has a wallet"
    if told is Outcome.DECLINED and customer and verdict(customer, world.now()) != "FAILED":
        yield f"I12 {where} is declined on KYC {verdict(customer, world.now())}"


def complete(customer: Customer | None, outcome: Mapping[str, Any], now: float) -> bool:
    """Ours, verified, and with the one wallet that the outcome names."""
    return (
        customer is not None
        and not customer.stranger
        and str(customer.customer_id) == outcome["customer_id"]
        and verdict(customer, now) == "PASSED"
        and [str(wallet.wallet_id) for wallet in customer.wallets] == [outcome["wallet_id"]]
    )


def done(customer: Customer | None, step: str) -> bool:
    """Whether a step left a trace at the target."""
    if customer is None or step == "customer":
        return customer is not None
    return bool(customer.verifications if step == "kyc" else customer.wallets)


def verdict(customer: Customer, now: float) -> str | None:
    """The status of the newest KYC."""
    return customer.verifications[-1].status(now) if customer.verifications else None


def expected_of(world: World, row: Row) -> Ending:
    """How a row ends without faults; a customer of an earlier ledger that shows no key can't be proven ours."""
    persona = world.population.persona(row)
    unproven = persona.planted == "ours" and not world.manners.show_keys
    return Ending.CONFLICT if unproven else persona.ending


def as_expected(outcome: str, expected: Ending) -> bool:
    """Whether a row ended as it does without faults."""
    return outcome in COMPLETE if expected is Ending.COMPLETE else outcome == expected


def excused(world: World, key: str, outcome: Mapping[str, Any]) -> bool:
    """Whether what happened leaves nothing better to say.

    An unanswered trigger of which nothing is to be seen, twice, is for a person; a refusal as "taken" without cause
    is a conflict; a key that the target never shows can't prove a customer whose create it called taken.
    """
    customer = next(iter(world.target.ours(key)), None)
    if outcome["outcome"] == Outcome.IN_DOUBT and outcome["failed_step"] == "kyc":
        return customer is not None and not customer.verifications
    if outcome["outcome"] == Outcome.CONFLICT:
        hidden = not world.manners.show_keys and key in world.network.unproven
        return key in world.network.spurious | world.strangers or hidden
    return False


def outcomes_of(store: Store, run_id: str) -> dict[int, Mapping[str, Any]]:
    """The outcome rows of a run by source row."""
    return {row["source_row"]: row for window in store.outcomes(run_id) for row in window}


def keys_of(world: World) -> list[str]:
    """The keys of all rows."""
    return [row.key for row in world.population.rows]
