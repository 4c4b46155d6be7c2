"""The input columns of `muster admin-users create`, as Eclipse's Customer Management page gives portal users."""

import polars as pl

from schemas.column import InputModel, given
from schemas.eclipse import ECLIPSE
from schemas.eclipse_login import LOGIN

PRIVILEGED = ("TENANT_SYSTEM", "ONBOARDING")
"""Positions that a file gives to nobody unless the operator says so: the one may do everything in the tenant, the
other is half public, and registers customers (chosen)."""

_POSITION = r"(?:TENANT_SYSTEM|ONBOARDING|LEVEL_(?:0[1-9]|1[0-9]|20))"

POSITIONS = given(
    "positions",
    "positions",
    "What the user may do, joined by ';': TENANT_SYSTEM, LEVEL_01 to LEVEL_20, ONBOARDING.",
    "LEVEL_01;LEVEL_02",
    "code",
    aliases=("position", "roles", "role"),
    required=True,
    personal=False,
    pattern=rf"^{_POSITION}(?: ?; ?{_POSITION})*$",
    case="upper",
)

_CUSTOMER = {column.name: column for column in ECLIPSE}
_LOGIN = {column.name: column for column in LOGIN}

INPUT = InputModel(
    columns=(
        _CUSTOMER["row_ref"],
        _CUSTOMER["external_unique_id"].at(None, description="Key of the row; derived when absent."),
        _CUSTOMER["first_name"],
        _CUSTOMER["last_name"],
        _CUSTOMER["phone"],
        _CUSTOMER["email"],
        _LOGIN["identity"].at(
            "identity",
            "username",
            "login",
            required=True,
            description="Login name, 3 to 40 characters without blanks; unique over the whole platform.",
        ),
        POSITIONS,
        _LOGIN["password"].at(
            "password",
            "initialPassword",
            description="First password, 3 to 80 characters, clear or BCrypt; generated when absent.",
        ),
        _CUSTOMER["national_id"].at(None, required=False, description="Not sent."),
    ),
    seeds=("row_ref", "identity"),
    distinct=("external_unique_id", "identity"),
    held=pl.col("positions").str.contains("|".join(PRIVILEGED)),
)
