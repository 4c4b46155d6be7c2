"""The customer's documents, for rows that name files: each is uploaded before KYC, which reads them.

A file is read when it is sent, and forgotten with the request.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from jobs.privacy import documents as attachments
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.address import unlisted
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unsendable, Verdict

TYPES = {
    "id_front_file": "NATIONAL_IDENTITY",
    "id_back_file": "BACK_OF_NATIONAL_IDENTITY",
    "passport_file": "PASSPORT",
    "selfie_file": "FACIAL_PHOTO",
    "proof_of_address_file": "PROOF_OF_ADDRESS",
}
"""Column to the vendor's type of document; its COMPARISON types are not for onboarding."""

UPLOAD_DEADLINE_SECONDS = 90.0
"""Chosen: 7 MB of base64 over a slow line."""


@dataclass(frozen=True, slots=True)
class DocumentStep:
    """Uploads one document. It has no key: a lost one is settled by the list, and is sent again only once."""

    tenant_path: str
    column: str
    folder: Path
    most_bytes: int
    """The file itself may have so many."""
    resends: int | None = 1
    settle_seconds: float | None = None

    @property
    def kind(self) -> str:
        """The vendor's type of the document."""
        return TYPES[self.column]

    @property
    def name(self) -> str:
        """The name is `document:` and the type."""
        return f"document:{self.kind}"

    def wanted(self, row: Row) -> bool:
        """Whether the row names such a document."""
        return row.get(self.column) is not None

    async def look(self, reader: Reader, view: View) -> Finding:
        """Whether the customer, who is ours, has a document of that type; by its hash where that is shown."""
        if view.fresh_customer and view.doubt is None and not view.taken:
            return Absent()
        customer_id = view.facts["customer_id"]
        documents = await shown.belonging(reader, "list_documents", self.path(customer_id), customer_id)
        if documents is None:
            return unlisted("documents_unreadable", view)
        same_type = [document for document in documents if wire.text_of(document, "documentType") == self.kind]
        try:
            ours = next((document for document in same_type if self.same(document, view.row)), None)
        except Unsendable as error:
            return Ended(error.outcome, error.reason_code, error.reason)
        return Absent() if ours is None else self.done(ours)

    def same(self, document: Mapping[str, Any], row: Row) -> bool:
        """Whether it is the row's: a target that shows no hash is believed, because nobody else uploads for us."""
        digest = wire.text_of(document, "sha256")
        return digest is None or digest.lower() == hashlib.sha256(self.content(row).content).hexdigest()

    def done(self, document: Mapping[str, Any]) -> Done:
        """The facts of an uploaded document."""
        number = wire.identifier(document.get("documentId"))
        return Done({} if number is None else {self.name: number})

    def content(self, row: Row) -> attachments.Attachment:
        """The file that the row names. Raises Unsendable."""
        return attachments.read(self.folder, row.get(self.column) or "", self.most_bytes)

    def write(self, view: View) -> Request:
        """POST /customers/{id}/documents with the file in base64. Raises Unsendable when it can't be read any more."""
        found = self.content(view.row)
        body = {
            "base64EncodedDocument": base64.b64encode(found.content).decode(),
            "documentType": self.kind,
            "mediaType": found.media_type,
        }
        return Request(
            "create_document",
            "POST",
            self.path(view.facts["customer_id"]),
            body=orjson.dumps(body),
            call_class=CallClass.WRITE,
            deadline_seconds=UPLOAD_DEADLINE_SECONDS,
        )

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with a documentId is an upload."""
        return DIALECT.judged(reply, partial(self.uploaded, customer_id=view.facts["customer_id"]))

    def uploaded(self, record: Mapping[str, Any], customer_id: str) -> Done:
        """The document that the reply to an upload names. Raises Unreadable."""
        if wire.identifier(record.get("documentId")) is None:
            raise wire.Unreadable("it has no documentId")
        if wire.contradicts(record, "customerId", customer_id):
            raise wire.Unreadable("the document belongs to another customer")
        return self.done(record)

    def path(self, customer_id: str) -> str:
        """The one path of uploading and listing."""
        return shown.path_of(self.tenant_path, customer_id, "documents")
