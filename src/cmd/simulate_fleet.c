#include "cmd/simulate_fleet.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/simulate.h"
#include "pki/anchors.h"
#include "sim/crowd.h"
#include "sim/hold.h"
#include "spa/schedule.h"
#include "tls/context.h"
#include "tls/memory.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_FIRST 0x7f010001U /* 127.1.0.1 */

static volatile sig_atomic_t stopped;

struct arguments {
	/* As given. */
	const char *fleet, *of, *folder, *models, *digest, *inventory;
	const char *files, *certificates, *expect, *path, *host, *tls, *ciphers;
	const char *rate, *retry, *compress, *plot, *log, *hold, *paths, *save;
	bool setup, storm, plain, json;
	/* As read. */
	uint64_t count, total, concurrency, attempts, duration_s, timeout_ms;
	uint64_t random_units, sources, resume, seed, ca_bits, key_bits, keys;
	uint64_t bytes, hold_rate;
	double rate_per_s, compress_by;
	struct schedule schedule;
	struct addr server;
};

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* ------------------------------------------------------------ arguments */

static int
read_positive(const char *name, const char *text, double *value,
    struct error *err)
{
	char *end;
	double read;

	if (text == NULL)
		return 0;
	read = strtod(text, &end);
	if (end == text || *end != '\0' || !(read > 0) || !isfinite(read) ||
	    read > 1e6)
		return error_set(err, ERROR_INPUT,
		    "--%s \"%.40s\": expected a number above 0, at most a "
		    "million",
		    name, text);
	*value = read;
	return 0;
}

static int
read_schedule(struct arguments *a, struct error *err)
{
	if (schedule_parse(&a->schedule, a->retry, err) != 0)
		return error_prefix(err, "--retry: ");
	if (schedule_has_zero(&a->schedule))
		return error_set(err, ERROR_INPUT,
		    "--retry: 0 means at once to some families and never to "
		    "others; give seconds");
	return 0;
}

static int
check_mode(const struct arguments *a, struct error *err)
{
	int modes = (a->rate != NULL) + a->storm + (a->concurrency > 0) +
	    (a->hold != NULL);

	if (modes != 1)
		return error_set(err, ERROR_INPUT,
		    "how do devices come? one of --concurrency, --rate, "
		    "--storm and --hold is wanted");
	if (a->hold != NULL && a->duration_s == 0)
		return error_set(err, ERROR_INPUT, "--hold needs --duration");
	if (!a->storm && a->hold == NULL && a->attempts == 0 &&
	    a->duration_s == 0)
		return error_set(err, ERROR_INPUT,
		    "until when? --attempts or --duration is wanted");
	return 0;
}

/* ------------------------------------------------------------------ TLS */

static int
tls_version(const char *text, struct error *err)
{
	static const char *const names[] = { "1.0", "1.1", "1.2", "1.3" };

	for (int i = 0; i < 4; i++)
		if (strcmp(text, names[i]) == 0)
			return 0x0301 + i;
	(void)error_set(err, ERROR_INPUT,
	    "--tls \"%.20s\": expected 1.0, 1.1, 1.2 or 1.3", text);
	return -1;
}

/* Old stacks speak without extensions (registry: stacks.tsv), new ones with. */
static struct tls_context *
make_context(const struct arguments *a, const struct anchors *anchors,
    struct error *err)
{
	int version = tls_version(a->tls, err);
	const struct tls_client_options options = {
		.min_version = version,
		.max_version = version,
		.ciphers = a->ciphers != NULL ? a->ciphers : "ALL",
		.extensions = version >= 0x0303,
		.send_sni = true,
		.anchors = anchors,
		.check_time = true,
		.check_sha256 = true,
		.reduced = true,
	};

	return version < 0 ? NULL : tls_context_new_client(&options, err);
}

static struct anchors *
load_anchors(const char *folder, struct error *err)
{
	struct anchors *anchors = anchors_new();
	char *path = xasprintf("%s/server-ca.crt", folder);

	if (anchors_add_file(anchors, path, err) != 0) {
		anchors_free(anchors);
		anchors = NULL;
	}
	free(path);
	return anchors;
}

/* -------------------------------------------------------------- running */

/* Each connection in flight is a descriptor. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void
show_progress(void *arg)
{
	const struct swarm_report *report = arg;

	(void)fprintf(stderr,
	    "\r%6.1f s: %llu attempts, %llu served, %zu devices, %llu open ",
	    (double)report->elapsed_us / 1e6,
	    (unsigned long long)report->started,
	    (unsigned long long)report->outcome[SWARM_SERVED],
	    report->devices_served, (unsigned long long)report->open);
}

static struct swarm_options
swarm_options_of(const struct arguments *a, struct crowd *crowd,
    struct tls_context *tls, struct swarm_report *report)
{
	return (struct swarm_options) {
		.crowd = crowd,
		.server = a->server,
		.tls = tls,
		.host = a->host,
		.path = a->path,
		.save = a->save,
		.show_certificates = true,
		.resume_percent = (unsigned)a->resume,
		.timeout_ms = (unsigned)a->timeout_ms,
		.source_first = SOURCE_FIRST,
		.source_count = (uint32_t)a->sources,
		.arrivals = a->storm ? SWARM_STORM :
		    a->rate != NULL  ? SWARM_OPEN :
				       SWARM_CLOSED,
		.concurrency = (unsigned)a->concurrency,
		.rate = a->rate_per_s,
		.attempts = a->attempts,
		.duration_ms = a->duration_s * 1000,
		.random_ms = a->random_units * SCHEDULE_RANDOM_UNIT_S * 1000,
		.retry = &a->schedule,
		.compress = a->compress_by,
		.seed = a->seed,
		.trace = a->log != NULL,
		.progress = isatty(STDERR_FILENO) ? show_progress : NULL,
		.arg = report,
		.stop = &stopped,
	};
}

static uint64_t
size_of(const char *path)
{
	struct stat st;

	return path != NULL && stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Was everything as it should be? */
static int
status_of(const struct swarm_options *options,
    const struct swarm_report *report, const struct account *account)
{
	bool good = options->arrivals == SWARM_STORM ?
	    report->devices_served == crowd_count(options->crowd) :
	    report->outcome[SWARM_SERVED] == report->started;

	good = good && report->started > 0 &&
	    report->outcome[SWARM_WRONG] == 0 &&
	    (!account->kept ||
		account->served_unlogged + account->logged_unknown == 0);
	return good ? CMD_DONE : CMD_PROBLEM;
}

static int
report_run(const struct arguments *a, const struct swarm_options *options,
    const struct swarm_report *report, uint64_t log_offset)
{
	struct account account = { .kept = false };
	struct error err;

	if (options->progress != NULL)
		(void)fprintf(stderr, "\n");
	if (a->log != NULL &&
	    crowd_account(a->log, log_offset, report, &account, &err) != 0)
		return cmd_fail(&err);
	if (a->json)
		crowd_print_json(options, report, &account);
	else
		crowd_print(options, report, &account);
	if (a->plot != NULL && crowd_plot(a->plot, options, report, &err) != 0)
		return cmd_fail(&err);
	return status_of(options, report, &account);
}

static int
run_swarm(const struct arguments *a, struct crowd *crowd,
    struct tls_context *tls)
{
	struct swarm_report report;
	struct swarm_options options = swarm_options_of(a, crowd, tls, &report);
	uint8_t(*expected)[SWARM_DIGEST_BYTES] = NULL;
	uint64_t log_offset = size_of(a->log);
	struct crowd_paths paths = { NULL, NULL };
	struct error err;
	int rc;

	if (a->save != NULL && file_make_directory(a->save, 0700, &err) != 0)
		return cmd_fail(&err);
	if (a->paths != NULL &&
	    crowd_read_paths(crowd, a->paths, &paths, &err) != 0)
		return cmd_fail(&err);
	options.paths = paths.path;
	if (a->expect != NULL) {
		expected = crowd_read_expected(crowd, a->path, a->expect, &err);
		if (expected == NULL) {
			rc = cmd_fail(&err);
			goto out;
		}
		options.expected = (const uint8_t(*)[SWARM_DIGEST_BYTES])
		    expected;
	}
	if (swarm_run(&options, &report, &err) != 0)
		rc = cmd_fail(&err);
	else
		rc = report_run(a, &options, &report, log_offset);
	swarm_report_clear(&report);
out:
	free(expected);
	free(paths.path);
	free(paths.text);
	return rc;
}

static int
run_hold(const struct arguments *a, struct crowd *crowd,
    struct tls_context *tls)
{
	struct hold_options options = { .crowd = crowd,
		.server = a->server,
		.tls = tls,
		.host = a->host,
		.count = a->count,
		.rate = (double)a->hold_rate,
		.duration_ms = a->duration_s * 1000,
		.source_first = SOURCE_FIRST,
		.source_count = (uint32_t)a->sources,
		.stop = &stopped };
	struct hold_report report;
	struct error err;

	if (hold_kind_parse(a->hold, &options.kind, &err) != 0 ||
	    hold_run(&options, &report, &err) != 0)
		return cmd_fail(&err);
	(void)printf(a->json ?
		"{\"opened\": %zu, \"held\": %zu, \"held_peak\": "
		"%zu, \"closed\": %zu, \"failed\": %zu, "
		"\"first_close_ms\": %llu}\n" :
		"%zu connections opened, %zu held at the end (%zu "
		"at most), %zu closed by the server, %zu failed; "
		"the first was closed after %llu ms\n",
	    report.opened, report.held, report.held_peak, report.closed,
	    report.failed, (unsigned long long)report.first_close_ms);
	return report.held_peak == options.count ? CMD_DONE : CMD_PROBLEM;
}

static int
run_load(struct arguments *a, struct crowd *crowd)
{
	struct anchors *anchors = NULL;
	struct tls_context *tls = NULL;
	struct error err;
	int rc;

	if (!a->plain) {
		anchors = load_anchors(a->folder, &err);
		tls = anchors != NULL ? make_context(a, anchors, &err) : NULL;
		if (tls == NULL) {
			anchors_free(anchors);
			return cmd_fail(&err);
		}
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGTERM, on_signal);
	raise_limit();
	rc = a->hold != NULL ? run_hold(a, crowd, tls) :
			       run_swarm(a, crowd, tls);
	tls_context_free(tls);
	anchors_free(anchors);
	return rc;
}

/* --------------------------------------------------------------- setting up */

static int
set_up(const struct arguments *a, struct error *err)
{
	const struct crowd_recipe recipe = {
		.ca_bits = (unsigned)a->ca_bits,
		.key_bits = (unsigned)a->key_bits,
		.key_count = (unsigned)a->keys,
		.digest = a->digest,
		.mix = a->models,
	};
	struct crowd *crowd;
	int rc;

	if (crowd_create(a->folder, &recipe, err) != 0)
		return -1;
	crowd = crowd_open(a->folder, a->count, 1, err);
	if (crowd == NULL)
		return -1;
	rc = crowd_write_inventory(crowd, a->bytes, err);
	crowd_free(crowd);
	return rc;
}

/* With the fleet: what is to be done with it. */
static int
use(struct arguments *a, struct crowd *crowd)
{
	struct error err;

	if (a->files != NULL) {
		if (a->inventory == NULL) {
			cmd_error("--write-files needs --inventory");
			return CMD_USAGE;
		}
		return crowd_write_files(crowd, a->inventory, a->path, a->files,
			   &err) == 0 ?
		    CMD_DONE :
		    cmd_fail(&err);
	}
	if (a->certificates != NULL)
		return crowd_write_certificates(crowd, a->path, a->certificates,
			   &err) == 0 ?
		    CMD_DONE :
		    cmd_fail(&err);
	return run_load(a, crowd);
}

static bool
is_load(const struct arguments *a)
{
	return !a->setup && a->files == NULL && a->certificates == NULL;
}

static int
run(struct arguments *a, const char *server)
{
	struct error err;
	struct crowd *crowd;
	int rc;

	if (a->folder == NULL) {
		cmd_error("where is the fleet? name its --folder");
		return CMD_USAGE;
	}
	if (read_positive("rate", a->rate, &a->rate_per_s, &err) != 0 ||
	    read_positive("compress", a->compress, &a->compress_by, &err) !=
		0 ||
	    read_schedule(a, &err) != 0 ||
	    (is_load(a) && check_mode(a, &err) != 0) ||
	    (is_load(a) && server == NULL &&
		error_set(&err, ERROR_INPUT,
		    "which server? ADDRESS:PORT is wanted") != 0) ||
	    (is_load(a) && addr_parse(&a->server, server, &err) != 0)) {
		cmd_error("%s", err.text);
		return CMD_USAGE;
	}
	if (a->setup)
		return set_up(a, &err) == 0 ? CMD_DONE : cmd_fail(&err);
	if (a->total < a->count)
		a->total = a->count;
	crowd = crowd_open(a->folder, a->count, a->total / a->count, &err);
	if (crowd == NULL)
		return cmd_fail(&err);
	rc = use(a, crowd);
	crowd_free(crowd);
	return rc;
}

bool
simulate_is_fleet(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--fleet") == 0 ||
		    text_starts(argv[i], "--fleet="))
			return true;
	return false;
}

int
simulate_fleet(int argc, char **argv)
{
	struct arguments a = { .path = CROWD_PATH,
		.host = CROWD_HOST,
		.tls = "1.2",
		.models = "SPA504G",
		.digest = "sha1",
		.retry = SCHEDULE_RETRY_DEFAULT,
		.compress_by = 1,
		.timeout_ms = 10000,
		.random_units = SCHEDULE_RANDOM_UNITS,
		.seed = 1,
		.ca_bits = 1024,
		.key_bits = 1024,
		.keys = 16,
		.bytes = 16384,
		.hold_rate = 2000 };
	const struct {
		const char *name, *value, *help;
		uint64_t min, max, *number;
	} numbers[] = {
		{ "fleet", "N", "how many devices", 1, CROWD_DEVICES_MAX,
		    &a.count },
		{ "of", "TOTAL", "spread them over a fleet of so many", 1,
		    CROWD_DEVICES_MAX, &a.total },
		{ "concurrency", "N", "closed loop: so many at once", 1, 100000,
		    &a.concurrency },
		{ "attempts", "N", "end after so many", 1, 1000000000,
		    &a.attempts },
		{ "duration", "S", "end after so many seconds", 1, 86400,
		    &a.duration_s },
		{ "timeout-ms", "MS", "a device gives up after that (10000)",
		    10, 600000, &a.timeout_ms },
		{ "random-delay", "N", "Resync_Random_Delay, units of 20 s (2)",
		    0, 65535, &a.random_units },
		{ "sources", "N", "source addresses from 127.1.0.1 on", 1,
		    65535, &a.sources },
		{ "resume", "%", "so many offer their last session", 0, 100,
		    &a.resume },
		{ "seed", "N", "of random numbers (1)", 0, UINT64_MAX,
		    &a.seed },
		{ "hold-rate", "N", "opened per second (2000)", 1, 100000,
		    &a.hold_rate },
		{ "bytes", "N", "with --setup: size of profiles (16384)", 512,
		    200000, &a.bytes },
		{ "ca-bits", "N", "with --setup: key of the devices' CA (1024)",
		    1024, 4096, &a.ca_bits },
		{ "key-bits", "N", "with --setup: keys of devices (1024)", 1024,
		    4096, &a.key_bits },
	};
	const struct cmd_option words[] = {
		{ .name = "folder",
		    .value = "DIR",
		    .text = &a.folder,
		    .help = "where the fleet's keys are" },
		{ .name = "setup",
		    .flag = &a.setup,
		    .help = "make the folder, devices.csv and a template" },
		{ .name = "models",
		    .value = "MIX",
		    .text = &a.models,
		    .help = "with --setup: SPA504G:60,SPA112:40" },
		{ .name = "write-files",
		    .value = "DIR",
		    .text = &a.files,
		    .help = "render each profile there, from --inventory" },
		{ .name = "inventory",
		    .value = "URI",
		    .text = &a.inventory,
		    .help = "sqlite:PATH" },
		{ .name = "write-certificates",
		    .value = "DIR",
		    .text = &a.certificates,
		    .help = "for another load generator" },
		{ .name = "expect",
		    .value = "DIR",
		    .text = &a.expect,
		    .help = "what each has to get, of --write-files" },
		{ .name = "path",
		    .value = "PATTERN",
		    .text = &a.path,
		    .help = "what is asked for (" CROWD_PATH ")" },
		{ .name = "paths",
		    .value = "FILE",
		    .text = &a.paths,
		    .help = "instead, a line for each device" },
		{ .name = "save",
		    .value = "DIR",
		    .text = &a.save,
		    .help = "keep what each device got, as it came" },
		{ .name = "tls",
		    .value = "VERSION",
		    .text = &a.tls,
		    .help = "1.0 to 1.3 (1.2)" },
		{ .name = "ciphers",
		    .value = "LIST",
		    .text = &a.ciphers,
		    .help = "OpenSSL's names, up to TLS 1.2" },
		{ .name = "plain",
		    .flag = &a.plain,
		    .help = "HTTP without TLS" },
		{ .name = "rate",
		    .value = "R",
		    .text = &a.rate,
		    .help = "open loop: so many a second" },
		{ .name = "storm",
		    .flag = &a.storm,
		    .help = "all power up at once, and try until served" },
		{ .name = "retry",
		    .value = "LIST",
		    .text = &a.retry,
		    .help = "Resync_Error_Retry_Delay (3600)" },
		{ .name = "compress",
		    .value = "F",
		    .text = &a.compress,
		    .help = "retry delays so many times shorter" },
		{ .name = "hold",
		    .value = "KIND",
		    .text = &a.hold,
		    .help = "only hold connections: tcp, hello or tls" },
		{ .name = "server-log",
		    .value = "FILE",
		    .text = &a.log,
		    .help = "account for each connection with it" },
		{ .name = "plot",
		    .value = "FILE",
		    .text = &a.plot,
		    .help = "draw the run, as SVG" },
		{ .name = "json",
		    .letter = 'j',
		    .flag = &a.json,
		    .help = "print the result as JSON" },
	};
	enum {
		NUMBERS = sizeof(numbers) / sizeof(*numbers),
		WORDS = sizeof(words) / sizeof(*words)
	};
	struct cmd_option options[NUMBERS + WORDS];
	const char *texts[NUMBERS] = { NULL };
	const struct cmd_syntax syntax = {
		.name = "sprov simulate --fleet",
		.operands = "[ADDRESS:PORT]",
		.operands_max = 1,
		.help = "Be a whole fleet: load a server, or let a storm come "
			"over it.\nSee sprov-simulate(1).\n",
		.options = options,
		.option_count = NUMBERS + WORDS,
	};
	int first, rc;

	for (size_t i = 0; i < NUMBERS; i++)
		options[i] = (struct cmd_option) { .name = numbers[i].name,
			.value = numbers[i].value,
			.help = numbers[i].help,
			.text = &texts[i] };
	memcpy(options + NUMBERS, words, sizeof(words));
	rc = cmd_options(&syntax, argc, argv, &first);
	for (size_t i = 0; rc < 0 && i < NUMBERS; i++)
		rc = cmd_number(&syntax, numbers[i].name, texts[i],
		    numbers[i].min, numbers[i].max, numbers[i].number);
	if (rc >= 0)
		return rc;
	tls_memory_use_pool(); /* a seventh of its time was malloc's */
	return run(&a, first < argc ? argv[first] : NULL);
}
