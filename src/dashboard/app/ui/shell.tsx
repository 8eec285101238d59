// What stands around each page: the menu, who is logged in, light or dark.
import { useEffect, useState } from "preact/hooks";
import { PAGES, type PageEntry } from "../pages/pages";
import { go, parseRoute, useRoute } from "../lib/route";
import { logOut, may, type Session } from "../lib/session";
import { setTheme, theme, THEMES } from "../lib/theme";
import { Icon } from "./icons";
import { Page, useFocusOnTitle } from "./layout";
import { Empty } from "./states";

function ThemeSwitch() {
	const [chosen, setChosen] = useState(theme());
	const next = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length]!;
	const words = { auto: "system", light: "light", dark: "dark" };
	return (
		<button type="button" class="button plain" onClick={() => {
			setTheme(next);
			setChosen(next);
		}}>
			<Icon name={chosen} /> Colours: {words[chosen]}
		</button>
	);
}

function Menu({ entries, current }: {
	entries: PageEntry[]; current: string | undefined;
}) {
	return (
		<nav aria-label="Pages">
			<ul class="menu">
				{entries.filter((entry) => !entry.apart).map((entry) => (
					<li key={entry.name}>
						<a href={`#/${entry.name}`} aria-current={
							entry.name === current ? "page" : undefined}>
							<Icon name={entry.icon} size={18} /> {entry.title}
						</a>
					</li>
				))}
			</ul>
		</nav>
	);
}

function Brand() {
	return (
		<a class="brand" href="#/overview">
			<Icon name="trust" size={22} /> sprov
		</a>
	);
}

/** Ctrl+K, from every page: the field may be there only after a moment. */
function searchDevices(): void {
	if (parseRoute(location.hash).parts.join("/") !== "devices")
		go("#/devices");
	const focus = (tries: number) => {
		const field = document.getElementById("search");
		if (field instanceof HTMLInputElement) {
			field.focus();
			field.select();
		} else if (tries > 0) {
			requestAnimationFrame(() => focus(tries - 1));
		}
	};
	requestAnimationFrame(() => focus(60));
}

export function Shell({ session }: { session: Session }) {
	const route = useRoute();
	const [open, setOpen] = useState(false);
	const entries = PAGES.filter((entry) => may(session, entry.scope) &&
		(!entry.whole || session.tenant === ""));
	const name = route.parts[0] ?? entries[0]?.name;
	const entry = entries.find((one) => one.name === name);

	useFocusOnTitle(route.parts.join("/"));
	useEffect(() => setOpen(false), [location.hash]);
	useEffect(() => {
		const pressed = (event: KeyboardEvent) => {
			if (event.key === "Escape")
				setOpen(false);
			if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
				event.preventDefault();
				searchDevices();
			}
		};
		window.addEventListener("keydown", pressed);
		return () => window.removeEventListener("keydown", pressed);
	}, []);

	return (
		<>
			<a class="skip" href="#main" onClick={(event) => {
				event.preventDefault();
				document.getElementById("page-title")?.focus();
			}}>Skip to the page</a>
			<div class="shell">
				<header class="top">
					<Brand />
					<button type="button" class="button plain"
						aria-expanded={open ? "true" : "false"}
						aria-controls="side" onClick={() => setOpen(!open)}>
						<Icon name={open ? "close" : "menu"} size={20} />
						{open ? "Close" : "Menu"}
					</button>
				</header>
				<aside class="side" id="side" aria-label="Menu"
					data-open={open ? "true" : "false"}>
					<Brand />
					<Menu entries={entries} current={entry?.name} />
					<div class="who small">
						<ThemeSwitch />
						<button type="button" class="button plain"
							onClick={() => void logOut()}>
							<Icon name="leave" /> Log out
						</button>
						<a class="button plain cut" href="#/account"
							aria-current={entry?.name === "account" ?
								"true" : undefined}>
							<Icon name="key" /> {session.name}
							{session.tenant !== "" && ` · ${session.tenant}`}
						</a>
					</div>
				</aside>
				<main class="main" id="main">
					{entry !== undefined ?
						<entry.page route={route} session={session} /> :
						<Page title="Not here">
							<Empty title="There is no such page">
								It may be one that your account does not see.
							</Empty>
						</Page>}
				</main>
			</div>
		</>
	);
}
