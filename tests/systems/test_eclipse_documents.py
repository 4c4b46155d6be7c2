"""Addresses and documents of Eclipse: sent before KYC, each once, and nothing of them left in any file."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.privacy.documents import MOST_BYTES
from jobs.sandbox.eclipse.store import Customer
from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster, arrivals, writes
from tests.flow.people import Row, people, person
from tests.flow.test_kill import killed_at

Filed = Callable[[list[Row]], Path]

pytestmark = pytest.mark.usefixtures("hasty")

FRONT = b"\xff\xd8\xff\xe0 the front of an identity document"
SELFIE = b"\x89PNG\r\n\x1a\n a face"
HOME = {
    "address_type": "RESIDENTIAL",
    "address_line1": "12 Church Street",
    "address_city": "Durban",
    "address_country": "za",
}


@pytest.fixture
def papers(tmp_path: Path) -> dict[str, str]:
    """Two documents beside the input file, as columns of a row."""
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "front.jpg").write_bytes(FRONT)
    (tmp_path / "papers" / "face.png").write_bytes(SELFIE)
    return {"id_front_file": "papers/front.jpg", "selfie_file": "papers/face.png"}


def only(sandbox: Sandbox) -> Customer:
    """The one customer of the target."""
    (customer,) = sandbox.state.customers.values()
    return customer


def test_address_and_documents_are_there_before_kyc(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    papers: dict[str, str],
) -> None:
    ended = muster("run", file_of([person(1, "Nodocument", **papers, **HOME)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"]), ended.stdout
    assert [entry["operation"] for entry in writes(sandbox)] == [
        "create_customer",
        "create_address",
        "create_document",
        "create_document",
        "trigger_kyc",
        "create_wallet",
    ]
    shown = {(each.kind, each.media, each.sha256) for each in only(sandbox).documents}
    assert shown == {
        ("NATIONAL_IDENTITY", "image/jpeg", hashlib.sha256(FRONT).hexdigest()),
        ("FACIAL_PHOTO", "image/png", hashlib.sha256(SELFIE).hexdigest()),
    }
    assert only(sandbox).addresses[0]["country"] == "ZA"


def test_rows_without_papers_make_the_calls_of_before(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of([person(1)]))
    calls = [entry["operation"] for entry in sandbox.journal()]
    assert calls[: calls.index("create_wallet") + 1] == [
        "login",
        "search_customers",
        "search_customers",
        "create_customer",
        "trigger_kyc",
        "list_wallets",
        "wallet_types",
        "create_wallet",
    ]


@pytest.mark.few(2)
@pytest.mark.parametrize("kind", ["drop_after_commit", "drop_before_commit", "garbage_body", "truncated_body"])
@pytest.mark.parametrize("operation", ["create_document", "create_address"])
def test_a_lost_answer_is_settled_by_the_list(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    papers: dict[str, str],
    operation: str,
    kind: str,
) -> None:
    sandbox.faults([{"operation": operation, "kind": kind, "nth": 1}])
    ended = muster("run", file_of([person(1, **papers, **HOME)]))
    assert ended.outcomes == ["onboarded"], ended.rows
    assert (len(only(sandbox).documents), len(only(sandbox).addresses)) == (2, 1)


def test_a_lost_upload_without_a_list_is_left_to_a_person(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    papers: dict[str, str],
) -> None:
    sandbox.configure(lists_attachments=False)
    sandbox.faults([{"operation": "create_document", "kind": "drop_after_commit", "nth": 1}])
    ended = muster("run", file_of([person(1, **papers)]))
    sandbox.configure(lists_attachments=True)
    (row,) = ended.rows
    assert (row["outcome"], row["reason_code"]) == ("in_doubt", "documents_unreadable")
    assert row["failed_step"] == "document:NATIONAL_IDENTITY"
    assert len(only(sandbox).documents) == 1
    stages = [stage["stage"] for stage in ended.summary["funnel"]]
    assert stages == ["read", "accepted", "customer", "document:NATIONAL_IDENTITY", "kyc", "wallet", "onboarded"]


def test_without_a_list_answered_uploads_go_through(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    papers: dict[str, str],
) -> None:
    sandbox.configure(lists_attachments=False)
    ended = muster("run", file_of([person(1, **papers, **HOME)]))
    sandbox.configure(lists_attachments=True)
    assert (ended.outcomes, len(only(sandbox).documents)) == (["onboarded"], 2)


@pytest.mark.slow
def test_with_the_ledger_lost_nothing_is_sent_twice(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    papers: dict[str, str],
    tmp_path: Path,
) -> None:
    path = file_of([person(1, **papers, **HOME)])
    muster("run", path)
    before = arrivals(sandbox)
    for left in tmp_path.glob("muster.db*"):
        left.unlink()
    assert muster("run", path).outcomes == ["already_onboarded"]
    assert writes(sandbox, before) == []


def test_a_document_that_can_not_be_sent_quarantines_its_row(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    papers: dict[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "words.jpg").write_text("not a picture")
    rows = [
        person(1, id_front_file="words.jpg"),
        person(2, id_front_file="../9001015009087.jpg"),
        person(3, **papers),
        person(4, address_city="Durban"),
    ]
    ended = muster("run", file_of(rows))
    assert [row["reason_code"] for row in ended.rows] == [
        "value_invalid:id_front_file",
        "value_invalid:id_front_file",
        "",
        "missing:address_type;missing:address_line1",
    ]
    assert len(sandbox.state.customers) == 1


def test_a_document_gone_since_it_was_checked_ends_the_row(
    muster: Muster,
    file_of: Filed,
    papers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.intake.files.defect", lambda *_: None)
    ended = muster("run", file_of([person(1, **{**papers, "selfie_file": "gone-9001015009087.png"})]))
    (row,) = ended.rows
    assert (row["outcome"], row["reason_code"]) == ("failed", "document_unreadable")
    assert "9001015009087" not in row["reason"]


@pytest.mark.slow
def test_documents_may_lie_in_a_folder_of_their_own(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    papers: dict[str, str],
    tmp_path: Path,
) -> None:
    path = file_of([person(1, id_front_file="front.jpg")])
    assert muster("validate", path).code == 1
    ended = muster("run", path, "--files", tmp_path / "papers")
    assert (ended.code, len(only(sandbox).documents)) == (0, 1)


def test_no_file_of_a_run_names_a_document_or_a_street(
    muster: Muster,
    file_of: Filed,
    papers: dict[str, str],
) -> None:
    rows = [row | papers | HOME for row in people(2)]
    ended = muster("run", file_of(rows))
    text = b"".join(path.read_bytes() for path in ended.folder.rglob("*") if path.is_file())
    assert not any(secret in text for secret in (b"front.jpg", b"face.png", b"Church Street"))


@pytest.mark.slow
def test_documents_may_go_away_once_they_were_sent(
    muster: Muster, sandbox: Sandbox, file_of: Filed, papers: dict[str, str], tmp_path: Path
) -> None:
    path = file_of([person(1, **papers), person(2, id_front_file="missing.jpg")])
    first = muster("run", path)
    shutil.rmtree(tmp_path / "papers")
    before = arrivals(sandbox)
    assert muster("run", path).outcomes == ["already_onboarded", "quarantined"]
    assert muster("report", first.folder.name).code == 1
    assert first.outcomes == ["onboarded", "quarantined"]
    assert muster("reconcile", first.folder.name).code == 0
    assert writes(sandbox, before) == []


def test_a_row_goes_on_when_its_document_is_back(
    muster: Muster, sandbox: Sandbox, file_of: Filed, papers: dict[str, str], tmp_path: Path
) -> None:
    sandbox.faults([{"operation": "create_customer", "kind": "status", "params": {"status": 503}}])
    path = file_of([person(1, **papers)])
    assert muster("run", path).outcomes == ["failed"]
    sandbox.faults([])
    (tmp_path / "papers").rename(tmp_path / "moved")
    ended = muster("retry", "run-1")
    assert (ended.outcomes, ended.rows[0]["reason_code"]) == (["failed"], "document_unreadable")
    (tmp_path / "moved").rename(tmp_path / "papers")
    assert muster("retry", "run-2").outcomes == ["onboarded"]
    assert len(only(sandbox).documents) == 2


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("operation", "when"),
    [
        ("create_document", "after"),
        ("create_address", "before"),
        pytest.param("create_document", "before", marks=pytest.mark.slow),
        pytest.param("create_address", "after", marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_at_an_upload_is_finished_without_a_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, papers: dict[str, str], operation: str, when: str
) -> None:
    rows = [row | papers | HOME for row in people(3)]
    assert killed_at(muster, sandbox, file_of(rows), 2, operation, when, nth=2).code == -9
    assert muster("resume").counts == {"onboarded": 3}
    held = sandbox.state.customers.values()
    assert [(len(each.documents), len(each.addresses)) for each in held] == [(2, 1)] * 3


@pytest.mark.slow
def test_the_largest_document_goes_through_and_one_byte_more_is_refused(
    muster: Muster, sandbox: Sandbox, file_of: Filed, tmp_path: Path
) -> None:
    for name, size in (("largest.pdf", MOST_BYTES), ("larger.pdf", MOST_BYTES + 1)):
        (tmp_path / name).write_bytes(b"%PDF-1.7".ljust(size, b"\0"))
    rows = [person(1, proof_of_address_file="largest.pdf"), person(2, proof_of_address_file="larger.pdf")]
    assert muster("run", file_of(rows)).outcomes == ["onboarded", "quarantined"]
    (tmp_path / "muster.toml").write_text("[eclipse]\ndocument_bytes = 100\n")
    assert "value_invalid:proof_of_address_file" in muster("validate", file_of(rows[:1])).stdout
