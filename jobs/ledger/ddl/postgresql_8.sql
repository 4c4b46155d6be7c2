-- Version 8: what the worker of a shard saw when it read its rows afresh; the shards of a run by how they stand.

CREATE INDEX shard_by_state ON shard (run_id, state, shard);

-- what the worker of a shard saw when it read its rows afresh, until the report of the run is written
CREATE TABLE reading (
  run_id text COLLATE "C" NOT NULL,
  shard bigint NOT NULL,
  lines text COLLATE "C" NOT NULL,
  complete bigint NOT NULL,
  not_read text COLLATE "C" NOT NULL,
  PRIMARY KEY (run_id, shard)
);
