"""What a target is verified with, and what we show it."""

import ssl

import certifi

from jobs.errors import Unusable
from jobs.systems.messages import Certificate


def tls(certificate: Certificate | None = None) -> ssl.SSLContext:
    """Verification against the usual roots or those given, TLS 1.2 or newer; with our own certificate if there is one.

    Raises Unusable when a file can't be used.
    """
    given = certificate or Certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which verifies chain and name; nothing of the environment
    if not given.authorities:
        context.load_verify_locations(certifi.where())
    for roots in given.authorities:
        try:
            context.load_verify_locations(roots)
        except (OSError, ValueError) as error:
            raise Unusable(f"the roots of the target can't be used ({type(error).__name__}): {roots}") from None
    if given.chain is not None:
        try:
            # An empty pass phrase, so that OpenSSL does not ask for one at the terminal.
            context.load_cert_chain(given.chain, given.key, password=b"")
        except (OSError, ValueError) as error:
            raise Unusable(f"the client certificate can't be used ({type(error).__name__}): {given.chain}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
