"""`muster report RUN --sample N`: draws a sample from a run's evidence and puts it under the run's own seal."""

from collections.abc import Sequence
from pathlib import Path

from jobs.evidence.events import read_events
from jobs.evidence.manifest import facts_of
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.publishing.place import folder_of
from jobs.publishing.sealing import Seal, check_standing, reseal
from jobs.reports.folder import RunFolder
from jobs.reports.sample import draw
from jobs.settings.settings import Settings
from jobs.value import value


@value
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
    folder = RunFolder.existing(folder_of(run))
    with Store.opened(settings.ledger, create=False) as store:
        check_standing(store, run)
        events = read_events(folder.path / "events.ndjson")
        found = draw(folder.path, events, size, seed, by_outcome=by_outcome)
        content = {f"{found.name}.html": found.to_html().encode(), f"{found.name}.csv": found.to_csv().encode()}

        def add(twin: RunFolder, seal: Seal) -> None:
            for name, text in content.items():
                twin.write_bytes(name, text)
            seal(twin, facts_of(twin.path), None)

        paths = {folder.path / name: text for name, text in content.items()}
        if any(not path.exists() or path.read_bytes() != text for path, text in paths.items()):
            reseal(store, run, add)
    rows = [trail.row["source_row"] for trail in found.trails]
    return Drawn(rows, found.summary["input"]["rows"], list(paths))
