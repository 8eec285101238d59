// What an entry of the audit log says, as lines for people.
import { plural } from "./format";
import type { AuditChange, AuditEntry } from "./types";

export function changeLine(change: AuditChange): string {
	const said: string[] = [];
	for (const [name, [before = "", after = ""]] of
		Object.entries(change.fields ?? {}))
		said.push(`${name} ${before || "–"} → ${after || "–"}`);
	if (change.set?.length)
		said.push(`set ${change.set.join(", ")}`);
	if (change.unset?.length)
		said.push(`unset ${change.unset.join(", ")}`);
	const what = [change.target, change.is].filter(Boolean).join(" ");
	return said.length > 0 ? `${what}: ${said.join("; ")}` : what;
}

/** One line for the table; "" where the action says it all. */
export function summary(entry: AuditEntry): string {
	const { detail } = entry;
	if (detail === undefined)
		return "";
	const sums: string[] = [];
	for (const [key, word] of [["devices_added", "added"],
		["devices_changed", "changed"], ["devices_removed", "removed"]] as const)
		if ((detail[key] ?? 0) > 0)
			sums.push(`${plural(detail[key]!, "device")} ${word}`);
	if ((detail.others ?? 0) > 0)
		sums.push(plural(detail.others!, "other change"));
	if (sums.length > 0)
		return sums.join(", ");
	return Object.entries(detail)
		.filter(([key, value]) => key !== "changes" && value !== 0)
		.map(([key, value]) => `${key} ${said(value)}`).join(", ");
}

function said(value: unknown): string {
	return value !== null && typeof value === "object" ?
		Object.values(value).map(said).join(" ") : String(value);
}
