-- How many devices there are of each kind, kept with every change: plans and
-- the like need no more than that, and not a look at a million devices.
-- A kind of which there is no device any more has no row.

CREATE TABLE device_kind (
	model TEXT NOT NULL,
	firmware TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('active', 'retired')),
	count INTEGER NOT NULL,
	PRIMARY KEY (model, firmware, state)
) STRICT, WITHOUT ROWID;

INSERT INTO device_kind (model, firmware, state, count)
	SELECT model, firmware, state, count(*) FROM device
	GROUP BY model, firmware, state;
