"""Base URLs that are taken, and those that would leak or mislead."""

import pytest

from jobs.errors import Unusable
from jobs.transport.address import checked_base_url, origin_of


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://eclipse.example/", "https://eclipse.example"),
        ("https://eclipse.example:8443/rest//", "https://eclipse.example:8443/rest"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://LOCALHOST:1/x", "http://localhost:1/x"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("HTTPS://Eclipse.Example", "https://eclipse.example"),
    ],
)
def test_a_sound_base_url_is_taken_without_its_last_slash(url: str, checked: str) -> None:
    assert checked_base_url(url) == checked


@pytest.mark.parametrize(
    "url",
    [
        "http://eclipse.example",
        "http://127.0.0.1.evil.example",
        "http://0.0.0.0:80",
        "http://localhost@evil.example",
        "https://user:secret@eclipse.example",
        "https://:secret@eclipse.example",
        "https://@eclipse.example",
        "https://eclipse.example/?key=secret",
        "https://eclipse.example/?",
        "https://eclipse.example/#part",
        "https://eclipse.example:0",
        "https://eclipse.example:99999",
        "https://eclipse.example:x",
        "https://evil.example\\.eclipse.example",
        "https://eclipse.example/a b",
        "https://eclipse.example/\x00",
        "https://eclipse\n.example",
        "https://[::1",
        "https://",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1:8080",
        "",
        "https://ex\u00e4mple.org",
    ],
)
def test_a_base_url_that_leaks_or_misleads_is_refused_without_repeating_a_secret(url: str) -> None:
    with pytest.raises(Unusable) as caught:
        checked_base_url(url)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("origin", "spellings"),
    [
        (
            "https://eclipse.example:443/rest",
            [
                "https://eclipse.example/rest",
                "https://eclipse.example:443/rest/",
                "HTTPS://ECLIPSE.example:0443/rest//",
            ],
        ),
        ("http://127.0.0.1:80", ["http://127.0.0.1", "http://127.0.0.1:80/"]),
        ("http://localhost:8080", ["http://LocalHost:8080"]),
        ("http://[::1]:80", ["http://[::1]"]),
        ("https://[2001:db8::1]:443", ["https://[2001:DB8:0::1]", "https://[2001:db8::1]:443/"]),
        ("https://xn--exmple-cua.org:443", ["https://XN--Exmple-cua.org"]),
    ],
)
def test_one_target_has_one_origin_in_whatever_spelling(origin: str, spellings: list[str]) -> None:
    assert [origin_of(spelling) for spelling in spellings] == [origin] * len(spellings)
    assert origin_of(origin) == origin


def test_what_may_be_another_target_has_another_origin() -> None:
    urls = [
        "http://127.0.0.1",
        "http://localhost",
        "http://[::1]",
        "https://localhost",
        "https://localhost:8443",
        "https://localhost/a",
        "https://localhost/A",
    ]

    assert len({origin_of(url) for url in urls}) == len(urls)
