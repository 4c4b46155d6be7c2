"""Addresses and documents of a customer."""

import base64
import hashlib
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .caller import Caller

ADDRESS = {
    "addressType": "HOME",
    "line1": "1 Long Street",
    "line2": "Gardens",
    "city": "Cape Town",
    "state": "WC",
    "code": "8001",
    "country": "ZA",
}

KINDS = ("NATIONAL_IDENTITY", "BACK_OF_NATIONAL_IDENTITY", "PASSPORT", "FACIAL_PHOTO", "PROOF_OF_ADDRESS", "AUTO")


def paper(content: bytes = b"picture", **members: Any) -> dict[str, Any]:
    body = {"base64EncodedDocument": base64.b64encode(content).decode()}
    return {**body, "documentType": "PASSPORT", "mediaType": "image/png", **members}


def test_addresses_are_answered_listed_and_counted_without_content(sandbox: Sandbox, operator: Caller) -> None:
    path = f"customers/{operator.customer(1)}/addresses"
    made = [operator("POST", path, json=ADDRESS | {"addressType": kind}).json() for kind in ("HOME", "POSTAL")]
    state = sandbox.snapshot()
    assert made[0] == {"addressId": made[0]["addressId"], **ADDRESS}
    assert operator("GET", path).json() == made
    assert operator("GET", path, params={"limit": 1, "offset": 1}).json() == made[1:]
    assert (state["counts"]["addresses"], state["customers"][0]["addresses"]) == (2, 2)
    assert "Long Street" not in str(state)


@pytest.mark.parametrize(
    "members", [{"addressType": None}, {"line1": ""}, {"country": "South Africa"}, {"code": 8001}], ids=str
)
def test_an_address_that_breaks_a_rule_is_400(sandbox: Sandbox, operator: Caller, members: dict[str, Any]) -> None:
    reply = operator("POST", f"customers/{operator.customer(1)}/addresses", json=ADDRESS | members)
    assert (reply.status_code, reply.json()[0]["code"]) == (400, "VAL001")
    assert sandbox.snapshot()["counts"]["addresses"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_each_type_of_document_is_taken_and_its_hash_kept(sandbox: Sandbox, operator: Caller, kind: str) -> None:
    path = f"customers/{operator.customer(1)}/documents?performOcr=true&validateDocType=false"
    made = operator("POST", path, json=paper(documentType=kind)).json()
    state = sandbox.snapshot()
    digest = hashlib.sha256(b"picture").hexdigest()
    kept = {"documentId": made["documentId"], "documentType": kind, "sha256": digest}
    assert state["customers"][0]["documents"] == [kept]
    assert state["counts"]["documents"] == 1


@pytest.mark.parametrize("strictness", ["seed", "vendor"])
def test_the_list_of_documents_shows_hashes_in_vendor_strictness_only(
    sandbox: Sandbox, operator: Caller, strictness: str
) -> None:
    sandbox.configure(strictness=strictness)
    path = f"customers/{operator.customer(1)}/documents"
    operator("POST", path, json=paper())
    (row,) = operator("GET", path).json()
    members = {"documentId", "documentType", "mediaType", "created"}
    assert set(row) == members | ({"sha256"} if strictness == "vendor" else set())


@pytest.mark.parametrize(
    "members",
    [
        {"documentType": "COMPARISON_SELFIE"},
        {"documentType": None},
        {"mediaType": "text/html"},
        {"base64EncodedDocument": "not base64!"},
        {"base64EncodedDocument": None},
        {"base64EncodedDocument": ""},
        {"base64EncodedDocument": "QUJ"},
        {"base64EncodedDocument": "QU!JD"},
        {"base64EncodedDocument": "===="},
    ],
    ids=str,
)
def test_a_document_that_breaks_a_rule_is_400(sandbox: Sandbox, operator: Caller, members: dict[str, Any]) -> None:
    reply = operator("POST", f"customers/{operator.customer(1)}/documents", json=paper() | members)
    assert (reply.status_code, reply.json()[0]["code"]) == (400, "VAL001")
    assert sandbox.snapshot()["counts"]["documents"] == 0


def test_a_document_may_be_as_large_as_the_cap_and_a_refusal_does_not_repeat_it(
    sandbox: Sandbox, operator: Caller
) -> None:
    sandbox.configure(document_bytes=9)
    path = f"customers/{operator.customer(1)}/documents"
    replies = [operator("POST", path, json=paper(b"x" * size)) for size in (9, 10)]
    assert [reply.status_code for reply in replies] == [200, 400]
    assert "eHh4" not in replies[1].text


def test_a_document_of_five_mebibytes_is_taken(operator: Caller) -> None:
    content = bytes(5 * 1024 * 1024)
    path = f"customers/{operator.customer(1)}/documents"
    codes = [operator("POST", path, json=paper(each)).status_code for each in (content, content + b"x")]
    assert codes == [200, 400]


@pytest.mark.parametrize("flag", ["performOcr", "validateDocType"])
def test_flags_of_an_upload_are_true_or_false(operator: Caller, flag: str) -> None:
    reply = operator("POST", f"customers/{operator.customer(1)}/documents", params={flag: "maybe"}, json=paper())
    assert (reply.status_code, reply.json()[0]["code"]) == (400, "IAE002")


@pytest.mark.parametrize("kind", ["addresses", "documents"])
def test_lists_of_attachments_can_be_switched_off(sandbox: Sandbox, operator: Caller, kind: str) -> None:
    path = f"customers/{operator.customer(1)}/{kind}"
    sandbox.configure(lists_attachments=False)
    reply = operator("GET", path)
    assert (reply.status_code, reply.headers["Allow"], operator("POST", path, json={}).status_code) == (
        405,
        "POST",
        400,
    )


@pytest.mark.parametrize("kind", ["addresses", "documents"])
def test_another_tenant_reaches_no_attachment(operator: Caller, stranger: Caller, kind: str) -> None:
    path = f"customers/{operator.customer(1)}/{kind}"
    assert [stranger(method, path, json={}).status_code for method in ("GET", "POST")] == [404, 404]
