"""The stored records past all rules of the vendor: planting, changing and deleting them, and a view without persons."""

from collections.abc import Mapping
from typing import Any

from jobs.sandbox.eclipse import kyc
from jobs.sandbox.eclipse.store import Customer, Login, Store

NEEDED = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber")


def plant(store: Store, record: Mapping[str, Any], tenant: int, now: float) -> dict[str, Any]:
    """Stores a customer and returns its ids; ValueError when a needed member is missing.

    Besides the vendor's members: `tenant`, `status`, `kyc` (a status), `wallets` (objects), `identities` (logins).
    Nothing is checked for uniqueness, so that a search can find two.
    """
    missing = [name for name in NEEDED if name not in record]
    if missing:
        raise ValueError(f"a planted customer needs {', '.join(missing)}")
    members = {"userTypeId": 1, "externalUniqueId": f"planted-{len(store.customers) + 1:08d}", **record}
    extra = {name: members.pop(name, None) for name in ("tenant", "status", "kyc", "wallets", "identities")}
    customer = store.add_customer(extra["tenant"] or tenant, members, now)
    customer.status = extra["status"] or customer.status
    _decide(customer, extra["kyc"], now)
    for identity in extra["identities"] or ():
        store.add_login(Login(identity, f"{identity}-password", customer.tenant, (), customer.customer_id))
    for wallet in extra["wallets"] or ():
        key = f"planted-wallet-{len(store.wallets) + 1:08d}"
        defaults = {"walletTypeId": 5001, "currency": "ZAR", "status": "ACTIVE", "externalUniqueId": key}
        store.add_wallet(customer, {**defaults, **wallet}, now)
    return {"customerId": customer.customer_id, "walletIds": list(customer.wallets)}


def amend(store: Store, kind: str, number: int, changes: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Changes members, `status` or `kyc` of a record, or deletes it (`deleted`: true); KeyError when there is none."""
    members = dict(changes)
    deleted = bool(members.pop("deleted", False))
    if kind == "wallets":
        wallet = store.wallets[number]
        if deleted:
            store.delete_wallet(wallet)
        else:
            store.change_wallet(wallet, members)
        return {"walletId": number, "deleted": deleted}
    customer = store.customers[number]
    if deleted:
        store.delete_customer(customer)
    else:
        customer.status = members.pop("status", customer.status)
        _decide(customer, members.pop("kyc", None), now)
        store.change_customer(customer, members, now)
    return {"customerId": number, "deleted": deleted}


def snapshot(store: Store) -> dict[str, Any]:
    """Counts, ids, keys and states; no personal values."""
    return {
        "counts": {
            "customers": len(store.customers),
            "wallets": len(store.wallets),
            "adminUsers": len(store.admin_users),
            "verifications": sum(len(customer.verifications) for customer in store.customers.values()),
            "addresses": sum(len(customer.addresses) for customer in store.customers.values()),
            "documents": sum(len(customer.documents) for customer in store.customers.values()),
        },
        "customers": [
            {
                "customerId": customer.customer_id,
                "tenant": customer.tenant,
                "externalUniqueId": customer.key,
                "status": customer.status,
                "kyc": customer.kyc,
                "verifications": len(customer.verifications),
                "verificationTypes": [run.kind for run in customer.verifications],
                "wallets": list(customer.wallets),
                "identities": len(customer.identities),
                "addresses": len(customer.addresses),
                "documents": [
                    {"documentId": paper.document_id, "documentType": paper.kind, "sha256": paper.sha256}
                    for paper in customer.documents
                ],
            }
            for customer in store.customers.values()
        ],
        "wallets": [
            {
                "walletId": wallet.wallet_id,
                "customerId": wallet.customer_id,
                "walletTypeId": wallet.fields["walletTypeId"],
                "externalUniqueId": wallet.key,
                "status": wallet.fields["status"],
            }
            for wallet in store.wallets.values()
        ],
    }


def _decide(customer: Customer, status: str | None, now: float) -> None:
    if status is not None:
        customer.verifications.append(kyc.Verification(status, None, 0, kyc.CHECKS, now))
