// Lines over time.  The canvas says nothing to who cannot see it: the figures
// of now stand in its legend, and summary says the rest in words.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { colour } from "../lib/theme";

export interface Line {
	label: string;
	colour: "series-1" | "series-2" | "series-3";
	dashed?: boolean; // so that the colour is not all that tells them apart
	dotted?: boolean;
	values: (number | null)[];
	now: string; // the last value, spelled
}

const HH_MM_SS = "{HH}:{mm}:{ss}";

function options({ lines, unit, top }: ChartProps,
	width: number, height: number): uPlot.Options {
	const quiet = colour("quiet"), grid = colour("grid");
	const font = "12px system-ui, sans-serif";
	const axis = { stroke: quiet, font, grid: { stroke: grid, width: 1 },
		ticks: { show: false } };
	return {
		width, height,
		padding: [8, 28, 0, 0], // the last time is not cut off
		legend: { show: false },
		cursor: { points: { size: 7 }, y: false,
			drag: { x: false, y: false } },
		scales: { y: { range: (_u, _min, max) => [0, Math.max(top, max * 1.1)] } },
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
			spanGaps: true,
			...(line.dashed ? { dash: [6, 4] } :
				line.dotted ? { dash: [2, 3] } : {}),
			points: { show: false },
		}))],
	};
}

interface ChartProps {
	times: number[]; // seconds since 1970
	lines: Line[];
	unit: (n: number) => string;
	top: number; // where the scale ends at least: small things look small
	summary: string;
}

export function Chart(props: ChartProps) {
	const { times, lines, summary } = props;
	const box = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | undefined>(undefined);
	const data = [times, ...lines.map((line) => line.values)] as uPlot.AlignedData;
	const latest = useRef({ data, props });
	latest.current = { data, props };

	useEffect(() => {
		const element = box.current!;
		const draw = () => {
			plot.current?.destroy();
			plot.current = new uPlot(options(latest.current.props,
				element.clientWidth, element.clientHeight), latest.current.data, element);
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
	useEffect(() => plot.current?.setData(data), [times]);

	return (
		<figure>
			<figcaption class="legend small">
				{lines.map((line) => (
					<span key={line.label}>
						<i class={line.dashed ? "dashed" :
							line.dotted ? "dotted" : ""}
							style={{ borderTopColor: `var(--${line.colour})` }} />
						{line.label} <b>{line.now}</b>
					</span>
				))}
			</figcaption>
			<div class="chart" ref={box} role="img" aria-label={summary} />
		</figure>
	);
}
