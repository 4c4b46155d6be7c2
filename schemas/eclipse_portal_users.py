"""The input columns of `muster admin-users create`, as Eclipse's Customer Management page gives portal users."""

from dataclasses import replace

import polars as pl

from schemas.column import Column, InputModel
from schemas.eclipse import ECLIPSE
from schemas.eclipse_login import LOGIN

PRIVILEGED = ("TENANT_SYSTEM", "ONBOARDING")
"""Positions that a file gives to nobody unless the operator says so: the one may do everything in the tenant, the
other is half public, and registers customers (chosen)."""

_POSITION = r"(?:TENANT_SYSTEM|ONBOARDING|LEVEL_(?:0[1-9]|1[0-9]|20))"

POSITIONS = Column(
    "positions",
    "positions",
    ("position", "roles", "role"),
    required=True,
    personal=False,
    description="What the user may do, joined by ';': TENANT_SYSTEM, LEVEL_01 to LEVEL_20, ONBOARDING.",
    kind="code",
    pattern=rf"^{_POSITION}(?: ?; ?{_POSITION})*$",
    case="upper",
    example="LEVEL_01;LEVEL_02",
)

_CUSTOMER = {column.name: column for column in ECLIPSE}
_LOGIN = {column.name: column for column in LOGIN}

INPUT = InputModel(
    columns=(
        _CUSTOMER["row_ref"],
        replace(_CUSTOMER["external_unique_id"], api=None, description="Key of the row; derived when absent."),
        _CUSTOMER["first_name"],
        _CUSTOMER["last_name"],
        _CUSTOMER["phone"],
        _CUSTOMER["email"],
        replace(
            _LOGIN["identity"],
            api="identity",
            aliases=("username", "login"),
            required=True,
            description="Login name, 3 to 40 characters without blanks; unique over the whole platform.",
        ),
        POSITIONS,
        replace(
            _LOGIN["password"],
            api="password",
            aliases=("initialPassword",),
            description="First password, 3 to 80 characters, clear or BCrypt; generated when absent.",
        ),
        replace(_CUSTOMER["national_id"], api=None, required=False, description="Not sent."),
    ),
    seeds=("row_ref", "identity"),
    distinct=("external_unique_id", "identity"),
    held=pl.col("positions").str.contains("|".join(PRIVILEGED)),
)
