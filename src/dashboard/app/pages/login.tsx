import { useEffect, useState } from "preact/hooks";
import { asProblem } from "../lib/data";
import { logIn } from "../lib/session";
import { Icon } from "../ui/icons";
import { Notice } from "../ui/states";

export const PASSWORD_MIN = 12; // bytes; what the server wants of a new one

export function Login({ ended }: { ended: boolean }) {
	const [first, setFirst] = useState(false);
	const [wrong, setWrong] = useState("");
	const [busy, setBusy] = useState(false);

	useEffect(() => {
		document.title = "Log in · sprov";
	}, []);

	const submit = async (event: SubmitEvent) => {
		event.preventDefault();
		const form = new FormData(event.target as HTMLFormElement);
		const text = (name: string) => String(form.get(name) ?? "");
		setBusy(true);
		setWrong("");
		try {
			await logIn(text("name").trim(), text("password"),
				first ? text("code").trim() : "");
		} catch (error) {
			setWrong(asProblem(error).message);
			setBusy(false);
		}
	};

	return (
		<main class="login">
			<form class="panel" onSubmit={submit}>
				<h1 class="brand"><Icon name="trust" size={24} /> sprov</h1>
				{ended && wrong === "" && (
					<Notice tone="none">The session has ended.</Notice>
				)}
				{wrong !== "" && <Notice tone="bad">{wrong}</Notice>}
				<div class="field">
					<label for="name">Name</label>
					<input id="name" name="name" required maxLength={64}
						autoComplete="username" autoCapitalize="none"
						spellcheck={false} autoFocus />
				</div>
				{first && (
					<div class="field">
						<label for="code">Code</label>
						<input id="code" name="code" required class="mono"
							autoComplete="one-time-code" autoCapitalize="none"
							spellcheck={false} aria-describedby="code-hint" />
						<span class="hint" id="code-hint">
							It was printed by <code>sprov admin add</code>,
							and is good once.
						</span>
					</div>
				)}
				<div class="field">
					<label for="password">
						{first ? "New password" : "Password"}
					</label>
					<input id="password" name="password" type="password"
						required minLength={first ? PASSWORD_MIN : 1}
						maxLength={256}
						autoComplete={first ? "new-password" :
							"current-password"}
						aria-describedby={first ? "password-hint" : undefined} />
					{first && (
						<span class="hint" id="password-hint">
							{PASSWORD_MIN} characters or more.
						</span>
					)}
				</div>
				<button class="button primary" disabled={busy}>
					{busy ? "One moment…" : first ?
						"Set the password and log in" : "Log in"}
				</button>
				<button type="button" class="button plain" onClick={() => {
					setFirst(!first);
					setWrong("");
				}}>
					<Icon name="key" />
					{first ? "I have a password" : "I have a one-time code"}
				</button>
			</form>
		</main>
	);
}
