"""What has to be as it was before a sealed folder is sealed again, whatever is about to be written in it."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import orjson

from jobs.evidence.manifest import MANIFEST, SIGNATURE, STAMP
from jobs.evidence.sums import SUMS, files_of, sha256

OWN = frozenset({MANIFEST, SIGNATURE, STAMP, SUMS})


def kept_problems(folder: Path, anew: Collection[str]) -> list[str]:
    """What differs in `folder` from its manifest, but for the files that are about to be made `anew` from the ledger.

    A sentence each. The manifest itself is compared with the ledger elsewhere.
    """
    try:
        listed: dict[str, Any] = {
            each["name"]: each for each in orjson.loads((folder / MANIFEST).read_bytes())["files"]
        }
    except (OSError, ValueError, LookupError, TypeError) as error:
        return [f"{MANIFEST} can't be read: {type(error).__name__}"]
    present = {path.name: path for path in files_of(folder)}
    problems = [f"{name} was added" for name in sorted(present.keys() - listed.keys() - OWN - set(anew))]
    for name in sorted(listed.keys() - set(anew)):
        if name not in present:
            problems.append(f"{name} is missing")
        elif present[name].is_symlink() or sha256(present[name]) != listed[name]["sha256"]:
            problems.append(f"{name} was changed")
    return problems
