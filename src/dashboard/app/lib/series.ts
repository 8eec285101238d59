// The last minutes, second by second, put together from what came each time.
import type { RatesAnswer } from "./types";

export const KEPT = 600; // rows: ten minutes

export type Series = RatesAnswer;

export const NO_SERIES: Series = {
	at: [], answers: [], handshakes: [], failed_handshakes: [],
	answer_median_us: [], answer_99_us: [], handshake_median_us: [],
	handshake_99_us: [],
};

/** fresh: rows after the last one of old. */
export function append(old: Series, fresh: Series): Series {
	if (fresh.at.length === 0)
		return old;
	const joined = { ...old };
	for (const name of Object.keys(NO_SERIES) as (keyof Series)[])
		joined[name] = [...old[name], ...fresh[name]].slice(-KEPT) as number[];
	return joined;
}

/** The last value that there is, among the last so many rows. */
export function lastOf(values: (number | null)[], rows = 10): number | null {
	for (const value of values.slice(-rows).reverse())
		if (value !== null)
			return value;
	return null;
}
