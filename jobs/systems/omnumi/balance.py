"""The probe: whether a namespace is there, as a later version of the API tells (v4.2.0). It reads, and names nobody."""

from jobs.errors import NotPermitted
from jobs.systems.json_reply import text_of
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.omnumi.catalogue import Meaning, errors_of, normalised, worst
from jobs.systems.optional import Check

PATH = "/tenant/customer/balance"

NOBODY = "muster-doctor-0000000000000000"
"""A namespace that nobody has: no namespace of muster's has a word in it."""


async def ask(reader: Reader, namespace: str) -> Reply:
    """GET /tenant/customer/balance by namespace. Raises ReadFailed, NotPermitted."""
    query = (("identifierType", "customNamespace"), ("identifierValue", namespace))
    return await reader.read(Request("get_balance", "GET", PATH, query))


def absent(reply: Reply) -> bool:
    """Whether the answer says that nobody has the namespace; any other 404 may be about the path."""
    told = any("no data found" in normalised(text_of(each, "message") or "") for each in errors_of(reply))
    return reply.status == 404 and told


async def examined(reader: Reader) -> Check:
    """Whether the deployment answers the probe. Raises ReadFailed, NotPermitted."""
    reply = await ask(reader, NOBODY)
    if reply.ok or absent(reply):
        return Check("probe", True, "the target answers by namespace")
    if (blocked := worst(reply, None)).meaning is Meaning.BLOCKED:
        raise NotPermitted(blocked.reason, hint="check --tenant and MUSTER_TOKEN, or ask the vendor about the tenant")
    words = f"the target answers GET {PATH} with HTTP {reply.status}"
    return Check("probe", False, words, "take probe = true out of [omnumi]: lost requests then stay in doubt")
