"""Azakaw's switches and documented numbers: limits and the life of a token. Not their enforcement."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from jobs.sandbox.azakaw.form import INDIVIDUAL, LEGAL
from jobs.sandbox.listing import ORDERS
from jobs.sandbox.settings import Limit, Settings
from jobs.sandbox.switches import one_of, read

DAY = 86_400.0
"""Seconds that a token lives. Azakaw, Authentication page."""

LIMITS: dict[str, str | None] = {"create": "10/60", "read": "60/60", "download": "30/60"}
"""Calls in any so many seconds, for each tenant. Azakaw, Customer Profile Management page."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What the pages leave open, and what a test wants to be otherwise."""

    apps: Mapping[str, str] = field(default_factory=lambda: {"app": "1001"})
    """The tenant of each app."""
    employees: Mapping[str, str] = field(
        default_factory=lambda: {"3ea657a9-5a05-46f9-9277-d27f2ccd13ea": "Employee Name"}
    )
    """Names by id; the page's sample."""
    forms: Mapping[str, str] = field(default_factory=lambda: {"form-individual": INDIVIDUAL, "form-legal": LEGAL})
    """The `userType` that each form is for."""
    limits: Mapping[str, str | None] = field(default_factory=dict)
    """`CALLS/SECONDS` or null by class (`create`, `read`, `download`), in the place of the documented ones."""
    duplicate: str = one_of("409", "200-existing", "400", "accepted")
    """What a second customer with the same e-mail on a form meets; `accepted`: it is stored twice."""
    body_status: bool = False
    """Do refusals come as HTTP 200, with their code inside only?"""
    listing: bool = True
    """Is the list of submissions there? Without it: 404 in `seed`, 403 in `vendor`."""
    count_wrong: bool = False
    """Does `count` of a list say one more than the list has?"""
    lag_reads: int = 0
    """How many lists do not show a new submission yet."""
    list_order: str = one_of(*ORDERS)
    """In which order submissions are listed."""

    def __post_init__(self) -> None:
        for kind, text in self.limits.items():
            if kind not in LIMITS:
                raise ValueError(f"limits: no class {kind!r}; known: {', '.join(LIMITS)}")
            window(text)
        wrong = sorted(set(map(str, self.forms.values())) - {INDIVIDUAL, LEGAL})
        if wrong:
            raise ValueError(f"forms: {wrong[0]!r} is neither {INDIVIDUAL} nor {LEGAL}")
        if not all(isinstance(tenant, str) for tenant in self.apps.values()):
            raise ValueError("apps: a tenant is text, such as '1001'")

    def limit(self, kind: str | None) -> Limit | None:
        """The window of a class; None: no limit."""
        return window({**LIMITS, **self.limits}[kind]) if kind else None


def switches(settings: Settings) -> Switches:
    """Gives the switches in force. Raises ValueError when they are wrong."""
    return read(Switches, settings.switches.get("azakaw", {}))


def token_life(settings: Settings) -> float:
    """`token_seconds` once it is not the default, which is another vendor's."""
    default = next(item.default for item in fields(Settings) if item.name == "token_seconds")
    return DAY if settings.token_seconds == default else settings.token_seconds


def window(text: object) -> Limit | None:
    """From `10/60` or None, which is no limit; ValueError for anything else."""
    if text is None:
        return None
    calls, _, seconds = str(text).partition("/")
    try:
        limit = Limit(int(calls), float(seconds))
    except ValueError:
        limit = Limit(0, 0.0)
    if limit.calls < 1 or not limit.seconds > 0:
        raise ValueError(f"limits: {text!r} is not CALLS/SECONDS, such as 10/60")
    return limit
