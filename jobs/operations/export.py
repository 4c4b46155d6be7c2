"""Exports: what a system shows of its customers, into one file, a JSON object a line. It only reads.

The file is masked like everything that leaves this house, unless it was asked for in full; it is whole or absent.
"""

from collections.abc import Collection, Mapping
from math import inf
from pathlib import Path
from typing import Any

import orjson

from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.intake.workspace import workspace
from jobs.operations.lookup import BALANCE, Desk, mask, unread
from jobs.privacy import age_files
from jobs.progress import Count
from jobs.reports.folder import RunFolder
from jobs.settings.settings import Settings
from jobs.systems.messages import ReadFailed
from jobs.systems.optional import Exportable

HIDDEN = "***"
"""Stands for a number or a truth value: how many digits it has would tell too much."""


async def export(settings: Settings, clock: Clock, what: str, target: Path, count: Count, *, full: bool) -> int:
    """Writes the records of one kind to `target`, mode 0600; gives how many.

    `full`: as they are, not masked; encrypted where the settings name a recipient. An earlier `target` is replaced.
    Raises Unusable, NotPermitted, Unreachable.
    """
    key = settings.recipient if full else None
    age_files.refuse_unusable(key)
    if key is None:
        return await _exported(settings, clock, what, target, count, full=full)
    with workspace(settings.workplace, clock) as work:
        plain = work / "export.ndjson"
        written = await _exported(settings, clock, what, plain, count, full=full)
        age_files.encrypt(plain, target, key)
        return written


async def _exported(settings: Settings, clock: Clock, what: str, target: Path, count: Count, *, full: bool) -> int:
    written = 0
    async with Desk.opened(settings, clock, most=inf) as desk:
        if not isinstance(desk.system, Exportable) or what not in desk.system.capabilities.exports:
            raise Unusable(f"{desk.system.capabilities.title} exports no {what}")
        plain = desk.system.capabilities.plain
        with RunFolder.existing(target.parent.resolve()).open_atomic(target.name) as draft, draft.open("ab") as file:
            try:
                async for record in desk.system.export(desk.client, what):
                    shown = record if full else masked_tree("", record, plain)
                    file.write(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))
                    written += 1
                    count.advance()
            except ReadFailed as error:
                raise unread(error) from None
    return written


def masked_tree(name: str, value: object, plain: Collection[str]) -> Any:
    """A value as it may be shown, to its last leaf: the members in `plain` as they are, all others masked by name."""
    if isinstance(value, Mapping):
        kept = {key: each for key, each in value.items() if BALANCE not in key.casefold()}
        return {key: masked_tree(key, each, plain) for key, each in kept.items()}
    if isinstance(value, list):
        return [masked_tree(name, each, plain) for each in value]
    if value is None or name in plain:
        return value
    return mask(name, plain)(value) if isinstance(value, str) else HIDDEN
