"""The file in which generated passwords are delivered: 0600, one line a login, never a report, a log or the ledger.

A password is on the disk before the login that it belongs to is asked for, so that no crash leaves a login whose
password nobody knows. Passwords of the input stay in the input. Whether a login was made, only the run's report says.

An encrypted password is bound to its line: what stands before it in the line, byte by byte, is its label, without which
it does not open. So nobody who writes the file can have somebody's password handed to somebody else.
"""

import csv
import errno
import fcntl
import io
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from jobs.atomic import sync_folder
from jobs.errors import Unusable
from jobs.privacy.rsa_keys import encryptor
from jobs.systems.row import Row

PLAIN = ("row", "external_unique_id", "identity", "password")
ENCRYPTED = ("run", "row", "external_unique_id", "identity", "password_encrypted")
OLD_ENCRYPTED = ENCRYPTED[1:]
"""Headers of the forms; one file has one form. The last is that of an older muster, which bound no line: such a file is
continued with lines that have no run, and are bound all the same."""

PASSWORD_COLUMN = "password"  # noqa: S105 - the name of a column
"""The secret column that holds a row's own password, in every input that has logins."""

LENGTH = 24
"""Chosen: 140 bits; the vendor takes 3 to 80 characters."""

LETTERS_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
LETTERS_LOWER = "abcdefghijkmnpqrstuvwxyz"
DIGITS = "23456789"
SIGNS = "!#%*?"
"""Without I, l, O, o, 0 and 1, which look alike, and without signs that shells, CSV or spreadsheets take amiss."""

KINDS = (LETTERS_UPPER, LETTERS_LOWER, DIGITS, SIGNS)


def generated() -> str:
    """A new password of LENGTH characters from the system's randomness: a letter first, every kind among them."""
    letters, every = LETTERS_UPPER + LETTERS_LOWER, "".join(KINDS)
    while True:
        made = secrets.choice(letters) + "".join(secrets.choice(every) for _ in range(LENGTH - 1))
        if all(set(made) & set(kind) for kind in KINDS):
            return made


class PasswordFile:
    """Passwords by key and identity: the row's own, one that was delivered earlier, or a new one that is delivered."""

    def __init__(self, path: Path | None, encrypt: Callable[[str, bytes], str] | None = None, run_id: str = "") -> None:
        """`path` None: rows bring their own, and none is ever generated. Raises Unusable.

        `encrypt` binds its text to a label. `run_id`: of the run that delivers, said in encrypted lines. An existing
        file is continued; one that others may read, or that is no such file, is refused.
        """
        self.path, self.encrypt, self.run_id = path, encrypt, run_id
        self.header = ENCRYPTED if encrypt else PLAIN
        self._known: dict[tuple[str, str], str] = {}
        if path is not None:
            self._open(path)

    @classmethod
    def opened(cls, path: Path | None, encrypt_to: Path | None, run_id: str) -> "PasswordFile":
        """The file at `path`, encrypted to the RSA public key in `encrypt_to` (None: in clear). Raises Unusable."""
        return cls(path, None if encrypt_to is None else encryptor(encrypt_to), run_id)

    def for_row(self, row: Row, identity: str) -> str:
        """The password with which the login `identity` is to be made; a new one is on the disk before it is returned.

        The same row gives the same password again, in another process only when the file is not encrypted.
        """
        password = self.known(row, identity)
        if password is None:
            assert self.path is not None, "rows without a password were to be refused"
            password = generated()
            self._append(self._told((str(row.source_row), _key(row), identity), password))
            self._known[_key(row), identity] = password
        return password

    def known(self, row: Row, identity: str) -> str | None:
        """The password of that login as far as it can be read; None when it was never made, or can't be read back."""
        of_old = self._known.get((row.key, identity))
        return row.secrets.get(PASSWORD_COLUMN) or self._known.get((_key(row), identity), of_old)

    def _told(self, whose: tuple[str, ...], password: str) -> bytes:
        """The line that delivers the password."""
        if self.encrypt is None:
            return _line((*whose, password))
        named = _line((self.run_id, *whose) if self.header == ENCRYPTED else whose).rstrip(b"\n")
        return named + b"," + self.encrypt(password, named).encode() + b"\n"

    def _open(self, path: Path) -> None:
        try:
            new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._refuse_open_file(path, os.fstat(file.fileno()))
                self._take(file.read(), path, new=new)
            if new:
                sync_folder(path.parent)
        except OSError as error:
            raise Unusable(f"--passwords: {path} can't be opened or made: {error.strerror}") from error

    def _refuse_open_file(self, path: Path, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise Unusable(f"--passwords: {path} is no file")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise Unusable(f"--passwords: others may read {path}", hint=f"chmod 600 {path}")

    def _take(self, content: bytes, path: Path, *, new: bool) -> None:
        """Reads the lines that were written whole; what a crash left half written is cut off by the next one."""
        whole = content[: content.rfind(b"\n") + 1]
        if new or not whole:
            self._write(_line(self.header), at=0)
            return
        try:
            lines = list(csv.reader(io.StringIO(whole.decode(), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error):
            lines = [[]]
        found = tuple(lines[0])
        if found not in (PLAIN, ENCRYPTED, OLD_ENCRYPTED):
            raise Unusable(f"--passwords: {path} is another kind of file; it was left as it is")
        if (found == PLAIN) is not (self.encrypt is None):
            words = "without" if self.encrypt else "with"
            raise Unusable(f"--passwords: {path} was begun {words} --encrypt-to", hint="give another file")
        self.header = found
        if self.encrypt is None:
            self._known = {(line[1], line[2]): line[3] for line in lines[1:] if len(line) == len(PLAIN)}

    def _append(self, line: bytes) -> None:
        self._write(line, at=None)

    def _write(self, line: bytes, at: int | None) -> None:
        """`line` at the end of the last whole line (None) or at `at`, on the disk when it returns."""
        assert self.path is not None
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            if at is None:
                fcntl.flock(file, fcntl.LOCK_EX)
                at = _end_of_lines(file)
            file.truncate(at)
            file.seek(at)
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(file.fileno())


def _key(row: Row) -> str:
    """The row's key as the file shows it: none that leads to a person's number."""
    return "" if row.personal_key else row.key


def _end_of_lines(file: io.RawIOBase) -> int:
    """Where the last whole line ends."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 4096))  # longer than any line
    return size - len((file.read() or b"").rpartition(b"\n")[2])


def _line(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
