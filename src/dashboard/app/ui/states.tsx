// What stands where data would: nothing yet, nothing at all, or a problem.
import type { ComponentChildren } from "preact";
import type { Data } from "../lib/data";
import type { Problem } from "../lib/api";
import { clock } from "../lib/format";
import { Icon, type IconName } from "./icons";

/** Grey lines in the shape of what will come. */
export function Bones({ rows = 4 }: { rows?: number }) {
	return (
		<div class="bones" role="status">
			<span class="visually-hidden">Loading…</span>
			{Array.from({ length: rows }, (_, i) => (
				<i key={i} class="bone"
					style={{ width: `${[92, 74, 85, 61][i % 4]}%` }} />
			))}
		</div>
	);
}

/** Nothing to show, and what would change that. */
export function Empty({ icon = "empty", title, children }: {
	icon?: IconName; title: string; children?: ComponentChildren;
}) {
	return (
		<div class="state">
			<Icon name={icon} size={32} />
			<strong>{title}</strong>
			{children !== undefined && <p>{children}</p>}
		</div>
	);
}

/** In place of data that never came. */
export function Failure({ problem, retry }: {
	problem: Problem; retry?: (() => void) | undefined;
}) {
	return (
		<div class="state bad" role="alert">
			<Icon name="warn" size={32} />
			<strong>{problem.title || `The answer was ${problem.status}`}</strong>
			{problem.detail !== "" && <p>{problem.detail}</p>}
			{retry !== undefined && (
				<button type="button" class="button" onClick={retry}>
					<Icon name="refresh" /> Try again
				</button>
			)}
		</div>
	);
}

export function Notice({ tone, icon, children }: {
	tone: "none" | "good" | "warn" | "bad"; icon?: IconName;
	children: ComponentChildren;
}) {
	return (
		<div class={`notice ${tone}`}
			role={tone === "bad" ? "alert" : "status"}>
			<Icon name={icon ?? (tone === "none" ? "info" : tone)} />
			<div>{children}</div>
		</div>
	);
}

/** Above data that is older than it should be. */
export function Stale({ data }: { data: Data<unknown> }) {
	if (data.problem === undefined || data.data === undefined)
		return null;
	return (
		<Notice tone="warn">
			Not up to date: {data.problem.message} Shown is what was known
			at {clock(data.at)}.
		</Notice>
	);
}

/**
 * One of the above, or the data: <Loaded of={devices}>{(d) => …}</Loaded>.
 * Data that is there stays through later failures, with a notice above it.
 */
export function Loaded<T>({ of, rows, loading, children }: {
	of: Data<T>; rows?: number; loading?: ComponentChildren;
	children: (data: T) => ComponentChildren;
}) {
	if (of.data !== undefined)
		return <><Stale data={of} />{children(of.data)}</>;
	if (of.problem !== undefined)
		return <Failure problem={of.problem} retry={of.refresh} />;
	return <>{loading ?? <Bones rows={rows ?? 4} />}</>;
}
