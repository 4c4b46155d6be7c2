"""The ledger's tables. Times are whole milliseconds since 1970 UTC (`_ms`), and for people only where a time of a boot
(`_up`: on the clock of the `boot` beside it) says the same; no personal data in any column.

space    one (system, tenant): keys, lease and fencing are per space
batch    one input file's content in a space; the same file again is the same batch
run      one execution over a batch
keys     every key that was ever used, with the number that stands for it elsewhere
record   one key: what is known of it now, over all batches and runs
step     one step of one key: its status now
event    append-only history: run, intent, result, outcome
outcome  how each input row of each run ended; the report is made from it
learned  one limit that the target taught by refusing
mark     pools, boots and processes, with the number that stands for each in permits
pause    until when the target asked for no calls
ahead    how far one boot's clock is ahead of another's, at most
notice   what a target told of a customer by itself, each once
holder   which key of a space holds an id of the target: two keys never hold one customer or one wallet
shard    some rows of a run, one after the other, that one process works on: lease, fencing and counters are per shard
reading  what the worker of a shard saw when it read its rows afresh, until the report of the run is written
lineage  which row of an earlier run a row of a mended file is
disposition  what people said about rows that stay as they are; append-only

`stored.py` says how what there is much of lies there: text as bytes, keys and runs as numbers.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from jobs.ledger.stored import Numbered, Packed, PackedAll

SCHEMA_VERSION = 9

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for the exact type INTEGER."""

SHOWING: dict[Any, Any] = {"personal": "showing"}
IDENTIFYING: dict[Any, Any] = {"personal": "identifying"}
"""What of an event is personal, as `schemas/report_column.py` means it; of an outcome, `schemas/outcome.py` says it."""

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, nullable=False),
    Column("key_check", String(32)),  # shows whether the key of the pseudonyms is still the same; null: none used yet
)

space = Table(
    "space",
    metadata,
    Column("space_id", _Id, primary_key=True),
    Column("system", String(20), nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("epoch", BigInteger, nullable=False, server_default="0"),  # fencing: grows with each owner
    Column("owner_run", String(80)),  # null: free
    Column("owner_pid", Integer),
    Column("owner_started", BigInteger),  # the process's own start mark, so that a reused pid is not taken for it
    Column("owner_host", String(255)),
    Column("owner_since_ms", BigInteger),
    Column("heartbeat_ms", BigInteger),
    Column("owner_boot", String(64)),  # boot id of the owner's kernel; null: unknown, or an older muster
    Column("owner_namespace", String(64)),  # pid namespace in which owner_pid is a number; null: unknown
    Column("beats", BigInteger),  # grows with each heartbeat: what an observer watches, whatever its wall clock says
    Column("origin", Text),  # scheme, host, port and path of the target that the space speaks of; null: not known yet
    UniqueConstraint("system", "tenant"),
)

batch = Table(
    "batch",
    metadata,
    Column("batch_id", _Id, primary_key=True),
    Column("space_id", ForeignKey("space.space_id"), nullable=False),
    Column("input_sha256", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("space_id", "input_sha256"),
)

run = Table(
    "run",
    metadata,
    Column("run_no", _Id, primary_key=True),  # grows from run to run as they began, whatever the wall clock showed then
    Column("run_id", String(80), nullable=False, unique=True),
    Column("batch_id", ForeignKey("batch.batch_id"), nullable=False),
    Column("command", String(20), nullable=False),
    Column("input_path", Text, nullable=False),
    Column("settings", Text, nullable=False),  # JSON, without secrets
    Column("facts", Text, nullable=False),  # JSON: host, user, pid, versions
    Column("folder", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # null: running, or died
    Column("exit_code", Integer),
    Column("summary", Text),  # JSON of summary.json as written
    Column("stop", Text),  # JSON: why all processes of the run are to stop; null: they are not
)

shard = Table(
    "shard",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("shard", Integer, primary_key=True),  # 0, 1, 2 ... in the order of the file
    Column("first_row", BigInteger, nullable=False),
    Column("last_row", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),  # a ShardState
    Column("epoch", BigInteger, nullable=False),  # fencing: grows with each owner, and when it is taken from one
    Column("worker", String(80)),  # whom the leader knows its owner as; empty: it did not start it
    Column("owner_pid", Integer),  # as of `space`
    Column("owner_started", BigInteger),
    Column("owner_host", String(255)),
    Column("owner_boot", String(64)),
    Column("owner_namespace", String(64)),
    Column("heartbeat_ms", BigInteger),
    Column("beats", BigInteger, nullable=False),
    Column("lost", Integer, nullable=False),  # owners that died or fell silent
    Column("due_ms", BigInteger),  # of a parked one: when the next of its decisions is to be read
    Column("until_ms", BigInteger),  # until when it waits for them
    Column("waiting", Text),  # JSON: of each row that waits, its attempts, and when the first and the last one was
    Column("tally", Text, nullable=False),  # JSON: how its rows ended
    Column("counted", BigInteger, nullable=False),  # intents whose calls are in `call`
    Column("repeated", BigInteger, nullable=False),  # writes sent once more after a 401
    Index("shard_by_state", "run_id", "state", "shard"),
    sqlite_with_rowid=False,
)

reading = Table(
    "reading",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("shard", Integer, primary_key=True),
    Column("lines", Text, nullable=False),  # JSON: of each column of reconciliation.csv its values, masked as there
    Column("complete", BigInteger, nullable=False),  # rows that were found complete at the target
    Column("not_read", Text, nullable=False),  # JSON: as in summary.json
    sqlite_with_rowid=False,
)

keys = Table(
    "keys",
    metadata,
    Column("key_no", _Id, primary_key=True),
    Column("key", Packed(), nullable=False, unique=True),
    sqlite_autoincrement=True,  # the number of a key that is gone is never another's
)

mark = Table(
    "mark",
    metadata,
    Column("mark_no", _Id, primary_key=True),
    Column("mark", Packed(), nullable=False, unique=True),
)

RUN, KEY = Numbered(run.c.run_no, run.c.run_id), Numbered(keys.c.key_no, keys.c.key)
MARK = Numbered(mark.c.mark_no, mark.c.mark)

record = Table(
    "record",
    metadata,
    Column("space_id", ForeignKey("space.space_id"), primary_key=True),
    Column("key", KEY, primary_key=True, autoincrement=False),
    Column("fingerprint", Packed(), nullable=False),  # keyed HMAC of all that is sent
    Column("pseudonyms", PackedAll(), nullable=False),  # keyed HMACs, field by field
    Column("outcome", Packed()),  # null: no run has settled it yet
    Column("reason_code", Packed()),
    Column("reason", Packed()),
    Column("failed_step", Packed()),
    Column("customer_id", Packed()),  # that of the facts, to be found by
    Column("facts", PackedAll(), nullable=False),  # customer_id, wallet_id, decision_status ...
    Column("http_status", Integer),
    Column("error_code", Packed()),
    Column("trace_id", Packed()),
    Column("first_attempt_ms", BigInteger),
    Column("last_attempt_ms", BigInteger),
    Column("undecided_since_ms", BigInteger),  # null: no decision is outstanding
    Column("run_id", RUN, nullable=False),  # the run that last changed it
    sqlite_with_rowid=False,
)

step = Table(
    "step",
    metadata,
    Column("space_id", ForeignKey("space.space_id"), primary_key=True),
    Column("key", KEY, primary_key=True, autoincrement=False),
    Column("name", Packed(), primary_key=True),
    Column("status", Packed(), nullable=False),  # a StepStatus
    Column("attempts", Integer, nullable=False),  # writes sent for it, over all runs
    Column("doubt_since_ms", BigInteger),  # earliest write that may have been applied and is not settled
    Column("doubts", Integer, nullable=False),  # how many such writes
    Column("bound", PackedAll()),  # facts that the newest write was made of; null: none, or of an older muster
    Column("write_key", Packed()),  # idempotency key of that very write; null: it carries none
    Column("body_sha256", Packed()),  # of that write's body
    sqlite_with_rowid=False,
)

event = Table(
    "event",
    metadata,
    Column("run_id", RUN, nullable=False),
    Column("seq", BigInteger, nullable=False),  # grows within the run
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Packed(), nullable=False),  # run_start, intent, result, outcome, run_end
    Column("source_row", BigInteger),
    Column("key", KEY, info=IDENTIFYING),
    Column("step", Packed()),
    Column("attempt", Integer),
    Column("fingerprint", Packed(), info=SHOWING),  # SHA-256 of the intended request's body
    Column("verdict", Packed()),
    Column("http_status", Integer),
    Column("error_code", Packed()),
    Column("trace_id", Packed(), info=IDENTIFYING),
    Column("detail", Packed()),
    # Idempotency key that the intended request carries; null: it carries none.
    Column("write_key", Packed(), info=SHOWING),
    PrimaryKeyConstraint("run_id", "seq"),
    sqlite_with_rowid=False,
)

outcome = Table(
    "outcome",
    metadata,
    Column("run_id", RUN, primary_key=True, autoincrement=False),
    Column("source_row", BigInteger, primary_key=True),
    Column("row_ref", Packed()),
    Column("external_unique_id", KEY),
    Column("outcome", Packed(), nullable=False),
    Column("reason_code", Packed()),
    Column("reason", Packed()),
    Column("failed_step", Packed()),
    Column("customer_id", Packed()),
    Column("wallet_id", Packed()),  # those of several wallets are joined by `;`
    Column("wallet_external_unique_id", Packed()),
    Column("decision_status", Packed()),
    Column("failed_checks", Packed()),
    Column("customer_origin", Packed()),
    Column("attempts", Integer, nullable=False),
    Column("http_status", Integer),
    Column("error_code", Packed()),
    Column("trace_id", Packed()),
    Column("phone_masked", Packed()),
    Column("national_id_masked", Packed()),
    Column("first_attempt_ms", BigInteger),
    Column("last_attempt_ms", BigInteger),
    Column("warnings", Packed()),
    Index("outcome_by_kind", "run_id", "outcome"),
    sqlite_with_rowid=False,
)

call = Table(
    "call",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("operation", String(30), primary_key=True),
    Column("method", String(8), primary_key=True),
    Column("status", String(8), primary_key=True),  # the HTTP status, `not_sent` or `maybe_sent`
    Column("calls", BigInteger, nullable=False),
)

permit = Table(
    "permit",
    metadata,
    Column("permit_id", _Id, primary_key=True),
    Column("pool", MARK, nullable=False),  # what shares the limit, as a pseudonym
    Column("sent_ms", BigInteger, nullable=False),
    Column("answered_ms", BigInteger),  # null: under way, or its process died
    Column("boot", MARK, nullable=False),  # empty: of an older muster, on the wall clock
    Column("sent_up", BigInteger),  # when it was given, or when its process last said that it lives
    Column("answered_up", BigInteger),  # as answered_ms
    Column("process", MARK),  # random mark of the process that has it; null: of an older muster
    Index("permit_by_boot", "pool", "boot", "answered_up"),
)

learned = Table(
    "learned",
    metadata,
    Column("pool", String(64), primary_key=True),  # as of `permit`
    Column("calls", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("learned_ms", BigInteger, nullable=False),  # when the target last refused
    Column("changed_ms", BigInteger, nullable=False),  # then, or when the limit was last tried higher
    Column("source", String(40), nullable=False),  # with what it refused: `HTTP 429`
    Column("boot", String(64), nullable=False, server_default=""),  # as of `permit`
    Column("learned_up", BigInteger),
    Column("changed_up", BigInteger),
)

pause = Table(
    "pause",
    metadata,
    Column("pool", String(64), primary_key=True),  # as of `permit`
    Column("boot", String(64), nullable=False),
    Column("asked_up", BigInteger, nullable=False),  # when the target asked for it
    Column("asked_ms", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),  # how long nobody sends
    Column("asked_seconds", Float, nullable=False),  # how long the target asked for, which can be longer
    Column("source", String(40), nullable=False),  # as of `learned`
)

ahead = Table(
    "ahead",
    metadata,
    Column("boot", String(64), primary_key=True),
    Column("other", String(64), primary_key=True),
    Column("ahead_ms", BigInteger, nullable=False),  # the clock of `boot` less that of `other`, at most
    sqlite_with_rowid=False,
)

holder = Table(
    "holder",
    metadata,
    Column("space_id", ForeignKey("space.space_id"), primary_key=True),
    Column("kind", Packed(), primary_key=True),  # customer, wallet
    Column("id", Packed(), primary_key=True),  # as the target spells it
    Column("key", KEY, nullable=False),
    sqlite_with_rowid=False,
)

lineage = Table(
    "lineage",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("source_row", BigInteger, primary_key=True),
    Column("from_run", String(80), nullable=False),  # of the same space
    Column("from_row", BigInteger, nullable=False),
    Index("lineage_by_origin", "from_run", "from_row"),
    sqlite_with_rowid=False,
)

disposition = Table(
    "disposition",
    metadata,
    Column("disposition_id", _Id, primary_key=True),
    Column("run_id", String(80), nullable=False),
    Column("source_row", BigInteger, nullable=False),
    Column("outcome", String(20), nullable=False),  # how the row stood; it holds as long as it stands so
    Column("reason_code", Text),
    Column("choice", String(12), nullable=False),  # known, waiting, give_up, open
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("owner", Text),
    Column("until_ms", BigInteger),  # null: for good
    Column("at_ms", BigInteger, nullable=False),
)

notice = Table(
    "notice",
    metadata,
    Column("notice_id", _Id, primary_key=True),
    Column("space_id", ForeignKey("space.space_id"), nullable=False),
    Column("digest", String(64), nullable=False),  # of what makes it the same notice: a second one is a replay
    Column("customer_id", String(64), nullable=False),  # as the target spells it, in small letters
    Column("state", String(40)),  # what the target says has become of the customer; null: it does not say
    Column("received_ms", BigInteger, nullable=False),
    UniqueConstraint("space_id", "digest"),
    Index("notice_by_customer", "space_id", "customer_id", "notice_id"),
)

ADDED: Mapping[int, tuple[Table | Column[Any] | Index, ...]] = {
    2: (learned,),
    3: (
        *(space.c[name] for name in ("owner_boot", "owner_namespace", "beats", "origin")),
        *(learned.c[name] for name in ("boot", "learned_up", "changed_up")),
        pause,
        ahead,
    ),
    4: (lineage, disposition),
    5: (notice,),
    6: (shard,),
    7: (),
    8: (*(index for index in shard.indexes if index.name == "shard_by_state"), reading),
    9: (keys, mark),
}
"""What each version has more than the one before: tables, indexes, and columns that may be null or have a default.

A migration adds these, and makes those of `ANEW` of what a ledger of any older version has.
"""

ANEW = (run, record, step, event, outcome, permit, holder)
"""Tables that version 9 keeps otherwise than those before it."""
