"""Omnumi as a system: settings, capabilities, the static token. It has no reads, so there is nothing to compare."""

import re
from collections.abc import Callable, Mapping, Sequence

from jobs.errors import Unusable
from jobs.model import Rate
from jobs.privacy.documents import MOST_BYTES
from jobs.systems.contract import Capabilities, Setup, Step
from jobs.systems.defaults import Defaults
from jobs.systems.messages import CallClass, Reader, Token
from jobs.systems.omnumi import balance
from jobs.systems.omnumi.customer import CustomerStep
from jobs.systems.omnumi.dialect import DIALECT
from jobs.systems.omnumi.form import MEMBERS, Form, Manner
from jobs.systems.optional import Check
from jobs.value import value

CAPABILITIES = Capabilities(
    title="Omnumi",
    creates_customers=True,
    idempotency_key=None,
    lookups=(),
    steps=("customer",),
    documented_limit="none; 1 call a second is kept to",
    decision="compliance review: PENDING after the create; nothing tells its end",
    untold="the target never tells the end of a review, so that these rows stay pending and the run ends with 5: "
    "await_decision = false in [omnumi] ends rows onboarded, and the run with 0, once their customer is there",
    reads_back=False,
    credential="an access token, or nothing where the setting access_token is false",
    secrets={"token": "the access token, sent as the header access-token; nobody renews it"},
    natural_key="email",
    canary=1,
    takes=frozenset({"token", "nothing"}),
)

WRITES = Rate(1, 1.0)
"""Chosen, for no limit is documented: one call under way, and a second between two."""

_TENANT = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@value
class OmnumiSettings:
    """`[omnumi]` in muster.toml."""

    access_token: bool = True
    """Is MUSTER_TOKEN sent as the header `access-token`? Later release notes name it."""
    tenant_header: bool = True
    """Is the tenant sent as the header `tenant-id` too? An earlier release note complains when it is missing."""
    await_decision: bool = True
    """Does a row whose review is outstanding end `pending`, and the run with 5? Nothing ever tells the end of a review;
    false: the row ends `onboarded` and the run with 0, which says that the customer is there and not that it passed."""
    resend_unknown: bool = False
    """May a request whose fate is unknown be sent once more? The target refuses an e-mail that it has."""
    probe: bool = False
    """Does the deployment answer GET tenant/customer/balance (v4.2.0)? Then namespaces are looked for with it."""
    generate_namespace: bool = False
    """Make up a namespace for rows without one; their customers see it."""
    namespace_provider: str = ""
    """`provider` beside a namespace that was made up; empty: none."""
    marital_status_list: bool = False
    """Send `maritalStatus` as a list of one, as the example has it."""
    leave_out: str = ""
    """Members of the first level that are never sent, such as `fullName,customerMetaData`."""
    document_bytes: int = MOST_BYTES
    """One document file may have so many (chosen)."""
    settle_seconds: float = 6.0
    """With `probe`: how long after an unanswered create "not there" is not believed (chosen)."""


SETTINGS = OmnumiSettings


def system(setup: Setup, settings: OmnumiSettings) -> "Omnumi":
    """Omnumi for one tenant. Raises Unusable for a tenant that is no UUID and for unknown members."""
    if not _TENANT.fullmatch(setup.tenant):
        raise Unusable("the tenant of Omnumi is a UUID", hint="give --tenant as 8-4-4-4-12 hex digits")
    manner = Manner(
        settings.generate_namespace, settings.namespace_provider, settings.marital_status_list, settings.leave_out
    )
    if unknown := sorted(manner.left_out - MEMBERS):
        raise Unusable(f"[omnumi] leave_out: the request has no member {unknown[0]!r}")
    return Omnumi(setup, settings, manner)


class Omnumi(Defaults):
    """Omnumi for one tenant."""

    capabilities = CAPABILITIES
    dialect = DIALECT

    def __init__(self, setup: Setup, settings: OmnumiSettings, manner: Manner) -> None:
        self.tenant, self.settings = setup.tenant, settings
        self.customer = CustomerStep(
            Form(setup.tenant, setup.keys, setup.files, settings.document_bytes, manner),
            awaits_decision=settings.await_decision,
            resends_unknown=settings.resend_unknown,
            probes=settings.probe,
            settle_seconds=settings.settle_seconds if settings.probe else 0.0,
        )
        self.steps: tuple[Step, ...] = (self.customer,)

    def given(self, token: str) -> Token:
        """The header `access-token`, or none where the settings say so. Raises Unusable when the token is missing."""
        if not self.settings.access_token:
            return Token("", "", float("inf"), None)
        if not token:
            hint = "set MUSTER_TOKEN (or MUSTER_TOKEN_FILE), or access_token = false in [omnumi]"
            raise Unusable("no credential for omnumi: it takes an access token", hint=hint)
        return Token("access-token", token, float("inf"), None)

    def headers(self, fresh_id: Callable[[], str]) -> Mapping[str, str]:
        """The tenant, unless the settings switch it off."""
        return {"tenant-id": self.tenant} if self.settings.tenant_header else {}

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """The one read that some deployments have; without it nothing can be asked. Raises ReadFailed, NotPermitted."""
        if self.settings.probe:
            return [await balance.examined(reader)]
        return [Check("target", None, "not asked: Omnumi offers nothing to ask without changing something")]

    def limits(self, positions: frozenset[str]) -> Mapping[CallClass, Rate]:
        """One create at a time and a second between two (chosen); `--rate` replaces it."""
        return {CallClass.WRITE: WRITES}
