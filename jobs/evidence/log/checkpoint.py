"""A checkpoint: how long a log was and what its root was, as a signed note (c2sp.org/tlog-checkpoint, signed-note)."""

import base64
import binascii
import hashlib

from jobs.errors import Unproven
from jobs.evidence.manifest import Signer
from jobs.evidence.signature import verifies
from jobs.value import value

ED25519 = b"\x01"
"""The signature type of c2sp.org/signed-note."""

KEY_BYTES = 32
"""Of an ed25519 public key (RFC 8032), which are the last ones of its DER."""


@value
class Checkpoint:
    """`size` entries of the log `origin` have this `root`. `note`: as it was written, with its signatures."""

    origin: str
    size: int
    root: bytes
    note: str = ""

    @property
    def body(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, sign: Signer | None) -> "Checkpoint":
        """With a signature; without a key, without one."""
        note = self.body + "\n"
        if sign is not None:
            made = key_id(self.origin, sign.public_key) + sign.sign(self.body.encode())
            note += f"— {self.origin} {base64.b64encode(made).decode()}\n"
        return Checkpoint(self.origin, self.size, self.root, note)

    def signed_by(self, public_key: bytes) -> bool:
        """Whether one of its signatures is of this key (PEM). Raises Unusable without the library."""
        wanted = key_id(self.origin, public_key.decode())
        for line in self.note.partition("\n\n")[2].splitlines():
            parts = line.split(" ")
            found = _bytes_of(parts[-1])
            if parts[:2] == ["—", self.origin] and found[:4] == wanted:
                return verifies(public_key, found[4:], self.body.encode())
        return False


def parsed(note: str) -> Checkpoint:
    """The checkpoint that `note` is. Raises Unproven when it is none."""
    lines = note.split("\n")
    root = _bytes_of(lines[2]) if len(lines) > 3 else b""
    if len(root) != hashlib.sha256().digest_size or not lines[0] or not lines[1].isdecimal() or "" not in lines[3:]:
        raise Unproven("that is no checkpoint of a log")
    return Checkpoint(lines[0], int(lines[1]), root, note)


def key_id(name: str, public_key: str) -> bytes:
    """The first 4 bytes of the hash of a key's name and the key (PEM)."""
    der = _bytes_of("".join(line for line in public_key.splitlines() if not line.startswith("-")))
    return hashlib.sha256(f"{name}\n".encode() + ED25519 + der[-KEY_BYTES:]).digest()[:4]


def _bytes_of(text: str) -> bytes:
    """What `text` is in base64; nothing where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
