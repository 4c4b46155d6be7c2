BEGIN TRANSACTION;
CREATE TABLE batch (
	batch_id INTEGER NOT NULL,
	space_id INTEGER NOT NULL,
	input_sha256 VARCHAR(64) NOT NULL,
	rows BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	PRIMARY KEY (batch_id),
	UNIQUE (space_id, input_sha256),
	FOREIGN KEY(space_id) REFERENCES space (space_id)
);
INSERT INTO "batch" VALUES(1,1,'abababababababababababababababababababababababababababababababab',3,1795227300000);
CREATE TABLE call (
	run_id VARCHAR(80) NOT NULL,
	operation VARCHAR(30) NOT NULL,
	method VARCHAR(8) NOT NULL,
	status VARCHAR(8) NOT NULL,
	calls BIGINT NOT NULL,
	PRIMARY KEY (run_id, operation, method, status)
);
CREATE TABLE event (
	seq INTEGER NOT NULL,
	run_id VARCHAR(80) NOT NULL,
	at_ms BIGINT NOT NULL,
	kind VARCHAR(12) NOT NULL,
	source_row BIGINT,
	"key" VARCHAR(100),
	step VARCHAR(20),
	attempt INTEGER,
	fingerprint VARCHAR(64),
	verdict VARCHAR(20),
	http_status INTEGER,
	error_code VARCHAR(40),
	trace_id VARCHAR(80),
	detail TEXT,
	PRIMARY KEY (seq)
);
INSERT INTO "event" VALUES(1,'20261121T021500Z-7f3a',1795227300000,'run_start',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(2,'20261121T021500Z-7f3a',1001,'intent',1,'a','customer',1,'abababababababababababababababababababababababababababababababab',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE outcome (
	run_id VARCHAR(80) NOT NULL,
	source_row BIGINT NOT NULL,
	row_ref TEXT,
	external_unique_id VARCHAR(100),
	outcome VARCHAR(20) NOT NULL,
	reason_code TEXT,
	reason TEXT,
	failed_step VARCHAR(20),
	customer_id VARCHAR(64),
	wallet_id VARCHAR(64),
	wallet_external_unique_id VARCHAR(100),
	decision_status VARCHAR(40),
	failed_checks TEXT,
	customer_origin VARCHAR(10),
	attempts INTEGER NOT NULL,
	http_status INTEGER,
	error_code VARCHAR(40),
	trace_id VARCHAR(80),
	phone_masked TEXT,
	national_id_masked TEXT,
	first_attempt_ms BIGINT,
	last_attempt_ms BIGINT,
	warnings TEXT,
	PRIMARY KEY (run_id, source_row)
)
 WITHOUT ROWID

;
INSERT INTO "outcome" VALUES('20261121T021500Z-7f3a',1,'r1','cust-1','onboarded',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE permit (
	permit_id INTEGER NOT NULL,
	pool VARCHAR(64) NOT NULL,
	sent_ms BIGINT NOT NULL,
	answered_ms BIGINT,
	PRIMARY KEY (permit_id)
);
INSERT INTO "permit" VALUES(1,'pool',1795227300000,NULL);
INSERT INTO "permit" VALUES(2,'pool',1795227300000,NULL);
INSERT INTO "permit" VALUES(3,'pool',1795227300000,NULL);
CREATE TABLE record (
	space_id INTEGER NOT NULL,
	"key" VARCHAR(100) NOT NULL,
	fingerprint VARCHAR(32) NOT NULL,
	pseudonyms TEXT NOT NULL,
	outcome VARCHAR(20),
	reason_code VARCHAR(60),
	reason TEXT,
	failed_step VARCHAR(20),
	facts TEXT NOT NULL,
	http_status INTEGER,
	error_code VARCHAR(40),
	trace_id VARCHAR(80),
	first_attempt_ms BIGINT,
	last_attempt_ms BIGINT,
	undecided_since_ms BIGINT,
	run_id VARCHAR(80) NOT NULL,
	PRIMARY KEY (space_id, "key"),
	FOREIGN KEY(space_id) REFERENCES space (space_id)
)
 WITHOUT ROWID

;
INSERT INTO "record" VALUES(1,'a','ffffffffffffffffffffffffffffffff','{"phone": "h1"}',NULL,NULL,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL,'20261121T021500Z-7f3a');
CREATE TABLE run (
	run_id VARCHAR(80) NOT NULL,
	batch_id INTEGER NOT NULL,
	command VARCHAR(20) NOT NULL,
	input_path TEXT NOT NULL,
	settings TEXT NOT NULL,
	facts TEXT NOT NULL,
	folder TEXT NOT NULL,
	started_ms BIGINT NOT NULL,
	ended_ms BIGINT,
	exit_code INTEGER,
	summary TEXT,
	PRIMARY KEY (run_id),
	FOREIGN KEY(batch_id) REFERENCES batch (batch_id)
);
INSERT INTO "run" VALUES('20261121T021500Z-7f3a',1,'run','/in/customers.csv','{"rate": "60/180"}','{"host": "h"}','runs/20261121T021500Z-7f3a',1795227300000,NULL,NULL,NULL);
CREATE TABLE schema_version (
	version INTEGER NOT NULL,
	key_check VARCHAR(32)
);
INSERT INTO "schema_version" VALUES(1,'00000000000000000000000000000000');
CREATE TABLE space (
	space_id INTEGER NOT NULL,
	system VARCHAR(20) NOT NULL,
	tenant VARCHAR(100) NOT NULL,
	epoch BIGINT DEFAULT '0' NOT NULL,
	owner_run VARCHAR(80),
	owner_pid INTEGER,
	owner_started BIGINT,
	owner_host VARCHAR(255),
	owner_since_ms BIGINT,
	heartbeat_ms BIGINT,
	PRIMARY KEY (space_id),
	UNIQUE (system, tenant)
);
INSERT INTO "space" VALUES(1,'eclipse','1001',1,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE step (
	space_id INTEGER NOT NULL,
	"key" VARCHAR(100) NOT NULL,
	name VARCHAR(20) NOT NULL,
	status VARCHAR(12) NOT NULL,
	attempts INTEGER NOT NULL,
	doubt_since_ms BIGINT,
	doubts INTEGER NOT NULL,
	PRIMARY KEY (space_id, "key", name),
	FOREIGN KEY(space_id) REFERENCES space (space_id)
)
 WITHOUT ROWID

;
INSERT INTO "step" VALUES(1,'a','customer','intended',1,NULL,0);
CREATE INDEX event_by_run ON event (run_id, seq);
CREATE INDEX outcome_by_kind ON outcome (run_id, outcome);
CREATE INDEX permit_by_pool ON permit (pool, answered_ms);
COMMIT;
