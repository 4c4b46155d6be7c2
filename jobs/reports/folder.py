"""The folder of a run. Each file in it is whole or absent, mode 0600, whatever the umask."""

import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path

from jobs.atomic import atomic
from jobs.disk import advice
from jobs.errors import Unusable
from jobs.value import value

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")


def safe_run_id(text: str) -> str:
    """`text`, when it can name a folder on every file system.

    1 to 80 letters, digits, `.`, `_` and `-`, the first a letter or a digit; no device name of Windows.
    Raises `Unusable`.
    """
    if not _RUN_ID.fullmatch(text) or _DEVICES.fullmatch(text):
        raise Unusable(
            f"{text[:40]!a} can't be a run id",
            hint="use 1 to 80 letters, digits, '.', '_' and '-', beginning with a letter or a digit",
        )
    return text


@value
class RunFolder:
    """A private folder. Make one with `create`, or take an existing one with `existing`."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new folder, mode 0700, with its parents.

        An empty folder is taken too. Raises `Unusable` for a symlink, a file and a folder that holds anything.
        """
        try:
            _make_private(path.parent)
            _make_one(path)
            if any(path.iterdir()):
                raise Unusable(f"the folder {path} already holds files", hint="choose another --run-id")
        except OSError as error:
            hint = advice(path, error.errno, "--out")
            raise Unusable(f"the folder {path} can't be made: {error.strerror}", hint=hint) from error
        return cls(path)

    @classmethod
    def existing(cls, path: Path) -> "RunFolder":
        """A folder made earlier. Raises `Unusable` when it is absent, a symlink or no folder."""
        if not _is_real_folder(path):
            raise Unusable(f"there is no run folder {path}")
        return cls(path)

    def subfolder(self, name: str) -> "RunFolder":
        """A new folder inside this one (`reconcile-<time>`); the second of a name ends with `-2`, and so on."""
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        return RunFolder.create(next(path for each in names if not (path := self.path / _checked(each)).exists()))

    def discard_drafts(self) -> None:
        """Removes what a killed process left half written; only for the process that holds the lock on the run."""
        for entry in self.path.iterdir():
            if entry.name.startswith("."):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Writes `content` under `name`, whole or not at all; an older file of that name stays until then."""
        with self.open_atomic(name) as draft:
            draft.write_bytes(content)
        return self.path / name

    @contextmanager
    def open_atomic(self, name: str) -> Iterator[Path]:
        """The path of an empty draft in this folder: it becomes `name` when the block ends well, else it is removed.

        The draft is synced before the rename and the folder after it. Raises `Unusable` when `name` is a symlink.
        """
        target = self.path / _checked(name)
        if target.is_symlink():
            raise Unusable(f"{target} is a symbolic link; muster does not write through links")
        with atomic(target) as draft:
            yield draft


def _checked(name: str) -> str:
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(f"not a plain file name: {name[:40]!a}")
    return name


def _is_real_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _make_private(path: Path) -> None:
    """Missing parents, each 0700; `Path.mkdir(parents=True)` would give them the umask's mode."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        _make_one(folder)


def _make_one(path: Path) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_real_folder(path):
            raise Unusable(f"{path} is a symbolic link or no folder") from None
    path.chmod(0o700)
