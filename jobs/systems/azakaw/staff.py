"""The employees, one of whom every customer is added by. They are people too: only their ids are kept."""

from jobs.systems.azakaw import envelope
from jobs.systems.json_reply import Unreadable, identifier
from jobs.systems.messages import Reader, ReadFailed, Request


async def read_employees(reader: Reader) -> frozenset[str]:
    """The ids that GetEmployees shows, case-folded. Raises ReadFailed, NotPermitted."""
    request = Request("list_employees", "GET", "/ExtCustomerManagement/GetEmployees")
    reply = await reader.read(request)
    if not 200 <= envelope.status_of(reply) < 300:
        raise envelope.refused_read(request, reply)
    try:
        result = envelope.result_of(reply)
    except Unreadable as error:
        raise ReadFailed(f"{request.operation}: {error}", envelope.trace_of(reply)) from None
    records = [each for each in result if isinstance(each, dict)] if isinstance(result, list) else []
    return frozenset(found.casefold() for each in records if (found := identifier(each.get("id"))))
