"""Signatures of login challenges: RSA, PKCS#1 v1.5, SHA-256 (chosen; the vendor's page names RSA-4096 only).

Verifying takes one power and one comparison, so no library is needed; nothing here signs or keeps a secret.
"""

import base64
import binascii
import hashlib
import hmac

DIGEST = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in the padded block: RFC 8017, section 9.2, note 1."""

INTEGER, BITS, SEQUENCE = 0x02, 0x03, 0x30


def verified(public_key: str, text: str, signature: str) -> bool:
    """Did the holder of `public_key` (base64 of a DER SubjectPublicKeyInfo) sign `text`? Signature in base64."""
    try:
        modulus, exponent = _rsa(base64.b64decode(public_key, validate=True))
        signed = base64.b64decode(signature, validate=True)
    except (ValueError, IndexError, binascii.Error):
        return False
    size = (modulus.bit_length() + 7) // 8
    tail = DIGEST + hashlib.sha256(text.encode()).digest()
    if len(signed) != size or size < len(tail) + 11:
        return False
    number = int.from_bytes(signed)
    if number >= modulus:
        return False
    block = pow(number, exponent, modulus).to_bytes(size)
    padding = b"\xff" * (size - len(tail) - 3)
    return hmac.compare_digest(block, b"\x00\x01" + padding + b"\x00" + tail)


def _rsa(der: bytes) -> tuple[int, int]:
    """Modulus and exponent of a SubjectPublicKeyInfo; ValueError or IndexError when it is none."""
    outer, _ = _element(der, SEQUENCE)
    _, rest = _element(outer, SEQUENCE)
    bits, _ = _element(rest, BITS)
    key, _ = _element(bits[1:], SEQUENCE)
    modulus, rest = _element(key, INTEGER)
    exponent, _ = _element(rest, INTEGER)
    return int.from_bytes(modulus), int.from_bytes(exponent)


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Content of the first element, and what follows it."""
    if der[0] != tag:
        raise ValueError("another element was expected")
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    return der[start : start + length], der[start + length :]
