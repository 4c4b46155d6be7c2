"""Where a run delivers the passwords of the logins that it makes, and whether it can."""

import polars as pl

from jobs.batch import Batch
from jobs.errors import Unusable
from jobs.privacy.passwords import PASSWORD_COLUMN, PasswordFile
from jobs.settings.settings import Settings
from jobs.systems import capabilities


def passwords_of(settings: Settings) -> PasswordFile | None:
    """The passwords of a job that makes logins; None for every other one. Raises Unusable."""
    if not capabilities(settings.job_name.adapter).logins:
        return None
    return PasswordFile.opened(settings.passwords, settings.encrypt_to)


def check_password_delivery(batch: Batch, settings: Settings) -> None:
    """Raises Unusable when a login is to be made, its row has no password, and no file was named to deliver one in."""
    if not capabilities(settings.job_name.adapter).logins or settings.passwords is not None:
        return
    rows = pl.scan_parquet(batch.validated.accepted, glob=False)
    without = rows.filter(pl.col(PASSWORD_COLUMN).is_null()).select(pl.len()).collect().item()
    if without:
        raise Unusable(
            f"{without:,} rows have no password, and nowhere to deliver generated ones",
            hint="--passwords FILE, a file that only you can read",
        )
