#!/usr/bin/env python3
"""Checks the evidence of a run with the standard library of Python 3.9 or newer; nothing of muster is needed.

    python3 -I verify.py [FOLDER] [--batch] [--seal SHA256] [--log LOG [--checkpoint FILE]]
    python3 -I verify.py --proof FILE [--checkpoint FILE]

FOLDER is the one that this file lies in when left out. --batch: also all runs over the same input that lie beside it,
and that none is missing between them. --seal: what `sha256sum SHA256SUMS` printed when the run was signed off.
--log: also the log of a ledger, that it begins with all that the checkpoints in FILE counted, and that the run's
manifests and those of its later folders are all those that the log knows; with --batch those of each run of the log. A
copy of this file that lies in no run's folder checks the log alone.
--proof: shows the rows of a proof, and checks that they are in the log of its checkpoint, which FILE has to hold.
Ends with 0 when everything verifies, else with 7 and a line for each problem. Parquet files are checked by hash only.
"""

import sys

if __name__ == "__main__" and not sys.flags.isolated:
    del sys.path[0]  # the folder that is checked: a module laid there would be imported in the place of Python's own

import base64
import csv
import hashlib
import json
import re
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

OWN = Path(__file__).resolve().parent
NEEDED = ("manifest.json", "summary.json", "outcome.csv", "outcome.parquet", "events.ndjson")
COMPARED = ("outcome", "reason_code", "failed_step", "external_unique_id")
TOLD = ("verdict", "detail", "step", "key")
"""Columns of outcome.csv, and what the event of a row's end calls the same."""


def main() -> int:
    parser = ArgumentParser(description="Checks the evidence of a run.")
    parser.add_argument("folder", nargs="?", type=Path, default=OWN)
    parser.add_argument("--batch", action="store_true")
    parser.add_argument("--seal", default="")
    for name in ("--proof", "--log", "--checkpoint"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    if given.proof:
        found = attempt(proof, given.proof, given.checkpoint)
        return ended(given.proof, found, *found)
    problems = attempt(log, given.log, given.checkpoint) if given.log else []
    if given.log and given.folder == OWN and not (OWN / "manifest.json").exists():
        given.folder = given.log
    else:
        problems += run_problems(given.folder) + (attempt(batch, given.folder) if given.batch else [])
        problems += attempt(logged, given.folder, given.log, given.batch) if given.log else []
    if given.seal and sha256(given.folder / "SHA256SUMS") != given.seal.strip().lower():
        problems.append("SHA256SUMS is not the one that was signed off")
    lines = [*problems]
    if (given.folder / "manifest.json.sig").exists():
        lines.append("the signature was not checked: README-AUDITOR.md, step 7")
    if not given.seal and not given.log:
        lines.append("compared with nothing outside of the folder: --seal and --log do that")
    return ended(given.folder, problems, *lines)


def ended(what: Path, problems: list[str], *lines: str) -> int:
    print(f"{what}: {'does not verify' if problems else 'verified'}", *lines, sep="\n  ")  # noqa: T201
    return 7 if problems else 0


def run_problems(folder: Path) -> list[str]:
    if not folder.is_dir():
        return [f"there is no folder {folder}"]
    checks = (manifest, events, summary, outcomes, reconciliation, links)
    problems = attempt(files, folder, NEEDED) + [each for check in checks for each in attempt(check, folder)]
    for entry in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        ours = re.match("reconcile-|profiles-", entry.name) and not entry.is_symlink()
        compares, sealed = entry.name.startswith("reconcile-"), (entry / "manifest.json").exists()
        more = [manifest] if compares or sealed else []
        more += [summary, reconciliation] if compares else []
        more += [events] if (entry / "events.ndjson").exists() else []
        found = attempt(files, entry, NEEDED[:2] if compares else ())
        found += [each for check in more for each in attempt(check, entry)]
        problems += [f"{entry.name}: {each}" for each in (found if ours else ["the folder was added"])]
    return problems


def attempt(check: Callable[..., Iterable[str]], folder: Path, *more: Any) -> list[str]:
    found: list[str] = []
    try:
        found.extend(check(folder, *more))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        found.append(f"{check.__name__} can't be checked: {type(error).__name__}: {error}")
    return found


def files(folder: Path, required: tuple[str, ...]) -> Iterator[str]:
    sums = read_sums(folder)
    present = {path.name: path for path in folder.iterdir() if path.name != "SHA256SUMS" and not path.is_dir()}
    yield from (f"{name} is not covered by SHA256SUMS" for name in required if name not in sums)
    yield from (f"{name} is missing" for name in sorted(sums.keys() - present.keys()))
    yield from (f"{name} was added" for name in sorted(present.keys() - sums.keys()))
    for name in sorted(sums.keys() & present.keys()):
        if present[name].is_symlink() or not present[name].is_file():
            yield f"{name} is no regular file"
        elif sha256(present[name]) != sums[name]:
            yield f"{name} was changed"


def read_sums(folder: Path) -> dict[str, str]:
    sums: dict[str, str] = {}
    for number, line in enumerate((folder / "SHA256SUMS").read_bytes().splitlines(keepends=True), start=1):
        found = re.fullmatch(rb"([0-9a-f]{64})  ([^/\\\r\n]+)\n", line)
        if not found or found[2].decode() <= max(sums, default=""):
            raise ValueError(f"line {number} of SHA256SUMS is malformed, out of order or repeats a file")
        sums[found[2].decode()] = found[1].decode()
    return sums


def manifest(folder: Path) -> Iterator[str]:
    sums, document = read_sums(folder), json_of(folder / "manifest.json")
    listed = {entry["name"]: entry for entry in document["files"]}
    for name in sorted((sums.keys() | listed.keys()) - {"manifest.json", "manifest.json.sig", "manifest.json.tsr"}):
        size = (folder / name).stat().st_size if (folder / name).exists() else None
        entry = listed.get(name, {})
        if entry.get("sha256") != sums.get(name, "") or size not in (entry.get("bytes"), None):
            yield f"{name} is not the same in manifest.json and SHA256SUMS"
    for stamp in folder.glob("manifest*.tsr"):
        if hashlib.sha256(stamp.with_suffix("").read_bytes()).digest() not in stamp.read_bytes():
            yield f"{stamp.name} stamps something else than {stamp.stem}"
    if "signed_with" in document and "manifest.json.sig" not in sums:
        yield "manifest.json.sig is missing: manifest.json was signed"
    erased = {each["name"] for erasure in document.get("erasures", []) for each in erasure["removed"]}
    for earlier in document.get("earlier_manifests", []):
        before = {entry["name"] for entry in json_of(folder / earlier["name"])["files"]}
        if sums.get(earlier["name"]) != earlier["sha256"]:
            yield f"{earlier['name']} is not the earlier manifest"
        yield from (f"{name} was removed without a note" for name in sorted(before - listed.keys() - erased))


def events(folder: Path) -> Iterator[str]:
    """The chain; and, row by row, that the table tells the same end and as many requests as the events do."""
    ends, sent, kinds = dict[int, int](), Counter[int](), Counter[str]()
    for event in chained(folder):
        if event.get("kind") == "outcome":
            kinds[event["verdict"]] += 1
            ends[event["source_row"]] = hash(tuple(event.get(name) or "" for name in TOLD))
        elif event.get("kind") == "intent":
            sent[event["source_row"]] += 1
    if (folder / "outcome.csv").exists():
        yield from differing("events.ndjson", kinds, json_of(folder / "summary.json")["outcomes"])
        unlike = [row["source_row"] for row in table(folder / "outcome.csv") if not told(row, ends, sent)]
        if unlike:
            named = ", ".join(unlike[:3])
            yield f"outcome.csv tells another end of {len(unlike):,} rows than events.ndjson: source row {named}"


def chained(folder: Path) -> Iterator[Any]:
    """Each event. Raises ValueError where the chain breaks, or ends otherwise than the manifest says."""
    ends, found = json_of(folder / "manifest.json")["events"], ("0" * 64, "0" * 64, 0)
    with (folder / "events.ndjson").open("rb") as lines:
        for event, at in (sealed if lines.peek(9).startswith(b'{"form":2') else linked)(lines):
            found = at
            yield event
    if found != (ends["first_hash"], ends["last_hash"], ends["count"]):
        raise ValueError(f"it ends after {found[2]} events, manifest.json says {ends['count']}, or with another hash")


def linked(lines: Iterable[bytes]) -> Iterator[Any]:
    """Form 1: each line has the SHA-256 of the hash before it and of itself without its own."""
    before = first = "0" * 64
    for number, line in enumerate(lines, start=1):
        event, bare = json.loads(line), re.sub(rb'"hash":"[0-9a-f]{64}",', b"", line, count=1).rstrip(b"\n")
        link = hashlib.sha256(before.encode() + bare).hexdigest()
        if (event["hash"], event["prev"], event["n"], line[-1:]) != (link, before, number, b"\n"):
            raise ValueError(f"line {number} was changed, removed, moved or added")
        before, first = link, link if number == 1 else first
        yield event, (first, link, number)


def sealed(lines: Iterator[bytes]) -> Iterator[Any]:
    """Form 2: a seal has the SHA-256 of the lines from the seal before it on; events are read when it fits."""
    words, keys, block, first, ended, count = {None: {}}, {}, [next(lines)], "", False, 0  # type: ignore[var-annotated]
    for number, line in enumerate(lines, start=2):
        seal = json.loads(line) if line.startswith(b'{"seal":') else {}
        if not seal and len(block) <= 100:
            block.append(line)
            continue
        place, link = {"from": number - len(block), "to": number - 1}, hashlib.sha256(b"".join(block)).hexdigest()
        if ended or (seal.get("seal"), seal.get("sha256"), line[-2:]) != (place, link, b"}\n"):
            raise ValueError(f"of lines {place['from']} to {place['to']} one was changed, removed, moved or added")
        ended, first = seal.get("last", False), first or link
        for event in map(json.loads, block[1:]):
            count, word, row = count + 1, event.get("event"), event.get("row")
            words[word] = event.get("is", words.get(word))
            keys[row] = event.get("key", keys.get(row))
            yield {**words[word], **event, "source_row": row, "key": keys[row]}, (first, link, count)
        block = [line]
    if not ended or len(block) > 1:
        raise ValueError("it was cut off: the last seal is missing")


def told(row: dict[str, str], ends: dict[int, int], sent: dict[int, int]) -> bool:
    """What a spreadsheet would take for a formula stands behind a `'` in the table."""
    number, cells = int(row["source_row"]), [row[name] for name in COMPARED]
    bare = [re.sub(r"(^|[,;|\t])'", r"\1", cell) for cell in cells]
    return ends.get(number) in (hash(tuple(cells)), hash(tuple(bare))) and sent[number] == int(row["attempts"] or 0)


def summary(folder: Path) -> Iterator[str]:
    document, made = json_of(folder / "summary.json"), json_of(folder / "manifest.json")
    for each in document["equations"]:
        if each["ok"] is not (each["left"] == each["right"]):
            yield f"summary.json misstates the equation {each['name']!r}"
        elif not each["ok"] and each.get("kind") != "target":
            yield f"the books do not balance: {each['name']!r}, {each['left']} and {each['right']}"
    for each in document.get("control_totals", ()):
        if each["ok"] is not (len({each[side] for side in ("file", "ledger", "target")} - {None}) <= 1):
            yield f"summary.json misstates the control total {each['name']!r}"
        elif None not in (each["file"], each["ledger"]) and each["file"] != each["ledger"]:
            yield f"the books do not balance: {each['name']!r}, {each['file']} and {each['ledger']}"
    if sum(document["outcomes"].values()) != document["input"]["rows"]:
        yield "summary.json counts other rows than the input has"
    if made["run_id"] != document["run_id"] or made["input"]["sha256"] != document["input"]["sha256"]:
        yield "summary.json and manifest.json are of different runs or inputs"


def outcomes(folder: Path) -> Iterator[str]:
    count, last = Counter[str](), 0
    for row in table(folder / "outcome.csv"):
        if int(row["source_row"]) <= last:
            yield f"outcome.csv repeats a row or is out of order after source row {last}"
        last = int(row["source_row"])
        count[row["outcome"]] += 1
    yield from differing("outcome.csv", count, json_of(folder / "summary.json")["outcomes"])


def reconciliation(folder: Path) -> Iterator[str]:
    if (folder / "reconciliation.csv").exists():
        count = Counter(row["class"] for row in table(folder / "reconciliation.csv"))
        yield from differing("reconciliation.csv", count, json_of(folder / "summary.json")["reconciliation"])


def links(folder: Path) -> Iterator[str]:
    """Each later folder names the manifest of the run, and that of the later folder before it."""
    own = json_of(folder / "manifest.json")
    first = json_of(folder / own["earlier_manifests"][0]["name"]) if own.get("earlier_manifests") else own
    for each in sorted(path for path in folder.iterdir() if re.match("reconcile-|profiles-", path.name)):
        made = json_of(each / "manifest.json") if (each / "manifest.json").exists() else {}
        if "run_manifest_sha256" not in made:
            if first["schema_version"] >= 2:
                yield f"{each.name}: it is not chained to its run"
            continue
        if made["run_manifest_sha256"] not in (None, *manifests(folder)):
            yield f"{each.name}: manifest.json of the run is not the one that it was chained to"
        before = made.get("later_before") or "/"
        beside = not Path(before).is_absolute()
        if beside and made["later_before_manifest_sha256"] not in manifests(folder / before):
            yield f"{each.name}: the folder before it, {before}, is missing or another one"


def manifests(folder: Path) -> list[str]:
    """The hashes of the manifests that a folder has and had."""
    return [sha256(path) for path in folder.glob("manifest*.json")]


def batch(folder: Path) -> Iterator[str]:
    beside = [path for path in sorted(folder.resolve().parent.iterdir()) if not path.name.startswith(".")]
    places = [path for path in beside if (path / "manifest.json").is_file()]
    runs = {path: json_of(path / "manifest.json") for path in places}
    own = [runs[folder.resolve()][name] for name in ("system", "tenant")] + [runs[folder.resolve()]["input"]["sha256"]]
    for path, each in runs.items():
        if [each["system"], each["tenant"], each["input"]["sha256"]] != own:
            continue
        at = next((place for place, other in runs.items() if other["run_id"] == each.get("previous_run")), None)
        hashes = manifests(at) if at else []
        if each.get("previous_run") and each["previous_manifest_sha256"] not in hashes:
            yield f"{path.name}: the run before it, {each['previous_run']}, is {'another one' if at else 'missing'}"
        if path != folder.resolve():
            yield from (f"{path.name}: {problem}" for problem in run_problems(path))


def proof(path: Path, kept: Path | None) -> Iterator[str]:
    """Each row's event leads to the root of its run's events, which the entry names; and that to the checkpoint, which
    is among the `kept` ones."""
    document = json_of(path)
    entry, (head, _, note) = json.loads(document["entry"]), document["tlog_proof"].partition("\n\n")
    lines, (size, root) = head.split("\n"), checkpoint(note)
    at, hashes = int(lines[1].removeprefix("index ")), list(map(base64.b64decode, lines[2:]))
    if lines[0] != "c2sp.org/tlog-proof@v1" or climbed(document["entry"], at, size, hashes) != root:
        yield "the entry of the run is not in the log of the checkpoint"
    for row in document["rows"]:
        way = list(map(base64.b64decode, row["path"]))
        if climbed(row["event"], row["index"], row["size"], way).hex() != entry["events_root"]:
            yield f"source row {row['source_row']} is not among the events of run {entry['run_id']}"
        print(f"run {entry['run_id']}, source row {row['source_row']}: {row['event']}")  # noqa: T201
    if kept and (size, root) not in checkpoints(kept):
        yield f"{kept} does not hold the checkpoint of the proof"
    elif not kept:
        print(f"checkpoint: {size} entries, {root.hex()}; compare it with one that a witness has")  # noqa: T201


def log(folder: Path, kept: Path | None) -> Iterator[str]:
    """The entries have the root of the checkpoint, and begin with what each of the `kept` checkpoints counted."""
    _, root = checkpoint((folder / "checkpoint").read_text(encoding="utf-8"))
    leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in entries(folder)]
    if tree(leaves) != root:
        yield "the entries of the log are not those of its checkpoint"
    for before, found in checkpoints(kept) if kept else ():
        if before > len(leaves) or tree(leaves[:before]) != found:
            yield f"the first {before} entries are not those of an earlier checkpoint, or some were taken away"


def entries(folder: Path) -> list[bytes]:
    """Those that the checkpoint of the log counts."""
    size, _ = checkpoint((folder / "checkpoint").read_text(encoding="utf-8"))
    found: list[bytes] = []
    while len(found) < size:
        name = f"{len(found) // 256 % 1000:03}"
        for thousands in (len(found) // 256 // 1000,) if len(found) >= 256_000 else ():
            name = f"x{thousands:03}/{name}"
        whole, part = folder / "tile" / "entries" / name, folder / "tile" / "entries" / f"{name}.p"
        bundle = (whole if size - len(found) >= 256 else part / str(size - len(found))).read_bytes()
        while bundle:
            end = 2 + int.from_bytes(bundle[:2], "big")
            found.append(bundle[2:end])
            bundle = bundle[end:]
    return found


def logged(folder: Path, of: Path, every: bool) -> Iterator[str]:
    """A run and its later folders have and had the manifests that the log knows, no other ones, and none is away.

    A download that was laid elsewhere is not asked for: the log knows it by its name alone.
    """
    known: dict[str, dict[str, list[str]]] = {}
    for entry in map(json.loads, entries(of)):
        known.setdefault(entry["run_id"], {}).setdefault(entry["folder"], []).append(entry["manifest_sha256"])
    own = json_of(folder / "manifest.json")["run_id"]
    beside = {json_of(path)["run_id"]: path.parent for path in folder.resolve().parent.glob("*/manifest.json")}
    for run_id in sorted(known.keys() | {own} if every else {own}):
        at, stated = folder if run_id == own else beside.get(run_id), known.get(run_id, {})
        if at is None:
            yield f"run {run_id}, which the log knows, does not lie beside this one"
            continue
        later = {path.parent.name: path.parent for path in at.glob("*/manifest.json")}
        for name in sorted(stated.keys() | later.keys() | {""}):
            place = later.get(name) if name else at
            if place is None and name.startswith("reconcile-"):
                yield f"{run_id}: {name}, which the log knows, is missing"
            elif place is not None and sorted(manifests(place)) != sorted(stated.get(name, ())):
                yield f"{run_id}: {name or 'the folder'} does not have the manifests that the log knows"


def checkpoints(kept: Path) -> list[tuple[int, bytes]]:
    """Those of a witness's file, one behind the other."""
    notes = re.split(r"(?m)^(?=muster-ledger/)", kept.read_text(encoding="utf-8"))
    return list(map(checkpoint, filter(str.strip, notes)))


def checkpoint(note: str) -> tuple[int, bytes]:
    """Size and root of a signed note; `muster verify --public-key` checks its signature."""
    lines = note.split("\n")
    return int(lines[1]), base64.b64decode(lines[2], validate=True)


def tree(leaves: list[bytes]) -> bytes:
    """The root of RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(leaves[:half]) + tree(leaves[half:])).digest()


def climbed(content: str, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a path of RFC 6962, 2.1.1 leads."""
    top, last = hashlib.sha256(b"\0" + content.encode()).digest(), size - 1
    if not 0 <= index < size:
        raise ValueError("no such entry")
    for beside in path:
        if index % 2 or index == last:
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
            top = hashlib.sha256(b"\1" + beside + top).digest()
        else:
            top = hashlib.sha256(b"\1" + top + beside).digest()
        index, last = index // 2, last // 2
    if last:
        raise ValueError("the path is too short")
    return top


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def differing(name: str, found: Counter[str], stated: dict[str, int]) -> Iterator[str]:
    for kind in sorted(set(found) | set(stated)):
        if found.get(kind, 0) != stated.get(kind, 0):
            yield f"{name} has {found.get(kind, 0)} lines of {kind}, summary.json says {stated.get(kind, 0)}"


def table(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text, strict=True)


def json_of(path: Path) -> Any:
    return json.loads(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
