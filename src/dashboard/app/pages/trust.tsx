// Which model trusts which CA, as a picture: a row for each stretch of versions,
// a column for each CA, and in the cells how many devices stand behind it.
// A cell opens what the answer rests on.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useData } from "../lib/data";
import { compact, count, plural } from "../lib/format";
import { go, href } from "../lib/route";
import { Badge, type Tone } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Page, Panel, Segments } from "../ui/layout";
import { Empty, Loaded } from "../ui/states";
import { Scroll } from "../ui/table";
import type { PageProps } from "./pages";

type Verdict = "trusted" | "not" | "unknown";

interface Cell {
	verdict: Verdict | "mixed";
	high_confidence: boolean;
	contradicted: boolean;
}

interface Row {
	firmware: string;
	cas: Record<string, Cell>;
	devices?: number;
}

interface Block {
	family: string;
	models: string[];
	rows: Row[];
	devices?: number;
	firmware_unknown?: number;
}

interface Ca {
	id: string;
	name: string;
	expired: boolean;
	signs: string;
	devices_accept?: number;
}

interface Claim {
	verdict: Verdict;
	basis: string;
	confidence: string;
	reason: string;
	source: string;
	own: boolean;
}

interface Trust {
	model: string;
	family: string;
	cas: {
		ca: string;
		state: string;
		spans: {
			verdict: Verdict;
			firmware: string;
			decided_by: Claim | null;
			also: Claim[];
			contradictions: Claim[];
		}[];
	}[];
	sources: Record<string, string>;
}

/* ------------------------------------------------------------------- signs */

const SIGNS = {
	trusted: ["✓", "trusted"], not: ["✕", "not trusted"],
	unknown: ["·", "nobody says"], mixed: ["±", "depends on the firmware"],
} as const;
const TONES: Record<string, Tone> = { trusted: "good", not: "bad" };

function words(cell: Cell): string {
	const sure = cell.high_confidence || cell.verdict === "unknown" ||
		cell.verdict === "mixed";
	return SIGNS[cell.verdict][1] + (sure ? "" : ", with less confidence") +
		(cell.contradicted ? ", another claim contradicts" : "");
}

function Sign({ cell }: { cell: Cell }) {
	return (
		<span class={`sign ${cell.verdict} ${cell.high_confidence ? "sure" : ""}`}>
			{cell.high_confidence || cell.verdict === "unknown" ||
				cell.verdict === "mixed" ? SIGNS[cell.verdict][0] :
				`(${SIGNS[cell.verdict][0]})`}{cell.contradicted && "*"}
		</span>
	);
}

function Legend() {
	const cells: Cell[] = (["trusted", "not"] as const).flatMap((verdict) =>
		[true, false].map((high_confidence) =>
			({ verdict, high_confidence, contradicted: false })));
	const plain = { high_confidence: false, contradicted: false };
	cells.push({ verdict: "unknown", ...plain }, { verdict: "mixed", ...plain });
	return (
		<p class="legend small">
			{cells.map((cell) => (
				<span key={words(cell)}><Sign cell={cell} /> {words(cell)}</span>
			))}
			<span>* another claim contradicts</span>
		</p>
	);
}

/* ------------------------------------------------------------------ picture */

interface Line {
	block: Block;
	first: boolean; // of its block
	firmware: string;
	cells: Record<string, Cell>;
	devices: number | undefined;
}

/** Of devices whose version is not known: what all versions agree on. */
function agreed(block: Block): Record<string, Cell> {
	const cells: Record<string, Cell> = {};
	for (const [ca, cell] of Object.entries(block.rows[0]!.cas))
		cells[ca] = block.rows.every((row) =>
			row.cas[ca]!.verdict === cell.verdict) ? cell :
			{ verdict: "mixed", high_confidence: false, contradicted: false };
	return cells;
}

function linesOf(blocks: Block[], fleet: boolean): Line[] {
	const lines: Line[] = [];
	for (const block of blocks) {
		const unknown = block.firmware_unknown ?? 0;
		const all = block.rows.map((row) => ({ firmware: row.firmware,
			cells: row.cas, devices: row.devices }));
		if (unknown > 0)
			all.push({ firmware: "version not known", cells: agreed(block),
				devices: unknown });
		all.filter((row) => !fleet || (row.devices ?? 0) > 0)
			.forEach((row, i) => lines.push({ block, first: i === 0, ...row }));
	}
	return lines;
}

function nameOf(models: string[]): string {
	return models.length > 3 ?
		`${models.slice(0, 3).join(", ")} and ${models.length - 3} more` :
		models.join(", ");
}

interface Chosen {
	model: string;
	ca: string;
}

function Picture({ lines, cas, chosen, choose }: {
	lines: Line[]; cas: Ca[]; chosen: Chosen | undefined;
	choose: (to: Chosen) => void;
}) {
	const [at, setAt] = useState([0, 0] as [number, number]);
	const grid = useRef<HTMLTableSectionElement>(null);
	const here = [Math.min(at[0], lines.length - 1),
		Math.min(at[1], cas.length - 1)];

	const keys = (event: KeyboardEvent) => {
		const steps: Record<string, [number, number]> = {
			ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1],
			ArrowRight: [0, 1], Home: [0, -999], End: [0, 999],
			PageUp: [-10, 0], PageDown: [10, 0],
		};
		const step = steps[event.key];
		const [row, column] = here as [number, number];
		if (event.key === "Enter" || event.key === " ") {
			event.preventDefault();
			choose({ model: lines[row]!.block.models[0]!, ca: cas[column]!.id });
		}
		if (step === undefined)
			return;
		event.preventDefault();
		const to: [number, number] = [
			Math.max(0, Math.min(lines.length - 1, row + step[0])),
			Math.max(0, Math.min(cas.length - 1, column + step[1])),
		];
		setAt(to);
		const cell = grid.current?.rows[to[0]]?.cells[to[1] + 1];
		cell?.focus();
	};

	return (
		<Scroll label="Models and CAs">
			<table class="matrix" role="grid" aria-label={
				"Models and CAs; arrow keys move, Enter says who says so"}>
				<thead>
					<tr>
						<th scope="col">Models and versions</th>
						{cas.map((ca) => (
							<th key={ca.id} scope="col">
								<span>
									{ca.name}
									{ca.expired ? " (expired)" :
										ca.signs === "yes" ? " (signs)" : ""}
								</span>
							</th>
						))}
					</tr>
				</thead>
				<tbody ref={grid} onKeyDown={keys}>
					{lines.map((line, r) => (
						<tr key={r} class={line.first ? "first" : ""}>
							<th scope="row">
								{line.first && (
									<b class="models"
										title={line.block.models.join(", ")}>
										{nameOf(line.block.models)}
									</b>
								)}
								<span class="small">
									{line.firmware}
									{line.devices !== undefined &&
										line.devices > 0 && (
										<b> · {compact(line.devices)}</b>
									)}
								</span>
							</th>
							{cas.map((ca, c) => {
								const cell = line.cells[ca.id]!;
								const here_ = r === here[0] && c === here[1];
								const is = chosen?.ca === ca.id && line.block
									.models.includes(chosen.model);
								return (
									<td key={ca.id} class={cell.verdict}
										tabIndex={here_ ? 0 : -1}
										aria-selected={is ? "true" : "false"}
										aria-label={`${words(cell)}` +
											(line.devices ? `, ${compact(
												line.devices)} devices` : "")}
										onFocus={() => setAt([r, c])}
										onClick={() => choose({
											model: line.block.models[0]!,
											ca: ca.id,
										})}>
										<Sign cell={cell} />
										{cell.verdict === "trusted" &&
											!!line.devices && (
											<small>{compact(line.devices)}</small>
										)}
									</td>
								);
							})}
						</tr>
					))}
				</tbody>
			</table>
		</Scroll>
	);
}

/* ------------------------------------------------------------------- detail */

function Said({ claim, lead, sources }: {
	claim: Claim; lead: string; sources: Record<string, string>;
}) {
	return (
		<li>
			<span class="quiet">{lead}</span> {claim.basis}, confidence{" "}
			{claim.confidence}: {claim.reason}
			{claim.own && " (a test of your own)"}
			<div class="quiet small">
				{claim.source.split("+").map((key) =>
					sources[key] ?? key).join("; ")}
			</div>
		</li>
	);
}

function Detail({ chosen, models, name, close, choose }: {
	chosen: Chosen; models: string[]; name: string;
	close: () => void; choose: (to: Chosen) => void;
}) {
	const trust = useData<Trust>(
		`/api/v1/matrix/${encodeURIComponent(chosen.model)}`);
	const head = useRef<HTMLDivElement>(null);
	useEffect(() => head.current?.focus(), [chosen.ca, chosen.model]);
	return (
		<div class="detail" ref={head} tabIndex={-1} data-focus
			onKeyDown={(event) => event.key === "Escape" && close()}>
			<Panel title={`${chosen.model} and ${name}`} aside={
				<button type="button" class="button plain" onClick={close}>
					<Icon name="close" /> Close
				</button>}>
				<div class="stack">
					{models.length > 1 && (
						<div class="field">
							<label for="trust-model">Model</label>
							<select id="trust-model" value={chosen.model}
								onChange={(event) => choose({ ca: chosen.ca,
									model: event.currentTarget.value })}>
								{models.map((m) => <option key={m}>{m}</option>)}
							</select>
						</div>
					)}
					<Loaded of={trust}>{(t) => {
						const ca = t.cas.find((one) => one.ca === chosen.ca);
						return (
							<ul class="stack evidence">
								{ca?.state && <li class="quiet">
									{name}: {ca.state}
								</li>}
								{ca?.spans.map((span) => (
									<li key={span.firmware}>
										<h3>
											{span.firmware}{" "}
											<Badge tone={TONES[span.verdict] ??
												"none"}>
												{SIGNS[span.verdict][1]}
											</Badge>
										</h3>
										<ul>
											{span.decided_by === null && (
												<li class="quiet">
													Nobody says; which does not
													mean no.
												</li>
											)}
											{span.decided_by && (
												<Said claim={span.decided_by}
													lead="Decided by"
													sources={t.sources} />
											)}
											{span.also.map((claim, i) => (
												<Said key={i} claim={claim}
													lead="Also"
													sources={t.sources} />
											))}
											{span.contradictions.map((claim, i) =>
												<Said key={i} claim={claim}
													lead="Against it:"
													sources={t.sources} />)}
										</ul>
									</li>
								))}
							</ul>
						);
					}}</Loaded>
				</div>
			</Panel>
		</div>
	);
}

/* --------------------------------------------------------------------- page */

export function Trust({ route, session }: PageProps) {
	const whole = session.tenant === "";
	const matrix = useData<Block[]>("/api/v1/matrix");
	const cas = useData<Ca[]>(whole ? "/api/v1/cas" : null);
	const { model, ca, view } = route.query;
	const chosen = model && ca ? { model, ca } : undefined;
	const some = matrix.data?.some((block) => (block.devices ?? 0) > 0) ?? false;
	const fleet = some && view !== "all";
	const lines = useMemo(() => linesOf(matrix.data ?? [], fleet),
		[matrix.data, fleet]);
	const columns = useMemo((): Ca[] => {
		const ids = Object.keys(matrix.data?.[0]?.rows[0]?.cas ?? {});
		return ids.filter((id) => lines.some((line) =>
			line.cells[id]?.verdict !== "unknown")).map((id) =>
			cas.data?.find((one) => one.id === id) ??
			{ id, name: id, expired: false, signs: "" });
	}, [matrix.data, cas.data, lines]);

	const show = (to: Record<string, string | undefined>) =>
		go(href(["trust"], { ...route.query, ...to }), true);
	const close = () => {
		show({ model: undefined, ca: undefined });
		document.querySelector<HTMLElement>(".matrix td[tabindex='0']")?.focus();
	};
	return (
		<Page title="Trust" aside={some && (
			<Segments label="Which models" value={fleet ? "fleet" : "all"}
				options={[["fleet", "In the fleet"], ["all", "All models"]]}
				onChange={(to) => show({ view: to })} />
		)}>
			<Loaded of={matrix} rows={12}>{(blocks) => lines.length === 0 ? (
				<Empty title="Nothing is known" />
			) : (
				<div class={chosen ? "split trust" : "stack"}>
					<Panel bare title={fleet ?
						"What the devices of the fleet trust" :
						"What all known models trust"}
					aside={fleet && plural(blocks.reduce((sum, block) =>
						sum + (block.devices ?? 0), 0), "device")}>
						<Legend />
						<Picture lines={lines} cas={columns} chosen={chosen}
							choose={(to) => show({ ...to })} />
					</Panel>
					{chosen && (
						<Detail chosen={chosen} close={close}
							choose={(to) => show({ ...to })}
							name={columns.find((one) =>
								one.id === chosen.ca)?.name ?? chosen.ca}
							models={blocks.find((block) => block.models
								.includes(chosen.model))?.models ?? []} />
					)}
				</div>
			)}</Loaded>
			{!some && matrix.data !== undefined && (
				<p class="quiet">
					{count(matrix.data.length)} kinds of devices are known.
					With devices in the inventory, their number stands in the
					cells.
				</p>
			)}
		</Page>
	);
}
