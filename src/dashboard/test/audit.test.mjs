import assert from "node:assert/strict";
import { test } from "node:test";
import { changeLine, summary } from "../app/lib/audit";

test("a change says what it was and what it is", () => {
	assert.equal(changeLine({ target: "000e08aabbcc", is: "changed",
		fields: { firmware: ["7.5.6", "7.6.2"], group: ["", "east"] },
		set: ["a", "b"], unset: ["c"] }),
	"000e08aabbcc changed: firmware 7.5.6 → 7.6.2; group – → east; " +
		"set a, b; unset c");
	assert.equal(changeLine({ target: "group:east", is: "added" }),
		"group:east added");
});

test("an entry in a line", () => {
	assert.equal(summary({}), "");
	assert.equal(summary({ detail: { devices_added: 2000,
		devices_changed: 1, devices_removed: 0, others: 0, changes: [] } }),
	"2,000 devices added, 1 device changed");
	assert.equal(summary({ detail: { migration: { id: 3, is: "stopped" } } }),
		"migration 3 stopped");
});
