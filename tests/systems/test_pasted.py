"""The sessions of the pages in docs/: each line works as it is pasted, against the sandbox.

A line of muster's is run in this process, the lines between by a shell. The sandbox is one that is there already.
"""

import io
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import REPOSITORY, Muster, Started

DOCS = REPOSITORY / "docs"

PAGES = {
    "azakaw": (0, 0, 1, 0, 0, 0, 0, 1, 1),
    "banklingo": (1, 0, 1, 1, 0, 0),
    "blink": None,
    "eclipse": (1, 0),
    "omnumi": (1, 1, 1),
    "portal-users": (2, 0, 0, 0),
    "registration": (0, 0),
}
"""The page, and how its commands of muster end; None: each well, or with rows that need attention."""

ELSEWHERE = {
    "sandbox": "tests/sandbox/test_sessions.py and test_documented_systems.py",
    "quick-start": "tests/flow/test_quick_start.py",
    **dict.fromkeys(
        ("auditor", "backup-and-upgrade", "cloud", "control-record", "dashboard", "ledger", "oncall", "scale"),
        "tests/house/test_pages.py: they name runs and files of the reader's own",
    ),
    "lookup": "its commands are of the reader's own files",
    "systems": "its commands are tests themselves",
}
"""Pages with commands that are not pasted here, and why."""


GOES_ON = "# the session above goes on\n"


def session(page: str) -> list[str]:
    """The lines of the block that begins with a sandbox, and of those that go on with it, whole commands each."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (first,) = [each for each in blocks if each.startswith("muster sandbox")]
    return list(commands("".join([first, *(each for each in blocks if each.startswith(GOES_ON))])))


def commands(block: str) -> Iterator[str]:
    """One command each, with what belongs to it in further lines: continued ones, and a text that is written down."""
    lines = iter(block.splitlines())
    for line in lines:
        whole = line
        while whole.endswith("\\"):
            whole += "\n" + next(lines)
        if mark := re.search(r"<<'(\w+)'", whole):
            while not whole.endswith(f"\n{mark[1]}"):
                whole += "\n" + next(lines)
        yield whole


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Shell:
    """A folder in which a session is typed."""

    def __init__(self, muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.muster, self.sandbox, self.monkeypatch = muster, sandbox, monkeypatch
        self.codes: list[int] = []
        self.behind: list[Started] = []
        self.port = free_port()

    def end(self) -> None:
        """What `kill` does: the commands that run beside end."""
        while self.behind:
            started = self.behind.pop()
            started.running.terminate()
            self.codes.append(abs(int(self.muster.wait(started).code)))

    def type(self, line: str) -> None:
        """One command."""
        line = line.replace("http://127.0.0.1:8080", self.sandbox.base_url).replace("8099", str(self.port))
        line = line.replace("localhost:8080", self.sandbox.base_url.removeprefix("http://"))
        line = line.replace('"$(ls runs | tail -1)"', self.newest())
        line, _, said = line.partition(" <<< ")
        self.monkeypatch.setattr("sys.stdin", io.StringIO(f"{said.strip()}\n"))
        words = shlex.split(line, comments=True)
        given = [word for word in words if re.match(r"[A-Z_]+=", word)]
        command = [word for word in words if word not in given]
        if command[:2] == ["muster", "sandbox"] or not command:
            return
        if command[0] == "kill":
            self.end()
            return
        for name, _, value in (word.partition("=") for word in given):
            self.monkeypatch.setenv(name, value)
        if command[0] == "muster" and command[-1] == "&":
            self.behind.append(self.muster.start(*command[1:-1]))
            said = self.behind[-1].running.stdout
            assert said is not None
            assert "listening" in said.readline()
        elif command[0] == "muster" and ">" not in command:
            self.codes.append(int(self.muster(*command[1:]).code))
        elif command[0] != "export" and command[0] != "muster":
            subprocess.run([str(shutil.which("sh")), "-e", "-c", line], check=True, cwd=self.muster.folder)
        elif command[0] == "muster":
            ended = self.muster(*command[1 : command.index(">")])
            (self.muster.folder / command[-1]).write_text(ended.stdout, encoding="utf-8")
            self.codes.append(int(ended.code))

    def newest(self) -> str:
        """What `ls runs | tail -1` says."""
        runs = self.muster.folder / "runs"
        return max((path.name for path in runs.iterdir()), default="") if runs.is_dir() else ""


@pytest.mark.few(1)
@pytest.mark.parametrize("page", PAGES)
def test_a_session_works_as_it_is_pasted(
    page: str, muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDENTITY", "PASSWORD", "DECISION_POLL", "DECISION_WAIT", "TENANT", "BASE_URL"):
        monkeypatch.delenv(f"MUSTER_{name}", raising=False)
    monkeypatch.setattr("jobs.transport.successor._LATEST", {})
    (muster.folder / "sample_data").symlink_to(REPOSITORY / "sample_data")
    shell = Shell(muster, sandbox, monkeypatch)
    try:
        for line in session(page):
            shell.type(line)
    finally:
        shell.end()

    expected = PAGES[page]
    assert set(shell.codes) <= {0, 1} if expected is None else tuple(shell.codes) == expected, str(shell.codes)


def test_every_page_with_a_session_is_pasted_or_says_where_it_is() -> None:
    pages = {path.stem for path in DOCS.glob("*.md") if "```sh\n" in path.read_text(encoding="utf-8")}

    assert sorted(pages - set(PAGES) - set(ELSEWHERE)) == []
