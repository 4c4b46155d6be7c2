import hashlib
import json
import random
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from jobs.errors import MusterError, Unproven
from jobs.evidence.events import GENESIS, Chain, verify_events, write_events
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
keys = st.text("abcdehnprtuvxyz", min_size=1, max_size=6).filter(lambda key: key not in ("n", "prev", "hash"))
logs = st.lists(st.dictionaries(keys, values, max_size=4), min_size=2, max_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return RunFolder.create(tmp_path_factory.mktemp("events") / "r1")


def test_each_line_carries_its_number_the_hash_before_and_its_own(folder: RunFolder) -> None:
    chain = write_events(
        [{"type": "run.start", "t": "2026-11-21T02:15:00.000Z"}, {"type": "run.end", "ok": True}], folder
    )
    first, second = map(json.loads, (folder.path / "events.ndjson").read_text("utf-8").splitlines())
    assert (first["n"], first["prev"], second["n"], second["prev"]) == (1, GENESIS, 2, first["hash"])
    assert chain == Chain(first["hash"], second["hash"], 2)


@given(logs)
def test_anyone_can_recompute_the_chain_with_a_json_library(folder: RunFolder, events: list[dict[str, Any]]) -> None:
    write_events(events, folder)
    prev = GENESIS
    for line in (folder.path / "events.ndjson").read_bytes().split(b"\n")[:-1]:
        event = json.loads(line)
        stated = event.pop("hash")
        bare = line.decode().replace(f'"hash":"{stated}",', "", 1).replace(f',"hash":"{stated}"', "", 1)
        assert stated == hashlib.sha256((prev + bare).encode()).hexdigest()
        prev = stated


@given(logs)
def test_what_was_written_verifies_and_reads_back(folder: RunFolder, events: list[dict[str, Any]]) -> None:
    chain = write_events(events, folder)
    path = folder.path / "events.ndjson"
    assert verify_events(path, chain) == chain
    found = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    assert [{key: event[key] for key in event.keys() - {"n", "prev", "hash"}} for event in found] == events


@given(
    logs,
    st.sampled_from(["change", "remove", "swap", "insert", "repeat", "cut", "blank"]),
    st.randoms(use_true_random=False),
)
def test_every_edit_is_found(folder: RunFolder, events: list[dict[str, Any]], edit: str, chance: random.Random) -> None:
    chain = write_events(events, folder)
    path = folder.path / "events.ndjson"
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
        other = (place + 1) % len(lines)
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


def test_the_first_bad_line_is_named(folder: RunFolder) -> None:
    write_events([{"row": row} for row in range(5)], folder)
    path = folder.path / "events.ndjson"
    path.write_bytes(path.read_bytes().replace(b'"row":2', b'"row":9'))
    with pytest.raises(Unproven, match="line 3 of"):
        verify_events(path)


def test_no_field_breaks_a_line_or_drives_a_terminal(folder: RunFolder) -> None:
    write_events([{"text": "a\r\n\x00\x1b[31m\x7f\x85\u2028\u202eb é"}], folder)
    text = (folder.path / "events.ndjson").read_text("utf-8")
    assert len(text.splitlines()) == 1
    assert text.rstrip("\n").isprintable()
    assert json.loads(text)["text"].endswith("b é")


@pytest.mark.parametrize(
    "event", [{"ms": 0.1}, {"a": [{"b": 1.0}]}, {"n": 1}, {"hash": "x"}, {"when": object()}, {"s": {1}}]
)
def test_what_has_no_single_spelling_is_refused(folder: RunFolder, event: dict[str, Any]) -> None:
    with pytest.raises(MusterError):
        write_events([event], folder)


def test_a_run_without_events_has_an_empty_chain(folder: RunFolder) -> None:
    assert write_events([], folder) == Chain(GENESIS, GENESIS, 0) == verify_events(folder.path / "events.ndjson")
