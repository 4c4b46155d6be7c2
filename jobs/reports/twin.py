"""A folder that is changed as a whole: a twin of it is changed, and takes its place in the end.

Whoever looks at the folder sees it as it was or as it became, also after a kill. Files that stay are links to the same
content; every file that is written anew is another one, because it is written beside and renamed.
"""

import os
import shutil
from pathlib import Path

from jobs.atomic import sync_folder
from jobs.reports.folder import RunFolder


def twin_path(folder: Path) -> Path:
    """Where the twin of `folder` is made; in a listing it is hidden."""
    return folder.with_name(f".{folder.name}.twin")


def _aside(folder: Path) -> Path:
    """Where `folder` is for the moment in which its twin takes its place."""
    return folder.with_name(f".{folder.name}.before")


def twin_of(folder: Path) -> RunFolder:
    """A new twin of `folder`, with all that is in it."""
    drop_twin(folder)
    shutil.copytree(folder, twin_path(folder), symlinks=True, copy_function=_linked)
    return RunFolder.existing(twin_path(folder))


def exchange(folder: Path) -> None:
    """The twin takes the place of `folder`, which is removed with what it alone held."""
    folder.rename(_aside(folder))
    twin_path(folder).rename(folder)
    sync_folder(folder.parent)
    drop_twin(folder)


def restore(folder: Path) -> None:
    """Where a killed `exchange` left no folder: the twin takes its place, or the folder comes back."""
    if folder.exists():
        return
    for path in (twin_path(folder), _aside(folder)):
        if path.is_dir():
            path.rename(folder)
            sync_folder(folder.parent)
            return


def drop_twin(folder: Path) -> None:
    """Removes what a killed command left of a twin, or of the folder whose place one took."""
    for path in (twin_path(folder), _aside(folder)):
        shutil.rmtree(path, ignore_errors=True)


def _linked(source: str, target: str) -> None:
    """The same content under another name; a copy where the file system has no links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
