"""Folders that were made in a run's folder later: comparisons and profiles, chained to the run and to one another."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from jobs.evidence.manifest import CHAINED_SINCE, MANIFEST, manifest_hashes

_NAMES = re.compile(r"(reconcile|profiles)-.*")


def later_folders(path: Path) -> list[Path]:
    """The later folders in the run's folder `path`, by name."""
    found = (each for each in path.iterdir() if _NAMES.fullmatch(each.name))
    return sorted(each for each in found if each.is_dir() and not each.is_symlink())


def link_problems(path: Path) -> Iterator[str]:
    """Where a later folder in `path` does not name the run as it was, or the folder before it. A sentence each.

    Those of runs of an older muster may be bare. Raises OSError, ValueError, LookupError for what can't be read.
    """
    run = manifest_hashes(path)
    for folder in later_folders(path):
        document = _document(folder / MANIFEST)
        if "run_manifest_sha256" not in document:
            if _first(path).get("schema_version", 1) >= CHAINED_SINCE:
                yield f"{folder.name}: it is not chained to its run"
            continue
        if document["run_manifest_sha256"] not in {*run, None}:
            yield f"{folder.name}: {MANIFEST} of the run is not the one that it was chained to"
        before = document.get("later_before")
        if before is None or Path(before).is_absolute():
            continue
        hashes = manifest_hashes(path / Path(before).name)
        if document["later_before_manifest_sha256"] not in hashes:
            yield f"{folder.name}: the folder before it, {before}, is {'another one' if hashes else 'missing'}"


def _first(path: Path) -> dict[str, Any]:
    """The first manifest that the run had."""
    document = _document(path / MANIFEST)
    earlier = document.get("earlier_manifests") or []
    return _document(path / Path(earlier[0]["name"]).name) if earlier else document


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found
