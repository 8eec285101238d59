import assert from "node:assert/strict";
import { test } from "node:test";
import { Scale } from "../app/pages/certificates";
import { causesOf } from "../app/pages/doctor";
import { dayIn, kindsOf } from "../app/pages/plan";

test("a day so many months ahead", () => {
	const now = new Date("2026-11-25T23:30:00Z");
	assert.equal(dayIn(0, now), "2026-11-25");
	assert.equal(dayIn(2, now), "2027-01-25");
	assert.equal(dayIn(180, now), "2041-11-25");
	// A month that has no such day ends with its last one.
	assert.equal(dayIn(1, new Date("2027-01-31T00:00:00Z")), "2027-02-28");
});

test("versions that get the same share a row, the worst comes first", () => {
	const group = (firmware, listener, devices, reason = "covered") => ({
		model: "SPA504G", firmware, listener, devices, reason, why: "",
		claim: null, ca: null, ways: [] });
	const kinds = kindsOf([group("7.5.6", "two", 5), group("7.5.2", "one", 900),
		group(null, "two", 2), group("7.4.9", "one", 1, "supply"),
		group("7.0", null, 3, "unknown")]);
	assert.deepEqual(kinds.map((k) => [k.listener, k.devices, k.versions]), [
		[null, 3, ["7.0"]], ["one", 1, ["7.4.9"]], ["one", 900, ["7.5.2"]],
		["two", 7, ["7.5.6", "version not known"]]]);
});

test("one cause at several listeners is one thing to do", () => {
	const group = (listener, cause, devices, recovered) =>
		({ listener, cause, fix: "mend it", devices, recovered });
	const causes = causesOf([group("a", "x", 5, 5), group("b", "y", 3, 1),
		group("c", "y", 4, 0), group("d", "x", 1, 2)]);
	assert.deepEqual(causes.map((c) => [c.cause, c.open, c.groups.length]),
		[["y", 6, 2], ["x", 0, 2]]);
});

test("what lies outside of the time that is drawn is at its edge", () => {
	const now = Date.parse("2026-11-25T00:00:00Z");
	const scale = new Scale(now);
	assert.equal(scale.at(0), 0);
	assert.equal(scale.at(Date.parse("2099-01-01")), 100);
	assert.ok(scale.at(now) > 10 && scale.at(now) < 20);
	for (const year of scale.years()) {
		const x = scale.at(Date.UTC(year, 0, 1));
		assert.ok(x > 0 && x < 100, String(year));
	}
});
