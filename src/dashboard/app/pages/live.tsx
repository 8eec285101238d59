// Resyncs and failures as they happen.  A storm brings more than anybody can
// read: then the newest are shown, and how many were left out is said.
import { useRef, useState } from "preact/hooks";
import { get } from "../lib/api";
import { useData, useLoop } from "../lib/data";
import { clock, count, plural, rate } from "../lib/format";
import { go, href } from "../lib/route";
import { advance, type Stream } from "../lib/stream";
import type {
	EventsAnswer, ListenersAnswer, OverviewAnswer,
} from "../lib/types";
import { eventColumns } from "../ui/events";
import { Icon } from "../ui/icons";
import { Page, Segments } from "../ui/layout";
import { Bones, Empty, Failure, Notice } from "../ui/states";
import { Table } from "../ui/table";
import type { PageProps } from "./pages";

const EVERY_MS = 1000;
const FETCH = 100; // events at a time
const COLUMNS = eventColumns(true);

const KINDS = [
	["", "All"], ["failures", "Failures"], ["served", "Served"],
] as const;

function useStream(kind: string, listener: string, paused: boolean,
	dense: boolean) {
	const key = `${kind} ${listener}`;
	const [state, setState] = useState<{ key: string; stream?: Stream }>(
		{ key });
	const latest = useRef(state);
	const problem = useLoop(async (stop) => {
		// Newest first: what does not fit is the oldest.
		const answer = await get<EventsAnswer>("/api/v1/events",
			{ kind, listener, limit: FETCH }, stop);
		const old = latest.current.key === key ? latest.current.stream :
			undefined;
		latest.current = { key, stream: advance(old, answer, Date.now(),
			dense) };
		setState(latest.current);
	}, EVERY_MS, paused ? null : key);
	return { stream: state.key === key ? state.stream : undefined, problem };
}

function Rates() {
	const overview = useData<OverviewAnswer>("/api/v1/overview", {}, 2000);
	const r = overview.data?.rates;
	const open = overview.data?.connections?.open;
	return (
		<dl class="figures">
			<div><dt>Answers</dt>
				<dd>{r ? `${rate(r.answers)}/s` : "–"}</dd></div>
			<div><dt>Handshakes</dt>
				<dd>{r ? `${rate(r.handshakes)}/s` : "–"}</dd></div>
			<div><dt>Failed</dt>
				<dd>{r ? `${rate(r.failed_handshakes)}/s` : "–"}</dd></div>
			<div><dt>Open</dt>
				<dd>{open !== undefined ? count(open) : "–"}</dd></div>
		</dl>
	);
}

function ListenerFilter({ value, onChange }: {
	value: string; onChange: (value: string) => void;
}) {
	const answer = useData<ListenersAnswer>("/api/v1/listeners", {}, 60_000);
	const names = (answer.data?.listeners ?? []).map((one) => one.name);
	if (value !== "" && !names.includes(value))
		names.push(value);
	return (
		<div class="field">
			<label for="listener">Listener</label>
			<select id="listener" value={value} onChange={(event) =>
				onChange((event.target as HTMLSelectElement).value)}>
				<option value="">All listeners</option>
				{names.map((name) =>
					<option key={name} value={name}>{name}</option>)}
			</select>
		</div>
	);
}

export function Live({ route, session }: PageProps) {
	const { kind = "", listener = "" } = route.query;
	const [paused, setPaused] = useState(false);
	const { stream, problem } = useStream(kind, listener, paused,
		session.tenant === "");
	const set = (change: Record<string, string>) =>
		go(href(["live"], { kind, listener, ...change }), true);
	return (
		<Page title="Live" aside={session.tenant === "" && <Rates />}>
			<div class="toolbar">
				<button type="button" class={`button ${paused ? "primary" : ""}`}
					aria-pressed={paused ? "true" : "false"}
					onClick={() => setPaused(!paused)}>
					<Icon name={paused ? "play" : "pause"} />
					{paused ? "Go on" : "Pause"}
				</button>
				<Segments label="Which" value={kind} options={KINDS}
					onChange={(value) => set({ kind: value })} />
				<ListenerFilter value={listener}
					onChange={(value) => set({ listener: value })} />
			</div>
			{paused && stream && <Notice tone="none" icon="pause">
				Paused at {clock(stream.at)}. When you go on, the newest{" "}
				{FETCH} of what happens meanwhile are shown.
			</Notice>}
			{!paused && problem && stream && <Notice tone="warn">
				Not up to date: {problem.message} Shown is what was known at{" "}
				{clock(stream.at)}.
			</Notice>}
			{stream && (stream.skipped > 0 || stream.gap) &&
				<Notice tone="none">
					More happens than fits here: {stream.skipped > 0 ?
						plural(stream.skipped, "event") : "some events"}{" "}
					since {clock(stream.since)} not shown.
				</Notice>}
			<div class="panel">
				{stream === undefined ? problem ?
					<Failure problem={problem} /> : <Bones rows={10} /> :
				stream.events.length === 0 ?
					<Empty icon={kind === "failures" ? "good" : "live"}
						title={kind === "failures" ? "No failures" :
							"Nothing has happened yet"}>
						{kind === "failures" ? "As soon as one happens it " +
							"stands here." : "The first device that connects " +
							"appears here within a second."}
					</Empty> :
					<Table caption="What happened, the newest first"
						rows={stream.events} rowKey={(event) => event.id}
						columns={COLUMNS} />}
			</div>
		</Page>
	);
}
