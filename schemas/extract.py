"""The columns of an extract of the target's customers: what an input has, none of it required, and what only the
target knows."""

from dataclasses import replace

from schemas.column import Column


def _known_at_the_target(name: str, aliases: tuple[str, ...], description: str) -> Column:
    return Column(name, None, aliases, required=False, personal=False, description=description, kind="code")


AT_TARGET: tuple[Column, ...] = (
    _known_at_the_target("customer_id", ("customerId",), "The target's own number of the customer."),
    _known_at_the_target("wallet_id", ("walletId",), "The wallet; a customer with several has a row for each."),
    _known_at_the_target(
        "decision_status",
        ("decisionStatus", "kycStatus", "kyc", "ratifyStatus"),
        "The decision, in the target's words.",
    ),
    _known_at_the_target("customer_status", ("customerStatus", "status"), "Whatever the target calls it."),
    _known_at_the_target("created", ("createdAt", "creationDate"), "When the customer was created."),
)


def extract_columns(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns of an extract, from those of the system's input."""
    return (*(replace(column, required=False) for column in columns if not column.secret), *AT_TARGET)
