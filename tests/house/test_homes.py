"""What is needed in many places is written in one, and nothing is written that nobody needs."""

import ast
import io
import re
import tokenize
import tomllib
from collections import Counter

import pytest

from tests.house.sources import ROOT, files, nodes, text

HOMES = {
    r"os\.fsync": {
        "jobs/atomic.py",
        "jobs/ledger/files.py",
        "jobs/operations/access_log.py",
        "jobs/privacy/passwords.py",
    },
    r"O_DIRECTORY": {"jobs/atomic.py"},
    r"mkstemp": set[str](),
    r"\.limit\(window\)": {"jobs/ledger/paging.py"},
    r"\bpseudonym_key\(": {"jobs/settings/pseudonyms.py"},
    r"secret\(\"pseudonym_key\"": {
        "jobs/settings/pseudonyms.py",
        "jobs/operations/doctor.py",
    },
    r"getpass": set[str](),
    r"os\.getlogin|LOGNAME|SUDO_USER": {"jobs/os_user.py"},
    r"asyncio\.(gather\(\*\(|Semaphore|TaskGroup)": {"jobs/side_by_side.py"},
    r"(?m)^COMPLETE = ": {"jobs/model.py"},
    r"\"email\": masking\.email": {"jobs/commands/admin_users.py"},
    r"(?m)^\w*WINDOW = [\d_]+$": {"jobs/windows.py"},
    r"\" \" for \w+ in": {"jobs/privacy/masking.py"},
    r"click\.echo": {"jobs/commands/options.py", "jobs/cli.py"},
    r"jobs\.commands\.\{": {"jobs/cli.py"},
}
"""A way of doing something, and the files that may do it. (Those beside the home need what the home does not give: an
open descriptor, a line appended, a check of the key file itself, one field of a known record.)"""


@pytest.mark.parametrize(("way", "homes"), HOMES.items())
def test_what_is_needed_in_many_places_has_one_home(way: str, homes: set[str]) -> None:
    ours = (path for path in files("jobs") if "sandbox" not in path.parts)
    found = {str(path.relative_to(ROOT)) for path in ours if re.search(way, text(path))}

    assert found == homes


CALLED_BY_OTHERS = frozenset(
    {"Sandbox", "list_commands", "format_commands", "capture_signals", "onboarding_password", "onboarding_identity"}
)
CALLED_BY_OTHERS |= {"on_message_begin", "on_header", "on_headers_complete", "on_body", "on_message_complete"}
CALLED_BY_OTHERS |= {"configure", "data_received", "eof_received", "connection_lost", "pause_writing", "resume_writing"}
CALLED_BY_OTHERS |= {"resolve_command", "shell_complete", "get_source_checksum", "dump_bytecode"}
"""Names that a library calls, or that people who use the sandbox do."""

IMPORTED_AS = {"xlsxwriter": "xlsxwriter", "cryptography": "cryptography", "psycopg": "psycopg"}
"""The package of each optional dependency."""


def names(source: str) -> Counter[str]:
    """How often each name stands in the code of `source`, also inside f-strings; not in comments and docstrings."""
    found: Counter[str] = Counter()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            found[token.string] += 1
        elif token.type == tokenize.STRING and token.string[0] in "fF":
            found.update(re.findall(r"[A-Za-z_]\w*", token.string))
    return found


def test_nothing_is_there_for_tests_alone() -> None:
    used = sum((names(text(path)) for path in files()), Counter[str]())
    for page in (ROOT / "jobs").rglob("*.j2"):
        used.update(re.findall(r"[A-Za-z_]\w*", page.read_text(encoding="utf-8")))
    made = [
        (node.name, f"{path.relative_to(ROOT)}:{node.lineno}", bool(node.decorator_list))
        for path in files()
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    times = Counter(name for name, _, _ in made)
    idle = [
        f"{place} {name}"
        for name, place, decorated in made
        if used[name] <= times[name] and not name.startswith("__") and name not in CALLED_BY_OTHERS
        if not (decorated and "commands/" in place)  # click calls it
    ]

    assert idle == []


def test_an_extra_is_offered_for_code_that_needs_it() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    offered = {re.split(r"[\[<>=]", each)[0] for name, wanted in extras.items() if name != "dev" for each in wanted}
    code = "\n".join(map(text, files("jobs")))

    assert {
        each for each in offered if not re.search(rf"(import |from |import_module\(\"){IMPORTED_AS.get(each)}\b", code)
    } == set()
