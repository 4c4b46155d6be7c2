"""The customer's documents, for rows that name files: each is uploaded before KYC, which reads them.

A file is read when it is sent, and forgotten with the request.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from jobs import attachments
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.address import changed, unseen
from jobs.systems.exchange import CallClass, Reader, Reply, Request
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
    """Of the file itself."""
    resends: int | None = 1
    settle_seconds: float | None = None

    @property
    def kind(self) -> str:
        """The vendor's type of the document."""
        return TYPES[self.column]

    @property
    def name(self) -> str:
        """`document:` and the type."""
        return f"document:{self.kind}"

    def wanted(self, row: Row) -> bool:
        """Whether the row names such a document."""
        return row.get(self.column) is not None

    @property
    def sent(self) -> str:
        """The fact that holds a digest of the content: the file may be another one by the next run."""
        return f"{self.name}:sha256"

    async def look(self, reader: Reader, view: View) -> Finding:
        """Whether the customer, who is ours, has a document of that type; by its hash where that is shown."""
        try:
            return await self.sought(reader, view)
        except Unsendable as error:
            return Ended(error.outcome, error.reason_code, error.reason)

    async def sought(self, reader: Reader, view: View) -> Finding:
        """The same. Raises Unsendable when the file is needed and can't be used."""
        customer_id, documents = view.facts["customer_id"], list[Mapping[str, Any]]()
        if not view.fresh_customer or view.doubt or view.taken:
            listed = await shown.belonging(reader, "list_documents", self.path(customer_id), customer_id)
            if listed is None and (unlisted := unseen("documents_unreadable", view)) is not None:
                return unlisted
            documents = listed or []
        same_type = (document for document in documents if wire.text_of(document, "documentType") == self.kind)
        ours = next((document for document in same_type if self.same(document, view)), None)
        if ours is not None:
            return self.done(ours)
        digest = self.digest(view.row)
        return Absent({self.sent: digest}) if view.bound.get(self.sent, digest) == digest else changed("document")

    def same(self, document: Mapping[str, Any], view: View) -> bool:
        """Whether it is the row's: a target that shows no hash is believed, because nobody else uploads for us."""
        theirs = wire.text_of(document, "sha256")
        return theirs is None or theirs.lower() == (view.bound.get(self.sent) or self.digest(view.row))

    def digest(self, row: Row) -> str:
        """SHA-256 of the file's content, in hexadecimal. Raises Unsendable."""
        return hashlib.sha256(self.content(row).content).hexdigest()

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
        record = wire.answered(reply)
        if not isinstance(record, Mapping):
            return record
        if wire.identifier(record.get("documentId")) is None:
            return wire.doubtful(reply, "it has no documentId")
        if wire.contradicts(record, "customerId", view.facts["customer_id"]):
            return wire.doubtful(reply, "the document belongs to another customer")
        if wire.denies(record, "documentType", self.kind):
            return wire.doubtful(reply, "its documentType is not the one that was sent")
        return Done(self.done(record).facts, wire.trace_of(reply))

    def path(self, customer_id: str) -> str:
        """The one path of uploading and listing."""
        return shown.path_of(self.tenant_path, customer_id, "documents")
