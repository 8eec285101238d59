// The API client: JSON in and out, problems as exceptions, answers kept with
// their ETag so that what has not changed is neither sent nor drawn again.

/** What the server, or the way to it, had against a request (RFC 9457). */
export class Problem extends Error {
	constructor(
		readonly status: number, // 0: no answer at all
		readonly title: string,
		readonly detail: string,
		readonly retryAfter = 0, // seconds
	) {
		super(detail || title);
		this.name = "Problem";
	}
}

export type Query = Record<string, string | number | undefined>;

/** A path with its query; what is undefined or empty is left out. */
export function address(path: string, query: Query = {}): string {
	const pairs = Object.entries(query)
		.filter(([, value]) => value !== undefined && value !== "")
		.map(([key, value]) =>
			`${encodeURIComponent(key)}=${encodeURIComponent(value!)}`);
	return pairs.length > 0 ? `${path}?${pairs.join("&")}` : path;
}

export function isAbort(error: unknown): boolean {
	return error instanceof DOMException && error.name === "AbortError";
}

/* ----------------------------------------------------------- 401 anywhere */

let onLoggedOut: () => void = () => undefined;

/** Called whenever the server does not know (any more) who asks. */
export function whenLoggedOut(callback: () => void): void {
	onLoggedOut = callback;
}

/* -------------------------------------------------------------- requests */

const KEPT_MAX = 64;
const kept = new Map<string, { etag: string; data: unknown }>();

function keep(url: string, etag: string, data: unknown): void {
	kept.delete(url);
	kept.set(url, { etag, data });
	for (const oldest of kept.keys()) {
		if (kept.size <= KEPT_MAX)
			break;
		kept.delete(oldest);
	}
}

export function forgetAll(): void {
	kept.clear();
}

async function problemOf(answer: Response): Promise<Problem> {
	const retry = Number(answer.headers.get("Retry-After")) || 0;
	let title = answer.statusText, detail = "";
	try {
		const body = await answer.json();
		title = String(body.title ?? title);
		detail = String(body.detail ?? "");
	} catch {
		// Not ours: a proxy's page.
	}
	return new Problem(answer.status, title, detail, retry);
}

async function ask(url: string, init: RequestInit): Promise<Response> {
	let answer: Response;
	try {
		answer = await fetch(url, { credentials: "same-origin", ...init });
	} catch (error) {
		if (isAbort(error))
			throw error;
		throw new Problem(0, "No answer",
			"The server cannot be reached.");
	}
	if (answer.ok || answer.status === 304)
		return answer;
	const problem = await problemOf(answer);
	if (answer.status === 401 && !url.endsWith("/login")) {
		forgetAll();
		onLoggedOut();
	}
	throw problem;
}

export interface Tagged<T> {
	data: T;
	etag: string;
}

/** GET, with the ETag that a write of the same thing wants in If-Match. */
export async function getTagged<T>(path: string, query?: Query,
	signal?: AbortSignal): Promise<Tagged<T>> {
	const url = address(path, query);
	const old = kept.get(url);
	const headers: Record<string, string> = { Accept: "application/json" };
	if (old !== undefined)
		headers["If-None-Match"] = old.etag;
	const answer = await ask(url, signal ? { headers, signal } : { headers });
	if (answer.status === 304 && old !== undefined)
		return old as Tagged<T>;
	const data = await answer.json() as T;
	const etag = answer.headers.get("ETag") ?? "";
	if (etag !== "")
		keep(url, etag, data);
	return { data, etag };
}

/** GET; the very same object as last time when nothing has changed. */
export async function get<T>(path: string, query?: Query,
	signal?: AbortSignal): Promise<T> {
	return (await getTagged<T>(path, query, signal)).data;
}

/** POST, PUT, PATCH, DELETE; null where the answer has no body. */
export async function send<T>(method: string, path: string, body?: unknown,
	headers: Record<string, string> = {}): Promise<T | null> {
	const init: RequestInit = { method, headers: { ...headers } };
	if (body !== undefined) {
		init.body = JSON.stringify(body);
		init.headers = { "Content-Type": "application/json", ...headers };
	}
	const answer = await ask(path, init);
	return answer.status === 204 ? null : await answer.json() as T;
}
