"""Profiles of muster.toml: which settings hold, what is protected, and that nothing unknown is passed over."""

import json
import os
from pathlib import Path

import pytest

from jobs.__main__ import status
from jobs.errors import Unusable
from jobs.settings.precedence import settings
from jobs.settings.settings import Settings

FILE = """
tenant = "1001"
rate = "10/1"
[columns]
"Cell no" = "phone"
[eclipse]
currency = "ZAR"
[profile.prod]
tenant = "2002"
protected = true
[profile.prod.eclipse]
user_type_id = 7
[profile.test]
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MUSTER_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "muster.toml"
    path.write_text(FILE)
    return path


def chosen(environ: dict[str, str] | None = None, **flags: object) -> Settings:
    return settings(flags, environ=environ or {})


def test_a_profile_counts_before_the_file_and_after_flag_and_environment() -> None:
    assert chosen().tenant == "1001"
    assert chosen(profile="prod").tenant == "2002"
    assert chosen({"MUSTER_PROFILE": "prod"}).rate == chosen().rate
    assert chosen(profile="prod", tenant="3").tenant == "3"
    assert chosen({"MUSTER_TENANT": "4"}, profile="prod").tenant == "4"
    assert chosen(profile="prod").origins["tenant"] == "muster.toml [profile.prod]"
    assert chosen(profile="prod").systems["eclipse"] == {"currency": "ZAR", "user_type_id": 7}
    assert chosen(profile="prod").columns == {"Cell no": "phone"}


def test_what_is_protected_is_not_unprotected_by_the_environment() -> None:
    assert chosen({"MUSTER_PROTECTED": "false"}, profile="prod").protected
    assert not chosen(profile="test").protected
    assert chosen(protected=True).protected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[profile.prod]\ntennant = 1", "[profile.prod]: unknown key 'tennant'; did you mean 'tenant'"),
        ("[profile.prod.eclipse]\ncurency = 'ZAR'", "unknown key 'curency'; did you mean 'currency'"),
        ("[profile.prod]\nprofile = 'x'", "unknown key 'profile'"),
        ("[profile]\nprod = 1", "[profile] holds tables"),
        ("[dates]\ndate_of_brith = 'DD/MM/YYYY'", "[dates]: no system has a column 'date_of_brith'; did you mean"),
        ("[values.gendre]\nMale = 'M'", "[values]: no system has a column 'gendre'; did you mean 'gender'"),
        ("[azakaw]\nnonsense = 1", "[azakaw]: unknown key 'nonsense'"),
        ("confirm_tenant = '1001'", "unknown key 'confirm_tenant'"),
        ("[profile.prod]\ntoken = 'x'", "is a secret"),
    ],
)
def test_an_unknown_key_is_an_error_wherever_it_stands(file: Path, text: str, words: str) -> None:
    file.write_text(text)

    with pytest.raises(Unusable) as refused:
        chosen()

    assert words in refused.value.message


def test_an_unknown_profile_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(Unusable, match=r"no \[profile.prd\]; did you mean 'prod'"):
        chosen(profile="prd")


def test_config_says_which_file_and_which_profile(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["config", "--profile", "prod", "--output", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert status(["config", "--profile", "prod"]) == 0

    assert said["file"] == str(file)
    assert said["settings"]["tenant"]["value"] == "2002"
    assert said["settings"]["tenant"]["origin"] == "muster.toml [profile.prod]"
    assert str(file) in capsys.readouterr().out
