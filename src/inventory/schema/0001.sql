-- Devices, the groups they are in, and the variables of both.
--
-- Tables are STRICT and names are checked by the program before they get
-- here.  The MAC is 12 lower-case hex digits: readable in the sqlite3 shell,
-- and its order as text is the order of its octets.

-- One row.  Moved by every commit that changed something; readers poll it.
CREATE TABLE change (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	number INTEGER NOT NULL
) STRICT;
INSERT INTO change VALUES (1, 1);

-- What variables can be set on besides a device: 0 the defaults, 1 a model,
-- 2 a group (enum scope_kind).  Only groups have parents.
CREATE TABLE scope (
	id INTEGER PRIMARY KEY,
	kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
	name TEXT NOT NULL,
	parent_id INTEGER REFERENCES scope (id)
		CHECK (parent_id IS NULL OR kind = 2),
	UNIQUE (kind, name)
) STRICT;

CREATE TABLE scope_variable (
	scope_id INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (scope_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
	mac TEXT NOT NULL PRIMARY KEY CHECK (length(mac) = 12),
	model TEXT NOT NULL,
	firmware TEXT NOT NULL,
	serial TEXT NOT NULL,
	group_id INTEGER REFERENCES scope (id),
	state TEXT NOT NULL CHECK (state IN ('active', 'retired'))
) STRICT, WITHOUT ROWID;

CREATE TABLE device_variable (
	mac TEXT NOT NULL REFERENCES device (mac) ON DELETE CASCADE,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (mac, name)
) STRICT, WITHOUT ROWID;
