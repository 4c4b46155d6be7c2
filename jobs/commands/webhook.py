"""`muster webhook`: receives what a target tells of its customers by itself."""

from typing import Any

import click

from jobs.commands.options import effective, options, say, show_json, the_clock
from jobs.errors import Unusable


@click.group("webhook")
def command() -> None:
    """Receive what a target tells of its customers by itself (Azakaw).

    \b
    Example:
      muster webhook serve --system azakaw --tenant 1001 --port 8099
    """


@command.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen: this machine alone.")
@click.option("--port", type=click.IntRange(0, 65535), default=8099, show_default=True, help="0 takes a free one.")
@click.option("--path", default="/webhook", show_default=True, help="The one path that is listened to.")
@options("system", "tenant", "ledger", "output")
def serve(host: str, port: int, path: str, **given: Any) -> None:
    """Receive profile updates until a signal, each proven and kept in the ledger once.

    \b
    Examples:
      MUSTER_WEBHOOK_SECRET_FILE=webhook.secret muster webhook serve --system azakaw --tenant 1001
      muster webhook serve --system azakaw --tenant 1001 --port 8099 --path /azakaw/profile

    How a notification proves itself is in [azakaw] (webhook_auth). What is not proven is answered with 401, what came
    before with 409, what is larger than 64 KiB with 413; nothing is sent to the target. A decision that was told is
    taken by the next look of a run or a resume, without a reading. TLS is the business of what stands in front.
    """
    import ipaddress

    from jobs.ledger.store import Store

    try:
        from jobs.operations.webhook import RECEIVED, WORDS, listener, receiver_of, server
    except ImportError:
        hint = "pip install 'muster-onboarding[sandbox]'"
        raise Unusable("receiving needs uvicorn, which is not installed", hint=hint) from None

    settings = effective(given)
    with Store.opened(settings.ledger) as store:
        receiver = receiver_of(settings, store, path, the_clock())
        with listener(host, port) as listening:
            place = f"http://{host if ':' not in host else f'[{host}]'}:{listening.getsockname()[1]}{path}"
            if not ipaddress.ip_address(host).is_loopback:
                say(f"muster: {place} can be reached from elsewhere, without TLS of its own", err=True)
            if settings.output == "json":
                show_json({"schema_version": 1, "listening": place})
            else:
                say(f"listening on {place}")
            server(receiver).run(sockets=[listening])
    told = ", ".join(
        f"{count:,} {'' if status == RECEIVED else 'refused: '}{WORDS[status]}"
        for status, count in sorted(receiver.counts.items())
    )
    say(f"muster: {told or 'nothing came'}", err=True)
