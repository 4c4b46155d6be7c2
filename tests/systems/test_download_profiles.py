"""Profiles as PDF: whole, for their owner alone, within the limit, gone on with, verified and erased with the run."""

import io
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyrage
import pytest

from jobs.model import Rate
from jobs.sandbox.server import Sandbox
from jobs.systems.azakaw import system as azakaw_system
from jobs.systems.azakaw.system import Azakaw, AzakawSettings
from jobs.systems.messages import CallClass
from tests.flow.muster import Ended

from .azakaw import World, company, configure, person
from .azakaw import world as world


@pytest.fixture
def ended(world: World) -> Ended:
    """A run with a company, a declined customer, and a row that led to none."""
    return world.run([person(1), company(2), person(3, "Rejected"), person(4, "Refused")])


def downloads(run: Ended) -> list[Path]:
    """The folders of downloads, oldest first."""
    return sorted(run.folder.glob("profiles-*"))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def expected(run: Ended) -> list[str]:
    return sorted(
        ["SHA256SUMS", "manifest.json", *(f"{row['customer_id']}.pdf" for row in run.rows if row["customer_id"])]
    )


def packed_checker(run: Ended) -> int:
    """What the checker in the run's folder says."""
    return subprocess.run([sys.executable, run.folder / "verify.py"], capture_output=True, check=False).returncode


def fetched(sandbox: Sandbox) -> list[str]:
    return [entry["operation"] for entry in sandbox.journal() if entry["operation"].endswith("_pdf")]


def test_every_customer_of_the_run_has_a_private_file_of_its_kind(world: World, ended: Ended) -> None:
    told = world.muster("download-profiles", ended.folder.name)

    [folder] = downloads(ended)
    assert told.code == 0
    assert "3 profiles written" in told.stdout
    assert files(folder) == expected(ended)
    assert all(path.read_bytes().startswith(b"%PDF-") for path in folder.glob("*.pdf"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(fetched(world.sandbox)) == ["individual_pdf", "individual_pdf", "legal_pdf"]
    assert (world.muster("verify", ended.folder.name).code, packed_checker(ended)) == (0, 0)
    next(folder.glob("*.pdf")).write_bytes(b"%PDF-forged%%EOF")
    assert (world.muster("verify", ended.folder.name).code, packed_checker(ended)) == (7, 7)


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["garbage_body", "empty_body", "wrong_content_type", "truncated_body", "redirect"])
def test_what_is_no_whole_pdf_is_refused_and_tried_again_later(world: World, ended: Ended, kind: str) -> None:
    params = {"location": "/elsewhere"} if kind == "redirect" else {}
    world.sandbox.faults([{"operation": "legal_pdf", "kind": kind, "params": params}])

    told = world.muster("download-profiles", ended.folder.name, "--output", "json")

    document = json.loads(told.stdout)
    assert (told.code, document["written"], document["there_before"]) == (1, 2, 0)
    assert [each["source_row"] for each in document["failed"]] == [2]
    world.sandbox.faults([])
    again = json.loads(world.muster("download-profiles", ended.folder.name, "--output", "json").stdout)
    assert (again["written"], again["there_before"], again["failed"]) == (1, 2, [])
    assert [files(folder) for folder in downloads(ended)] == [sorted([*expected(ended), "manifest-1.json"])]
    assert world.muster("verify", ended.folder.name).code == 0


@pytest.mark.slow
def test_a_complete_download_is_followed_by_a_new_one(world: World, ended: Ended) -> None:
    for _ in range(2):
        assert world.muster("download-profiles", ended.folder.name).code == 0

    assert [files(folder) for folder in downloads(ended)] == [expected(ended)] * 2


def test_a_download_that_was_killed_is_gone_on_with(world: World, ended: Ended) -> None:
    world.muster.killed("individual_pdf", "after", 2, "download-profiles", ended.folder.name, "--concurrency", "1")
    left = len(list(downloads(ended)[0].glob("*.pdf")))

    told = json.loads(world.muster("download-profiles", ended.folder.name, "--output", "json").stdout)

    assert left > 0
    assert (told["there_before"], told["written"]) == (left, 3 - left)
    assert [files(folder) for folder in downloads(ended)] == [expected(ended)]


def test_another_folder_must_be_private(world: World, ended: Ended) -> None:
    open_, own = world.folder / "open", world.folder / "own"
    open_.mkdir(mode=0o755)

    refused = world.muster("download-profiles", ended.folder.name, "--to", open_)
    told = world.muster("download-profiles", ended.folder.name, "--to", own)

    assert (refused.code, list(open_.iterdir())) == (2, [])
    assert "chmod 700" in refused.stderr
    assert (told.code, files(own)) == (0, expected(ended))
    assert downloads(ended) == []


@pytest.mark.slow
def test_the_limit_of_downloads_holds_over_processes(
    world: World, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(world.sandbox, limits={"create": None, "read": None, "download": "2/0.3"})
    monkeypatch.setattr("jobs.systems.azakaw.system.LIMITS", {CallClass.DOWNLOAD: Rate(2, 0.3)})

    for number in (1, 2):
        assert world.muster("download-profiles", ended.folder.name, "--to", world.folder / str(number)).code == 0

    statuses = [each["status"] for each in world.sandbox.journal() if each["operation"].endswith("_pdf")]
    assert statuses == [200] * 6


def test_a_customer_that_is_gone_or_forbidden_is_told(world: World, ended: Ended) -> None:
    world.sandbox.of("azakaw").amend("customers", ended.rows[0]["customer_id"], deleted=True)
    gone = world.muster("download-profiles", ended.folder.name)
    world.sandbox.faults([{"operation": "individual_pdf", "kind": "status", "params": {"status": 403}}])
    forbidden = world.muster("download-profiles", ended.folder.name)

    assert (gone.code, forbidden.code) == (1, 4)
    assert "row 1: the target has no such profile" in gone.stderr


@pytest.mark.slow
def test_profiles_in_a_folder_of_ones_own_are_known_to_the_ledger_and_go_with_the_run(
    world: World, ended: Ended
) -> None:
    own = world.folder / "filed"
    assert world.muster("download-profiles", ended.folder.name, "--to", own).code == 0
    assert world.muster("verify", ended.folder.name).code == 0
    assert len(list(own.glob("*.pdf"))) == 3
    assert world.muster("purge", "--older-than", "0").code == 0
    assert list(own.glob("*.pdf")) == []
    assert world.muster("verify", ended.folder.name).code == 0


@pytest.mark.slow
def test_purging_a_run_removes_its_profiles(world: World, ended: Ended) -> None:
    world.muster("download-profiles", ended.folder.name)

    purged = world.muster("purge", "--older-than", "0", "--yes")

    assert purged.code == 0, purged.stderr
    assert [files(folder) for folder in downloads(ended)] == [["SHA256SUMS", "manifest-1.json", "manifest.json"]]
    assert world.muster("verify", ended.folder.name).code == 0
    assert world.muster("download-profiles", ended.folder.name).code == 2


@pytest.mark.few(1)
@pytest.mark.parametrize("form", ["pdf", "json"])
def test_a_person_who_is_forgotten_has_no_profile_left(world: World, form: str) -> None:
    run = world.run([person(1, national_id="9001015009086"), person(2)])
    world.muster("download-profiles", run.folder.name, "--form", form)
    kept = run.rows[1]["customer_id"]

    identity = world.folder / "identity"
    identity.write_text("9001015009086\n")
    with identity.open() as typed, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", typed)
        forgotten = world.muster("forget", "--subject", "-", "--yes")

    assert forgotten.code == 0, forgotten.stderr
    assert [files(folder) for folder in downloads(run)] == [
        sorted(["SHA256SUMS", "manifest-1.json", "manifest.json", f"{kept}.{form}"])
    ]
    assert world.muster("verify", run.folder.name).code == 0


def test_profiles_are_for_the_holder_of_a_key_alone_and_go_with_their_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = pyrage.x25519.Identity.generate()
    monkeypatch.setenv("MUSTER_RECIPIENT", str(key.to_public()))
    run = world.run([person(1, national_id="9001015009086"), person(2)])
    done = world.muster("download-profiles", run.folder.name)
    (folder,) = downloads(run)
    mine = [folder / f"{row['customer_id']}.pdf.age" for row in run.rows]

    assert done.code == 0, done.stderr
    assert all(pyrage.decrypt(path.read_bytes(), [key]).startswith(b"%PDF-") for path in mine)
    assert list(folder.glob("*.pdf")) == []
    assert world.muster("download-profiles", run.folder.name).code == 0  # nothing is missing: a new folder
    monkeypatch.setattr("sys.stdin", io.StringIO("9001015009086\n"))
    assert world.muster("forget", "--subject", "-", "--yes").code == 0
    assert [path.exists() for path in mine] == [False, True]
    assert world.muster("verify", run.folder.name).code == 0


def test_a_system_without_profiles_says_so(world: World, ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_SYSTEM", "eclipse")
    eclipse = world.muster("download-profiles", ended.folder.name, "--system", "eclipse")

    assert eclipse.code == 2


def profile(**changes: Any) -> dict[str, Any]:
    """What a profile's reply has inside, with contents."""
    answers = [{"fqName": "Personal_Details_Country", "answer": "ZA"}]
    parts = {"form": {"formId": "form-individual"}, "submission": {"kycState": "New"}, "answers": answers}
    return parts | {"riskAssessment": {"score": 7}, "riskAssessmentDetail": {}, "documents": [{"id": "d-1"}]} | changes


def said(world: World, result: object, **params: Any) -> None:
    """Every individual profile is answered with `result`."""
    body = {"version": None, "statusCode": 0, "messages": None, "result": result}
    rule = {"operation": "individual_profile", "kind": "status", "params": {"status": 200, "body": body} | params}
    world.sandbox.faults([rule])


@pytest.mark.slow
def test_profiles_come_as_data_too_beside_those_that_are_pdf(world: World, ended: Ended) -> None:
    said(world, profile())
    world.muster("download-profiles", ended.folder.name)
    told = world.muster("download-profiles", ended.folder.name, "--form", "json", "--output", "json")

    as_pdf, as_data = sorted(ended.folder.glob("profiles-*"))
    assert (told.code, json.loads(told.stdout)["written"]) == (0, 3)
    assert files(as_pdf) == expected(ended)
    assert files(as_data) == [name.replace(".pdf", ".json") for name in expected(ended)]
    person_, company_ = (as_data / f"{row['customer_id']}.json" for row in ended.rows[:2])
    assert json.loads(person_.read_bytes()) == profile()
    assert json.loads(company_.read_bytes())["submission"]["submissionId"] == ended.rows[1]["customer_id"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in as_data.iterdir()} == {0o600}
    assert world.muster("verify", ended.folder.name).code == 0
    again = world.muster("download-profiles", ended.folder.name, "--form", "json", "--output", "json")
    assert json.loads(again.stdout)["written"] == 3, "a complete one is followed by a new one"


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("result", "words"),
    [
        (profile(submission={"submissionId": "another"}), "the profile is not the one that was asked for"),
        ({"form": {}, "submission": {}}, "the answer is no profile"),
        ([], "the answer is no profile"),
        (None, "it has no result"),
    ],
)
def test_what_is_no_whole_profile_of_that_customer_is_not_kept(
    world: World, ended: Ended, result: object, words: str
) -> None:
    said(world, result)

    told = json.loads(world.muster("download-profiles", ended.folder.name, "--form", "json", "--output", "json").stdout)

    assert {each["source_row"] for each in told["failed"]} == {1, 3}
    assert {each["reason"].partition(": ")[2] for each in told["failed"]} == {words}


def test_profiles_as_data_keep_the_limit_of_retrieval_and_pdfs_that_of_downloads() -> None:
    system = Azakaw("1001", AzakawSettings(form_id_individual="f", employee_id="e"))

    classes = {form: {each.call_class for each in system.documents("s-1", {}, form)} for form in ("json", "pdf")}

    assert classes == {"json": {CallClass.READ}, "pdf": {CallClass.DOWNLOAD}}
    limits = azakaw_system.LIMITS
    assert (limits[CallClass.READ], limits[CallClass.DOWNLOAD]) == (Rate(60, 60.0), Rate(30, 60.0))
