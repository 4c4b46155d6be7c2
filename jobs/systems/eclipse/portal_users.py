"""Portal users of an Eclipse tenant: found by their login name in the tenant's list, created, never changed.

The vendor's page: the login name is unique over the whole platform; the list shows the own tenant only.
"""

import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from jobs import folded
from jobs.errors import NotPermitted
from jobs.model import Origin, Outcome
from jobs.privacy import masking
from jobs.privacy.passwords import PasswordFile
from jobs.systems.contract import Capabilities, Passwords, Setup, Step
from jobs.systems.defaults import Defaults
from jobs.systems.eclipse import wire
from jobs.systems.eclipse.customer import customer_found
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.eclipse.identity import wordless
from jobs.systems.eclipse.lookup import flat
from jobs.systems.eclipse.system import Eclipse, EclipseSettings
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.shared_list import Index
from jobs.systems.sighting import Comparison, Listed, Sighting
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Verdict
from jobs.value import value

CAPABILITIES = Capabilities(
    title="Eclipse Conductor, portal users",
    creates_customers=False,
    idempotency_key="identity",
    lookups=(),
    steps=("portal_user",),
    documented_limit="set by tenant",
    decision=None,
    logins=True,
)

SETTINGS = EclipseSettings

PAYLOAD = {"first_name": "firstName", "last_name": "lastName", "email": "email", "phone": "phone1"}
"""Column to the vendor's field, of what must be equal before a user that is there counts as the row's."""


Record = Mapping[str, Any]


@value
class Users:
    """One reading of the tenant's list: by id, and by login name without regard to capitals."""

    by_id: Mapping[str, Record]
    by_identity: Mapping[str, Sequence[Record]]

    def named(self, identity: str) -> Sequence[Record]:
        """Who logs in with `identity`, or with a name that differs in capitals alone."""
        return self.by_identity.get(identity.casefold(), ())


def listed(reader: Reader, tenant_path: str) -> AsyncIterator[list[Record]]:
    """All portal users of the tenant, page by page, each once. Raises ReadFailed, NotPermitted."""
    request = Request("list_admin_users", "GET", f"{tenant_path}/admin-users")
    return wire.listing(reader, request, by="adminUserId", limit=wire.PAGE_SIZE)


async def all_users(reader: Reader, tenant_path: str) -> Users:
    """The whole list. Raises ReadFailed, NotPermitted."""
    by_id: dict[str, Record] = {}
    by_identity: dict[str, list[Record]] = {}
    async for page in listed(reader, tenant_path):
        for record in page:
            by_id[str(wire.identifier(record.get("adminUserId")))] = record
            by_identity.setdefault((wire.text_of(record, "identity") or "").casefold(), []).append(record)
    return Users(by_id, by_identity)


@dataclass(frozen=True, slots=True)
class PortalUserStep:
    """Creates the user. A login name that is taken is refused (409), so resending after a look is safe."""

    tenant_path: str
    passwords: Passwords
    users: Index[Users] = field(compare=False)
    name: str = "portal_user"
    resends: int | None = None
    settle_seconds: float | None = None

    async def look(self, reader: Reader, view: View) -> Finding:
        """Who logs in with the row's name: nobody, the row's own user, or another.

        One reading of the list serves all rows, but for those that need to know what became of a request of ours.
        """
        unsettled = view.doubt is not None or view.taken
        reading = await (self.users.fresh(reader) if unsettled else self.users.reading(reader))
        holders = reading.content.named(view.row.values["identity"])
        if len(holders) > 1:
            return Ended(Outcome.CONFLICT, "ambiguous", f"several users log in with this name ({ids_of(holders)})")
        if holders:
            return judged(view, holders[0])
        if not view.taken:
            return Absent()
        if view.doubt is not None:
            return Unclear("unanswered", "the login name is refused as taken, but the tenant's list does not show it")
        reason = "the login name is taken on the platform: by a customer, or by a user of another tenant"
        return Ended(Outcome.CONFLICT, "identity_taken", reason)

    def write(self, view: View) -> Request:
        """POST /admin-users. The password is on the disk, or in the input, before it is sent; the ledger has no digest
        that it is part of.
        """
        row = view.row
        told: dict[str, object] = {api: row.get(column) for column, api in PAYLOAD.items()}
        told |= {"identity": row.get("identity"), "positions": positions_of(row)}
        body = told | {"password": self.passwords.for_row(row, row.values["identity"])}
        return Request(
            "create_admin_user",
            "POST",
            f"{self.tenant_path}/admin-users",
            body=orjson.dumps(body),
            call_class=CallClass.WRITE,
            described=orjson.dumps(told),
        )

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with an id and our login name is a user. The target's own words are never repeated: they may quote the
        password.
        """
        if reply.status == 404:
            raise NotPermitted("the target knows no such tenant or path", hint="check --tenant and --base-url")
        return wordless(DIALECT.judged(reply, partial(created, row=view.row)))


def created(record: Record, row: Row) -> Done:
    """The user that the reply to a create names. Raises Unreadable."""
    user_id = wire.identifier(record.get("adminUserId"))
    if user_id is None:
        raise wire.Unreadable("it has no adminUserId")
    if wire.denies(record, "identity", row.get("identity")):
        raise wire.Unreadable("its identity is not the one that was sent")
    phone = record.get("phone1")
    if phone not in (None, "") and not folded.same_phone(row.get("phone"), wire.text_of(record, "phone1")):
        raise wire.Unreadable("its phone1 is not the one that was sent")
    return customer_found(user_id, Origin.CREATED)


def judged(view: View, user: Record) -> Finding:
    """The one user with the row's login name: the row's own when all is equal, else somebody that is left alone."""
    user_id = str(wire.identifier(user.get("adminUserId")))
    fields = compared(view.row, user)
    different = [each.field for each in fields if each.theirs is not None and not same(each)]
    if different:
        reason = f"user {user_id} has this login name and differs in {', '.join(different)}; nothing was changed"
        return Ended(Outcome.CONFLICT, "identity_taken", reason)
    hidden = [each.field for each in fields if each.theirs is None]
    if hidden and view.doubt is None:
        reason = f"user {user_id} has this login name, and the list does not show its {', '.join(hidden)}"
        return Ended(Outcome.CONFLICT, "unproven", reason)
    origin = Origin.CREATED if view.doubt else Origin.ADOPTED
    return customer_found(user_id, origin)


def compared(row: Row, user: Record) -> list[Comparison]:
    """All that a row says of its user, against what the target shows (None: it does not show that)."""
    phone = wire.text_of(user, "phone1")
    theirs = {column: wire.text_of(user, api) for column, api in PAYLOAD.items()}
    theirs["phone"] = row.get("phone") if folded.same_digits(row.get("phone"), phone) else phone
    theirs["identity"] = wire.text_of(user, "identity")
    fields = [Comparison(name, row.get(name), shown, masking.of_column(name)) for name, shown in theirs.items()]
    return [*fields, Comparison("positions", ";".join(positions_of(row)), positions_shown(user), plainly)]


def plainly(text: str | None) -> str:
    """Positions are not personal."""
    return text or ""


def same(each: Comparison) -> bool:
    """Whether both sides are equal; runs of blanks do not count, nor the spelling of an e-mail or a phone."""
    ours, theirs = (" ".join(unicodedata.normalize("NFC", text or "").split()) for text in (each.ours, each.theirs))
    return folded.of(each.field, ours) == folded.of(each.field, theirs)


def positions_of(row: Row) -> list[str]:
    """The row's positions, each once, sorted."""
    return sorted({position.strip() for position in (row.get("positions") or "").split(";")})


def positions_shown(user: Record) -> str | None:
    """The user's positions as a row would write them, sorted; None when they are not shown."""
    shown = user.get("positions")
    return ";".join(sorted(each for each in shown if isinstance(each, str))) if isinstance(shown, list) else None


def ids_of(users: Sequence[Record]) -> str:
    """The ids of `users`, for a sentence."""
    return ", ".join(str(wire.identifier(user.get("adminUserId"))) for user in users)


def system(setup: Setup, settings: EclipseSettings) -> "PortalUsers":
    """The portal users of one tenant."""
    return PortalUsers(setup, settings)


class PortalUsers(Eclipse):
    """Eclipse Conductor as the place of portal users."""

    capabilities = CAPABILITIES

    def __init__(self, setup: Setup, settings: EclipseSettings) -> None:
        super().__init__(setup.tenant, setup.keys, settings, setup.files)
        self.users = Index(self.read_users)
        passwords = setup.passwords or PasswordFile(None)
        self.steps: tuple[Step, ...] = (PortalUserStep(self.tenant_path, passwords, self.users),)
        self.later_columns = frozenset()

    async def read_users(self, reader: Reader) -> Users:
        """The whole list, read afresh. Raises ReadFailed, NotPermitted."""
        return await all_users(reader, self.tenant_path)

    async def portal_users(self, reader: Reader) -> Sequence[Mapping[str, str]]:
        """All of the tenant, oldest first as the target lists them."""
        users = (await self.users.reading(reader)).content
        return [flat(user) | {"positions": positions_shown(user) or ""} for user in users.by_id.values()]

    steps_of = Defaults.steps_of

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """The user with the known id, else with the login name; one reading of the list serves all rows."""
        users = (await self.users.reading(reader)).content
        known = facts.get("customer_id")
        if known is None:
            found = [user for user in users.named(row.values["identity"]) if user["identity"] == row.get("identity")]
        else:
            found = [users.by_id[known]] if known in users.by_id else []
        ids = [str(wire.identifier(user.get("adminUserId"))) for user in found]
        return Sighting(ids, compared(row, found[0]) if len(found) == 1 else ())
