// test.mjs: node --test over app/lib, bundled as the pages are.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const made = await mkdtemp(join(tmpdir(), "sprov-dashboard-"));
let status = 1;
try {
	const tests = (await readdir(join(here, "test")))
		.filter((name) => name.endsWith(".test.mjs"));
	await build({
		absWorkingDir: here,
		entryPoints: tests.map((name) => "test/" + name),
		outdir: made,
		outExtension: { ".js": ".mjs" },
		bundle: true,
		format: "esm",
		platform: "node",
		target: "node18",
		jsx: "automatic",
		jsxImportSource: "preact",
		logLevel: "warning",
	});
	const run = spawnSync(process.execPath,
		["--test", ...tests.map((name) => join(made, name))],
		{ stdio: "inherit" });
	status = run.status ?? 1;
} finally {
	await rm(made, { recursive: true, force: true });
}
process.exit(status);
