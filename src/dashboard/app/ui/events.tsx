// What happened on a listener, as a row that says it in words.
import { clock, dateTime, duration, mac } from "../lib/format";
import { href } from "../lib/route";
import type { Event } from "../lib/types";
import { Badge, type Tone } from "./badge";
import type { IconName } from "./icons";
import type { Column } from "./table";

const KINDS: Record<Event["kind"], [Tone, IconName, string]> = {
	"served": ["good", "good", "served"],
	"refused": ["bad", "bad", "refused"],
	"invalid": ["bad", "warn", "malformed"],
	"no-request": ["warn", "clock", "left silently"],
	"handshake": ["bad", "key", "no handshake"],
};

export function Kind({ event }: { event: Event }) {
	const [tone, icon, word] = KINDS[event.kind] ??
		["none", "info", event.kind] as const;
	return (
		<Badge tone={tone} icon={icon}>
			{word}{event.status > 0 && ` ${event.status}`}
		</Badge>
	);
}

/** "no-such-path" as words; a sentence stays one. */
export function inWords(reason: string): string {
	return /^[a-z]+(-[a-z]+)+$/.test(reason) ?
		reason.replace(/-/g, " ") : reason;
}

/** The reason first: it is what one reads down the column. */
export function whatHappened(event: Event): string {
	const said = [];
	if (event.reason !== "")
		said.push(inWords(event.reason));
	if (event.alert_received !== null)
		said.push(`its alert: ${event.alert_received}`);
	if (event.alert_sent !== null)
		said.push(`our alert: ${event.alert_sent}`);
	return said.join("; ");
}

function What({ event }: { event: Event }) {
	return (
		<div class="what">
			<span>{whatHappened(event)}</span>
			{event.path !== "" && <code class="quiet">{event.path}</code>}
		</div>
	);
}

export function Who({ event }: { event: Event }) {
	if (event.mac === null)
		return <span class="quiet">{event.source}</span>;
	return (
		<a class="mono nowrap" href={href(["devices", event.mac])}>
			{mac(event.mac)}
		</a>
	);
}

/** of: also which device; for a list of many. */
export function eventColumns(of: boolean): Column<Event>[] {
	const tls = (e: Event) => e.tls_version ?? (e.tls_offered !== null ?
		`up to ${e.tls_offered}` : "–");
	return [
		{ head: "Time", cell: (e) => (
			<time class="nowrap" dateTime={e.at} title={dateTime(e.at)}>
				{of ? clock(e.at) : dateTime(e.at)}
			</time>
		) },
		{ head: "Result", cell: (e) => <>
			<Kind event={e} />
			<div class="narrow small">
				{of && <div><Who event={e} /></div>}
				<What event={e} />
			</div>
		</> },
		...(of ? [
			{ head: "Device", width: "medium" as const, cell: (e: Event) => <Who event={e} /> },
			{ head: "Model", width: "wide" as const,
				cell: (e: Event) => e.product || "–" },
		] : []),
		{ head: "Why", width: "medium", cell: (e) => <What event={e} /> },
		{ head: "Listener", width: "medium", cell: (e) => e.listener },
		{ head: "TLS", width: "wide", cell: (e) =>
			<span class="nowrap">{tls(e)}</span> },
		{ head: "Took", number: true, width: "wide",
			cell: (e) => duration(e.microseconds) },
	];
}
