"""Who works is what the kernel says."""

import os
import pwd

import pytest

from jobs.os_user import os_user, people


def test_no_variable_makes_somebody_else_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "auditor-general")
    assert os_user() == pwd.getpwuid(os.geteuid()).pw_name
    assert "auditor-general" not in people().values()


def test_users_are_separate_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.getuid", lambda: 54_321)
    monkeypatch.setattr("jobs.os_user._login", lambda: None)
    assert people({"SUDO_USER": "thandi"}) == {
        "user": pwd.getpwuid(0).pw_name,
        "real_user": "uid 54321",
        "login_user": None,
        "sudo_user": "thandi",
    }
    assert people({})["sudo_user"] is None
