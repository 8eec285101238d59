import assert from "node:assert/strict";
import { test } from "node:test";
import { append, KEPT, lastOf, NO_SERIES } from "../app/lib/series";

const rows = (from, n) => Object.fromEntries(Object.keys(NO_SERIES).map(
	(name) => [name, Array.from({ length: n }, (_, i) => from + i)]));

test("rows are joined, within a limit", () => {
	const first = append(NO_SERIES, rows(0, 3));
	assert.deepEqual(first.at, [0, 1, 2]);
	assert.equal(append(first, NO_SERIES), first);
	const all = append(append(first, rows(3, KEPT)), rows(3 + KEPT, 2));
	assert.equal(all.answers.length, KEPT);
	assert.equal(all.answer_99_us[KEPT - 1], KEPT + 4);
	assert.deepEqual(NO_SERIES.at, []);
});

test("the last value that there is, if it is not too old", () => {
	assert.equal(lastOf([1, 2, null]), 2);
	assert.equal(lastOf([1, null, null], 2), null);
	assert.equal(lastOf([]), null);
});
