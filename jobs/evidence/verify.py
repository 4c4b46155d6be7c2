"""The evidence of a run: written last, checked from the folder alone, without network, ledger or credential.

It shows every change made afterwards by someone who does not redo it all; against that, keep the seal
(what `write_manifest` gives, the hash of `SHA256SUMS`) outside the folder.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from jobs.errors import MusterError
from jobs.evidence.auditor_pack import CHECKER, published
from jobs.evidence.compare_tables import reread
from jobs.evidence.events import Chain, verify_events
from jobs.evidence.later import later_folders, link_problems
from jobs.evidence.manifest import MANIFEST, SIGNATURE, SIGNED_WITH, STAMP, manifest_hashes, write_manifest
from jobs.evidence.sums import SUMS, files_of, read_sums, sha256, write_sums
from jobs.evidence.timestamp import stamp_problems
from jobs.evidence.trail import Trail
from jobs.model import Outcome

__all__ = ["chain_problems", "verify_folder", "write_manifest", "write_sums"]

NAMED = 3
"""Rows that a problem names; chosen as everywhere else."""

_RUN = {"manifest.json", "summary.json", "outcome.csv", "outcome.parquet", "events.ndjson"}
_RECONCILE = {"summary.json"}
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    csv.Error,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,  # what the Parquet reader raises for some broken files
)

Check = Callable[[Path], Iterator[str]]


def verify_folder(path: Path) -> list[str]:
    """What is wrong with the evidence in `path`, a sentence each; empty when all of it verifies.

    Looked at: every file against `SHA256SUMS` and `manifest.json` (missing, changed, added), the event chain, the
    equations of `summary.json`, the lines and outcomes of `outcome.csv` against the summary, against
    `outcome.parquet` and row by row against the events; each `reconcile-...` and `profiles-...` folder's own sums,
    manifest and equations, and that each is chained to the run and to the one before it.
    """
    if not path.is_dir():
        return [f"there is no folder {path}"]
    problems = _run(path, SUMS, lambda folder: _files(folder, _RUN))
    problems += _run(path, MANIFEST, _manifest)
    trail: list[Trail] = []
    problems += _run(path, "events.ndjson", lambda folder: _events(folder, trail))
    problems += _run(path, "summary.json", _summary)
    outcome = partial(_outcome, trail=next(iter(trail), None))
    problems += _tables(path, problems, ("outcome", outcome), ("reconciliation", _reconciliation))
    ours = later_folders(path)
    for entry in sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.is_symlink()):
        found = _later_folder(entry) if entry in ours else ["the folder was added"]
        problems += [f"{entry.name}: {problem}" for problem in found]
    return problems + _run(path, MANIFEST, link_problems) + _run(path, CHECKER, _checker)


def _checker(folder: Path) -> Iterator[str]:
    path = folder / CHECKER
    if path.exists() and sha256(path) not in published():
        yield f"{CHECKER} is none that was published with a release: do not run it"


def _later_folder(path: Path) -> list[str]:
    compares = path.name.startswith("reconcile-")
    problems = _run(path, SUMS, lambda folder: _files(folder, _RECONCILE if compares else set()))
    if (path / MANIFEST).exists():
        problems += _run(path, MANIFEST, _manifest)
    if compares:
        problems += _run(path, "summary.json", _equations)
        problems += _tables(path, problems, ("reconciliation", _reconciliation))
        if (path / "events.ndjson").exists():
            problems += _run(path, "events.ndjson", lambda folder: _events(folder, []))
    return problems


def _tables(path: Path, problems: list[str], *checks: tuple[str, Check]) -> list[str]:
    """What is wrong inside the tables. One whose bytes changed is known to be wrong and is not opened at all."""
    whole = [each for each in checks if not any(problem.startswith(f"{each[0]}.") for problem in problems)]
    return [problem for name, check in whole for problem in _run(path, f"{name}.csv", check)]


def _run(folder: Path, name: str, check: Check) -> list[str]:
    """The problems that `check` finds; that it can't read what it needs is one of them."""
    found: list[str] = []
    try:
        found.extend(check(folder))
    except MusterError as error:
        found.append(error.message)
    except _UNREADABLE as error:
        found.append(f"{name} can't be checked: {type(error).__name__}")
    return found


def _files(folder: Path, required: set[str]) -> Iterator[str]:
    sums = read_sums(folder)
    present = {path.name: path for path in files_of(folder) if path.name != SUMS}
    yield from (f"{name} is not covered by {SUMS}" for name in sorted(required - sums.keys()))
    yield from (f"{name} is missing" for name in sorted(sums.keys() - present.keys()))
    yield from (f"{name} was added" for name in sorted(present.keys() - sums.keys()))
    for name in sorted(sums.keys() & present.keys()):
        if present[name].is_symlink() or not present[name].is_file():
            yield f"{name} is no regular file"
        elif sha256(present[name]) != sums[name]:
            yield f"{name} was changed"


def _manifest(folder: Path) -> Iterator[str]:
    sums, document = read_sums(folder), _json(folder, MANIFEST)
    listed = {entry["name"]: entry for entry in document["files"]}
    for name in sorted((sums.keys() | listed.keys()) - {MANIFEST, SIGNATURE, STAMP}):
        if name not in listed or name not in sums or not _agrees(listed[name], sums[name], folder / name):
            yield f"{name} is not the same in {MANIFEST} and {SUMS}"
    yield from stamp_problems(folder)
    if SIGNED_WITH in document and SIGNATURE not in sums:
        yield f"{SIGNATURE} is missing: {MANIFEST} was signed"
    erased = {removed["name"] for erasure in document.get("erasures", []) for removed in erasure["removed"]}
    for earlier in document.get("earlier_manifests", []):
        if sums.get(earlier["name"]) != earlier["sha256"]:
            yield f"{earlier['name']} is not the earlier manifest"
            continue
        before = {entry["name"] for entry in _json(folder, earlier["name"])["files"]}
        yield from (f"{name} was removed without a note" for name in sorted(before - listed.keys() - erased))


def chain_problems(folders: Iterable[Path]) -> list[str]:
    """What is wrong in the chain of one batch's runs, oldest first: each has to name the one before it, and its hash.

    A first run that names one before it shows that the batch began earlier.
    """
    problems: list[str] = []
    before: Path | None = None
    for folder in folders:
        problems += _run(folder, MANIFEST, partial(_linked, before=before))
        before = folder
    return problems


def _linked(folder: Path, before: Path | None) -> Iterator[str]:
    document = _json(folder, MANIFEST)
    name, expected = document.get("previous_run"), document.get("previous_manifest_sha256")
    known = _json(before, MANIFEST)["run_id"] if before and (before / MANIFEST).exists() else None
    if name != known:
        yield f"{folder.name}: the run before it was {name}; what is there is {known}"
    elif before is not None and expected not in manifest_hashes(before):
        yield f"{before.name}: {MANIFEST} is not the one that {folder.name} was chained to"


def _agrees(entry: dict[str, Any], sha: str, path: Path) -> bool:
    return bool(entry["sha256"] == sha and entry["bytes"] == (path.stat().st_size if path.exists() else entry["bytes"]))


def _events(folder: Path, heard: list[Trail]) -> Iterator[str]:
    """What is wrong with the chain; `heard` gets what the events tell of the rows, where they do."""
    ends = _json(folder, MANIFEST)["events"]
    expected = Chain(ends["first_hash"], ends["last_hash"], ends["count"]) if ends else None
    table = folder / "outcome.csv"
    rows = _json(folder, "summary.json")["input"]["rows"] if table.exists() else 0
    trail = Trail(min(int(rows), table.stat().st_size if table.exists() else 0))  # a false number takes no memory
    verify_events(folder / "events.ndjson", expected, trail.hear)
    if trail.beyond:
        yield f"events.ndjson tells of rows that the input does not have ({trail.beyond:,} events)"
    heard.append(trail)


def _equations(folder: Path) -> Iterator[str]:
    for equation in _json(folder, "summary.json")["equations"]:
        equal = equation["left"] == equation["right"]
        if equal is not equation["ok"]:
            yield f"summary.json misstates the equation {equation['name']!r}"
        elif not equal and equation.get("kind") != "target":
            yield f"the books do not balance: {equation['name']!r}, {equation['left']} and {equation['right']}"
    for total in _json(folder, "summary.json").get("control_totals", []):
        if total["ok"] is not (len({total[side] for side in ("file", "ledger", "target")} - {None}) <= 1):
            yield f"summary.json misstates the control total {total['name']!r}"
        elif None not in (total["file"], total["ledger"]) and total["file"] != total["ledger"]:
            yield f"the books do not balance: {total['name']!r}, {total['file']} and {total['ledger']}"


def _summary(folder: Path) -> Iterator[str]:
    yield from _equations(folder)
    summary, manifest = _json(folder, "summary.json"), _json(folder, MANIFEST)
    if set(summary["outcomes"]) != set(Outcome):
        yield "summary.json does not count the eleven outcomes"
    if sum(summary["outcomes"].values()) != summary["input"]["rows"]:
        yield "summary.json counts other rows than the input has"
    if manifest.get("run_id") != summary["run_id"]:
        yield f"summary.json and {MANIFEST} name different runs"
    if manifest.get("input", {}).get("sha256") != summary["input"]["sha256"]:
        yield f"summary.json and {MANIFEST} name different inputs"


def _outcome(folder: Path, trail: Trail | None) -> Iterator[str]:
    """`trail`: what the events told; None when they could not be read, which is a problem of its own."""
    count: Counter[str] = Counter()
    last = 0
    unlike: list[int] = []
    for frame in reread(folder, "outcome"):
        unlike += () if trail is None else trail.differing(frame)
        count.update(frame["outcome"].to_list())
        rows = [last, *frame["source_row"].to_list()]
        if any(row <= before for before, row in pairwise(rows)):
            yield f"outcome.csv repeats a row or is out of order after source row {last}"
        last = rows[-1]
    if unlike:
        named = ", ".join(map(str, unlike[:NAMED]))
        yield f"outcome.csv tells another end of {len(unlike):,} rows than events.ndjson: source row {named}"
    yield from _counts_differ("outcome.csv", count, _json(folder, "summary.json")["outcomes"])


def _reconciliation(folder: Path) -> Iterator[str]:
    if (folder / "reconciliation.csv").exists():
        count: Counter[str] = Counter()
        for frame in reread(folder, "reconciliation"):
            count.update(frame["class"].to_list())
        yield from _counts_differ("reconciliation.csv", count, _json(folder, "summary.json")["reconciliation"])


def _counts_differ(name: str, found: Counter[str], stated: dict[str, int]) -> Iterator[str]:
    for kind in sorted(found.keys() | stated.keys()):
        if found[kind] != stated.get(kind, 0):
            yield f"{name} has {found[kind]} lines of {kind}, summary.json says {stated.get(kind, 0)}"


def _json(folder: Path, name: str) -> Any:
    return orjson.loads((folder / name).read_bytes())
