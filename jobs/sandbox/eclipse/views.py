"""How records look in replies. The seed's page shows fewer members than the vendor's other pages."""

from typing import Any

from jobs.sandbox.clock import iso
from jobs.sandbox.eclipse.store import Customer, Document, Wallet
from jobs.sandbox.settings import Settings

NAMES = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber")


def created(customer: Customer) -> dict[str, Any]:
    """The reply to a create."""
    shown = {name: customer.fields[name] for name in NAMES}
    return {
        "customerId": customer.customer_id,
        **shown,
        "status": customer.status,
        "userTypeId": customer.fields["userTypeId"],
        "externalUniqueId": customer.key,
        "created": iso(customer.created),
    }


def registered(customer: Customer) -> dict[str, Any]:
    """The shorter reply that the page shows for self-registration."""
    shown = {name: customer.fields[name] for name in ("firstName", "lastName", "phone1")}
    return {"customerId": customer.customer_id, **shown, "status": customer.status}


def found(customer: Customer) -> dict[str, Any]:
    """A row of a search."""
    shown = {name: customer.fields[name] for name in NAMES}
    return {"customerId": customer.customer_id, **shown, "status": customer.status, "created": iso(customer.created)}


def profile(customer: Customer, settings: Settings) -> dict[str, Any]:
    """The full profile. `externalUniqueId` only where the settings show it."""
    names = tuple(customer.fields) if settings.vendor else ("title", *NAMES)
    shown: dict[str, Any] = {"customerId": customer.customer_id}
    shown |= {name: customer.fields[name] for name in names if name in customer.fields}
    shown |= {"status": customer.status, "created": iso(customer.created), "lastModified": iso(customer.modified)}
    if settings.vendor:
        shown["version"] = customer.version
    visible = settings.vendor if settings.show_external_ids is None else settings.show_external_ids
    if visible:
        shown["externalUniqueId"] = customer.key
    else:
        shown.pop("externalUniqueId", None)
    return shown


def wallet(record: Wallet) -> dict[str, Any]:
    """The reply to a create."""
    return {
        "walletId": record.wallet_id,
        "customerId": record.customer_id,
        "walletTypeId": record.fields["walletTypeId"],
        "name": record.fields.get("name", "Primary Wallet"),
        "currency": record.fields["currency"],
        "currentBalance": 0.0,
        "availableBalance": 0.0,
        "status": record.fields["status"],
        "created": iso(record.created),
    }


def stored_wallet(record: Wallet, settings: Settings) -> dict[str, Any]:
    """A wallet that is read, alone or in a list."""
    shown = wallet(record)
    if settings.own_wallet_keys if record.own else settings.show_wallet_external_ids:
        shown["externalUniqueId"] = record.key
    return shown


def document(record: Document, settings: Settings) -> dict[str, Any]:
    """A row of the list of documents; its hash in vendor strictness only (chosen)."""
    shown = {
        "documentId": record.document_id,
        "documentType": record.kind,
        "mediaType": record.media,
        "created": iso(record.created),
    }
    return {**shown, "sha256": record.sha256} if settings.vendor else shown
