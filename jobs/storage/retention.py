"""How long objects can't be changed or removed by anybody (WORM), and which ones: evidence that names nobody."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from jobs.errors import Unusable
from jobs.storage.address import is_address
from jobs.value import value

NAMELESS = re.compile(
    r"(.*/)?(manifest(-\d+)?\.json(\.sig|\.tsr)?|SHA256SUMS|summary\.json|verify\.py|README-AUDITOR\.md)"
)
"""Evidence without personal data: what an erasure leaves as it is. Manifests pin the hashes of all other files."""


@value
class Retention:
    """`mode`: `governance` (who has a right of its own may end it) or `compliance` (nobody may)."""

    mode: str
    days: int
    everything: bool = False
    """Files with personal data too: what is asked to be forgotten stays until then."""

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> "Retention | None":
        """As a run's settings ask for it; None: nothing is locked."""
        mode = str(settings.get("object_lock") or "")
        everything = settings.get("object_lock_all") in {True, "true"}
        return cls(mode, int(str(settings.get("object_lock_days") or 0)), everything) if mode else None

    @classmethod
    def wanted(cls, settings: Mapping[str, object], places: Iterable[Path | str]) -> "Retention | None":
        """As `of`, before anything is made. Raises Unusable where none of the `places` could lock an object."""
        found = cls.of(settings)
        if found is not None and not any(map(is_address, places)):
            raise Unusable(
                "object_lock is set, and neither --out nor witness is a bucket", hint="--out s3://BUCKET/PREFIX"
            )
        return found

    def holds(self, name: str) -> bool:
        """Whether the object `name` is to be locked."""
        return self.everything or NAMELESS.fullmatch(name) is not None

    def until(self, now: datetime) -> datetime:
        """When what is made at `now` is free."""
        return now + timedelta(days=self.days)
