-- What an operator sets for an account against fraud.
CREATE TABLE guards (
	account    TEXT PRIMARY KEY,
	others     INTEGER,       -- countries that are not named: 1 on, 0 off, NULL as elsewhere
	countries  TEXT NOT NULL, -- JSON
	thresholds TEXT NOT NULL, -- JSON
	alert_url  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
