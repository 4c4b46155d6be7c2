"""The control paths below `/__sandbox/`, outside of every vendor's paths and of the journal.

They are for whoever sets a test up: reset, settings, faults, planted records, what happened.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from jobs.sandbox.reply import Reply, json_reply
from jobs.sandbox.settings import shown
from jobs.sandbox.system import System

if TYPE_CHECKING:
    from jobs.sandbox.application import Application

PREFIX = "/__sandbox/"

Query = Mapping[str, str]


def answer(app: "Application", method: str, path: str, query: Query, body: bytes) -> Reply:
    """Works on one control call: 200, or 400/404 with `{"error": ...}`."""
    resource, _, number = path.removeprefix(PREFIX).partition("/")
    action = _ACTIONS.get((method, resource + ("/*" if number else "")))
    if action is None:
        return json_reply({"error": "no such control path"}, 404)
    try:
        return json_reply(action(app, query, orjson.loads(body) if body else {}, number))
    except KeyError as error:
        return json_reply({"error": f"unknown: {error.args[0]}"}, 404)
    except (TypeError, ValueError) as error:
        return json_reply({"error": str(error)}, 400)


def _system(app: "Application", query: Query) -> System:
    return app.systems[query.get("system", "eclipse")]


def _reset(app: "Application", *_: object) -> object:
    app.reset()
    return {"reset": True}


def _state(app: "Application", query: Query, *_: object) -> object:
    return _system(app, query).snapshot()


def _journal(app: "Application", query: Query, *_: object) -> object:
    limit = int(query["limit"]) if "limit" in query else None
    return {"last": len(app.bench.journal), "entries": app.bench.journal.after(int(query.get("after", 0)), limit)}


def _plant(app: "Application", query: Query, body: Any, _: str) -> object:
    records = body if isinstance(body, list) else [body]
    return [_system(app, query).plant(record) for record in records]


def _amend(kind: str) -> "Callable[[Application, Query, Any, str], object]":
    def amend(app: "Application", query: Query, body: Any, number: str) -> object:
        if not isinstance(body, dict) or not body:
            raise ValueError('the body names what to change, or {"deleted": true}')
        return _system(app, query).amend(kind, number, body)

    return amend


def _change(app: "Application", _: Query, body: Any, __: str) -> object:
    if not isinstance(body, dict):
        raise TypeError("settings are an object")
    return shown(app.bench.change(body))


def _set_faults(app: "Application", _: Query, body: Any, __: str) -> object:
    app.bench.faults.replace(body)
    return app.bench.faults.as_json()


_ACTIONS: "dict[tuple[str, str], Callable[[Application, Query, Any, str], object]]" = {
    ("POST", "reset"): _reset,
    ("GET", "state"): _state,
    ("GET", "journal"): _journal,
    ("POST", "customers"): _plant,
    ("PATCH", "customers/*"): _amend("customers"),
    ("PATCH", "wallets/*"): _amend("wallets"),
    ("GET", "settings"): lambda app, *_: shown(app.bench.settings),
    ("POST", "settings"): _change,
    ("GET", "faults"): lambda app, *_: app.bench.faults.as_json(),
    ("POST", "faults"): _set_faults,
}
