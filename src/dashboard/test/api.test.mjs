import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as api from "../app/lib/api";
import { pauseAfter } from "../app/lib/data";

let asked, answers;

beforeEach(() => {
	asked = [];
	answers = [];
	api.forgetAll();
	api.whenLoggedOut(() => undefined);
	globalThis.fetch = async (url, init) => {
		asked.push({ url, ...init });
		const next = answers.shift();
		if (next instanceof Error || next instanceof DOMException)
			throw next;
		return next;
	};
});

const json = (body, status = 200, headers = {}) =>
	new Response(body === null ? null : JSON.stringify(body),
		{ status, headers });

test("a query is encoded, and what is empty left out", () => {
	assert.equal(api.address("/x", { a: "1 &", b: "", c: undefined, d: 0 }),
		"/x?a=1%20%26&d=0");
	assert.equal(api.address("/x"), "/x");
});

test("what has not changed is the same object", async () => {
	answers = [json({ n: 1 }, 200, { ETag: '"a"' }), json(null, 304)];
	const first = await api.get("/x");
	const second = await api.get("/x");
	assert.equal(asked[0].headers["If-None-Match"], undefined);
	assert.equal(asked[1].headers["If-None-Match"], '"a"');
	assert.equal(first, second);
});

test("answers are kept within a limit", async () => {
	for (let i = 0; i < 100; i++) {
		answers = [json({ i }, 200, { ETag: `"${i}"` })];
		await api.get("/x", { i });
	}
	answers = [json({}), json({})];
	await api.get("/x", { i: 0 });
	await api.get("/x", { i: 99 });
	assert.equal(asked[100].headers["If-None-Match"], undefined);
	assert.equal(asked[101].headers["If-None-Match"], '"99"');
});

test("a problem says what the server said", async () => {
	answers = [json({ title: "Too Many", detail: "wait", status: 429 }, 429,
		{ "Retry-After": "7" })];
	await assert.rejects(api.get("/x"), (p) => p instanceof api.Problem &&
		p.status === 429 && p.message === "wait" && p.retryAfter === 7);
	answers = [new Response("<html>", { status: 502, statusText: "Bad" })];
	await assert.rejects(api.get("/x"), (p) => p.status === 502 &&
		p.message === "Bad");
	answers = [new TypeError("failed")];
	await assert.rejects(api.get("/x"), (p) => p.status === 0);
});

test("an abort stays one", async () => {
	answers = [new DOMException("aborted", "AbortError")];
	await assert.rejects(api.get("/x"), api.isAbort);
});

test("401 ends the session, but not a failed login", async () => {
	let out = 0;
	api.whenLoggedOut(() => out++);
	answers = [json({ title: "no" }, 401), json({ title: "no" }, 401)];
	await assert.rejects(api.send("POST", "/api/v1/login", {}));
	assert.equal(out, 0);
	await assert.rejects(api.get("/x"));
	assert.equal(out, 1);
});

test("a body is JSON, and an answer without one is null", async () => {
	answers = [new Response(null, { status: 204 })];
	assert.equal(await api.send("PATCH", "/x", { a: 1 },
		{ "If-Match": '"e"' }), null);
	assert.equal(asked[0].body, '{"a":1}');
	assert.equal(asked[0].headers["Content-Type"], "application/json");
	assert.equal(asked[0].headers["If-Match"], '"e"');
});

test("pauses grow, to a limit, and longer when the server says so", () => {
	assert.equal(pauseAfter(1, 2000), 4000);
	assert.equal(pauseAfter(99, 2000), 60000);
	assert.equal(pauseAfter(99, 300000), 300000);
	assert.equal(pauseAfter(1, 2000, 90), 90000);
});
