// A state as a sign, a word and a colour: any one of them would do alone.
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons";

export type Tone = "good" | "warn" | "bad" | "none";

const SIGNS: Record<Tone, IconName> = {
	good: "good", warn: "warn", bad: "bad", none: "info",
};

export function Badge({ tone, icon, children }: {
	tone: Tone; icon?: IconName; children: ComponentChildren;
}) {
	return (
		<span class={`badge ${tone}`}>
			<Icon name={icon ?? SIGNS[tone]} size={12} />
			{children}
		</span>
	);
}

const STANDINGS: Record<string, [Tone, IconName, string]> = {
	served: ["good", "good", "served"],
	failing: ["bad", "bad", "failing"],
	never: ["none", "never", "never seen"],
};

/** What a device's last contacts came to. */
export function Standing({ standing, state }: {
	standing: string; state?: string;
}) {
	if (state === "retired")
		return <Badge tone="none" icon="retired">retired</Badge>;
	const [tone, icon, word] = STANDINGS[standing] ??
		["none", "info", standing] as const;
	return <Badge tone={tone} icon={icon}>{word}</Badge>;
}

/** An HTTP status as devices get it. */
export function Status({ status }: { status: number }) {
	if (status === 0)
		return <span class="quiet">–</span>;
	const good = status < 400;
	return (
		<Badge tone={good ? "good" : "bad"}>{status}</Badge>
	);
}

/** A share of a whole as a bar; what it says must stand beside it in words. */
export function Meter({ part, all, tone = "none" }: {
	part: number; all: number; tone?: Tone;
}) {
	const share = all > 0 ? Math.max(0, Math.min(1, part / all)) : 0;
	return (
		<span class={`meter ${tone}`} aria-hidden="true">
			<i style={{ width: `${part > 0 ? Math.max(1, 100 * share) : 0}%` }} />
		</span>
	);
}
