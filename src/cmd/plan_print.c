#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "base/clock.h"
#include "base/mem.h"
#include "provision/advice.h"
#include "spa/portal.h"

#define WIDTH 80
#define LAST_MAX 24 /* what other columns leave to the last, at least */
#define LABELS_MAX (64UL * 1024)

/* ---------------------------------------------------------------- tables */

static struct libscols_table *
new_table(const char *const *titles, size_t count)
{
	struct libscols_table *table = scols_new_table();
	bool ok = table != NULL;

	/* The same wherever it goes: people paste it into letters. */
	if (ok) {
		(void)scols_table_set_termwidth(table, WIDTH);
		(void)scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	}
	for (size_t i = 0; ok && i < count; i++) {
		bool right = strcmp(titles[i], "DEVICES") == 0;
		struct libscols_column *column = scols_table_new_column(table,
		    titles[i], 0,
		    (right ? SCOLS_FL_RIGHT : 0) |
			(i + 1 == count ? SCOLS_FL_WRAP : 0));

		/* The last one is wrapped where we put newlines. */
		ok = column != NULL &&
		    scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
			scols_wrapnl_nextchunk, NULL) == 0 &&
		    scols_column_set_safechars(column, "\n") == 0;
	}
	if (ok)
		return table;
	scols_unref_table(table);
	return NULL;
}

static bool
add_row(struct libscols_table *table, const char *const *cells, size_t count)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	bool ok = line != NULL;

	for (size_t i = 0; ok && i < count; i++)
		ok = scols_line_set_data(line, i, cells[i]) == 0;
	return ok;
}

static int
finish_table(struct libscols_table *table, bool ok, struct error *err)
{
	ok = ok && scols_print_table(table) == 0;
	scols_unref_table(table);
	return ok ? 0 : error_set(err, ERROR_SYSTEM, "cannot print a table");
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A text in lines of at most WIDTH, from the second on indented by hang. */
static void
print_wrapped(const char *lead, const char *text, int hang)
{
	int column = (int)strlen(lead);
	bool first = true;

	(void)fputs(lead, stdout);
	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (!first && column + 1 + len > WIDTH) {
			(void)printf("\n%*s", hang, "");
			column = hang;
		} else if (!first) {
			(void)fputc(' ', stdout);
			column++;
		}
		(void)printf("%.*s", len, text);
		column += len;
		text += len + (text[len] == ' ');
		first = false;
	}
	(void)fputc('\n', stdout);
}

static void
print_head(const char *title)
{
	(void)printf("\n%s\n", title);
}

/* ------------------------------------------------------------- sections */

static int
print_listeners(const struct plan *plan, struct error *err)
{
	static const char *const titles[] = { "LISTENER", "ADDRESS", "TLS",
		"DEVICES", "CERTIFICATE" };
	struct libscols_table *table = new_table(titles, COUNT(titles));
	bool ok = table != NULL;

	print_head("Listeners");
	for (size_t i = 0; ok && i < plan->listener_count; i++) {
		const struct plan_listener *one = &plan->listeners[i];
		char *supply = plan_supply_words(one);
		char address[32], devices[24];
		const char *const cells[] = { one->name, address,
			one->legacy ? "1.0 up" : "1.2 up", devices, supply };

		(void)snprintf(address, sizeof(address), "%s:%u", one->address,
		    one->port);
		(void)snprintf(devices, sizeof(devices), "%llu",
		    (unsigned long long)one->devices);
		ok = add_row(table, cells, COUNT(cells));
		free(supply);
	}
	return finish_table(table, ok, err);
}

static const char *
basis_of(const struct plan_assignment *assignment)
{
	return assignment->claim != NULL ?
	    basis_name(assignment->claim->basis) :
	    "-";
}

/* Versions with commas, a few on a line; what is too long is cut. */
static void
add_version(struct buf *versions, const struct plan_group *group,
    size_t *line_start)
{
	const char *text = group->has_firmware ? group->firmware.text :
						 "not known";
	bool fits = versions->len - *line_start + strlen(text) + 3 <= LAST_MAX;
	int rc = 0;

	if (versions->len > 0)
		rc = buf_append_text(versions, fits ? ", " : ",\n");
	if (!fits)
		*line_start = versions->len;
	if (rc == 0)
		rc = buf_append_text(versions, text);
	(void)rc;
}

/* One row for all versions of a model that fare alike. */
static bool
add_model_row(struct libscols_table *table, const struct plan *plan,
    size_t first, bool new_listener, bool *done)
{
	const struct plan_assignment *one = &plan->assignments[first];
	const char *name = plan->listeners[one->listener].name;
	char devices[24];
	size_t line_start = 0;
	uint64_t count = 0;
	struct buf versions;
	bool ok;

	buf_init(&versions, LABELS_MAX);
	for (size_t i = first; i < plan->assignment_count; i++) {
		const struct plan_assignment *other = &plan->assignments[i];

		if (other->listener != one->listener ||
		    other->group->model != one->group->model ||
		    strcmp(basis_of(other), basis_of(one)) != 0)
			continue;
		done[i] = true;
		count += other->group->count;
		add_version(&versions, other->group, &line_start);
	}
	(void)snprintf(devices, sizeof(devices), "%llu",
	    (unsigned long long)count);
	ok = add_row(table,
	    (const char *const[]) { new_listener ? name : "",
		one->group->model->name, devices, basis_of(one),
		buf_text(&versions) },
	    5);
	buf_clear(&versions);
	return ok;
}

static int
print_devices(const struct plan *plan, struct error *err)
{
	static const char *const titles[] = { "LISTENER", "MODEL", "DEVICES",
		"BASIS", "FIRMWARE" };
	struct libscols_table *table = new_table(titles, COUNT(titles));
	bool *done = xcalloc(plan->assignment_count, sizeof(*done));
	bool ok = table != NULL;

	print_head("Devices of each listener, and what says that they accept "
		   "it");
	for (size_t l = 0; l < plan->listener_count; l++) {
		bool first = true;

		for (size_t i = 0; ok && i < plan->assignment_count; i++) {
			if (plan->assignments[i].listener != l || done[i])
				continue;
			ok = add_model_row(table, plan, i, first, done);
			first = false;
		}
	}
	free(done);
	return finish_table(table, ok, err);
}

static void
print_dns(const struct plan *plan, const struct plan_options *options)
{
	print_head("DNS names (A records: devices look up no others)");
	for (size_t i = 0; i < plan->listener_count; i++) {
		const struct plan_listener *one = &plan->listeners[i];
		bool seen = false;

		for (size_t j = 0; j < i && !seen; j++)
			seen = strcmp(plan->listeners[j].host, one->host) == 0;
		if (!seen)
			(void)printf("%s. A %s\n", one->host, one->address);
	}
	if (options->address_count == 0)
		print_wrapped("",
		    "192.0.2.x stand for your own addresses: "
		    "--address names them.",
		    0);
	if (options->domain == NULL &&
	    (options->host == NULL || strchr(options->host, '.') == NULL))
		print_wrapped("",
		    "example.net stands for your own domain: "
		    "--domain names it.",
		    0);
}

static int
print_config(const struct plan *plan, const struct plan_options *options,
    struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, PLAN_CONFIG_MAX);
	rc = plan_write_config(plan, options, SIZE_MAX, &text);
	print_head("Listener blocks for sprov.conf");
	(void)fputs(buf_text(&text), stdout);
	buf_clear(&text);
	return rc == 0 ?
	    0 :
	    error_set(err, ERROR_SYSTEM, "the configuration is too long");
}

static void
print_rules(const struct plan *plan)
{
	print_head("Profile rule for the devices of each listener");
	for (size_t i = 0; i < plan->listener_count; i++)
		(void)printf("%s:\n    %s\n", plan->listeners[i].name,
		    plan->listeners[i].rule);
	print_head("One profile rule for the whole fleet");
	if (plan->universal_rule != NULL)
		(void)printf("%s\n", plan->universal_rule);
	else
		print_wrapped("There is none: ", plan->universal_error.text, 0);
}

/* ---------------------------------------------------------------- CSRs */

static void
print_models(const struct plan *plan, size_t listener)
{
	const struct model *last = NULL;
	struct buf list;
	int rc = 0;

	buf_init(&list, LABELS_MAX);
	for (size_t i = 0; rc == 0 && i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];

		if (one->listener != listener || one->group->model == last)
			continue;
		last = one->group->model;
		rc = buf_printf(&list, "%s%s", list.len > 0 ? ", " : "",
		    last->name);
	}
	print_wrapped("    devices: ", buf_text(&list), 13);
	buf_clear(&list);
}

static void
print_csr(const struct plan *plan, size_t index)
{
	const struct plan_listener *one = &plan->listeners[index];
	const struct portal_product *product = portal_find(one->ca->id);

	(void)printf("%s\n    CN=%s, RSA 2048, to be signed with %s\n",
	    one->name, one->host,
	    one->needs_sha1 && one->ca->role == CA_SERVER_CLASS ? "SHA-1" :
								  "SHA-256");
	if (product != NULL) {
		char *command = xasprintf("sprov csr %s --out %s%s --email "
					  "ADDRESS",
		    one->host, one->name, one->needs_san ? " --san" : "");

		print_wrapped("    made by: ", command, 13);
		print_wrapped("    product: ", product->title, 13);
		free(command);
	}
	print_models(plan, index);
	if (one->needs_san)
		print_wrapped("    ",
		    "with a subjectAltName: some of these "
		    "devices want one",
		    4);
}

static void
print_csrs(const struct plan *plan)
{
	bool any = false;

	print_head("CSRs to make");
	for (size_t i = 0; i < plan->listener_count; i++) {
		if (plan->listeners[i].supply != PLAN_SIGNS)
			continue;
		print_csr(plan, i);
		any = true;
	}
	if (!any)
		(void)printf("none\n");
}

/* ------------------------------------------------------------- left out */

static bool
same_way(const struct plan_way *a, const struct plan_way *b)
{
	return a->kind == b->kind && a->ca == b->ca &&
	    a->firmware.part_count == b->firmware.part_count &&
	    (a->firmware.part_count == 0 ||
		firmware_compare(&a->firmware, &b->firmware) == 0);
}

/* Would the same be said of both? */
static bool
same_story(const struct plan_assignment *a, const struct plan_assignment *b,
    const struct plan_options *options)
{
	char *one, *other;
	bool same = a->reason == b->reason && a->ca == b->ca &&
	    a->way_count == b->way_count;

	for (size_t i = 0; same && i < a->way_count; i++)
		same = same_way(&a->ways[i], &b->ways[i]);
	if (!same)
		return false;
	one = plan_reason_text(a, options);
	other = plan_reason_text(b, options);
	same = strcmp(one, other) == 0;
	free(one);
	free(other);
	return same;
}

/* "SPA504G 7.5.2b, 7.5.4; SPA962": all of which the same is said. */
static uint64_t
collect_labels(const struct plan *plan, const struct plan_options *options,
    size_t first, bool *done, struct buf *labels)
{
	const struct plan_assignment *one = &plan->assignments[first];
	const struct model *last = NULL;
	uint64_t count = 0;
	int rc = 0;

	for (size_t i = first; i < plan->assignment_count; i++) {
		const struct plan_assignment *other = &plan->assignments[i];
		const struct plan_group *group = other->group;
		const char *version = group->has_firmware ?
		    group->firmware.text :
		    "of any firmware";

		if (done[i] || other->reason == PLAN_COVERED ||
		    !same_story(one, other, options))
			continue;
		done[i] = true;
		count += group->count;
		if (rc == 0 && group->model == last)
			rc = buf_printf(labels, ", %s", version);
		else if (rc == 0)
			rc = buf_printf(labels, "%s%s %s",
			    last != NULL ? "; " : "", group->model->name,
			    version);
		last = group->model;
	}
	return count;
}

static void
print_story(const struct plan *plan, const struct plan_options *options,
    size_t first, bool *done)
{
	const struct plan_assignment *one = &plan->assignments[first];
	struct buf labels;
	uint64_t count;
	char *text, *why = plan_reason_text(one, options);

	buf_init(&labels, LABELS_MAX);
	count = collect_labels(plan, options, first, done, &labels);
	text = xasprintf("%llu %s: %s: %s", (unsigned long long)count,
	    count == 1 ? "device" : "devices", buf_text(&labels), why);
	print_wrapped("", text, 2);
	free(text);
	free(why);
	buf_clear(&labels);
	for (size_t i = 0; i < one->way_count; i++) {
		text = plan_way_text(one, &one->ways[i]);
		print_wrapped("  - ", text, 4);
		free(text);
	}
}

static void
print_stories(const struct plan *plan, const struct plan_options *options,
    bool left_out, const char *title)
{
	bool *done = xcalloc(plan->assignment_count, sizeof(*done));
	bool any = false;

	for (size_t i = 0; i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];

		if (done[i] || one->reason == PLAN_COVERED ||
		    (one->listener == PLAN_LEFT_OUT) != left_out)
			continue;
		if (!any)
			print_head(title);
		any = true;
		print_story(plan, options, i, done);
	}
	free(done);
}

/* ------------------------------------------------------------------ all */

static void
print_summary(const struct plan *plan, const struct plan_options *options)
{
	char at[CLOCK_TEXT_BYTES];
	char *text;

	clock_format(options->at, at);
	text = xasprintf("As of %.10s: %llu %s of %zu %s; %llu covered by %zu "
			 "%s, %llu left out.",
	    at, (unsigned long long)plan->devices,
	    plan->devices == 1 ? "device" : "devices", plan->assignment_count,
	    plan->assignment_count == 1 ? "kind" : "kinds",
	    (unsigned long long)plan->covered, plan->listener_count,
	    plan->listener_count == 1 ? "CA" : "CAs",
	    (unsigned long long)plan->left_out);
	print_wrapped("", text, 0);
	free(text);
	if (plan->unsupplied == 0)
		return;
	text = xasprintf("Of those covered, %llu need a certificate that "
			 "nobody can get any more, unless you have it: see the "
			 "end.",
	    (unsigned long long)plan->unsupplied);
	print_wrapped("", text, 0);
	free(text);
}

/* After a power cut: what spreads the fleet.  Where nobody asked, only if the
 * factory's values do not. */
static void
print_power_cut(const struct plan *plan, const struct plan_options *options)
{
	struct advice advice;

	if (plan->devices == 0)
		return;
	advice_make(&advice, plan->devices, options->capacity_per_s);
	if (options->capacity_per_s == 0 && advice.factory_suffices)
		return;
	(void)printf("\nAfter a power cut, at %u resyncs a second%s:\n",
	    advice.capacity_per_s,
	    options->capacity_per_s == 0 ? " (--capacity says how many)" : "");
	(void)printf("  Resync_Random_Delay %u (%u s): %.0f devices a second "
		     "instead of %.0f%s\n",
	    advice.random_units, advice.random_s, advice.arrivals_per_s,
	    advice.factory_per_s,
	    advice.factory_suffices ? "; the factory's suffices" : "");
	(void)printf("  Resync_Error_Retry_Delay %s\n", advice.retry);
	(void)printf("  all are provisioned after %u s, if all goes well\n",
	    advice.served_by_s);
}

int
plan_print(const struct plan *plan, const struct plan_options *options,
    struct error *err)
{
	print_summary(plan, options);
	if (plan->listener_count > 0) {
		if (print_listeners(plan, err) != 0 ||
		    print_devices(plan, err) != 0)
			return -1;
		print_dns(plan, options);
		if (print_config(plan, options, err) != 0)
			return -1;
		print_rules(plan);
		print_csrs(plan);
	}
	print_power_cut(plan, options);
	print_stories(plan, options, false,
	    "Covered, but by a certificate "
	    "that cannot be had (--hold says that you have it)");
	print_stories(plan, options, true, "Left out");
	return 0;
}
