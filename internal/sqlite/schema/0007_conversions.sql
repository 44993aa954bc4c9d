-- What accounts say about trackable messages: whether the person did what the message asked for. One without a row had no feedback.
CREATE TABLE conversions (
	seq      INTEGER PRIMARY KEY, -- of the message
	status   INTEGER NOT NULL,    -- gateway.ConversionStatus
	acted_at INTEGER NOT NULL,
	told_at  INTEGER NOT NULL
) STRICT;

-- Messages that are not trackable cost this index nothing.
CREATE INDEX messages_trackable ON messages (trackable) WHERE trackable = 1;
