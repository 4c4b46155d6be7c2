import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.reports.page import page

from .made import row, summary

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET = ["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=3000", "--dump-dom"]

STEPS = """
const log = (...words) => { document.getElementById("log").textContent += words.join(" ") + "\\n"; };
const by = (selector) => document.querySelector(selector);
const cell = (line, place) => by("#attention").tBodies[0].rows[line].cells[place].textContent;
const say = (input, value, event) => { by(input).value = value; by(input).dispatchEvent(new Event(event)); };
log(by("#attention-shown").textContent, by("#attention-pager span").textContent,
  by("#attention").tBodies[0].rows.length);
by("#attention thead button").click(); by("#attention thead button").click();
log(cell(0, 0), by("#attention th").getAttribute("aria-sort"));
by("[data-step=last]").click();
log(cell(0, 0), by("[data-step=on]").disabled, by("[data-step=back]").disabled);
say("[name=kind]", "conflict", "change");
log(by("#attention-shown").textContent);
say("[name=kind]", "", "change"); say("[name=find]", "REF-77 ", "input");
setTimeout(() => { log(by("#attention-shown").textContent, cell(0, 0), by("#attention-pager").hidden);
  say("[name=find]", "nowhere", "input"); setTimeout(() => log(by("#attention-shown").textContent), 400); }, 400);
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_table_finds_sorts_and_turns_pages(tmp_path: Path) -> None:
    rows = [row(n, "conflict" if n % 4 == 0 else "failed", row_ref=f"ref-{n}") for n in range(1, 121)]
    text = page(summary({"conflict": 30, "failed": 90}), rows)
    driven = re.sub(r"<meta http-equiv[^>]*>", "", text).replace(
        "</body>", f"<pre id=log></pre><script>{STEPS}</script></body>"
    )
    (tmp_path / "driven.html").write_text(driven, "utf-8")
    assert dumped(tmp_path, "driven.html")[:-1] == [
        "Rows 1 to 50 of 120 Page 1 of 3 50",
        "120 descending",
        "20 true false",
        "Rows 1 to 30 of 30 found among 120",
        "Rows 1 to 1 of 1 found among 120 77 true",
        "No row fits.",
    ]


def dumped(folder: Path, name: str) -> list[str]:
    """The lines that the page logged."""
    command = [str(CHROMIUM), *FLAGS, *QUIET, f"--user-data-dir={folder / 'profile'}", f"file://{folder / name}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    found = re.search(r'<pre id="log">(.*?)</pre>', done.stdout, re.DOTALL)
    return found[1].split("\n") if found else []


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_policy_lets_the_pages_own_script_run(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        page(summary({"failed": 60}), [row(n, "failed") for n in range(1, 61)]), "utf-8"
    )
    command = [
        str(CHROMIUM),
        *FLAGS,
        *QUIET,
        f"--user-data-dir={tmp_path / 'profile'}",
        f"file://{tmp_path / 'page.html'}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    assert "Rows 1 to 50 of 60" in done.stdout
