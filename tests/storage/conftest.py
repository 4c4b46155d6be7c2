"""A server that speaks S3, with versions, locks and conditions: moto, in this process."""

import logging
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from jobs.storage.other_clouds import CLIENT
from jobs.storage.s3 import client
from tests.flow.conftest import file_of as file_of
from tests.flow.conftest import hasty as hasty
from tests.flow.conftest import muster as muster

from .faulty import Faulty, standing_before


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Its address."""
    moto = pytest.importorskip("moto.server", reason="make setup")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def faulty(server: str, chain: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """What muster talks to where a test wants it: the server, behind faults."""
    with standing_before(server) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.url)
        client.cache_clear()
        yield found


@pytest.fixture
def chain(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The cloud's own chain of credentials, by its variables; no request is sent twice."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("jobs.storage.s3.ATTEMPTS", 1)
    client.cache_clear()
    monkeypatch.setattr("jobs.storage.other_clouds.ATTEMPTS", 0)
    monkeypatch.setitem(CLIENT, "allow_http", True)
    yield
    client.cache_clear()


@pytest.fixture
def s3(server: str, chain: None) -> Iterator[Any]:
    """A client of its own, for what others do in a bucket."""
    boto3 = pytest.importorskip("boto3", reason="make setup")
    other = boto3.session.Session().client("s3", endpoint_url=server)
    yield other
    other.close()


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket with versions and object lock."""
    name = f"bucket-{next(_NUMBERS)}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


_NUMBERS = count(1)
