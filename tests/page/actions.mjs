// What people do on a page, and what they have to see then; each returns the
// list of what was otherwise.
import { settled } from "./checks.mjs";

/** Of the account; what a test makes of it, it takes back. */
export const PASSWORD = "correct horse battery";
const OTHER_PASSWORD = "another horse, as correct";

const number = async (page, name) => Number((await page.locator(".tile", {
	hasText: name }).locator(".value").textContent()).replaceAll(",", ""));

/** Until what() is another one than before. */
async function changed(page, what, before) {
	for (let i = 0; i < 200; i++) {
		await settled(page);
		if (await what() !== before)
			return [];
		await page.waitForTimeout(50);
	}
	return [`nothing changed: still ${before}`];
}

export const actions = {
	/** By keyboard alone: to a cell, into what it rests on, and back. */
	async trust(page) {
		const problems = [];
		await page.locator(".matrix td[tabindex='0']").focus();
		for (const key of ["ArrowDown", "ArrowRight", "End", "Home", "Enter"])
			await page.keyboard.press(key);
		const said = page.locator(".detail .evidence");
		await said.waitFor();
		if (!/Decided by .*confidence|Nobody says/s.test(await said.textContent()))
			problems.push(`no evidence: ${await said.textContent()}`);
		if (!await page.locator(".detail").evaluate((e) =>
			e === document.activeElement))
			problems.push("the focus is not where the answer is");
		if (!/model=.*&ca=/.test(page.url()))
			problems.push(`the address does not say it: ${page.url()}`);
		await page.keyboard.press("Escape");
		await page.locator(".detail").waitFor({ state: "detached" });
		if (!await page.evaluate(() => document.activeElement.matches("td")))
			problems.push("the focus did not come back");
		const rows = await page.locator(".matrix tbody tr").count();
		await page.getByRole("button", { name: "All models" }).click();
		if (await page.locator(".matrix tbody tr").count() <= rows)
			problems.push("all models are not more than those of the fleet");
		await page.locator(".matrix td.trusted").first().click();
		await said.waitFor();
		return problems;
	},

	/** By keyboard alone: find a device, and open it. */
	async devices(page, { mac }) {
		await page.locator("main input[type='search']").first().focus();
		await page.keyboard.type(mac);
		await page.keyboard.press("Enter");
		const found = page.locator(`tbody a[href='#/devices/${mac}']`);
		await page.waitForFunction(() =>
			document.querySelectorAll("tbody tr").length === 1);
		await found.focus();
		await page.keyboard.press("Enter");
		await page.waitForFunction((to) => location.hash === to,
			`#/devices/${mac}`);
	},

	/** By keyboard alone: it stands still, and goes on. */
	async live(page) {
		const problems = [];
		const pressed = () => page.locator("button[aria-pressed]").first()
			.getAttribute("aria-pressed");
		await page.getByRole("button", { name: "Pause" }).focus();
		await page.keyboard.press("Space");
		await page.getByText("Paused at").waitFor();
		if (await pressed() !== "true")
			problems.push("a screen reader does not hear that it is paused");
		await page.keyboard.press("Enter");
		await page.getByText("Paused at").waitFor({ state: "detached" });
		if (await pressed() !== "false")
			problems.push("a screen reader does not hear that it goes on");
		await page.getByRole("button", { name: "Pause" }).press("Enter");
		await page.getByText("Paused at").waitFor();
		return problems;
	},

	/** The last day of the slider: our certificates are over; then drop CAs. */
	async plan(page) {
		const lack = () => number(page, "Lack a certificate");
		const out = () => number(page, "Left out");
		const before = [await lack(), await out()];
		await page.locator("#plan-day").focus();
		await page.keyboard.press("End");
		const problems = await changed(page, lack, before[0]);
		await settled(page);
		const then = await out();
		await page.getByLabel("All from which no certificate").check();
		problems.push(...await changed(page, out, then));
		if (await out() <= before[1])
			problems.push("without CAs fewer devices are left out");
		if (!/in=180.*without=gone/.test(page.url()))
			problems.push(`the address does not say it: ${page.url()}`);
		return problems;
	},

	async certificates(page) {
		await page.getByText("Month by month").click();
		const problems = [];
		if (await page.locator(".months li").count() === 0)
			problems.push("no month in the list");
		if (await page.locator("svg.time rect.bar").count() < 20)
			problems.push("the timeline has few bars");
		return problems;
	},

	/** Not without the old one, not with a slip; and then it is changed. */
	async account(page) {
		const problems = [];
		const change = async (old, first, again, tone, text) => {
			await page.fill("#password-old", old);
			await page.fill("#password-new", first);
			await page.fill("#password-again", again);
			await page.getByRole("button",
				{ name: "Change the password" }).click();
			const notice = page.locator(`.notice.${tone}`,
				{ hasText: text });
			await notice.waitFor();
		};
		await change(PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD + ".", "bad",
			"not typed the same twice");
		await change("wrong " + PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD, "bad",
			"");
		await change(PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD, "good",
			"It is changed");
		if (await page.inputValue("#password-new") !== "")
			problems.push("the new password still stands there");
		await change(OTHER_PASSWORD, PASSWORD, PASSWORD, "good",
			"It is changed");
		return problems;
	},

	/** One entry with several changes opens; a filter shows fewer. */
	async audit(page) {
		const rows = () => page.locator("tbody tr").count();
		const before = await rows();
		const problems = before < 3 ? [`only ${before} entries`] : [];
		await page.locator("td details summary").first().click();
		if (await page.locator("td details[open] li").count() < 2)
			problems.push("an entry with several changes does not show them");
		await page.fill("#audit-action", "device set");
		await page.keyboard.press("Enter");
		problems.push(...await changed(page, rows, before));
		if (!/action=device(%20|\+)set/.test(page.url()))
			problems.push(`the address does not say it: ${page.url()}`);
		return problems;
	},

	async doctor(page) {
		const cases = () => page.locator(".cause").count();
		const before = await cases();
		await page.locator("summary").first().click();
		const problems = before === 0 ||
			await page.locator("details[open] li").count() === 0 ?
			["no group, or nobody in it"] : [];
		await page.getByRole("button", { name: "Hour" }).click();
		await settled(page);
		if (!page.url().includes("since=1h"))
			problems.push(`the address does not say it: ${page.url()}`);
		return problems;
	},

	/** Not at once, and not by Enter alone; then it is over. */
	async migration(page) {
		const stop = () => page.getByRole("button",
			{ name: "Stop", exact: true }).click();
		await stop();
		await page.keyboard.press("Enter");
		await page.locator("dialog[open]").waitFor({ state: "detached" });
		const problems =
			await page.getByText("It has stopped").count() === 0 ?
				[] : ["Enter stopped it"];
		await stop();
		await page.getByRole("button", { name: "Stop it" }).click();
		await page.getByText("It has stopped").waitFor();
		return problems;
	},
};
