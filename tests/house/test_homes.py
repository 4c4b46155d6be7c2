"""What is needed in many places is written in one, and nothing is written that nobody needs."""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.house.sources import ROOT, files, imported, nodes, text

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
CALLED_BY_OTHERS |= {"bind_expression", "column_expression", "process_bind_param", "process_result_value", "not_in"}
"""Names that a library calls, or that people who use the sandbox do."""

BROUGHT_ALONG = frozenset({"botocore", "markupsafe", "_typeshed"})
"""Modules that come with a library that `pyproject.toml` names (boto3, jinja2), or with the checker of types."""


def named(node: ast.AST) -> Iterator[str]:
    """The names that stand at this node of a syntax tree."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield from (*name.split("."), *([other] if other else []))
        case ast.ImportFrom(module=str(name)):
            yield from name.split(".")


def test_nothing_is_there_for_tests_alone() -> None:
    used = Counter(name for path in files() for node in nodes(path) for name in named(node))
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


def asked_for(wanted: list[str]) -> set[str]:
    """The modules that these requirements bring, each called as its distribution is."""
    return {re.split(r"[^\w-]", each)[0].replace("-", "_") for each in wanted}


def libraries() -> set[str]:
    """Of each import in the program, wherever it stands, the library; those of Python and our own left out."""
    named = {name for path in files() for name in imported(path)}
    named |= {
        str(node.args[0].value)
        for path in files()
        for node in nodes(path)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if ast.unparse(node.func) == "import_module"
    }
    return {name.split(".")[0] for name in named} - {"jobs", "schemas", *sys.stdlib_module_names, *BROUGHT_ALONG}


def test_a_library_is_asked_for_if_and_only_if_code_imports_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: asked_for(wanted) for name, wanted in project["optional-dependencies"].items() if name != "dev"}

    assert asked_for(project["dependencies"]).union(*extras.values()) == libraries()


def test_an_extra_is_offered_if_and_only_if_code_names_it_where_its_libraries_are_missing() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    hints = re.findall(r"muster-onboarding\[(\w+)\]", "\n".join(map(text, files())))

    assert set(hints) == extras.keys() - {"dev"}
