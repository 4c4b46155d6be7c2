"""Operations on what is attached to a customer: addresses and documents."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from jobs.sandbox.call import Call
from jobs.sandbox.eclipse import access, forms, views
from jobs.sandbox.eclipse.customers import page
from jobs.sandbox.eclipse.refusal import Refused
from jobs.sandbox.eclipse.store import Document
from jobs.sandbox.eclipse.tokens import Session
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply, json_reply

FLAGS = ("performOcr", "validateDocType")
"""Query parameters of an upload. They are checked and change nothing (chosen): nothing here reads a document."""


def create_address(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/addresses."""
    customer = access.reach(world, call, session, "create_address")
    sent = forms.ADDRESS.accept(call.json())
    address = {"addressId": world.store.next_id(), **sent}
    customer.addresses.append(address)
    call.commit(customer_id=customer.customer_id)
    return json_reply(address)


def list_addresses(world: World, call: Call, session: Session) -> Reply:
    """GET customers/{customerId}/addresses, oldest first; no page shows it."""
    _refuse_lists(world)
    customer = access.reach(world, call, session, "list_addresses")
    return json_reply(page(iter(customer.addresses), call.query))


def create_document(world: World, call: Call, session: Session) -> Reply:
    """POST customers/{customerId}/documents: its hash is kept, its content is not."""
    customer = access.reach(world, call, session, "create_document")
    _check_flags(call.query)
    sent = forms.DOCUMENT.accept(call.json())
    content = _content(sent["base64EncodedDocument"], world.settings.document_bytes)
    digest = hashlib.sha256(content).hexdigest()
    number = world.store.next_id()
    document = Document(number, sent["documentType"], sent["mediaType"], digest, world.clock.now())
    customer.documents.append(document)
    call.commit(customer_id=customer.customer_id)
    return json_reply({"documentId": number, "documentType": document.kind})


def list_documents(world: World, call: Call, session: Session) -> Reply:
    """GET customers/{customerId}/documents, oldest first; no page shows it."""
    _refuse_lists(world)
    customer = access.reach(world, call, session, "list_documents")
    shown = page(iter(customer.documents), call.query)
    return json_reply([views.document(document, world.settings) for document in shown])


def _refuse_lists(world: World) -> None:
    if not world.settings.lists_attachments:
        raise Refused(405, "UNK001", "The method is not allowed here", headers=(("allow", "POST"),))


def _check_flags(query: Mapping[str, str]) -> None:
    for name in FLAGS:
        if query.get(name, "true") not in ("true", "false"):
            raise Refused(400, "IAE002", f"{name}: must be true or false")


def _content(text: str, most: int) -> bytes:
    """The bytes of a document; Refused 400 without quoting it."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, "VAL001", "base64EncodedDocument: is not base64") from None
    if len(content) > most:
        raise Refused(400, "VAL001", f"base64EncodedDocument: must have at most {most} bytes")
    return content
