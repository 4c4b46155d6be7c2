"""`muster lookup`: finds customers in the target; of several a person at a terminal may choose, nobody else."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import PRINTING, TARGET, effective, options, progress_of, say, show_json, the_clock
from jobs.errors import ExitCode, Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.operations.lookup import Choose
    from jobs.settings.settings import Settings
    from jobs.systems.contract import Capabilities
    from jobs.systems.optional import Predicate
    from jobs.systems.sighting import Profile

WANTED = {
    "phone": "phone",
    "identity": "identity",
    "email": "email",
    "reference": "reference",
    "first_name": "name",
    "last_name": "name",
    "customer_id": "customer-id",
}
"""Option to the name under which a system's capabilities offer it."""

PERSONAL = frozenset({"phone", "identity", "email", "first_name", "last_name"})
"""Options whose values show a person: every user of the machine can read them in the process list."""

NAMES = frozenset({"first_name", "last_name"})
BY = ("phone", "identity", "email", "reference", "customer-id")


@click.command("lookup")
@click.option("--phone", help="Phone number in any spelling.")
@click.option("--identity", help="Identity number.")
@click.option("--email", help="E-mail address, where the system finds by it.")
@click.option("--reference", help="Our own reference that the target keeps, where the system finds by it.")
@click.option("--first-name", help="First name; with or without the last.")
@click.option("--last-name", help="Last name.")
@click.option("--customer-id", help="The target's own id.")
@click.option(
    "--where",
    multiple=True,
    metavar="MEMBER=VALUE",
    help="A predicate, also !=, >, <, ~ (contains); more than one: all.",
)
@click.option("--i-know", is_flag=True, help="Take personal values from the command line, where others can read them.")
@click.option("--full", is_flag=True, help="Show profile, newest decision and wallets of the one that fits.")
@click.option("--reveal", is_flag=True, help="Show personal values; on a terminal only.")
@click.option(
    "--from",
    "listed",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Look up every key of a CSV; needs --to.",
)
@click.option("--by", type=click.Choice(BY), help="Which column of FILE; found out when left out.")
@click.option("--to", type=click.Path(path_type=Path), metavar="RESULT.csv", help="Where the answers to FILE go.")
@options(*TARGET, "region", "encoding", "delimiter", "ledger", *PRINTING)
def command(**given: Any) -> None:
    """Find customers by phone, identity number, name or id.

    \b
    Examples:
      muster lookup --customer-id 3847291 --full
      muster lookup --identity -          (asks, so that it stays out of the process list)
      muster lookup --first-name - --last-name - --output json < names.txt
      muster lookup --phone 0821234567 --i-know
      muster lookup --reference CRM-000017
      muster lookup --from phones.csv --to found.csv
      muster lookup --system banklingo --where "lastName~Okafor" --where "city=Lagos" --i-know

    Every lookup is noted in the access log beside the ledger. Ends with 0 when one customer was found; with 1 when
    nobody was, when several fit and none was chosen (a person at a terminal is asked which one is meant), or when any
    row of FILE did not lead to exactly one. Personal values are shown masked.
    """
    settings = effective(given)
    if given["listed"] is not None or given["to"] is not None or given["by"] is not None:
        code = _list(given, settings)
    else:
        if given["reveal"]:
            refuse_reveal()
        code = _where(given, settings) if given["where"] else _one(_wanted(given, settings), given, settings)
    raise click.exceptions.Exit(code)


def _where(given: dict[str, Any], settings: "Settings") -> ExitCode:
    """Searches by predicates and shows who fits."""
    import asyncio

    from jobs.operations.access_log import note_access
    from jobs.operations.lookup import SEARCH, listed
    from jobs.systems import capabilities

    if given["full"] or any(given[name] for name in WANTED):
        raise Unusable("--where goes with no other way to find somebody")
    able = capabilities(settings.job_name.adapter)
    if not able.predicates:
        words = ", ".join(able.lookups) or "nothing"
        raise Unusable(f"{able.title} is not searched by predicates", hint=f"it finds customers by {words}")
    if not given["i_know"]:
        raise Unusable(
            "--where shows persons, and every user of this machine can read the command line",
            hint="--i-know takes it from the command line",
        )
    predicates = [predicate_of(text) for text in given["where"]]
    by = ",".join(sorted({each.member for each in predicates}))
    note_access(settings, the_clock(), "lookup", by=by, revealed=bool(given["reveal"]))
    return _shown(asyncio.run(listed(settings, the_clock(), SEARCH, predicates)), given, settings)


def predicate_of(text: str) -> "Predicate":
    """`city=Lagos` as a predicate. Raises Unusable."""
    from jobs.systems.optional import OPERATORS, Predicate

    places = [(text.find(sign), -len(sign), sign) for sign in OPERATORS if sign in text]
    place, _, sign = min(places, default=(0, 0, ""))
    member, value = text[:place].strip(), text[place + len(sign) :].strip()
    if not member.isidentifier() or not value:
        raise Unusable(f"--where: {text[:40]!r} is no predicate", hint=f"MEMBER, one of {' '.join(OPERATORS)}, VALUE")
    return Predicate(member, sign, value)


def _shown(found: "Sequence[Mapping[str, str]]", given: dict[str, Any], settings: "Settings") -> ExitCode:
    """Shows those that a search found, masked unless a person at a terminal wants them as they are."""
    from jobs.operations.lookup import masked
    from jobs.systems import capabilities

    plain = capabilities(settings.job_name.adapter).plain
    records = [dict(each) if given["reveal"] else masked(each, plain) for each in found]
    if settings.output == "json":
        show_json({"schema_version": 1, "customers": records})
    else:
        for record in records:
            say("  ".join(f"{name}={printed(value)}" for name, value in record.items()))
    _say(len(found), settings, full=False)
    return ExitCode.OK if found else ExitCode.ATTENTION


def _one(wanted: "Mapping[str, str]", given: dict[str, Any], settings: "Settings") -> ExitCode:
    """Looks one up and shows what fits."""
    import asyncio

    from jobs.operations.access_log import note_access
    from jobs.operations.lookup import look_up, masked, masked_profile
    from jobs.systems import capabilities

    full = bool(given["full"])
    if full:
        offer_profiles(settings)
    by = ",".join(sorted(WANTED[name] for name in wanted))
    note_access(settings, the_clock(), "lookup", by=by, revealed=bool(given["reveal"]), full=full)
    found, profile = asyncio.run(look_up(settings, the_clock(), wanted, choose=asked(given, settings), full=full))
    if given["reveal"] and found:
        say("muster: personal data is shown: clear the screen when you are done", err=True)
    if not given["reveal"]:
        plain = capabilities(settings.job_name.adapter).plain
        found = [masked(record, plain) for record in found]
        profile = None if profile is None else masked_profile(profile, plain)
    if settings.output == "json":
        shown = found if profile is None else [document(profile)]
        show_json({"schema_version": 1, "customers": shown})
    elif profile is not None:
        say(block(profile, capabilities(settings.job_name.adapter)))
    else:
        for record in found:
            say("  ".join(f"{name}={printed(value)}" for name, value in record.items()))
    _say(len(found), settings, full=full)
    return ExitCode.OK if len(found) == 1 else ExitCode.ATTENTION


def asked(given: dict[str, Any], settings: "Settings") -> "Choose | None":
    """Asks a person which of several customers is meant; None where nobody sits at a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or settings.yes or settings.output == "json":
        return None
    from jobs.operations.lookup import masked
    from jobs.systems import capabilities

    plain = capabilities(settings.job_name.adapter).plain

    def choose(found: "Sequence[Mapping[str, str]]") -> int | None:
        for number, record in enumerate(found, start=1):
            shown = record if given["reveal"] else masked(record, plain)
            say(f"{number:>3}  {'  '.join(f'{name}={printed(value)}' for name, value in shown.items())}")
        words = f"{len(found)} customers fit; which one is meant? (0: none of them)"
        number = click.prompt(words, type=click.IntRange(0, len(found)), err=True)
        return number - 1 if number else None

    return choose


def _say(found: int, settings: "Settings", *, full: bool) -> None:
    """What a person has to know beside the hits."""
    if found > 1:
        more = ": muster lookup --full --customer-id ID" if full else ""
        say(f"muster: {found} customers fit; confirm which one is meant{more}", err=True)
    elif not found and settings.output == "text":
        say("muster: nobody fits", err=True)


def _list(given: dict[str, Any], settings: "Settings") -> ExitCode:
    """Looks up a file of keys."""
    import asyncio

    from jobs.intake.key_list import KeyList
    from jobs.operations.access_log import note_access
    from jobs.operations.lookup import look_up_all
    from jobs.run.signals import Signals

    listed, target = given["listed"], given["to"]
    if listed is None or target is None:
        raise Unusable("--from FILE and --to RESULT.csv go together")
    if given["reveal"] or given["full"] or any(given[name] for name in WANTED):
        raise Unusable("--from takes its keys from the file, and its result is masked")
    keys = KeyList.read(
        listed,
        by=given["by"],
        system=str(settings.job_name),
        region=settings.region,
        encoding=settings.encoding,
        delimiter=settings.delimiter,
    )
    offered(keys.by, settings)
    note_access(settings, the_clock(), "lookup_list", by=keys.by, rows=keys.file.rows)
    progress = progress_of(settings, given)
    with Signals(), progress.stage("looking up", keys.file.rows) as count:
        notes = asyncio.run(look_up_all(settings, the_clock(), keys, target, count))
    if settings.output == "json":
        show_json(
            {"schema_version": 1, "rows": keys.file.rows, "result": str(target), "notes": dict(sorted(notes.items()))}
        )
    elif not given["quiet"]:
        words = ", ".join(f"{rows:,} {note}" for note, rows in sorted(notes.items()))
        say(f"{keys.file.rows:,} rows: {words}; see {target}")
    return ExitCode.OK if set(notes) <= {"found"} else ExitCode.ATTENTION


def _wanted(given: dict[str, Any], settings: "Settings") -> dict[str, str]:
    """What to look for, values given as `-` read from the terminal or stdin."""
    wanted = {name: given[name] for name in WANTED if given[name]}
    if len(wanted) > 1 and not set(wanted) <= NAMES:
        raise Unusable("give one of --phone, --identity, --email, --reference, --customer-id, or names")
    if not wanted:
        raise Unusable("give --phone, --identity, --customer-id, --first-name or --last-name")
    for name in wanted:
        offered(WANTED[name], settings)
        refuse_shown(name, wanted[name], known=bool(given["i_know"]))
    wanted = {name: _typed(name) if value == "-" else value for name, value in wanted.items()}
    return {name: value if name in NAMES else _usable(name, value, settings) for name, value in wanted.items()}


def _usable(name: str, value: str, settings: "Settings") -> str:
    """The value as it is looked up. Raises Unusable."""
    from jobs.intake.key_list import normalised

    found = normalised(WANTED[name], value.strip(), settings.region)
    if found is None:
        hint = "with country code, or with --region" if name == "phone" else None
        words = {"phone": "a phone number", "customer_id": "an id"}.get(name, "a value")
        raise Unusable(f"--{name.replace('_', '-')} is not {words}", hint=hint)
    return found


def offered(kind: str, settings: "Settings") -> None:
    """Raises Unusable when the system finds nobody by `kind`."""
    from jobs.systems import capabilities

    able = capabilities(settings.job_name.adapter)
    if kind not in able.lookups:
        words = ", ".join(able.lookups) or "nothing"
        raise Unusable(f"{able.title} can't find customers by {kind}", hint=f"it finds them by {words}")


def offer_profiles(settings: "Settings") -> None:
    """Raises Unusable when the system shows no more of a customer than a search does."""
    from jobs.systems import capabilities

    able = capabilities(settings.job_name.adapter)
    if not able.profiles:
        raise Unusable(f"{able.title} shows no profile beyond what is found", hint="leave --full out")


def refuse_shown(name: str, value: str, *, known: bool) -> None:
    """Raises Unusable for a personal value on the command line that nobody answers for."""
    if name in PERSONAL and value != "-" and not known:
        flag = f"--{name.replace('_', '-')}"
        raise Unusable(
            f"{flag} shows a person, and every user of this machine can read the command line",
            hint=f"{flag} - asks for it, or reads it from stdin; --i-know takes it from the command line",
        )


def refuse_reveal() -> None:
    """Raises Unusable when what is shown would end in a file or a pipe."""
    if not sys.stdout.isatty():
        raise Unusable("--reveal works on a terminal only: personal data does not belong in a file or a pipe")


def _typed(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(name.replace("_", " "), hide_input=True, err=True))
    value = sys.stdin.readline().strip()
    if not value:
        raise Unusable(f"stdin gave no {name.replace('_', ' ')}")
    return value


def printed(value: str) -> str:
    """`value` on one line of a terminal, whatever the target has stored."""
    from jobs.printable import printable

    return printable(value)


def document(profile: "Profile") -> dict[str, Any]:
    """A profile as JSON."""
    return {
        "profile": dict(profile.fields),
        "decision": profile.decision,
        "decided_at": profile.decided_at,
        "failed_checks": list(profile.failed_checks),
        "wallets": None if profile.wallets is None else [dict(wallet) for wallet in profile.wallets],
    }


def block(profile: "Profile", able: "Capabilities") -> str:
    """A profile as people read it: what the system knows no decision or wallets of is not spoken of."""
    lines = list(profile.fields.items())
    when = f" ({profile.decided_at})" if profile.decided_at else ""
    if able.decision:
        lines.append(("decision", f"{profile.decision or 'none yet'}{when}"))
    if profile.failed_checks:
        lines.append(("failing checks", ", ".join(profile.failed_checks)))
    if profile.wallets is None:
        lines.append(("wallets", "not listed by the target"))
    elif not profile.wallets and able.wallets:
        lines.append(("wallets", "none"))
    for number, wallet in enumerate(profile.wallets or (), start=1):
        lines.append((f"wallet {number}", "  ".join(f"{name}={value}" for name, value in wallet.items())))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {printed(value)}" for name, value in lines)
