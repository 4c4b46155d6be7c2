"""How long a target's Retry-After makes us wait, whatever it writes there; and back-off with jitter."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.systems.retry_after import MOST_ASKED_SECONDS, http_date, retry_after_seconds
from jobs.transport.retry import FullJitter

NOW = datetime(2026, 11, 21, 2, 15, 0, tzinfo=UTC)
DATE = "Sat, 21 Nov 2026 02:15:00 GMT"
IN_A_MINUTE = "Sat, 21 Nov 2026 02:16:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("3", 3),
        ("00", 0),
        ("007", 7),
        (" 42 ", 42),
        ("\t42", 42),
        ("3600", 3600),
        ("3601", 3601),
        ("86400", 86400),
        ("999999999", MOST_ASKED_SECONDS),
        ("9999999999", None),
        ("1" * 5000, None),
        ("", None),
        ("   ", None),
        ("-1", None),
        ("-0", None),
        ("+3", None),
        ("1.5", None),
        ("1,5", None),
        ("1e3", None),
        ("0x10", None),
        ("1_000", None),
        ("3 s", None),
        ("3;x", None),
        ("3, 5", None),
        ("\u00b2", None),
        ("\u0663", None),
        ("\uff13", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("null", None),
        ("Infinity", None),
        ("\x00", None),
        ("Sat, 21 Nov 2026", None),
        ("99 Nov 2026 99:99:99 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 0),
        (IN_A_MINUTE, 60),
        ("Saturday, 21-Nov-26 02:16:00 GMT", 60),
        ("Sat Nov 21 02:16:00 2026", 60),
        ("Sat, 21 Nov 2026 04:16:00 +0200", 60),
        ("Sat, 21 Nov 2026 02:14:00 GMT", 0),
        ("Sun, 22 Nov 2026 02:15:00 GMT", 86400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_ASKED_SECONDS),
        (DATE, 0),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_or_nothing(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value, "date": DATE}, NOW) == seconds


def test_no_header_asks_for_nothing() -> None:
    assert retry_after_seconds({}, NOW) is None


@pytest.mark.parametrize("minutes", [-600, -10, 0, 10, 600])
def test_a_date_is_measured_with_the_servers_own_clock(minutes: int) -> None:
    ours = NOW + timedelta(minutes=minutes)

    assert retry_after_seconds({"retry-after": IN_A_MINUTE, "date": DATE}, ours) == 60


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 31 Dec 9999 23:59:59 -2300"])
def test_without_a_readable_date_our_own_clock_is_used(date: str) -> None:
    assert retry_after_seconds({"retry-after": IN_A_MINUTE, "date": date}, NOW) == 60


@given(
    st.one_of(st.text(max_size=60), st.from_regex(r"\A[A-Z][a-z]{2}, ?[0-9]{1,3}[ -]\w{3}[ -][0-9]{1,5} [0-9:]{1,9}")),
    st.text(max_size=40),
)
def test_no_text_breaks_it_or_gives_more_than_the_cap(value: str, date: str) -> None:
    seconds = retry_after_seconds({"retry-after": value, "date": date}, NOW)

    assert seconds is None or 0 <= seconds <= MOST_ASKED_SECONDS


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - the zone is added
def test_every_date_comes_back_as_it_was(naive: datetime) -> None:
    moment = naive.replace(microsecond=0, tzinfo=UTC)

    assert http_date(moment.strftime("%a, %d %b ") + f"{moment.year:04}" + moment.strftime(" %H:%M:%S GMT")) == moment


@given(st.integers(0, 2**32), st.integers(-3, 2000))
def test_jitter_stays_between_floor_and_the_doubling_top(seed: int, attempt: int) -> None:
    jitter = FullJitter(Random(seed), first=0.5, cap=30.0, floor=0.1)

    seconds = jitter.seconds(attempt)

    assert 0.1 <= seconds <= min(30.0, 0.5 * 2 ** (max(1, min(attempt, 10)) - 1))


def test_workers_that_failed_together_do_not_come_back_together() -> None:
    jitter = FullJitter(Random(7))

    waits = {round(jitter.seconds(6), 2) for _ in range(100)}

    assert len(waits) > 80
    assert max(waits) - min(waits) > 10
