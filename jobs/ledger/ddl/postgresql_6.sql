-- Version 6: a run in parts, each worked on by a process of its own.

ALTER TABLE run ADD COLUMN stop text COLLATE "C";

-- some rows of a run that one process works on: lease, fencing and counters are per shard
CREATE TABLE shard (
  run_id text COLLATE "C" NOT NULL,
  shard bigint NOT NULL,
  first_row bigint NOT NULL,
  last_row bigint NOT NULL,
  state text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  worker text COLLATE "C",
  owner_pid bigint,
  owner_started bigint,
  owner_host text COLLATE "C",
  owner_boot text COLLATE "C",
  owner_namespace text COLLATE "C",
  heartbeat_ms bigint,
  beats bigint NOT NULL,
  lost bigint NOT NULL,
  due_ms bigint,
  until_ms bigint,
  waiting text COLLATE "C",
  tally text COLLATE "C" NOT NULL,
  counted bigint NOT NULL,
  repeated bigint NOT NULL,
  PRIMARY KEY (run_id, shard)
) WITH (fillfactor = 70);
