"""Steps 4 and 5, the wallets: only of types that the target allows, never a second one of the same type."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from jobs.keys import KeySpace
from jobs.model import Outcome
from jobs.systems.base import CLOCK_SKEW
from jobs.systems.eclipse import wire
from jobs.systems.eclipse.customer import wallet_list
from jobs.systems.exchange import CallClass, Reader, ReadFailed, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Verdict

FIRST_ALLOWED, EXACTLY = "first_allowed", "exactly"
"""Policies for a row for which no wallet type is named: the first that the target allows, or none at all."""


@dataclass(frozen=True, slots=True)
class WalletStep:
    """Creates one wallet with a key of its own. The vendor refuses a repeated key: resending after a look is safe."""

    tenant_path: str
    keys: KeySpace
    currency: str
    """Of the settings: one code, or as many as there are types, joined by `;`."""
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
        return f"wallet:{self.wallet_type}" if self.place else "wallet"

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

    async def look(self, reader: Reader, view: View) -> Finding:
        """Our wallet, or the type in which to create it."""
        customer_id = view.facts["customer_id"]
        wallets: list[Mapping[str, Any]] | None = []
        if not view.fresh_customer or view.doubt or view.taken:
            wallets = await wire.read_records(reader, wallet_list(self.tenant_path, customer_id))
        wish = self.wish(view.row)
        for wallet in wallets or []:
            if (found := self.ours(wallet, view, wish)) is not None:
                return found
        chosen = self.choose(await self.allowed(reader, customer_id), wish)
        if isinstance(chosen, Ended):
            return chosen
        return self.among(wallets, chosen, view)

    def ours(self, wallet: Mapping[str, Any], view: View, wish: str | None) -> Done | None:
        """The wallet as done when it carries our key for its type, and that type is the one wished for."""
        kind = wire.identifier(wallet.get("walletTypeId"))
        wallet_id = wire.identifier(wallet.get("walletId"))
        if kind is None or wallet_id is None or (wish is not None and kind != wish):
            return None
        if wire.text_of(wallet, "externalUniqueId") != self.keys.wallet(view.row.key, kind):
            return None
        return self.done(wallet_id, kind, view)

    def among(self, wallets: list[Mapping[str, Any]] | None, kind: str, view: View) -> Finding:
        """What the wallets of type `kind` mean: none, one without a key that must be ours, or another's."""
        if wallets is None:
            if view.taken or view.doubt:
                return Unclear(
                    "wallets_unreadable",
                    "the target lists no wallets, so an unanswered create can't be settled",
                )
            wallets = []
        for wallet in wallets:
            if wire.identifier(wallet.get("walletTypeId")) != kind:
                continue
            wallet_id = wire.identifier(wallet.get("walletId"))
            if wallet_id and wire.text_of(wallet, "externalUniqueId") is None and self.plausible(wallet, view):
                return self.done(wallet_id, kind, view)
            return Ended(
                Outcome.CONFLICT,
                "wallet_exists",
                f"the customer has wallet {wallet_id} of type {kind} that is not ours",
            )
        if view.taken:
            if view.doubt:
                return Unclear("unanswered", "the target refused our wallet key as taken, but lists no such wallet")
            return Ended(
                Outcome.CONFLICT,
                "wallet_key_taken",
                "the target refused the wallet key as taken, but lists no such wallet",
            )
        return Absent(self.among_others(view, wallet_type_id=kind, wallet_external_unique_id=self.key(view, kind)))

    def key(self, view: View, kind: str) -> str:
        """The wallet's own key; the same on every machine."""
        return self.keys.wallet(view.row.key, kind)

    def among_others(self, view: View, **facts: str) -> dict[str, str]:
        """`facts` of this wallet behind those of the row's earlier ones, joined by `;`."""
        earlier = {name: (view.facts.get(name) or "").split(";")[: self.place] for name in facts}
        return {name: ";".join([*earlier[name], value]) for name, value in facts.items()}

    def plausible(self, wallet: Mapping[str, Any], view: View) -> bool:
        """A wallet without a key, on our own customer, is ours unless it is older than our unanswered request."""
        if view.doubt is None:
            return True
        created = wire.moment_of(wallet.get("created"))
        return created is None or created >= view.doubt.since - CLOCK_SKEW

    async def allowed(self, reader: Reader, customer_id: str) -> list[str]:
        """Wallet types with `allowed` literally true, in the target's order."""
        path = f"{self.tenant_path}/customers/{wire.segment(customer_id)}/wallet-types"
        types = await wire.read_records(reader, Request("wallet_types", "GET", path))
        if types is None:
            raise ReadFailed(f"wallet_types: the target does not know customer {customer_id}")
        return [
            kind
            for item in types
            if item.get("allowed") is True and (kind := wire.identifier(item.get("walletTypeId")))
        ]

    def choose(self, allowed: list[str], wish: str | None) -> str | Ended:
        """The type to create; ends the row when nothing, or not the one wished for, is allowed."""
        if not allowed:
            return Ended(Outcome.NOT_ELIGIBLE, "no_wallet_type", "the target allows no wallet type for this customer")
        if wish is None and self.policy == EXACTLY:
            return Ended(
                Outcome.NOT_ELIGIBLE, "wallet_type_not_named", "no wallet type is named, and none may be chosen for it"
            )
        if wish is None:
            return allowed[0]
        if wish in allowed:
            return wish
        return Ended(
            Outcome.NOT_ELIGIBLE,
            "wallet_type_not_allowed",
            f"wallet type {wish} is not allowed; allowed: {', '.join(allowed)}",
        )

    def done(self, wallet_id: str, kind: str, view: View) -> Done:
        """The facts of a finished wallet."""
        key = self.key(view, kind)
        return Done(self.among_others(view, wallet_id=wallet_id, wallet_type_id=kind, wallet_external_unique_id=key))

    def write(self, view: View) -> Request:
        """POST /customers/{id}/wallets; status, key and version are all required by the vendor."""
        kind = view.facts["wallet_type_id"].split(";")[self.place]
        body = {
            "walletTypeId": int(kind) if kind.isascii() and kind.isdigit() else kind,
            "currency": self.currency_of(view.row),
            "status": "ACTIVE",
            "externalUniqueId": self.key(view, kind),
            "version": 0,
        }
        path = f"{self.tenant_path}/customers/{wire.segment(view.facts['customer_id'])}/wallets"
        return Request("create_wallet", "POST", path, body=orjson.dumps(body), call_class=CallClass.WRITE)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with an id, for our customer, is a wallet; anything else is judged or doubted."""
        record = wire.answered(reply)
        if not isinstance(record, Mapping):
            return record
        wallet_id = wire.identifier(record.get("walletId"))
        if wallet_id is None:
            return wire.doubtful(reply, "it has no walletId")
        owner = wire.identifier(record.get("customerId"))
        if owner is not None and owner != view.facts["customer_id"]:
            return wire.doubtful(reply, f"the wallet belongs to customer {owner}")
        return Done(self.among_others(view, wallet_id=wallet_id), wire.trace_of(reply))
