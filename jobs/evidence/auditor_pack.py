"""What an auditor needs beside the evidence: a checker that needs nothing of muster, and a page that explains all."""

from importlib.resources import files

from jobs.reports.folder import RunFolder

CHECKER = "verify.py"
PACK = (CHECKER, "README-AUDITOR.md")

PUBLISHED = "checkers.sha256"
"""The hashes of all checkers that muster ever packed, the newest first: one a line, with its version behind it."""


def write_pack(folder: RunFolder) -> None:
    """Writes `verify.py` and `README-AUDITOR.md` into the folder; they are the same for every run of one version."""
    for name in PACK:
        folder.write_bytes(name, _packed(name))


def published() -> frozenset[str]:
    """The hashes of the checkers that a folder may hold."""
    return frozenset(line.split()[0] for line in _packed(PUBLISHED).decode().splitlines())


def _packed(name: str) -> bytes:
    return files("jobs.evidence").joinpath("pack", name).read_bytes()
