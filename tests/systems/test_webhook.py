"""What Azakaw tells by itself: proven, each once, on the disk; a decision is taken from it without a reading."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from jobs.clock import Clock
from jobs.errors import Unusable
from jobs.ledger.store import Store
from jobs.operations.webhook import MOST_BYTES, Receiver, listener, receiver_of, server
from jobs.settings.precedence import settings as effective
from tests.flow.muster import arrivals, eventually

from .azakaw import World, person, settings
from .azakaw import world as world

SECRET = "s3cret-of-the-webhook"
HMAC = 'webhook_auth = "hmac"'
ANSWER = {"submissionId": "a-1", "kycState": "Approved"}


def signed(body: bytes, secret: str = SECRET, stamp: str = "") -> str:
    return hmac.new(secret.encode(), (f"{stamp}.".encode() if stamp else b"") + body, hashlib.sha256).hexdigest()


@dataclass
class Door:
    """A receiver without a socket."""

    receiver: Receiver

    def __call__(
        self, body: bytes, headers: Mapping[str, str] | None = None, *, method: str = "POST", path: str = "/webhook"
    ) -> int:
        """The status of the answer."""
        sent: list[Mapping[str, Any]] = []
        given = {"x-signature": signed(body)} if headers is None else headers
        scope = {"type": "http", "method": method, "path": path}
        scope |= {"headers": [(name.encode(), value.encode()) for name, value in given.items()]}
        parts = [body[at : at + 4096] for at in range(0, len(body), 4096)] or [b""]

        async def receive() -> Mapping[str, Any]:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.receiver(scope, receive, send))
        assert SECRET.encode() not in sent[1]["body"]
        return int(sent[0]["status"])


@pytest.fixture
def told(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("MUSTER_WEBHOOK_SECRET", SECRET)
    return world


def opened(world: World, more: str, store: Store) -> Door:
    settings(world.folder, more)
    return Door(receiver_of(effective({}), store, "/webhook", Clock()))


@pytest.fixture
def store(told: World) -> Iterator[Store]:
    with Store.opened("sqlite:///muster.db") as store:
        yield store


def notices(store: Store) -> list[tuple[str, str]]:
    with store.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT customer_id, state FROM notice ORDER BY notice_id")
        return [(row[0], row[1]) for row in rows]


def test_what_is_proven_is_kept_once_and_everything_else_is_refused(told: World, store: Store) -> None:
    door, body = opened(told, HMAC, store), json.dumps(ANSWER).encode()
    large, nobody = b" " * (MOST_BYTES + 1), b'{"kycState": "Approved"}'
    wrong = {"x-signature": signed(body, "another")}

    assert [door(body, wrong), door(body, {}), door(body, {"x-signature": "é"})] == [401, 401, 401]
    assert [door(body, path="/"), door(body, method="GET"), door(large), door(nobody), door(b"{")] == [
        404,
        405,
        413,
        400,
        400,
    ]
    assert notices(store) == []
    assert [door(body), door(body), door(body + b" ")] == [200, 409, 200]
    assert notices(store) == [("a-1", "Approved")] * 2
    assert SECRET not in repr(door.receiver)


@pytest.mark.parametrize(
    ("more", "headers", "wrong"),
    [
        ('webhook_auth = "api_key"', {"x-api-key": SECRET}, {"x-api-key": SECRET + "1"}),
        ('webhook_auth = "api_key"\nwebhook_header = "X-Own"', {"x-own": SECRET}, {"x-api-key": SECRET}),
        (
            'webhook_auth = "basic"',
            {"authorization": f"Basic {base64.b64encode(SECRET.encode()).decode()}"},
            {"authorization": f"Basic {SECRET}"},
        ),
    ],
)
def test_each_kind_of_proof_is_a_setting(
    told: World, store: Store, more: str, headers: dict[str, str], wrong: dict[str, str]
) -> None:
    door, body = opened(told, more, store), json.dumps(ANSWER).encode()

    assert [door(body, wrong), door(body, headers), door(body, headers)] == [401, 200, 409]


def test_a_signed_time_refuses_what_is_old_and_a_named_notification_what_is_sent_again(
    told: World, store: Store
) -> None:
    more = f'{HMAC}\nwebhook_timestamp_header = "X-Time"\nwebhook_id_header = "X-Id"\nwebhook_submission = "data.id"'
    door = opened(told, more, store)
    body, now = b'{"data": {"id": "a-2"}, "kycState": "Onward"}', int(Clock().now().timestamp())

    def at(stamp: str, name: str, signed_at: str | None = None) -> int:
        proof = "sha256=" + signed(body, stamp=signed_at or stamp)
        return door(body, {"x-time": stamp, "x-id": name, "x-signature": proof})

    assert [at(str(now - 301), "n-1"), at(str(now + 302), "n-1"), at(str(now), "n-1", str(now - 9))] == [401] * 3
    assert [at("", "n-1"), at("soon", "n-1"), at(str(now), "n-1"), at(str(now - 1), "n-1"), at(str(now), "n-2")] == [
        401,
        401,
        200,
        409,
        200,
    ]
    assert notices(store) == [("a-2", None)] * 2  # a state that is on no page is none


@pytest.mark.parametrize(
    ("more", "words"), [("", "do not capture how Azakaw signs"), ('webhook_auth = "none"', "do not capture")]
)
def test_nothing_is_received_until_the_form_of_the_proof_is_said(
    told: World, store: Store, more: str, words: str
) -> None:
    with pytest.raises(Unusable, match=words):
        opened(told, more, store)
    ended = told.muster("webhook", "serve")
    assert (ended.code, ended.stdout) == (2, "")


def test_a_receiver_needs_a_secret_and_a_system_that_tells(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(told.folder, HMAC)
    assert "tells nothing by itself" in told.muster("webhook", "serve", "--system", "blink").stderr
    monkeypatch.delenv("MUSTER_WEBHOOK_SECRET")
    assert "MUSTER_WEBHOOK_SECRET" in told.muster("webhook", "serve").stderr


def test_a_decision_that_was_told_is_taken_without_reading_the_list(told: World, store: Store) -> None:
    more = f"{HMAC}\nawait_decision = true\nwebhook_decides = true"
    door = opened(told, more, store)
    run = told.muster("run", told.file([person(1), person(2), person(3)]), "--decision-wait", "0")
    assert run.outcomes == ["pending"] * 3
    for row, state in zip(run.rows, ("Approved", "Rejected", "ComplianceReview"), strict=True):
        assert door(json.dumps({"submissionId": row["customer_id"].upper(), "kycState": state}).encode()) == 200
    target = told.sandbox.of("azakaw")
    target.amend("customers", run.rows[0]["customer_id"], kycState="Approved")
    target.amend("customers", run.rows[1]["customer_id"], kycState="Rejected")
    before = arrivals(told.sandbox)
    resumed = told.muster("resume", run.folder.name, "--decision-wait", "0")

    assert [(row["outcome"], row["decision_status"]) for row in resumed.rows] == [
        ("onboarded", "Approved"),
        ("declined", "Rejected"),
        ("pending", "ComplianceReview"),
    ]
    assert [line["class"] for line in resumed.reconciliation] == ["match"] * 3
    reads = [entry["operation"] for entry in told.sandbox.journal(before)]
    assert reads.count("list_submissions") == 1  # by the reconciliation, which believes nobody


def test_the_server_listens_to_one_path_of_this_machine(told: World, store: Store, tmp_path: Path) -> None:
    door = opened(told, HMAC, store)
    with listener("127.0.0.1", 0) as listening:
        place = f"http://127.0.0.1:{listening.getsockname()[1]}"
        serving = server(door.receiver)
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        eventually(lambda: serving.started)
        body = json.dumps(ANSWER).encode()

        def posted(path: str, proof: str) -> int:
            asked = Request(place + path, body, {"X-Signature": proof, "Content-Type": "application/json"})
            try:
                with urlopen(asked, timeout=30) as answer:
                    return int(answer.status)
            except HTTPError as error:
                return int(error.code)

        assert [posted("/webhook", signed(body)), posted("/webhook", signed(body)), posted("/webhook", "no")] == [
            200,
            409,
            401,
        ]
        assert posted("/__sandbox/state", signed(body)) == 404
        serving.should_exit = True
        thread.join(30)
    assert notices(store) == [("a-1", "Approved")]
    with pytest.raises(Unusable, match="is no IP address"):
        listener("everywhere", 0)
