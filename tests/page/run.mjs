// run.mjs: every page of the dashboard in a real browser.
//
// Settings come as JSON on standard input: base (URL of the admin listener),
// name and code of an account that has not logged in yet, chromium, shots (a
// folder for pictures), mac (a device that has been served), empty (whether the
// fleet has no device), only (a pattern for names of pages).  What was found goes
// to standard output as JSON: for each test a name and a list of problems.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { actions, PASSWORD } from "./actions.mjs";
import {
	accessibility, keyboard, listenToPolicy, memory, refusedByPolicy, settled,
	Watch, width,
} from "./checks.mjs";

const SIZES = {
	phone: { viewport: { width: 390, height: 844 }, hasTouch: true },
	wall: { viewport: { width: 1920, height: 1080 } },
};
// Where there is no device and no migration.
const NOTHING_YET = /status of 404 .*\/api\/v1\/(plan|migrations\/newest)\b/;
const REFUSED = /Failed to load resource: .*(500|503|401|403|404|ERR_FAILED)/;

const settings = JSON.parse(readFileSync(0, "utf8"));
const results = [];
const browser = await chromium.launch({
	executablePath: settings.chromium,
	args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});

async function test(name, body) {
	const began = Date.now();
	let problems, more;
	try {
		({ problems, ...more } = await body());
	} catch (error) {
		problems = [`failed: ${error.stack ?? error}`];
	}
	results.push({ name, problems, ms: Date.now() - began, ...more });
}

async function open(options, state) {
	const context = await browser.newContext({
		ignoreHTTPSErrors: true, reducedMotion: "reduce", ...options,
		...(state ? { storageState: state } : {}),
	});
	await listenToPolicy(context);
	const page = await context.newPage();
	page.setDefaultTimeout(20_000);
	return { context, page, watch: new Watch(page, settings.base) };
}

/** To a page, with nothing kept from when it was seen last. */
async function go(page, name) {
	await page.evaluate(() => (location.hash = "#/nowhere"));
	await page.getByText("There is no such page").waitFor();
	await page.evaluate((to) => (location.hash = to), "#/" + name);
}

async function look(page, watch, shot) {
	await settled(page);
	if (settings.shots)
		await page.screenshot({
			path: join(settings.shots, shot + ".png"), fullPage: true,
		});
	return [
		...await width(page), ...await accessibility(page),
		...await refusedByPolicy(page), ...watch.take(),
	];
}

/* ---------------------------------------------------------------- log in */

let state;
async function logIn() {
	const { context, page, watch } = await open({
		...SIZES.phone, colorScheme: "light",
	});
	// Who is not logged in gets a 401 for asking, which the browser notes.
	watch.expected = REFUSED;
	await page.goto(settings.base + "/");
	const problems = await look(page, watch, "login-phone-light");
	await page.fill("#name", settings.name);
	await page.fill("#password", "wrong " + PASSWORD);
	await page.keyboard.press("Enter");
	await page.waitForSelector("[role=alert]");
	problems.push(...await accessibility(page));
	await page.getByText("one-time code").first().click();
	await page.fill("#code", settings.code);
	await page.fill("#password", PASSWORD);
	await page.keyboard.press("Enter");
	await page.waitForSelector("#page-title");
	await settled(page);
	state = await context.storageState();
	const names = await page.$$eval("nav a[href^='#/']",
		(links) => links.map((a) => a.getAttribute("href").slice(2)));
	await context.close();
	return { problems: [...problems, ...watch.take()], names };
}

/* ----------------------------------------------------------------- pages */

async function visit(names, size, colorScheme) {
	const { context, page, watch } = await open(
		{ ...SIZES[size], colorScheme }, state);
	if (settings.empty)
		watch.expected = NOTHING_YET;
	await page.goto(settings.base + "/");
	for (const name of names)
		await test(`${name} ${size} ${colorScheme}`, async () => {
			const shot = name.split(/[/?]/)[0] +
				(name.includes("/") ? "-one" : "");
			await go(page, name);
			const problems = await look(page, watch,
				`${shot}-${size}-${colorScheme}`);
			return { problems };
		});
	if (size === "phone")
		await test(`menu ${size} ${colorScheme}`, async () => {
			await page.getByRole("button", { name: "Menu" }).click();
			return { problems: await look(page, watch,
				`menu-${size}-${colorScheme}`) };
		});
	await context.close();
}

async function walk(names) {
	const { context, page, watch } = await open(
		{ ...SIZES.wall, colorScheme: "light" }, state);
	await page.goto(settings.base + "/");
	for (const name of names) {
		await test(`${name} keyboard`, async () => {
			await go(page, name);
			await settled(page);
			return { problems: [...await keyboard(page), ...watch.take()] };
		});
		await test(`${name} memory`, async () => {
			const used = await memory(browser, page);
			const problems = used.heap > 100e6 || used.own > 100e6 ?
				[`memory: ${JSON.stringify(used)}`] : [];
			return { problems, used };
		});
		if (actions[name] !== undefined && !settings.empty)
			await test(`${name} use`, async () => {
				// It tries what is refused, which the browser notes.
				watch.expected = name === "account" ? REFUSED : undefined;
				const problems = await actions[name](page, settings) ?? [];
				return { problems: [...problems, ...await look(page, watch,
					`${name}-used`)] };
			});
	}
	await context.close();
}

/** The server refuses, and what pages show then; and while nothing comes. */
async function trouble(names) {
	const { context, page, watch } = await open(
		{ ...SIZES.phone, colorScheme: "dark" }, state);
	await page.goto(settings.base + "/");
	await settled(page);
	watch.expected = REFUSED;
	await page.route(/\/api\/v1\/(?!session)/, (route) => route.fulfill({
		status: 503, contentType: "application/problem+json",
		body: JSON.stringify({ title: "Service Unavailable", status: 503,
			detail: "the inventory cannot be read" }),
	}));
	for (const name of names)
		await test(`${name} error`, async () => {
			await go(page, name);
			await page.waitForSelector("main [role=alert]");
			const problems = await look(page, watch, `${name.split(/[/?]/)[0]}-error`);
			const text = await page.textContent("main [role=alert]");
			if (!text.includes("the inventory cannot be read"))
				problems.push(`the problem is not said: ${text}`);
			return { problems };
		});
	await page.unroute(/\/api\/v1\/(?!session)/);
	await page.route(/\/api\/v1\/(?!session)/, (route) => route.abort());
	for (const name of names)
		await test(`${name} gone`, async () => {
			await go(page, name);
			await page.waitForSelector("main [role=alert]");
			return { problems: await look(page, watch,
				`${name.split(/[/?]/)[0]}-gone`) };
		});
	await page.unroute(/\/api\/v1\/(?!session)/);
	await page.route(/\/api\/v1\/(?!session)/, () => undefined);
	for (const name of names)
		await test(`${name} loading`, async () => {
			await go(page, name);
			await page.waitForSelector("main .bones, main [aria-busy=true]");
			return { problems: [...await accessibility(page),
				...await width(page), ...watch.take()] };
		});
	await context.close();
}

/** Going on as soon as there is a menu, before the page listens to anything. */
async function hurry() {
	const { context, page, watch } = await open(
		{ ...SIZES.wall, colorScheme: "light" }, state);
	if (settings.empty)
		watch.expected = NOTHING_YET;
	await context.addInitScript(() => {
		const drawn = new MutationObserver(() => {
			if (document.querySelector("nav") === null)
				return;
			drawn.disconnect();
			location.hash = "#/trust";
		});
		drawn.observe(document, { childList: true, subtree: true });
	});
	await page.goto(settings.base + "/");
	await page.locator("nav a[href='#/trust'][aria-current=page]").waitFor();
	await settled(page);
	await context.close();
	return { problems: watch.take() };
}

/* ------------------------------------------------------------------ main */

let names = [];
await test("log in", async () => {
	const { problems, names: found } = await logIn();
	const device = found.includes("devices") && settings.mac ?
		[`devices/${settings.mac}`] : [];
	// Reached by the name of who is logged in, not from the list of pages.
	names = [...found, ...device, "account"].filter((name) =>
		new RegExp(settings.only ?? "").test(name));
	return { problems, names };
});
if (state !== undefined) {
	await test("hurry", hurry);
	if (settings.empty) {
		await visit(names, "phone", "light");
	} else {
		await visit(names, "phone", "light");
		await visit(names, "phone", "dark");
		await visit(names, "wall", "light");
		await visit(names, "wall", "dark");
		// The account page has all that it shows.
		await trouble(names.filter((name) => name !== "account"));
	}
	if (!settings.empty)
		await walk(names);
}
await browser.close();
console.log(JSON.stringify(results));
