"""What a power cut may leave of a ledger: rebuilt from the recorded writes of a run.

After the last sync of a file each write to it may have reached the disk or not, in any order, or in parts of
512 bytes. What was written before that sync is there.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
"""Bytes that a disk writes as a whole."""

CALLS = ("pwrite64", "ftruncate", "fdatasync", "fsync", "unlink", "write")

_CALL = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\((?P<arguments>.*)$")
_RESUMED = re.compile(r"^(?P<thread>\d+) +<\.\.\. (?P<call>\w+) resumed>")
_PATH = re.compile(r"^\d+<(?P<path>[^>]*)>")
_DATA = re.compile(r'"(?P<hex>(?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class Operation:
    """One recorded step: a `write`, `truncate` or `unlink` of a file, a `sync` that was over, or a request `sent`."""

    kind: str
    file: str = ""
    place: int = 0
    content: bytes = b""


@dataclass(slots=True)
class Disk:
    """The files as they are on the disk, and what is still on its way there."""

    files: dict[str, bytearray] = field(default_factory=dict)
    waiting: dict[str, list[Operation]] = field(default_factory=dict)

    def take(self, operation: Operation) -> None:
        """One more step of the process."""
        if operation.kind == "sync":
            for each in self.waiting.pop(operation.file, []):
                self.apply(each)
        elif operation.kind == "unlink":
            self.files.pop(operation.file, None)
            self.waiting.pop(operation.file, None)
        elif operation.kind in {"write", "truncate"}:
            self.waiting.setdefault(operation.file, []).append(operation)

    def apply(self, operation: Operation) -> None:
        """A write reaches the disk."""
        file = self.files.setdefault(operation.file, bytearray())
        if operation.kind == "truncate":
            del file[operation.place :]
        file.extend(bytes(max(0, operation.place - len(file))))
        file[operation.place : operation.place + len(operation.content)] = operation.content

    def cut(self, dice: random.Random) -> None:
        """The power goes: some of what was on its way arrives, some of it in part."""
        survival = dice.choice([0.0, 0.2, 0.5, 0.8, 1.0])
        for operations in self.waiting.values():
            for each in operations:
                if dice.random() < survival:
                    self.apply(torn(each, dice) if dice.random() < 0.2 else each)
        self.waiting.clear()

    def written_to(self, folder: Path) -> None:
        """As real files."""
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def torn(operation: Operation, dice: random.Random) -> Operation:
    """A write of which only some whole sectors at its beginning arrived."""
    first = SECTOR - operation.place % SECTOR
    ends = [0, *range(first, len(operation.content), SECTOR)]
    return Operation(operation.kind, operation.file, operation.place, operation.content[: dice.choice(ends)])


def recorder(log: Path) -> list[str]:
    """The words of a tracer that records what `operations` reads."""
    return ["strace", "-f", "-qq", "-o", str(log), "-y", "-xx", "-s", "1000000", "-e", f"trace={','.join(CALLS)}"]


def operations(log: Path, ledger: Path) -> list[Operation]:
    """The steps of a recorded run that concern `ledger` (its `-shm` apart), and each mutating request that left."""
    found: list[Operation] = []
    syncing: dict[str, str] = {}
    for line in log.read_text(encoding="ascii", errors="replace").splitlines():
        resumed = _RESUMED.match(line)
        if resumed and resumed["thread"] in syncing:
            found.append(Operation("sync", syncing.pop(resumed["thread"])))
        match = _CALL.match(line)
        if match is None:
            continue
        for operation in parsed(match["call"], match["arguments"], ledger):
            if operation.kind == "sync" and "<unfinished" in line:
                syncing[match["thread"]] = operation.file
            else:
                found.append(operation)
    return found


def parsed(call: str, arguments: str, ledger: Path) -> Iterator[Operation]:
    """The step that one line shows, if it concerns us."""
    data = [bytes.fromhex(each["hex"].replace("\\x", "")) for each in _DATA.finditer(arguments)]
    where = data[0].decode() if call == "unlink" else unescaped(_PATH.match(arguments))
    name = Path(where).name
    if call == "write":
        if where.startswith("socket:") and data[0].startswith(b"POST ") and b"/authentication/" not in data[0]:
            yield Operation("sent")
        return
    if name not in {ledger.name, f"{ledger.name}-wal", f"{ledger.name}-journal"}:
        return
    numbers = re.findall(r", (\d+)", arguments.rsplit('"', 1)[-1])
    match call:
        case "pwrite64":
            yield Operation("write", name, int(numbers[1]), data[0])
        case "ftruncate":
            yield Operation("truncate", name, int(numbers[0]))
        case "unlink":
            yield Operation("unlink", name)
        case _:
            yield Operation("sync", name)


def unescaped(match: re.Match[str] | None) -> str:
    """A path behind a descriptor; `-xx` shows it in hex."""
    if match is None:
        return ""
    return re.sub(r"\\x([0-9a-f]{2})", lambda byte: chr(int(byte[1], 16)), match["path"])
