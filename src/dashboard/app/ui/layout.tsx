// A page and its panels.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** title is the document's, too; what stands right of it are its controls. */
export function Page({ title, aside, children }: {
	title: string; aside?: ComponentChildren; children: ComponentChildren;
}) {
	useEffect(() => {
		document.title = `${title} · sprov`;
	}, [title]);
	return (
		<div class="stack">
			<div class="page-head">
				<h1 id="page-title" tabIndex={-1}>{title}</h1>
				{aside}
			</div>
			{children}
		</div>
	);
}

/** bare: the content touches the border, as tables do. */
export function Panel({ title, aside, bare = false, children }: {
	title: string; aside?: ComponentChildren; bare?: boolean;
	children: ComponentChildren;
}) {
	return (
		<section class="panel">
			<header>
				<h2>{title}</h2>
				{aside !== undefined && <div class="quiet small">{aside}</div>}
			</header>
			{bare ? children : <div class="body">{children}</div>}
		</section>
	);
}

/** Who comes to another page by keyboard or by ear begins at its title. */
export function useFocusOnTitle(page: string): void {
	const first = useRef(true);
	useEffect(() => {
		if (!first.current) {
			window.scrollTo(0, 0);
			// Unless the page itself has put it somewhere.
			const main = document.getElementById("main");
			if (!main?.contains(document.activeElement))
				document.getElementById("page-title")?.focus();
		}
		first.current = false;
	}, [page]);
}

/** One of a few, as buttons that stay pressed. */
export function Segments<T extends string>({ label, value, options, onChange }: {
	label: string; value: T; options: readonly (readonly [T, string])[];
	onChange: (value: T) => void;
}) {
	return (
		<div class="segments" role="group" aria-label={label}>
			{options.map(([key, word]) => (
				<button key={key} type="button" class="button"
					aria-pressed={key === value ? "true" : "false"}
					onClick={() => onChange(key)}>{word}</button>
			))}
		</div>
	);
}
