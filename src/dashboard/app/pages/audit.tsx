// Who changed what, the newest first.
import { useState } from "preact/hooks";
import { changeLine, summary } from "../lib/audit";
import { useData, useLast } from "../lib/data";
import { dateTime } from "../lib/format";
import { go, href } from "../lib/route";
import type { AuditAnswer, AuditEntry } from "../lib/types";
import { Badge } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Page } from "../ui/layout";
import { Bones, Empty, Failure, Stale } from "../ui/states";
import { Table, type Column } from "../ui/table";
import type { PageProps } from "./pages";

const PAGE = 50;
const EVERY_MS = 10_000;
const FILTERS = ["who", "action", "object"] as const;
type Filters = Record<string, string | undefined>;

const BY: Record<AuditEntry["by"], string> = {
	command: "on the command line",
	account: "logged in",
	token: "a token",
	nobody: "not known",
};

function What({ entry }: { entry: AuditEntry }) {
	const line = summary(entry);
	const changes = entry.detail?.changes ?? [];
	if (changes.length === 0)
		return <>{line}</>;
	if (changes.length === 1)
		return <span class="any">{changeLine(changes[0]!)}</span>;
	return (
		<details>
			<summary>{line || "changes"}</summary>
			<ul class="small">
				{changes.map((change, i) =>
					<li key={i} class="any">{changeLine(change)}</li>)}
			</ul>
		</details>
	);
}

function Result({ entry }: { entry: AuditEntry }) {
	return entry.result === "done" ? <Badge tone="good">done</Badge> :
		<Badge tone="bad">{entry.result}</Badge>;
}

const isMac = (text: string) => /^[0-9a-f]{12}$/.test(text);

function columns(filters: Filters): Column<AuditEntry>[] {
	const only = (key: string, value: string) =>
		href(["audit"], { ...filters, [key]: value });
	return [
		{ head: "Time", cell: (e) => <>
			<time class="nowrap" dateTime={e.at}>{dateTime(e.at)}</time>
			<div class="narrow small">
				<Result entry={e} /> <What entry={e} />
			</div>
		</> },
		{ head: "Who", cell: (e) => <>
			<a href={only("who", e.who)}>{e.who}</a>{" "}
			<span class="quiet small">{BY[e.by] ?? e.by}
				{e.from !== null && `, ${e.from}`}</span>
		</> },
		{ head: "Action", cell: (e) =>
			<a href={only("action", e.action)}>{e.action}</a> },
		{ head: "On", width: "medium", cell: (e) => e.object === null ?
			<span class="quiet">–</span> :
			<a href={only("object", e.object)}
				class={isMac(e.object) ? "mono" : ""}>{e.object}</a> },
		{ head: "Result", width: "medium", cell: (e) => <Result entry={e} /> },
		{ head: "What", width: "medium", cell: (e) => <What entry={e} /> },
		{ head: "Hash", width: "wide", cell: (e) =>
			<code class="quiet" title={e.hash}>{e.hash.slice(0, 12)}</code> },
	];
}

function Filter({ name, label, value, hint }: {
	name: string; label: string; value: string; hint: string;
}) {
	return (
		<div class="field">
			<label for={`audit-${name}`}>{label}</label>
			<input id={`audit-${name}`} name={name} type="search"
				key={value} defaultValue={value} maxLength={127}
				autoComplete="off" autoCapitalize="none" spellcheck={false}
				placeholder={hint} />
		</div>
	);
}

export function Audit({ route }: PageProps) {
	const filters: Filters = Object.fromEntries(FILTERS.map((name) =>
		[name, route.query[name]]));
	const key = JSON.stringify(filters);
	const [way, setWay] = useState<{ key: string; cursors: number[] }>(
		{ key, cursors: [] });
	const cursors = way.key === key ? way.cursors : [];
	const answer = useData<AuditAnswer>("/api/v1/audit", { ...filters,
		limit: PAGE, before: cursors[cursors.length - 1] }, EVERY_MS);
	const shown = useLast(answer.data);
	const filtered = Object.values(filters).some((value) => value);
	const head = cursors.length === 0 && !filtered ?
		shown?.entries[0]?.hash : undefined;

	const submit = (event: SubmitEvent) => {
		event.preventDefault();
		const form = new FormData(event.target as HTMLFormElement);
		go(href(["audit"], Object.fromEntries(FILTERS.map((name) =>
			[name, String(form.get(name) ?? "").trim()]))), true);
	};
	return (
		<Page title="Audit" aside={head && (
			<p class="quiet small" title={head}>Newest hash{" "}
				<code>{head.slice(0, 16)}…</code></p>)}>
			<form class="toolbar" role="search" onSubmit={submit}>
				<Filter name="who" label="Who" value={filters["who"] ?? ""}
					hint="name" />
				<Filter name="action" label="Action"
					value={filters["action"] ?? ""} hint="device set" />
				<Filter name="object" label="On"
					value={filters["object"] ?? ""} hint="000e08aabbcc" />
				<button class="button"><Icon name="search" /> Show</button>
				{filtered && <a class="button plain" href="#/audit">
					<Icon name="close" /> Show all</a>}
			</form>
			<Stale data={answer} />
			<div class="panel">
				{shown === undefined || (answer.problem && !answer.data) ?
					answer.problem ? <Failure problem={answer.problem}
						retry={answer.refresh} /> : <Bones rows={10} /> :
				shown.entries.length === 0 ?
					<Empty icon="audit" title={filtered ? "No entry fits" :
						"Nothing was changed yet"}>
						{filtered ? "Each filter is the whole word as it " +
							"stands in an entry." : "Each change by a person " +
							"or a script, and each login, will stand here."}
					</Empty> :
					<Table caption="Changes, the newest first"
						rows={shown.entries} rowKey={(e) => e.id}
						columns={columns(filters)} busy={answer.loading} />}
			</div>
			{shown && (cursors.length > 0 || shown.cursor !== null) && (
				<nav class="pager" aria-label="Pages of the log">
					<button type="button" class="button"
						disabled={cursors.length === 0}
						onClick={() => setWay({ key,
							cursors: cursors.slice(0, -1) })}>
						<Icon name="previous" /> Newer</button>
					<button type="button" class="button"
						disabled={shown.cursor === null}
						onClick={() => setWay({ key,
							cursors: [...cursors, shown.cursor!] })}>
						Older <Icon name="next" /></button>
				</nav>
			)}
			<p class="quiet small">
				Each entry holds the hash of the one before.{" "}
				<code>sprov audit verify</code> looks whether all are as they
				were written; with a hash that was noted elsewhere{" "}
				(<code>--head</code>) also whether none is missing at the end.
			</p>
		</Page>
	);
}
