"""`manifest.json`: who made a run, when, where, with what, and the hash of every file that came out.

One that is written again takes the place of the earlier one, which is kept as `manifest-N.json`: the next run of the
batch answers for its hash.
"""

import hashlib
import platform
from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from jobs import __version__
from jobs.evidence.events import Chain, verify_events
from jobs.evidence.sums import SUMS, files_of, sha256, write_sums
from jobs.os_user import os_user, people
from jobs.reports.folder import RunFolder
from jobs.reports.redaction import without_secrets
from jobs.value import value

SCHEMA_VERSION = 2
"""2: later folders are chained to their run; 1: only the runs of a batch were chained."""

CHAINED_SINCE = 2
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
"""Over the bytes of `manifest.json`; of the files of a folder only it, STAMP and `SHA256SUMS` come after it."""

STAMP = "manifest.json.tsr"
"""A time stamp over the bytes of `manifest.json`, where an authority was asked for one: it comes after the manifest."""

SIGNED_WITH = "signed_with"
"""The fact of a manifest that says which key signs it: one whose signature was taken away shows."""

WRITTEN_ANEW = frozenset(
    {
        "schema_version",
        "host",
        "os_user",
        "people",
        "platform",
        "versions",
        "events",
        "earlier_manifests",
        "files",
        SIGNED_WITH,
    }
)
"""What `write_manifest` finds out itself; all else of a manifest is a fact of the run and stays."""


@value
class Signer:
    """A key that signs manifests: its public half, in PEM, and how it signs."""

    public_key: str
    sign: Callable[[bytes], bytes]


_LIBRARIES = ("click", "httptools", "jinja2", "orjson", "pandera", "phonenumbers", "polars", "sqlalchemy", "tenacity")


def write_manifest(
    folder: RunFolder,
    facts: Mapping[str, object],
    *,
    chain: Chain | None = None,
    keep: bool = False,
    sign: Signer | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> str:
    """Writes `manifest.json`, then `SHA256SUMS`; the last writes of a run. Gives the seal: the hash of `SHA256SUMS`.

    `facts` are JSON values and go in as they are but for secrets: `run_id`, `started_at`, `ended_at`, `input`
    (with `sha256`), `settings` and what else is to be recorded. Host, user, versions and files are added here.
    `chain`: the ends of `events.ndjson` as written; None reads the file again. Raises `Unproven` when
    it doesn't verify. `keep`: an earlier manifest with another content stays, as `manifest-N.json`. `sign`: makes the
    signature of the manifest's bytes; None leaves none. `announce` is told the hash of the manifest before it is there.
    """
    events = folder.path / "events.ndjson"
    if chain is None and events.exists():
        chain = verify_events(events)
    document = {
        "schema_version": SCHEMA_VERSION,
        **without_secrets(facts),
        **_machine(),
        **({SIGNED_WITH: sign.public_key} if sign else {}),
        "events": chain and {"first_hash": chain.first_hash, "last_hash": chain.last_hash, "count": chain.count},
    }
    earlier = earlier_manifests(folder.path) if keep else []
    content = _content(folder, document, earlier)
    path = folder.path / MANIFEST
    if keep and path.exists() and path.read_bytes() != content:
        content = _content(folder, document, [*earlier, _set_aside(folder, len(earlier) + 1)])
    announce(hashlib.sha256(content).hexdigest())
    for name in (SIGNATURE, STAMP):
        (folder.path / name).unlink(missing_ok=True)
    folder.write_bytes(MANIFEST, content)
    if sign is not None:
        folder.write_bytes(SIGNATURE, sign.sign(content))
    return write_sums(folder)


def earlier_manifests(folder: Path) -> list[dict[str, Any]]:
    """Name and hash of each earlier manifest that the one of `folder` knows, oldest first."""
    try:
        document = orjson.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return []
    return list(document.get("earlier_manifests", []))


def manifest_hashes(folder: Path) -> list[str]:
    """The hashes that the manifest of `folder` had and has, oldest first; empty where there is none."""
    if not (folder / MANIFEST).is_file():
        return []
    return [*(entry["sha256"] for entry in earlier_manifests(folder)), sha256(folder / MANIFEST)]


def facts_of(folder: Path) -> dict[str, Any]:
    """The facts of the manifest that stands, for one that takes its place."""
    known = orjson.loads((folder / MANIFEST).read_bytes())
    return {name: value for name, value in known.items() if name not in WRITTEN_ANEW}


def _set_aside(folder: RunFolder, number: int) -> dict[str, Any]:
    """The manifest that stands, with its signature, under the name that it keeps."""
    name = f"manifest-{number}.json"
    for suffix in ("", ".sig", ".tsr"):
        path = folder.path / (MANIFEST + suffix)
        if path.exists():
            folder.write_bytes(name + suffix, path.read_bytes())
    return {"name": name, "sha256": sha256(folder.path / name)}


def _content(folder: RunFolder, document: Mapping[str, object], earlier: list[dict[str, Any]]) -> bytes:
    own = {MANIFEST, SIGNATURE, STAMP, SUMS}
    files = [_entry(path) for path in files_of(folder.path) if path.name not in own]
    whole = {**document, **({"earlier_manifests": earlier} if earlier else {}), "files": files}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _machine() -> dict[str, object]:
    return {
        "host": platform.node(),
        "os_user": os_user(),
        "people": people(),
        "platform": platform.platform(),
        "versions": {"muster": __version__, "python": platform.python_version(), **_library_versions()},
    }


@cache
def _library_versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def _entry(path: Path) -> dict[str, object]:
    return {"name": path.name, "sha256": sha256(path), "bytes": path.stat().st_size}
