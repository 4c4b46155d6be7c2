"""The page that newcomers follow does what it says, word for word; so does the page of the control record."""

import re
import shlex
from pathlib import Path

from .muster import Muster

DOCS = Path(__file__).parents[2] / "docs"


def steps(page: str, folder: Path) -> list[str]:
    """Writes the files that a page shows, and gives the commands of its `sh` blocks."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, content in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(content, encoding="utf-8")
    shown = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in shown for line in block.splitlines()]


def test_the_quick_start_works_as_written(muster: Muster) -> None:
    codes = {}
    for line in steps("quick-start.md", muster.folder):
        ended = muster(*(word.replace("RUN", "run-1") for word in shlex.split(line)[1:]))
        codes[line.split()[1]] = ended.code

    assert codes == {"schema": 0, "validate": 1, "doctor": 0, "plan": 1, "run": 1, "mend": 0, "open": 0}
    run = muster.folder / "runs" / "run-1"
    assert (run / "report.html").exists()
    assert (muster.folder / "corrected.csv").read_text("utf-8").splitlines()[1].startswith("1003;Anna;Naidoo;083 999")
    assert "phone" in (muster.folder / "refused.csv").read_text("utf-8").splitlines()[1]


def test_the_control_record_that_is_shown_agrees_with_the_file_beside_it(muster: Muster) -> None:
    [line] = steps("control-record.md", muster.folder)
    agreed = muster(*shlex.split(line)[1:])

    assert agreed.code == 0
    assert "control.json agrees: columns, hash_total_national_id, rows" in agreed.stdout
