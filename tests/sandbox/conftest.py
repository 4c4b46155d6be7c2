from collections.abc import Iterator

import httpx
import pytest

from jobs.sandbox.server import Sandbox

from .bank import CHECKER, Bank
from .caller import Caller
from .hub import Hub


@pytest.fixture
def operator(sandbox: Sandbox) -> Iterator[Caller]:
    with Caller(sandbox, sandbox.identity, sandbox.password, sandbox.tenant) as caller:
        yield caller


@pytest.fixture
def onboarding(sandbox: Sandbox) -> Iterator[Caller]:
    with Caller(sandbox, sandbox.onboarding_identity, sandbox.onboarding_password, sandbox.tenant) as caller:
        yield caller


@pytest.fixture
def stranger(sandbox: Sandbox) -> Iterator[Caller]:
    with Caller(sandbox, "other-operator", "other-password", sandbox.tenant + 1) as caller:
        yield caller


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.base_url}/__sandbox", timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    hub = Hub(sandbox)
    with hub.http:
        yield hub


@pytest.fixture
def bank(sandbox: Sandbox) -> Iterator[Bank]:
    bank = Bank(sandbox)
    with bank.http:
        yield bank


@pytest.fixture
def checker(sandbox: Sandbox) -> Iterator[Bank]:
    bank = Bank(sandbox, CHECKER)
    with bank.http:
        yield bank
