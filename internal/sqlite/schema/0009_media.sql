-- Files that accounts have uploaded; what is in them lies beside the database, by its SHA-256.
CREATE TABLE media (
	number     INTEGER PRIMARY KEY, -- the order of lists
	id         BLOB NOT NULL UNIQUE,
	account    TEXT NOT NULL,
	content    BLOB NOT NULL,
	name       TEXT NOT NULL,
	type       TEXT NOT NULL,
	size       INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	used_at    INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX media_by_account ON media (account, number, expires_at, size); -- counts and sums read it alone
CREATE INDEX media_by_content ON media (content);
CREATE INDEX media_by_expiry ON media (expires_at);
