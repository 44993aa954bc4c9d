-- What accounts are told of what they registered, apart from the many events of messages. Their ids are counted together.
CREATE TABLE notices (
	id              INTEGER PRIMARY KEY,
	endpoint        INTEGER NOT NULL, -- negative
	kind            INTEGER NOT NULL,
	account         TEXT NOT NULL,
	registration    TEXT NOT NULL,
	registered      INTEGER NOT NULL, -- gateway.RegistrationKind
	parent          TEXT,
	dialled         TEXT,
	state           INTEGER NOT NULL,
	reason          TEXT,
	code            TEXT,
	callback_url    TEXT NOT NULL,
	callback_method TEXT NOT NULL,
	at              INTEGER NOT NULL,
	outcome         INTEGER NOT NULL, -- 0 pending, 1 told, 2 given up
	-- of the last attempt
	attempt         INTEGER NOT NULL,
	tried_at        INTEGER NOT NULL,
	status          INTEGER NOT NULL,
	latency         INTEGER NOT NULL,
	error           TEXT,
	due_at          INTEGER NOT NULL -- of the next
) STRICT;

CREATE INDEX notices_fresh ON notices (endpoint, id) WHERE outcome = 0 AND attempt = 0;
CREATE INDEX notices_retry ON notices (endpoint, due_at) WHERE outcome = 0 AND attempt > 0;

-- Who asked for the linking of a number wants to be told there how it ends. It is of the linking that waits, and void when none does.
ALTER TABLE numbers ADD COLUMN linking_url TEXT;
ALTER TABLE numbers ADD COLUMN linking_method TEXT;
