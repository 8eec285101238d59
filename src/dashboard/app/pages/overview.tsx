// Is all well?  For a glance from across the room, and for the first minute of
// a day: how many devices, what happens now, what fails, what ends soon.
import { useEffect, useRef, useState } from "preact/hooks";
import { useData, useNow } from "../lib/data";
import { compact, count, days, percent, plural, rate, span } from "../lib/format";
import { href } from "../lib/route";
import type {
	CertificatesAnswer, DoctorAnswer, ListenerCertificate, OverviewAnswer,
} from "../lib/types";
import { Badge, Meter, type Tone } from "../ui/badge";
import { Chart } from "../ui/chart";
import { Icon, type IconName } from "../ui/icons";
import { Page, Panel } from "../ui/layout";
import { Bones, Empty, Loaded } from "../ui/states";
import { Table } from "../ui/table";
import type { PageProps } from "./pages";

const EVERY_MS = 2000;
const KEPT = 300; // points of the chart: ten minutes

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
	const share = (n: number) => `${percent(n, active)} of ${compact(active)}`;
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

interface Samples {
	times: number[];
	answers: number[];
	failed: number[];
}

function useSamples(of: OverviewAnswer | undefined): Samples {
	const kept = useRef<Samples>({ times: [], answers: [], failed: [] });
	const [seen, setSeen] = useState(kept.current);
	useEffect(() => {
		if (of === undefined)
			return;
		const old = kept.current, at = Date.parse(of.now) / 1000;
		if (old.times[old.times.length - 1] === at)
			return;
		const add = (list: number[], n: number) => [...list, n].slice(-KEPT);
		kept.current = {
			times: add(old.times, at),
			answers: add(old.answers, of.rates.answers),
			failed: add(old.failed, of.rates.failed_handshakes),
		};
		setSeen(kept.current);
	}, [of]);
	return seen;
}

function Now({ of, samples }: { of: OverviewAnswer; samples: Samples }) {
	const answers = rate(of.rates.answers);
	const failed = rate(of.rates.failed_handshakes);
	return (
		<Panel title="Now" aside={
			`${plural(of.connections.open, "connection")} open` +
			(of.connections.waiting > 0 ?
				`, ${count(of.connections.waiting)} waiting` : "")}>
			<Chart times={samples.times} unit={compact} lines={[
				{ label: "Answers per second", colour: "series-1",
					values: samples.answers, now: answers },
				{ label: "Failed handshakes per second", colour: "series-2",
					dashed: true, values: samples.failed, now: failed },
			]} summary={`Now ${answers} answers and ${failed} failed ` +
				"handshakes per second."} />
		</Panel>
	);
}

/* ----------------------------------------------------------------- failing */

function Failing() {
	const doctor = useData<DoctorAnswer>("/api/v1/doctor", {}, 30_000);
	return (
		<Panel title="What fails" bare
			aside={doctor.data && plural(doctor.data.failing, "device")}>
			<Loaded of={doctor}>{(d) => d.groups.length === 0 ? (
				<Empty icon="good" title="Nothing fails">
					{d.events === 0 ? "No device has come yet." :
						"Every device that came got what it asked for."}
				</Empty>
			) : (
				<Table caption="Groups of failures" rows={d.groups.slice(0, 6)}
					rowKey={(g) => `${g.cause} ${g.listener} ${g.text}`}
					columns={[
						{ head: "Cause", cell: (g) => (
							<span>{g.text}</span>
						) },
						{ head: "Devices", number: true,
							cell: (g) => count(g.devices) },
					]} />
			)}</Loaded>
		</Panel>
	);
}

/* ------------------------------------------------------------ certificates */

function toneOf(c: ListenerCertificate): Tone {
	if (c.not_after === null)
		return "none";
	return c.days < 14 ? "bad" : c.days < 60 || c.attention ? "warn" : "good";
}

function Certificates() {
	const answer = useData<CertificatesAnswer>("/api/v1/certificates", {},
		60_000);
	return (
		<Panel title="Certificates of the listeners" bare
			aside={answer.data && (answer.data.attention > 0 ?
				`${plural(answer.data.attention, "listener")} to look at` :
				"nothing to do")}>
			<Loaded of={answer}>{(a) => a.listeners.length === 0 ? (
				<Empty title="No listener has a certificate" />
			) : (
				<Table caption="Certificates by the days they have left"
					rows={[...a.listeners].sort((x, y) => x.days - y.days)}
					rowKey={(c) => c.name} columns={[
						{ head: "Listener", cell: (c) => c.name },
						{ head: "CA", width: "medium", cell: (c) =>
							c.ca ?? <span class="quiet">not known</span> },
						{ head: "Ends", cell: (c) => (
							<Badge tone={toneOf(c)}>{c.not_after === null ?
								"no end" : days(c.days)}</Badge>
						) },
						{ head: "Accept it", number: true, cell: (c) =>
							c.devices ? count(c.devices.accept) : "–" },
						{ head: "Need it", number: true, cell: (c) =>
							c.devices ? count(c.devices.alone) : "–" },
					]} />
			)}</Loaded>
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
	const samples = useSamples(overview.data);
	const whole = session.tenant === "";
	return (
		<Page title="Overview"
			aside={overview.data && <Since of={overview.data} />}>
			<Loaded of={overview} loading={
				<div class="tiles">{[1, 2, 3, 4].map((i) =>
					<div key={i} class="panel"><Bones rows={3} /></div>)}
				</div>}>{(o) => <Tiles of={o} />}</Loaded>
			<div class={whole ? "split" : "stack"}>
				{overview.data ? <Now of={overview.data} samples={samples} /> :
					overview.loading &&
					<div class="panel"><Bones rows={6} /></div>}
				{whole && <Failing />}
			</div>
			{whole && <Certificates />}
		</Page>
	);
}
