// Who is logged in, what he may do, and another password.
import { useState } from "preact/hooks";
import { send } from "../lib/api";
import { asProblem } from "../lib/data";
import { Page, Panel } from "../ui/layout";
import { Notice } from "../ui/states";
import { PASSWORD_MIN } from "./login";
import type { PageProps } from "./pages";

const SCOPES: Record<string, string> = {
	read: "look at devices, events, plans",
	write: "change devices, groups and variables",
	metrics: "read the figures for Prometheus",
	audit: "see who changed what",
	accounts: "manage accounts and tokens",
};

function Password({ name }: { name: string }) {
	const [done, setDone] = useState(false);
	const [wrong, setWrong] = useState("");
	const [busy, setBusy] = useState(false);

	const submit = async (event: SubmitEvent) => {
		event.preventDefault();
		const form = event.target as HTMLFormElement;
		const data = new FormData(form);
		const text = (name: string) => String(data.get(name) ?? "");
		setDone(false);
		setWrong("");
		if (text("new") !== text("again")) {
			setWrong("The new password was not typed the same twice.");
			return;
		}
		setBusy(true);
		try {
			await send("POST", "/api/v1/password",
				{ old: text("old"), new: text("new") });
			form.reset();
			setDone(true);
		} catch (error) {
			setWrong(asProblem(error).message);
		}
		setBusy(false);
	};
	const field = (of: string, label: string, complete: string, min: number) => (
		<div class="field">
			<label for={`password-${of}`}>{label}</label>
			<input id={`password-${of}`} name={of} type="password" required
				minLength={min} maxLength={256} autoComplete={complete} />
		</div>
	);
	return (
		<Panel title="Another password">
			<form class="stack form" onSubmit={submit}>
				{/* For what keeps passwords: whose this one is. */}
				<input type="text" name="name" autoComplete="username"
					value={name} readOnly hidden />
				{wrong !== "" && <Notice tone="bad">{wrong}</Notice>}
				{done && <Notice tone="good">
					It is changed. All other sessions have ended.
				</Notice>}
				{field("old", "The one you have", "current-password", 1)}
				{field("new", `A new one, ${PASSWORD_MIN} characters or more`,
					"new-password", PASSWORD_MIN)}
				{field("again", "The new one again", "new-password",
					PASSWORD_MIN)}
				<button class="button primary" disabled={busy}>
					{busy ? "One moment…" : "Change the password"}
				</button>
			</form>
		</Panel>
	);
}

export function Account({ session }: PageProps) {
	return (
		<Page title="Account">
			<div class="halves">
				<Panel title="Who you are">
					<dl class="facts">
						<dt>Name</dt><dd>{session.name}</dd>
						<dt>Sees</dt>
						<dd>{session.tenant === "" ? "all devices" :
							`devices of ${session.tenant}`}</dd>
						<dt>May</dt>
						<dd><ul>{session.scopes.split(",").map((scope) =>
							<li key={scope}>{SCOPES[scope] ?? scope}</li>)}
						</ul></dd>
					</dl>
				</Panel>
				<Password name={session.name} />
			</div>
		</Page>
	);
}
