"""Step 1, the customer: found by identity and phone, judged by its key, created with ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from jobs import folded
from jobs.errors import NotPermitted
from jobs.keys import KeySpace
from jobs.model import Origin, Outcome
from jobs.systems.contract import CLOCK_SKEW, CUSTOMER_STEP
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import CallClass, Reader, Reply, Request
from jobs.systems.row import Row, View
from jobs.systems.spelling import spelt
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Verdict
from jobs.value import value

PAYLOAD = {
    "first_name": "firstName",
    "last_name": "lastName",
    "phone": "phone1",
    "email": "email",
    "national_id": "nationalIdentityNumber",
    "date_of_birth": "dateOfBirth",
    "gender": "gender",
    "marital_status": "maritalStatus",
    "title": "title",
    "middle_name": "middleName",
    "maiden_name": "maidenName",
    "language": "language",
    "birth_city": "birthCity",
    "birth_country": "birthCountry",
    "country_of_residence": "countryOfResidence",
    "passport_number": "passportNumber",
    "asylum_ref_number": "asylumRefNumber",
    "industry": "industry",
}
"""Canonical column to the vendor's field. The five first are required by the vendor's page."""

TYPE = "user_type_id"
"""The fact that holds the type of user that a create was made with: a setting, which may differ by the next run."""

NATURAL = ("first_name", "last_name", "email")
"""What must be equal too, beside identity and phone, before our unanswered intent explains a customer without a key."""


SHARED_DIGITS = 7
"""Two spellings of a phone that are one agree in that many last digits: see `folded.MOVED` and `LEAST_NATIONAL`."""


COVERED = re.compile(r"[*#•…]|xx", re.IGNORECASE)
"""What stands in a number that is shown in part."""


@value
class Candidate:
    """One customer that holds our identity number or our phone, and what it shows of its key."""

    customer_id: str
    same_identity: bool
    same_phone: bool
    ours: bool
    key_shown: bool
    active: bool
    spelling: Mapping[str, str]
    """The fact that says what the target has in another spelling; empty: nothing."""


@dataclass(frozen=True, slots=True)
class CustomerStep:
    """Creates the customer record. The vendor refuses a repeated key, so resending after a look is safe."""

    tenant_path: str
    keys: KeySpace
    user_type_id: int
    name: str = CUSTOMER_STEP
    resends: int | None = None
    settle_seconds: float | None = None

    async def look(self, reader: Reader, view: View) -> Finding:
        """Who holds our identity or phone, and is it ours?"""
        if view.unlisted:
            return Absent({TYPE: self.type_of(view)})
        candidates = [await self.judge(reader, view, found) for found in await self.holders(reader, view.row)]
        ours = [candidate for candidate in candidates if candidate.ours]
        if len(ours) == 1 and ours[0].same_identity:
            return self.adopt(ours[0], view)
        if candidates:
            return conflict(candidates)
        if view.taken:
            return unexplained(view)
        return Absent({TYPE: self.type_of(view)})

    async def holders(self, reader: Reader, row: Row) -> list[Mapping[str, Any]]:
        """Customers who have the row's identity number or phone, in whatever spelling.

        The server is asked for each spelling by itself, and may match more loosely.
        """
        asked = (
            value
            for column in ("national_id", "phone")
            if (ours := row.get(column))
            for value in folded.spellings(column, ours)
        )
        found: dict[str, Mapping[str, Any]] = {}
        for spelling in asked:
            async for record in wire.pages(reader, self.search((("identity", spelling),))):
                if same_identity(row, record) or same_phone(row, record):
                    found[str(wire.identifier(record.get("customerId")))] = record
        return list(found.values())

    async def judge(self, reader: Reader, view: View, record: Mapping[str, Any]) -> Candidate:
        """What one customer shows: its key in the profile, or in one of its wallets, or our unanswered intent."""
        customer_id = str(wire.identifier(record.get("customerId")))
        profile = await shown.profile(reader, self.tenant_path, customer_id) or record
        key = wire.text_of(profile, "externalUniqueId") or wire.text_of(record, "externalUniqueId")
        row = view.row
        both = same_identity(row, profile) and same_phone(row, profile)
        ours = carries(row, key)
        if key is None:
            ours = await self.wallet_shows_key(reader, row, customer_id) or (both and explained(view, profile))
        return Candidate(
            customer_id=customer_id,
            same_identity=same_identity(row, profile),
            same_phone=same_phone(row, profile),
            ours=ours,
            key_shown=key is not None,
            active=(wire.text_of(profile, "status") or "ACTIVE").upper() == "ACTIVE",
            spelling=spelling(row, profile, key),
        )

    async def wallet_shows_key(self, reader: Reader, row: Row, customer_id: str) -> bool:
        """Whether a wallet of that customer carries the key that only this row can have given it."""
        keys = {
            (wire.text_of(wallet, "externalUniqueId"), wire.identifier(wallet.get("walletTypeId")))
            for wallet in await shown.wallets(reader, self.tenant_path, customer_id) or []
        }
        return any(key and kind and key in {self.keys.wallet(each, kind) for each in row.keys} for key, kind in keys)

    def adopt(self, candidate: Candidate, view: View) -> Finding:
        """Ours: made by our unanswered request, or by an earlier run that this ledger does not know."""
        if not candidate.active:
            return Ended(
                Outcome.CONFLICT,
                "customer_not_active",
                f"customer {candidate.customer_id} is ours but not ACTIVE",
            )
        origin = Origin.CREATED if view.doubt else Origin.ADOPTED
        return customer_found(candidate.customer_id, origin, candidate.spelling)

    def type_of(self, view: View) -> str:
        """The type of user to create: that of the open create while there is one."""
        return view.bound.get(TYPE) or view.row.get("user_type_id") or str(self.user_type_id)

    def write(self, view: View) -> Request:
        """POST /customers with our key and version 0, both required by the vendor."""
        body: dict[str, object] = {**members(view.row)}
        body["userTypeId"] = int(self.type_of(view))
        body["externalUniqueId"] = view.row.key
        body["version"] = 0
        return Request(
            "create_customer",
            "POST",
            f"{self.tenant_path}/customers",
            body=orjson.dumps(body),
            call_class=CallClass.WRITE,
            key=view.row.key,
        )

    def classify(self, reply: Reply, view: View) -> Verdict:
        """2xx with an id is a create; anything that could be another person's record is a doubt."""
        if reply.status == 404:
            raise NotPermitted(
                f"the target knows no such tenant or path: {DIALECT.words_of(reply)}",
                hint="check --tenant and --base-url",
            )
        return DIALECT.judged(reply, partial(self.created, row=view.row))

    def created(self, record: Mapping[str, Any], row: Row) -> Done:
        """The customer that the reply to a create names. Raises Unreadable."""
        customer_id = wire.identifier(record.get("customerId"))
        if customer_id is None:
            raise wire.Unreadable("it has no customerId")
        if (why := self.foreign(record, row)) is not None:
            raise wire.Unreadable(why)
        return customer_found(customer_id, Origin.CREATED)

    def foreign(self, record: Mapping[str, Any], row: Row) -> str | None:
        """Why the answer to a create may be about somebody else; None when it names the row's person and no other."""
        sent = {"external_unique_id": row.key, "national_id": row.get("national_id")}
        for column, field in (("external_unique_id", "externalUniqueId"), ("national_id", PAYLOAD["national_id"])):
            if wire.denies(record, field, sent[column], column):
                return f"its {field} is not the one that was sent"
        if record.get("phone1") not in (None, "") and not same_phone(row, record):
            return "its phone1 is not the one that was sent"
        if not any(record.get(field) for field in ("externalUniqueId", "nationalIdentityNumber", "phone1")):
            return "it does not say whom it is about"
        return None

    def search(self, query: tuple[tuple[str, str], ...]) -> Request:
        """GET /customers with one filter: how the vendor combines several is not documented."""
        return Request("search_customers", "GET", f"{self.tenant_path}/customers", query)

    def everybody(self) -> Request:
        """GET /customers without a filter."""
        return Request("list_customers", "GET", f"{self.tenant_path}/customers")


def members(row: Row) -> dict[str, str]:
    """The members of a profile that the row fills."""
    found = {api: value for column, api in PAYLOAD.items() if (value := row.get(column))}
    if birth := row.get("date_of_birth"):
        found[PAYLOAD["date_of_birth"]] = birth.replace("-", "")
    return found


def customer_found(customer_id: str, origin: Origin, spelling: Mapping[str, str] | None = None) -> Done:
    """The row's customer, whom no other row may have. `spelling`: see `Candidate`."""
    facts = {"customer_id": customer_id, "customer_origin": origin, **(spelling or {})}
    return Done(facts, claims={"customer": customer_id})


def carries(row: Row, key: str | None) -> bool:
    """Whether `key`, as the target shows it, is the row's: in whatever spelling, or as an earlier muster derived it."""
    return any(folded.same("external_unique_id", each, key) for each in row.keys)


def same_identity(row: Row, record: Mapping[str, Any]) -> bool:
    """Whether a record has the row's identity number, in whatever spelling."""
    return folded.same("national_id", row.get("national_id"), wire.text_of(record, PAYLOAD["national_id"]))


def same_phone(row: Row, record: Mapping[str, Any]) -> bool:
    """Whether a record has the row's phone, in whatever spelling."""
    return folded.same_phone(row.get("phone"), wire.text_of(record, PAYLOAD["phone"]))


def marks(identity: str | None, phone: str | None) -> frozenset[str]:
    """What `same_identity` and `same_phone` may find two to have in common: whoever they do has one of these too.

    The last digits of a phone are those that no spelling of it lacks.
    """
    found = {f"i{folded.of('national_id', identity)}"} if identity else set[str]()
    return frozenset(found | ({f"p{folded.digits(phone)[-SHARED_DIGITS:]}"} if phone else set()))


def marks_of(record: Mapping[str, Any]) -> frozenset[str] | None:
    """The marks of a listed customer; None where they are covered, or neither is shown."""
    identity, phone = wire.text_of(record, PAYLOAD["national_id"]), wire.text_of(record, PAYLOAD["phone"])
    if not (identity or phone) or COVERED.search(f"{identity} {phone}"):
        return None
    return marks(identity, phone)


def spelling(row: Row, profile: Mapping[str, Any], key: str | None) -> dict[str, str]:
    """The fact that says what a profile has in another spelling. `key`: the one that it shows."""
    shown = {column: wire.text_of(profile, PAYLOAD[column]) for column in ("national_id", "email", "phone")}
    former = key is not None and key == row.former_key
    return spelt(row, {"external_unique_id": key, **shown}, also=("external_unique_id",) if former else ())


def explained(view: View, profile: Mapping[str, Any]) -> bool:
    """Whether our own unanswered request explains a customer that shows no key.

    Names and e-mail must be equal too, and it must have been created no earlier than the request (less clock skew).
    """
    if view.doubt is None:
        return False
    created = wire.moment_of(profile.get("created"))
    if created is None or created < view.doubt.since - CLOCK_SKEW:
        return False
    return all(
        folded.of(column, wire.text_of(profile, PAYLOAD[column]) or "").casefold()
        == folded.of(column, view.row.get(column) or "").casefold()
        for column in NATURAL
    )


def unexplained(view: View) -> Finding:
    """The target says "exists already", and nobody holds our identity or phone."""
    if view.doubt is not None:
        return Unclear("unanswered", "the target refused our key as taken, but shows no customer for it")
    return Ended(
        Outcome.CONFLICT,
        "key_taken",
        "the target refused the key as taken, but shows nobody with this identity or phone",
    )


def conflict(candidates: list[Candidate]) -> Ended:
    """Why the row is someone else's, or can't be proven ours. A stranger's record is never adopted or changed."""
    ids = ", ".join(candidate.customer_id for candidate in candidates)
    both = [candidate for candidate in candidates if candidate.same_identity and candidate.same_phone]
    if any(candidate.ours and not candidate.same_identity for candidate in candidates):
        return Ended(
            Outcome.CONFLICT,
            "key_taken",
            f"our key belongs to a customer with another identity number ({ids})",
        )
    if sum(candidate.ours for candidate in candidates) > 1 or len(both) > 1:
        return Ended(Outcome.CONFLICT, "ambiguous", f"several customers fit ({ids}); none was chosen")
    if both and both[0].key_shown:
        return Ended(Outcome.CONFLICT, "same_person", f"customer {ids} is the same person under another key")
    if both:
        return Ended(
            Outcome.CONFLICT,
            "unproven",
            f"customer {ids} has this identity and phone, but nothing shows that we made it",
        )
    if any(candidate.same_identity for candidate in candidates):
        return Ended(
            Outcome.CONFLICT,
            "identity_taken",
            f"the identity number belongs to customer {ids} with another phone",
        )
    return Ended(Outcome.CONFLICT, "phone_taken", f"the phone belongs to customer {ids} with another identity number")
