// What if?  A later day, CAs that are gone, TLS versions that are not spoken any
// more: which CAs the fleet needs then, and what each group of devices gets.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Data, useData, useSettled } from "../lib/data";
import { count, day, percent, plural } from "../lib/format";
import { go, href } from "../lib/route";
import { Badge, Meter, type Tone } from "../ui/badge";
import { Page, Panel, Segments } from "../ui/layout";
import { Bones, Empty, Failure, Stale } from "../ui/states";
import { Table } from "../ui/table";
import type { PageProps } from "./pages";

interface Group {
	model: string;
	firmware: string | null;
	devices: number;
	listener: string | null;
	claim: { basis: string; confidence: string } | null;
	reason: string; // "covered", "supply" (a certificate lacks), or why not
	why: string;
	ca: string | null;
	ways: { kind: string; text: string }[];
}

/** Groups of one model that get the same: their versions in one row. */
interface Kind extends Group {
	versions: string[];
}

export function kindsOf(groups: Group[]): Kind[] {
	const kinds = new Map<string, Kind>();
	for (const group of groups) {
		const key = JSON.stringify([group.model, group.listener, group.reason,
			group.why, group.claim?.basis, group.claim?.confidence]);
		const kind = kinds.get(key) ?? { ...group, devices: 0, versions: [] };
		kind.devices += group.devices;
		kind.versions.push(group.firmware ?? "version not known");
		kinds.set(key, kind);
	}
	const worst = (g: Group) =>
		g.listener === null ? 2 : g.reason === "supply" ? 1 : 0;
	return [...kinds.values()].sort((a, b) =>
		worst(b) - worst(a) || b.devices - a.devices);
}

interface PlanAnswer {
	at: string;
	devices: number;
	covered: number;
	left_out: number;
	unsupplied: number;
	listeners: {
		name: string;
		ca: string;
		supply: string;
		tls: string;
		devices: number;
	}[];
	groups: Group[];
}

interface Ca {
	id: string;
	name: string;
	expired: boolean;
	signs: string;
	devices_need: number;
	devices_accept: number;
}

const YEARS = 15;
const SHOWN = 100; // groups, until more are asked for

const SUPPLIES: Record<string, [Tone, string]> = {
	"held": ["good", "we have one"],
	"overdue": ["bad", "ours is over"],
	"to-be-signed": ["warn", "to be signed"],
	"doubtful": ["warn", "nobody knows who signs"],
	"gone": ["bad", "none is to be had"],
};

/** The day so many months from now, as the API wants it. */
export function dayIn(months: number, now = new Date()): string {
	const year = now.getUTCFullYear(), month = now.getUTCMonth() + months;
	const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
	return new Date(Date.UTC(year, month, Math.min(now.getUTCDate(), last)))
		.toISOString().slice(0, 10);
}

/* ------------------------------------------------------------------ controls */

interface Wish {
	months: number;
	without: string[];
	tls: string;
	own: boolean;
}

function wishOf(query: Record<string, string>): Wish {
	return {
		months: Math.max(0, Math.min(12 * YEARS, Number(query["in"]) || 0)),
		without: (query["without"] ?? "").split(",").filter((id) => id !== ""),
		tls: query["tls"] ?? "",
		own: query["own"] === "1",
	};
}

function Controls({ wish, cas, change }: {
	wish: Wish; cas: Data<Ca[]>; change: (to: Partial<Wish>) => void;
}) {
	const used = (cas.data ?? []).filter((ca) => ca.devices_accept > 0)
		.sort((a, b) => b.devices_accept - a.devices_accept);
	const gone = wish.without.includes("gone");
	const toggle = (id: string, on: boolean) => change({
		without: on ? [...wish.without, id] :
			wish.without.filter((one) => one !== id),
	});
	return (
		<Panel title="What if">
			<div class="stack">
				<div class="field">
					<label for="plan-day">
						On the day{" "}
						<output for="plan-day">
							{wish.months === 0 ? "today" : dayIn(wish.months)}
						</output>
					</label>
					<input id="plan-day" type="range" min={0} max={12 * YEARS}
						value={wish.months} aria-valuetext={dayIn(wish.months)}
						onInput={(event) => change({
							months: Number(event.currentTarget.value) })} />
				</div>
				<div class="field">
					<span class="label">Without TLS</span>
					<Segments label="Without TLS" value={wish.tls} options={[
						["", "all spoken"], ["1.0", "1.0"],
						["1.1", "1.0, 1.1"]]}
					onChange={(tls) => change({ tls })} />
				</div>
				<fieldset class="checks">
					<legend>Without these CAs</legend>
					<label>
						<input type="checkbox" checked={gone}
							onChange={(event) => toggle("gone",
								event.currentTarget.checked)} />
						<span>All from which no certificate is to be had</span>
					</label>
					{cas.loading && <Bones rows={3} />}
					{used.map((ca) => (
						<label key={ca.id}>
							<input type="checkbox"
								checked={wish.without.includes(ca.id)}
								onChange={(event) => toggle(ca.id,
									event.currentTarget.checked)} />
							<span>
								{ca.name}
								<i class="quiet small">
									{" "}{plural(ca.devices_accept, "device")}
									{ca.devices_need > 0 &&
										`, ${count(ca.devices_need)} need it`}
									{ca.expired && ", expired"}
								</i>
							</span>
						</label>
					))}
				</fieldset>
				<label class="check">
					<input type="checkbox" checked={wish.own}
						onChange={(event) => change({
							own: event.currentTarget.checked })} />
					<span>With a CA of your own, installed first</span>
				</label>
			</div>
		</Panel>
	);
}

/* -------------------------------------------------------------------- answer */

function Change({ now, base }: { now: number; base: number | undefined }) {
	if (base === undefined || now === base)
		return <span class="quiet small">as today</span>;
	return (
		<span class="quiet small">
			{count(Math.abs(now - base))} {now > base ? "more" : "fewer"} than
			today
		</span>
	);
}

function Sums({ of, base }: { of: PlanAnswer; base: PlanAnswer | undefined }) {
	const rows = [
		["Get a listener", of.covered, base?.covered, "good"],
		["Left out", of.left_out, base?.left_out, "bad"],
		["Lack a certificate", of.unsupplied, base?.unsupplied, "warn"],
	] as const;
	return (
		<div class="tiles">
			{rows.map(([name, n, before, tone]) => (
				<div key={name} class={`panel tile ${n > 0 ? tone : ""}`}>
					<span class="name">{name}</span>
					<span class="value">{count(n)}</span>
					<Meter part={n} all={of.devices} tone={tone} />
					<Change now={n} base={before} />
				</div>
			))}
		</div>
	);
}

function Listeners({ of }: { of: PlanAnswer }) {
	return (
		<Panel title="The listeners that are needed" bare aside={
			plural(of.listeners.length, "CA")}>
			{of.listeners.length === 0 ?
				<Empty title="No CA covers any device" /> : (
				<Table caption="Listeners of the plan" rows={of.listeners}
					rowKey={(l) => l.name} columns={[
						{ head: "CA", cell: (l) => l.ca },
						{ head: "Certificate", cell: (l) => {
							const [tone, text] = SUPPLIES[l.supply] ??
								["none", l.supply] as const;
							return <Badge tone={tone}>{text}</Badge>;
						} },
						{ head: "TLS", width: "medium", cell: (l) =>
							l.tls === "modern" ? "1.2 and up" : "from 1.0" },
						{ head: "Devices", number: true, cell: (l) =>
							count(l.devices) },
					]} />
			)}
		</Panel>
	);
}

function Gets({ group }: { group: Kind }) {
	const lacks = group.reason === "supply";
	if (group.listener === null)
		return (
			<>
				<Badge tone="bad">left out</Badge> {group.why}
				{group.ways.length > 0 && (
					<span class="quiet small ways">
						{group.ways[0]!.text}
					</span>
				)}
			</>
		);
	return (
		<>
			<Badge tone={lacks ? "warn" : "good"}>{group.listener}</Badge>
			{group.claim && (
				<span class="quiet small"> {group.claim.basis}, confidence{" "}
					{group.claim.confidence}</span>
			)}
			{lacks && <span class="ways small">{group.why}</span>}
		</>
	);
}

function Groups({ of }: { of: PlanAnswer }) {
	const [all, setAll] = useState(false);
	const groups = kindsOf(of.groups);
	return (
		<Panel title="What each group of devices gets" bare aside={
			plural(groups.length, "group")}>
			<Table caption="Groups of devices" rowKey={(g) =>
				`${g.model} ${g.versions[0]}`}
			rows={all ? groups : groups.slice(0, SHOWN)} columns={[
				{ head: "Model", cell: (g) => (
					<>
						{g.model}
						<span class="quiet small ways">
							{g.versions.join(", ")}
						</span>
					</>
				) },
				{ head: "Devices", number: true, cell: (g) =>
					count(g.devices) },
				{ head: "Gets", cell: (g) => <Gets group={g} /> },
			]} />
			{!all && groups.length > SHOWN && (
				<p class="more">
					<button type="button" class="button"
						onClick={() => setAll(true)}>
						Show all {count(groups.length)}
					</button>
				</p>
			)}
		</Panel>
	);
}

export function Plan({ route }: PageProps) {
	const wish = wishOf(route.query);
	const cas = useData<Ca[]>("/api/v1/cas");
	const base = useData<PlanAnswer>("/api/v1/plan");
	const asked = useSettled(JSON.stringify({
		...(wish.months > 0 ? { at: dayIn(wish.months) } : {}),
		without: wish.without.join(","), "drop-tls": wish.tls,
		allow: wish.own ? "custom-ca" : "",
	}), 150);
	const plan = useData<PlanAnswer>("/api/v1/plan", JSON.parse(asked));
	// Until the next answer comes, the last one stays.
	const last = useRef<PlanAnswer | undefined>(undefined);
	useEffect(() => {
		if (plan.data !== undefined)
			last.current = plan.data;
	}, [plan.data]);
	const shown = plan.data ?? last.current;

	const change = (to: Partial<Wish>) => {
		const next = { ...wish, ...to };
		go(href(["plan"], {
			in: next.months > 0 ? String(next.months) : undefined,
			without: next.without.join(","), tls: next.tls,
			own: next.own ? "1" : undefined,
		}), true);
	};
	return (
		<Page title="Plan" aside={shown && (
			<p class="quiet small" role="status">
				{day(shown.at)}: {percent(shown.covered, shown.devices)} of{" "}
				{plural(shown.devices, "device")} covered
			</p>
		)}>
			<div class="aside">
				<Controls wish={wish} cas={cas} change={change} />
				<div class="stack" aria-busy={plan.loading ? "true" : "false"}>
					{plan.problem !== undefined && plan.data === undefined ? (
						<div class="panel">
							<Failure problem={plan.problem}
								retry={plan.refresh} />
						</div>
					) : shown === undefined ? (
						<div class="panel"><Bones rows={10} /></div>
					) : shown.devices === 0 ? (
						<div class="panel">
							<Empty title="The fleet has no device">
								With devices in the inventory, a plan says
								which CAs they need.
							</Empty>
						</div>
					) : (
						<>
							<Stale data={plan} />
							<Sums of={shown} base={base.data} />
							<Listeners of={shown} />
							<Groups of={shown} />
						</>
					)}
				</div>
			</div>
		</Page>
	);
}
