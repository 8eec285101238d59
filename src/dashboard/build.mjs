// build.mjs DIST: the dashboard's pages, ready to be built into the program.
//
// One script, one style sheet, one page and an icon; nothing is loaded from
// elsewhere.  What all of it weighs, compressed as it is served, has a limit.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT = 60 * 1024; // bytes, gzipped
const here = fileURLToPath(new URL(".", import.meta.url));
const dist = process.argv[2];

if (dist === undefined) {
	console.error("usage: node build.mjs DIST");
	process.exit(2);
}
await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await build({
	absWorkingDir: here,
	entryPoints: { main: "app/main.tsx" },
	outdir: dist,
	bundle: true,
	minify: true,
	format: "iife",
	target: ["es2021", "chrome111", "firefox121", "safari17.5"],
	jsx: "automatic",
	jsxImportSource: "preact",
	legalComments: "none",
	logLevel: "warning",
});
for (const name of ["index.html", "icon.svg"])
	await copyFile(join(here, "app", name), join(dist, name));

let total = 0;
for (const name of await readdir(dist))
	total += gzipSync(await readFile(join(dist, name)), { level: 9 }).length;
const kilobytes = (total / 1024).toFixed(1);
if (total > LIMIT) {
	console.error(`dashboard: ${kilobytes} KB gzipped; at most ` +
		`${LIMIT / 1024} KB are wanted`);
	await rm(dist, { recursive: true, force: true });
	process.exit(1);
}
console.log(`dashboard: ${kilobytes} KB gzipped`);
