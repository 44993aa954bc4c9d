-- Messages from handsets are rows of messages, with direction 1: sender is the person, dst our number.
ALTER TABLE messages ADD COLUMN intent INTEGER; -- NULL: none
ALTER TABLE messages ADD COLUMN subject TEXT;   -- of an MMS; removed with the text

-- The keywords that are set for a powerpack's and a campaign's numbers: JSON, NULL: none.
ALTER TABLE powerpacks ADD COLUMN keywords TEXT;
ALTER TABLE campaigns ADD COLUMN keywords TEXT;

-- Messages of which not all segments have come yet.
CREATE TABLE inbound_waiting (
	id        INTEGER PRIMARY KEY,
	carrier   INTEGER NOT NULL,
	sender    TEXT NOT NULL,
	dst       TEXT NOT NULL,
	reference INTEGER NOT NULL,
	total     INTEGER NOT NULL,
	account   INTEGER NOT NULL, -- that had the number when the first segment came
	since     INTEGER NOT NULL, -- when that was; 1: no further segment is waited for
	came      INTEGER NOT NULL, -- segments that are there
	size      INTEGER NOT NULL  -- what they take of the account's room
) STRICT;

CREATE UNIQUE INDEX inbound_waiting_open ON inbound_waiting (carrier, dst, sender, reference, total) WHERE since > 1;
CREATE INDEX inbound_waiting_by_time ON inbound_waiting (since);
CREATE INDEX inbound_waiting_by_account ON inbound_waiting (account, since) WHERE since > 1;

CREATE TABLE inbound_segments (
	waiting  INTEGER NOT NULL, -- inbound_waiting.id
	number   INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	alphabet INTEGER NOT NULL,
	locking  INTEGER NOT NULL,
	single   INTEGER NOT NULL,
	octets   BLOB NOT NULL,
	PRIMARY KEY (waiting, number)
) STRICT, WITHOUT ROWID;

-- What of its room for waiting segments an account has taken up.
CREATE TABLE inbound_rooms (
	account INTEGER PRIMARY KEY,
	size    INTEGER NOT NULL
) STRICT;

-- Parts that were brought and may be brought again: of those that came through a session, the ones that are not known to be acknowledged.
CREATE TABLE inbound_seen (
	id      INTEGER PRIMARY KEY, -- the order in which they came
	digest  BLOB NOT NULL,
	session INTEGER NOT NULL, -- 0: the digest alone decides
	at      INTEGER NOT NULL
) STRICT;

CREATE INDEX inbound_seen_by_digest ON inbound_seen (digest);
CREATE INDEX inbound_seen_by_session ON inbound_seen (session, at) WHERE session <> 0;

-- Automatic answers that are owed and are no messages yet.
CREATE TABLE inbound_answers (
	seq  INTEGER PRIMARY KEY, -- of the message
	text TEXT NOT NULL
) STRICT;

-- Who does not want to hear from a number or a campaign (source) of an account any more.
CREATE TABLE opt_outs (
	account INTEGER NOT NULL,
	person  TEXT NOT NULL,
	source  TEXT NOT NULL,
	at      INTEGER NOT NULL,
	origin  INTEGER NOT NULL,
	word    TEXT,
	PRIMARY KEY (account, person, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX opt_outs_by_account ON opt_outs (account, at);
CREATE INDEX opt_outs_by_time ON opt_outs (at);

-- The audit trail: changes that changed something. Nothing is ever removed from it.
CREATE TABLE opt_out_changes (
	id       INTEGER PRIMARY KEY,
	account  INTEGER NOT NULL,
	person   TEXT NOT NULL,
	source   TEXT NOT NULL,
	at       INTEGER NOT NULL,
	origin   INTEGER NOT NULL,
	word     TEXT,
	opted_in INTEGER NOT NULL,
	message  BLOB, -- NULL: none asked for it
	note     TEXT
) STRICT;

CREATE INDEX opt_out_changes_by_account ON opt_out_changes (account, id);

-- Searches by numbers. What was received is found by who wrote it, and by our number. What was sent is not indexed by its destinations, which would be written
-- all over: their ends are beside the order of an account's messages.
CREATE INDEX messages_received_from ON messages (account, sender, seq) WHERE direction = 1;
CREATE INDEX messages_received_at ON messages (account, dst, seq) WHERE direction = 1;
DROP INDEX messages_by_account;
CREATE INDEX messages_by_account ON messages (account, seq, substr(dst, -4));
