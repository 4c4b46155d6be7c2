"""The scaffold: a settings file that muster takes as it is, an example that validates, and nothing overwritten."""

import json
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from jobs.__main__ import status
from jobs.settings.precedence import settings
from jobs.settings.secrets import MEANINGS, SECRETS
from jobs.settings.system_table import system_settings
from jobs.systems import SYSTEMS, adapter


@pytest.mark.few(2)
@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_made_is_taken_and_its_example_validates(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUSTER_TENANT", "1001")
    assert status(["init", "job", "--system", system]) == 0
    monkeypatch.chdir(tmp_path / "job")
    found = settings({}, environ={})
    assert found.system == system
    assert status(["validate", "customers.csv"]) in {0, 1}  # documents that an example names are not there


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_default_that_is_commented_out_is_one(system: str, tmp_path: Path) -> None:
    assert status(["init", str(tmp_path / "job"), "--system", system, "-q"]) == 0
    table = (tmp_path / "job" / "muster.toml").read_text().split(f"[{system}]")[1].split("[columns]")[0]
    told = [line.removeprefix("# ") for line in table.splitlines() if not line.startswith("## ")]
    given = tomllib.loads("\n".join(told))
    kept = {key: value for key, value in given.items() if value != ""}
    module = adapter(system)
    assert system_settings(module.SETTINGS, kept, system) == module.SETTINGS()


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_key_has_a_word_on_it_where_it_is_written_and_where_it_is_shown(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status(["init", "job", "--system", system, "-q"]) == 0
    lines = (tmp_path / "job" / "muster.toml").read_text().split(f"[{system}]")[1].split("[columns]")[0].splitlines()
    names = [each.name for each in fields(adapter(system).SETTINGS)]
    above = {line.split(" ")[1]: lines[place - 1] for place, line in enumerate(lines) if line.startswith("# ")}
    status(["config", "--system", system, "--output", "json"])
    shown = json.loads(capsys.readouterr().out)["settings"]

    assert list(above) == names
    assert [name for name in names if not above[name].startswith("## ")] == []
    assert {name: shown[f"{system}.{name}"]["origin"] for name in names} == dict.fromkeys(names, "default")
    assert [name for name in names if len(shown[f"{system}.{name}"]["meaning"]) < 10] == []


def test_every_secret_has_words() -> None:
    assert set(MEANINGS) == set(SECRETS)


def test_the_file_says_what_the_credential_is_at_that_system(tmp_path: Path) -> None:
    assert status(["init", str(tmp_path / "job"), "--system", "blink", "-q"]) == 0
    text = (tmp_path / "job" / "muster.toml").read_text()

    assert "MUSTER_PASSWORD: the refresh token of the consent" in text
    assert "MUSTER_PRIVATE_KEY" not in text


def test_a_key_shows_where_it_comes_from_and_what_it_would_be_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "muster.toml").write_text('[eclipse]\ncurrency = "KES"\n')
    monkeypatch.setenv("MUSTER_KYC_TYPE", "NORMAL")
    assert status(["config"]) == 0
    table = capsys.readouterr().out.split("[eclipse]")[1]

    assert '"KES"                    muster.toml, default "ZAR"' in table
    assert '"NORMAL"                 MUSTER_KYC_TYPE' in table
    assert "The ISO 4217 code of the wallets" in table


def test_what_is_there_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "customers.csv").write_text("mine")
    assert status(["init", str(tmp_path)]) == 2
    assert "there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["customers.csv"]
    assert (tmp_path / "customers.csv").read_text() == "mine"


FIRST = """Vorname;Nachname;Handy;Mail;ID number;Geburtsdatum;Gender;Branch
Thandi;Nkosi;0821234567;thandi@example.com;9001015009086;01/02/1990;Female;Durban
Sipho;Dlamini;0821234568;sipho@example.com;8002285009080;28/02/1980;Male;Durban
"""


def test_a_first_file_is_recognised_and_validates_with_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUSTER_TENANT", "1001")
    Path("export.csv").write_text(FIRST)

    assert status(["init", "job", "--from", "export.csv"]) == 0

    said = capsys.readouterr().out
    assert "'Handy' is phone" in said
    assert "'Branch' is not known: kept, and not sent" in said
    assert "date_of_birth is written DD/MM/YYYY" in said
    written = tomllib.loads((tmp_path / "job" / "muster.toml").read_text())
    assert written["columns"]["Vorname"] == "first_name"
    assert written["dates"] == {"date_of_birth": "DD/MM/YYYY"}
    assert status(["validate", "export.csv", "--config", "job/muster.toml"]) in {0, 1}
    assert "2 rows read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("second", "told"), [("K-2", "'Client' may be it"), ("K-1", "nothing in the file looks like it")]
)
def test_a_column_that_may_be_the_key_is_left_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], second: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    head, *rows = FIRST.splitlines()
    Path("export.csv").write_text(f"Client;{head}\nK-1;{rows[0]}\n{second};{rows[1]}\n")

    assert status(["init", "job", "--from", "export.csv"]) == 0

    assert f"no column is row_ref, the source's own key of a row, which keys at the target are made from: {told}" in (
        capsys.readouterr().out
    )
    proposed = '# "Client" = "row_ref"' in (tmp_path / "job" / "muster.toml").read_text()
    assert proposed is (second == "K-2")


def test_a_date_that_may_be_two_is_left_to_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("export.csv").write_text(FIRST.replace("28/02/1980", "02/03/1980"))

    assert status(["init", "job", "--from", "export.csv", "-q"]) == 0

    text = (tmp_path / "job" / "muster.toml").read_text()
    assert tomllib.loads(text)["dates"] == {}
    assert '# date_of_birth = "DD/MM/YYYY"' in text
    assert '# date_of_birth = "MM/DD/YYYY"' in text


def test_an_editor_is_told_every_key_and_that_there_are_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status(["init", "-q"]) == status(["config", "--json-schema"]) == 0

    schema = json.loads(capsys.readouterr().out)
    assert json.loads(Path("muster.schema.json").read_text()) == schema
    assert schema["additionalProperties"] is False
    assert {"tenant", "rate", "columns", "eclipse", "azakaw", "profile"} <= set(schema["properties"])
    assert not {"password", "token", "plan", "confirm_tenant"} & set(schema["properties"])
    profile = schema["properties"]["profile"]["anyOf"][1]["additionalProperties"]
    assert (profile["additionalProperties"], profile["properties"]["protected"]["type"]) == (False, "boolean")
    assert Path("muster.toml").read_text().startswith("#:schema ./muster.schema.json")
