"""What a JSON Web Token says of itself, unverified: only the target can verify it."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson


def claims_of(header_value: str) -> Mapping[str, Any]:
    """The claims of a JWT, unverified (only the target can verify); empty when it is none."""
    parts = header_value.rsplit(" ", 1)[-1].split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def holder_of(token: str) -> str:
    """Whose token it is, as far as it says: issuer and subject or client, so that a renewed one is the same holder's.

    The token itself where it says nothing.
    """
    claims = claims_of(token)
    whose = next((claims[name] for name in ("sub", "client_id", "azp") if isinstance(claims.get(name), str)), None)
    return f"{claims.get('iss', '')}|{whose}" if whose else token
