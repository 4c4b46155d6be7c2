"""`muster init`: the beginnings of a job in a folder: settings, an example file, and what to type next."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import options, say, show_json
from jobs.systems import DEFAULT, SYSTEMS

if TYPE_CHECKING:
    from jobs.systems.contract import Capabilities

WIDTH = 110

FIRST = ("system", "base_url", "tenant", "ledger", "out", "rate", "deadline", "max_errors")
"""Options that a settings file begins with; the others are listed by `muster config`."""


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--system", type=click.Choice(list(SYSTEMS)), default=DEFAULT, show_default=True)
@click.option(
    "--from", "first", type=click.Path(path_type=Path), metavar="FILE", help="A first file, to be recognised."
)
@click.option("--output", "form", type=click.Choice(("text", "json")), help="Form of what is printed.")
@click.option(
    "--signing-key",
    "signing_key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Make a key pair that signs runs instead: FILE, outside of this folder, and FILE.pub.",
)
@options()
def command(
    folder: Path, system: str, first: Path | None, form: str | None, signing_key: Path | None, **given: Any
) -> None:
    """Make muster.toml and an example input file in FOLDER; nothing that is there is touched.

    With --from, the header and the first rows of a file of your own are looked at: muster.toml says which column is
    which ([columns]), how its dates are written ([dates]) and which words have to be explained ([values]), and what
    was recognised is told. muster.schema.json lets editors complete and check muster.toml.

    \b
    Examples:
      muster init
      muster init onboarding --system azakaw
      muster init onboarding --from /srv/in/customers.csv
      muster init --signing-key /etc/muster/sign.pem
    """
    import json

    from jobs.errors import Unusable
    from jobs.settings.json_schema import settings_schema
    from jobs.settings.settings import output_form
    from schemas.export import example_csv

    form = form or output_form(())
    if signing_key is not None:
        _make_key(signing_key, form, quiet=given["quiet"])
        return
    lines, tables = _recognised(first, system)
    files = {folder / "muster.toml": settings_file(system, tables)}
    files |= {folder / "muster.schema.json": json.dumps(settings_schema(), indent=1) + "\n"}
    if first is None:
        files |= {folder / "customers.csv": example_csv(system)}
    for path in files:
        if path.exists():
            raise Unusable(f"{path} is there already; nothing was made", hint="give another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
    except OSError as error:
        raise Unusable(f"{folder} can't be written: {error.strerror}") from error
    check = first.absolute() if first else "customers.csv"
    following = f"fill in muster.toml, set the credential, then `muster doctor` and `muster validate {check}`"
    if form == "json":
        made = [str(path) for path in files]
        show_json({"schema_version": 1, "made": made, "recognised": lines, "next": following})
    if form == "json" or given["quiet"]:
        return
    for line in [*lines, *(f"made {path}" for path in files)]:
        say(line)
    if folder != Path():
        say(f"next: cd {folder}")
    say(f"next: {following}")


def _recognised(first: Path | None, system: str) -> tuple[list[str], str | None]:
    """What a first file tells, in lines and as tables of muster.toml; nothing without one. Raises Unusable."""
    if first is None:
        return [], None
    from jobs.operations.first_file import recognised, tables, told

    found = recognised(first, system)
    return list(told(found)), tables(found)


def _make_key(path: Path, form: str, *, quiet: bool) -> None:
    """A key pair, each file new and whole. Raises Unusable for a place that travels with the evidence."""
    from jobs.atomic import atomic
    from jobs.errors import Unusable
    from jobs.evidence.signature import new_key

    public = path.with_name(f"{path.name}.pub")
    if path.absolute().resolve().is_relative_to(Path.cwd().resolve()):
        raise Unusable(f"{path} lies in the working folder, beside what it signs", hint="give a place outside of it")
    for each in (path, public):
        if each.exists():
            raise Unusable(f"{each} is there already; nothing was made", hint="give another name")
    private, shown = new_key()
    try:
        for target, content in ((path, private), (public, shown)):
            with atomic(target, first=True) as draft:
                draft.write_bytes(content)
    except OSError as error:
        hint = None if path.parent.is_dir() else f"mkdir -m 700 {path.parent}"
        raise Unusable(f"{path} can't be written: {error.strerror}", hint=hint) from error
    following = f"export MUSTER_SIGNING_KEY_FILE={path.absolute()}; give {public} to whoever verifies"
    if form == "json":
        show_json({"schema_version": 1, "made": [str(path), str(public)], "next": following})
    elif not quiet:
        say(f"made {path}\nmade {public}\nnext: {following}")


def settings_file(system: str, tables: str | None = None) -> str:
    """muster.toml with the defaults commented out, as text. `tables`: how a first file is read; None: an example."""
    from dataclasses import fields
    from textwrap import wrap

    from jobs.settings.meaning import meanings
    from jobs.settings.settings import BY_NAME
    from jobs.systems import adapter, capabilities

    able = capabilities(system)
    lines = [
        "#:schema ./muster.schema.json",
        f"# Settings of muster for {able.title}. What is commented out is the default.",
        f"# Secrets do not belong here. The credential is {able.credential}; it comes from the environment,",
        "# or from files that variables with _FILE behind them name. `muster config` shows what holds.",
        *(f"#   MUSTER_{name.upper()}: {words}" for name, words in credential(able).items()),
        "",
        f'system = "{system}"',
    ]
    for option in (BY_NAME[name] for name in FIRST if name != "system"):
        lines += [
            "",
            f"# {option.help}",
            f"# {option.name} = {written('' if option.default is None else option.default)}",
        ]
    kind, lines = adapter(system).SETTINGS, [*lines, "", f"[{system}]"]
    told = meanings(kind)
    for each in fields(kind):
        words = wrap(told[each.name], WIDTH, initial_indent="## ", subsequent_indent="## ")
        lines += ["", *words, f"# {each.name} = {written(each.default)}"]
    example = '[columns]\n# "header of the file" = "column of muster"\n'
    return "\n".join([*lines, "", tables or example])


def credential(able: "Capabilities") -> dict[str, str]:
    """What the secrets are that a system takes, by their names."""
    from jobs.settings.secrets import MEANINGS

    kinds = {"identity": ("identity", "password"), "key": ("private_key",), "token": ("token",)}
    names = [name for kind, each in kinds.items() if kind in able.takes for name in each]
    return {name: able.secrets.get(name, MEANINGS[name]) for name in names}


def written(value: object) -> str:
    """`value` as TOML writes it; None, which TOML has not, as an empty text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(written(each) for each in value) + "]"
    return '"' + str("" if value is None else value).replace("\\", "\\\\").replace('"', '\\"') + '"'
