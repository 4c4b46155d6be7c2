"""What only some systems offer; each is a protocol of its own, so that nobody has to implement a refusal.

A system that offers one must implement all of its members.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.sighting import Profile
from jobs.value import value


@runtime_checkable
class Profiled(Protocol):
    """A system that shows all about one customer; its capabilities say `profiles`."""

    async def profile(self, reader: Reader, customer_id: str) -> Profile | None:
        """Read afresh; None when there is no such customer. Raises ReadFailed, NotPermitted."""
        ...


@runtime_checkable
class Downloadable(Protocol):
    """A system whose profiles can be downloaded; its capabilities say in which forms (`downloads`)."""

    def documents(self, customer_id: str, facts: Mapping[str, str], form: str) -> Sequence[Request]:
        """Where the profile may be, the likeliest place first; one that is not there is answered with 404."""
        ...

    def data(self, request: Request, reply: Reply, customer_id: str) -> bytes:
        """The profile in a success' reply as a JSON document, for the form `json`.

        Raises ReadFailed when it is no whole profile, or another customer's.
        """
        ...


OPERATORS = ("!=", "=", ">", "<", "~")
"""What predicates compare with; `~`: contains."""


@value
class Predicate:
    """One condition of a search: a member in the vendor's spelling, one of OPERATORS, and what it is compared with."""

    member: str
    operator: str
    value: str


@runtime_checkable
class Searchable(Protocol):
    """A system whose customers are searched by predicates; its capabilities say `predicates`."""

    async def search(self, reader: Reader, predicates: Sequence[Predicate]) -> Sequence[Mapping[str, str]]:
        """Those that fit all, as `System.find` gives them. Raises ReadFailed, NotPermitted, Unusable."""
        ...


@runtime_checkable
class Exportable(Protocol):
    """A system whose records can be exported; its capabilities say which kinds (`exports`)."""

    def export(self, reader: Reader, what: str) -> AsyncIterator[Mapping[str, Any]]:
        """The records of one kind as the target has them. Raises ReadFailed, NotPermitted, Unusable."""
        ...


@value
class Notice:
    """What a target tells by itself: of which customer, and its state. `state` None: it does not say.

    `identity`: what makes it the same notice; the same once more is a replay.
    """

    customer_id: str
    state: str | None
    identity: bytes = field(repr=False)


class NotAuthentic(Exception):
    """What came is not proven to be the target's; the message says nothing of why."""


@runtime_checkable
class Notified(Protocol):
    """A system that tells of its customers by itself; its capabilities say `notices`."""

    def notice(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notice:
        """What came, once it is proven to be the target's. Names of headers are lower case. Pure.

        Raises NotAuthentic, and Unreadable for an authentic body that names no customer.
        """
        ...


@runtime_checkable
class Staffed(Protocol):
    """A system in which a customer is made in the name of one of its users; its capabilities say `staff`."""

    async def employees(self, reader: Reader) -> Sequence[Mapping[str, str]]:
        """Those, with `id` and `name`, in the target's order. Raises ReadFailed, NotPermitted."""
        ...


@runtime_checkable
class Portal(Protocol):
    """A system whose tenant has users of its own, who log in at a portal."""

    async def portal_users(self, reader: Reader) -> Sequence[Mapping[str, str]]:
        """All of the tenant, as flat text in the vendor's spelling. Raises ReadFailed, NotPermitted."""
        ...


@value
class Check:
    """One line of a preflight. `passed` None: worth knowing, no reason to stop."""

    name: str
    passed: bool | None
    found: str
    advice: str | None = None
    """What to do about it."""


@runtime_checkable
class Examined(Protocol):
    """A system that can be asked, without changing anything, whether a run would get along with it."""

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """What was found, line by line. Raises ReadFailed, NotPermitted."""
        ...


@runtime_checkable
class Challenging(Protocol):
    """A system whose login may be a challenge that is signed, in the place of a password."""

    def challenge(self, identity: str) -> Request | None:
        """The request for a challenge; None when a password is to be sent."""
        ...

    def answer(self, identity: str, reply: Reply, private_key: str) -> Request:
        """The login that answers the challenge in `reply`. Raises NotPermitted, and ValueError like `token_of`."""
        ...


ASKED_AGAIN_AFTER = "asked_again_after"
"""The fact that holds the target's own time of the newest decision when an operator asked again: a look at the step
believes later ones only."""


SHAREABLE, SHARED = "shareable", "shared"
"""Facts that name columns, joined by `;`: those of a conflict that another person may rightly have too (a family's
phone), and those that somebody decided to be such: a look at the first step does not ask who has them."""


@value
class Newest:
    """The newest decision about a customer. `at` is the target's own time of it; both None: there is none."""

    status: str | None
    at: str | None


@runtime_checkable
class Redecidable(Protocol):
    """A system whose decision can be asked for again."""

    redecided: str
    """Name of the step that asks."""
    passed: str
    """The status that is never asked again without consent."""
    refused: str
    """The status that may be asked again."""

    async def newest(self, reader: Reader, customer_id: str) -> Newest:
        """The newest decision. Raises ReadFailed, NotPermitted."""
        ...
