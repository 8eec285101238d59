-- Migrations: devices that are moved from one CA's listener to another's, in
-- waves (sprov-migrate(1)).  Times are seconds since 1970, UTC; 0 is "not yet".

CREATE TABLE migration (
	id INTEGER PRIMARY KEY,
	source TEXT NOT NULL,	-- what --from and --to named
	source_kind TEXT NOT NULL CHECK (source_kind IN ('ca', 'listener')),
	target TEXT NOT NULL,
	target_kind TEXT NOT NULL CHECK (target_kind IN ('ca', 'listener')),
	rule TEXT NOT NULL,
	old_rule TEXT,		-- NULL: each device keeps its own
	threshold INTEGER NOT NULL CHECK (threshold BETWEEN 1 AND 100),
	min_wait INTEGER NOT NULL,
	state TEXT NOT NULL
		CHECK (state IN ('running', 'done', 'stopped', 'rolled-back')),
	reason TEXT NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL
) STRICT;

-- At most one runs: two would pull at the same devices.
CREATE UNIQUE INDEX migration_running ON migration (state)
	WHERE state = 'running';

CREATE TABLE migration_wave (
	migration_id INTEGER NOT NULL REFERENCES migration (id),
	number INTEGER NOT NULL,	-- from 1
	state TEXT NOT NULL
		CHECK (state IN ('pending', 'trial', 'done', 'put-back')),
	started_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL,
	PRIMARY KEY (migration_id, number)
) STRICT, WITHOUT ROWID;

-- The devices of the waves: what they had before (NULL: no value of their
-- own), and how often they had been answered when their trial began.
CREATE TABLE migration_member (
	migration_id INTEGER NOT NULL REFERENCES migration (id),
	mac TEXT NOT NULL REFERENCES device (mac) ON DELETE CASCADE,
	wave INTEGER NOT NULL,
	state TEXT NOT NULL CHECK (state IN
		('waiting', 'trial', 'moved', 'put-back', 'changed')),
	previous_rule TEXT,
	previous_rule_b TEXT,
	trial_at INTEGER NOT NULL,
	old_answers INTEGER NOT NULL,
	new_answers INTEGER NOT NULL,
	new_profiles INTEGER NOT NULL,
	PRIMARY KEY (migration_id, mac)
) STRICT, WITHOUT ROWID;

CREATE INDEX migration_member_mac ON migration_member (mac);
CREATE INDEX migration_member_wave ON migration_member (migration_id, wave);
