// Addresses within the page: "#/devices/000e08aabbcc?tab=profile".
//
// The part behind '#' never reaches the server or its log, and needs nothing of
// it.  Filters stand in it, so that a view can be kept, sent and gone back to.
import { useEffect, useState } from "preact/hooks";

export interface Route {
	parts: string[]; // "devices", "000e08aabbcc"
	query: Record<string, string>;
}

export function parseRoute(hash: string): Route {
	const text = hash.replace(/^#?\/?/, "");
	const [path = "", search = ""] = text.split(/\?(.*)/s);
	const query: Record<string, string> = {};
	for (const [key, value] of new URLSearchParams(search))
		query[key] = value;
	return {
		parts: path.split("/").filter((part) => part !== "").map(decode),
		query,
	};
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

export function href(parts: string[],
	query: Record<string, string | undefined> = {}): string {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query))
		if (value !== undefined && value !== "")
			search.set(key, value);
	const text = search.toString();
	return "#/" + parts.map(encodeURIComponent).join("/") +
		(text !== "" ? "?" + text : "");
}

/** Filters change the address in place; going to a page is a step to go back. */
export function go(to: string, replace = false): void {
	if (to === location.hash)
		return;
	if (replace) {
		history.replaceState(null, "", to);
		window.dispatchEvent(new HashChangeEvent("hashchange"));
	} else {
		location.hash = to;
	}
}

export function useRoute(): Route {
	const [hash, setHash] = useState(location.hash);
	useEffect(() => {
		const changed = () => setHash(location.hash);
		window.addEventListener("hashchange", changed);
		// What it was set to between drawing and listening.
		changed();
		return () => window.removeEventListener("hashchange", changed);
	}, []);
	return parseRoute(hash);
}
