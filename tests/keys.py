"""Keys that take a while to make, made once a process and only when they are needed."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def rsa_key(whose: str = "ours", size: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same owner."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)
