import assert from "node:assert/strict";
import { test } from "node:test";
import { href, parseRoute } from "../app/lib/route";

test("an address is read as it was written", () => {
	const parts = ["devices", "a/b c%"], query = { search: "x=1&y?", tab: "é" };
	assert.deepEqual(parseRoute(href(parts, query)), { parts, query });
});

test("what is empty is left out", () => {
	assert.equal(href(["devices"], { search: "", model: undefined }),
		"#/devices");
	assert.deepEqual(parseRoute(""), { parts: [], query: {} });
	assert.deepEqual(parseRoute("#/"), { parts: [], query: {} });
});

test("nonsense is a page that is not there, not an exception", () => {
	assert.deepEqual(parseRoute("#/%zz?%zz&=").parts, ["%zz"]);
});
