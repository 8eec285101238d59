-- Variables beside what they are set on, tags, kinds of groups, types of
-- variables, and a log of which devices changed.
--
-- A server reads a million devices with all their variables at its start: one
-- row per device is read five times as fast as one per variable.  Such a text
-- is, for each variable in the order of names, the name, char(31) before a
-- value in clear or char(29) before a sealed one, the value, char(30).  Names
-- and values never hold these characters.

CREATE TABLE scope_new (
	id INTEGER PRIMARY KEY,
	-- 0 the defaults, 1 a model, 2 a group, 3 a tag (enum scope_kind)
	kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2, 3)),
	name TEXT NOT NULL,
	-- 0 group, 1 site, 2 tenant (enum group_kind)
	group_kind INTEGER NOT NULL DEFAULT 0
		CHECK (group_kind = 0 OR (kind = 2 AND group_kind IN (1, 2))),
	parent_id INTEGER REFERENCES scope_new (id)
		CHECK (parent_id IS NULL OR kind = 2),
	variables TEXT NOT NULL,
	UNIQUE (kind, name)
) STRICT;

INSERT INTO scope_new (id, kind, name, parent_id, variables)
	SELECT id, kind, name, parent_id, ifnull((
		SELECT group_concat(v.name || char(31) || v.value || char(30), '')
		FROM (SELECT name, value FROM scope_variable
			WHERE scope_id = scope.id ORDER BY name) AS v), '')
	FROM scope;
DROP TABLE scope_variable;
DROP TABLE scope;
ALTER TABLE scope_new RENAME TO scope;

ALTER TABLE device ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN variables TEXT NOT NULL DEFAULT '';
UPDATE device SET variables = ifnull((
	SELECT group_concat(v.name || char(31) || v.value || char(30), '')
	FROM (SELECT name, value FROM device_variable
		WHERE device_variable.mac = device.mac ORDER BY name) AS v), '');
DROP TABLE device_variable;

-- A type as it is written: "integer 1..65535".
CREATE TABLE variable_type (
	name TEXT NOT NULL PRIMARY KEY,
	type TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What changed with which change number, so that a server reads only that.
-- The log is cut now and then: it tells all changes after log_floor.
CREATE TABLE device_log (
	id INTEGER PRIMARY KEY,
	number INTEGER NOT NULL,
	mac TEXT NOT NULL
) STRICT;
ALTER TABLE change ADD COLUMN log_floor INTEGER NOT NULL DEFAULT 0;
-- The number with which scopes or types changed last.
ALTER TABLE change ADD COLUMN scope_number INTEGER NOT NULL DEFAULT 0;
-- The id of the key that seals secrets; '' while none does.
ALTER TABLE change ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
UPDATE change SET log_floor = number, scope_number = number;
