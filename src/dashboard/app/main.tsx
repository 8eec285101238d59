import { render } from "preact";
import { useEffect } from "preact/hooks";
import { askSession, useSession } from "./lib/session";
import { setTheme, theme } from "./lib/theme";
import { Login } from "./pages/login";
import { Shell } from "./ui/shell";
import { Bones, Failure } from "./ui/states";
import "./style/tokens.css";
import "./style/base.css";
import "./style/table.css";
import "./style/shell.css";
import "./style/overview.css";
import "./style/fleet.css";

function App() {
	const state = useSession();
	useEffect(() => void askSession(), []);
	switch (state.kind) {
	case "asking":
		return <main><Bones /></main>;
	case "out":
		return <Login ended={state.ended} />;
	case "failed":
		return (
			<main>
				<Failure problem={state.problem}
					retry={() => void askSession()} />
			</main>
		);
	case "in":
		return <Shell session={state.session} />;
	}
}

setTheme(theme());
render(<App />, document.getElementById("app")!);
