// When what ends: our certificates, the roots that devices stand under, the CAs
// that they trust, and their own certificates; and for how many devices.
import type { ComponentChildren } from "preact";
import { useData } from "../lib/data";
import { count, day, days, daysLeft, plural } from "../lib/format";
import type { CertificatesAnswer } from "../lib/types";
import { Badge, type Tone } from "../ui/badge";
import { Page, Panel } from "../ui/layout";
import { Empty, Loaded } from "../ui/states";
import type { PageProps } from "./pages";

interface Ca {
	id: string;
	name: string;
	not_before: string | null;
	not_after: string | null;
	signs: string;
	devices?: number; // of those that sign devices
	devices_need?: number;
	devices_accept?: number;
}

interface Expiry {
	seen: number;
	expired: number;
	within_a_year: number;
	months: { month: string; devices: number; models: Record<string, number> }[];
	anchors: { name: string; not_after: string | null; expired: boolean }[];
}

/* ---------------------------------------------------------------- time scale */

const YEAR_MS = 365.25 * 86_400_000;
const BACK = 2, AHEAD = 12; // years that are drawn

export class Scale {
	readonly from: number;
	readonly to: number;
	constructor(readonly now: number) {
		this.from = now - BACK * YEAR_MS;
		this.to = now + AHEAD * YEAR_MS;
	}

	/** Where it is, from 0 to 100; what lies outside is at the edge. */
	at(time: number): number {
		const share = (time - this.from) / (this.to - this.from);
		return 100 * Math.max(0, Math.min(1, share));
	}

	years(): number[] {
		const first = new Date(this.from).getUTCFullYear() + 1;
		return Array.from({ length: BACK + AHEAD }, (_, i) => first + i);
	}
}

const percent = (n: number) => `${n.toFixed(2)}%`;

function Grid({ scale, height }: { scale: Scale; height: number }) {
	return (
		<>
			{scale.years().map((year) => {
				const x = percent(scale.at(Date.UTC(year, 0, 1)));
				return <line key={year} class="year" x1={x} x2={x} y1="0"
					y2={height} />;
			})}
			<line class="now" x1={percent(scale.at(scale.now))}
				x2={percent(scale.at(scale.now))} y1="0" y2={height} />
		</>
	);
}

function Axis({ scale }: { scale: Scale }) {
	return (
		<div class="lane axis" aria-hidden="true">
			<span />
			<svg class="time" height="20">
				<Grid scale={scale} height={20} />
				{scale.years().map((year, i) => i % 2 === 1 && (
					<text key={year} x={percent(scale.at(Date.UTC(year, 0, 1)))}
						dx="4" y="14">{year}</text>
				))}
			</svg>
			<span class="small">
				the thick line is today
			</span>
		</div>
	);
}

interface Span {
	name: string;
	note?: string;
	from: string | null;
	to: string | null;
	devices: number | undefined;
	depend: string; // what these devices do
}

function tone(left: number): Tone {
	return left < 0 ? "bad" : left < 30 ? "bad" : left < 180 ? "warn" : "good";
}

function Lane({ of, scale }: { of: Span; scale: Scale }) {
	const from = of.from ? Date.parse(of.from) : scale.from;
	const to = of.to ? Date.parse(of.to) : scale.to;
	const x = scale.at(from), end = scale.at(to);
	const left = of.to ? daysLeft(of.to, scale.now) : undefined;
	const is = left === undefined ? "none" : tone(left);
	return (
		<li class="lane">
			<span class="name">
				<b>{of.name}</b>
				{of.note && <span class="quiet small"> {of.note}</span>}
			</span>
			<svg class="time" height="18" aria-hidden="true">
				<Grid scale={scale} height={18} />
				<rect class={`bar ${is}`} x={percent(x)} y="4" height="10"
					width={percent(Math.max(0.4, end - x))} rx="3" />
				{of.to !== null && to < scale.to && to > scale.from && (
					<circle class={`bar ${is}`} cx={percent(end)} cy="9" r="6" />
				)}
			</svg>
			<span class="what">
				{left === undefined ?
					<span class="quiet">no end is known</span> :
					<>
						<Badge tone={is}>
							{left > 3650 ? "ten years or more" : days(left)}
						</Badge>{" "}
						<span class="quiet small nowrap">{day(of.to)}</span>
					</>}
				{of.devices !== undefined && (
					<span class={of.devices > 0 ? "" : "quiet"}>
						{plural(of.devices, "device")} {of.depend}
					</span>
				)}
			</span>
		</li>
	);
}

function Lanes({ spans, scale }: { spans: Span[]; scale: Scale }) {
	const end = (s: Span) => s.to === null ? Infinity : Date.parse(s.to);
	return (
		<div class="timeline">
			<Axis scale={scale} />
			<ul>
				{[...spans].sort((a, b) => end(a) - end(b)).map((span) => (
					<Lane key={span.name} of={span} scale={scale} />
				))}
			</ul>
		</div>
	);
}

/* ------------------------------------------------------- devices, by the month */

function Months({ of, scale }: { of: Expiry; scale: Scale }) {
	const most = Math.max(...of.months.map((m) => m.devices));
	const height = 90;
	return (
		<>
			<div class="timeline">
				<Axis scale={scale} />
				<div class="lane">
					<span class="name">
						{plural(of.seen, "certificate")} seen
					</span>
					<svg class="time" height={height} role="img" aria-label={
						"Devices whose certificate ends, by the month; the " +
						"list below says the same"}>
						<Grid scale={scale} height={height} />
						{of.months.map((m) => {
							const at = Date.parse(m.month + "-01");
							const h = Math.max(3, m.devices / most *
								(height - 4));
							return (
								<rect key={m.month} class={`bar ${tone(
									(at - scale.now) / 86_400_000)}`}
								x={percent(scale.at(at))} width="5" rx="2"
								y={height - h} height={h} />
							);
						})}
					</svg>
					<span class="what">
						<Badge tone={of.expired > 0 ? "bad" : "good"}>
							{count(of.expired)} expired
						</Badge>
						<span>{count(of.within_a_year)} within a year</span>
					</span>
				</div>
			</div>
			<details>
				<summary>Month by month</summary>
				<ul class="months">
					{of.months.map((m) => (
						<li key={m.month}>
							<b>{m.month}</b> {plural(m.devices, "device")}{" "}
							<span class="quiet small">
								{Object.entries(m.models).map(([model, n]) =>
									`${model} (${count(n)})`).join(", ")}
							</span>
						</li>
					))}
				</ul>
			</details>
		</>
	);
}

/* ---------------------------------------------------------------------- page */

function Section<T>({ title, aside, of, none, children }: {
	title: string; aside?: ComponentChildren;
	of: Parameters<typeof Loaded<T>>[0]["of"]; none: (data: T) => boolean;
	children: (data: T) => ComponentChildren;
}) {
	return (
		<Panel title={title} aside={aside}>
			<Loaded of={of}>{(data) => none(data) ?
				<Empty title="None yet" /> : children(data)}</Loaded>
		</Panel>
	);
}

export function Certificates(_: PageProps) {
	const ours = useData<CertificatesAnswer>("/api/v1/certificates", {}, 60_000);
	const expiry = useData<Expiry>("/api/v1/expiry", {}, 60_000);
	const roots = useData<Ca[]>("/api/v1/cas", { clients: 1 });
	const cas = useData<Ca[]>("/api/v1/cas");
	const scale = new Scale(Math.floor(Date.now() / 3_600_000) * 3_600_000);
	return (
		<Page title="Certificates">
			<Section title="Ours" of={ours} none={(d) => d.listeners.length === 0}
				aside={ours.data && (ours.data.attention > 0 ?
					`${plural(ours.data.attention, "listener")} to look at` :
					"nothing to do")}>{(d) => (
					<Lanes scale={scale} spans={d.listeners.map((l) => ({
						name: l.name, note: l.ca === l.name ? "" :
							l.ca ?? "CA not known",
						from: l.not_before, to: l.not_after,
						devices: l.devices?.alone, depend: "depend on it",
					}))} />
				)}</Section>
			<Section title="Certificates of devices" of={expiry}
				none={(d) => d.months.length === 0}>{(d) =>
					<Months of={d} scale={scale} />}</Section>
			<Section title="Roots that devices stand under" of={roots}
				none={(d) => d.length === 0}>{(d) => (
					<Lanes scale={scale} spans={d.map((ca) => ({
						name: ca.name, from: ca.not_before, to: ca.not_after,
						devices: ca.devices, depend: "stand under it",
					}))} />
				)}</Section>
			<Section title="CAs that devices trust" of={cas}
				none={(d) => d.length === 0}>{(d) => (
					<Lanes scale={scale} spans={d.filter((ca) =>
						ca.not_after !== null || !!ca.devices_accept).map((ca) =>
						({
							name: ca.name, from: ca.not_before, to: ca.not_after,
							note: ca.signs === "yes" ? "signs" : "",
							devices: ca.devices_need, depend: "accept no other",
						}))} />
				)}</Section>
		</Page>
	);
}
