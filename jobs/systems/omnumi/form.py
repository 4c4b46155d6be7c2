"""The body of the one request: every column at the place that its `api` names. Reads the files that the row names."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import orjson

from jobs.keys import KeySpace
from jobs.privacy.documents import MOST_BYTES, read
from jobs.systems.manner import bound_to
from jobs.systems.row import Row
from jobs.value import value
from schemas.column import Column, numbered
from schemas.omnumi import OMNUMI

RANDOM_DIGITS = 12
"""Hex digits of a generated namespace: 48 bits, so that nobody else has it by chance (at least 40 are wanted)."""

NAMESPACE, META = "customNamespace", "customerMetaData"

MEMBERS = frozenset({column.api.split(".")[0] for column in OMNUMI if column.api} | {"customerMetaData", "tenantId"})
"""First level of the body."""


@value
class Manner:
    """What of a body the settings decide; they are named as there."""

    generate_namespace: bool = False
    namespace_provider: str = ""
    """Sent beside a generated namespace; empty: none."""
    marital_status_list: bool = False
    """Is `maritalStatus` a list of one? The example shows a list, which may be meant as the choice."""
    leave_out: str = ""
    """Members of the first level that are never sent, joined by commas."""

    @property
    def left_out(self) -> frozenset[str]:
        """The members of `leave_out`, one by one."""
        return frozenset(name.strip() for name in self.leave_out.split(",") if name.strip())


@value
class Form:
    """How rows become bodies at one tenant."""

    tenant: str
    keys: KeySpace
    files: Path
    most_bytes: int = MOST_BYTES
    manner: Manner = Manner()

    def as_sent(self, bound: Mapping[str, str]) -> Self:
        """The form of the unanswered write that was made of `bound`; itself where that says nothing."""
        return replace(self, manner=bound_to(self.manner, bound))

    def body(self, row: Row) -> dict[str, Any]:
        """The request's body; empty members are omitted. Raises Unsendable for a file that can't be used."""
        left_out = self.manner.left_out
        body: dict[str, Any] = {"tenantId": self.tenant}
        for path, column, own in given(row):
            if path.split(".")[0] in left_out:
                continue
            if path.endswith(".content"):
                put(body, path.replace(".content", ".fileName"), Path(own).name)
            put(body, path, self.sent(column, own))
        if "governmentDocuments" in body:
            body["governmentDocuments"] = list(body["governmentDocuments"].values())
        derived = self.derived(row, body)
        if META in body:
            body[META] = derived.get(META, {}) | body[META]
        return {name: value for name, value in (derived | body).items() if name not in left_out}

    def derived(self, row: Row, body: dict[str, Any]) -> dict[str, Any]:
        """What follows from other columns where it is not given."""
        if address := body.get("address"):
            address.setdefault("isoCountryCode", address["country"])
        names = [row.get(column) for column in ("first_name", "middle_name", "last_name")]
        made: dict[str, Any] = {"fullName": " ".join(name for name in names if name)}
        if row.row_ref and "personal_key:row_ref" not in (row.warnings or ""):
            made[META] = {"rowRef": row.row_ref}
        if (namespace := self.generated(row)) is not None:
            made[NAMESPACE] = namespace
            provider = self.manner.namespace_provider
            made |= {"provider": provider} if provider else {}
        return made

    def sent(self, column: Column, value: str) -> object:
        """One value as the member has it."""
        if column.gathers is not None:
            return {name: text for name, text in orjson.loads(value).items() if text is not None}
        if column.kind == "file":
            return base64.b64encode(read(self.files, value, self.most_bytes).content).decode()
        if (column.api or "").rpartition(".")[2] == "expired":
            return value == "true"
        if column.name == "marital_status" and self.manner.marital_status_list:
            return [value]
        return value

    def generated(self, row: Row) -> str | None:
        """The namespace that is made from the row's key, the same each time; None when the row has its own."""
        if not self.manner.generate_namespace or row.get("custom_namespace") or NAMESPACE in self.manner.left_out:
            return None
        return "m" + self.keys.wallet(row.key, "namespace").removeprefix("wal-").replace("-", "")[:RANDOM_DIGITS]


def given(row: Row) -> Iterator[tuple[str, Column, str]]:
    """All that a row says: the path of the member, its column, the value. Its documents are in their order."""
    for column in OMNUMI:
        value = row.get(column.name)
        if value is not None and column.api is not None:
            yield column.api, column, value
        if value is not None and column.numbered:
            each_of = {each.name: each for each in column.numbered}
            for number, name, text in numbered(value):
                yield f"governmentDocuments.{number - 1}.{each_of[name].api}", each_of[name], text


def put(body: dict[str, Any], path: str, value: object) -> None:
    """Puts `value` where the dotted `path` leads."""
    *folders, name = path.split(".")
    for folder in folders:
        body = body.setdefault(folder, {})
    body[name] = value
