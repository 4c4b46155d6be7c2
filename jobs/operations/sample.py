"""`muster report RUN --sample N`: draws a sample from a run's evidence and puts it under the run's own seal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from jobs.errors import Unproven
from jobs.evidence.manifest import MANIFEST, write_manifest
from jobs.evidence.sums import sha256
from jobs.evidence.verify import verify_folder
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import add_seal
from jobs.ledger.store import Store
from jobs.publishing.publish import signing
from jobs.reports.folder import RunFolder
from jobs.reports.sample import draw
from jobs.settings.settings import Settings

WRITTEN_ANEW = frozenset(
    {"schema_version", "host", "os_user", "platform", "versions", "events", "earlier_manifests", "files"}
)
"""What `write_manifest` finds out itself; all else of a manifest is a fact of the run and stays."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn, and where it lies."""

    rows: Sequence[int]
    population: int
    files: Sequence[Path]


def sample(run: RunRow, settings: Settings, size: int, seed: int, *, by_outcome: bool = False) -> Drawn:
    """Writes `sample-SIZE-SEED.html` and `.csv` into the folder of `run`; the same again changes nothing.

    `by_outcome`: SIZE rows of each outcome, as `sample-SIZE-SEED-by-outcome`.

    Raises Unusable when there is no folder, and Unproven when its evidence does not verify: a sample of it would
    prove nothing.
    """
    folder = RunFolder.existing(Path(run.folder))
    problems = verify_folder(folder.path)
    if problems:
        raise Unproven(f"the evidence of run {run.run_id} does not verify: {problems[0]}")
    found = draw(folder.path, size, seed, by_outcome=by_outcome)
    content = {f"{found.name}.html": found.to_html().encode(), f"{found.name}.csv": found.to_csv().encode()}
    paths = {folder.path / name: text for name, text in content.items()}
    if any(not path.exists() or path.read_bytes() != text for path, text in paths.items()):
        for path, text in paths.items():
            folder.write_bytes(path.name, text)
        seal_again(folder, run, settings)
    rows = [trail.row["source_row"] for trail in found.trails]
    return Drawn(rows, found.summary["input"]["rows"], list(paths))


def seal_again(folder: RunFolder, run: RunRow, settings: Settings) -> None:
    """The manifest and the sums over a folder that has further files; the earlier manifest stays beside them."""
    known = orjson.loads((folder.path / MANIFEST).read_bytes())
    facts = {name: value for name, value in known.items() if name not in WRITTEN_ANEW}
    write_manifest(folder, facts, keep=True, sign=signing())
    with Store.opened(settings.ledger, create=False) as store:
        add_seal(store, run.run_id, sha256(folder.path / MANIFEST))
