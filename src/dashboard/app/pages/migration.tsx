// Devices on their way from one CA's listener to another's, wave by wave.
import { useRef, useState } from "preact/hooks";
import { asProblem, useData, useNow } from "../lib/data";
import { send } from "../lib/api";
import { ago, count, dateTime, percent, plural, span } from "../lib/format";
import { may } from "../lib/session";
import { Badge, type Tone } from "../ui/badge";
import { Icon, type IconName } from "../ui/icons";
import { Page, Panel } from "../ui/layout";
import { Empty, Loaded, Notice } from "../ui/states";
import { Table } from "../ui/table";
import type { PageProps } from "./pages";

interface Counts {
	devices: number;
	waiting: number;
	new: number;
	moved: number;
	old: number;
	failing: number;
	silent: number;
	put_back: number;
	changed: number;
}

interface Wave extends Counts {
	number: number;
	state: string;
	started: string | null;
	ended: string | null;
}

interface Migration {
	id: number;
	state: string;
	reason: string;
	from: string;
	to: string;
	rule: string;
	threshold_percent: number;
	min_wait_s: number;
	started: string;
	ended: string | null;
	all?: Counts;
	waves?: Wave[];
}

const STATES: Record<string, [Tone, IconName]> = {
	running: ["none", "play"], trial: ["none", "play"],
	done: ["good", "good"], stopped: ["bad", "pause"],
	pending: ["none", "clock"], "rolled-back": ["warn", "previous"],
	"put-back": ["warn", "previous"],
};

function State({ of }: { of: string }) {
	const [tone, icon] = STATES[of] ?? ["none", "info"] as const;
	return <Badge tone={tone} icon={icon}>{of}</Badge>;
}

/* --------------------------------------------------------------------- waves */

const PARTS = [
	["moved", "moved", "good"],
	["new", "came to the new one", "near"],
	["old", "only came to the old one", "warn"],
	["failing", "failing", "bad"],
	["put_back", "put back", "back"],
	["silent", "not heard of", "silent"],
	["changed", "changed by others", "back"],
	["waiting", "waiting", ""],
] as const;

function Progress({ of }: { of: Counts }) {
	const said = PARTS.filter(([key]) => of[key] > 0);
	return (
		<>
			<span class="parts" aria-hidden="true">
				{said.map(([key, , tone]) => (
					<i key={key} class={tone} style={{
						width: `${100 * of[key] / Math.max(1, of.devices)}%`,
					}} />
				))}
			</span>
			<span class="small">
				{said.map(([key, name]) =>
					`${count(of[key])} ${name}`).join(", ") || "no device"}
			</span>
		</>
	);
}

function Waves({ of, now }: { of: Migration; now: number }) {
	return (
		<ol class="stack waves">
			{of.waves!.map((wave) => (
				<li key={wave.number}>
					<div class="page-head">
						<h3>
							Wave {wave.number}:{" "}
							{plural(wave.devices, "device")}
						</h3>
						<span>
							<State of={wave.state} />{" "}
							<span class="quiet small">
								{wave.ended ? `ended ${ago(wave.ended, now)}` :
									wave.started ?
										`began ${ago(wave.started, now)}` : ""}
							</span>
						</span>
					</div>
					<Progress of={wave} />
				</li>
			))}
		</ol>
	);
}

/* ---------------------------------------------------------------------- stop */

function Stop({ of, stopped }: { of: Migration; stopped: () => void }) {
	const box = useRef<HTMLDialogElement>(null);
	const [busy, setBusy] = useState(false);
	const [wrong, setWrong] = useState("");
	const stop = async () => {
		setBusy(true);
		setWrong("");
		try {
			await send("POST", "/api/v1/migrations/newest/stop");
			box.current?.close();
			stopped();
		} catch (error) {
			setWrong(asProblem(error).message);
		}
		setBusy(false);
	};
	return (
		<>
			<button type="button" class="button danger" onClick={() => {
				setWrong("");
				box.current?.showModal();
			}}>
				<Icon name="pause" /> Stop
			</button>
			<dialog ref={box} aria-labelledby="stop-title">
				<div class="stack">
					<h2 id="stop-title">Stop this migration?</h2>
					<p>
						No further wave begins, and the devices that are on
						trial get the rules that they had before. Those that
						were moved stay at {of.to}.
					</p>
					{wrong !== "" && <Notice tone="bad">{wrong}</Notice>}
					<div class="toolbar">
						<button type="button" class="button" autoFocus
							onClick={() => box.current?.close()}>
							Let it go on
						</button>
						<button type="button" class="button danger"
							disabled={busy} onClick={() => void stop()}>
							<Icon name="pause" />
							{busy ? "One moment…" : "Stop it"}
						</button>
					</div>
				</div>
			</dialog>
		</>
	);
}

/* ---------------------------------------------------------------------- page */

function Newest({ of, operator, refresh }: {
	of: Migration; operator: boolean; refresh: () => void;
}) {
	const now = useNow(10_000);
	const all = of.all!;
	return (
		<Panel title={`From ${of.from} to ${of.to}`} aside={
			<span class="toolbar">
				<State of={of.state} />
				{operator && of.state === "running" && (
					<Stop of={of} stopped={refresh} />
				)}
			</span>}>
			<div class="stack">
				{of.state === "stopped" && (
					<Notice tone="bad">
						It has stopped: {of.reason}
					</Notice>
				)}
				<div>
					<p class="number-line">
						<b>{percent(all.moved, all.devices)}</b> moved,{" "}
						{count(all.moved)} of {plural(all.devices, "device")}
					</p>
					<Progress of={all} />
				</div>
				<dl class="facts">
					<dt>Began</dt>
					<dd>{dateTime(of.started)}</dd>
					{of.ended !== null && <dt>Ended</dt>}
					{of.ended !== null && <dd>{dateTime(of.ended)}</dd>}
					<dt>New rule</dt>
					<dd><code>{of.rule}</code></dd>
					<dt>A wave is done</dt>
					<dd>
						when {of.threshold_percent} % of its devices got their
						profile from {of.to}; it is judged after{" "}
						{span(of.min_wait_s)}
					</dd>
				</dl>
				<Waves of={of} now={now} />
			</div>
		</Panel>
	);
}

function Earlier() {
	const all = useData<Migration[]>("/api/v1/migrations", {}, 60_000);
	if (all.data === undefined || all.data.length < 2)
		return null;
	return (
		<Panel title="Earlier ones" bare>
			<Table caption="Earlier migrations" rows={all.data.slice(1)}
				rowKey={(m) => m.id} columns={[
					{ head: "From and to", cell: (m) => `${m.from} to ${m.to}` },
					{ head: "State", cell: (m) => <State of={m.state} /> },
					{ head: "Began", width: "medium", cell: (m) =>
						dateTime(m.started) },
					{ head: "Why it ended", width: "wide", cell: (m) =>
						m.reason },
				]} />
		</Panel>
	);
}

export function Migrations({ session }: PageProps) {
	const newest = useData<Migration>("/api/v1/migrations/newest", {}, 5000);
	const none = newest.problem?.status === 404;
	return (
		<Page title="Migration">
			{none ? (
				<div class="panel">
					<Empty icon="migration" title="No migration yet">
						When a CA ends, "sprov migrate start" moves its devices
						to another listener, in waves that stop by themselves
						when devices do not arrive.
					</Empty>
				</div>
			) : (
				<Loaded of={newest} rows={10}>{(m) => (
					<Newest of={m} operator={may(session, "write")}
						refresh={newest.refresh} />
				)}</Loaded>
			)}
			{!none && newest.data !== undefined && <Earlier />}
		</Page>
	);
}
