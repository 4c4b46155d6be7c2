"""What must hold, whatever happened: the target's own books against the ledger. Names as in docs/reliability.md."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from jobs.engine.driver import SETTLE_SECONDS
from jobs.ledger import tables
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.systems.contract import CLOCK_SKEW
from jobs.systems.row import Row

from .disk import looked_into
from .draws import USUAL
from .faults import Fault
from .population import Ending
from .records import Customer
from .target import OTHER_TYPE
from .world import WORKERS, Ran, World

COMPLETE = frozenset({Outcome.ONBOARDED, Outcome.ALREADY_ONBOARDED})
ABSENT = frozenset({Outcome.FAILED, Outcome.REJECTED, Outcome.NOT_ATTEMPTED})
"""Outcomes which say that the step that ended the row is not done, and will not be."""

OPEN = frozenset({Outcome.IN_DOUBT, Outcome.PENDING})
"""Outcomes which say that something is not known yet."""

UNAUTHORISED = 401

LONGEST_CALL = 95.0
"""Seconds: a KYC trigger may take 90."""


def after_every_run(world: World) -> list[str]:
    """What must hold at any moment, also right after a crash."""
    with looked_into(world.url) as store:
        return [
            *(f"I5/I6 {offence}" for offence in world.target.offences),
            *known_to_the_ledger(world, store),
            *within_the_window(world),
            *fenced(world),
            *masked(world),
            *quick(world.runs[-1]),
            *(problem for ran in world.runs if ran.complete for problem in one_outcome_a_row(world, store, ran)),
        ]


def after_a_complete_run(world: World, ran: Ran) -> list[str]:
    """What the outcomes of a run claim, held against the target."""
    with looked_into(world.url) as store:
        outcomes = outcomes_of(store, ran.run_id)
    found = []
    for row in world.population.rows:
        outcome = outcomes[row.source_row]
        found += [*claims(world, row.key, outcome), *waited(world, ran, row.key, outcome)]
    return found


def at_the_end(world: World, ran: Ran) -> list[str]:
    """What must hold when all faults have passed and every row had its chances."""
    with looked_into(world.url) as store:
        outcomes = outcomes_of(store, ran.run_id)
        facts = {key: record.record.facts for key, record in store.known(1, keys_of(world)).items()}
    misdated = {row.key for row in world.population.rows if dated_wrongly(world, row, outcomes[row.source_row])}
    found = [*delivered(world, facts, misdated), *nothing_twice(world)]
    for row in world.population.rows:
        outcome, expected = outcomes[row.source_row], expected_of(world, row)
        if not as_expected(outcome["outcome"], expected) and not excused(world, row, outcome):
            ended = f"{outcome['outcome']} ({outcome['reason_code']}, {outcome['reason']})"
            found.append(f"I10 row {row.source_row} ended {ended}, without faults {expected}")
    return found


def known_to_the_ledger(world: World, store: Store) -> Iterator[str]:
    """I4: every write that the target saw was an intent first, for the same row and under the key that it carries."""
    event = tables.event.c
    wanted = select(event.key, event.step, event.write_key).where(event.kind == "intent")
    with store.engine.connect() as connection:
        intents = Counter(tuple(row) for row in connection.execute(wanted))
    seen = Counter(
        (arrival.key, arrival.step, arrival.write_key)
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


def quick(ran: Ran) -> Iterator[str]:
    """I19: a process is never silent for longer than a call, a poll or a window takes, whatever its clock does."""
    longest = LONGEST_CALL + 1.1 * ran.poll
    if ran.silence > longest:
        yield f"I19 {ran.run_id} did nothing for {ran.silence:.0f} s"


def waited(world: World, ran: Ran, key: str, outcome: Mapping[str, Any]) -> Iterator[str]:
    """I20: a row that ended otherwise than well or in doubt has no unanswered write younger than the settling time.

    Of the step at which it ended: an earlier one was shown to be done, and its repetition is refused by its key.
    """
    told, ended = Outcome(outcome["outcome"]), ran.ended[outcome["source_row"]]
    if told in COMPLETE | OPEN:
        return
    for written in world.network.written:
        age = ended - written.at
        proven = told is Outcome.DECLINED and written.step == "kyc"
        if (written.key, written.step) != (key, outcome["failed_step"]) or written.answered or proven:
            continue
        if 0 <= age < SETTLE_SECONDS - 0.01:
            where = f"{ran.run_id} row {outcome['source_row']}"
            yield f"I20 {where} is {told} {age:.1f} s after an unanswered {written.step}"


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


def delivered(world: World, facts: Mapping[str, Mapping[str, str]], misdated: Collection[str]) -> Iterator[str]:
    """I3: the id of every create whose answer reached a client is in the ledger; but for rows that are `misdated`."""
    known = {fact.get(name) for fact in facts.values() for name in ("customer_id", "wallet_id")}
    for customer in world.target.customers.values():
        if customer.key in misdated:
            known |= {str(customer.customer_id), *(str(wallet.wallet_id) for wallet in customer.wallets)}
    for operation, server_id in world.network.delivered:
        if server_id not in known:
            yield f"I3 {operation} gave {server_id}, which the ledger does not know"


def nothing_twice(world: World) -> Iterator[str]:
    """I2: no identity has two customers of ours, no customer two wallets of ours, or two of one type by whomever."""
    customers = defaultdict(list)
    for customer in world.target.customers.values():
        if not customer.stranger:
            customers[customer.fields["nationalIdentityNumber"]].append(customer)
    for held in customers.values():
        if len(held) > 1:
            yield f"I2 {len(held)} customers for one row"
        for customer in held:
            kinds = [wallet.kind for wallet in customer.wallets]
            if len(customer.made) > 1 or len(kinds) != len(set(kinds)):
                own = [wallet.kind for wallet in customer.made]
                yield f"I2 customer {customer.customer_id} has wallets of types {kinds}, {own} of them by us"


def claims(world: World, key: str, outcome: Mapping[str, Any]) -> Iterator[str]:
    """I12: an outcome is true at the target; what is not known is said to be in doubt.

    Only what this ledger's runs made counts: a customer of an earlier ledger need not be seen before the first look.
    """
    where = f"{outcome['run_id']} row {outcome['source_row']}"
    customer = next((held for held in world.target.ours(key) if held.created >= 0), None)
    told = Outcome(outcome["outcome"])
    if told in COMPLETE and not complete(next(iter(world.target.ours(key)), None), outcome):
        yield f"I12 {where} is {told}, which is not so at the target"
    if told in {Outcome.FAILED, Outcome.REJECTED} and done(customer, outcome["failed_step"]):
        yield f"I12 {where} is {told} at {outcome['failed_step']} ({outcome['reason']}), which is done at the target"
    if told in ABSENT and world.network.coming(key, outcome["failed_step"]):
        yield f"I12 {where} is {told}, and a write for it is still on its way"
    if told is Outcome.NOT_ATTEMPTED and customer is not None:
        yield f"I12 {where} is {told}, but its customer is there"
    if told in {Outcome.DECLINED, Outcome.NOT_ELIGIBLE} and customer and customer.made:
        yield f"I12 {where} is {told}, and has a wallet"
    if told is Outcome.DECLINED and customer and "FAILED" not in customer.told:
        yield f"I12 {where} is declined on a KYC that was never FAILED"
    named = f"{outcome['wallet_id']} {outcome['reason']}"
    for wallet in customer.made if customer and told not in OPEN else ():
        if str(wallet.wallet_id) not in named:
            yield f"I21 {where} is {told} and does not name wallet {wallet.wallet_id} of type {wallet.kind}"


def complete(customer: Customer | None, outcome: Mapping[str, Any]) -> bool:
    """Ours, verified, and with the wallet that the outcome names."""
    return (
        customer is not None
        and not customer.stranger
        and str(customer.customer_id) == outcome["customer_id"]
        and "PASSED" in customer.told
        and outcome["wallet_id"] in [str(wallet.wallet_id) for wallet in customer.wallets]
    )


def done(customer: Customer | None, step: str) -> bool:
    """Whether a step left a trace at the target."""
    if customer is None or step == "customer":
        return customer is not None
    return bool(customer.verifications if step == "kyc" else customer.made)


def expected_of(world: World, row: Row) -> frozenset[str]:
    """How a row may end without faults.

    A customer of an earlier ledger that shows no key can't be proven ours; a wallet that shows none is taken for ours.
    """
    persona, manners = world.population.persona(row), world.manners
    if persona.planted == "ours" and not manners.show_keys:
        return frozenset({Ending.CONFLICT})
    others = world.target.ours(row.key) and any(kind == OTHER_TYPE for kind, _ in world.target.ours(row.key)[0].types)
    if persona.given and persona.given[1] and (others or not manners.show_wallet_keys):
        return frozenset({Ending.COMPLETE, persona.ending})
    if persona.second:
        late = frozenset[str]() if manners.types_early else frozenset({Ending.NOT_ELIGIBLE})
        return late | {Ending.COMPLETE, Ending.DECLINED}
    return frozenset({persona.ending})


def as_expected(outcome: str, expected: frozenset[str]) -> bool:
    """Whether a row ended as it does without faults."""
    return (Ending.COMPLETE if outcome in COMPLETE else outcome) in expected


def excused(world: World, row: Row, outcome: Mapping[str, Any]) -> bool:
    """Whether what happened to this very row leaves nothing better to say.

    An unanswered trigger of which nothing is to be seen, twice, is for a person; a refusal without cause is believed;
    a key that the target never shows can't prove a customer whose create it called taken; a target that showed the
    customer no wallet type, or settings that asked for another one when the row ended, end it.
    """
    customer = next(iter(world.target.ours(row.key)), None)
    told = world.network.told[row.key]
    match outcome["outcome"]:
        case Outcome.IN_DOUBT if outcome["reason_code"] == "changed_since":
            return asked_otherwise(world, row)
        case Outcome.IN_DOUBT:
            return outcome["failed_step"] == "kyc" and customer is not None and not customer.verifications
        case Outcome.CONFLICT:
            hidden = not world.manners.show_keys and Fault.TAKEN_AFTER in told
            asked = outcome["reason_code"] == "wallet_exists" and asked_otherwise(world, row)
            stranger = row.key in world.strangers
            return Fault.TAKEN_BEFORE in told or stranger or hidden or asked or dated_wrongly(world, row, outcome)
        case Outcome.REJECTED:
            revoked = customer is not None and world.population.persona(row).second is not None
            return Fault.REFUSED in told or revoked
        case Outcome.NOT_ELIGIBLE:
            untold = customer is not None and customer.untold
            return untold or world.decided[row.key] != USUAL
    return False


def asked_otherwise(world: World, row: Row) -> bool:
    """Whether a wallet was asked for, or the row ended, under other settings than the newest run's."""
    intended = {intent.settings for intent in world.intents[row.key] if intent.step == "wallet"}
    return intended | {world.decided[row.key]} != {USUAL}


def dated_wrongly(world: World, row: Row, outcome: Mapping[str, Any]) -> bool:
    """Whether a row is a conflict because what shows no key seems older than our request, by a clock that was wrong."""
    hidden = not (world.manners.show_keys and world.manners.show_wallet_keys)
    wrong = any(abs(intent.wall) > CLOCK_SKEW.total_seconds() for intent in world.intents[row.key])
    return hidden and wrong and outcome["reason_code"] in {"unproven", "wallet_exists"}


def outcomes_of(store: Store, run_id: str) -> dict[int, Mapping[str, Any]]:
    """The outcome rows of a run by source row."""
    return {row["source_row"]: row for window in store.outcomes(run_id) for row in window}


def keys_of(world: World) -> list[str]:
    """The keys of all rows."""
    return [row.key for row in world.population.rows]
