// Signs, drawn with one pen on a grid of 16.  They stand beside words, so they
// say nothing to a screen reader.
const PATHS = {
	overview: "M2 13V8h3v5zM6.5 13V3h3v10zM11 13V6h3v7z",
	devices: "M4 2h8v12H4zM6.5 4.5h3M7 11h2",
	trust: "M8 1.5l5.5 2v4c0 3.3-2.3 5.7-5.5 7-3.2-1.3-5.5-3.7-5.5-7v-4zM5.5 8l1.8 1.8L10.5 6.3",
	plan: "M2.5 3h6M2.5 8h11M2.5 13h8M11 1.5v3M6 6.5v3M12.5 11.5v3",
	certificates: "M2 2.5h12v8H8M2 2.5v8h2M5 5.5h6M6 9.5a2 2 0 1 0 .01 0M4.8 11.5l-.3 3 1.5-.9 1.5.9-.3-3",
	live: "M1.5 8H4l2-5 3.5 10.5L12 8h2.5",
	doctor: "M8 3v10M3 8h10M8 1.5a6.5 6.5 0 1 0 .01 0",
	migration: "M2 5h9M8.5 2.5L11 5 8.5 7.5M14 11H5M7.5 8.5L5 11l2.5 2.5",
	audit: "M3.5 1.5h6l3 3v10h-9zM9 1.5V5h3.5M5.5 8h5M5.5 11h5",
	good: "M2.5 8.5l3.5 3.5 7.5-8",
	bad: "M4 4l8 8M12 4l-8 8",
	warn: "M8 2l6.5 11.5h-13zM8 6.5v3M8 11.3v.7",
	never: "M8 2a6 6 0 1 0 .01 0M3.8 12.2l8.4-8.4",
	retired: "M2 3h12v3H2zM3 6v7.5h10V6M6.5 9h3",
	clock: "M8 1.8a6.2 6.2 0 1 0 .01 0M8 4.5V8l2.5 1.5",
	info: "M8 1.8a6.2 6.2 0 1 0 .01 0M8 7v4.5M8 4.5v.8",
	search: "M7 2a5 5 0 1 0 .01 0M10.6 10.6L14 14",
	menu: "M2 4h12M2 8h12M2 12h12",
	close: "M3 3l10 10M13 3L3 13",
	pause: "M5 3v10M11 3v10",
	play: "M4 2.5l9 5.5-9 5.5z",
	next: "M6 3l5 5-5 5",
	previous: "M10 3L5 8l5 5",
	light: "M8 5a3 3 0 1 0 .01 0M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M3 13l1.1-1.1M11.9 4.1L13 3",
	dark: "M13.5 9.5A6 6 0 1 1 6.5 2.5a5 5 0 0 0 7 7z",
	auto: "M8 2a6 6 0 1 0 .01 0M8 2v12",
	leave: "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6",
	empty: "M2 9l2-6h8l2 6v4.5H2zM2 9h3.5l1 2h3l1-2H14",
	key: "M5.5 7a3.5 3.5 0 1 0 3.3 4.7M8.3 8.3L14 2.5M11.5 5l2 2",
	same: "M3 6h10M3 10h10",
	refresh: "M13.5 8A5.5 5.5 0 1 1 11.8 4M13.5 1.5V5H10",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
	return (
		<svg width={size} height={size} viewBox="0 0 16 16" fill="none"
			stroke="currentColor" stroke-width="1.6" stroke-linecap="round"
			stroke-linejoin="round" aria-hidden="true" focusable="false">
			<path d={PATHS[name]} />
		</svg>
	);
}
