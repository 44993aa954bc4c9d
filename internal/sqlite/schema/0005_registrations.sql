-- What accounts register with the registries of the United States' carriers, and what an operator decided.
CREATE TABLE registrations (
	number          INTEGER PRIMARY KEY, -- the order of lists
	account         TEXT NOT NULL,
	id              TEXT NOT NULL,
	kind            INTEGER NOT NULL,
	parent          TEXT,
	dialled         TEXT, -- the number that is verified
	details         TEXT NOT NULL, -- JSON, in the words of the account API
	callback_url    TEXT,
	callback_method TEXT,
	state           INTEGER NOT NULL,
	reason          TEXT,
	code            TEXT,
	granted         TEXT NOT NULL, -- JSON
	decided_at      INTEGER NOT NULL,
	created_at      INTEGER NOT NULL,
	modified_at     INTEGER NOT NULL,
	UNIQUE (account, id)
) STRICT;

CREATE INDEX registrations_by_kind ON registrations (account, kind, number);
CREATE INDEX registrations_by_parent ON registrations (account, parent) WHERE parent IS NOT NULL;
CREATE INDEX registrations_by_number ON registrations (account, dialled, number) WHERE dialled IS NOT NULL;

-- The campaign that a number comes into when it is approved; NULL: none.
ALTER TABLE numbers ADD COLUMN linking TEXT;

CREATE INDEX numbers_by_linking ON numbers (linking) WHERE linking IS NOT NULL;
