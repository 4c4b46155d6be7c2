"""`manifest.json`: who made a run, when, where, with what, and the hash of every file that came out."""

import getpass
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import orjson

from jobs import __version__
from jobs.reports.events import Chain, verify_events
from jobs.reports.folder import RunFolder
from jobs.reports.redaction import without_secrets
from jobs.reports.sums import SUMS, files_of, sha256, write_sums

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"

_LIBRARIES = ("click", "httpx", "jinja2", "orjson", "pandera", "phonenumbers", "polars", "sqlalchemy", "tenacity")


def write_manifest(folder: RunFolder, facts: Mapping[str, object], *, chain: Chain | None = None) -> str:
    """Writes `manifest.json`, then `SHA256SUMS`; the last writes of a run. Gives the seal: the hash of `SHA256SUMS`.

    `facts` are JSON values and go in as they are but for secrets: `run_id`, `started_at`, `ended_at`, `input`
    (with `sha256`), `settings` and what else is to be recorded. Host, user, versions and files are added here.
    `chain`: the ends of `events.ndjson` as written; None reads the file again. Raises `Unproven` when
    it doesn't verify.
    """
    events = folder.path / "events.ndjson"
    if chain is None and events.exists():
        chain = verify_events(events)
    document = {
        "schema_version": SCHEMA_VERSION,
        **without_secrets(facts),
        **_machine(),
        "events": chain and {"first_hash": chain.first_hash, "last_hash": chain.last_hash, "count": chain.count},
        "files": [_entry(path) for path in files_of(folder.path) if path.name not in (MANIFEST, SUMS)],
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    folder.write_bytes(MANIFEST, orjson.dumps(document, option=options))
    return write_sums(folder)


def _machine() -> dict[str, object]:
    return {
        "host": platform.node(),
        "os_user": _user(),
        "platform": platform.platform(),
        "versions": {"muster": __version__, "python": platform.python_version(), **_library_versions()},
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's bare user id has no name
        return f"uid {os.getuid()}"


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
