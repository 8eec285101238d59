// Light, dark, or as the system says. What was chosen stays in this browser.
export type Theme = "auto" | "light" | "dark";
export const THEMES: Theme[] = ["auto", "light", "dark"];
const KEY = "sprov-theme";

export function theme(): Theme {
	try {
		const kept = localStorage.getItem(KEY);
		return kept === "light" || kept === "dark" ? kept : "auto";
	} catch {
		return "auto"; // storage is switched off
	}
}

export function setTheme(chosen: Theme): void {
	if (chosen === "auto")
		delete document.documentElement.dataset["theme"];
	else
		document.documentElement.dataset["theme"] = chosen;
	try {
		localStorage.setItem(KEY, chosen);
	} catch {
		// It lasts as long as the page then.
	}
	window.dispatchEvent(new Event("themechange"));
}

/** A colour of tokens.css as a canvas wants it. */
export function colour(name: string): string {
	const probe = document.createElement("span");
	probe.style.color = `var(--${name})`;
	document.body.append(probe);
	const value = getComputedStyle(probe).color;
	probe.remove();
	return value;
}
