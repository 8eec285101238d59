// The newest events of a stream that may be faster than anybody reads.
import type { Event, EventsAnswer } from "./types";

export const SHOWN_MAX = 200;

export interface Stream {
	events: Event[]; // the newest first, SHOWN_MAX at most
	skipped: number; // came and went between two looks, as far as known
	gap: boolean; // some did
	since: number; // when looking began, ms since 1970
	at: number; // when last looked
}

/**
 * answer: the newest events, newest first.  With dense, ids grow by one with
 * each event of all kinds, so what lies between the oldest of these and the
 * newest that was known before is what was missed; with a filter it is an upper
 * bound, and is counted only where the answer was cut short.  A tenant's ids
 * have no order.
 */
export function advance(old: Stream | undefined, answer: EventsAnswer,
	now = Date.now(), dense = true): Stream {
	if (old === undefined)
		return { events: answer.events.slice(0, SHOWN_MAX), skipped: 0,
			gap: false, since: now, at: now };
	const known = old.events[0]?.id ?? 0;
	const at = answer.events.findIndex((event) => event.id === known);
	const fresh = dense ?
		answer.events.filter((event) => event.id > known) :
		answer.events.slice(0, at >= 0 ? at : answer.events.length);
	if (fresh.length === 0)
		return { ...old, at: now };
	const oldest = fresh[fresh.length - 1]!.id;
	const cut = fresh.length === answer.events.length &&
		answer.cursor !== null && known > 0;
	return {
		events: [...fresh, ...old.events].slice(0, SHOWN_MAX),
		skipped: old.skipped + (cut && dense ? oldest - known - 1 : 0),
		gap: old.gap || cut,
		since: old.since,
		at: now,
	};
}
