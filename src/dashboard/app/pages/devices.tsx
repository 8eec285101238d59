// All devices, a page at a time, by what is typed.  The server searches; here
// is only asked, once typing pauses, and what was asked before is given up.
import { useEffect, useRef, useState } from "preact/hooks";
import { useData, useLast, useNow, useSettled } from "../lib/data";
import { ago, count, dateTime, mac, plural } from "../lib/format";
import { go, href } from "../lib/route";
import type { Device, DevicesAnswer, GroupsAnswer } from "../lib/types";
import { Standing, Status } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Page, Segments } from "../ui/layout";
import { Bones, Empty, Failure, Stale } from "../ui/states";
import { Table, type Column } from "../ui/table";
import { DevicePage } from "./device";
import type { PageProps } from "./pages";

const PAGE = 50;
const SEARCH_MAX = 63; // bytes, as the server has it
const TYPING_MS = 150;
const EVERY_MS = 10_000;

const STANDINGS = [
	["", "All"], ["failing", "Failing"], ["served", "Served"],
	["never", "Never seen"],
] as const;

type Filters = Record<string, string>;

function columns(now: number): Column<Device>[] {
	return [
		{ head: "MAC", cell: (d) =>
			<span class="mono nowrap">{mac(d.mac)}</span> },
		{ head: "Model", cell: (d) => d.model },
		{ head: "Firmware", width: "medium", cell: (d) => d.firmware || "–" },
		{ head: "Serial", width: "wide", cell: (d) => d.serial || "–" },
		{ head: "Group", width: "wide", cell: (d) => d.group || "–" },
		{ head: "Standing", cell: (d) =>
			<Standing standing={d.standing} state={d.state} /> },
		{ head: "Last answer", width: "wide",
			cell: (d) => <Status status={d.last_status} /> },
		{ head: "Last seen", width: "medium", number: true, cell: (d) => (
			<span title={dateTime(d.last_at)}>{ago(d.last_at, now)}</span>
		) },
	];
}

function GroupFilter({ value, onChange }: {
	value: string; onChange: (value: string) => void;
}) {
	const groups = useData<GroupsAnswer>("/api/v1/groups", {}, 60_000);
	const list = groups.data?.groups ?? [];
	if (list.length === 0 && value === "")
		return null;
	return (
		<div class="field">
			<label for="group">Group</label>
			<select id="group" value={value} onChange={(event) =>
				onChange((event.target as HTMLSelectElement).value)}>
				<option value="">All groups</option>
				{list.map((group) => (
					<option key={group.name} value={group.name}>
						{group.name}
					</option>
				))}
				{value !== "" && !list.some((g) => g.name === value) &&
					<option value={value}>{value}</option>}
			</select>
		</div>
	);
}

function Search({ value, onChange, onDown }: {
	value: string; onChange: (value: string) => void; onDown: () => void;
}) {
	return (
		<div class="field grow">
			<label for="search">Search <kbd>Ctrl K</kbd></label>
			<input id="search" type="search" value={value}
				maxLength={SEARCH_MAX} autoComplete="off" spellcheck={false}
				placeholder="part of a MAC, serial number, model or group"
				onInput={(event) =>
					onChange((event.target as HTMLInputElement).value)}
				onKeyDown={(event) => {
					if (event.key !== "ArrowDown" && event.key !== "Enter")
						return;
					event.preventDefault();
					onDown();
				}} />
		</div>
	);
}

/** Cursors lead forward only; the way back is remembered here. */
function Pager({ page, shown, total, next, previous }: {
	page: number; shown: number; total: number;
	next: (() => void) | undefined; previous: (() => void) | undefined;
}) {
	const from = page * PAGE;
	return (
		<nav class="pager" aria-label="Pages of the list">
			<button type="button" class="button" disabled={!previous}
				onClick={previous}><Icon name="previous" /> Previous</button>
			<span class="quiet">
				{shown > 0 ? `${count(from + 1)}–${count(from + shown)}` : "0"}
				{" "}of {count(total)}
			</span>
			<button type="button" class="button" disabled={!next}
				onClick={next}>Next <Icon name="next" /></button>
		</nav>
	);
}

function NothingFound({ filters, clear }: {
	filters: Filters; clear: () => void;
}) {
	if (Object.keys(filters).length === 0)
		return (
			<Empty icon="devices" title="No devices yet">
				<code>sprov device import fleet.csv</code> brings them in.
			</Empty>
		);
	return (
		<>
			<Empty icon="search" title="No device fits" />
			<p class="pager">
				<button type="button" class="button" onClick={clear}>
					Show all devices
				</button>
			</p>
		</>
	);
}

function List({ route }: Pick<PageProps, "route">) {
	const { search = "", standing = "", group = "", state = "", model = "" } =
		route.query;
	const [typed, setTyped] = useState(search);
	const settled = useSettled(typed, TYPING_MS);
	const filters: Filters = Object.fromEntries(Object.entries(
		{ search, standing, group, state, model })
		.filter(([, value]) => value !== ""));
	const key = JSON.stringify(filters);
	const [way, setWay] = useState<{ key: string; cursors: string[] }>(
		{ key, cursors: [] });
	const cursors = way.key === key ? way.cursors : [];
	const answer = useData<DevicesAnswer>("/api/v1/devices", { ...filters,
		limit: PAGE, cursor: cursors[cursors.length - 1] }, EVERY_MS);
	const shown = useLast(answer.data);
	const now = useNow(10_000);
	const list = useRef<HTMLDivElement>(null);

	const set = (change: Filters) =>
		go(href(["devices"], { ...filters, ...change }), true);
	useEffect(() => {
		if (settled.trim() !== search)
			set({ search: settled.trim() });
	}, [settled]);
	// Another way than typing: back, or the link of the menu.
	useEffect(() => {
		if (search !== settled.trim())
			setTyped(search);
	}, [search]);

	const turn = (to: string[]) => {
		setWay({ key, cursors: to });
		list.current?.scrollIntoView({ block: "nearest" });
	};
	const { cursor = null, devices = [], total = 0 } = shown ?? {};
	return (
		<Page title="Devices" aside={
			<p class="quiet" role="status">
				{shown && plural(total, "device")}
				{shown && Object.keys(filters).length > 0 && " found"}
			</p>}>
			<form class="toolbar" role="search"
				onSubmit={(event) => event.preventDefault()}>
				<Search value={typed} onChange={setTyped} onDown={() =>
					list.current?.querySelector("a")?.focus()} />
				<div class="field">
					<span class="label" aria-hidden="true">Standing</span>
					<Segments label="Standing" value={standing}
						options={STANDINGS}
						onChange={(value) => set({ standing: value })} />
				</div>
				<GroupFilter value={group}
					onChange={(value) => set({ group: value })} />
				<div class="field">
					<label for="state">State</label>
					<select id="state" value={state} onChange={(event) => set({
						state: (event.target as HTMLSelectElement).value })}>
						<option value="">Active and retired</option>
						<option value="active">Active</option>
						<option value="retired">Retired</option>
					</select>
				</div>
				{model !== "" && (
					<button type="button" class="button"
						onClick={() => set({ model: "" })}>
						<Icon name="close" /> Model {model}
					</button>
				)}
			</form>
			<Stale data={answer} />
			<div class="panel" ref={list}>
				{shown === undefined ? answer.problem ?
					<Failure problem={answer.problem} retry={answer.refresh} /> :
					<Bones rows={12} /> :
				answer.problem && !answer.data ?
					<Failure problem={answer.problem} retry={answer.refresh} /> :
				devices.length === 0 && cursors.length === 0 ?
					<NothingFound filters={filters} clear={() => {
						setTyped("");
						go(href(["devices"]), true);
					}} /> :
					<Table caption="Devices by MAC" columns={columns(now)}
						rows={devices} rowKey={(d) => d.mac}
						href={(d) => href(["devices", d.mac])}
						busy={answer.loading} />}
			</div>
			{(total > PAGE || cursors.length > 0) && (
				<Pager page={cursors.length} shown={devices.length}
					total={total}
					previous={cursors.length > 0 ?
						() => turn(cursors.slice(0, -1)) : undefined}
					next={cursor !== null &&
						cursors.length * PAGE + devices.length < total ?
						() => turn([...cursors, cursor]) : undefined} />
			)}
		</Page>
	);
}

export function Devices({ route }: PageProps) {
	const one = route.parts[1];
	return one !== undefined ?
		<DevicePage of={one} view={route.query["view"]} /> :
		<List route={route} />;
}
