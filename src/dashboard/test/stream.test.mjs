import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, SHOWN_MAX } from "../app/lib/stream";

const page = (newest, n, cut = true) => ({
	events: Array.from({ length: n }, (_, i) => ({ id: newest - i })),
	cursor: cut ? newest - n + 1 : null, last: newest - n + 1,
});

test("what is new comes first, once", () => {
	let stream = advance(undefined, page(10, 5), 1000);
	assert.deepEqual(stream.events.map((e) => e.id), [10, 9, 8, 7, 6]);
	stream = advance(stream, page(12, 5), 2000);
	assert.deepEqual(stream.events.map((e) => e.id),
		[12, 11, 10, 9, 8, 7, 6]);
	assert.equal(stream.skipped, 0);
	assert.equal(stream.since, 1000);
	assert.equal(stream.at, 2000);
});

test("nothing new keeps the rows as they are", () => {
	const old = advance(undefined, page(10, 5), 1);
	const stream = advance(old, page(10, 5), 2);
	assert.equal(stream.events, old.events);
});

test("what a storm left out is counted, and rows are bounded", () => {
	let stream = advance(undefined, page(100, 100), 1);
	stream = advance(stream, page(1000, 100), 2);
	assert.equal(stream.skipped, 800);
	for (let i = 2; i < 20; i++)
		stream = advance(stream, page(1000 * i, 100), i);
	assert.equal(stream.events.length, SHOWN_MAX);
	assert.equal(stream.events[0].id, 19000);
});

test("ids without an order", () => {
	const page = (ids, cut = false) => ({ events: ids.map((id) => ({ id })),
		cursor: cut ? ids[ids.length - 1] : null, last: 0 });
	let stream = advance(undefined, page([50, 7, 99]), 1, false);
	stream = advance(stream, page([3, 80, 50, 7, 99]), 2, false);
	assert.deepEqual(stream.events.map((e) => e.id), [3, 80, 50, 7, 99]);
	assert.equal(stream.gap, false);
	stream = advance(stream, page([61, 12], true), 3, false);
	assert.deepEqual(stream.events.slice(0, 3).map((e) => e.id), [61, 12, 3]);
	assert.equal(stream.gap, true);
	assert.equal(stream.skipped, 0);
});

test("after a start with nothing, nothing was missed", () => {
	const empty = advance(undefined, page(0, 0, false), 1);
	assert.equal(advance(empty, page(500, 100), 2).skipped, 0);
});
