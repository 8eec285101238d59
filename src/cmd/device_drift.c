/*
 * What devices have that they were not served, by what they last reported.
 */
#include "cmd/device_common.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/documents_site.h"
#include "cmd/print.h"
#include "inventory/snapshot.h"
#include "provision/drift.h"
#include "provision/fields.h"
#include "provision/render.h"
#include "spa/flat_profile.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define DAY_SECONDS 86400
#define OLD_DAYS_MAX 36500

struct drift {
	const struct documents_site *site;
	const char *group, *model; /* NULL: all */
	bool json, secrets, is_one;
	time_t now, old_s; /* a report is old after so many seconds; 0: never */
	struct libscols_table *table;
	struct error err; /* of a device; it is said and the next one comes */
	size_t devices, reported, old, drifted, failed;
	size_t kinds[DRIFT_UNKNOWN + 1]; /* parameters of all devices */
};

/* One device, put together. */
struct subject {
	const struct device *device;
	struct served served;
	struct document report, delta;
	struct flat_profile *full, *changed;
	struct changes changes;
	bool has_report;
	const char *state; /* a word or two */
	size_t kinds[DRIFT_UNKNOWN + 1];
};

static void
subject_clear(struct subject *subject)
{
	changes_clear(&subject->changes);
	served_clear(&subject->served);
	flat_profile_free(subject->full);
	flat_profile_free(subject->changed);
}

static time_t
reported_at(const struct subject *subject)
{
	return subject->changed != NULL &&
		subject->delta.at > subject->report.at ?
	    subject->delta.at :
	    subject->report.at;
}

static const char *
state_of(const struct drift *drift, const struct subject *subject)
{
	if (!subject->has_report)
		return "no report";
	if (subject->served.knowledge == SERVED_NEVER)
		return "never served";
	if (subject->served.profile == NULL)
		return "not comparable";
	if (subject->changes.count > 0)
		return "drift";
	return drift->old_s > 0 &&
		reported_at(subject) + drift->old_s < drift->now ?
	    "report is old" :
	    "same";
}

static int
load(const struct drift *drift, struct subject *subject, struct error *err)
{
	const struct mac *mac = &subject->device->mac;
	struct drift_input input;

	if (report_find(drift->site, mac, DOCUMENT_REPORT, &subject->report,
		&subject->full, err) < 0 ||
	    report_find(drift->site, mac, DOCUMENT_DELTA, &subject->delta,
		&subject->changed, err) < 0)
		return -1;
	subject->has_report = subject->full != NULL || subject->changed != NULL;
	if (!subject->has_report)
		return 0;
	if (served_find(drift->site, subject->device, &subject->served, err) !=
	    0)
		return -1;
	if (subject->served.profile == NULL)
		return 0;
	input = (struct drift_input) { subject->served.profile,
		subject->served.document.at, subject->full, subject->report.at,
		subject->changed, subject->delta.at };
	changes_drift(&input, &subject->changes);
	for (size_t i = 0; i < subject->changes.count; i++)
		subject->kinds[subject->changes.list[i].kind]++;
	return 0;
}

static const char *
shown(const struct change *change, const char *value, bool secrets)
{
	return change->is_secret && !secrets && *value != '\0' ? RENDER_MASK :
								 value;
}

static void
print_value(const char *label, const struct change *change, const char *value,
    bool secrets)
{
	if (value == NULL)
		return;
	(void)printf("      %-9s ", label);
	documents_print_value(shown(change, value, secrets));
	(void)putchar('\n');
}

static void
print_change(const struct change *change, bool secrets)
{
	bool colour = documents_use_colour();

	(void)printf("  %s%s%s%s%s: %s%s%s\n", colour ? "\033[1m" : "",
	    change->path, *change->path != '\0' ? "/" : "", change->name,
	    colour ? "\033[0m" : "", change_kind_name(change->kind),
	    *change->why != '\0' ? ": " : "", change->why);
	print_value("served", change, change->old_value, secrets);
	print_value("reported", change, change->new_value, secrets);
}

static void
print_head(const struct subject *subject)
{
	char mac[MAC_TEXT_BYTES], when[DOCUMENTS_TIME_BYTES];

	mac_format(&subject->device->mac, mac);
	(void)printf("%s %s: %s\n", mac, subject->device->model,
	    subject->state);
	if (subject->full != NULL) {
		documents_time(subject->report.at, when);
		(void)printf("  reported %s, %zu parameters\n", when,
		    subject->report.parameters);
	}
	if (subject->changed != NULL) {
		documents_time(subject->delta.at, when);
		(void)printf("  changes reported %s, %zu parameters\n", when,
		    subject->delta.parameters);
	}
	if (subject->served.knowledge != SERVED_NEVER) {
		documents_time(subject->served.document.at, when);
		(void)printf("  served so since %s by listener %s\n", when,
		    subject->served.document.listener);
	}
}

static void
print_one(const struct drift *drift, const struct subject *subject)
{
	const struct changes *changes = &subject->changes;

	print_head(subject);
	for (size_t i = 0; i < changes->count; i++)
		print_change(&changes->list[i], drift->secrets);
	if (subject->served.profile != NULL)
		(void)printf("  %zu compared, %zu that a report cannot tell, "
			     "%zu never served\n",
		    changes->compared, changes->untold, changes->unserved);
	else if (subject->has_report &&
	    subject->served.knowledge == SERVED_HASH)
		(void)puts("  what it was served is not known: name the "
			   "server's key with\n  --secrets-key, or wait for "
			   "its next resync");
}

static int
add_line(struct drift *drift, const struct subject *subject)
{
	struct libscols_line *line = scols_table_new_line(drift->table, NULL);
	char mac[MAC_TEXT_BYTES], when[DOCUMENTS_TIME_BYTES] = "-";
	char counts[3][24];
	const char *cells[] = { mac, subject->device->model, subject->state,
		counts[0], counts[1], counts[2], when };

	mac_format(&subject->device->mac, mac);
	if (subject->has_report)
		documents_time(reported_at(subject), when);
	for (size_t i = 0; i < 3; i++)
		(void)snprintf(counts[i], sizeof(counts[i]), "%zu",
		    subject->kinds[DRIFT_CHANGED + i]);
	for (size_t i = 0; line != NULL && i < LENGTH(cells); i++)
		if (scols_line_set_data(line, i, cells[i]) != 0)
			line = NULL;
	return line != NULL ? 0 : -1;
}

static json_t *
change_json(const struct change *change, bool secrets)
{
	const char *served = change->old_value, *reported = change->new_value;

	return json_pack("{ss ss ss ss ss? ss? sb}", "path", change->path,
	    "parameter", change->name, "state", change_kind_word(change->kind),
	    "why", change->why, "served",
	    served != NULL ? shown(change, served, secrets) : NULL, "reported",
	    reported != NULL ? shown(change, reported, secrets) : NULL,
	    "secret", change->is_secret);
}

/* An object per line, so that a large fleet is not held in memory. */
static int
write_json(const struct drift *drift, const struct subject *subject)
{
	const struct changes *changes = &subject->changes;
	json_t *list = json_array(), *object;
	char mac[MAC_TEXT_BYTES];
	int rc;

	mac_format(&subject->device->mac, mac);
	for (size_t i = 0; i < changes->count; i++)
		(void)json_array_append_new(list,
		    change_json(&changes->list[i], drift->secrets));
	object = json_pack("{ss ss ss so so so sI sI sI so}", "mac", mac,
	    "model", subject->device->model, "state", subject->state,
	    "reported_at",
	    cmd_json_time(subject->full != NULL ? subject->report.at : 0),
	    "changes_reported_at",
	    cmd_json_time(subject->changed != NULL ? subject->delta.at : 0),
	    "served_since", cmd_json_time(subject->served.document.at),
	    "compared", (json_int_t)changes->compared, "untold",
	    (json_int_t)changes->untold, "unserved",
	    (json_int_t)changes->unserved, "parameters", list);
	(void)fputs(drift->devices > 1 ? ",\n" : "\n", stdout);
	rc = object != NULL ? json_dumpf(object, stdout, 0) : -1;
	json_decref(object);
	return rc;
}

static void
count(struct drift *drift, const struct subject *subject)
{
	drift->reported += subject->has_report;
	drift->drifted += subject->changes.count > 0;
	drift->old += strcmp(subject->state, "report is old") == 0;
	for (size_t i = 0; i < LENGTH(drift->kinds); i++)
		drift->kinds[i] += subject->kinds[i];
}

static int
judge_device(struct drift *drift, const struct device *device)
{
	struct subject subject = { .device = device };
	char mac[MAC_TEXT_BYTES];
	int rc = 0;

	drift->devices++;
	if (load(drift, &subject, &drift->err) != 0) {
		/* One that cannot be rendered is no reason to stop. */
		mac_format(&device->mac, mac);
		cmd_error("%s: %s", mac, drift->err.text);
		drift->failed++;
		drift->devices--;
		subject_clear(&subject);
		return 0;
	}
	subject.state = state_of(drift, &subject);
	count(drift, &subject);
	if (drift->json)
		rc = write_json(drift, &subject);
	else if (drift->is_one)
		print_one(drift, &subject);
	else
		rc = add_line(drift, &subject);
	subject_clear(&subject);
	return rc;
}

/* The list may be long, and the store is read device by device. */
static int
visit(const struct device *device, void *arg)
{
	struct drift *drift = arg;
	const struct device *known;

	if (device->state == DEVICE_RETIRED ||
	    (drift->group != NULL &&
		!snapshot_is_below(drift->site->site.snapshot, device,
		    drift->group)) ||
	    (drift->model != NULL && strcmp(drift->model, device->model) != 0))
		return 0;
	/* The one that its variables are inherited for. */
	known = snapshot_find(drift->site->site.snapshot, &device->mac);
	if (known != NULL && isatty(STDERR_FILENO) && !drift->json &&
	    drift->devices % 1000 == 999)
		(void)fprintf(stderr, "\r%zu devices\r", drift->devices + 1);
	return known != NULL ? judge_device(drift, known) : 0;
}

static struct libscols_table *
new_table(void)
{
	static const char *const titles[] = { "MAC", "MODEL", "STATE",
		"CHANGED", "NOT APPLIED", "UNKNOWN", "REPORTED" };
	struct libscols_table *table = scols_new_table();

	for (size_t i = 0; table != NULL && i < LENGTH(titles); i++)
		if (scols_table_new_column(table, titles[i], 0.1,
			i >= 3 && i <= 5 ? SCOLS_FL_RIGHT : 0) == NULL) {
			scols_unref_table(table);
			table = NULL;
		}
	return table;
}

static void
print_summary(const struct drift *drift)
{
	(void)printf("\n%zu %s: %zu reported, %zu with drift, %zu old reports; "
		     "%zu changed,\n%zu not applied, %zu unknown parameters\n",
	    DEVICES(drift->devices), drift->reported, drift->drifted,
	    drift->old, drift->kinds[DRIFT_CHANGED],
	    drift->kinds[DRIFT_NOT_APPLIED], drift->kinds[DRIFT_UNKNOWN]);
}

static int
judge_fleet(struct drift *drift, const char *uri)
{
	struct inventory *inventory;
	struct error err = { 0 };
	int rc = -1;

	if (drift->group != NULL &&
	    !snapshot_has_group(drift->site->site.snapshot, drift->group)) {
		cmd_error("there is no group \"%.63s\" in the inventory",
		    drift->group);
		return -1;
	}
	inventory = device_open_with(profile_site_uri(&drift->site->site, uri),
	    profile_site_key(&drift->site->site), NULL);
	if (inventory == NULL)
		return -1;
	drift->table = drift->json ? NULL : new_table();
	if (drift->json)
		(void)fputc('[', stdout);
	if (drift->json || drift->table != NULL)
		rc = inventory_each_device(inventory, visit, drift, &err);
	if (drift->json)
		(void)fputs(drift->devices > 0 ? "\n]\n" : "]\n", stdout);
	else if (rc == 0 && drift->devices > 0)
		rc = scols_print_table(drift->table);
	if (rc == 0 && !drift->json)
		print_summary(drift);
	if (rc != 0)
		cmd_error("%s",
		    *err.text != '\0' ? err.text : "cannot print it");
	scols_unref_table(drift->table);
	inventory_close(inventory);
	return rc == 0 ? 0 : -1;
}

static int
judge_one(struct drift *drift, const char *text)
{
	const struct device *device;
	struct error err = { 0 };

	drift->is_one = true;
	device = profile_find_device(&drift->site->site, text, &err);
	if (device == NULL)
		return (int)(cmd_fail(&err), -1);
	if (drift->json)
		(void)fputc('[', stdout);
	if (judge_device(drift, device) != 0)
		return -1;
	if (drift->json)
		(void)fputs("\n]\n", stdout);
	return 0;
}

static int
run(struct drift *drift, const struct documents_site_options *options,
    const char *mac)
{
	struct documents_site site;
	int rc;

	if (documents_site_open(&site, options) != 0)
		return CMD_FAILED;
	/* cppcheck-suppress autoVariables -- until this returns */
	drift->site = &site;
	drift->now = clock_wall();
	rc = mac != NULL ? judge_one(drift, mac) :
			   judge_fleet(drift, options->inventory);
	drift->site = NULL;
	documents_site_close(&site);
	if (rc != 0 || drift->failed > 0)
		return CMD_FAILED;
	return drift->drifted > 0 ? CMD_PROBLEM : CMD_DONE;
}

int
device_drift(int argc, char **argv)
{
	struct documents_site_options site = { NULL, NULL, NULL };
	struct drift drift = { .json = false };
	const char *model = NULL, *days = NULL;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&site.inventory),
		PROFILE_CONFIG_OPTION(&site.config),
		DOCUMENTS_KEY_OPTION(&site.secrets_key),
		{ .name = "group",
		    .letter = 'g',
		    .value = "GROUP",
		    .help = "only those of this group and below it",
		    .text = &drift.group },
		{ .name = "model",
		    .letter = 'm',
		    .value = "MODEL",
		    .help = "only those of this model",
		    .text = &model },
		{ .name = "old",
		    .value = "DAYS",
		    .help = "say so when a report is older",
		    .text = &days },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &drift.json },
		{ .name = "secrets",
		    .help = "with passwords, keys and PINs as they are",
		    .flag = &drift.secrets },
	};
	const struct cmd_syntax syntax = { "sprov device drift", "[MAC]",
		"Compare what a device, or each of them, last reported with "
		"what it was served.\nExit status: 0 no difference, 3 some.\n",
		options, LENGTH(options), 0, 1 };
	char name[INVENTORY_NAME_MAX + 1];
	struct error err = { 0 };
	uint64_t old_days = 0;
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status < 0)
		status = cmd_number(&syntax, "old", days, 1, OLD_DAYS_MAX,
		    &old_days);
	if (status >= 0)
		return status;
	if (model != NULL && fields_check_model(model, name, &err) != 0)
		return cmd_fail(&err);
	drift.model = model != NULL ? name : NULL;
	drift.old_s = (time_t)old_days * DAY_SECONDS;
	return run(&drift, &site, first < argc ? argv[first] : NULL);
}
