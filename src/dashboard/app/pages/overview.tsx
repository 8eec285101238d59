// Is all well?  For a glance from across the room, and for the first minute of
// a day: how many devices, what happens now, what fails, what ends soon.
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { get } from "../lib/api";
import { type Data, useData, useLoop, useNow } from "../lib/data";
import {
	compact, count, days, duration, percent, plural, rate, sentence, span,
} from "../lib/format";
import { href } from "../lib/route";
import { append, lastOf, NO_SERIES, type Series } from "../lib/series";
import type {
	CertificatesAnswer, DoctorAnswer, ListenerCertificate, OverviewAnswer,
	RatesAnswer,
} from "../lib/types";
import { Badge, Meter, type Tone } from "../ui/badge";
import { Chart } from "../ui/chart";
import { Icon, type IconName } from "../ui/icons";
import { Page, Panel } from "../ui/layout";
import { Bones, Empty, Loaded } from "../ui/states";
import { Table } from "../ui/table";
import { hasPage, type PageProps } from "./pages";

const EVERY_MS = 2000;

/* ------------------------------------------------------------------- tiles */

function Tile({ name, icon, value, note, tone = "none", part, all, to }: {
	name: string; icon: IconName; value: string; note: string; tone?: Tone;
	part?: number; all?: number; to?: string;
}) {
	const inside = (
		<>
			<span class="name"><Icon name={icon} /> {name}</span>
			<span class="value">{value}</span>
			{part !== undefined && all !== undefined &&
				<Meter part={part} all={all} tone={tone} />}
			<span class="quiet small">{note}</span>
		</>
	);
	return to !== undefined ?
		<a class={`panel tile ${tone}`} href={to}>{inside}</a> :
		<div class={`panel tile ${tone}`}>{inside}</div>;
}

function Tiles({ of }: { of: OverviewAnswer }) {
	const d = of.devices, active = d.total - d.retired;
	const share = (n: number) => active === 0 ? "there are none yet" :
		`${percent(n, active)} of ${compact(active)}`;
	return (
		<div class="tiles">
			<Tile name="Devices" icon="devices" value={count(active)}
				note={d.retired > 0 ? `and ${count(d.retired)} retired` :
					"in the inventory"} to={href(["devices"])} />
			<Tile name="Provisioned today" icon="good" tone="good"
				value={count(d.provisioned_today)}
				note={share(d.provisioned_today)}
				part={d.provisioned_today} all={active} />
			<Tile name="Failing" icon={d.failing > 0 ? "bad" : "good"}
				tone={d.failing > 0 ? "bad" : "good"} value={count(d.failing)}
				note={d.failing > 0 ? share(d.failing) : "none"}
				part={d.failing} all={active}
				to={href(["devices"], { standing: "failing" })} />
			<Tile name="Never seen" icon="never"
				value={count(d.never_seen)} note={share(d.never_seen)}
				part={d.never_seen} all={active}
				to={href(["devices"], { standing: "never" })} />
		</div>
	);
}

/* --------------------------------------------------------------------- now */

function useSeries(): Series {
	const [series, setSeries] = useState(NO_SERIES);
	const latest = useRef(series);
	useLoop(async (stop) => {
		const after = latest.current.at[latest.current.at.length - 1];
		latest.current = append(latest.current,
			await get<RatesAnswer>("/api/v1/rates", { after }, stop));
		setSeries(latest.current);
	}, EVERY_MS, "rates");
	return series;
}

const milliseconds = (us: number | null) =>
	us === null ? "–" : duration(Math.round(us));

const axisTime = (us: number) => us === 0 ? "0" : duration(us);

function Rate({ of, series }: { of: OverviewAnswer; series: Series }) {
	const answers = rate(of.rates?.answers ?? 0);
	const failed = rate(of.rates?.failed_handshakes ?? 0);
	const waiting = of.connections?.waiting ?? 0;
	return (
		<Panel title="Resyncs" aside={
			`${plural(of.connections?.open ?? 0, "connection")} open` +
			(waiting > 0 ? `, ${count(waiting)} waiting` : "")}>
			<Chart times={series.at} unit={compact} top={4} lines={[
				{ label: "Answers", colour: "series-1",
					values: series.answers, now: `${answers}/s` },
				{ label: "Failed handshakes", colour: "series-2", dashed: true,
					values: series.failed_handshakes, now: `${failed}/s` },
			]} summary={`Now ${answers} answers and ${failed} failed ` +
				"handshakes per second."} />
		</Panel>
	);
}

function Latency({ series }: { series: Series }) {
	const now = (values: (number | null)[]) => milliseconds(lastOf(values));
	return (
		<Panel title="Time they take" aside="at the server">
			<Chart times={series.at} unit={axisTime} top={10_000} lines={[
				{ label: "Handshake, 99 %", colour: "series-3", dashed: true,
					values: series.handshake_99_us,
					now: now(series.handshake_99_us) },
				{ label: "Handshake, median", colour: "series-1",
					values: series.handshake_median_us,
					now: now(series.handshake_median_us) },
				{ label: "Answer, 99 %", colour: "series-2", dotted: true,
					values: series.answer_99_us,
					now: now(series.answer_99_us) },
			]} summary={`Now a handshake takes ` +
				`${now(series.handshake_median_us)} in the median.`} />
		</Panel>
	);
}

function Charts({ of }: { of: Data<OverviewAnswer> }) {
	const series = useSeries();
	return (
		<div class="charts">
			{of.data ? <>
				<Rate of={of.data} series={series} />
				<Latency series={series} />
			</> : of.loading && [1, 2].map((i) =>
				<div key={i} class="panel"><Bones rows={6} /></div>)}
		</div>
	);
}

/* ----------------------------------------------------------------- failing */

const ROWS = 7;

function Failing() {
	const doctor = useData<DoctorAnswer>("/api/v1/doctor", {}, 60_000);
	const groups = (doctor.data?.groups ?? []).filter((g) =>
		g.recovered < g.devices);
	return (
		<Panel title="What fails" bare aside={doctor.data &&
			`${plural(doctor.data.failing, "device")}, known or not, in ` +
			plural(groups.length, "group")}>
			<Loaded of={doctor}>{(d) => groups.length === 0 ? (
				<Empty icon="good" title="Nothing fails">
					{d.events === 0 ? "No device has come yet." :
						"Every device that came got what it asked for."}
				</Empty>
			) : (
				<Table caption="Groups of failures, the largest first"
					rows={groups.slice(0, ROWS)}
					rowKey={(g) => `${g.cause} ${g.listener} ${g.text}`}
					columns={[
						{ head: "Cause", cell: (g) => sentence(g.text) },
						{ head: "Devices", number: true,
							cell: (g) => count(g.devices - g.recovered) },
					]} />
			)}</Loaded>
			{groups.length > ROWS && <More page="doctor">
				{plural(groups.length - ROWS, "more group")}
			</More>}
		</Panel>
	);
}

/** The rest, on the page that has all; in words only while there is none. */
function More({ page, children }: {
	page: string; children: ComponentChildren;
}) {
	return (
		<p class="more quiet small">
			{hasPage(page) ? <a href={href([page])}>{children}</a> : children}
		</p>
	);
}

/* ------------------------------------------------------------ certificates */

function toneOf(c: ListenerCertificate): Tone {
	if (c.not_after === null)
		return "none";
	return c.days < 14 ? "bad" : c.days < 60 || c.attention ? "warn" : "good";
}

/** What ends first comes first; then what more devices stand on. */
function byUrgency(a: ListenerCertificate, b: ListenerCertificate): number {
	return a.days - b.days || (b.devices?.alone ?? 0) - (a.devices?.alone ?? 0);
}

function Certificates() {
	const answer = useData<CertificatesAnswer>("/api/v1/certificates", {},
		300_000);
	const all = answer.data?.listeners ?? [];
	return (
		<Panel title="Certificates of the listeners" bare
			aside={answer.data && (answer.data.attention > 0 ?
				`${plural(answer.data.attention, "listener")} to look at` :
				"none needs attention")}>
			<Loaded of={answer}>{() => all.length === 0 ? (
				<Empty title="No listener has a certificate" />
			) : (
				<Table caption="Certificates by the days they have left"
					rows={[...all].sort(byUrgency).slice(0, ROWS)}
					rowKey={(c) => c.name} columns={[
						{ head: "Listener", cell: (c) => c.name },
						{ head: "CA", width: "wide", cell: (c) =>
							c.ca ?? <span class="quiet">not known</span> },
						{ head: "Ends", cell: (c) => (
							<Badge tone={toneOf(c)}>{c.not_after === null ?
								"no end" : days(c.days)}</Badge>
						) },
						{ head: "Devices", number: true, cell: (c) =>
							c.devices ? count(c.devices.accept) : "–" },
						{ head: "Only here", number: true, width: "medium",
							cell: (c) => c.devices ?
								count(c.devices.alone) : "–" },
					]} />
			)}</Loaded>
			{all.length > ROWS && <More page="certificates">
				{plural(all.length - ROWS, "more listener")}, none of which
				ends before these
			</More>}
		</Panel>
	);
}

/* -------------------------------------------------------------------- page */

function Since({ of }: { of: OverviewAnswer }) {
	const now = useNow(10_000);
	return (
		<p class="quiet small">
			sprov {of.version}, up {span((now - Date.parse(of.started_at)) / 1000)}
		</p>
	);
}

export function Overview({ session }: PageProps) {
	const overview = useData<OverviewAnswer>("/api/v1/overview", {}, EVERY_MS);
	const whole = session.tenant === "";
	return (
		<Page title="Overview"
			aside={overview.data && <Since of={overview.data} />}>
			<Loaded of={overview} loading={
				<div class="tiles">{[1, 2, 3, 4].map((i) =>
					<div key={i} class="panel"><Bones rows={3} /></div>)}
				</div>}>{(o) => <Tiles of={o} />}</Loaded>
			{whole && <Charts of={overview} />}
			{whole && (
				<div class="halves">
					<Failing />
					<Certificates />
				</div>
			)}
		</Page>
	);
}
