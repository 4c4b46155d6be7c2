"""Where a setting comes from, what is refused and in which words, and that secrets stay where they belong."""

import os
import shutil
import stat
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.errors import ExitCode, Unusable
from jobs.ledger.place import File
from jobs.model import Rate
from jobs.settings.document import read_document
from jobs.settings.precedence import settings
from jobs.settings.pseudonyms import pseudonym_key
from jobs.settings.secrets import SECRETS, secret, secrets
from jobs.settings.settings import BY_NAME, OPTIONS, Settings, unknown_variables
from jobs.settings.system_table import system_settings
from jobs.systems.eclipse.system import EclipseSettings
from tests.examples import some


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def chosen(
    toml: str = "",
    environ: Mapping[str, str] | None = None,
    recorded: Mapping[str, object] | None = None,
    **flags: Any,
) -> Settings:
    """The settings with this `muster.toml` in the working directory."""
    Path("muster.toml").write_text(toml, encoding="utf-8")
    return settings(flags, environ=environ or {}, recorded=recorded)


def refusal(toml: str = "", environ: Mapping[str, str] | None = None, **flags: Any) -> str:
    """The sentence with which these settings are refused."""
    with pytest.raises(Unusable) as caught:
        chosen(toml, environ, **flags)
    assert caught.value.exit_code == ExitCode.UNUSABLE
    return caught.value.message


def test_flag_beats_environment_beats_file_beats_the_run_beats_default() -> None:
    layers: list[dict[str, Any]] = [
        {"recorded": {"region": "DE"}},
        {"toml": 'region = "GB"'},
        {"environ": {"MUSTER_REGION": "US"}},
        {"region": "FR"},
    ]
    seen = [chosen()]
    given: dict[str, Any] = {}
    for layer in layers:
        given |= layer
        seen.append(chosen(**given))

    assert [each.region for each in seen] == ["ZA", "DE", "GB", "US", "FR"]
    assert [each.origins["region"] for each in seen] == [
        "default",
        "the run",
        "muster.toml",
        "MUSTER_REGION",
        "--region",
    ]


def test_every_option_has_a_flag_a_variable_and_a_key_of_its_name() -> None:
    for option in OPTIONS:
        assert option.variable == "MUSTER_" + option.name.upper()
        assert option.flag == "--" + option.name.replace("_", "-")
        assert option.help
        assert not set(SECRETS) & {option.name}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("concurrency", "1024", 1024),
        ("rate", "60/180", Rate(60, 180.0)),
        ("rate", "auto", None),
        ("decision_poll", "0.5", 0.5),
        ("deadline", "06:00", time(6)),
        ("max_errors", "2.5%", "2.5%"),
        ("region", "za", "ZA"),
        ("strict_ids", "YES", True),
        ("fail_on", "failed, partial", frozenset({"failed", "partial"})),
        ("out", "a b", Path("a b")),
        ("tenant", "1001", "1001"),
    ],
)
def test_a_value_means_the_same_wherever_it_is_given(name: str, text: str, value: object) -> None:
    from_flag = settings({name: text}, environ={})
    from_environment = chosen("", {BY_NAME[name].variable: text})
    from_file = chosen(f'{name} = "{text}"')

    assert [getattr(each, name) for each in (from_flag, from_environment, from_file)] == [value] * 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("concurrency", "0"),
        ("concurrency", "1025"),
        ("concurrency", "-1"),
        ("concurrency", "\u0661"),
        ("concurrency", "16 "),
        ("concurrency", "1e2"),
        ("rate", "0/10"),
        ("rate", "10/0"),
        ("rate", "10/0.0"),
        ("rate", "60"),
        ("rate", "60/180s"),
        ("decision_poll", "-1"),
        ("decision_poll", "nan"),
        ("decision_poll", "inf"),
        ("deadline", "6:00"),
        ("deadline", "24:00"),
        ("deadline", "06:60"),
        ("deadline", "06:00:00"),
        ("max_errors", "101%"),
        ("max_errors", "-1"),
        ("limit", "0"),
        ("region", "ZAF"),
        ("output", "xml"),
        ("system", "eclips"),
        ("tenant", "../1"),
        ("tenant", "1/2"),
        ("tenant", ""),
        ("fail_on", "failled"),
        ("base_url", "http://eclipse.example"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_of_the_option(name: str, text: str) -> None:
    with pytest.raises(Unusable) as caught:
        settings({name: text}, environ={})

    assert BY_NAME[name].flag in caught.value.message


def test_a_near_miss_gets_a_suggestion() -> None:
    assert "did you mean 'concurrency'" in refusal("concurency = 4")
    assert "did you mean 'eclipse'" in refusal(system="eclips")
    assert "did you mean 'failed'" in refusal(fail_on="failled")
    assert unknown_variables({"MUSTER_CONCURENCY": "4", "MUSTER_TOKEN_FILE": "x", "OTHER": "y"}) == [
        "MUSTER_CONCURENCY; did you mean 'MUSTER_CONCURRENCY'?"
    ]


def test_keys_with_dashes_are_the_same_keys_but_not_twice() -> None:
    assert chosen("lock-timeout = 5").lock_timeout == 5.0
    assert "lock-timeout is given twice" in refusal("lock-timeout = 5\nlock_timeout = 6")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_the_file_is_refused_without_being_repeated(name: str) -> None:
    sentence = refusal(f'{name.replace("_", "-")} = "hunter2"')

    assert "secret" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "toml",
    [
        "concurrency = [4]",
        "concurrency = true",
        "concurrency = 4.0",
        "[concurrency]\nx = 1",
        "columns = 1",
        "eclipse = 'x'",
        "[[columns]]\nx = 'y'",
        "[columns]\nphone = 3",
        "not toml",
        "x = 1\nx = 2",
        "\x00",
    ],
)
def test_a_file_that_makes_no_sense_is_refused_by_name(toml: str) -> None:
    assert "muster.toml" in refusal(toml)


def test_a_file_that_is_named_must_be_there_and_readable() -> None:
    Path("latin.toml").write_bytes(b'region = "\xe9"')

    for path in (Path("absent.toml"), Path("latin.toml"), Path()):
        with pytest.raises(Unusable):
            settings({}, config=path, environ={})
    with pytest.raises(Unusable, match="absent"):
        settings({}, environ={"MUSTER_CONFIG": "absent.toml"})


def test_numbers_of_the_file_are_read_as_numbers() -> None:
    found = chosen("concurrency = 4\ndecision_poll = 1.5\nstrict_ids = true\nmax_errors = 7")

    assert (found.concurrency, found.decision_poll, found.strict_ids, found.max_errors) == (4, 1.5, True, "7")


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    found = chosen("tenant = '7'", {"MUSTER_TENANT": "", "MUSTER_CONCURRENCY": "", "MUSTER_CONFIG": ""})

    assert (found.tenant, found.concurrency) == ("7", 16)


def test_a_missing_option_is_asked_for_in_all_three_spellings() -> None:
    with pytest.raises(Unusable) as caught:
        chosen().need("base_url")

    assert caught.value.message == "--base-url is missing"
    assert caught.value.hint == "give --base-url, MUSTER_BASE_URL or base_url in muster.toml"


def test_a_run_that_is_gone_on_with_is_read_and_sent_as_it_was() -> None:
    first = chosen(
        '[columns]\nVorname = "first_name"\n[eclipse]\nuser_type_id = 7\nwallet_type_id = "12"\nprefix = "white-label"',
        tenant="1001",
        region="DE",
        delimiter=";",
        strict_ids=True,
        concurrency="4",
    )

    again = chosen(recorded=first.shown())

    assert (again.tenant, again.region, again.delimiter, again.strict_ids) == ("1001", "DE", ";", True)
    assert again.concurrency == 16
    assert again.columns == {"Vorname": "first_name"}
    kept = system_settings(EclipseSettings, again.systems["eclipse"], "eclipse")
    assert kept == EclipseSettings("white-label", 7, "12")


def test_settings_of_a_system_keep_their_type_when_a_run_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Kinds:
        share: float = 0.5
        name: str = ""
        on: bool = True
        count: int = 1

    monkeypatch.setattr("jobs.systems.eclipse.system.SETTINGS", Kinds)
    first = chosen('[eclipse]\nshare = 60\nname = "007"\non = false\ncount = 12')
    again = chosen(recorded=first.shown())

    kept = system_settings(Kinds, again.systems["eclipse"], "eclipse")
    assert kept == system_settings(Kinds, first.systems["eclipse"], "eclipse") == Kinds(60.0, "007", False, 12)
    assert type(kept.share) is float


@pytest.mark.parametrize(("name", "value"), [("tenant", "2002"), ("system", "eclipse")])
def test_a_run_is_not_gone_on_with_at_another_place(name: str, value: str) -> None:
    recorded = {"tenant": "1001", "system": "blink" if name == "system" else "eclipse"}

    with pytest.raises(Unusable, match=f"that run was for {name}"):
        settings({name: value}, environ={}, recorded=recorded)


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ({"user_typeid": 1}, "did you mean 'user_type_id'"),
        ({"user_type_id": "1"}, "expected int, got str"),
        ({"user_type_id": True}, "expected int, got bool"),
        ({"wallet_type_id": [1]}, "expected int or str, got list"),
        ({"currency": 1}, "expected str, got int"),
    ],
)
def test_a_table_of_a_system_is_checked_by_name_and_type(table: dict[str, Any], part: str) -> None:
    with pytest.raises(Unusable) as caught:
        system_settings(EclipseSettings, table, "eclipse")

    assert caught.value.message.startswith("[eclipse]")
    assert part in caught.value.message


def test_what_is_shown_reads_back_as_the_same_settings() -> None:
    flags = {"rate": "60/180", "deadline": "06:00", "fail_on": "failed,partial", "strict_ids": "true", "limit": "5"}
    first = settings(flags, environ={})

    again = settings({name: text for name, text in first.shown().items() if text}, environ={})

    assert replace(again, origins=first.origins) == first


def test_a_password_in_a_ledger_url_is_refused_and_not_shown() -> None:
    with pytest.raises(Unusable, match="holds a password") as caught:
        chosen(ledger="postgresql://muster:hunter2@db/muster")

    assert "hunter2" not in f"{caught.value!r}"


@dataclass(frozen=True)
class Written:
    """A secret file."""

    path: Path

    @classmethod
    def of(cls, content: str, mode: int = 0o600) -> "Written":
        path = Path("secret")
        path.write_text(content)
        path.chmod(mode)
        return cls(path)

    @property
    def environ(self) -> dict[str, str]:
        return {"MUSTER_PASSWORD_FILE": str(self.path)}


@pytest.mark.parametrize(
    "content", ["hunter2", "hunter2\n", "hunter2\r\n", "hunter2\n\n", "\ufeffhunter2", "\ufeffhunter2\r\n\n\r\n"]
)
def test_a_byte_order_mark_and_line_ends_are_no_part_of_a_secret(content: str) -> None:
    assert secret("password", Written.of(content).environ) == "hunter2"
    assert secret("password", {"MUSTER_PASSWORD": content}) == "hunter2"


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", "\ufeff\r\n"])
def test_a_secret_of_nothing_is_none(content: str) -> None:
    assert secret("password", Written.of(content).environ) is None
    assert secret("password", {"MUSTER_PASSWORD": content}) is None


def test_blanks_belong_to_a_secret() -> None:
    assert secret("password", Written.of(" hunter2 \n").environ) == " hunter2 "


@pytest.mark.parametrize(
    ("content", "words"),
    [("user: a\npassword: hunter2\n", "a line break"), ("a\rhunter2", "a line break"), ("hunter2\x00", "a NUL")],
)
def test_what_can_be_no_secret_is_named_and_not_repeated(content: str, words: str) -> None:
    for environ in (Written.of(content).environ, {"MUSTER_PASSWORD": content}):
        with pytest.raises(Unusable, match=words) as caught:
            secret("password", environ)
        assert "MUSTER_PASSWORD" in caught.value.message
        assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"


def test_a_key_may_have_lines() -> None:
    path = Written.of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").path

    found = secret("private_key", {"MUSTER_PRIVATE_KEY_FILE": str(path)})
    assert found == "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_a_secret_in_another_encoding_is_named(encoding: str) -> None:
    path = Written.of("").path
    path.write_bytes(("\ufeffhunter2" if encoding.endswith("be") else "hunter2").encode(encoding))

    with pytest.raises(Unusable, match="is UTF-") as caught:
        secret("password", Written(path).environ)
    assert caught.value.hint == "save it as UTF-8"
    assert "hunter2" not in caught.value.message


@pytest.mark.skipif(os.geteuid() != 0, reason="what an orchestrator mounts belongs to root")
@pytest.mark.parametrize("mode", [0o440, 0o444, 0o404])
@pytest.mark.parametrize("through", [False, True], ids=["itself", "a link beside it"])
def test_a_secret_of_roots_in_a_folder_that_only_we_can_enter_is_taken(mode: int, through: bool) -> None:
    made = laid(Path("shut"), mode, through=through)

    assert secret("password", made.environ) == "hunter2"


@pytest.mark.skipif(os.geteuid() != 0, reason="owners are changed")
def test_the_same_secret_is_refused_where_somebody_else_gets_at_it() -> None:
    cases: dict[str, Callable[[Path], None]] = {
        "a folder that others enter": lambda link: link.parent.chmod(0o711),
        "a folder that a group enters": lambda link: link.parent.chmod(0o710),
        "a file that its owner writes": lambda link: link.resolve().chmod(0o644),
        "another owner": lambda link: os.chown(link.resolve(), 1000, 1000),
        "a link to a file elsewhere": elsewhere,
    }
    taken = []
    for name, change in cases.items():
        made = laid(Path("shut"), 0o444, through=True)
        change(made.path)
        with suppress(Unusable):
            taken.append((name, secret("password", made.environ)))

    assert taken == []


def laid(folder: Path, mode: int, *, through: bool) -> Written:
    """A secret in a folder of ours; `through` a link, as an orchestrator replaces secrets at once."""
    shutil.rmtree(folder, ignore_errors=True)
    inner = folder / "..data"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    folder.chmod(0o700)
    file = (inner if through else folder) / "password"
    file.write_text("hunter2\n")
    file.chmod(mode)
    if through:
        (folder / "password").symlink_to(Path("..data", "password"))
    return Written(folder / "password")


def elsewhere(link: Path) -> None:
    """The link leads out of its folder, into one that others may enter."""
    Path("open").mkdir()
    Path("open").chmod(0o755)
    link.resolve().rename("open/password")
    link.unlink()
    link.symlink_to(Path("open/password").resolve())


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o601, 0o777])
def test_a_secret_file_that_others_can_reach_is_refused(mode: int) -> None:
    with pytest.raises(Unusable, match="others may read") as caught:
        secret("password", Written.of("hunter2", mode).environ)

    assert caught.value.hint == "chmod 600 secret"
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("name", ["absent", ".", "latin"])
def test_a_secret_file_that_can_not_be_read_is_named(name: str) -> None:
    Path("latin").write_bytes(b"hunter\xe92")
    Path("latin").chmod(0o600)

    with pytest.raises(Unusable, match="MUSTER_PASSWORD_FILE") as caught:
        secret("password", {"MUSTER_PASSWORD_FILE": name})
    assert "hunter" not in caught.value.message


def test_the_variable_beats_the_file_and_no_secret_is_ever_shown() -> None:
    environ = {**Written.of("from the file").environ, "MUSTER_PASSWORD": "hunter2", "MUSTER_IDENTITY": "operator"}

    found = secrets(environ=environ)

    assert (found.identity, found.password, found.token) == ("operator", "hunter2", None)
    assert "hunter2" not in f"{found!r}{found}"
    assert not set(SECRETS) & set(chosen(environ=environ).shown())


def test_a_reader_of_its_own_has_no_share_in_the_token() -> None:
    environ = {"MUSTER_TOKEN": "t", "MUSTER_RECON_IDENTITY": "auditor", "MUSTER_RECON_PASSWORD": "p"}

    assert secrets("recon_", environ).token is None
    assert secrets("recon_", environ).identity == "auditor"


def test_the_pseudonym_key_is_made_once_and_is_private() -> None:
    before = os.umask(0)
    try:
        first = pseudonym_key(File(Path("muster.db")), {}, make=True)
    finally:
        os.umask(before)

    assert len(bytes.fromhex(first.decode())) == 32
    assert pseudonym_key(File(Path("muster.db")), {}) == first
    assert stat.S_IMODE(Path("muster.db.key").stat().st_mode) == 0o600
    assert [str(path) for path in Path().iterdir()] == ["muster.db.key"]
    assert pseudonym_key(File(Path("muster.db")), {}, make=True) == first
    assert pseudonym_key(File(Path("other.db")), {}, make=True) != first


def test_a_key_that_is_missing_is_asked_for() -> None:
    with pytest.raises(Unusable, match=r"muster\.db\.key.* is missing") as caught:
        pseudonym_key(File(Path("muster.db")), {})

    assert "MUSTER_PSEUDONYM_KEY" in str(caught.value.hint)
    assert list(Path().iterdir()) == []


def test_processes_that_make_the_key_at_once_agree_on_it() -> None:
    found: list[bytes] = []
    ready = threading.Barrier(8)

    def make() -> None:
        ready.wait()
        found.append(pseudonym_key(File(Path("muster.db")), {}, make=True))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [str(path) for path in Path().iterdir()] == ["muster.db.key"]


@pytest.mark.parametrize(
    ("content", "mode", "words"), [("", 0o600, "damaged"), ("ab" * 10, 0o600, "damaged"), ("ab" * 32, 0o640, "others")]
)
def test_a_key_file_that_is_damaged_or_open_to_others_is_refused(content: str, mode: int, words: str) -> None:
    Path("muster.db.key").write_text(content)
    Path("muster.db.key").chmod(mode)

    with pytest.raises(Unusable, match=words):
        pseudonym_key(File(Path("muster.db")), {})


def test_a_given_key_is_used_and_no_file_is_made() -> None:
    assert pseudonym_key(File(Path("muster.db")), {"MUSTER_PSEUDONYM_KEY": "k" * 16}) == b"k" * 16
    with pytest.raises(Unusable, match="16 characters"):
        pseudonym_key(File(Path("muster.db")), {"MUSTER_PSEUDONYM_KEY": "short"})
    with pytest.raises(Unusable):
        pseudonym_key(File(Path("no/such/folder/muster.db")), {}, make=True)
    assert list(Path().iterdir()) == []


@hypothesis_settings(max_examples=some(80), deadline=None)
@given(st.sampled_from(sorted(BY_NAME)), st.text(max_size=20))
def test_any_text_for_any_option_is_taken_or_refused_in_a_sentence(name: str, text: str) -> None:
    with suppress(Unusable):
        assert isinstance(settings({name: text}, environ={}).shown()[name], str)


def test_the_empty_device_is_no_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "muster.toml").write_text('tenant = "1001"\n')
    assert read_document(Path(os.devnull), ["tenant"])[0] == {}
