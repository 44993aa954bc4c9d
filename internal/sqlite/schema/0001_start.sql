-- Times are Unix microseconds; 0 or NULL is "never". Identifiers of messages are their Seq (time-ordered, so tables and indexes
-- keyed by it are appended to) with the random rest of the UUID beside it in `tail`.

CREATE TABLE settings (
	name  TEXT PRIMARY KEY,
	value ANY
) STRICT, WITHOUT ROWID;

INSERT INTO settings (name, value) VALUES ('checks', 0), ('clean stop', 1), ('texts removed until', 0), ('last event', 0);

CREATE TABLE accounts (
	number     INTEGER PRIMARY KEY, -- what messages refer to
	id         TEXT NOT NULL UNIQUE,
	parent     TEXT NOT NULL,
	name       TEXT NOT NULL,
	token      BLOB NOT NULL, -- sealed
	enabled    INTEGER NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE carriers (
	number INTEGER PRIMARY KEY, -- what messages refer to
	name   TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE numbers (
	number    TEXT PRIMARY KEY,
	type      INTEGER NOT NULL,
	country   TEXT NOT NULL,
	region    TEXT NOT NULL,
	area_code TEXT NOT NULL,
	services  INTEGER NOT NULL,
	carrier   TEXT NOT NULL,
	rate      REAL NOT NULL,
	daily_cap INTEGER NOT NULL,
	account   TEXT,             -- NULL: in the inventory
	pool      BLOB,             -- NULL: in none
	service   INTEGER NOT NULL,
	added_at  INTEGER NOT NULL, -- into the pool, else when rented
	rented_at INTEGER NOT NULL,
	place     INTEGER NOT NULL  -- counts up whenever added_at is set: the order of lists
) STRICT, WITHOUT ROWID;

CREATE INDEX numbers_by_place ON numbers (place);
CREATE INDEX numbers_by_account ON numbers (account, place);
CREATE INDEX numbers_by_pool ON numbers (pool, place);

CREATE TABLE powerpacks (
	number           INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: sticky choices outlive their powerpack for a while
	id               BLOB NOT NULL UNIQUE,
	account          TEXT NOT NULL,
	name             TEXT NOT NULL,
	pool             BLOB NOT NULL UNIQUE,
	sticky           INTEGER NOT NULL,
	local_connect    INTEGER NOT NULL,
	application_type TEXT NOT NULL,
	application_id   TEXT NOT NULL,
	priorities       TEXT NOT NULL, -- JSON
	created_at       INTEGER NOT NULL,
	UNIQUE (account, name)
) STRICT;

CREATE INDEX powerpacks_by_account ON powerpacks (account, number);

CREATE TABLE sticky (
	powerpack INTEGER NOT NULL, -- powerpacks.number
	dst       TEXT NOT NULL,
	sender    TEXT NOT NULL,
	PRIMARY KEY (powerpack, dst)
) STRICT, WITHOUT ROWID;

-- Powerpacks that are gone while their sticky choices are still being removed, some at a time.
CREATE TABLE powerpacks_removed (
	number INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE idempotency (
	account    INTEGER NOT NULL,
	key        TEXT NOT NULL,
	body_hash  BLOB NOT NULL,
	acceptance TEXT NOT NULL, -- JSON
	at         INTEGER NOT NULL,
	PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_time ON idempotency (at);

CREATE TABLE clocks (
	sender TEXT PRIMARY KEY,
	free   INTEGER NOT NULL -- Unix nanoseconds
) STRICT, WITHOUT ROWID;

-- Small and often read columns first, so that reading them does not walk over the texts.
CREATE TABLE messages (
	seq             INTEGER PRIMARY KEY,
	tail            INTEGER NOT NULL,
	account         INTEGER NOT NULL,
	-- gateway.Progress
	state           INTEGER NOT NULL,
	reason          INTEGER NOT NULL,
	detail          TEXT,
	parts           INTEGER NOT NULL,
	taken           INTEGER NOT NULL,
	refused         INTEGER NOT NULL,
	delivered       INTEGER NOT NULL,
	attempt         INTEGER NOT NULL,
	due_at          INTEGER, -- NULL: not deferred
	sequence        INTEGER NOT NULL,
	sent_at         INTEGER NOT NULL,
	reported_at     INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL,
	-- what else changes
	mark            INTEGER NOT NULL, -- 0 none, 1 submitting, 2 held
	marked_at       INTEGER,          -- NULL: not marked
	carrier_id      TEXT,             -- of the only part
	-- fixed
	shard           INTEGER NOT NULL,
	sender          TEXT NOT NULL,
	carrier         INTEGER NOT NULL, -- 0: none
	units           INTEGER NOT NULL,
	accepted_at     INTEGER NOT NULL,
	expires_at      INTEGER NOT NULL,
	direction       INTEGER NOT NULL,
	service         INTEGER NOT NULL,
	dst             TEXT NOT NULL,
	country         TEXT,
	alphabet        INTEGER NOT NULL,
	powerpack       BLOB,
	picked_by       INTEGER NOT NULL,
	callback_url    TEXT,
	callback_method TEXT,
	log             INTEGER NOT NULL,
	trackable       INTEGER NOT NULL,
	dlt             TEXT, -- JSON
	requester       TEXT,
	media_ids       TEXT, -- JSON
	media_urls      TEXT, -- JSON; removed with the text
	text            TEXT
);

-- The lanes. Counting them reads this index alone.
CREATE INDEX messages_queued ON messages (shard, sender, carrier, seq, units)
	WHERE state = 0 AND marked_at IS NULL AND due_at IS NULL;
CREATE INDEX messages_due ON messages (carrier, due_at)
	WHERE state = 0 AND marked_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX messages_expiring ON messages (expires_at)
	WHERE state = 0 AND marked_at IS NULL;
CREATE INDEX messages_marked ON messages (marked_at)
	WHERE state = 0 AND marked_at IS NOT NULL;
CREATE INDEX messages_marked_by_address ON messages (carrier, sender, dst, marked_at)
	WHERE state = 0 AND marked_at IS NOT NULL;
CREATE INDEX messages_by_carrier_id ON messages (carrier, carrier_id)
	WHERE carrier_id IS NOT NULL;
CREATE INDEX messages_by_account ON messages (account, seq);

-- Carriers' ids of the parts of messages that have several.
CREATE TABLE parts (
	carrier    INTEGER NOT NULL,
	carrier_id TEXT NOT NULL,
	seq        INTEGER NOT NULL,
	part       INTEGER NOT NULL,
	PRIMARY KEY (carrier, carrier_id, seq)
) WITHOUT ROWID;

CREATE INDEX parts_by_message ON parts (seq);

-- Receipts whose part is not known yet.
CREATE TABLE parked (
	carrier    INTEGER NOT NULL,
	carrier_id TEXT NOT NULL,
	outcome    INTEGER NOT NULL,
	reason     INTEGER NOT NULL,
	detail     TEXT,
	at         INTEGER NOT NULL,
	sender     TEXT,
	dst        TEXT,
	PRIMARY KEY (carrier, carrier_id)
) WITHOUT ROWID;

CREATE INDEX parked_by_time ON parked (at);
CREATE INDEX parked_by_address ON parked (carrier, sender, dst, at);

CREATE TABLE events (
	id          INTEGER PRIMARY KEY,
	endpoint    INTEGER NOT NULL,
	seq         INTEGER NOT NULL, -- of the message
	sequence    INTEGER NOT NULL,
	state       INTEGER NOT NULL,
	reason      INTEGER NOT NULL,
	at          INTEGER NOT NULL,
	sent_at     INTEGER NOT NULL,
	reported_at INTEGER NOT NULL,
	outcome     INTEGER NOT NULL, -- 0 pending, 1 told, 2 given up
	-- of the last attempt
	attempt     INTEGER NOT NULL,
	tried_at    INTEGER NOT NULL,
	status      INTEGER NOT NULL,
	latency     INTEGER NOT NULL,
	error       TEXT,
	due_at      INTEGER NOT NULL -- of the next
);

CREATE INDEX events_fresh ON events (endpoint, id) WHERE outcome = 0 AND attempt = 0;
CREATE INDEX events_retry ON events (endpoint, due_at) WHERE outcome = 0 AND attempt > 0;
CREATE INDEX events_by_message ON events (seq);
