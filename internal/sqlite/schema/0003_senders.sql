-- What an operator says of numbers and accounts.
ALTER TABLE numbers ADD COLUMN campaign TEXT; -- NULL: none
ALTER TABLE numbers ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN rate REAL NOT NULL DEFAULT 0;

CREATE INDEX numbers_by_campaign ON numbers (campaign) WHERE campaign IS NOT NULL;

CREATE TABLE campaigns (
	id        TEXT PRIMARY KEY,
	account   TEXT NOT NULL,
	rate      REAL NOT NULL,
	daily_cap INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an account says of a powerpack.
ALTER TABLE powerpacks ADD COLUMN patience INTEGER NOT NULL DEFAULT 0; -- microseconds; 0: the default
ALTER TABLE powerpacks ADD COLUMN refresh INTEGER NOT NULL DEFAULT 0;

-- What of daily caps is used up: of each scope its latest day.
CREATE TABLE usage (
	kind  INTEGER NOT NULL,
	name  TEXT NOT NULL,
	day   INTEGER NOT NULL,
	units INTEGER NOT NULL,
	PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- The lanes: what an account sends from a sender to a carrier. Counting them reads this index alone.
DROP INDEX messages_queued;
CREATE INDEX messages_queued ON messages (shard, sender, carrier, account, seq, units)
	WHERE state = 0 AND marked_at IS NULL AND due_at IS NULL;
