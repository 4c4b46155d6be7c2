"""A plan as a file: what a run would do with one input, sealed by a hash, approved by a second person.

    PLAN             {"plan": {...}, "seal": SHA-256 of the plan's canonical JSON, "signature"?, "public_key"?}
    PLAN.approved    {"approval": {...}, "seal": that of the plan, "signature"?, "public_key"?}

Neither holds personal data. Who somebody is: the user of the operating system, by number and as the owner of the file,
or the ed25519 key that signed. Canonical JSON has sorted keys and no blanks.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.atomic import atomic
from jobs.clock import iso
from jobs.errors import ExitCode, MusterError, Unusable
from jobs.evidence.manifest import Signer
from jobs.evidence.signature import verifies
from jobs.value import value

KIND = "muster-plan"
APPROVED = ".approved"
READABLE = 0o644
"""The second person has to read a plan, and nothing in it is personal."""


class StalePlan(MusterError):
    """The plan is stale, was changed, or lacks a valid approval; nothing was sent."""

    exit_code = ExitCode.STALE_PLAN


@value
class Person:
    """Who did something. `key`: fingerprint of the ed25519 key that signed it; None: nothing was signed."""

    uid: int
    user: str
    host: str
    key: str | None = None
    owner: bool = True
    """Whether the file that says so belongs to that user."""

    def facts(self) -> dict[str, object]:
        """For files."""
        return {"uid": self.uid, "user": self.user, "host": self.host, "key": self.key}

    def another_than(self, other: "Person") -> bool:
        """Whether it is provably somebody else: with another key, or without two keys the owner of another file."""
        if self.key is not None and other.key is not None:
            return self.key != other.key
        return self.owner and other.owner and self.uid != other.uid

    @property
    def names(self) -> frozenset[str]:
        """What `approvers` may call the person."""
        return frozenset(filter(None, (self.user, self.key)))


@value
class SealedPlan:
    """A plan that was read and whose seal holds, with its bytes and those of its approval."""

    path: Path
    content: bytes
    plan: Mapping[str, Any]
    seal: str
    made_by: Person
    approval: bytes | None = None
    approved_by: Person | None = None

    def predicted(self) -> Sequence[tuple[int, int, str]]:
        """(first source row, last one, verdict), rising; every row of the input is in one."""
        return [(int(first), int(last), str(verdict)) for first, last, verdict in self.plan["predicted"]]

    def facts(self) -> dict[str, object]:
        """For the manifest of the run."""
        by = None if self.approved_by is None else self.approved_by.facts()
        return {"seal": self.seal, "made_by": self.made_by.facts(), "approved_by": by}


def write_plan(path: Path, plan: Mapping[str, Any], sign: Signer | None) -> str:
    """Writes a new PLAN; gives its seal. Raises Unusable where a file is already."""
    seal = sealed(plan)
    return _written(path, {"plan": plan, "seal": seal}, seal, sign)


def write_approval(plan: SealedPlan, approval: Mapping[str, Any], sign: Signer | None) -> Path:
    """Writes PLAN.approved. Raises Unusable where one is already."""
    path = approval_of(plan.path)
    seal = sealed({"approval": approval, "seal": plan.seal})
    _written(path, {"approval": approval, "seal": plan.seal}, seal, sign)
    return path


def read_plan(path: Path) -> SealedPlan:
    """The plan in `path` with its approval, where there is one. Raises Unusable, StalePlan when it was changed."""
    content, document = _document(path, "plan")
    plan, seal = document.get("plan"), document.get("seal")
    if not isinstance(plan, dict) or plan.get("kind") != KIND or not isinstance(seal, str):
        raise Unusable(f"{path} is no plan", hint="muster plan INPUT --out PLAN makes one")
    if sealed(plan) != seal:
        raise StalePlan(f"{path} was changed after it was made", hint="make it again: muster plan INPUT --out PLAN")
    maker = _person(path, plan["made_by"], document, seal)
    beside = approval_of(path)
    if not beside.exists():
        return SealedPlan(path, content, plan, seal, maker)
    approval, told = _document(beside, "approval")
    if told.get("seal") != seal or not isinstance(told.get("approval"), dict):
        raise StalePlan(f"{beside} approves another plan", hint=f"remove it, then muster approve {path}")
    its = sealed({"approval": told["approval"], "seal": seal})
    by = _person(beside, told["approval"]["by"], told, its)
    return SealedPlan(path, content, plan, seal, maker, approval=approval, approved_by=by)


def check_expiry(plan: SealedPlan, now: datetime) -> None:
    """Raises StalePlan for a plan whose time is over."""
    if iso(now) >= str(plan.plan["expires_at"]):
        raise StalePlan(f"{plan.path} expired at {plan.plan['expires_at']}", hint="make it again")


def check_approval(plan: SealedPlan, *, needed: bool, approvers: frozenset[str]) -> None:
    """Raises StalePlan for an approval of who made the plan, or of who may not approve; and for none where `needed`."""
    by = plan.approved_by
    if by is None:
        if needed:
            raise StalePlan(f"{plan.path} is not approved", hint=f"somebody else: muster approve {plan.path}")
        return
    if not by.another_than(plan.made_by):
        raise StalePlan(f"{plan.path} was approved by who made it ({by.user})", hint="let somebody else approve it")
    if approvers and not by.names & approvers:
        raise StalePlan(f"{by.user} may not approve plans", hint="approvers in muster.toml names who may")


def approval_of(path: Path) -> Path:
    """Where the approval of the plan in `path` lies."""
    return path.with_name(path.name + APPROVED)


def sealed(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`, in hex."""
    return hashlib.sha256(_canonical(value)).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _written(path: Path, document: dict[str, object], seal: str, sign: Signer | None) -> str:
    if sign is not None:
        document |= {"signature": sign.sign(seal.encode()).hex(), "public_key": sign.public_key}
    if path.exists():
        raise Unusable(f"{path} is there already", hint="give another name, or remove it")
    try:
        with atomic(path) as draft:
            draft.write_text(
                json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        path.chmod(READABLE)
    except OSError as error:
        raise Unusable(f"{path} can't be written: {error.strerror}") from error
    return seal


def _document(path: Path, what: str) -> tuple[bytes, dict[str, Any]]:
    try:
        content = path.read_bytes()
        document = json.loads(content)
    except OSError as error:
        raise Unusable(f"the {what} {path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Unusable(f"{path} is no {what}")
    return content, document


def fingerprint(public_key: str) -> str:
    """How an ed25519 key (PEM) is named: `ed25519:` and the first 16 hex digits of the SHA-256 of its one line."""
    line = "".join(each for each in public_key.split() if not each.startswith("-") and not each.endswith("-"))
    return f"ed25519:{hashlib.sha256(line.encode()).hexdigest()[:16]}"


def _signed_with(document: Mapping[str, Any], content: bytes) -> str | None:
    """The fingerprint of the key that signed `content` as `document` says; None: unsigned, or not rightly."""
    try:
        signature, public_key = bytes.fromhex(str(document["signature"])), str(document["public_key"])
    except (KeyError, ValueError):
        return None
    return fingerprint(public_key) if verifies(public_key.encode(), signature, content) else None


def _person(path: Path, told: Mapping[str, Any], document: Mapping[str, Any], seal: str) -> Person:
    """Who is said to have written `path`: as its owner and its signature show. Raises StalePlan when they don't."""
    owner, key = path.stat().st_uid == told["uid"], _signed_with(document, seal.encode())
    if key != told["key"]:
        raise StalePlan(f"{path} is not signed with the key it names", hint="make it again")
    if key is None and not owner:
        raise StalePlan(f"{path} belongs to another user than the one it names ({told['user']})", hint="make it again")
    return Person(int(told["uid"]), str(told["user"]), str(told["host"]), key, owner)
