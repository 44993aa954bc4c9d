-- Messages whose media are not there yet have a due_at beyond 2^52, which is no time: what is beyond is when their media are looked for next. So they are
-- in no lane, and are not due for their carriers either.
CREATE INDEX messages_unprepared ON messages (account, due_at)
	WHERE state = 0 AND marked_at IS NULL AND due_at >= 4503599627370496;
