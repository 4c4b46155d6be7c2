"""The steps `document`, `document:2` and so on: the KYC documents of a row, by a command that the settings name.

Each is sent once and never again, and judged by itself.

The vendor's page says that KYC documentation is handled and names neither command nor members; so both are settings,
and as nothing that could be read shows a document, a lost one stays a doubt for a person.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import Unusable
from jobs.privacy import documents
from jobs.systems.banklingo.contacts import KEYS, key_of
from jobs.systems.banklingo.dialect import DIALECT, Envelope
from jobs.systems.json_reply import Unreadable
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.verdict import Absent, Done, Finding, Unclear, Verdict
from schemas.banklingo import FURTHER
from schemas.column import numbered

DOCUMENT_FORM = (
    '{"contactEncodedKey": "{key}", "documentType": "{type}", "fileName": "{name}", "fileContent": "{content}"}'
)
"""Chosen after the spelling of the vendor's other commands."""


@dataclass(frozen=True, slots=True)
class DocumentStep:
    """Sends the document once its client is there."""

    envelope: Envelope
    files: Path
    command: str
    form: str
    settle_seconds: float | None
    number: int = 1
    resends: int | None = 0

    @property
    def name(self) -> str:
        """The name is `document`; of a further one `document:` and its number."""
        return "document" if self.number == 1 else f"document:{self.number}"

    async def look(self, reader: Reader, view: View) -> Finding:
        """Absent as long as no request of ours may have been applied: nothing shows a document."""
        if view.doubt is None and not view.taken:
            return Absent()
        return Unclear(
            "unanswered", "the document was not answered with a success, and nothing shows whether it is there"
        )

    def write(self, view: View) -> Request:
        """The command with the file inside. Raises Unsendable."""
        reference, kind = documents_of(view.row)[self.number]
        content = documents.read(self.files, reference).content
        told = {"key": view.facts["customer_id"], "type": kind, "name": Path(reference).name}
        told["content"] = base64.b64encode(content).decode()
        return self.envelope.command("document", self.command, filled(json.loads(self.form), told))

    def classify(self, reply: Reply, view: View) -> Verdict:
        """A success is one unless it names another client."""

        def made(content: Any) -> Done:
            about = key_of(content, *KEYS)
            if about not in {None, view.facts["customer_id"]}:
                raise Unreadable(f"it is about client {about}")
            return Done()

        return DIALECT.judged(reply, made)


def documents_of(row: Row) -> dict[int, tuple[str, str]]:
    """By number, rising: the file of each document that a row names, and its kind."""
    said: dict[int, dict[str, str]] = {}
    if reference := row.get("document_file"):
        said[1] = {"file": reference, "type": row.get("document_type") or ""}
    for number, name, told in numbered(row.get(FURTHER) or "{}"):
        said.setdefault(number, {})[name] = told
    return {each: (told["file"], told.get("type") or row.get("id_type") or "") for each, told in said.items()}


def checked_form(form: str) -> str:
    """`form`, once it is a JSON object. Raises Unusable."""
    try:
        parsed = json.loads(form)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise Unusable("[banklingo] document_form is no JSON object", hint=DOCUMENT_FORM)
    return form


def filled(form: Any, told: dict[str, str]) -> Any:
    """A form with what stands for `{name}` in it."""
    if isinstance(form, dict):
        return {name: filled(each, told) for name, each in form.items()}
    if isinstance(form, list):
        return [filled(each, told) for each in form]
    if isinstance(form, str):
        for name, text in told.items():
            form = form.replace(f"{{{name}}}", text) if form != f"{{{name}}}" else text
    return form
