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
INSERT INTO "batch" VALUES(1,1,'a212a517c22935eb5d70f4cdecf669fb92f4e58ea75bddf2dc60723de394301b',4,1795898729246);
CREATE TABLE call (
	run_id VARCHAR(80) NOT NULL, 
	operation VARCHAR(30) NOT NULL, 
	method VARCHAR(8) NOT NULL, 
	status VARCHAR(8) NOT NULL, 
	calls BIGINT NOT NULL, 
	PRIMARY KEY (run_id, operation, method, status)
);
INSERT INTO "call" VALUES('run-1','create_customer','POST','200',3);
INSERT INTO "call" VALUES('run-1','create_wallet','POST','200',2);
INSERT INTO "call" VALUES('run-1','get_customer','GET','200',3);
INSERT INTO "call" VALUES('run-1','list_wallets','GET','200',3);
INSERT INTO "call" VALUES('run-1','login','POST','200',2);
INSERT INTO "call" VALUES('run-1','read_kyc','GET','200',11);
INSERT INTO "call" VALUES('run-1','search_customers','GET','200',6);
INSERT INTO "call" VALUES('run-1','trigger_kyc','POST','200',3);
INSERT INTO "call" VALUES('run-1','wallet_types','GET','200',2);
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
INSERT INTO "event" VALUES(1,'run-1',1795898729246,'run_start',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(2,'run-1',1795898729412,'outcome',3,'cust-2c771f18-a1b4-5399-a6b5-6d48ad250610',NULL,NULL,NULL,'quarantined',NULL,NULL,NULL,'phone_invalid:phone');
INSERT INTO "event" VALUES(3,'run-1',1795898729444,'intent',1,'cust-457193da-0e13-555d-8093-398e348d8c7b','customer',1,'8f78ac0ee2d87acad3902e556e4d88f58e53de9b69c71db7df66b9d161b9aca7',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(4,'run-1',1795898729452,'result',1,'cust-457193da-0e13-555d-8093-398e348d8c7b','customer',1,NULL,'done',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(5,'run-1',1795898729457,'intent',1,'cust-457193da-0e13-555d-8093-398e348d8c7b','kyc',1,'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(6,'run-1',1795898729479,'result',1,'cust-457193da-0e13-555d-8093-398e348d8c7b','kyc',1,NULL,'done',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(7,'run-1',1795898729484,'intent',1,'cust-457193da-0e13-555d-8093-398e348d8c7b','wallet',1,'9a97579454dda809cc343317b88f7fa9e556c32943de48eb5377230ff31bf0fe',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(8,'run-1',1795898729493,'result',1,'cust-457193da-0e13-555d-8093-398e348d8c7b','wallet',1,NULL,'done',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(9,'run-1',1795898729493,'outcome',1,'cust-457193da-0e13-555d-8093-398e348d8c7b',NULL,NULL,NULL,'onboarded',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(10,'run-1',1795898729500,'intent',2,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','customer',1,'cb42f18b0529efc752ab38184495768a5f69faec7a2c635e5bc940484b5cd89c',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(11,'run-1',1795898729502,'result',2,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','customer',1,NULL,'done',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(12,'run-1',1795898729503,'intent',2,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','kyc',1,'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(13,'run-1',1795898729505,'result',2,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','kyc',1,NULL,'undecided',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(14,'run-1',1795898729512,'intent',4,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','customer',1,'c5e7f5937d9895a717e2c04797a9ceafb399d9190451ba2d8274022280b817ea',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(15,'run-1',1795898729516,'result',4,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','customer',1,NULL,'done',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(16,'run-1',1795898729518,'intent',4,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','kyc',1,'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(17,'run-1',1795898729519,'result',4,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','kyc',1,NULL,'done',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(18,'run-1',1795898729528,'intent',4,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','wallet',1,'faf22e514baa1582e931d55da7560abca88d1eca071412c83ef81d57737b5c90',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(19,'run-1',1795898729530,'result',4,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','wallet',1,NULL,'done',200,NULL,NULL,NULL);
INSERT INTO "event" VALUES(20,'run-1',1795898729530,'outcome',4,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff',NULL,NULL,NULL,'onboarded',NULL,NULL,NULL,NULL);
INSERT INTO "event" VALUES(21,'run-1',1795898730507,'outcome',2,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','kyc',NULL,NULL,'pending',NULL,NULL,NULL,'decision');
CREATE TABLE learned (
	pool VARCHAR(64) NOT NULL, 
	calls BIGINT NOT NULL, 
	seconds FLOAT NOT NULL, 
	learned_ms BIGINT NOT NULL, 
	changed_ms BIGINT NOT NULL, 
	source VARCHAR(40) NOT NULL, 
	PRIMARY KEY (pool)
);
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
INSERT INTO "outcome" VALUES('run-1',1,'CRM-000001','cust-457193da-0e13-555d-8093-398e348d8c7b','onboarded',NULL,NULL,NULL,'3301133','3301137','wal-8a608e25-ad47-5e2b-bf2c-1fbbabefdb87','PASSED',NULL,'created',3,200,NULL,NULL,'*********01','**********086',1795898729444,1795898729484,NULL);
INSERT INTO "outcome" VALUES('run-1',2,'CRM-000002','cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','pending','decision','the decision is outstanding','kyc','3301141',NULL,NULL,'PENDING',NULL,'created',2,200,NULL,NULL,'*********02','**********084',1795898729500,1795898729503,NULL);
INSERT INTO "outcome" VALUES('run-1',3,'CRM-000003','cust-2c771f18-a1b4-5399-a6b5-6d48ad250610','quarantined','phone_invalid:phone','line 4: phone is not a valid mobile number',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,'**','**********082',NULL,NULL,NULL);
INSERT INTO "outcome" VALUES('run-1',4,'CRM-000004','cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','onboarded',NULL,NULL,NULL,'3301146','3301152','wal-3de1ad59-5e0b-51c0-8910-2a2edf2ce6fa','PASSED',NULL,'created',3,200,NULL,NULL,'*********04','**********089',1795898729512,1795898729528,NULL);
CREATE TABLE permit (
	permit_id INTEGER NOT NULL, 
	pool VARCHAR(64) NOT NULL, 
	sent_ms BIGINT NOT NULL, 
	answered_ms BIGINT, 
	PRIMARY KEY (permit_id)
);
INSERT INTO "permit" VALUES(1,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729453);
INSERT INTO "permit" VALUES(2,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729479);
INSERT INTO "permit" VALUES(3,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729494);
INSERT INTO "permit" VALUES(4,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729503);
INSERT INTO "permit" VALUES(5,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729506);
INSERT INTO "permit" VALUES(6,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729517);
INSERT INTO "permit" VALUES(7,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729520);
INSERT INTO "permit" VALUES(8,'3b9625e747dace9ac9599ee6a4825a4c',1795898729436,1795898729531);
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
INSERT INTO "record" VALUES(1,'cust-457193da-0e13-555d-8093-398e348d8c7b','4750d42fb29b9b920ef80617a21d164d','{"email": "2855a15c553270e60afaabff557a5d36", "first_name": "8b22a517f67477a0b5021dbf8cb2e608", "last_name": "e481873655499d6f41dee855189120fe", "national_id": "b247287c94d096468689c964cf596616", "phone": "2396f0b4a094a4741b582b9d860a65c7"}','onboarded',NULL,NULL,NULL,'{"customer_id": "3301133", "customer_origin": "created", "decision_status": "PASSED", "failed_checks": "", "wallet_external_unique_id": "wal-8a608e25-ad47-5e2b-bf2c-1fbbabefdb87", "wallet_id": "3301137", "wallet_type_id": "5001"}',200,NULL,NULL,1795898729444,1795898729493,NULL,'run-1');
INSERT INTO "record" VALUES(1,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','882c4ca1a4015e197fa8d988f9d31f21','{"email": "8066a6810bb377e4528975e344b79226", "first_name": "8b22a517f67477a0b5021dbf8cb2e608", "last_name": "e481873655499d6f41dee855189120fe", "national_id": "94859fc9bc0655b85d09b9519954be71", "phone": "d6809a5500eb6487d9701123e3068bb3"}','onboarded',NULL,NULL,NULL,'{"customer_id": "3301146", "customer_origin": "created", "decision_status": "PASSED", "failed_checks": "", "wallet_external_unique_id": "wal-3de1ad59-5e0b-51c0-8910-2a2edf2ce6fa", "wallet_id": "3301152", "wallet_type_id": "5001"}',200,NULL,NULL,1795898729512,1795898729530,NULL,'run-1');
INSERT INTO "record" VALUES(1,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','4bb4e9f29f8dd809ea497560b88fe27b','{"email": "a8ad2869bd68a967a7395619c22a23e8", "first_name": "8b22a517f67477a0b5021dbf8cb2e608", "last_name": "b057b2964ff75818abc8a110f51516e3", "national_id": "56c4e6104def4c9cba984f70872d7756", "phone": "05da4b960a672efb14900369b32cabda"}','pending','decision','the decision is outstanding','kyc','{"customer_id": "3301141", "customer_origin": "created", "decision_status": "PENDING", "failed_checks": ""}',200,NULL,NULL,1795898729500,1795898729505,1795898729505,'run-1');
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
INSERT INTO "run" VALUES('run-1',1,'run','/srv/nightly/customers.csv','{"allow_privileged": "false", "base_url": "http://127.0.0.1:43323", "breaker": "50", "canary": "0", "checks": "", "concurrency": "1", "control": "", "deadline": "", "decision": "", "decision_poll": "0.2", "decision_wait": "1", "delimiter": "", "encoding": "", "encrypt_to": "", "exit_zero": "false", "fail_on": "", "files": "", "job": "onboarding", "kyc_type": "", "ledger": "sqlite:///muster.db", "limit": "", "lock_timeout": "0", "max_errors": "", "no_progress": "false", "operator": "false", "out": "runs", "output": "text", "passwords": "", "rate": "1000/1", "region": "ZA", "run_id": "run-1", "same_cause": "200", "strict_ids": "false", "system": "eclipse", "tenant": "1001", "yes": "false"}','{"host": "vm", "manifests": ["5b97d18fadd73e42a9b3c83f75ad7887437fc928d9087941125a64552b4937fc"], "muster": "0.1.0", "pid": 957, "python": "3.11.7", "user": "somebody"}','runs/run-1',1795898729246,1795898730586,1,'{"causes": [{"first_rows": [2], "outcome": "pending", "reason_code": "decision", "rows": 1}, {"first_rows": [3], "outcome": "quarantined", "reason_code": "phone_invalid:phone", "rows": 1}], "command": "run", "control_totals": [{"file": 4, "ledger": 4, "name": "rows", "ok": true, "target": null}, {"file": null, "ledger": 2, "name": "rows onboarded", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows already_onboarded", "ok": true, "target": null}, {"file": 1, "ledger": 1, "name": "rows quarantined", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows conflict", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows rejected", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows declined", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows not_eligible", "ok": true, "target": null}, {"file": null, "ledger": 1, "name": "rows pending", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows failed", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows in_doubt", "ok": true, "target": null}, {"file": null, "ledger": 0, "name": "rows not_attempted", "ok": true, "target": null}, {"file": null, "ledger": 2, "name": "rows complete", "ok": true, "target": 2}, {"file": 3, "ledger": 3, "name": "distinct keys", "ok": true, "target": null}, {"file": "9d91ae569ec6389a", "ledger": "9d91ae569ec6389a", "name": "hash total of identities", "ok": true, "target": null}, {"file": "fff1d69fabe737f6", "ledger": "fff1d69fabe737f6", "name": "hash total of phones", "ok": true, "target": null}, {"file": 0, "ledger": 0, "name": "rows that the ledger knows with other data", "ok": true, "target": null}, {"file": null, "ledger": 3, "name": "customers created", "ok": true, "target": null}, {"file": null, "ledger": 2, "name": "wallets created, type 5001, currency default", "ok": true, "target": null}, {"file": null, "ledger": "2026-11-28T20:45:29.452Z", "name": "earliest creation", "ok": true, "target": null}, {"file": null, "ledger": "2026-11-28T20:45:29.530Z", "name": "latest creation", "ok": true, "target": null}], "ended_at": "2026-11-28T20:45:30.586Z", "equations": [{"kind": "books", "left": 4, "name": "rows read = quarantined + accepted", "ok": true, "right": 4}, {"kind": "books", "left": 3, "name": "accepted = sum of its outcomes", "ok": true, "right": 3}, {"kind": "books", "left": 4, "name": "rows read = rows reported", "ok": true, "right": 4}, {"kind": "books", "left": 1, "name": "rows quarantined by validation = in the ledger", "ok": true, "right": 1}, {"kind": "books", "left": 4, "name": "rows in the ledger = lines of outcome.csv", "ok": true, "right": 4}, {"kind": "books", "left": 2, "name": "onboarded in the ledger = in outcome.csv", "ok": true, "right": 2}, {"kind": "books", "left": 8, "name": "intents in the ledger = mutating requests", "ok": true, "right": 8}, {"kind": "books", "left": 8, "name": "intents in the ledger = attempts of the rows", "ok": true, "right": 8}, {"kind": "target", "left": 2, "name": "complete in the ledger = complete at the target", "ok": true, "right": 2}], "exit_code": 1, "exit_meaning": "finished, but rows need attention", "failed_checks": {}, "funnel": [{"exits": {"quarantined": 1}, "passed": 3, "rows": 4, "stage": "read"}, {"exits": {}, "passed": 3, "rows": 3, "stage": "accepted"}, {"exits": {}, "passed": 3, "rows": 3, "stage": "customer"}, {"exits": {"pending": 1}, "passed": 2, "rows": 3, "stage": "kyc"}, {"exits": {}, "passed": 2, "rows": 2, "stage": "wallet"}, {"exits": {}, "passed": 2, "rows": 2, "stage": "onboarded"}], "input": {"name": "customers.csv", "path": "/srv/nightly/customers.csv", "rows": 4, "sha256": "a212a517c22935eb5d70f4cdecf669fb92f4e58ea75bddf2dc60723de394301b"}, "latency": [{"calls": 3, "longest_ms": 8, "p50_ms": 4, "p90_ms": 8, "p99_ms": 8, "step": "customer"}, {"calls": 3, "longest_ms": 22, "p50_ms": 2, "p90_ms": 22, "p99_ms": 22, "step": "kyc"}, {"calls": 2, "longest_ms": 9, "p50_ms": 2, "p90_ms": 9, "p99_ms": 9, "step": "wallet"}], "limits": {"calls": 1000, "peak": 8, "per_bucket": [0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "seconds": 1.0}, "next_command": "muster resume run-1", "notes": [], "outcomes": {"already_onboarded": 0, "conflict": 0, "declined": 0, "failed": 0, "in_doubt": 0, "not_attempted": 0, "not_eligible": 0, "onboarded": 2, "pending": 1, "quarantined": 1, "rejected": 0}, "pending_ageing": {"1 to 24 hours": 0, "1 to 3 days": 0, "3 to 7 days": 0, "over 7 days": 0, "under 1 hour": 1}, "reasons": {"decision": 1, "phone_invalid:phone": 1}, "reconciliation": {"ambiguous": 0, "field_difference": 0, "match": 3, "missing_in_target": 0, "not_sent": 1, "only_in_target": 0, "partial": 0, "status_difference": 0, "unverified": 0}, "requests": {"by_method": {"GET": 25, "POST": 10}, "by_status": {"200": 35}, "mutating": 8}, "run_id": "run-1", "schema_version": 1, "settings": {"allow_privileged": "false", "base_url": "http://127.0.0.1:43323", "breaker": "50", "canary": "0", "checks": "", "concurrency": "1", "control": "", "deadline": "", "decision": "", "decision_poll": "0.2", "decision_wait": "1", "delimiter": "", "encoding": "", "encrypt_to": "", "exit_zero": "false", "fail_on": "", "files": "", "job": "onboarding", "kyc_type": "", "ledger": "sqlite:///muster.db", "limit": "", "lock_timeout": "0", "max_errors": "", "no_progress": "false", "operator": "false", "out": "runs", "output": "text", "passwords": "***", "rate": "1000/1", "region": "ZA", "run_id": "run-1", "same_cause": "200", "strict_ids": "false", "system": "eclipse", "tenant": "1001", "yes": "false"}, "started_at": "2026-11-28T20:45:29.246Z", "system": "eclipse", "tenant": "1001", "timeline": {"attention": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "bucket_seconds": 0.1, "calls": [0, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "complete": [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "errors": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "pending": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "started_at": "2026-11-28T20:45:29.246Z"}, "warnings": {}}');
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	key_check VARCHAR(32)
);
INSERT INTO "schema_version" VALUES(2,'711efbf9a314470bf27a17d1c27ab491');
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
INSERT INTO "space" VALUES(1,'eclipse','1001',1,NULL,957,215794,'vm',1795898729232,1795898729232);
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
INSERT INTO "step" VALUES(1,'cust-457193da-0e13-555d-8093-398e348d8c7b','customer','done',1,NULL,0);
INSERT INTO "step" VALUES(1,'cust-457193da-0e13-555d-8093-398e348d8c7b','kyc','done',1,NULL,0);
INSERT INTO "step" VALUES(1,'cust-457193da-0e13-555d-8093-398e348d8c7b','wallet','done',1,NULL,0);
INSERT INTO "step" VALUES(1,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','customer','done',1,NULL,0);
INSERT INTO "step" VALUES(1,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','kyc','done',1,NULL,0);
INSERT INTO "step" VALUES(1,'cust-4a7e3bc4-9f78-5dc0-8199-c1362e5a80ff','wallet','done',1,NULL,0);
INSERT INTO "step" VALUES(1,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','customer','done',1,NULL,0);
INSERT INTO "step" VALUES(1,'cust-b6ddd2ff-1794-5f36-a32a-8ab123a966d5','kyc','undecided',1,NULL,0);
CREATE INDEX event_by_run ON event (run_id, seq);
CREATE INDEX outcome_by_kind ON outcome (run_id, outcome);
CREATE INDEX permit_by_pool ON permit (pool, answered_ms);
COMMIT;
