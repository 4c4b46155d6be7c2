import hashlib
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from jobs.errors import MusterError, Unproven
from jobs.evidence.events import BLOCK, Chain, read_events, verify_events, write_events
from jobs.evidence.linked_line import GENESIS, linked_line
from jobs.evidence.short_line import KEYS, RESERVED
from jobs.reports.folder import RunFolder

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
)
keys = st.text("abcdehnprtuvxyz", min_size=1, max_size=6).filter(lambda key: key not in RESERVED)
strange = st.lists(st.dictionaries(keys, values, max_size=4), min_size=2, max_size=8)

usual = st.fixed_dictionaries(
    {
        "at": st.sampled_from(
            ["2026-11-21T02:15:00.000Z", "2026-11-21T02:15:00.999Z", "2026-11-20T23:59:59.001Z", "x"]
        ),
        "run_id": st.sampled_from(["r1", "r2"]),
        "kind": st.sampled_from(["intent", "result", "outcome", "decision"]),
    },
    optional={
        "source_row": st.integers(1, 4),
        "key": st.sampled_from(["cust-1", "cust-2"]),
        "step": st.sampled_from(["customer", "wallet"]),
        "attempt": st.sampled_from([1, 2, True]),
        "fingerprint": st.sampled_from(["ab" * 32, "cd" * 32]),
        "verdict": st.sampled_from(["done", "done 200"]),
        "http_status": st.sampled_from([200, 503]),
        "trace_id": st.sampled_from(["t1", "t2"]),
        "detail": st.sampled_from(["kyc_failed", "a\u202eb", "x" * 200]),
        "write_key": st.sampled_from(["cust-1", "wal-1"]),
    },
)
logs = strange | st.lists(usual, min_size=2, max_size=12)

ROW: list[dict[str, object]] = [
    {"kind": "intent", "step": "customer", "attempt": 1, "fingerprint": "ab" * 32, "write_key": "cust-1"},
    {"kind": "result", "step": "customer", "attempt": 1, "verdict": "done", "http_status": 200},
    {"kind": "outcome", "verdict": "onboarded"},
]


def of_rows(rows: int) -> list[dict[str, object]]:
    """The events of so many rows, three each."""
    return [
        {
            "at": f"2026-11-21T02:15:{row % 60:02d}.000Z",
            "run_id": "r1",
            **event,
            "source_row": row,
            "key": f"cust-{row}",
        }
        for row in range(1, rows + 1)
        for event in ROW
    ]


def lines_of(folder: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder.path / "events.ndjson").read_bytes().split(b"\n")[:-1]]


def read(folder: RunFolder) -> list[Mapping[str, Any]]:
    return [{name: value for name, value in event.items() if name != "n"} for event in read_events(path_of(folder))]


def path_of(folder: RunFolder) -> Path:
    return folder.path / "events.ndjson"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return RunFolder.create(tmp_path_factory.mktemp("events") / "r1")


def test_what_a_run_shares_is_said_once_and_the_row_tells_the_rest(folder: RunFolder) -> None:
    write_events(of_rows(2), folder)
    header, first, second, third, *more = lines_of(folder)
    assert (header["form"], header["at"], header["run_id"]) == (2, "2026-11-21T02:15:01.000Z", "r1")
    meaning = {"kind": "intent", "step": "customer", "attempt": 1}
    assert first == {"ms": 0, "row": 1, "event": "intent customer", "is": meaning} | {
        "key": "cust-1",
        "body": "ab" * 32,
        "write_key": True,
    }
    assert (second["event"], third["event"]) == ("result customer done 200", "outcome onboarded")
    assert more[1] == {"ms": 1000, "row": 2, "event": "result customer done 200"}


def test_anyone_can_recompute_the_seals_with_sed_and_sha256sum(folder: RunFolder) -> None:
    chain = write_events(of_rows(BLOCK), folder)
    lines = path_of(folder).read_bytes().splitlines(keepends=True)
    seals = [(number, json.loads(line)) for number, line in enumerate(lines) if line.startswith(b'{"seal":')]
    assert len(seals) == 4
    for before, (number, seal) in zip([0, *(number for number, _ in seals)], seals, strict=False):
        assert seal["seal"] == {"from": before + 1, "to": number}
        assert seal["sha256"] == hashlib.sha256(b"".join(lines[before:number])).hexdigest()
    assert [seal.get("last") for _, seal in seals] == [None, None, None, True]
    assert chain == Chain(seals[0][1]["sha256"], seals[-1][1]["sha256"], 3 * BLOCK)


@given(logs)
def test_what_was_written_verifies_and_reads_back(folder: RunFolder, events: list[dict[str, Any]]) -> None:
    heard: list[Mapping[str, Any]] = []
    chain = write_events(events, folder)
    assert verify_events(path_of(folder), chain, heard.append) == chain
    assert heard == read(folder) == events
    assert [type(event.get("attempt")) for event in heard] == [type(event.get("attempt")) for event in events]


def test_a_key_is_said_again_when_many_rows_came_between(folder: RunFolder) -> None:
    first = of_rows(1)
    between = ({"kind": "outcome", "source_row": row, "key": f"cust-{row}"} for row in range(2, KEYS + 2))
    write_events([*first[:2], *between, first[2]], folder)
    assert lines_of(folder)[-2] == {"ms": 0, "row": 1, "event": "outcome onboarded", "is": ROW[2], "key": "cust-1"}
    assert read(folder)[-1]["key"] == "cust-1"


@given(
    logs,
    st.sampled_from(["change", "remove", "swap", "insert", "repeat", "cut", "blank"]),
    st.randoms(use_true_random=False),
)
def test_every_edit_is_found(folder: RunFolder, events: list[dict[str, Any]], edit: str, chance: random.Random) -> None:
    chain = write_events(events * chance.choice([1, 1, 30]), folder)
    path = path_of(folder)
    before = path.read_bytes()
    path.write_bytes(edited(before, edit, chance))
    note(f"{edit}: {path.read_bytes()!r}")
    with pytest.raises(Unproven, match=r"events\.ndjson"):
        verify_events(path, chain)


def edited(content: bytes, edit: str, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    place = chance.randrange(len(lines))
    if edit == "change":
        at = chance.randrange(len(content))
        return content[:at] + bytes([content[at] ^ (1 << chance.randrange(7))]) + content[at + 1 :]
    if edit == "swap":
        other = next((n for n in range(len(lines)) if lines[n] != lines[place]), place)
        lines[place], lines[other] = lines[other], lines[place]
    elif edit == "cut":
        return content[: chance.randrange(len(content))]
    else:
        new = {
            "remove": [],
            "insert": [lines[place], b'{"n":1}\n'],
            "repeat": [lines[place]] * 2,
            "blank": [lines[place], b"\n"],
        }
        lines[place : place + 1] = new[edit]
    return b"".join(lines)


@pytest.mark.parametrize(("row", "named"), [(2, "lines 1 to 100 of"), (40, "lines 101 to 200 of"), (99, "201 to 300")])
def test_the_block_that_was_changed_is_named(folder: RunFolder, row: int, named: str) -> None:
    write_events(of_rows(BLOCK), folder)
    path = path_of(folder)
    path.write_bytes(path.read_bytes().replace(b'"row":%d,' % row, b'"row":%d,' % (row + 1), 1))
    with pytest.raises(Unproven, match=named):
        verify_events(path)


def test_a_tail_cut_off_behind_a_seal_is_found_without_the_manifest(folder: RunFolder) -> None:
    write_events(of_rows(BLOCK), folder)
    path = path_of(folder)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[: BLOCK + 1]))
    with pytest.raises(Unproven, match="cut off"):
        verify_events(path)


def test_a_log_whose_lines_hold_their_own_hashes_reads_and_verifies(folder: RunFolder) -> None:
    lines, before = b"", GENESIS
    for number, event in enumerate(of_rows(2), start=1):
        line = linked_line(event, number, before)
        lines, before = lines + line, json.loads(line)["hash"]
    path_of(folder).write_bytes(lines)
    heard: list[Mapping[str, Any]] = []
    assert verify_events(path_of(folder), hear=heard.append).last_hash == before
    assert [event["n"] for event in read_events(path_of(folder))] == [1, 2, 3, 4, 5, 6]
    assert heard == list(read_events(path_of(folder)))
    path_of(folder).write_bytes(lines.replace(b'"cust-2"', b'"cust-9"', 1))
    with pytest.raises(Unproven, match="line 4 of"):
        verify_events(path_of(folder))


def test_a_row_of_a_million_costs_fewer_than_700_bytes(folder: RunFolder) -> None:
    write_events(
        (
            {"at": f"2026-11-21T1{row % 9}:15:00.{step:03d}Z", "run_id": "r1", "source_row": row, **event}
            for row in range(1_000_000, 1_000_300)
            for step, event in enumerate(seven(f"{row:036d}", hashlib.sha256(b"%d" % row).hexdigest()))
        ),
        folder,
    )
    assert path_of(folder).stat().st_size / 300 < 700


def seven(own: str, digest: str) -> list[dict[str, object]]:
    """The events of a row that is onboarded in three steps, but for time and row."""
    named = {"key": f"cust-{own}", "attempt": 1}
    done = {**named, "kind": "result", "verdict": "done", "http_status": 200}
    return [
        {**named, "kind": "intent", "step": "customer", "fingerprint": digest, "write_key": f"cust-{own}"},
        {**done, "step": "customer"},
        {**named, "kind": "intent", "step": "kyc", "fingerprint": "44" * 32},
        {**done, "step": "kyc"},
        {**named, "kind": "intent", "step": "wallet", "fingerprint": digest[::-1], "write_key": f"wal-{own}"},
        {**done, "step": "wallet"},
        {"key": f"cust-{own}", "kind": "outcome", "verdict": "onboarded"},
    ]


def test_no_field_breaks_a_line_or_drives_a_terminal(folder: RunFolder) -> None:
    write_events([{"text": "a\r\n\x00\x1b[31m\x7f\x85\u2028\u202eb é"}], folder)
    text = path_of(folder).read_text("utf-8")
    assert len(text.splitlines()) == 3
    assert text.replace("\n", "").isprintable()
    assert read(folder)[0]["text"].endswith("b é")


@pytest.mark.parametrize(
    "event",
    [{"ms": 0}, {"a": [{"b": 1.0}]}, {"a": 0.1}, {"n": 1}, {"hash": "x"}, {"when": object()}, {"s": {1}}, {"seal": 1}],
)
def test_what_has_no_single_spelling_is_refused(folder: RunFolder, event: dict[str, Any]) -> None:
    with pytest.raises(MusterError):
        write_events([event], folder)


def test_a_run_without_events_has_an_empty_chain(folder: RunFolder) -> None:
    assert write_events([], folder) == Chain(GENESIS, GENESIS, 0) == verify_events(path_of(folder))
