"""At the terminal: completion, colours, and nothing that pages or asks."""

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from books import RUN
from click.shell_completion import get_completion_class
from test_cli import REPOSITORY

from jobs.__main__ import status
from jobs.cli import cli
from jobs.ledger.store import Store
from jobs.progress import Terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-8]|4[0-8]|9[0-7])[;m]")


class Screen(io.StringIO):
    """What a terminal would show."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_that_asks_muster(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["completion", shell]) == 0

    said = capsys.readouterr().out
    assert f"_MUSTER_COMPLETE={shell}_complete" in said


def test_words_are_completed_as_the_shell_asks() -> None:
    asked = {"_MUSTER_COMPLETE": "bash_complete", "COMP_WORDS": "muster rec", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "jobs"],
        capture_output=True,
        text=True,
        check=False,
        env={**asked, "PYTHONPATH": str(REPOSITORY)},
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "plain,reconcile\n", "")


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", screen)

    with Terminal().stage("onboarding", 3) as count:
        count.advance(2, "onboarded")

    assert "onboarding" in screen.getvalue()
    assert COLOUR.search(screen.getvalue()) is None


def completed(words: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """What bash is offered for the last of `words`."""
    monkeypatch.chdir(folder)
    root = cli
    *given, incomplete = words.split(" ")[1:]
    found = get_completion_class("bash")
    assert found is not None
    return [item.value for item in found(root, {}, "muster", "_MUSTER_COMPLETE").get_completions(given, incomplete)]


def test_runs_are_completed_out_of_the_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed("muster report ", monkeypatch, tmp_path) == []
    with Store.opened(f"sqlite:///{tmp_path}/muster.db") as store:
        space = store.space(RUN.system, RUN.tenant)
        for name in ("monday", "tuesday", "monday-2"):
            store.begin_run(space, replace(RUN, run_id=name, folder=name))

    assert completed("muster report ", monkeypatch, tmp_path) == ["monday-2", "tuesday", "monday"]
    assert completed("muster resume mon", monkeypatch, tmp_path) == ["monday-2", "monday"]
    assert completed("muster decide x.csv --from t", monkeypatch, tmp_path) == ["tuesday"]
    assert completed("muster status --ledger sqlite:///none.db ", monkeypatch, tmp_path) == [""]  # files
    (tmp_path / "muster.toml").write_text("nonsense")
    assert completed("muster report ", monkeypatch, tmp_path) == []
