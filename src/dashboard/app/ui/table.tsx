// Tables.  A row may open something: then its first cell is a link, and the
// whole row follows it; arrow keys go from row to row.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface Column<T> {
	head: string;
	cell: (row: T) => ComponentChildren;
	number?: boolean; // aligned right
	/* Where there is no room: medium goes on a phone, wide on a small window. */
	width?: "medium" | "wide";
}

function className(column: Column<never>): string {
	return [column.number ? "number" : "", column.width ?? ""].join(" ").trim();
}

function step(event: KeyboardEvent): void {
	const forward = event.key === "ArrowDown";
	if (!forward && event.key !== "ArrowUp")
		return;
	const row = (event.target as HTMLElement).closest("tr");
	const next = forward ? row?.nextElementSibling :
		row?.previousElementSibling;
	const link = next?.querySelector("a");
	if (link) {
		event.preventDefault();
		link.focus();
	}
}

/** What is wider than its place scrolls, and then has to be reached by Tab. */
export function Scroll({ label, children }: {
	label: string; children: ComponentChildren;
}) {
	const box = useRef<HTMLDivElement>(null);
	const [scrolls, setScrolls] = useState(false);
	useEffect(() => {
		const element = box.current!;
		const resized = new ResizeObserver(() =>
			setScrolls(element.scrollWidth > element.clientWidth));
		resized.observe(element);
		resized.observe(element.firstElementChild!);
		return () => resized.disconnect();
	}, []);
	return (
		<div class="table-scroll" ref={box} {...(scrolls ?
			{ tabIndex: 0, role: "region", "aria-label": label } : {})}>
			{children}
		</div>
	);
}

export function Table<T>({ caption, columns, rows, rowKey, href, busy = false }: {
	caption: string; // for who cannot see what stands above
	columns: Column<T>[];
	rows: T[];
	rowKey: (row: T) => string | number;
	href?: (row: T) => string;
	busy?: boolean; // newer rows are on their way
}) {
	const first = (row: T, content: ComponentChildren) =>
		href ? <a href={href(row)}>{content}</a> : content;
	const open = (event: MouseEvent, row: T) => {
		const link = (event.target as HTMLElement).closest("a, button");
		if (!href || link || String(getSelection()) !== "")
			return;
		if (event.ctrlKey || event.metaKey)
			window.open(href(row));
		else
			location.hash = href(row);
	};
	return (
		<Scroll label={caption}>
			<table class="table" aria-busy={busy ? "true" : "false"}
				onKeyDown={href ? step : undefined}>
				<caption class="visually-hidden">{caption}</caption>
				<thead>
					<tr>
						{columns.map((column) => (
							<th key={column.head} scope="col"
								class={className(column as Column<never>)}>
								{column.head}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map((row) => (
						<tr key={rowKey(row)} class={href ? "opens" : undefined}
							onClick={href ? (e) => open(e, row) : undefined}>
							{columns.map((column, i) => i === 0 ? (
								<th key={column.head} scope="row"
									class={className(column as Column<never>)}>
									{first(row, column.cell(row))}
								</th>
							) : (
								<td key={column.head}
									class={className(column as Column<never>)}>
									{column.cell(row)}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</Scroll>
	);
}
