// Who is logged in.
import { useEffect, useState } from "preact/hooks";
import { forgetAll, get, Problem, send, whenLoggedOut } from "./api";
import { asProblem } from "./data";

export interface Session {
	name: string;
	scopes: string; // between commas
	tenant: string; // "": all
	now: string;
}

export type SessionState =
	| { kind: "asking" }
	| { kind: "out"; ended: boolean } // ended: there was one before
	| { kind: "failed"; problem: Problem }
	| { kind: "in"; session: Session };

let state: SessionState = { kind: "asking" };
const watchers = new Set<(state: SessionState) => void>();

function change(to: SessionState): void {
	state = to;
	for (const watcher of watchers)
		watcher(to);
}

whenLoggedOut(() => {
	if (state.kind !== "out")
		change({ kind: "out", ended: state.kind === "in" });
});

export function useSession(): SessionState {
	const [seen, setSeen] = useState(state);
	useEffect(() => {
		watchers.add(setSeen);
		setSeen(state);
		return () => void watchers.delete(setSeen);
	}, []);
	return seen;
}

export async function askSession(): Promise<void> {
	try {
		change({ kind: "in", session: await get<Session>("/api/v1/session") });
	} catch (error) {
		if (state.kind !== "out")
			change({ kind: "failed", problem: asProblem(error) });
	}
}

/** code: the one that "sprov admin add" printed; password is the new one. */
export async function logIn(name: string, password: string,
	code: string): Promise<void> {
	const session = await send<Session>("POST", "/api/v1/login",
		code !== "" ? { name, password, code } : { name, password });
	forgetAll();
	change({ kind: "in", session: session! });
}

export async function logOut(): Promise<void> {
	await send("POST", "/api/v1/logout");
	forgetAll();
	change({ kind: "out", ended: false });
}

export function may(session: Session, scope: string): boolean {
	return session.scopes.split(",").includes(scope);
}
