import assert from "node:assert/strict";
import { test } from "node:test";
import * as f from "../app/lib/format";

test("numbers", () => {
	assert.equal(f.count(1234567), "1,234,567");
	assert.equal(f.compact(9999), "9,999");
	assert.equal(f.compact(1234567), "1.2M");
	assert.equal(f.rate(0), "0");
	assert.equal(f.rate(3.14159), "3.1");
	assert.equal(f.rate(1234.5), "1,235");
	assert.equal(f.plural(1, "device"), "1 device");
	assert.equal(f.plural(2000, "device"), "2,000 devices");
});

test("a share never says all or nothing when it is not", () => {
	assert.equal(f.percent(0, 100), "0 %");
	assert.equal(f.percent(1, 1_000_000), "<0.1 %");
	assert.equal(f.percent(999_999, 1_000_000), ">99.9 %");
	assert.equal(f.percent(100, 100), "100 %");
	assert.equal(f.percent(1, 3), "33 %");
	assert.equal(f.percent(3, 160), "1.9 %");
	assert.equal(f.percent(1, 0), "–");
});

test("times", () => {
	const now = Date.parse("2026-11-25T12:00:00Z");
	assert.equal(f.ago(null, now), "never");
	assert.equal(f.ago("2026-11-25T12:00:00Z", now), "now");
	assert.equal(f.ago("2026-11-25T11:59:00Z", now), "1 min ago");
	assert.equal(f.ago("2026-11-28T12:00:00Z", now), "in 3 d");
	assert.equal(f.span(400 * 86400), "400 d");
	assert.equal(f.span(800 * 86400), "2 y");
	assert.equal(f.daysLeft("2026-11-24T12:00:01Z", now), -1);
	assert.equal(f.days(-1), "ended 1 day ago");
	assert.equal(f.days(0), "ends today");
	assert.equal(f.days(12), "12 days left");
	assert.equal(f.dateTime(undefined), "–");
});

test("durations and sizes", () => {
	assert.equal(f.duration(950), "950 µs");
	assert.equal(f.duration(1500), "1.5 ms");
	assert.equal(f.duration(45_000), "45 ms");
	assert.equal(f.duration(2_500_000), "2.5 s");
	assert.equal(f.bytes(999), "999 B");
	assert.equal(f.bytes(4321), "4.3 kB");
});

test("a MAC in pairs", () => {
	assert.equal(f.mac("000e08aabbcc"), "00:0e:08:aa:bb:cc");
});
