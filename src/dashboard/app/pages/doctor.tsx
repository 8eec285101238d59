// What fails, why, for how many devices, and what to do about it.
import { useData, useNow } from "../lib/data";
import { ago, count, dateTime, percent, plural } from "../lib/format";
import { go, href } from "../lib/route";
import type { DoctorAnswer, FailureGroup } from "../lib/types";
import { Badge, type Tone } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Page, Panel, Segments } from "../ui/layout";
import { Empty, Loaded } from "../ui/states";
import type { PageProps } from "./pages";

const SINCE = [["1h", "Hour"], ["1d", "Day"], ["7d", "Week"],
	["", "All"]] as const;

/** What the same thing is to be done about: one cause, at its listeners. */
interface Cause {
	cause: string;
	open: number; // devices that have not got through since
	groups: FailureGroup[];
}

export function causesOf(groups: FailureGroup[]): Cause[] {
	const causes = new Map<string, Cause>();
	for (const group of groups) {
		const key = `${group.cause} ${group.fix}`;
		const cause = causes.get(key) ??
			{ cause: group.cause, open: 0, groups: [] };
		cause.open += Math.max(0, group.devices - group.recovered);
		cause.groups.push(group);
		causes.set(key, cause);
	}
	return [...causes.values()].sort((a, b) => b.open - a.open);
}

/** Said of one listener, for several. */
function general(cause: Cause): string {
	const first = cause.groups[0]!;
	return cause.groups.length === 1 ? first.text :
		first.text.replace(/ of listener \S+( \(\S+\))?/, " of the listener");
}

const TONES: Record<string, Tone> = { high: "bad", medium: "warn" };

function Where({ group, now }: { group: FailureGroup; now: number }) {
	const models = Object.entries(group.models).sort((a, b) => b[1] - a[1]);
	return (
		<li>
			<p>
				<b>{group.listener || "any listener"}</b>:{" "}
				{plural(group.devices, "device")}
				{group.recovered > 0 &&
					`, ${count(group.recovered)} got through later`}
				<span class="quiet small" title={dateTime(group.last)}>
					{" "}· last {ago(group.last, now)}
				</span>
			</p>
			<p class="quiet small">{group.evidence}</p>
			{models.length > 0 && (
				<p class="quiet small">
					{models.slice(0, 8).map(([model, n]) =>
						`${model} (${count(n)})`).join(", ")}
					{models.length > 8 && ` and ${models.length - 8} more`}
				</p>
			)}
		</li>
	);
}

function Group({ cause, now }: { cause: Cause; now: number }) {
	const first = cause.groups[0]!;
	const recovered = cause.open === 0;
	return (
		<article class="panel cause">
			<header>
				<h2>
					{general(cause)}
				</h2>
				<div class="toolbar">
					<Badge tone={recovered ? "good" : TONES[first.confidence] ??
						"none"} icon={recovered ? "good" : "warn"}>
						{recovered ? "all got through later" :
							plural(cause.open, cause.groups.length > 1 ?
								"case" : "device")}
					</Badge>
					<Badge tone="none">confidence {first.confidence}</Badge>
				</div>
			</header>
			<div class="body stack">
				{first.fix && (
					<p class="fix"><Icon name="doctor" /><span>
						<span class="visually-hidden">What to do: </span>
						{first.fix}
					</span></p>
				)}
				<details open={cause.groups.length === 1}>
					<summary>
						{cause.groups.length === 1 ? "Where and who" :
							`At ${cause.groups.length} listeners`}
					</summary>
					<ul class="stack">
						{cause.groups.map((group) => (
							<Where key={group.listener + group.text}
								group={group} now={now} />
						))}
					</ul>
				</details>
			</div>
		</article>
	);
}

export function Doctor({ route }: PageProps) {
	const since = route.query["since"] ?? "";
	const all = route.query["all"] ?? "";
	const doctor = useData<DoctorAnswer>("/api/v1/doctor", { since, all }, 15_000);
	const now = useNow(10_000);
	const show = (to: Record<string, string>) =>
		go(href(["doctor"], { ...route.query, ...to }), true);
	return (
		<Page title="Doctor" aside={
			<div class="toolbar">
				<Segments label="Since" value={since} options={SINCE}
					onChange={(to) => show({ since: to })} />
				<Segments label="Which devices" value={all} options={[
					["", "Failing"], ["1", "Recovered, too"]]}
				onChange={(to) => show({ all: to })} />
			</div>}>
			<Loaded of={doctor} rows={8}>{(d) => d.groups.length === 0 ? (
				<Panel title="All is well">
					<Empty icon="good" title="Nothing fails">
						{d.events === 0 ? "No device has come in this time." :
							`${plural(d.devices, "device")} came, and got what ` +
							"they asked for."}
					</Empty>
				</Panel>
			) : (
				<>
					<p>
						Of {plural(d.devices, "device")} that came,{" "}
						<b>{count(d.failing)} fail</b> ({percent(d.failing,
							d.devices)}); {count(d.served)} got a profile.
					</p>
					{causesOf(d.groups).map((cause) => (
						<Group key={cause.cause + cause.groups[0]!.fix}
							cause={cause} now={now} />
					))}
				</>
			)}</Loaded>
		</Page>
	);
}
