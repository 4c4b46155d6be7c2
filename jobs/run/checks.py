"""What has to hold before a run sends anything: first of the settings alone, then of the whole file."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from jobs.batch import Batch
from jobs.clock import Clock
from jobs.engine.case import Case
from jobs.engine.opening import Taking, known_of, ledger_keys, open_case
from jobs.errors import Unusable
from jobs.evidence.sealed_plan import SealedPlan
from jobs.intake.control import ControlRecord, control_record
from jobs.intake.stage import SOURCE_ROW
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.privacy.age_files import refuse_unusable
from jobs.privacy.passwords import PASSWORD_COLUMN, PasswordFile
from jobs.publishing.sealing import signing
from jobs.run.canary import with_default_canary
from jobs.run.gates import check_gates
from jobs.run.planned import check_plan
from jobs.run.target import same_target
from jobs.run.wiring import Remembered, credential_name, credential_of, system_of
from jobs.settings.pseudonyms import key_is_there, pseudonyms_of
from jobs.settings.secrets import secret, secrets
from jobs.settings.settings import Settings
from jobs.storage.probe import refuse_unwritable_bucket
from jobs.storage.retention import Retention
from jobs.systems import capabilities
from jobs.systems.contract import System
from jobs.systems.jwt import holder_of
from schemas.columns import input_of

CLIENT = "contact_encoded_key"
"""The column that names whom a row is about, in a file of `muster decide`."""

CHECKED = ("approve", "reject")
"""What takes another credential than the one that created the client."""

NAMED = 3
"""Rows that are named; the contract's three."""


def check_settings(settings: Settings, files: Path, run_id: str) -> tuple[Settings, System]:
    """The settings as the system completes them, and the system. Raises Unusable for what would stop the run later.

    `files`: the folder of the input. `run_id`: of the run that is checked. The ledger's target is looked at here,
    before a large file is read.
    """
    check_confirmed(settings)
    check_agreed(settings)
    system = system_of(settings, files, passwords=passwords_of(settings, run_id))
    settings = with_default_canary(settings, system.capabilities)
    credential_of(settings)
    signing()
    settings.need("base_url")
    same_target(settings)
    refuse_unwritable_bucket(settings.out, Retention.wanted(settings.shown(), (settings.out, settings.witness or "")))
    return settings, system


def check_confirmed(settings: Settings) -> None:
    """Raises Unusable where the profile is protected and the tenant was not said once more."""
    if not settings.protected:
        return
    tenant, said = settings.need("tenant"), settings.confirm_tenant
    if said != tenant:
        words = "--confirm-tenant is missing" if said is None else f"--confirm-tenant says {said}"
        profile = f"profile {settings.profile}" if settings.profile else "these settings"
        raise Unusable(f"{profile} is protected and would work in tenant {tenant}: {words}", hint="--confirm-tenant ID")


def check_agreed(settings: Settings) -> None:
    """Raises Unusable unless a limit for each address and the vendor's agreement to it are named together."""
    if (settings.egress is None) != (settings.egress_agreement is None):
        raise Unusable(
            "a limit is the account's, unless the vendor has agreed to one for each address that calls leave from",
            hint="give --egress NAME and --egress-agreement TEXT, or neither",
        )


def check_batch(
    batch: Batch, settings: Settings, clock: Clock, *, new: bool
) -> tuple[ControlRecord | None, SealedPlan | None]:
    """The record that came beside the file and the plan of the run, where they were given.

    Raises Unusable when the file may not be sent, StalePlan when its plan does not hold. `new`: not one that an earlier
    run took, whose gates it has passed.
    """
    if new:
        check_gates(batch, settings)
    refuse_unusable(settings.recipient)
    check_password_delivery(batch, settings)
    check_privileged_rows(batch, settings)
    return control_record(batch.staged, settings.control), check_plan(batch, settings, clock) if new else None


def passwords_of(settings: Settings, run_id: str) -> PasswordFile | None:
    """The passwords of a job that makes logins; None for every other one. Raises Unusable."""
    if not capabilities(settings.job_name.adapter).logins:
        return None
    return PasswordFile.opened(settings.passwords, settings.encrypt_to, run_id)


def check_password_delivery(batch: Batch, settings: Settings) -> None:
    """Raises Unusable when a login is to be made, its row has no password, and no file was named to deliver one in.

    Rows whose end the ledger knows, and which no run takes up again, need none.
    """
    if not capabilities(settings.job_name.adapter).logins or settings.passwords is not None:
        return
    rows = pl.scan_parquet(batch.validated.accepted, glob=False)
    without = rows.filter(pl.col(PASSWORD_COLUMN).is_null()).select(pl.len()).collect().item()
    if without and place_of(settings.ledger).exists() and key_is_there(settings.ledger):
        without = still_to_be_made(batch, settings)
    if without:
        raise Unusable(
            f"{without:,} rows have no password, and nowhere to deliver generated ones",
            hint="--passwords FILE, a file that only you can read",
        )


def still_to_be_made(batch: Batch, settings: Settings) -> int:
    """How many rows without a password of their own a run would work on, as the ledger has it."""
    pseudonyms, system, found = pseudonyms_of(settings.ledger), system_of(settings), 0
    with Store.opened(settings.ledger, create=False) as store:
        space = store.space(settings.job_name.ledger_system, settings.need("tenant"))
        for window in batch.accepted():
            rows = [row for row in window if PASSWORD_COLUMN not in row.secrets]
            known = store.known(space, ledger_keys(rows, pseudonyms))
            for row in rows:
                steps = [step.name for step in system.steps_of(row)]
                its = known_of(row, known, pseudonyms)
                found += isinstance(open_case(row, its, "check", pseudonyms, Taking(), 0, steps=steps), Case)
    return found


def check_privileged_rows(batch: Batch, settings: Settings) -> None:
    """Raises Unusable when rows are held back by their input model, and the operator did not allow them."""
    held = input_of(str(settings.job_name)).held
    if held is None or settings.allow_privileged:
        return
    rows = pl.scan_parquet(batch.validated.accepted, glob=False).filter(held).select(SOURCE_ROW).collect().to_series()
    if len(rows):
        named = ", ".join(str(row) for row in rows.head(NAMED)) + (" ..." if len(rows) > NAMED else "")
        raise Unusable(
            f"{len(rows):,} rows give privileged positions (rows {named}); nothing was sent",
            hint="--allow-privileged, when that is meant",
        )


def check_maker_checker(batch: Batch, settings: Settings) -> Sequence[str]:
    """What is worth noting of the file's rows; nothing for other jobs.

    Raises Unusable when the credential of the run created every client of the file, or is the maker's.
    """
    if settings.job != "decide" or settings.decision not in CHECKED:
        return ()
    maker, checker = secret("maker_token"), secrets().token
    if maker and checker and holder_of(maker) == holder_of(checker):
        raise Unusable("MUSTER_TOKEN is the holder's of MUSTER_MAKER_TOKEN: who creates clients does not decide")
    makers, own = makers_of(batch, Remembered(settings)), credential_name(settings)
    if makers and set(makers) == {own}:
        raise Unusable(
            "this credential created all of these clients; another one has to decide about them",
            hint="set MUSTER_TOKEN to the checker's token",
        )
    strangers = makers[None]
    if not strangers:
        return ()
    return [f"{strangers:,} of {makers.total():,} clients were not created through this ledger: by whom is not known"]


def makers_of(batch: Batch, known: Remembered) -> Counter[str | None]:
    """How many of the file's clients each credential created; None: it is not known which."""
    makers: Counter[str | None] = Counter()
    for rows in batch.accepted():
        clients = [row.values[CLIENT] for row in rows]
        made = known.among(clients)
        makers.update(made.get(client, {}).get("maker") for client in clients)
    return makers
