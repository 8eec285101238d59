/*
 * The expiry radar: when the certificates of devices end, as far as they were
 * seen, and the anchors above them.
 */
#include "cmd/doctor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/ca_common.h"
#include "cmd/device_common.h"
#include "cmd/print.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "server/config.h"
#include "tls/fingerprint.h"

#define BAR_MAX 30
#define MODELS_MAX 8 /* that a month names */

/* The end of the old manufacturing CA: no MIC below it lives longer [FN72593]. */
#define WALL "2029-05"

struct month {
	char name[8]; /* "2029-05" */
	size_t count;
	size_t model_count;
	struct {
		char product[EVENT_NAME_MAX + 1];
		size_t count;
	} models[MODELS_MAX];
};

struct anchor_use {
	char name[EVENT_TEXT_MAX + 1];
	size_t count; /* of certificates that were seen below it */
};

struct radar {
	struct month *months; /* in order: certificates come by their end */
	size_t month_count;
	struct anchor_use *uses;
	size_t use_count;
	size_t seen, over, soon; /* over: expired; soon: within a year */
	time_t now;
};

static void
count_model(struct month *month, const char *product)
{
	for (size_t i = 0; i < month->model_count; i++)
		if (strcmp(month->models[i].product, product) == 0) {
			month->models[i].count++;
			return;
		}
	if (month->model_count == MODELS_MAX)
		return;
	(void)snprintf(month->models[month->model_count].product,
	    sizeof(month->models->product), "%s", product);
	month->models[month->model_count++].count = 1;
}

/* A few anchors have all devices below them. */
static void
count_use(struct radar *radar, const char *anchor)
{
	size_t i = 0;

	while (i < radar->use_count && strcmp(radar->uses[i].name, anchor) != 0)
		i++;
	if (i == radar->use_count) {
		radar->uses = xrealloc(radar->uses,
		    (i + 1) * sizeof(*radar->uses));
		radar->uses[radar->use_count++] = (struct anchor_use) { "", 0 };
		(void)snprintf(radar->uses[i].name, sizeof(radar->uses[i].name),
		    "%s", anchor);
	}
	radar->uses[i].count++;
}

static size_t
uses_of(const struct radar *radar, const char *anchor)
{
	for (size_t i = 0; i < radar->use_count; i++)
		if (strcmp(radar->uses[i].name, anchor) == 0)
			return radar->uses[i].count;
	return 0;
}

static int
add_certificate(const struct event_certificate *certificate, void *arg)
{
	struct radar *radar = arg;
	char text[CLOCK_TEXT_BYTES];
	struct month *month;

	/* Strangers' may say what they like. */
	if (!certificate->has_mac || *certificate->anchor == '\0' ||
	    certificate->not_after == 0)
		return 0;
	clock_format(certificate->not_after, text);
	month = radar->month_count > 0 ?
	    &radar->months[radar->month_count - 1] :
	    NULL;
	if (month == NULL || strncmp(month->name, text, 7) != 0) {
		radar->months = xrealloc(radar->months,
		    (radar->month_count + 1) * sizeof(*radar->months));
		month = &radar->months[radar->month_count++];
		*month = (struct month) { .count = 0 };
		(void)snprintf(month->name, sizeof(month->name), "%.7s", text);
	}
	month->count++;
	count_model(month, certificate->product);
	count_use(radar, certificate->anchor);
	radar->seen++;
	radar->over += certificate->not_after < radar->now;
	radar->soon += certificate->not_after >= radar->now &&
	    certificate->not_after < radar->now + 365 * 86400;
	return 0;
}

/* ----------------------------------------------------------------- anchors */

struct anchor_end {
	char name[EVENT_TEXT_MAX + 1];
	time_t not_after;
};

static int
by_end(const void *a, const void *b)
{
	const struct anchor_end *one = a, *other = b;

	return one->not_after < other->not_after ? -1 :
	    one->not_after > other->not_after	 ? 1 :
						   strcmp(one->name, other->name);
}

static void
add_anchor(struct anchor_end **list, size_t *count, const X509 *cert)
{
	const struct cert_name_part *part;
	struct anchor_end one = { .not_after = cert_not_after(cert) };
	struct cert_name name;

	cert_subject(cert, &name);
	part = cert_name_find(&name, CERT_COMMON_NAME);
	(void)snprintf(one.name, sizeof(one.name), "%.*s", EVENT_TEXT_MAX,
	    part != NULL ? part->value : "?");
	assert(*list != NULL || *count == 0);
	for (size_t i = 0; i < *count; i++)
		if (by_end(&(*list)[i], &one) == 0)
			return;
	*list = xrealloc(*list, (*count + 1) * sizeof(**list));
	(*list)[(*count)++] = one;
}

/* Of all listeners, each once; what cannot be read is passed over: "sprov serve
 * --check" says why. */
static struct anchor_end *
load_anchors(const struct config *config, size_t *count)
{
	struct anchor_end *list = NULL;
	struct error ignored;

	*count = 0;
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *from = &config->listeners[i];

		for (size_t j = 0; j < from->anchor_path_count; j++) {
			struct anchors *anchors = anchors_new();

			if (anchors_add_file(anchors, from->anchor_paths[j],
				&ignored) == 0 ||
			    anchors_add_directory(anchors,
				from->anchor_paths[j], &ignored) == 0)
				for (size_t k = 0; k < anchors_count(anchors);
				     k++)
					add_anchor(&list, count,
					    anchors_get(anchors, k));
			anchors_free(anchors);
		}
	}
	if (list != NULL)
		qsort(list, *count, sizeof(*list), by_end);
	return list;
}

/* ---------------------------------------------------------------- printing */

static size_t
most(const struct radar *radar)
{
	size_t max = 1;

	for (size_t i = 0; i < radar->month_count; i++)
		if (radar->months[i].count > max)
			max = radar->months[i].count;
	return max;
}

static void
print_month(const struct month *month, size_t max)
{
	size_t bar = (month->count * BAR_MAX + max - 1) / max, column;

	(void)printf("  %s %7zu ", month->name, month->count);
	for (size_t i = 0; i < bar; i++)
		(void)putchar('#');
	column = (size_t)printf("%*s", (int)(BAR_MAX + 1 - bar), "") + 18 + bar;
	for (size_t i = 0; i < month->model_count; i++)
		column = cmd_wrapf(column, 49, "%s %zu",
		    month->models[i].product, month->models[i].count);
	(void)putchar('\n');
}

static void
print_text(const struct radar *radar, const struct anchor_end *anchors,
    size_t anchor_count)
{
	size_t max = most(radar);
	char date[CMD_DATE_BYTES];

	(void)printf("Certificates of devices, by the month in which they "
		     "end:\n\n");
	for (size_t i = 0; i < radar->month_count; i++) {
		if (strcmp(radar->months[i].name, WALL) == 0)
			(void)
			    printf("  ------- the old manufacturing CA ends on "
				   "2029-05-14: no MIC below it lives "
				   "longer\n");
		print_month(&radar->months[i], max);
	}
	(void)printf("\n%zu seen, %zu over, %zu end within a year.\n",
	    radar->seen, radar->over, radar->soon);
	(void)cmd_wrap(0, 0,
	    "A MIC lives ten years at most from its manufacture [FN72593]. "
	    "What was never seen is not in this table.");
	(void)printf("\n\nClient anchors of the listeners, by their end, with "
		     "the "
		     "certificates\nseen below them:\n\n");
	for (size_t i = 0; i < anchor_count; i++) {
		cmd_date(anchors[i].not_after, date);
		(void)printf("  %s %7zu  %s%s\n", date,
		    uses_of(radar, anchors[i].name), anchors[i].name,
		    anchors[i].not_after < radar->now ? "  (over)" : "");
	}
	(void)printf("\nOur own certificates, by devices that depend on them: "
		     "sprov cert status.\n");
}

static int
print_json(const struct radar *radar, const struct anchor_end *anchors,
    size_t anchor_count)
{
	json_t *months = json_array(), *list = json_array();

	for (size_t i = 0; i < radar->month_count; i++) {
		const struct month *month = &radar->months[i];
		json_t *models = json_object();

		for (size_t j = 0; j < month->model_count; j++)
			(void)json_object_set_new(models,
			    month->models[j].product,
			    json_integer((json_int_t)month->models[j].count));
		(void)json_array_append_new(months,
		    json_pack("{ss sI so}", "month", month->name, "devices",
			(json_int_t)month->count, "models", models));
	}
	for (size_t i = 0; i < anchor_count; i++)
		(void)json_array_append_new(list,
		    json_pack("{ss sI so sb}", "name", anchors[i].name,
			"devices", (json_int_t)uses_of(radar, anchors[i].name),
			"not_after", cmd_json_time(anchors[i].not_after),
			"expired", anchors[i].not_after < radar->now));
	return ca_print_json(json_pack("{sI sI sI so so}", "seen",
	    (json_int_t)radar->seen, "expired", (json_int_t)radar->over,
	    "within_a_year", (json_int_t)radar->soon, "months", months,
	    "anchors", list));
}

int
doctor_expiry(struct events *events, const struct config *config, bool json)
{
	struct radar radar = { .now = clock_wall() };
	struct anchor_end *anchors;
	struct error err = { 0 };
	size_t anchor_count;
	int status = CMD_DONE;

	if (events != NULL &&
	    events_each_certificate(events, add_certificate, &radar, &err) !=
		0) {
		free(radar.months);
		free(radar.uses);
		return cmd_fail(&err);
	}
	anchors = load_anchors(config, &anchor_count);
	if (json)
		status = print_json(&radar, anchors, anchor_count);
	else
		print_text(&radar, anchors, anchor_count);
	if (status == CMD_DONE && (radar.over > 0 || radar.soon > 0))
		status = CMD_PROBLEM;
	free(anchors);
	free(radar.months);
	free(radar.uses);
	return status;
}

/* ----------------------------------------------------------------- classes */

struct classes {
	json_t *list; /* NULL: for people */
	uint64_t last;
	size_t count;
};

static int
print_class(const struct event_class *one, void *arg)
{
	struct classes *classes = arg;
	char class[TLS_FINGERPRINT_BYTES], date[CMD_DATE_BYTES];

	tls_fingerprint_format(one->class, class);
	cmd_date(one->last_at, date);
	classes->count++;
	if (classes->list != NULL)
		return json_array_append_new(classes->list,
		    json_pack("{ss ss ss sI so}", "class", class, "product",
			one->product, "firmware", one->firmware, "count",
			(json_int_t)one->count, "last",
			cmd_json_time(one->last_at)));
	if (one->class != classes->last)
		(void)printf("%s%s\n", classes->last != 0 ? "\n" : "", class);
	classes->last = one->class;
	(void)printf("  %-16s %-20s %7llu  last %s\n", one->product,
	    *one->firmware != '\0' ? one->firmware : "-",
	    (unsigned long long)one->count, date);
	return 0;
}

int
doctor_classes(struct events *events, bool json)
{
	struct classes classes = { .list = json ? json_array() : NULL };
	struct error err = { 0 };

	if (events != NULL &&
	    events_each_class(events, 0, print_class, &classes, &err) != 0) {
		json_decref(classes.list);
		return cmd_fail(&err);
	}
	if (json)
		return ca_print_json(json_pack("{so}", "classes",
		    classes.list));
	if (classes.count == 0)
		(void)printf("No class was learned yet.\n");
	return CMD_DONE;
}
