// What holds for every page: nothing wide, nothing in the way of a screen
// reader or of a keyboard, nothing from elsewhere, no complaint of the browser.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(
	createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everything the browser says against a page; expected: a pattern to pass. */
export class Watch {
	constructor(page, base) {
		this.said = [];
		this.expected = undefined;
		this.requests = 0;
		page.on("console", (message) => {
			const said = `${message.text()} ${message.location().url}`;
			if (["error", "warning"].includes(message.type()) &&
				!this.expected?.test(said))
				this.said.push(`console: ${said}`);
		});
		page.on("pageerror", (error) =>
			this.said.push(`script: ${error.stack ?? error}`));
		page.on("request", (request) => {
			this.requests++;
			if (!request.url().startsWith(base + "/") &&
				!request.url().startsWith("data:"))
				this.said.push(`from elsewhere: ${request.url()}`);
		});
	}

	take() {
		const said = this.said;
		this.said = [];
		return said;
	}
}

/** In every document, before its own scripts. */
export async function listenToPolicy(context) {
	await context.addInitScript(() => {
		window.refusedByPolicy = [];
		document.addEventListener("securitypolicyviolation", (event) =>
			window.refusedByPolicy.push(
				`policy: ${event.violatedDirective} ${event.blockedURI} ` +
				event.sample));
	});
}

export const refusedByPolicy = (page) =>
	page.evaluate(() => window.refusedByPolicy.splice(0));

/** Until nothing is on its way any more. */
export async function settled(page) {
	await page.waitForFunction(() =>
		document.querySelector("#page-title, .login") !== null &&
		document.querySelector(".bones, [aria-busy=true]") === null,
	undefined, { timeout: 30_000 });
	await page.waitForTimeout(50);
}

export async function accessibility(page) {
	// The policy forbids foreign script elements, not what a debugger runs.
	await page.evaluate(AXE);
	const found = await page.evaluate(() => window.axe.run(document, {
		resultTypes: ["violations"],
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
			"best-practice"],
	}));
	return found.violations.flatMap((violation) =>
		violation.nodes.slice(0, 5).map((node) =>
			`axe: ${violation.id}: ${violation.help}: ` +
			`${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`
				.replaceAll("\n", " ")));
}

/** Nothing may be wider than the window but what scrolls by itself. */
export const width = (page) => page.evaluate(() => {
	const wide = document.documentElement.scrollWidth - innerWidth;
	if (wide <= 0)
		return [];
	const culprits = [...document.body.querySelectorAll("*")]
		.filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
		.slice(0, 3).map((e) => e.outerHTML.slice(0, 120));
	return [`layout: ${wide} px too wide: ${culprits.join(" … ")}`];
});

/** What can be clicked on can be reached with Tab, and is seen to be. */
export async function keyboard(page, limit = 300) {
	const wanted = await page.evaluate(() => {
		const list = [...document.querySelectorAll(
			"a[href], button, input, select, textarea, summary, [tabindex]")]
			.filter((e) => e.tabIndex >= 0 && !e.disabled &&
				e.checkVisibility({ visibilityProperty: true }));
		list.forEach((e, i) => (e.dataset.walk = String(i)));
		document.activeElement?.blur();
		return list.map((e) => e.outerHTML.slice(0, 120));
	});
	const problems = [], reached = new Set();

	for (let i = 0; i < Math.min(wanted.length + 2, limit); i++) {
		await page.keyboard.press("Tab");
		const at = await page.evaluate(() => {
			const e = document.activeElement;
			const shown = (one) => {
				if (one === null)
					return false;
				const style = getComputedStyle(one);
				return style.outlineStyle !== "none" &&
					parseFloat(style.outlineWidth) >= 1;
			};
			return e === null || e === document.body ? null : {
				walk: e.dataset.walk,
				seen: shown(e) || shown(e.closest("tr")) ||
					shown(e.closest("[data-focus]")),
				html: e.outerHTML.slice(0, 120),
			};
		});
		if (at === null)
			continue;
		if (!at.seen)
			problems.push(`keyboard: no focus to be seen on ${at.html}`);
		reached.add(at.walk);
	}
	if (wanted.length + 2 <= limit)
		wanted.forEach((html, i) => {
			if (!reached.has(String(i)))
				problems.push(`keyboard: Tab never comes to ${html}`);
		});
	return problems;
}

/** Bytes: of the script's heap, and of the process that draws the page. */
export async function memory(browser, page) {
	const of = await page.context().newCDPSession(page);
	await of.send("HeapProfiler.collectGarbage");
	await of.send("Performance.enable");
	const { metrics } = await of.send("Performance.getMetrics");
	await of.detach();
	const all = await browser.newBrowserCDPSession();
	const { processInfo } = await all.send("SystemInfo.getProcessInfo");
	await all.detach();
	const sizes = processInfo.filter((one) => one.type === "renderer")
		.map(({ id }) => {
			try {
				const text = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
				const kb = (name) => Number(
					new RegExp(`^${name}: +(\\d+)`, "m").exec(text)[1]);
				return { resident: 1024 * kb("Rss"), share: 1024 * kb("Pss"),
					own: 1024 * (kb("Private_Clean") + kb("Private_Dirty")) };
			} catch {
				return { resident: 0, share: 0, own: 0 };
			}
		});
	// The one of the page: the largest; another waits for the next page.
	sizes.sort((a, b) => b.own - a.own);
	return {
		heap: metrics.find((one) => one.name === "JSHeapUsedSize").value,
		...sizes[0],
	};
}
