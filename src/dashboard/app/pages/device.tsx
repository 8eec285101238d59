// One device: what is wrong with it, who it is, whom it trusts, what happened,
// and what it would get.
import { useData, useNow } from "../lib/data";
import {
	ago, count, dateTime, day, days, daysLeft, mac, plural, sentence,
} from "../lib/format";
import { go, href } from "../lib/route";
import type {
	Change, DeviceAnswer, DiffAnswer, DoctorAnswer, DriftAnswer, Event,
	EventsAnswer, FailureGroup, ProfileAnswer, Resync, TrustAnswer,
	VariablesAnswer,
} from "../lib/types";
import { Badge, Standing, Status, type Tone } from "../ui/badge";
import { eventColumns } from "../ui/events";
import { Page, Panel, Segments } from "../ui/layout";
import { Empty, Failure, Bones, Loaded, Notice, Stale } from "../ui/states";
import { Table } from "../ui/table";

const EVERY_MS = 10_000;

const pathOf = (text: string, what = "") =>
	`/api/v1/devices/${encodeURIComponent(text)}${what}`;

/* ------------------------------------------------------ the doctor's sentence */

function Finding({ group }: { group: FailureGroup }) {
	const tone: Tone = group.confidence === "low" ? "warn" : "bad";
	return (
		<Notice tone={tone}>
			<p><strong>{sentence(group.text)}</strong>{" "}
				<span class="nowrap">Listener {group.listener},</span>{" "}
				{plural(group.events, "time")}, last {dateTime(group.last)}.</p>
			<p>Seen: {group.evidence}.</p>
			{group.fix !== "" && <p>What to do: {group.fix}.</p>}
			{group.confidence !== "high" &&
				<p>This is {group.confidence === "low" ? "a guess" :
					"likely, not certain"}.</p>}
		</Notice>
	);
}

function Doctor({ device, now }: { device: DeviceAnswer; now: number }) {
	const doctor = useData<DoctorAnswer>(pathOf(device.mac, "/doctor"), {},
		30_000);
	const groups = doctor.data?.groups ?? [];
	const open = groups.filter((g) => g.recovered < g.devices);
	const over = groups.length - open.length;
	if (doctor.data === undefined)
		return doctor.problem ? <Failure problem={doctor.problem}
			retry={doctor.refresh} /> : <div class="panel"><Bones rows={2} /></div>;
	return (
		<>
			<Stale data={doctor} />
			{open.slice(0, 3).map((group) => (
				<Finding key={group.cause + group.listener} group={group} />
			))}
			{open.length > 3 && <p class="quiet">
				And {plural(open.length - 3, "more finding")}, of the same kind
				or older.
			</p>}
			{open.length === 0 && (device.last_at === null ?
				<Notice tone="none" icon="never">
					It has never come. See whether it is plugged in, and
					whether its profile rule leads here.
				</Notice> :
				<Notice tone="good">
					Nothing is wrong now. Its last profile went out{" "}
					{ago(device.profile_at, now)}
					{over > 0 && `; ${plural(over, "earlier failure")} ` +
						`${over === 1 ? "is" : "are"} over`}.
				</Notice>)}
		</>
	);
}

/* ---------------------------------------------------------- identity, trust */

function Identity({ device, now }: { device: DeviceAnswer; now: number }) {
	return (
		<Panel title="Identity">
			<dl class="facts">
				<dt>MAC</dt><dd class="mono">{mac(device.mac)}</dd>
				<dt>Serial number</dt><dd>{device.serial || "not known"}</dd>
				<dt>Model</dt>
				<dd><a href={href(["devices"], { model: device.model })}>
					{device.model}</a></dd>
				<dt>Firmware</dt><dd>{device.firmware || "not known"}</dd>
				<dt>Group</dt>
				<dd>{device.group === "" ? "none" :
					<a href={href(["devices"], { group: device.group })}>
						{device.group}</a>}</dd>
				{device.tags.length > 0 && <>
					<dt>Tags</dt><dd>{device.tags.join(", ")}</dd>
				</>}
				<dt>Last seen</dt>
				<dd>{device.last_at === null ? "never" :
					`${dateTime(device.last_at)}, ${ago(device.last_at, now)}`}
				</dd>
				<dt>Last profile</dt>
				<dd>{device.profile_at === null ? "never" :
					`${dateTime(device.profile_at)}, ` +
					ago(device.profile_at, now)}</dd>
			</dl>
		</Panel>
	);
}

function Certificate({ event, now }: { event: Event | undefined; now: number }) {
	const shown = event?.certificate;
	if (!event || !shown)
		return <p class="quiet">It has shown no certificate yet.</p>;
	const left = shown.not_after === null ? null :
		daysLeft(shown.not_after, now);
	return (
		<dl class="facts">
			<dt>Its certificate</dt>
			<dd>{shown.verify === "" ?
				<Badge tone="good" icon="trust">verified</Badge> :
				<Badge tone="bad">{shown.verify}</Badge>}</dd>
			<dt>Signed by</dt><dd>{shown.issuer}</dd>
			{shown.anchor !== "" && shown.anchor !== shown.issuer &&
				<><dt>Under</dt><dd>{shown.anchor}</dd></>}
			<dt>Ends</dt>
			<dd>{left === null ? "never" : <>{day(shown.not_after)}{" "}
				<Badge tone={left < 0 ? "bad" : left < 365 ? "warn" : "good"}>
					{days(left)}</Badge></>}</dd>
			<dt>TLS</dt>
			<dd>{event.tls_version ?? "none"}
				{event.tls_cipher !== "" && `, ${event.tls_cipher}`}</dd>
		</dl>
	);
}

const VERDICTS: Record<string, [Tone, string]> = {
	trusted: ["good", "accepted"],
	not: ["bad", "refused"],
	unknown: ["none", "not known"],
};

function Cas({ answer }: { answer: TrustAnswer }) {
	const by = (verdict: string) =>
		answer.cas.filter((one) => (one.verdict ?? "unknown") === verdict);
	const verdicts = [...new Set(answer.cas.map((one) =>
		one.verdict ?? "unknown"))].sort((a, b) =>
		Object.keys(VERDICTS).indexOf(a) - Object.keys(VERDICTS).indexOf(b));
	return (
		<dl class="facts">
			{verdicts.map((verdict) => {
				const [tone, word] = VERDICTS[verdict] ?? ["warn", verdict];
				return <>
					<dt><Badge tone={tone as Tone}>{word}</Badge></dt>
					<dd class={verdict === "unknown" ? "quiet" : ""}>
						{by(verdict).map((one) => one.ca).join(", ")}
					</dd>
				</>;
			})}
		</dl>
	);
}

function Trust({ device, events, now }: {
	device: DeviceAnswer; events: EventsAnswer | undefined; now: number;
}) {
	const trust = useData<TrustAnswer>(
		`/api/v1/matrix/${encodeURIComponent(device.model)}`,
		{ firmware: device.firmware }, 0);
	const shown = events?.events.find((event) => event.certificate !== null);
	return (
		<Panel title="Trust">
			<div class="stack">
				{events ? <Certificate event={shown} now={now} /> :
					<Bones rows={3} />}
				<h3>CAs of servers, by what is known of {device.model}
					{device.firmware !== "" && ` at ${device.firmware}`}
				</h3>
				<Loaded of={trust} rows={3}>{(t) => <Cas answer={t} />}</Loaded>
			</div>
		</Panel>
	);
}

/* ------------------------------------------------------------------ resyncs */

function Listeners({ resyncs, now }: { resyncs: Resync[]; now: number }) {
	return (
		<Panel title="Listeners that answered it" bare>
			{resyncs.length === 0 ? <Empty title="None yet" /> :
				<Table caption="Listeners that answered this device"
					rows={resyncs} rowKey={(r) => r.listener} columns={[
						{ head: "Listener", cell: (r) => r.listener },
						{ head: "CA", width: "wide", cell: (r) => r.ca || "–" },
						{ head: "Last answer", cell: (r) =>
							<Status status={r.last_status} /> },
						{ head: "When", cell: (r) => (
							<span class="nowrap" title={dateTime(r.last_at)}>
								{ago(r.last_at, now)}</span>) },
						{ head: "Answers", number: true, width: "medium",
							cell: (r) => count(r.answers) },
						{ head: "Profiles", number: true, width: "medium",
							cell: (r) => count(r.profiles) },
					]} />}
		</Panel>
	);
}

/* ------------------------------------------------------------------ profile */

const VIEWS = [
	["profile", "Profile"], ["changes", "Changes"], ["drift", "Reported"],
	["variables", "Variables"],
] as const;
type View = typeof VIEWS[number][0];

function Value({ text, secret }: {
	text: string | null | undefined; secret: boolean;
}) {
	if (text === null || text === undefined)
		return <span class="quiet">–</span>;
	return <code>{text}{secret && <span class="quiet"> (masked)</span>}</code>;
}

function ProfileView({ of }: { of: string }) {
	const profile = useData<ProfileAnswer>(pathOf(of, "/profile"));
	return (
		<Loaded of={profile} rows={8}>{(p) => (
			<>
				<p class="quiet small">What it would get now, by template{" "}
					{p.template}. Secrets are masked.</p>
				<pre class="code" tabIndex={0} aria-label="Profile"
					role="region">{p.profile}</pre>
			</>
		)}</Loaded>
	);
}

const KNOWN: Record<DiffAnswer["known"], string> = {
	"never-served": "It was never served: all of it would be new.",
	"whole": "",
	"redacted": "Secrets are not compared: without a secrets key they are " +
		"not kept.",
	"hash": "What it was served is not kept, only its hash.",
};

const CHANGES: Record<string, [Tone, string]> = {
	changed: ["warn", "changed"], added: ["good", "new"],
	removed: ["bad", "gone"],
};

function Changes({ list }: { list: Change[] }) {
	return (
		<Table caption="What would change" rows={list}
			rowKey={(c) => c.path} columns={[
				{ head: "Parameter", cell: (c) =>
					<code>{c.parameter || c.path}</code> },
				{ head: "Change", cell: (c) => {
					const [tone, word] = CHANGES[c.change] ??
						["none" as const, c.change];
					return <Badge tone={tone}>{word}</Badge>;
				} },
				{ head: "Served", cell: (c) =>
					<Value text={c.served} secret={c.secret} /> },
				{ head: "Now", cell: (c) =>
					<Value text={c.now} secret={c.secret} /> },
			]} />
	);
}

function DiffView({ of }: { of: string }) {
	const diff = useData<DiffAnswer>(pathOf(of, "/diff"));
	return (
		<Loaded of={diff}>{(d) => (
			<>
				{d.served_since !== null && (
					<p class="quiet small">Served so since{" "}
						{dateTime(d.served_since)}
						{d.listener && ` by listener ${d.listener}`}.</p>
				)}
				{d.known !== "whole" &&
					<Notice tone="none">{KNOWN[d.known]}</Notice>}
				{d.changes.length > 0 ? <Changes list={d.changes} /> :
					d.same && <Empty icon="same" title="Nothing would change">
						At its next resync it gets what it has.
					</Empty>}
			</>
		)}</Loaded>
	);
}

function DriftView({ of }: { of: string }) {
	const drift = useData<DriftAnswer[]>(pathOf(of, "/drift"));
	return (
		<Loaded of={drift}>{([d]) => !d || d.reported_at === null ? (
			<Empty title="It has not reported">
				A device that is told to (Report_Rule) says what it has set,
				and here is compared what came back.
			</Empty>
		) : (
			<>
				<p class="quiet small">Reported {dateTime(d.reported_at)};{" "}
					{plural(d.compared, "parameter")} compared.</p>
				{d.parameters.length === 0 ?
					<Empty icon="same" title="As it was served" /> :
					<Table caption="What differs from what was served"
						rows={d.parameters} rowKey={(p) => p.path} columns={[
							{ head: "Parameter", cell: (p) =>
								<code>{p.parameter || p.path}</code> },
							{ head: "Why", cell: (p) => p.why || p.state },
							{ head: "Served", cell: (p) =>
								<Value text={p.served} secret={p.secret} /> },
							{ head: "Reported", cell: (p) =>
								<Value text={p.reported} secret={p.secret} /> },
						]} />}
			</>
		)}</Loaded>
	);
}

function VariablesView({ of }: { of: string }) {
	const answer = useData<VariablesAnswer>(pathOf(of, "/variables"));
	return (
		<Loaded of={answer}>{(a) => {
			const list = Object.entries(a.variables);
			return list.length === 0 ?
				<Empty title="No variables">
					<code>sprov device set</code> gives it some.
				</Empty> :
				<Table caption="Variables, and where each comes from"
					rows={list} rowKey={([name]) => name} columns={[
						{ head: "Variable", cell: ([name]) =>
							<code>{name}</code> },
						{ head: "Value", cell: ([, v]) =>
							<Value text={v.value} secret={v.hidden} /> },
						{ head: "From", width: "medium",
							cell: ([, v]) => v.from },
					]} />;
		}}</Loaded>
	);
}

function Profile({ of, view }: { of: string; view: View }) {
	return (
		<Panel title="What it gets" aside={
			<Segments label="View" value={view} options={VIEWS}
				onChange={(to) => go(href(["devices", of], { view: to }), true)}
			/>}>
			<div class="stack">
				{view === "profile" && <ProfileView of={of} />}
				{view === "changes" && <DiffView of={of} />}
				{view === "drift" && <DriftView of={of} />}
				{view === "variables" && <VariablesView of={of} />}
			</div>
		</Panel>
	);
}

/* --------------------------------------------------------------------- page */

export function DevicePage({ of, view = "profile" }: {
	of: string; view?: string | undefined;
}) {
	const device = useData<DeviceAnswer>(pathOf(of), {}, EVERY_MS);
	const events = useData<EventsAnswer>(pathOf(of, "/events"), { limit: 20 },
		EVERY_MS);
	const now = useNow(10_000);
	const title = device.data ?
		`${device.data.model} ${mac(device.data.mac)}` : mac(of);
	const chosen = VIEWS.some(([name]) => name === view) ? view as View :
		"profile";
	return (
		<Page title={title} aside={device.data &&
			<Standing standing={device.data.standing}
				state={device.data.state} />}>
			<Loaded of={device} loading={
				<div class="panel"><Bones rows={8} /></div>}>{(d) => (
				<>
					<Doctor device={d} now={now} />
					<div class="halves">
						<div class="stack">
							<Identity device={d} now={now} />
							<Listeners resyncs={d.resyncs} now={now} />
						</div>
						<Trust device={d} events={events.data} now={now} />
					</div>
					<Panel title="Last resyncs" bare>
						<Loaded of={events} rows={6}>{(e) =>
							e.events.length === 0 ?
								<Empty icon="clock" title="None are kept">
									It has not come, or so long ago that the
									record has passed on.
								</Empty> :
								<Table caption="Last resyncs, the newest first"
									rows={e.events} rowKey={(one) => one.id}
									columns={eventColumns(false)} />
						}</Loaded>
					</Panel>
					<Profile of={d.mac} view={chosen} />
				</>
			)}</Loaded>
		</Page>
	);
}
