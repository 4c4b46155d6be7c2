"""Steps 4 and 5, the wallets: only of types that the target allows, never a second one of the same type."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from jobs.keys import KeySpace, is_hidden
from jobs.model import Origin, Outcome
from jobs.systems.contract import CLOCK_SKEW, WALLET_STEP, further_wallet
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import CallClass, Reader, ReadFailed, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.spelling import CODE, SPELLING
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Verdict
from jobs.value import value

FIRST_ALLOWED, EXACTLY = "first_allowed", "exactly"
"""Policies for a row for which no wallet type is named: the first that the target allows, or none at all."""

FACTS = ("wallet_type_id", "wallet_external_unique_id", "wallet_currency")
"""The facts that a create is made of; those of several wallets are joined by `;`."""

NUMBER = re.compile("[1-9][0-9]*")
"""A type that is sent as a number; `007` is text."""

Record = Mapping[str, Any]


@value
class Wanted:
    """The one wallet that a step is about: its type, the key that only we can have given it, its currency."""

    kind: str
    key: str
    currency: str
    others: frozenset[str] = frozenset()
    """Keys that only we can have given it too: derived from another spelling of the customer's."""

    def same_kind(self, wallet: Record) -> bool:
        """Whether `wallet` is of this type."""
        return wire.identifier(wallet.get("walletTypeId")) == self.kind

    def carried_by(self, wallet: Record) -> bool:
        """Whether `wallet` shows this key or one of the others, and is of this type."""
        return self.same_kind(wallet) and wire.text_of(wallet, "externalUniqueId") in {self.key, *self.others}

    def as_carried(self, wallet: Record) -> "Wanted":
        """Itself, with the key that `wallet` shows where it is one of the others."""
        shown = wire.text_of(wallet, "externalUniqueId")
        return replace(self, key=shown) if shown in self.others else self


@dataclass(frozen=True, slots=True)
class WalletStep:
    """Creates one wallet with a key of its own. The vendor refuses a repeated key: resending after a look is safe."""

    tenant_path: str
    keys: KeySpace
    currency: str
    """The settings name one code, or as many as there are types, joined by `;`."""
    wallet_type_id: str | None
    """The types that the settings ask for, joined by `;`; None: the policy decides."""
    policy: str = FIRST_ALLOWED
    place: int = 0
    """Which of the types that a row asks for, from 0."""
    wallet_type: str | None = None
    """The type at that place, where it is named for the step; the first wallet of a row looks for itself."""
    resends: int | None = None
    settle_seconds: float | None = None

    @property
    def name(self) -> str:
        """`wallet`; those after the first are `wallet:` and their type."""
        return further_wallet(self.wallet_type or "") if self.place else WALLET_STEP

    def wishes(self, row: Row) -> list[str]:
        """The types asked for by the row, or else by the settings; empty: none is named."""
        named = row.get("wallet_type_id") or self.wallet_type_id
        return named.split(";") if named else []

    def further(self, row: Row) -> list["WalletStep"]:
        """The steps of the row's other wallets, in the order in which they are named."""
        wishes = self.wishes(row)
        return [replace(self, place=place, wallet_type=wishes[place]) for place in range(1, len(wishes))]

    def wish(self, row: Row) -> str | None:
        """The type asked for; None: none is named."""
        return self.wallet_type or next(iter(self.wishes(row)), None)

    def currency_of(self, row: Row) -> str:
        """One currency for all wallets, or each its own."""
        named = (row.get("currency") or self.currency).split(";")
        return named[min(self.place, len(named) - 1)]

    def wanted(self, row: Row, kind: str, spelt: str | None = None) -> Wanted:
        """The row's wallet of type `kind`; its key is the same on every machine. `spelt`: see `spelling`."""
        others = frozenset(self.keys.wallet(each, kind) for each in (*row.keys[1:], spelt) if each)
        return Wanted(kind, self.keys.wallet(row.key, kind), self.currency_of(row), others)

    async def spelling(self, reader: Reader, view: View) -> str | None:
        """The customer's key in the target's spelling, where that is another than the row's; None: it is the same."""
        if f"{CODE}:external_unique_id" not in view.facts.get(SPELLING, "").split(";"):
            return None
        profile = await shown.profile(reader, self.tenant_path, view.facts["customer_id"])
        return wire.text_of(profile or {}, "externalUniqueId")

    def open(self, view: View) -> Wanted | None:
        """The wallet that a create which is not settled was made of; None: there is none, or nothing is known of it."""
        made_of = view.bound or (view.facts if view.taken else {})
        parts = [(made_of.get(name) or "").split(";")[self.place : self.place + 1] for name in FACTS]
        kind, key, currency = (next(iter(part), "") for part in parts)
        return self.made_of(view.row, kind, key, currency or self.currency_of(view.row)) if kind and key else None

    def made_of(self, row: Row, kind: str, key: str, currency: str) -> Wanted:
        """The wallet of these facts; a key that the ledger hides is the row's own once more."""
        return Wanted(kind, self.keys.wallet(row.key, kind) if is_hidden(key) else key, currency)

    async def look(self, reader: Reader, view: View) -> Finding:
        """Our wallet, or the type in which to create it; what an unanswered create asked for is not chosen again.

        A customer that the target does not show any more is a doubt, as it is for its KYC.
        """
        try:
            return await self.seen(reader, view)
        except shown.Gone as error:
            return Unclear("customer_not_found", error.reason, error.trace)

    async def seen(self, reader: Reader, view: View) -> Finding:
        """What `look` finds where the customer is shown. Raises ReadFailed."""
        customer_id = view.facts["customer_id"]
        wallets = await shown.wallets(reader, self.tenant_path, customer_id)
        if wallets is None and (view.taken or view.doubt):
            return Unclear(
                "wallets_unreadable", "the target lists no wallets, so an unanswered create can't be settled"
            )
        wanted = self.open(view)
        if wanted is None:
            chosen = await self.chosen(reader, view, wallets or [])
            if not isinstance(chosen, Wanted):
                return chosen
            wanted = chosen
        found = self.among(wallets or [], wanted, view)
        if not isinstance(found, Absent):
            return found
        if self.open(view) is not None and wanted.kind not in await self.allowed(reader, customer_id, wanted.kind):
            return not_allowed(wanted.kind)
        return found

    async def chosen(self, reader: Reader, view: View, wallets: Sequence[Record]) -> Wanted | Finding:
        """Which wallet the row is to have, when none is open; done where it shows our key already."""
        wish = self.wish(view.row)
        spelt = await self.spelling(reader, view)
        for wallet in wallets:
            kind = wire.identifier(wallet.get("walletTypeId"))
            if kind is not None and wish in (None, kind):
                wanted = self.wanted(view.row, kind, spelt)
                if wanted.carried_by(wallet):
                    return self.done(wallet, wanted.as_carried(wallet), view)
        if wish is not None and any(wire.identifier(wallet.get("walletTypeId")) == wish for wallet in wallets):
            return self.wanted(view.row, wish, spelt)  # what is there need not be allowed once more
        chosen = self.choose(await self.allowed(reader, view.facts["customer_id"], wish), wish, view, wallets)
        return chosen if isinstance(chosen, Ended) else self.wanted(view.row, chosen)

    def among(self, wallets: Sequence[Record], wanted: Wanted, view: View) -> Finding:
        """What the customer's wallets mean: ours is there, one that stands for it, another's, or none of the type."""
        ours = [wallet for wallet in wallets if wanted.carried_by(wallet)]
        same = ours or [wallet for wallet in wallets if wanted.same_kind(wallet)]
        if len(same) == 1 and (ours or plausible(same[0], wanted, view)):
            return self.done(same[0], wanted, view)
        if same:
            ids = ", ".join(str(wire.identifier(wallet.get("walletId"))) for wallet in same)
            reason = f"the customer has wallet {ids} of type {wanted.kind}, and nothing shows that it is this row's"
            return Ended(Outcome.CONFLICT, "wallet_exists", reason)
        if view.taken and view.doubt:
            return Unclear("unanswered", "the target refused our wallet key as taken, but lists no such wallet")
        if view.taken:
            reason = "the target refused the wallet key as taken, but lists no such wallet"
            return Ended(Outcome.CONFLICT, "wallet_key_taken", reason)
        return Absent(self.facts(wanted, view))

    def facts(self, wanted: Wanted, view: View, **more: str) -> dict[str, str]:
        """What is known of this wallet, each behind that of the row's earlier ones, joined by `;`."""
        known = {**dict(zip(FACTS, (wanted.kind, wanted.key, wanted.currency), strict=True)), **more}
        earlier = {name: (view.facts.get(name) or "").split(";")[: self.place] for name in known}
        return {name: ";".join([*earlier[name], value]) for name, value in known.items()}

    async def allowed(self, reader: Reader, customer_id: str, wish: str | None = None) -> list[str]:
        """Wallet types with `allowed` literally true, in the target's order. Raises ReadFailed, NotPermitted.

        Also when none is, or not the one wished for, and an entry that can't be read might have said otherwise.
        """
        types = await shown.wallet_types(reader, self.tenant_path, customer_id)
        if types is None:
            raise shown.Gone(f"wallet_types: the target does not know customer {customer_id}")
        read = [(wire.identifier(each.get("walletTypeId")), each.get("allowed")) for each in types]
        allowed = [kind for kind, permitted in read if kind is not None and permitted is True]
        lacking = not allowed if wish is None else wish not in allowed
        if lacking and any(
            kind is None or (not isinstance(permitted, bool) and wish in (None, kind)) for kind, permitted in read
        ):
            raise ReadFailed("wallet_types: a type has no id, or an `allowed` that is neither true nor false")
        return allowed

    def choose(self, allowed: list[str], wish: str | None, view: View, wallets: Sequence[Record]) -> str | Ended:
        """The type to create; ends the row when nothing, or not the one wished for, is allowed."""
        if not allowed:
            return Ended(Outcome.NOT_ELIGIBLE, "no_wallet_type", "the target allows no wallet type for this customer")
        if wish is not None:
            return wish if wish in allowed else not_allowed(wish, allowed)
        if self.policy == EXACTLY:
            return Ended(
                Outcome.NOT_ELIGIBLE, "wallet_type_not_named", "no wallet type is named, and none may be chosen for it"
            )
        if view.facts.get("customer_origin") == Origin.ADOPTED:
            nobodys = (wallet for wallet in wallets if wire.text_of(wallet, "externalUniqueId") is None)
            there = {wire.identifier(wallet.get("walletTypeId")) for wallet in nobodys}
            return next((kind for kind in allowed if kind in there), allowed[0])  # an unknown run may have chosen it
        return allowed[0]

    def done(self, wallet: Record, wanted: Wanted, view: View) -> Done:
        """A wallet of the list as the row's. Raises ReadFailed when it is shown without an id."""
        wallet_id = wire.identifier(wallet.get("walletId"))
        if wallet_id is None:
            raise ReadFailed("list_wallets: the row's wallet has no id")
        return self.finished(wallet_id, wanted, view)

    def finished(self, wallet_id: str, wanted: Wanted, view: View) -> Done:
        """The wallet is there, and no other row may have it."""
        return Done(self.facts(wanted, view, wallet_id=wallet_id), claims={"wallet": wallet_id})

    def made(self, view: View) -> Wanted:
        """What the create is made of, as the look before it decided."""
        kind, key, currency = (view.facts[name].split(";")[self.place] for name in FACTS)
        return self.made_of(view.row, kind, key, currency)

    def write(self, view: View) -> Request:
        """POST /customers/{id}/wallets; status, key and version are all required by the vendor."""
        wanted = self.made(view)
        body = {
            "walletTypeId": int(wanted.kind) if NUMBER.fullmatch(wanted.kind) else wanted.kind,
            "currency": wanted.currency,
            "status": "ACTIVE",
            "externalUniqueId": wanted.key,
            "version": 0,
        }
        path = shown.path_of(self.tenant_path, view.facts["customer_id"], "wallets")
        return Request(
            "create_wallet", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE, key=wanted.key
        )

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with an id, for our customer and of what was asked for, is a wallet; all else is judged or doubted."""
        return DIALECT.judged(reply, partial(self.created, view=view))

    def created(self, record: Record, view: View) -> Done:
        """The wallet that the reply to a create names. Raises Unreadable."""
        wallet_id, wanted = wire.identifier(record.get("walletId")), self.made(view)
        if wallet_id is None:
            raise wire.Unreadable("it has no walletId")
        for field, ours in (("customerId", view.facts["customer_id"]), ("walletTypeId", wanted.kind)):
            if wire.contradicts(record, field, ours):
                raise wire.Unreadable(f"its {field} is not the one that was asked for")
        if wire.denies(record, "externalUniqueId", wanted.key):
            raise wire.Unreadable("its externalUniqueId is not the one that was sent")
        return self.finished(wallet_id, wanted, view)


def plausible(wallet: Record, wanted: Wanted, view: View) -> bool:
    """A wallet without a key on our own customer is the row's, whoever made it: we, or the target of itself.

    Unless it is not what was asked for, or older than our unanswered create, which may then still make a second.
    """
    if wire.text_of(wallet, "externalUniqueId") is not None:
        return False
    active = (wire.text_of(wallet, "status") or "ACTIVE").upper() == "ACTIVE"
    if not active or wire.denies(wallet, "currency", wanted.currency):
        return False
    created = wire.moment_of(wallet.get("created"))
    return view.doubt is None or created is None or created >= view.doubt.since - CLOCK_SKEW


def not_allowed(kind: str, allowed: Sequence[str] = ()) -> Ended:
    """The type that is asked for is none that the target allows."""
    others = f"; allowed: {', '.join(allowed)}" if allowed else ""
    return Ended(
        Outcome.NOT_ELIGIBLE, "wallet_type_not_allowed", f"wallet type {kind} is not allowed for this customer{others}"
    )
