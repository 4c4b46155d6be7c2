"""The folder of a run that lies in a bucket: a copy is here while a command works on it, and is delivered.

A copy is made by fetching all objects, or by a run that begins. What was changed in it is delivered object by object,
the manifest of a folder last; it is taken away first where one is there, so that a folder with a manifest is whole.
Nothing is replaced but what the copy was made from, or what was delivered out of it (`.RUN.objects` says which).
A copy that was not delivered, because the command was killed or the bucket was dead, stays, and the next command
that has to do with the run delivers it. All others go when their command ends, at the latest with the next one.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import Any

import orjson

from jobs.atomic import atomic
from jobs.errors import ExitCode, Locked, MusterError, Unproven, Unusable
from jobs.storage.address import Address, address_of, is_address
from jobs.storage.bucket import Absent, Bucket, Seen, Taken, opened
from jobs.storage.retention import Retention
from jobs.storage.threads import each_of
from jobs.storage.workplace import copies_in
from jobs.value import value

LAST = "manifest.json"
"""What a folder has when it is whole."""

BESIDE = ("fetching", "twin", "before")
"""Folders that a killed command may have left beside a copy: `.RUN.fetching`, and those of `reports/twin.py`."""

_NAME = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*/)?[A-Za-z0-9_][A-Za-z0-9._-]*")
"""Names that a run's folder has: of files in it, and in later folders."""


class NotDelivered(MusterError):
    """A folder is whole here, and not in its bucket."""

    exit_code = ExitCode.POLICY
    code = "undelivered"


@value
class _Kept:
    """An object as it was when the copy and the bucket agreed: its etag, and the hash of the file."""

    etag: str
    sha256: str


@dataclass(slots=True)
class Copy:
    """The copy of one run's folder, held by this process."""

    address: Address
    path: Path
    lock: int
    retention: Retention | None
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _hashed: dict[tuple[str, int, int, int], str] = field(default_factory=dict)
    _bucket: Bucket | None = None

    @property
    def bucket(self) -> Bucket:
        """The objects of the folder."""
        self._bucket = self._bucket or opened(self.address)
        return self._bucket

    def deliver(self) -> None:
        """Makes the bucket hold what is here. Raises NotDelivered; the copy stays then."""
        try:
            self._deliver()
        except (MusterError, OSError) as error:
            why = error.message if isinstance(error, MusterError) else f"{error.strerror}: {error.filename}"
            raise NotDelivered(
                f"{why}; {self.address} is not whole there, and all of it is here: {self.path}",
                hint=f"muster verify {self.address.name}, which delivers it",
            ) from error

    def _deliver(self) -> None:
        files, there = self._files(), dict(self.bucket.seen())
        gone = {name for name in there if name in self._kept and name not in files}
        for folder in sorted({_folder(name) for name in (*files, *gone)}, key=lambda each: (not each, each)):
            last = folder + LAST
            changed = [each for each in files if _folder(each) == folder and not self._same(each, there.get(each))]
            taken = [name for name in gone if _folder(name) == folder and name != last]
            others = sorted(name for name in changed if name != last)
            reopened = bool(others or taken) and last in there
            self._refuse_strangers([*changed, *taken, *([last] if reopened else [])], there)
            if reopened:
                self._remove(last, there)
            each_of(lambda name: self._put(name, there.get(name)), others)
            for name in taken:
                self._remove(name, there)
            if last in changed or (reopened and last in files):
                self._put(last, there.get(last))

    def delivered(self) -> bool:
        """Whether the bucket was given all that is here; the bucket is not asked."""
        files = self._files()
        return files.keys() == self._kept.keys() and all(self._kept[name].sha256 == self._sha(name) for name in files)

    def fetch(self) -> None:
        """Makes the copy out of the bucket; nothing is made where nothing is there, or no bucket."""
        there: Mapping[str, Seen] = {}
        with suppress(Absent):
            there = self.bucket.seen()
        draft = self.path.with_name(f".{self.path.name}.fetching")
        shutil.rmtree(draft, ignore_errors=True)
        self._begin()
        if there:
            draft.mkdir(mode=0o700)
        for name in there:
            if not _NAME.fullmatch(name):
                raise Unproven(f"{self.address} holds an object that no folder of a run has: {name[:80]!a}")
            (draft / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)

        def get(name: str) -> None:
            self._note(name, _Kept(self.bucket.get(name, draft / name).etag, _sha256(draft / name)))

        each_of(get, there)
        if there:
            draft.rename(self.path)

    def give_back(self) -> None:
        """Removes the copy where the bucket has all of it, and lets others work on the folder."""
        try:
            if not self.path.exists() or self.delivered():
                self.remove()
        finally:
            os.close(self.lock)

    def clear(self) -> None:
        """Removes the files that are here."""
        for place in (self.path, *(self.path.with_name(f".{self.path.name}.{each}") for each in BESIDE)):
            shutil.rmtree(place, ignore_errors=True)
        for draft in self.path.parent.glob(f".{self.path.name}.*.compared"):
            draft.unlink()
        self._kept = {}
        for each in (_journal(self.path), self.path.with_name(f".{self.path.name}.lock")):
            each.unlink(missing_ok=True)

    def remove(self) -> None:
        """Removes all that is here of the folder, its lock last."""
        self.clear()
        _lock(self.path).unlink(missing_ok=True)
        for folder in (self.path.parent, self.path.parent.parent):
            with suppress(OSError):
                folder.rmdir()  # only when nothing else is there

    def remember(self) -> None:
        """Reads what an earlier command noted of the copy."""
        head, *lines = _noted(_journal(self.path))
        known = head.get("retention")
        self.retention = self.retention or (Retention(**known) if known else None)
        for each in lines:
            if each["etag"] is None:
                self._kept.pop(each["name"], None)
            else:
                self._kept[each["name"]] = _Kept(each["etag"], each["sha256"])

    def _begin(self) -> None:
        """Begins to note what is copied."""
        head = {"address": str(self.address), "retention": self.retention and asdict(self.retention)}
        self._kept = {}
        with atomic(_journal(self.path)) as draft:
            draft.write_bytes(orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE))

    def _note(self, name: str, kept: _Kept | None) -> None:
        """Notes that the object and the file agree, or (None) that there is no object; one write, one line."""
        line = {"name": name, "etag": kept and kept.etag, "sha256": kept and kept.sha256}
        if kept is None:
            self._kept.pop(name, None)
        else:
            self._kept[name] = kept
        with _journal(self.path).open("ab", buffering=0) as file:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def _same(self, name: str, seen: Seen | None) -> bool:
        """Whether the object is the file: as noted, or, where a kill came before the note, as it reads."""
        if seen is None:
            return False
        if self._ours(name, seen):
            return self._kept[name].sha256 == self._sha(name)
        if seen.size != (self.path / name).stat().st_size:
            return False
        read = self.path.with_name(f".{self.path.name}.{token_hex(4)}.compared")
        try:
            found = self.bucket.get(name, read)
            same = _sha256(read) == self._sha(name)
        finally:
            read.unlink(missing_ok=True)
        if same:
            self._note(name, _Kept(found.etag, self._sha(name)))
        return same

    def _refuse_strangers(self, names: list[str], there: Mapping[str, Seen]) -> None:
        """Raises Unusable, before anything is changed, where an object is not the one that the copy was made from."""
        for name in names:
            if name in there and not self._ours(name, there[name]):
                raise Unusable(f"{self.address / name} is something else; it was left as it is")

    def _ours(self, name: str, seen: Seen) -> bool:
        return name in self._kept and self._kept[name].etag == seen.etag

    def _put(self, name: str, seen: Seen | None) -> None:
        ours = seen.etag if seen is not None and self._ours(name, seen) else None
        retention = self.retention if self.retention is not None and self.retention.holds(name) else None
        try:
            etag = self.bucket.put(name, self.path / name, instead_of=ours, retention=retention)
        except Taken:  # by a request of ours whose answer was lost, or by somebody else
            if not self._same(name, self.bucket.seen().get(name)):
                raise Unusable(f"{self.address / name} is something else; it was left as it is") from None
            return
        self._note(name, _Kept(etag, self._sha(name)))

    def _remove(self, name: str, there: dict[str, Seen]) -> None:
        if there.pop(name, None) is not None:
            self.bucket.remove(name)
        self._note(name, None)

    def _files(self) -> dict[str, Path]:
        """The files here by their names; what is hidden is a draft."""
        if not self.path.is_dir():
            return {}
        found = {path.relative_to(self.path).as_posix(): path for path in self.path.rglob("*") if path.is_file()}
        return {name: path for name, path in found.items() if _NAME.fullmatch(name)}

    def _sha(self, name: str) -> str:
        status = (self.path / name).stat()
        stamp = (name, status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp not in self._hashed:
            self._hashed[stamp] = _sha256(self.path / name)
        return self._hashed[stamp]


_HELD: dict[str, Copy] = {}
"""The copies of this process by their addresses."""


def sweep() -> None:
    """Removes the copies that killed commands left where this one works, and that were delivered."""
    for journal in copies_in().glob("*/.*.objects"):
        path = journal.with_name(journal.name[1 : -len(".objects")])
        address = _noted(journal)[0].get("address")
        if address is not None and (lock := _taken(path)) is not None:
            copy = Copy(address_of(address), path, lock, None)
            copy.remember()
            copy.give_back()


def at_hand(address: str, *, work: str = "", retention: Retention | None = None) -> Path:
    """The folder at `address` as a folder here: fetched where it is not, delivered first where a command left it.

    A path that is no address is itself. A folder that is nowhere does not exist here either. `work`: where the run had
    its files on the way. Raises Locked while another command works on it, NotDelivered, and what the bucket refuses.
    """
    if not is_address(address):
        return Path(address)
    copy = _HELD.get(address)
    if copy is None:
        copy = _held(address_of(address), work, retention)
    return copy.path


def shown(path: Path) -> str:
    """What messages call a place in a folder: its address, where it is in a copy of this process."""
    for address, copy in _HELD.items():
        if path.is_relative_to(copy.path):
            return str(address_of("/".join((address, *path.relative_to(copy.path).parts))))
    return str(path)


def here(address: str) -> Path:
    """Where the folder at `address` is here, or would be; nothing is fetched or delivered."""
    if not is_address(address):
        return Path(address)
    return _HELD[address].path if address in _HELD else _path(copies_in(), address_of(address))


def deliver(address: str) -> None:
    """Delivers the copy of this process; nothing where the folder lies here. Raises NotDelivered."""
    if address in _HELD:
        _HELD[address].deliver()


def give_back(address: str | None = None) -> None:
    """Ends the work on the copy of `address`, or on all of this process: what was delivered is removed here."""
    for each in [address] if address is not None else list(_HELD):
        copy = _HELD.pop(each, None)
        if copy is not None:
            copy.give_back()


@contextmanager
def copies() -> Iterator[None]:
    """A block at whose end the work on all copies of this process ends."""
    try:
        yield
    finally:
        give_back()


def _held(address: Address, work: str, retention: Retention | None) -> Copy:
    path = _path(copies_in(), address)
    if work and (left := _path(copies_in(Path(work)), address)).exists():
        path = left
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _taken(path)
    if lock is None:
        raise Locked(f"another command works on {address}", hint="try again when it has ended")
    copy = Copy(address, path, lock, retention)
    try:
        copy.remember()
        if path.exists() and copy.delivered():
            copy.clear()  # what a killed command left; the bucket may have gone on since
        if (path / LAST).exists():
            copy.deliver()
        elif not path.exists() or LAST in copy.bucket.seen():  # what is whole there counts more than a part here
            copy.clear()
            copy.fetch()
    except BaseException:
        copy.give_back()
        raise
    _HELD[str(address)] = copy
    return copy


def _taken(path: Path) -> int | None:
    """The lock of a copy; None: another process has it. It goes with the process."""
    descriptor = os.open(_lock(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _lock(path).exists() and os.path.samestat(os.fstat(descriptor), _lock(path).stat()):
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _path(copies: Path, address: Address) -> Path:
    """Copies of equally named runs of several buckets lie apart."""
    above = str(address)[: -len(address.name)]
    return copies / sha256(above.encode()).hexdigest()[:12] / address.name


def _journal(path: Path) -> Path:
    return path.with_name(f".{path.name}.objects")


def _lock(path: Path) -> Path:
    return path.with_name(f".{path.name}.use")


def _folder(name: str) -> str:
    """The later folder that a name is in, with its slash; empty: the run's own."""
    parent = PurePosixPath(name).parent.as_posix()
    return "" if parent == "." else f"{parent}/"


def _noted(journal: Path) -> list[dict[str, Any]]:
    """What was noted of a copy: its address, and then its objects. Nothing of what can't be read: it is compared."""
    try:
        return [orjson.loads(line) for line in journal.read_bytes().split(b"\n")[:-1]] or [{}]
    except (FileNotFoundError, orjson.JSONDecodeError):
        return [{}]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
