"""HEAD at Eclipse: 200 is there, 404 is not. Nothing else is known of what was found."""

from jobs.systems.eclipse import shown
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import Reader, ReadFailed, Request


async def exists(reader: Reader, request: Request) -> bool:
    """Whether `request`, a HEAD, finds something. Raises ReadFailed, NotPermitted."""
    reply = await reader.read(request)
    if reply.ok:
        return True
    if reply.status == 404:
        return False
    failed = DIALECT.refused_read(request, reply)
    if isinstance(failed, ReadFailed):
        raise ReadFailed(f"{request.operation}: HTTP {reply.status}", failed.trace)
    raise failed


async def has_login(reader: Reader, tenant_path: str, customer_id: str) -> bool:
    """HEAD /customers/{id}/identities: whether the customer has a login. Raises ReadFailed, NotPermitted."""
    path = shown.path_of(tenant_path, customer_id, "identities")
    return await exists(reader, Request("identity_exists", "HEAD", path))
