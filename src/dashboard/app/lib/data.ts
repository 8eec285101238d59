// useData: what a path of the API says, kept fresh while somebody looks.
//
// A newer question aborts the older one.  While a page is hidden nothing is
// asked.  After a failure what was known stays, with the problem beside it, and
// the pause between tries grows.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, isAbort, Problem, type Query, address } from "./api";

export interface Data<T> {
	data: T | undefined; // the last good answer to this very question
	problem: Problem | undefined; // what the last try met
	loading: boolean; // a first answer is awaited
	at: number; // when data came, ms since 1970; 0: never
	refresh: () => void;
}

const PAUSE_MAX_MS = 60_000;

export function asProblem(error: unknown): Problem {
	return error instanceof Problem ? error :
		new Problem(0, "Unexpected answer", String(error));
}

/** How long to wait before the next try, after so many failures in a row. */
export function pauseAfter(failures: number, everyMs: number,
	retryAfterS = 0): number {
	const grown = everyMs * 2 ** Math.min(failures, 10);
	return Math.max(retryAfterS * 1000,
		Math.min(grown, Math.max(PAUSE_MAX_MS, everyMs)));
}

/** path null: ask nothing. everyMs 0: once. */
export function useData<T>(path: string | null, query: Query = {},
	everyMs = 0): Data<T> {
	const url = path === null ? null : address(path, query);
	const [state, setState] = useState<{
		url: string | null; data?: T; problem?: Problem | undefined; at: number;
	}>({ url, at: 0 });
	const again = useRef<() => void>(() => undefined);

	useEffect(() => {
		if (url === null)
			return undefined;
		let timer = 0, failures = 0, running = false;
		const stop = new AbortController();

		const run = async () => {
			if (running)
				return;
			running = true;
			window.clearTimeout(timer);
			let wait = everyMs;
			try {
				const data = await get<T>(url, undefined, stop.signal);
				failures = 0;
				setState({ url, data, at: Date.now() });
			} catch (error) {
				if (isAbort(error))
					return;
				const problem = asProblem(error);
				wait = pauseAfter(++failures, everyMs || 5000,
					problem.retryAfter);
				setState((old) => old.url === url ?
					{ ...old, problem } : { url, problem, at: 0 });
				// What is wrong with the question stays wrong.
				if (everyMs === 0 && problem.status >= 400 &&
					problem.status < 500 && problem.status !== 429)
					wait = 0;
			}
			running = false;
			if (wait > 0 && !document.hidden)
				timer = window.setTimeout(run, wait);
		};
		const seen = () => {
			window.clearTimeout(timer);
			if (!document.hidden && everyMs > 0)
				void run();
		};
		again.current = () => void run();
		document.addEventListener("visibilitychange", seen);
		void run();
		return () => {
			stop.abort();
			window.clearTimeout(timer);
			document.removeEventListener("visibilitychange", seen);
		};
	}, [url, everyMs]);

	const refresh = useCallback(() => again.current(), []);
	const current = state.url === url;
	return {
		data: current ? state.data : undefined,
		problem: current ? state.problem : undefined,
		loading: url !== null &&
			(!current || (state.data === undefined && !state.problem)),
		at: current ? state.at : 0,
		refresh,
	};
}

/** value, once it has stayed the same for so long. */
export function useSettled<T>(value: T, ms: number): T {
	const [settled, setSettled] = useState(value);
	useEffect(() => {
		const timer = window.setTimeout(() => setSettled(value), ms);
		return () => window.clearTimeout(timer);
	}, [value, ms]);
	return settled;
}

/** The time, once a second or as told, for "3 s ago" and the like. */
export function useNow(everyMs = 1000): number {
	const [now, setNow] = useState(Date.now());
	useEffect(() => {
		const timer = window.setInterval(() => setNow(Date.now()), everyMs);
		return () => window.clearInterval(timer);
	}, [everyMs]);
	return now;
}

/** What there was last, while something newer is awaited. */
export function useLast<T>(value: T | undefined): T | undefined {
	const last = useRef(value);
	if (value !== undefined)
		last.current = value;
	return last.current;
}

/**
 * Run look now and again, as long as the page is seen; what it met last, or
 * undefined.  Another key begins anew; null: do nothing.
 */
export function useLoop(look: (stop: AbortSignal) => Promise<void>,
	everyMs: number, key: string | null): Problem | undefined {
	const [problem, setProblem] = useState<Problem | undefined>();
	const latest = useRef(look);
	latest.current = look;

	useEffect(() => {
		if (key === null)
			return undefined;
		let timer = 0, failures = 0;
		const stop = new AbortController();
		const run = async () => {
			let wait = everyMs;
			try {
				if (!document.hidden)
					await latest.current(stop.signal);
				failures = 0;
				setProblem(undefined);
			} catch (error) {
				if (isAbort(error))
					return;
				const met = asProblem(error);
				setProblem(met);
				wait = pauseAfter(++failures, everyMs, met.retryAfter);
			}
			timer = window.setTimeout(run, wait);
		};
		void run();
		return () => {
			stop.abort();
			window.clearTimeout(timer);
		};
	}, [key, everyMs]);
	return problem;
}
