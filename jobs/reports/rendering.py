"""From a template to one page that needs nothing else: escaping, and the policy that pins its style and script."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import ascii_letters, digits

import orjson
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from jobs.printable import printable
from jobs.reports.advice import advice
from jobs.reports.bar import share
from jobs.reports.chart import duration
from jobs.reports.compiled import Compiled

PLAIN = frozenset(ascii_letters + digits + " ,-.")
"""Characters that can end neither a string nor a rule of a style sheet."""


def rendered(template: str, style: str, script: str = "", *, foot: str = "", **content: object) -> str:
    """The page of `template` (a file of this package) with the files `style` and `script` in it; "" is no script.

    `foot`: further rules of style, of `printed_foot`.
    """
    ours = (_asset(name) if name else "" for name in (style, script))
    css, js = map(Markup, ours)
    css += Markup(foot)  # noqa: S704 - its one text is escaped for CSS # nosec B704
    return _environment().get_template(template).render(style=css, script=js, policy=_policy(css, js), **content)


def printed_foot(words: str) -> str:
    """Rules of style that print `words` and `page X of Y` at the foot of each sheet, where the browser knows how."""
    said = "".join(sign if sign in PLAIN else f"\\{ord(sign):x} " for sign in printable(words))
    font = "font: 9px system-ui, sans-serif; color: #525c6e"
    return (
        f'@page {{ @bottom-left {{ content: "{said}"; {font} }} '
        f'@bottom-right {{ content: "page " counter(page) " of " counter(pages); {font} }} }}\n'
    )


def script_json(content: object) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element or open a comment."""
    text = orjson.dumps(content).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above # nosec B704


def _policy(style: str, script: str) -> str:
    """The page may use its own style and script and nothing else, and may fetch and send nothing."""
    rules = ["default-src 'none'", f"style-src {_pin(style)}", *([f"script-src {_pin(script)}"] if script else [])]
    return "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))


def _pin(content: str) -> str:
    """The hash by which the page's policy allows its one style and its one script, and nothing else."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"


def _asset(name: str) -> str:
    return files("jobs.reports").joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    here = Path(__file__)
    environment = Environment(
        loader=FunctionLoader(_asset),
        bytecode_cache=Compiled(here.parent, here.read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )
    environment.filters.update(
        number="{:,}".format, share=share, advice=advice, moment=_moment, duration=duration, unbroken=_unbroken
    )
    return environment


def _moment(text: str) -> str:
    """`2026-11-21T02:15:00.000Z` as `2026-11-21 02:15:00 UTC`; other text unchanged."""
    return re.sub(r"^(\S+)T([0-9:]+)(?:\.[0-9]+)?Z$", r"\1 \2 UTC", text)


def _unbroken(text: str) -> Markup:
    """`text` with its options whole: a line that ends with `--` and one that begins with `to` is no command."""
    whole = re.sub(r"(?<![\w-])--[a-z][a-z-]*", r'<span class="short">\g<0></span>', str(escape(printable(text))))
    return Markup(whole)  # noqa: S704 - escaped above # nosec B704


def _inert(value: object) -> object:
    """Everything the template writes; control and direction characters would survive HTML's own escaping."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
