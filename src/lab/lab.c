#include "lab/lab.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "lab/daemon.h"
#include "lab/parallel.h"
#include "lab/pki.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 4

/* What the stages hand on to one another. */
struct lab {
	const struct lab_options *options;
	struct lab_report *report;
	struct lab_pki *pki;
	struct lab_daemon daemon;
	const char *stage;
	time_t now;
	size_t *columns; /* indices of the CAs that have a listener */
	size_t column_count;
};

/* --------------------------------------------------------- the network */

static size_t
resolve(void *arg, const char *host, struct addr *list, size_t max)
{
	struct error ignored;

	(void)arg;
	if (max == 0 || !text_ends(host, "." LAB_DOMAIN) ||
	    addr_parse_host(&list[0], "127.0.0.1", 0, &ignored) != 0)
		return 0;
	return 1;
}

const struct sim_network lab_network = {
	.resolve = resolve,
	.timeout_ms = 30000,
};

/* ----------------------------------------------------------- progress */

static void
tick(void *arg, size_t done, size_t total)
{
	const struct lab *lab = arg;

	if (lab->options->progress != NULL)
		lab->options->progress(lab->options->progress_arg, lab->stage,
		    done, total);
}

static void
begin_stage(struct lab *lab, const char *stage)
{
	lab->stage = stage;
	tick(lab, 0, 0);
}

/* ---------------------------------------------------- every pair at once */

static bool
matches(enum lab_expectation expected, enum sim_outcome outcome)
{
	switch (expected) {
	case LAB_ACCEPTS:
		return outcome == SIM_PROVISIONED;
	case LAB_REFUSES:
	case LAB_UNKNOWN:
	case LAB_EXPIRED:
	case LAB_DIGEST:
		return outcome == SIM_UNTRUSTED;
	case LAB_NAME:
		return outcome == SIM_WRONG_NAME;
	}
	return false;
}

static void
try_pair(void *arg, size_t index)
{
	struct lab *lab = arg;
	struct lab_report *report = lab->report;
	size_t d = index / lab->column_count;
	size_t c = lab->columns[index % lab->column_count];
	const struct ca *ca = &registry_cas[c];
	const struct lab_device *device = &report->fleet->devices[d];
	struct lab_cell *cell = &report->cells[d * registry_ca_count + c];
	char host[128];
	struct addr address;
	struct sim_result result;
	struct error ignored;

	(void)snprintf(host, sizeof(host), "%s." LAB_DOMAIN, ca->id);
	if (addr_parse_host(&address, "127.0.0.1", report->port[c], &ignored) !=
	    0)
		return; /* cannot be: the address is a constant */
	sim_handshake(device->sim, host, &address, &lab_network, &result);
	cell->expected = lab_expect(device, ca, lab->now);
	cell->outcome = result.outcome;
	cell->alert = result.alert_sent;
	cell->as_expected = matches(cell->expected, cell->outcome);
	sim_result_clear(&result);
}

static void
try_all_pairs(struct lab *lab)
{
	struct lab_report *report = lab->report;
	const struct parallel pairs = {
		.count = report->fleet->count * lab->column_count,
		.work = try_pair,
		.progress = tick,
		.arg = lab,
	};

	begin_stage(lab, "every device before every listener");
	parallel_run(&pairs, THREADS);
	report->handshakes = pairs.count;
	for (size_t i = 0; i < pairs.count; i++)
		report->handshakes_as_expected +=
		    report
			->cells[i / lab->column_count * registry_ca_count +
			    lab->columns[i % lab->column_count]]
			.as_expected;
}

/* ------------------------------------------------ every device its profile */

static void
try_resync(void *arg, size_t index)
{
	struct lab *lab = arg;
	const struct lab_device *device = &lab->report->fleet->devices[index];
	struct lab_resync *resync = &lab->report->resyncs[index];
	struct sim_result result;

	resync->outcome = SIM_NO_RULE;
	if (device->rule == NULL)
		return;
	sim_resync(device->sim, device->rule, &lab_network, &result);
	resync->outcome = result.outcome;
	resync->tls_version = result.tls_version;
	(void)snprintf(resync->cipher, sizeof(resync->cipher), "%s",
	    result.cipher);
	(void)snprintf(resync->reason, sizeof(resync->reason), "%s",
	    result.reason);
	resync->same_bytes = result.body != NULL &&
	    result.body_len == strlen(device->profile) &&
	    memcmp(result.body, device->profile, result.body_len) == 0;
	sim_result_clear(&result);
}

static void
count_resyncs(struct lab_report *report)
{
	const struct lab_fleet *fleet = report->fleet;

	for (size_t m = 0; m < registry_model_count; m++) {
		bool has_ca = false, provisioned = true;

		for (size_t i = 0; i < fleet->count; i++) {
			if (fleet->devices[i].model != &registry_models[m] ||
			    fleet->devices[i].ca == NULL)
				continue;
			has_ca = true;
			report->devices_with_ca++;
			report->devices_provisioned +=
			    report->resyncs[i].same_bytes;
			provisioned &= report->resyncs[i].same_bytes;
		}
		report->model_count++;
		report->models_with_ca += has_ca;
		report->models_provisioned += has_ca && provisioned;
	}
}

static void
try_all_resyncs(struct lab *lab)
{
	const struct parallel resyncs = {
		.count = lab->report->fleet->count,
		.work = try_resync,
		.progress = tick,
		.arg = lab,
	};

	begin_stage(lab, "every device by its profile rule");
	parallel_run(&resyncs, THREADS);
	count_resyncs(lab->report);
}

/* ------------------------------------------------------------- set up */

static int
write_templates(const char *directory, struct error *err)
{
	char *own = xasprintf("%s/templates/device.xml", directory);
	char *common = xasprintf("%s/templates/common.xml", directory);
	int rc;

	rc = file_create(own, 0644, lab_template, strlen(lab_template), err);
	if (rc == 0)
		rc = file_create(common, 0644, lab_common_template,
		    strlen(lab_common_template), err);
	free(common);
	free(own);
	return rc;
}

static void
find_columns(struct lab *lab)
{
	lab->columns = xcalloc(registry_ca_count, sizeof(*lab->columns));
	for (size_t i = 0; i < registry_ca_count; i++)
		if (lab->report->port[i] != 0)
			lab->columns[lab->column_count++] = i;
}

static int
set_up(struct lab *lab, struct error *err)
{
	struct lab_report *report = lab->report;
	char *uri;
	int rc;

	begin_stage(lab, "making keys and certificates");
	lab->pki = lab_pki_new(lab->now, tick, lab, err);
	if (lab->pki == NULL ||
	    lab_pki_write_servers(lab->pki, report->directory, err) != 0 ||
	    lab_daemon_configure(&lab->daemon, report->directory,
		lab->options->keep, err) != 0 ||
	    write_templates(report->directory, err) != 0 ||
	    (lab->options->keep &&
		lab_daemon_add_account(report->directory, report->admin_code,
		    err) != 0))
		return -1;
	report->admin_port = lab->daemon.admin_port;
	report->port = xcalloc(registry_ca_count, sizeof(*report->port));
	memcpy(report->port, lab->daemon.port,
	    registry_ca_count * sizeof(*report->port));
	find_columns(lab);
	begin_stage(lab, "making devices");
	report->fleet = lab_fleet_new(lab->pki, report->directory, err);
	if (report->fleet == NULL)
		return -1;
	lab_fleet_assign(report->fleet, report->port, lab->now);
	uri = xasprintf("sqlite:%s/inventory.db", report->directory);
	rc = lab_fleet_write(report->fleet, report->directory, uri, err);
	free(uri);
	report->cells = xcalloc(report->fleet->count * registry_ca_count,
	    sizeof(*report->cells));
	report->resyncs = xcalloc(report->fleet->count,
	    sizeof(*report->resyncs));
	return rc;
}

/* -------------------------------------------------------- the directory */

static bool
is_empty(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool empty = folder != NULL;

	while (empty && (entry = readdir(folder)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0;
	if (folder != NULL)
		(void)closedir(folder);
	return empty;
}

static char *
make_directory(const char *wanted, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	char *path, *absolute;

	if (wanted == NULL) {
		path = xasprintf("%s/sprov-lab-XXXXXX",
		    tmp != NULL && *tmp == '/' ? tmp : "/tmp");
		if (mkdtemp(path) != NULL)
			return path;
		(void)error_errno(err, "%s", path);
		free(path);
		return NULL;
	}
	if (file_make_directory(wanted, 0755, err) != 0)
		return NULL;
	absolute = realpath(wanted, NULL);
	if (absolute == NULL)
		(void)error_errno(err, "%s", wanted);
	else if (!is_empty(absolute)) {
		(void)error_set(err, ERROR_INPUT,
		    "%s is not empty: name a new folder", wanted);
		free(absolute);
		absolute = NULL;
	}
	return absolute;
}

/* Everything in it is ours: it was empty when we began. */
static void
remove_directory(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char *inner;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		inner = xasprintf("%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR)
			remove_directory(inner);
		else
			(void)unlink(inner);
		free(inner);
	}
	if (folder != NULL)
		(void)closedir(folder);
	(void)rmdir(path);
}

/* ----------------------------------------------------------------- run */

static int
try_everything(struct lab *lab, struct error *err)
{
	struct lab_report *report = lab->report;

	begin_stage(lab, "starting the server");
	if (lab_daemon_start(&lab->daemon, report->directory, err) != 0)
		return -1;
	report->server_pid = lab->daemon.pid;
	try_all_pairs(lab);
	try_all_resyncs(lab);
	begin_stage(lab, "what must fail");
	if (lab_refusals_run(lab->pki, report->fleet, report->directory,
		lab->daemon.log_path, &report->refusals, &report->refusal_count,
		err) != 0)
		return -1;
	for (size_t i = 0; i < report->refusal_count; i++)
		report->refusals_as_expected += report->refusals[i].as_expected;
	if (lab->options->keep) {
		report->orderly_stop = true;
		return 0;
	}
	begin_stage(lab, "stopping the server");
	report->orderly_stop = lab_daemon_stop(&lab->daemon, err) == 0;
	report->server_pid = 0;
	return 0;
}

static void
sum_up(struct lab_report *report)
{
	report->passed = report->orderly_stop &&
	    report->handshakes_as_expected == report->handshakes &&
	    report->devices_provisioned == report->devices_with_ca &&
	    report->models_provisioned == report->models_with_ca &&
	    report->refusal_count > 0 &&
	    report->refusals_as_expected == report->refusal_count;
}

int
lab_run(const struct lab_options *options, struct lab_report *report,
    struct error *err)
{
	struct lab lab = {
		.options = options, .report = report, .now = clock_wall()
	};
	uint64_t started_ms = clock_monotonic_ms();
	struct error ignored;
	int rc;

	*report = (struct lab_report) { 0 };
	/* A server that closes on us shows as an error of write(). */
	(void)signal(SIGPIPE, SIG_IGN);
	report->directory = make_directory(options->directory, err);
	if (report->directory == NULL)
		return -1;
	rc = set_up(&lab, err);
	if (rc == 0)
		rc = try_everything(&lab, err);
	if (rc != 0 && lab_daemon_stop(&lab.daemon, &ignored) != 0)
		report->orderly_stop = false; /* the first error counts */
	report->seconds = (double)(clock_monotonic_ms() - started_ms) / 1000;
	sum_up(report);
	if (rc == 0 && report->passed && !options->keep &&
	    options->directory == NULL)
		remove_directory(report->directory);
	lab_daemon_clear(&lab.daemon);
	lab_pki_free(lab.pki);
	free(lab.columns);
	return rc;
}

void
lab_report_clear(struct lab_report *report)
{
	lab_fleet_free(report->fleet);
	free(report->directory);
	free(report->port);
	free(report->cells);
	free(report->resyncs);
	free(report->refusals);
	*report = (struct lab_report) { 0 };
}
