"""Brings a notice to where the operator wants it, after the run: nothing here can change its end, or hold it up long.

Each way is tried once, all at the same time, in threads that nobody waits for longer than `PATIENCE`; what fails is a
line on stderr. `--notify` gets every end, `--ping` too (its path says how it was), `--metrics` is a file for the node
exporter of Prometheus.
"""

import hashlib
import hmac
import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from jobs.atomic import atomic
from jobs.clock import Clock
from jobs.operations.metrics import exposition
from jobs.operations.notices import Notice
from jobs.operations.traces import PATH, resource_spans
from jobs.reports.summary import Summary
from jobs.settings.hook import Hook
from jobs.settings.secrets import secret, without_secrets
from jobs.settings.settings import Settings
from jobs.transport.proxy import Proxy

PATIENCE = 10.0
"""Seconds for all ways together; chosen: a scheduler's next job waits for no webhook."""

SIGNATURE, MOMENT = "X-Muster-Signature", "X-Muster-Timestamp"
PLAIN_TEXT_ONLY = frozenset({"hooks.slack.com"})
"""Hosts that take a text and refuse what they don't know."""


def deliver(notice: Notice, settings: Settings, clock: Clock, tell: Callable[[str], None]) -> None:
    """Tries every way that the settings name. `tell` hears what failed."""
    ways: dict[str, Callable[[], None]] = {}
    if settings.notify is not None and settings.notify.url is not None:
        ways[f"--notify {settings.notify}"] = partial(post, notice, settings.notify.url, settings, clock)
    elif settings.notify is not None:
        ways[f"--notify {settings.notify}"] = partial(call, notice, settings.notify)
    if settings.ping is not None:
        ways[f"--ping {settings.ping}"] = partial(ping, notice, settings.ping, settings)
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
    except urllib.error.HTTPError as error:
        failed[name] = f"HTTP {error.code}"
    except Exception as error:  # whatever it is: the run has ended, and its end stands
        failed[name] = str(getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__)


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
    _sent(urllib.request.Request(url, data=body, headers=headers, method="POST"), settings)  # noqa: S310 - checked


def ping(notice: Notice, hook: Hook, settings: Settings) -> None:
    """Calls the URL after a good end, and the URL with the exit code behind it after any other."""
    assert hook.url is not None
    url = hook.url if notice.exit_code == 0 else f"{hook.url.rstrip('/')}/{notice.exit_code}"
    _sent(urllib.request.Request(url, headers={"User-Agent": "muster"}), settings)  # noqa: S310 - checked


def export(summary: Summary, hook: Hook, settings: Settings) -> None:
    """Posts the run as a span to a collector."""
    assert hook.url is not None
    body, headers = json.dumps(resource_spans(summary)).encode(), {"Content-Type": "application/json"}
    url = hook.url.rstrip("/") + PATH
    _sent(urllib.request.Request(url, data=body, headers=headers, method="POST"), settings)  # noqa: S310 - checked


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """A notice goes where it was said to go, and nowhere else."""


def _sent(request: urllib.request.Request, settings: Settings) -> None:
    """Sends it, through `--proxy` where one is given and through none of the environment. Raises OSError."""
    through = None if settings.proxy is None else _whole(settings.proxy)
    proxies = {} if through is None else {"http": through, "https": through}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _NoRedirect)
    with opener.open(request, timeout=PATIENCE) as reply:
        reply.read(1)


def _whole(proxy: Proxy) -> str:
    """The proxy's URL with user and password, as urllib takes it."""
    scheme, _, host = proxy.url.partition("://")
    named = "" if proxy.credentials is None else ":".join(quote(each, safe="") for each in proxy.credentials) + "@"
    return f"{scheme}://{named}{host}"


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
    with atomic(path) as draft:
        draft.write_text(exposition(notice, clock.now()), encoding="utf-8")
    path.chmod(0o644)
