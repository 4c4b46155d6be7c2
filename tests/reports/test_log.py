"""The log of seals against an oracle written from the words of RFC 6962 alone, and as foreign programs read it."""

import base64
import hashlib
import random
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.errors import Unproven
from jobs.evidence.log import merkle
from jobs.evidence.log.checkpoint import parsed
from jobs.evidence.log.row_proof import consistency_proof, entry_proof
from jobs.evidence.log.tiles import Log
from jobs.evidence.signature import new_key, signer


def mth(entries: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = max(2**power for power in range(64) if 2**power < len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(entries) == 1:
        return []
    k = max(2**power for power in range(64) if 2**power < len(entries))
    return [*path(m, entries[:k]), mth(entries[k:])] if m < k else [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = max(2**power for power in range(64) if 2**power < len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


ENTRIES = [f"entry {number}".encode() for number in range(23)]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 23])
def test_roots_and_proofs_are_those_of_the_rfc(size: int) -> None:
    entries = ENTRIES[:size]
    leaves = [merkle.leaf(entry) for entry in entries]
    root = merkle.root(leaves)
    assert root == mth(entries)
    for index in range(size):
        proof = merkle.inclusion(leaves, index)
        assert proof == path(index, entries)
        assert merkle.root_by_inclusion(leaves[index], index, size, proof) == root
        assert merkle.root_by_inclusion(leaves[index - 1], index, size, proof) != root or size == 1
        assert merkle.root_by_inclusion(leaves[index], index, size, [*proof, root]) is None
    for before in range(1, size + 1):
        proof = merkle.consistency(leaves, before)
        assert proof == subproof(before, entries, True)
        old = merkle.root(leaves[:before])
        assert merkle.is_consistent(before, old, size, root, proof)
        assert not merkle.is_consistent(before, root if before < size else b"x", size, root, proof)
        assert not merkle.is_consistent(before, old, size, mth(ENTRIES[1:]), proof)


def test_the_log_is_read_as_tiles_by_a_program_that_knows_only_the_specification(tmp_path: Path) -> None:
    log, entries = Log(tmp_path / "log"), [f"{number}".encode() for number in range(700)]
    for before, size in pairwise([0, 1, 255, 256, 300, 700]):
        log.extend(entries[:before], entries[before:size], "muster-ledger/abc", None)
    bundle = (tmp_path / "log" / "tile" / "entries" / "002.p" / "188").read_bytes()
    assert bundle[:5] == b"\x00\x03512"
    tile = (tmp_path / "log" / "tile" / "0" / "001").read_bytes()
    assert [tile[at : at + 32] for at in range(0, len(tile), 32)] == [mth([each]) for each in entries[256:512]]
    above = (tmp_path / "log" / "tile" / "1" / "000.p" / "2").read_bytes()
    assert above == mth(entries[:256]) + mth(entries[256:512])
    lines = (tmp_path / "log" / "checkpoint").read_text().split("\n")
    assert lines == ["muster-ledger/abc", "700", base64.b64encode(mth(entries)).decode(), "", ""]
    assert (log.problems(), log.entries()) == ([], entries)


@pytest.mark.parametrize("harm", ["changed", "cut", "moved"])
def test_an_entry_that_was_changed_or_taken_away_is_noticed(tmp_path: Path, harm: str) -> None:
    log = Log(tmp_path / "log")
    before = log.extend([], ENTRIES[:5], "muster-ledger/abc", None)
    log.extend(ENTRIES[:5], ENTRIES[5:], "muster-ledger/abc", None)
    assert log.lacks(before) is None
    again = Log(tmp_path / "again")
    left = {"changed": [b"x", *ENTRIES[1:]], "cut": ENTRIES[:3], "moved": [*ENTRIES[1::-1], *ENTRIES[2:]]}[harm]
    again.extend([], left, "muster-ledger/abc", None)
    assert again.problems() == []
    assert again.lacks(before) is not None


def test_a_checkpoint_is_a_signed_note_and_a_proof_ends_with_it(tmp_path: Path) -> None:
    private, public = new_key()
    log = Log(tmp_path / "log")
    before = log.extend([], ENTRIES[:5], "muster-ledger/abc", signer(private.decode()))
    made = log.extend(ENTRIES[:5], ENTRIES[5:], "muster-ledger/abc", signer(private.decode()))
    assert made.note.split("\n")[-2].startswith("— muster-ledger/abc ")
    assert parsed(made.note).signed_by(public)
    assert not parsed(made.note).signed_by(new_key()[1])
    assert not parsed(made.note.replace("\n23\n", "\n24\n")).signed_by(public)
    proof = entry_proof(ENTRIES, 7, made)
    assert proof.startswith("c2sp.org/tlog-proof@v1\nindex 7\n")
    assert proof.endswith(f"\n\n{made.note}")
    assert consistency_proof(ENTRIES, before, made).startswith("old 5\n")


def test_what_is_no_checkpoint_is_refused() -> None:
    chance = random.Random(1)
    for text in ["", "a\nb\nc\n\n", "a\n1\n\n\n", *(chance.randbytes(40).decode("latin-1") for _ in range(20))]:
        with pytest.raises(Unproven):
            parsed(text)
