"""The direction of dependencies: who may know whom. The tree is the table of contents only while this holds."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.systems import SYSTEMS
from tests.house.sources import ROOT, files, imported, nodes, text

ONLY_IN = {
    "click": ("jobs.cli", "jobs.commands", "jobs.__main__"),
    "httptools": ("jobs.transport.answer", "jobs.sandbox"),
    "tenacity": (
        "jobs.transport.retry",
        "jobs.transport.client",
        "jobs.engine.driver",
        "jobs.ledger.turn",
        "jobs.ledger.files",
    ),
    "sqlite3": ("jobs.ledger.sqlite", "jobs.ledger.turn", "jobs.ledger.files"),
    "sqlalchemy": ("jobs.ledger",),
    "psycopg": ("jobs.ledger.postgres", "jobs.ledger.silence"),
    "pandera": ("schemas", "jobs.intake"),
    "phonenumbers": ("jobs.intake.phones",),
    "starlette": ("jobs.sandbox",),
    "uvicorn": ("jobs.sandbox", "jobs.operations.webhook"),
    "rich": ("jobs.progress",),
    "jinja2": ("jobs.reports",),
    "boto3": ("jobs.storage.s3",),
    "botocore": ("jobs.storage.s3",),
    "obstore": ("jobs.storage.other_clouds",),
    "cryptography": ("jobs.evidence.signature", "jobs.privacy.rsa_keys"),
}
"""An edge of the program and the modules that may touch it."""

VENDORS = tuple(f"jobs.systems.{name}" for name in SYSTEMS)

FLOORS = (
    (
        "schemas",
        *(f"jobs.{name}" for name in ("errors", "model", "clock", "folded", "keys", "rates", "disk", "value")),
        *(
            f"jobs.{name}"
            for name in ("alive", "atomic", "os_user", "side_by_side", "windows", "codes", "face", "printable")
        ),
    ),
    ("jobs.progress",),
    ("jobs.systems",),
    ("jobs.privacy",),
    ("jobs.storage",),
    ("jobs.intake", "jobs.ledger"),
    ("jobs.transport",),
    VENDORS,
    ("jobs.settings",),
    ("jobs.earlier",),
    ("jobs.batch",),
    ("jobs.engine",),
    ("jobs.reports",),
    ("jobs.evidence",),
    ("jobs.publishing", "jobs.reconciliation"),
    ("jobs.run",),
    ("jobs.flow",),
    ("jobs.operations",),
    ("jobs.commands", "jobs.api"),
    ("jobs.cli",),
    ("jobs.__main__",),
)
"""The rooms, floor by floor: a room knows the floors below it, never a neighbour or what is above. The sandbox stands
outside. (The files of the first floor know each other.)"""


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the program with its file."""
    for path in files():
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize(("library", "allowed"), ONLY_IN.items())
def test_a_library_is_touched_at_its_edge_only(library: str, allowed: tuple[str, ...]) -> None:
    users = {name for name, path in modules() if any(within(found, library) for found in imported(path))}

    assert users
    assert sorted(name for name in users if not any(within(name, place) for place in allowed)) == []


def room(name: str) -> tuple[int, str] | None:
    """The floor and the room that a module stands in; None for what is no part of the house."""
    found = [(floor, each) for floor, rooms in enumerate(FLOORS) for each in rooms if within(name, each)]
    return max(found, key=lambda each: len(each[1]), default=None)


def test_every_module_has_a_room() -> None:
    homeless = [name for name, _ in modules() if not within(name, "jobs.sandbox") and not room(name)]

    assert homeless == ["jobs"]


def test_a_room_knows_only_the_floors_below_it() -> None:
    wrong = []
    for name, path in modules():
        here = room(name)
        for found in imported(path) if here else ():
            there = room(found)
            if here and there and here[1] != there[1] and (there[0] > here[0] or there[0] == here[0] > 0):
                wrong.append(f"{name} ({here[1]}) knows {found} ({there[1]})")

    assert sorted(wrong) == []


def test_a_run_is_read_on_one_page_that_names_few_others() -> None:
    """Whoever opens it has to know what it imports: 36 modules once, and a page of 363 lines."""
    page = ROOT / "jobs" / "flow.py"
    found = {name for name in imported(page) if within(name, "jobs") and is_module(name)}

    assert len(found) <= 17, sorted(found)
    assert len(text(page).splitlines()) <= 80


def is_module(name: str) -> bool:
    """Says whether `name` is a file of the house, and neither a folder nor something inside a file."""
    return (ROOT / Path(*name.split(".")).with_suffix(".py")).exists()


def test_no_shared_room_knows_a_vendor_by_name() -> None:
    """What a vendor calls things is its own room's business, and the business of nobody else."""
    wrong = [
        f"{name} knows {found}"
        for name, path in modules()
        for found in imported(path)
        if any(within(found, vendor) and not within(name, vendor) for vendor in VENDORS)
    ]

    assert sorted(wrong) == []


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name
        for name, path in modules()
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }

    assert "jobs.settings.precedence" in readers
    settings_ = {f"jobs.settings.{name}" for name in ("precedence", "settings", "secrets", "as_run")}
    assert readers <= {*settings_, "jobs.intake.judge", "jobs.os_user", "jobs.run.ray_engine"}


def test_the_sandbox_knows_nothing_of_muster() -> None:
    wrong = [
        f"{name} imports {found}"
        for name, path in modules()
        if within(name, "jobs.sandbox")
        for found in imported(path)
        if within(found, "jobs") and not within(found, "jobs.sandbox")
    ]

    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    code = (
        "import importlib, pkgutil, jobs\n"
        "for module in pkgutil.walk_packages(jobs.__path__, 'jobs.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_time_and_chance_enter_through_the_clock() -> None:
    """The engine must be able to run in a simulation: no clock, no randomness, no thread of its own."""
    wrong = []
    for name, path in modules():
        if name == "jobs.transport.retry":  # it names the type of the source that it is given
            continue
        if any(within(name, package) for package in ("jobs.engine", "jobs.transport", "jobs.systems")):
            wrong += [
                f"{name} imports {found}"
                for found in imported(path)
                if found in {"time", "random", "threading", "uuid"}
            ]

    assert wrong == []


TIMES = {"datetime": {"now", "utcnow", "today"}, "date": {"today"}}
TIMING = {
    ("jobs.ledger.turn", "monotonic"): "how long SQLite itself is waited for, below every seam",
    ("jobs.ledger.postgres", "monotonic"): "how long ago a server took no connection, below every seam",
    ("jobs.ledger.silence", "monotonic"): "how long a server has answered nothing, below every seam",
    ("jobs.progress", "monotonic"): "how often a person is shown something",
}
"""Where time is measured without the clock, and for what."""


def test_the_clock_comes_in_from_outside() -> None:
    """One clock is made for a command, at the edge, and everything below is given it: no other source of time."""
    made, read = set(), set()
    for name, path in modules():
        if name == "jobs.clock" or within(name, "jobs.sandbox"):
            continue
        for node in nodes(path):
            match node:
                case ast.Call(func=ast.Name(id="Clock")) | ast.Call(func=ast.Attribute(attr="Clock")):
                    made.add(name)
                case ast.keyword(arg="default_factory", value=ast.Name(id="Clock")):
                    made.add(name)
                case ast.Attribute(value=ast.Name(id="time"), attr=attribute) if imports_time(path):
                    read.add((name, attribute))
                case ast.ImportFrom(module="time", names=names):
                    read |= {(name, each.name) for each in names}
                case ast.Attribute(value=ast.Name(id=kind), attr=attribute) if attribute in TIMES.get(kind, ()):
                    read.add((name, attribute))

    assert made == {"jobs.commands.options", "jobs.api"}
    assert read == set(TIMING)


def imports_time(path: Path) -> bool:
    """Whether `time` is the module of that name here, and not a time of the day."""
    return any(
        isinstance(node, ast.Import) and any(alias.name == "time" for alias in node.names) for node in nodes(path)
    )
