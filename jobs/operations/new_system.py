"""The beginnings of a further system in a checkout of this program: all that the tests ask of one, and it works.

Every file is a whole one, of a made-up API that is answered by a stand-in of its own; the lists that name systems get a
line each. From there its files are changed to the vendor's documents, with the battery to say what is not so yet.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from jobs.errors import Unusable
from jobs.systems import SYSTEMS
from jobs.value import value

PARTS = Path(__file__).parent / "sixth"
"""What the files are made from; `@name@`, `@Title@` and `@NAME@` stand for the system's name."""

_NAME = re.compile(r"[a-z][a-z0-9]{2,14}")

FILES = {
    "adapter.py.txt": "jobs/systems/{name}.py",
    "schema.py.txt": "schemas/{name}.py",
    "sandbox.py.txt": "jobs/sandbox/{name}.py",
    "page.md.txt": "docs/{name}.md",
    "coverage.md.txt": "docs/coverage/{name}.md",
}
"""The new files by what they are made from."""

LINES = (
    (
        "jobs/systems/__init__.py",
        '    "blink": "jobs.systems.blink.system",\n',
        '    "@name@": "jobs.systems.@name@",\n',
    ),
    (
        "jobs/sandbox/application.py",
        "from jobs.sandbox.omnumi.system import Omnumi\n",
        "from jobs.sandbox.@name@ import @Title@\n",
    ),
    ("jobs/sandbox/application.py", "(Omnumi, Azakaw, Blink, BankLingo", ", @Title@"),
    (
        "docs/coverage.md",
        "| [blink](coverage/blink.md) |\n",
        "| @Title@ | the vendor's page | [@name@](coverage/@name@.md) |\n",
    ),
    ("docs/README.md", "[BankLingo](banklingo.md)", ", [@Title@](@name@.md)"),
    ("tests/conformance/systems/subjects.py", '        harmless=frozenset({"token"}),\n    ),\n', "subject.py.txt"),
    ("tests/conformance/systems/ends.py", "", "ends.py.txt"),
)
"""File, the text behind which something is put (empty: its end), and what: a line, or one of the parts."""


@value
class Change:
    """One file of the checkout as it will be. `made`: it is a new one."""

    path: Path
    content: str
    made: bool


def begin(name: str, checkout: Path) -> list[Change]:
    """All changes for the system `name` in `checkout`, written; nothing is, when anything can't be. Raises Unusable."""
    if not _NAME.fullmatch(name):
        raise Unusable(f"{name[:20]!r} can't name a system", hint="3 to 15 small letters and digits, a letter first")
    if name in SYSTEMS or not (checkout / "jobs" / "systems" / "__init__.py").is_file():
        words = f"there is a system {name} already" if name in SYSTEMS else f"{checkout} is no checkout of muster"
        raise Unusable(f"{words}; nothing was made", hint="another name, or --into the folder that has pyproject.toml")
    changes = [*new_files(name, checkout), *changed_files(name, checkout)]
    for change in changes:
        change.path.write_text(change.content, encoding="utf-8")
    return changes


def new_files(name: str, checkout: Path) -> Iterator[Change]:
    """The new files. Raises Unusable where one is there."""
    for part, place in FILES.items():
        path = checkout / place.format(name=name)
        if path.exists():
            raise Unusable(f"{path} is there already; nothing was made")
        yield Change(path, filled((PARTS / part).read_text(encoding="utf-8"), name), made=True)


def changed_files(name: str, checkout: Path) -> Iterator[Change]:
    """The files that name every system, each with one more. Raises Unusable where the place is not found."""
    texts: dict[str, str] = {}
    for file, behind, what in LINES:
        text = texts.get(file) or (checkout / file).read_text(encoding="utf-8")
        part = filled((PARTS / what).read_text(encoding="utf-8") if what.endswith(".txt") else what, name)
        if behind and text.count(behind) != 1:
            raise Unusable(f"{file} has not one place for a further system; nothing was made")
        texts[file] = text.replace(behind, behind + part) if behind else text + part
    for file, text in texts.items():
        yield Change(checkout / file, text, made=False)


def filled(text: str, name: str) -> str:
    """A part with the system's name in it."""
    return text.replace("@name@", name).replace("@Title@", name.capitalize()).replace("@NAME@", name.upper())
