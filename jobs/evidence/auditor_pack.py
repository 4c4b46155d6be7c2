"""What an auditor needs beside the evidence: a checker that needs nothing of muster, and a page that explains all."""

from importlib.resources import files

from jobs.reports.folder import RunFolder

PACK = ("verify.py", "README-AUDITOR.md")


def write_pack(folder: RunFolder) -> None:
    """Writes `verify.py` and `README-AUDITOR.md` into the folder; they are the same for every run of one version."""
    for name in PACK:
        folder.write_bytes(name, files("jobs.evidence").joinpath("pack", name).read_bytes())
