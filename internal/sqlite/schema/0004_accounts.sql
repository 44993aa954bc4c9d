-- What an account says of itself.
ALTER TABLE accounts ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN city TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN state TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN timezone TEXT NOT NULL DEFAULT '';

-- What becomes of subaccounts. The row of one that was removed stays: its messages refer to it.
ALTER TABLE accounts ADD COLUMN modified_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN removed_at INTEGER NOT NULL DEFAULT 0;

CREATE INDEX accounts_by_parent ON accounts (parent, number);

CREATE TABLE applications (
	number           INTEGER PRIMARY KEY, -- the order of lists
	id               TEXT NOT NULL UNIQUE,
	account          TEXT NOT NULL,
	name             TEXT NOT NULL,
	message_url      TEXT NOT NULL,
	message_method   TEXT NOT NULL,
	answer_url       TEXT NOT NULL,
	answer_method    TEXT NOT NULL,
	hangup_url       TEXT NOT NULL,
	hangup_method    TEXT NOT NULL,
	fallback_url     TEXT NOT NULL,
	fallback_method  TEXT NOT NULL,
	default_number   INTEGER NOT NULL,
	default_endpoint INTEGER NOT NULL,
	public_uri       INTEGER NOT NULL,
	log_incoming     INTEGER NOT NULL,
	created_at       INTEGER NOT NULL
) STRICT;

CREATE INDEX applications_by_account ON applications (account, number);
CREATE INDEX applications_by_name ON applications (account, name);

-- Until now any text could stand where an application's id belongs; none of them named one.
UPDATE numbers SET application = NULL;
UPDATE powerpacks SET application_type = '', application_id = '';

CREATE INDEX numbers_by_application ON numbers (application) WHERE application IS NOT NULL;
