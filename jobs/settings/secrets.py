"""Secrets, from the environment or from files that only we can read. No option, no setting and no file of settings."""

import os
from collections.abc import Mapping
from pathlib import Path

from jobs.errors import Unusable
from jobs.model import Secrets
from jobs.privacy.secret_file import bare, secret_of
from jobs.settings.option import PREFIX
from jobs.transport.successor import keeper, latest

SECRETS = (
    "identity",
    "password",
    "token",
    "private_key",
    "maker_token",
    "recon_identity",
    "recon_password",
    "operator_identity",
    "operator_password",
    "pseudonym_key",
    "signing_key",
    "webhook_secret",
    "notify_key",
    "input_query",
)
"""Never options: an argument is visible to every user of the machine."""

MEANINGS = {
    "identity": "the login name",
    "password": "its password",
    "token": "a token, in the place of identity and password",
    "private_key": "a private key, PEM",
    "maker_token": "the token of who created the clients, so that nobody decides about the own ones",
    "recon_identity": "another login, which reads back what was made",
    "recon_password": "its password",
    "operator_identity": "the operator's login, for what follows a registration",
    "operator_password": "its password",
    "pseudonym_key": "the key of the ledger's pseudonyms, in the place of the file beside it",
    "signing_key": "the private key that signs manifests and plans, PEM",
    "webhook_secret": "the secret by which the target's own notifications are proven",
    "notify_key": "the key that a webhook's notices are signed with",
    "input_query": "what stands behind the ? of an input at an https address",
}
"""What each is, unless a system says it better (`Capabilities.secrets`)."""

SIGNING_COMMAND = f"{PREFIX}SIGNING_COMMAND"
SIGNING_PUBLIC_KEY = f"{PREFIX}SIGNING_PUBLIC_KEY_FILE"
"""In the place of the signing key: a program that signs what it is given (KMS, PKCS #11), and its public key."""

PEM = frozenset({"private_key", "signing_key"})
"""Those of several lines."""


def secret(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret `name` from its variable, or from the file that `…_FILE` names. Raises Unusable.

    Nobody else may be able to read the file. A byte order mark and the line ends behind it are not part of the secret.
    """
    environ = os.environ if environ is None else environ
    variable = PREFIX + name.upper()
    lines = name in PEM
    if environ.get(variable):
        return bare(environ[variable], variable, lines=lines)
    file = environ.get(variable + "_FILE")
    if not file:
        return None
    return bare(secret_of(Path(file), f"{variable}_FILE"), f"{variable}_FILE", lines=lines)


def signing_command(environ: Mapping[str, str] | None = None) -> tuple[str, Path] | None:
    """The program that signs, and the file of its public key; None: there is none. Raises Unusable for one alone."""
    environ = os.environ if environ is None else environ
    command, key = environ.get(SIGNING_COMMAND), environ.get(SIGNING_PUBLIC_KEY)
    if bool(command) is not bool(key):
        raise Unusable(f"{SIGNING_COMMAND} and {SIGNING_PUBLIC_KEY} go together", hint="set both, or none")
    return (command, Path(key)) if command and key else None


def secrets(prefix: str = "", environ: Mapping[str, str] | None = None) -> Secrets:
    """The credential; `prefix` `recon_` gives the reader's own, `operator_` the operator's. Raises Unusable."""
    environ = os.environ if environ is None else environ
    token = None if prefix else secret("token", environ)
    given, variable = secret(prefix + "password", environ), f"{PREFIX}{prefix.upper()}PASSWORD"
    file = None if environ.get(variable) else environ.get(variable + "_FILE")
    keep = keeper(given, variable, Path(file) if file else None)
    key = None if prefix else secret("private_key", environ)
    return Secrets(secret(prefix + "identity", environ), latest(given), token, keep, key)


def without_secrets(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without any variable of a secret: for a program that is nobody's confidant."""
    environ = os.environ if environ is None else environ
    ours = {f"{PREFIX}{name.upper()}{suffix}" for name in SECRETS for suffix in ("", "_FILE")}
    return {name: text for name, text in environ.items() if name not in ours}
