"""Settings: flag beats environment beats muster.toml beats default. The one reader of `os.environ`.

An option is declared once, in `jobs/settings/option.py`.
"""

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jobs.atomic import atomic
from jobs.disk import advice
from jobs.errors import Unusable
from jobs.ledger.names import key_file
from jobs.model import Rate, Secrets
from jobs.privacy.secret_file import bare, secret_of
from jobs.settings.option import APART, BY_NAME, KEPT, OF_A_SYSTEM, OPTIONS, PREFIX, Option, suggestion
from jobs.systems import SYSTEMS
from jobs.transport.proxy import Proxy, unused_proxy
from jobs.transport.successor import keeper, latest

_URL_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")

SECRETS = (
    "identity",
    "password",
    "token",
    "private_key",
    "maker_token",
    "recon_identity",
    "recon_password",
    "operator_identity",
    "operator_password",
    "pseudonym_key",
    "signing_key",
)
"""Never options: an argument is visible to every user of the machine."""

PEM = frozenset({"private_key", "signing_key"})
"""Those of several lines."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings. `values` by option name, `origins` says where each came from."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)
    """`[columns]`: header of the file to canonical column."""
    systems: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[eclipse]` and the like."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def model(self) -> str:
        """Names the adapter and the input columns: the system, `system:job`, or `system:job/variant`."""
        named = str(self.system) if self.job == "onboarding" else f"{self.system}:{self.job}"
        return f"{named}/{self.decision}" if self.decision else named

    @property
    def realm(self) -> str:
        """Names the ledger's records: those of customers are the same whatever is done with them."""
        return f"{self.system}:{self.job}" if self.job in APART else str(self.system)

    @property
    def keyed(self) -> str:
        """Names the keys: to decide twice, differently, about one customer are two intentions."""
        return self.model if self.job in APART else str(self.system)

    def need(self, name: str) -> Any:
        """The value of an option that this command can't do without. Raises Unusable."""
        if self.values[name] is None:
            option = BY_NAME[name]
            raise Unusable(
                f"{option.flag} is missing", hint=f"give {option.flag}, {option.variable} or {name} in muster.toml"
            )
        return self.values[name]

    def shown(self) -> dict[str, str]:
        """Every value as text; none is secret."""
        texts = {name: _text(value) for name, value in self.values.items()}
        texts |= {f"columns.{header}": canonical for header, canonical in self.columns.items()}
        return texts | {
            f"{system}.{key}": _text(value) for system, keys in self.systems.items() for key, value in keys.items()
        }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Rate):
        return f"{value.calls}/{value.seconds:g}"
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else _URL_PASSWORD.sub(r"\1***@", str(value))


def settings(
    flags: Mapping[str, Any],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    recorded: Mapping[str, object] | None = None,
) -> Settings:
    """The effective settings. `flags` holds what the command line gave, as text or True. Raises Unusable.

    `recorded`: what an earlier run was run with; it counts before the defaults, so that a resume is that run again.

    `config` None: `muster.toml` in the working directory, if there is one.
    """
    environ = os.environ if environ is None else environ
    named = config or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    document, file = _document(named)
    kept = {name: recorded.get(name) or None for name in (*KEPT, *OF_A_SYSTEM)} if recorded else {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for option in OPTIONS:
        for origin, given in (
            (option.flag, flags.get(option.name)),
            (option.variable, environ.get(option.variable) or None if option.given else None),
            (str(file), document.get(option.name)),
            ("the run", kept.get(option.name)),
        ):
            if given is not None:
                values[option.name], origins[option.name] = _parsed(option, given, origin), origin
                break
        else:
            values[option.name], origins[option.name] = option.default, "default"
    tables = {name: document.get(name) or _recorded_table(recorded or {}, name) for name in SYSTEMS}
    own = {name: values[name] for name in OF_A_SYSTEM if values[name] is not None}
    tables[values["system"]] = {**tables[values["system"]], **own}
    columns = document.get("columns") or _recorded_table(recorded or {}, "columns")
    _same_place(values, kept)
    _refuse_shown_password(values["proxy"], origins["proxy"])
    return Settings(values, origins, columns, tables)


class _Recorded(str):
    """A setting of a system as an earlier run wrote it down."""

    __slots__ = ()


class _RecordedNumber(int):
    """The same, where it looks like a whole number."""


def _recorded_table(recorded: Mapping[str, object], table: str) -> dict[str, Any]:
    """`[table]` as an earlier run was run with it; whole numbers are numbers again."""
    prefix = table + "."
    texts = {name.removeprefix(prefix): str(text) for name, text in recorded.items() if name.startswith(prefix)}
    if table == "columns":
        return texts
    return {
        name: _RecordedNumber(text) if re.fullmatch(r"0|[1-9][0-9]{0,11}", text) else _Recorded(text)
        for name, text in texts.items()
    }


def _same_place(values: Mapping[str, Any], kept: Mapping[str, object]) -> None:
    """Raises Unusable when a run would be gone on with at another system or tenant."""
    for name in ("system", "tenant"):
        if kept.get(name) and str(values[name]) != str(kept[name]):
            raise Unusable(f"that run was for {name} {kept[name]}; the settings say {values[name]}")


def _refuse_shown_password(proxy: Proxy | None, origin: str) -> None:
    """Raises Unusable for a password of the proxy that others can read on the command line or in a file of settings."""
    variable = BY_NAME["proxy"].variable
    if proxy is not None and proxy.credentials is not None and origin != variable:
        raise Unusable("the password of the proxy is a secret: its place is the environment", hint=f"set {variable}")


def _parsed(option: Option, given: Any, origin: str) -> Any:
    text = ("true" if given else "false") if isinstance(given, bool) else str(given)
    try:
        return option.parse(text)
    except ValueError as error:
        where = option.flag if origin == option.flag else f"{option.name} ({origin})"
        raise Unusable(f"{where}: {text[:60]!r} is not {error}") from None


def _document(named: Path | None) -> tuple[dict[str, Any], Path]:
    """The checked content of the configuration file, empty when there is none."""
    path = named or Path("muster.toml")
    if named is None and not path.exists():
        return {}, path
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"{path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} is not TOML: {error}") from error
    for key in sorted(key for key in document if key.replace("-", "_") != key and key.replace("-", "_") in document):
        raise Unusable(f"{path}: {key} is given twice, in two spellings")
    document = {key.replace("-", "_"): value for key, value in document.items()}
    _check_keys(document, path)
    return document, path


def _check_keys(document: Mapping[str, Any], path: Path) -> None:
    allowed = {*(option.name for option in OPTIONS if option.given), "columns", *SYSTEMS}
    for key, value in document.items():
        if key in SECRETS:
            raise Unusable(
                f"{path}: {key} is a secret and does not belong in a file of settings",
                hint=f"set {PREFIX}{key.upper()}",
            )
        if key not in allowed:
            raise Unusable(f"{path}: unknown key {key!r}{suggestion(key, allowed)}")
        if isinstance(value, dict) is not (key == "columns" or key in SYSTEMS):
            raise Unusable(f"{path}: {key} must be {'a table' if key not in BY_NAME else 'a plain value'}")
    for header, canonical in document.get("columns", {}).items():
        if not isinstance(canonical, str):
            raise Unusable(f"{path}: [columns] {header!r} must name a column")


def output_form(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
    """The form of what is printed: as the flag says, else the variable, else the file of settings; else text.

    For a command line and settings that may be wrong in everything else. `arguments`: of the command line.
    """
    environ = os.environ if environ is None else environ
    said = _last(arguments, "--output") or environ.get(BY_NAME["output"].variable)
    if said:
        return said
    path = _last(arguments, "--config") or environ.get(PREFIX + "CONFIG") or "muster.toml"
    with suppress(OSError, ValueError):
        return str(tomllib.loads(Path(path).read_text(encoding="utf-8")).get("output", "text"))
    return "text"


def _last(arguments: Sequence[str], flag: str) -> str | None:
    """The value that the last `flag` among `arguments` has; None without one."""
    given = None
    options = takewhile(lambda word: word != "--", arguments)
    for word, following in pairwise([*options, ""]):
        if word == flag or word.startswith(f"{flag}="):
            given = following if word == flag else word.removeprefix(f"{flag}=")
    return given


def proxy_left_out(settings: Settings, environ: Mapping[str, str] | None = None) -> str | None:
    """The variable that names a proxy which is not used for the target; None: there is none to speak of."""
    if settings.base_url is None or settings.proxy is not None:
        return None
    return unused_proxy(os.environ if environ is None else environ, urlsplit(settings.base_url).hostname or "")


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Variables that look like ours and are none, each with a suggestion; for a warning."""
    environ = os.environ if environ is None else environ
    known = {option.variable for option in OPTIONS if option.given} | {PREFIX + "CONFIG"}
    known |= {PREFIX + name.upper() + suffix for name in SECRETS for suffix in ("", "_FILE")}
    return [name + suggestion(name, known) for name in sorted(environ) if name.startswith(PREFIX) and name not in known]


def secret(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret `name` from its variable, or from the file that `…_FILE` names. Raises Unusable.

    Nobody else may be able to read the file. A byte order mark and the line ends behind it are not part of the secret.
    """
    environ = os.environ if environ is None else environ
    variable = PREFIX + name.upper()
    lines = name in PEM
    if environ.get(variable):
        return bare(environ[variable], variable, lines=lines)
    file = environ.get(variable + "_FILE")
    if not file:
        return None
    return bare(secret_of(Path(file), f"{variable}_FILE"), f"{variable}_FILE", lines=lines)


def secrets(prefix: str = "", environ: Mapping[str, str] | None = None) -> Secrets:
    """The credential; `prefix` `recon_` gives the reader's own, `operator_` the operator's. Raises Unusable."""
    environ = os.environ if environ is None else environ
    token = None if prefix else secret("token", environ)
    given, variable = secret(prefix + "password", environ), f"{PREFIX}{prefix.upper()}PASSWORD"
    file = None if environ.get(variable) else environ.get(variable + "_FILE")
    keep = keeper(given, variable, Path(file) if file else None)
    key = None if prefix else secret("private_key", environ)
    return Secrets(secret(prefix + "identity", environ), latest(given), token, keep, key)


def system_settings(kind: Callable[..., Any], table: Mapping[str, Any], name: str) -> Any:
    """The frozen settings of one system from its table. Raises Unusable for unknown keys and wrong types."""
    fields: dict[str, Any] = getattr(kind, "__dataclass_fields__", {})
    for key in table:
        if key not in fields:
            raise Unusable(f"[{name}]: unknown key {key!r}{suggestion(key, fields)}")
    given = {key: _as_written(value, fields[key].default) for key, value in table.items()}
    for key, value in given.items():
        default = fields[key].default
        expected = (int, str) if default is None else (type(default),)
        if type(value) not in expected:
            names = " or ".join(each.__name__ for each in expected)
            raise Unusable(f"[{name}] {key}: expected {names}, got {type(value).__name__}")
    return kind(**{key: str(value) if fields[key].default is None else value for key, value in given.items()})


def _as_written(value: Any, default: Any) -> Any:
    """A setting of a system as muster.toml had it, whose type is that of `default`; 60 is also a good 60.0."""
    if type(value) is int and isinstance(default, float):
        return float(value)
    if not isinstance(value, _Recorded | _RecordedNumber):
        return value
    if isinstance(default, bool):
        return str(value) == "true"
    if isinstance(default, int | float):
        try:
            return type(default)(value)
        except ValueError:
            return str(value)
    return str(value)


def pseudonym_key(ledger: Path, environ: Mapping[str, str] | None = None, *, make: bool = False) -> bytes:
    """The key of the ledger's HMACs: MUSTER_PSEUDONYM_KEY, or a 0600 file beside the ledger. Raises Unusable.

    `make`: the ledger has not used one yet, so that it is made when there is none.
    """
    given = secret("pseudonym_key", environ)
    if given is not None:
        if len(given) < 16:
            raise Unusable("MUSTER_PSEUDONYM_KEY is shorter than 16 characters")
        return given.encode()
    path = key_file(ledger)
    try:
        if make and not path.exists():
            _make_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Unusable(f"others may read {path}, the key of the ledger's pseudonyms", hint=f"chmod 600 {path}")
        content = path.read_bytes().strip()
    except FileNotFoundError:
        raise Unusable(
            f"{path}, the key of the ledger's pseudonyms, is missing: with another one every row would seem changed",
            hint=f"restore {path} from where the ledger was, or from a backup, or give MUSTER_PSEUDONYM_KEY",
        ) from None
    except OSError as error:
        hint = advice(path.parent, error.errno)
        raise Unusable(f"{path} can't be read or made: {error.strerror}", hint=hint) from error
    if len(content) < 32:
        raise Unusable(
            f"{path} is damaged: it must hold the 64 hex digits it was made with",
            hint=f"restore {path} from a backup, or give MUSTER_PSEUDONYM_KEY",
        )
    return content


def _make_key(path: Path) -> None:
    """A new key, there as a whole or not at all: half a key after a crash would lock everybody out."""
    with atomic(path, first=True) as draft:
        draft.write_bytes(os.urandom(32).hex().encode() + b"\n")
