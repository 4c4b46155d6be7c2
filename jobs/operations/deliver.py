"""Brings a notice to where the operator wants it, after the run: nothing here can change its end, or hold it up long.

Each way is tried once, all at the same time, in threads that nobody waits for longer than `PATIENCE`; what fails is a
line on stderr. `--notify` gets every end, `--ping` too (its path says how it was) and the beginning beside the run,
`--metrics` is a file for the node exporter of Prometheus.
"""

import hashlib
import hmac
import json
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from jobs.atomic import atomic
from jobs.clock import Clock
from jobs.operations.metrics import exposition
from jobs.operations.notices import Notice
from jobs.operations.traces import PATH, resource_spans
from jobs.reports.summary import Summary
from jobs.settings.hook import Hook
from jobs.settings.secrets import secret, without_secrets
from jobs.settings.settings import Settings

PATIENCE = 10.0
"""Seconds for all ways together; chosen: a scheduler's next job waits for no webhook."""

SIGNATURE, MOMENT = "X-Muster-Signature", "X-Muster-Timestamp"
PLAIN_TEXT_ONLY = frozenset({"hooks.slack.com"})
"""Hosts that take a text and refuse what they don't know."""


def beginning(settings: Settings) -> threading.Thread:
    """Calls `--ping`'s URL with `/start` behind it, beside the run, once; what fails there shows at the end."""
    assert settings.ping is not None
    assert settings.ping.url is not None
    url = f"{settings.ping.url.rstrip('/')}/start"
    call = partial(_sent, "GET", url, settings, {"User-Agent": "muster"})
    thread = threading.Thread(target=_tried, args=("start", call, {}), daemon=True)
    thread.start()
    return thread


def deliver(
    notice: Notice,
    settings: Settings,
    clock: Clock,
    tell: Callable[[str], None],
    start: threading.Thread | None = None,
) -> None:
    """Tries every way that the settings name. `tell` hears what failed. `start`: `--ping` waits for it."""
    ways: dict[str, Callable[[], None]] = {}
    if settings.notify is not None and settings.notify.url is not None:
        ways[f"--notify {settings.notify}"] = partial(post, notice, settings.notify.url, settings, clock)
    elif settings.notify is not None:
        ways[f"--notify {settings.notify}"] = partial(call, notice, settings.notify)
    if settings.ping is not None:
        ways[f"--ping {settings.ping}"] = partial(ping, notice, settings.ping, settings, start)
    if settings.otlp is not None and notice.summary is not None:
        ways[f"--otlp {settings.otlp}"] = partial(export, notice.summary, settings.otlp, settings)
    if settings.metrics is not None:
        ways[f"--metrics {settings.metrics}"] = partial(write_metrics, notice, settings.metrics, clock)
    failed: dict[str, str] = {}
    threads = {
        name: threading.Thread(target=_tried, args=(name, way, failed), daemon=True) for name, way in ways.items()
    }
    for thread in threads.values():
        thread.start()
    until = clock.monotonic() + PATIENCE
    for name, thread in threads.items():
        thread.join(max(0.0, until - clock.monotonic()))
        if thread.is_alive():
            failed[name] = f"no answer within {PATIENCE:g} s"
    for name, why in failed.items():
        tell(f"{name}: the notice was not delivered: {why}")


def _tried(name: str, way: Callable[[], None], failed: dict[str, str]) -> None:
    try:
        way()
    except Exception as error:  # whatever it is: the run has ended, and its end stands
        failed[name] = str(getattr(error, "strerror", None) or type(error).__name__)


def post(notice: Notice, url: str, settings: Settings, clock: Clock) -> None:
    """Posts the notice as JSON, with an HMAC-SHA-256 of `TIMESTAMP.BODY` when MUSTER_NOTIFY_KEY is set."""
    document = notice.document()
    if urlsplit(url).hostname in PLAIN_TEXT_ONLY:
        document = {"text": notice.text}
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "muster"}
    key = secret("notify_key")
    if key is not None:
        moment = str(int(clock.now().timestamp()))
        mark = hmac.new(key.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers |= {MOMENT: moment, SIGNATURE: f"sha256={mark}"}
    _sent("POST", url, settings, headers, body)


def ping(notice: Notice, hook: Hook, settings: Settings, start: threading.Thread | None = None) -> None:
    """Calls the URL after a good end, and the URL with the exit code behind it after any other."""
    assert hook.url is not None
    if start is not None:
        start.join(PATIENCE)  # a switch that hears of the end first would wait for another one
    url = hook.url if notice.exit_code == 0 else f"{hook.url.rstrip('/')}/{notice.exit_code}"
    _sent("GET", url, settings, {"User-Agent": "muster"})


def export(summary: Summary, hook: Hook, settings: Settings) -> None:
    """Posts the run as a span to a collector."""
    assert hook.url is not None
    body, headers = json.dumps(resource_spans(summary)).encode(), {"Content-Type": "application/json"}
    url = hook.url.rstrip("/") + PATH
    _sent("POST", url, settings, headers, body)


def _sent(method: str, url: str, settings: Settings, headers: Mapping[str, str], body: bytes = b"") -> None:
    """Sends it, through `--proxy` where one is given and through none of the environment, and follows no redirect.

    Raises OSError with the answer's status, or why there is none.
    """
    import httpx

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it prints URLs, and a webhook's is a secret
    given = settings.proxy
    proxy = None if given is None else httpx.Proxy(given.url, auth=given.credentials)
    with httpx.Client(timeout=PATIENCE, proxy=proxy, trust_env=False, follow_redirects=False) as client:
        try:
            reply = client.request(method, url, content=body, headers=headers)
        except httpx.TimeoutException:
            raise OSError(0, "no answer in time") from None
        except httpx.HTTPError as error:
            raise OSError(0, _cause(error)) from None
    if not reply.is_success:
        raise OSError(0, f"HTTP {reply.status_code}")


def _cause(error: BaseException) -> str:
    """Why there was no connection, in the words of the system where it has some; never with the URL."""
    below = error.__cause__ or error.__context__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if below is None else _cause(below)


def call(notice: Notice, hook: Hook) -> None:
    """Runs the command, without a shell and without our secrets; it gets the notice as JSON on stdin."""
    done = subprocess.run(  # noqa: S603 - the operator's own command
        hook.words,
        input=json.dumps(notice.document(), ensure_ascii=False).encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**without_secrets(), "MUSTER_EXIT_CODE": str(notice.exit_code)},
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise OSError(0, f"the command ended with {done.returncode}")


def write_metrics(notice: Notice, path: Path, clock: Clock) -> None:
    """The run in the text format of Prometheus, whole or as it was. Raises OSError."""
    before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    with atomic(path) as draft:
        draft.write_text(exposition(notice, clock.now(), before), encoding="utf-8")
    path.chmod(0o644)
