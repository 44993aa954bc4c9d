-- What accounts pay from, in hundred-thousandths of the currency. Main accounts only: their subaccounts spend it too.
ALTER TABLE accounts ADD COLUMN billing INTEGER NOT NULL DEFAULT 0; -- 0 postpaid, 1 prepaid
ALTER TABLE accounts ADD COLUMN balance INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN held INTEGER NOT NULL DEFAULT 0; -- by queued messages

-- What was paid in, and corrected. What messages cost is in their rows.
CREATE TABLE credits (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL,
	amount  INTEGER NOT NULL,
	balance INTEGER NOT NULL, -- then
	note    TEXT NOT NULL,
	key     TEXT, -- NULL: none was given
	at      INTEGER NOT NULL
) STRICT;

CREATE INDEX credits_by_account ON credits (account, id);
CREATE UNIQUE INDEX credits_by_key ON credits (account, key) WHERE key IS NOT NULL;

-- What a unit of a message costs: the rate times 2^31, and the carrier's fee; NULL: nothing.
ALTER TABLE messages ADD COLUMN price INTEGER;
