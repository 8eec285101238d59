// Lines over time.  The canvas says nothing to who cannot see it: the figures
// of now stand in its legend, and summary says the rest in words.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colour } from "../lib/theme";

export interface Line {
	label: string;
	colour: "series-1" | "series-2" | "series-3";
	dashed?: boolean; // so that the colour is not all that tells them apart
	values: (number | null)[];
	now: string; // the last value, spelled
}

const HH_MM_SS = "{HH}:{mm}:{ss}";

function options(lines: Line[], unit: (n: number) => string,
	width: number, height: number): uPlot.Options {
	const quiet = colour("quiet"), grid = colour("grid");
	const font = "12px system-ui, sans-serif";
	const axis = { stroke: quiet, font, grid: { stroke: grid, width: 1 },
		ticks: { show: false } };
	return {
		width, height,
		legend: { show: false },
		cursor: { points: { size: 7 }, y: false,
			drag: { x: false, y: false } },
		scales: { y: { range: (_u, _min, max) => [0, Math.max(1, max * 1.1)] } },
		axes: [
			{ ...axis, size: 28, space: 90, values: (_u, at) =>
				at.map((t) => uPlot.fmtDate(HH_MM_SS)(new Date(t * 1000))) },
			{ ...axis, size: 56, space: 36,
				values: (_u, at) => at.map(unit) },
		],
		series: [{}, ...lines.map((line): uPlot.Series => ({
			label: line.label,
			stroke: colour(line.colour),
			width: 2,
			...(line.dashed ? { dash: [6, 4] } : {}),
			points: { show: false },
		}))],
	};
}

export function Chart({ times, lines, unit, summary }: {
	times: number[]; // seconds since 1970
	lines: Line[];
	unit: (n: number) => string;
	summary: string;
}) {
	const box = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | undefined>(undefined);
	const data = [times, ...lines.map((line) => line.values)] as uPlot.AlignedData;
	const latest = useRef({ data, lines, unit });
	latest.current = { data, lines, unit };

	useEffect(() => {
		const element = box.current!;
		const draw = () => {
			plot.current?.destroy();
			plot.current = new uPlot(options(latest.current.lines,
				latest.current.unit, element.clientWidth,
				element.clientHeight), latest.current.data, element);
		};
		const resized = new ResizeObserver(() => plot.current?.setSize({
			width: element.clientWidth, height: element.clientHeight,
		}));
		const system = matchMedia("(prefers-color-scheme: dark)");
		draw();
		resized.observe(element);
		system.addEventListener("change", draw);
		window.addEventListener("themechange", draw);
		return () => {
			resized.disconnect();
			system.removeEventListener("change", draw);
			window.removeEventListener("themechange", draw);
			plot.current?.destroy();
			plot.current = undefined;
		};
	}, []);
	useEffect(() => plot.current?.setData(data), [times, lines]);

	return (
		<figure>
			<figcaption class="legend small">
				{lines.map((line) => (
					<span key={line.label}>
						<i class={line.dashed ? "dashed" : ""}
							style={{ borderTopColor: `var(--${line.colour})` }} />
						{line.label} <b>{line.now}</b>
					</span>
				))}
			</figcaption>
			<div class="chart" ref={box} role="img" aria-label={summary} />
		</figure>
	);
}
