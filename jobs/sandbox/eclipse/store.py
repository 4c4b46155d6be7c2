"""The records of one Eclipse: customers, wallets, admin users, and the indexes over them. No rules of the vendor."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.sandbox.eclipse.kyc import Verification

INDEXED = ("phone1", "nationalIdentityNumber", "email", "passportNumber", "asylumRefNumber", "lastName")


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was uploaded, without its content. `sha256` is of the decoded bytes."""

    document_id: int
    kind: str
    media: str
    sha256: str
    created: float


@dataclass(slots=True)
class Customer:
    """A customer. `fields` are the vendor's members as they were sent, without status and version."""

    customer_id: int
    tenant: int
    fields: dict[str, Any]
    created: float
    modified: float
    status: str = "ACTIVE"
    version: int = 0
    verifications: list[Verification] = field(default_factory=list)
    """Oldest first."""
    wallets: list[int] = field(default_factory=list)
    identities: list[str] = field(default_factory=list)
    addresses: list[dict[str, Any]] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)

    @property
    def key(self) -> str:
        """`externalUniqueId`."""
        return str(self.fields["externalUniqueId"])

    @property
    def last_name(self) -> str:
        """Chooses the scenario."""
        return str(self.fields["lastName"])

    @property
    def kyc(self) -> str | None:
        """Status of the newest verification; None before the first."""
        return self.verifications[-1].status if self.verifications else None


@dataclass(slots=True)
class Wallet:
    """A wallet. `fields` are the vendor's members as they were sent."""

    wallet_id: int
    customer_id: int
    tenant: int
    fields: dict[str, Any]
    created: float
    own: bool = False
    """Did the platform open it by itself?"""

    @property
    def key(self) -> str:
        """`externalUniqueId`."""
        return str(self.fields["externalUniqueId"])


@dataclass(slots=True)
class Login:
    """An identity that may log in: a credential of the settings, an admin user, or a customer."""

    identity: str
    password: str = field(repr=False)
    tenant: int = 0
    positions: tuple[str, ...] = ()
    customer_id: int | None = None
    totp: bool = False
    """Does a login also need a one-time password?"""
    public_key: str | None = None
    """Base64 of a DER key, for the login with a signed challenge."""


class Store:
    """All records of all tenants. Creating and finding by phone, identity number or key looks at no other record."""

    def __init__(self, ids: random.Random) -> None:
        self._ids = ids
        self._number = ids.randrange(3_000_000, 4_000_000)
        self.customers: dict[int, Customer] = {}
        self.wallets: dict[int, Wallet] = {}
        self.logins: dict[str, Login] = {}
        self.admin_users: dict[int, tuple[int, dict[str, Any]]] = {}
        """By adminUserId: tenant and members."""
        self._index: dict[tuple[int, str, str], list[int]] = {}
        self._keys: dict[str, int] = {}

    def next_id(self) -> int:
        """Rises, with gaps, as a platform's numbers do."""
        self._number += self._ids.randint(1, 9)
        return self._number

    def has_key(self, key: str) -> bool:
        """Does any customer or wallet of any tenant hold this `externalUniqueId`?"""
        return key in self._keys

    def add_customer(self, tenant: int, fields: dict[str, Any], now: float) -> Customer:
        """Stores a customer; the caller has checked the rules."""
        customer = Customer(self.next_id(), tenant, fields, now, now)
        self.customers[customer.customer_id] = customer
        self._enter(customer)
        return customer

    def change_customer(self, customer: Customer, changes: Mapping[str, Any], now: float) -> None:
        """Overwrites members and keeps the indexes true."""
        self._leave(customer)
        customer.fields.update(changes)
        customer.version += 1
        customer.modified = now
        self._enter(customer)

    def delete_customer(self, customer: Customer) -> None:
        """Forgets the customer with its wallets and logins."""
        self._leave(customer)
        for wallet_id in list(customer.wallets):
            self.delete_wallet(self.wallets[wallet_id])
        for identity in customer.identities:
            del self.logins[identity]
        del self.customers[customer.customer_id]

    def add_login(self, login: Login) -> None:
        """Lets `login` in; the caller has checked that the identity is free."""
        self.logins[login.identity] = login
        if login.customer_id is not None:
            self.customers[login.customer_id].identities.append(login.identity)

    def add_wallet(self, customer: Customer, fields: dict[str, Any], now: float, *, own: bool = False) -> Wallet:
        """Stores a wallet; the caller has checked the rules."""
        wallet = Wallet(self.next_id(), customer.customer_id, customer.tenant, fields, now, own)
        self.wallets[wallet.wallet_id] = wallet
        customer.wallets.append(wallet.wallet_id)
        self._hold(wallet.key)
        return wallet

    def change_wallet(self, wallet: Wallet, changes: Mapping[str, Any]) -> None:
        """Overwrites members; a changed key is held instead of the old one."""
        self._release(wallet.key)
        wallet.fields.update(changes)
        self._hold(wallet.key)

    def delete_wallet(self, wallet: Wallet) -> None:
        """Forgets the wallet."""
        self._release(wallet.key)
        self.customers[wallet.customer_id].wallets.remove(wallet.wallet_id)
        del self.wallets[wallet.wallet_id]

    def find(self, tenant: int, name: str, value: str) -> list[Customer]:
        """Customers of `tenant` whose indexed member `name` is `value` (in any case), oldest first."""
        return [self.customers[number] for number in self._index.get((tenant, name, value.lower()), ())]

    def of_tenant(self, tenant: int) -> Iterator[Customer]:
        """All customers of `tenant`, oldest first."""
        return (customer for customer in self.customers.values() if customer.tenant == tenant)

    def _entries(self, customer: Customer) -> Iterator[tuple[int, str, str]]:
        for name in INDEXED:
            value = customer.fields.get(name)
            if value is not None:
                yield (customer.tenant, name, str(value).lower())

    def _enter(self, customer: Customer) -> None:
        for entry in self._entries(customer):
            self._index.setdefault(entry, []).append(customer.customer_id)
        self._hold(customer.key)

    def _leave(self, customer: Customer) -> None:
        for entry in self._entries(customer):
            self._index[entry].remove(customer.customer_id)
            if not self._index[entry]:
                del self._index[entry]
        self._release(customer.key)

    def _hold(self, key: str) -> None:
        self._keys[key] = self._keys.get(key, 0) + 1

    def _release(self, key: str) -> None:
        # Planted records may share a key; it stays taken while any of them holds it.
        self._keys[key] -= 1
        if not self._keys[key]:
            del self._keys[key]
