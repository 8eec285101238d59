// How numbers, times and names are spelled, in one place.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en",
	{ notation: "compact", maximumFractionDigits: 1 });

/** 1234567 as "1,234,567". */
export function count(n: number): string {
	return whole.format(n);
}

/** For small places: 1234567 as "1.2M". */
export function compact(n: number): string {
	return Math.abs(n) < 10_000 ? whole.format(n) : short.format(n);
}

/** A rate: two digits that say something. */
export function rate(n: number): string {
	if (n === 0)
		return "0";
	return n < 10 ? n.toFixed(1) : whole.format(n);
}

export function percent(part: number, all: number): string {
	if (all === 0)
		return "–";
	const p = 100 * part / all;
	if (p > 0 && p < 0.1)
		return "<0.1 %";
	if (p > 99.9 && p < 100)
		return ">99.9 %";
	return (p < 10 ? p.toFixed(1).replace(/\.0$/, "") : p.toFixed(0)) + " %";
}

export function plural(n: number, one: string, many = one + "s"): string {
	return `${count(n)} ${n === 1 ? one : many}`;
}

/** Microseconds as people say them. */
export function duration(us: number): string {
	if (us < 1000)
		return `${us} µs`;
	if (us < 1_000_000)
		return `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;
	return `${(us / 1_000_000).toFixed(us < 10_000_000 ? 1 : 0)} s`;
}

export function bytes(n: number): string {
	if (n < 1000)
		return `${n} B`;
	return n < 1_000_000 ? `${(n / 1000).toFixed(1)} kB` :
		`${(n / 1_000_000).toFixed(1)} MB`;
}

/** 000e08aabbcc as "00:0e:08:aa:bb:cc". */
export function mac(text: string): string {
	return text.replace(/(..)(?!$)/g, "$1:");
}

const pad = (n: number) => String(n).padStart(2, "0");

/** Local, sortable, the same everywhere: "2026-11-25 14:03:09". */
export function dateTime(text: string | number | null | undefined): string {
	if (text === null || text === undefined)
		return "–";
	const d = new Date(text);
	return `${day(text)} ${pad(d.getHours())}:${pad(d.getMinutes())}:` +
		pad(d.getSeconds());
}

export function day(text: string | number | null | undefined): string {
	if (text === null || text === undefined)
		return "–";
	const d = new Date(text);
	return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
}

export function clock(text: string | number): string {
	const d = new Date(text);
	return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

const UNITS: [number, string][] = [
	[365 * 86400, "y"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"],
];

/** A span of seconds in its largest unit: "3 d". */
export function span(seconds: number): string {
	const s = Math.abs(seconds);
	for (const [unit, name] of UNITS)
		if (s >= (name === "y" ? 2 * unit : unit))
			return `${Math.floor(s / unit)} ${name}`;
	return "0 s";
}

/** "3 min ago", "in 12 d". */
export function ago(text: string | null | undefined, now: number): string {
	if (text === null || text === undefined)
		return "never";
	const s = (now - Date.parse(text)) / 1000;
	if (Math.abs(s) < 2)
		return "now";
	return s > 0 ? `${span(s)} ago` : `in ${span(s)}`;
}

export function daysLeft(text: string, now: number): number {
	return Math.floor((Date.parse(text) - now) / 86_400_000);
}

export function days(n: number): string {
	if (n < 0)
		return `ended ${plural(-n, "day")} ago`;
	return n === 0 ? "ends today" : `${plural(n, "day")} left`;
}

/** What the server says begins small and has no full stop. */
export function sentence(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1) +
		(/[.!?]$/.test(text) ? "" : ".");
}
