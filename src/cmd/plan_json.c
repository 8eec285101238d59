#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "provision/advice.h"
#include "spa/portal.h"
#include "cmd/print.h"

static json_t *
certificate_json(const struct plan_listener *listener)
{
	const struct plan_certificate *ours = listener->certificate;

	if (ours == NULL)
		return json_null();
	return json_pack("{s:s?, s:s?, s:o}", "path", ours->path, "key",
	    ours->key_path, "not_after", cmd_json_time(ours->not_after));
}

static json_t *
listeners_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->listener_count; i++) {
		const struct plan_listener *one = &plan->listeners[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:b, "
			      "s:I, s:o, "
			      "s:s}",
			"name", one->name, "ca", one->ca->id, "supply",
			plan_supply_name(one->supply), "host", one->host,
			"address", one->address, "port", (int)one->port,
			"machine", (int)one->machine + 1, "tls",
			one->legacy ? "legacy" : "modern", "needs_san",
			(int)one->needs_san, "devices",
			(json_int_t)one->devices, "certificate",
			certificate_json(one), "rule", one->rule));
	}
	return list;
}

static json_t *
ways_json(const struct plan_assignment *assignment)
{
	json_t *list = json_array();

	for (size_t i = 0; i < assignment->way_count; i++) {
		const struct plan_way *way = &assignment->ways[i];
		char *text = plan_way_text(assignment, way);

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:s?, s:s}", "kind",
			plan_way_name(way->kind), "ca",
			way->ca != NULL ? way->ca->id : NULL, "firmware",
			way->firmware.part_count > 0 ? way->firmware.text :
						       NULL,
			"text", text));
		free(text);
	}
	return list;
}

static json_t *
claim_json(const struct claim *claim)
{
	if (claim == NULL)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "ca", claim->ca, "basis",
	    basis_name(claim->basis), "confidence",
	    confidence_name(claim->confidence), "reason", claim->reason,
	    "source", claim->source);
}

static json_t *
groups_json(const struct plan *plan, const struct plan_options *options)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];
		const struct plan_listener *to = one->listener ==
			PLAN_LEFT_OUT ?
		    NULL :
		    &plan->listeners[one->listener];
		char *why = plan_reason_text(one, options);

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:I, s:s?, s:s?, s:o, s:s, s:s, "
			      "s:s?, s:o}",
			"model", one->group->model->name, "firmware",
			one->group->has_firmware ? one->group->firmware.text :
						   NULL,
			"devices", (json_int_t)one->group->count, "listener",
			to != NULL ? to->name : NULL, "rule",
			to != NULL ? to->rule : NULL, "claim",
			to != NULL ? claim_json(one->claim) : json_null(),
			"reason", plan_reason_name(one->reason), "why", why,
			"ca", one->ca != NULL ? one->ca->id : NULL, "ways",
			ways_json(one)));
		free(why);
	}
	return list;
}

static json_t *
dns_json(const struct plan *plan)
{
	json_t *object = json_object();

	for (size_t i = 0; i < plan->listener_count; i++)
		(void)json_object_set_new(object, plan->listeners[i].host,
		    json_string(plan->listeners[i].address));
	return object;
}

static json_t *
models_json(const struct plan *plan, size_t listener)
{
	const struct model *last = NULL;
	json_t *list = json_array();

	for (size_t i = 0; i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];

		if (one->listener != listener || one->group->model == last)
			continue;
		last = one->group->model;
		(void)json_array_append_new(list, json_string(last->name));
	}
	return list;
}

static json_t *
csrs_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->listener_count; i++) {
		const struct plan_listener *one = &plan->listeners[i];
		const struct portal_product *product = portal_find(one->ca->id);

		if (one->supply != PLAN_SIGNS)
			continue;
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s?, s:b, s:o}", "ca", one->ca->id,
			"common_name", one->host, "product",
			product != NULL ? product->title : NULL, "needs_san",
			(int)one->needs_san, "models", models_json(plan, i)));
	}
	return list;
}

static json_t *
power_cut_json(const struct plan *plan, const struct plan_options *options)
{
	struct advice advice;

	advice_make(&advice, plan->devices, options->capacity_per_s);
	return json_pack("{s:i, s:f, s:b, s:i, s:s, s:f, s:i}", "capacity",
	    (int)advice.capacity_per_s, "factory_arrivals",
	    advice.factory_per_s, "factory_suffices",
	    (int)advice.factory_suffices, "Resync_Random_Delay",
	    (int)advice.random_units, "Resync_Error_Retry_Delay", advice.retry,
	    "arrivals", advice.arrivals_per_s, "served_by",
	    (int)advice.served_by_s);
}

int
plan_print_json(const struct plan *plan, const struct plan_options *options,
    struct buf *out)
{
	struct buf config;
	json_t *object;
	char *text;
	int rc;

	buf_init(&config, PLAN_CONFIG_MAX);
	if (plan_write_config(plan, options, SIZE_MAX, &config) != 0) {
		buf_clear(&config);
		return -1;
	}
	object = json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, "
			   "s:s, s:s?, s:s?}",
	    "at", cmd_json_time(options->at), "devices",
	    (json_int_t)plan->devices, "covered", (json_int_t)plan->covered,
	    "left_out", (json_int_t)plan->left_out, "unsupplied",
	    (json_int_t)plan->unsupplied, "listeners", listeners_json(plan),
	    "groups", groups_json(plan, options), "dns", dns_json(plan), "csrs",
	    csrs_json(plan), "config", buf_text(&config), "universal_rule",
	    plan->universal_rule, "universal_rule_error",
	    plan->universal_error.kind != ERROR_NONE ?
		plan->universal_error.text :
		NULL);
	if (object != NULL && plan->devices > 0)
		(void)json_object_set_new(object, "power_cut",
		    power_cut_json(plan, options));
	buf_clear(&config);
	text = object != NULL ? json_dumps(object, JSON_INDENT(1)) : NULL;
	json_decref(object);
	rc = text == NULL ? -1 : buf_printf(out, "%s\n", text);
	free(text);
	return rc;
}

/* ------------------------------------------------------------- a folder */

#define FILES_MAX 80
#define JSON_MAX (256UL * 1024 * 1024)

/* All files are made in memory first: then none of them may be there yet. */
struct folder {
	const char *directory;
	size_t count;
	char *paths[FILES_MAX];
	struct buf texts[FILES_MAX];
};

static struct buf *
add_file(struct folder *folder, const char *name)
{
	struct buf *text = &folder->texts[folder->count];

	buf_init(text, JSON_MAX);
	folder->paths[folder->count++] = file_join(folder->directory, name);
	return text;
}

static int
add_configs(struct folder *folder, const struct plan *plan,
    const struct plan_options *options)
{
	char name[40];
	size_t machines = 0;
	int rc = 0;

	if (options->layout != PLAN_HOSTS)
		return plan_write_config(plan, options, SIZE_MAX,
		    add_file(folder, "listeners.conf"));
	for (size_t i = 0; i < plan->listener_count; i++)
		if (plan->listeners[i].machine >= machines)
			machines = plan->listeners[i].machine + 1;
	for (size_t i = 0; rc == 0 && i < machines; i++) {
		(void)snprintf(name, sizeof(name), "machine-%zu.conf", i + 1);
		rc = plan_write_config(plan, options, i,
		    add_file(folder, name));
	}
	return rc;
}

static int
write_files(struct folder *folder, struct error *err)
{
	for (size_t i = 0; i < folder->count; i++)
		if (access(folder->paths[i], F_OK) == 0)
			return error_set(err, ERROR_INPUT,
			    "%s is there already: name another folder with "
			    "--out",
			    folder->paths[i]);
	if (file_make_directory(folder->directory, 0755, err) != 0)
		return -1;
	for (size_t i = 0; i < folder->count; i++)
		if (file_create(folder->paths[i], 0644,
			buf_text(&folder->texts[i]), folder->texts[i].len,
			err) != 0)
			return -1;
	return 0;
}

int
plan_write_folder(const struct plan *plan, const struct plan_options *options,
    const char *directory, struct error *err)
{
	struct folder folder = { .directory = directory };
	int rc = add_configs(&folder, plan, options);

	if (rc == 0)
		rc = plan_write_rules(plan, add_file(&folder, "rules.tsv"));
	if (rc == 0 && plan->universal_rule != NULL)
		rc = buf_printf(add_file(&folder, "universal-rule.txt"), "%s\n",
		    plan->universal_rule);
	if (rc == 0)
		rc = plan_print_json(plan, options,
		    add_file(&folder, "plan.json"));
	if (rc != 0)
		(void)error_set(err, ERROR_SYSTEM, "the plan is too long");
	else
		rc = write_files(&folder, err);
	for (size_t i = 0; i < folder.count; i++) {
		buf_clear(&folder.texts[i]);
		free(folder.paths[i]);
	}
	return rc;
}
