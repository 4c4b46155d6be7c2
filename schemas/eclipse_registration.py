"""The input columns of `muster register`: those of customers, and a login name for each."""

from dataclasses import replace

from schemas.eclipse import INPUT as CUSTOMERS

REQUIRED = "identity"

INPUT = replace(
    CUSTOMERS,
    columns=tuple(replace(column, required=column.required or column.name == REQUIRED) for column in CUSTOMERS.columns),
    distinct=(*CUSTOMERS.distinct, REQUIRED),
)
