#include "cmd/ca_accept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/ca_common.h"
#include "cmd/ca_fleet.h"
#include "cmd/device_common.h"
#include "spa/knowledge.h"
#include "cmd/print.h"

/* A stretch of versions at which a model trusts the CA. */
struct part {
	const struct model *model;
	struct knowledge_span span;
	bool told;
};

struct parts {
	struct part *list;
	size_t count;
};

static struct parts
find_parts(const struct knowledge *knowledge, const struct ca *ca)
{
	struct parts parts = { 0 };

	for (size_t m = 0; m < registry_model_count; m++) {
		const struct model *model = &registry_models[m];
		size_t count;
		struct knowledge_span *spans = knowledge_spans(knowledge, model,
		    ca, &count);

		for (size_t i = 0; i < count; i++) {
			if (spans[i].trust.verdict != VERDICT_TRUSTED)
				continue;
			parts.list = xrealloc(parts.list,
			    (parts.count + 1) * sizeof(*parts.list));
			parts.list[parts.count++] = (struct part) {
				.model = model, .span = spans[i]
			};
		}
		free(spans);
	}
	return parts;
}

/* Same family, versions and kind of evidence. */
static bool
are_alike(const struct part *a, const struct part *b)
{
	const struct claim *one = a->span.trust.decided_by;
	const struct claim *other = b->span.trust.decided_by;
	char range[2][KNOWLEDGE_RANGE_BYTES];

	knowledge_range_text(&a->span, range[0]);
	knowledge_range_text(&b->span, range[1]);
	return strcmp(a->model->family, b->model->family) == 0 &&
	    strcmp(range[0], range[1]) == 0 && one->basis == other->basis &&
	    one->confidence == other->confidence &&
	    strcmp(one->source, other->source) == 0;
}

static bool
holds(const struct knowledge_span *span, const struct ca_fleet_group *group)
{
	int order;

	if (!span->has_from && !span->has_to)
		return true;
	if (!group->has_firmware)
		return false;
	if (span->has_from) {
		order = firmware_compare(&group->firmware, &span->from);
		if (order < 0 || (order == 0 && span->from_exclusive))
			return false;
	}
	if (span->has_to) {
		order = firmware_compare(&group->firmware, &span->to);
		if (order > 0 || (order == 0 && span->to_exclusive))
			return false;
	}
	return true;
}

static size_t
count_devices(const struct ca_fleet *fleet, const struct part *part)
{
	size_t count = 0;

	for (size_t i = 0; i < fleet->group_count; i++)
		if (fleet->groups[i].model == part->model &&
		    holds(&part->span, &fleet->groups[i]))
			count += fleet->groups[i].count;
	return count;
}

/* The models alike the first one: as a line, and how many devices they are. */
static size_t
print_models(struct parts *parts, size_t first, const struct ca_fleet *fleet)
{
	const struct part *like = &parts->list[first];
	size_t devices = 0;
	size_t column = (size_t)printf("  %-9s", like->model->family);

	for (size_t i = first; i < parts->count; i++) {
		struct part *part = &parts->list[i];

		if (part->told || !are_alike(like, part))
			continue;
		part->told = true;
		devices += count_devices(fleet, part);
		column = cmd_wrap(column, 12, part->model->name);
	}
	(void)putchar('\n');
	return devices;
}

void
ca_accept_print(const struct knowledge *knowledge, const struct ca *ca,
    const struct ca_fleet *fleet, struct ca_sources *sources)
{
	struct parts parts = find_parts(knowledge, ca);

	for (size_t i = 0; i < parts.count; i++) {
		const struct trust *trust = &parts.list[i].span.trust;
		const struct claim *claim = trust->decided_by;
		char range[KNOWLEDGE_RANGE_BYTES];
		size_t devices, column;

		if (parts.list[i].told)
			continue;
		devices = print_models(&parts, i, fleet);
		knowledge_range_text(&parts.list[i].span, range);
		column = cmd_wrapf(0, 12, "%s (%s%s, %s) [%s]", range,
		    knowledge_is_own(knowledge, claim) ? "own claim, " : "",
		    basis_name(claim->basis),
		    confidence_name(claim->confidence), claim->source);
		if (fleet->present)
			(void)cmd_wrapf(column, 12, "%zu %s", DEVICES(devices));
		(void)putchar('\n');
		if (sources != NULL)
			ca_sources_add(sources, claim->source);
	}
	if (parts.count == 0)
		(void)printf("  no model that is known to trust it\n");
	free(parts.list);
}

json_t *
ca_accept_json(const struct knowledge *knowledge, const struct ca *ca,
    const struct ca_fleet *fleet)
{
	struct parts parts = find_parts(knowledge, ca);
	json_t *array = json_array();

	for (size_t i = 0; i < parts.count; i++) {
		const struct part *part = &parts.list[i];
		char range[KNOWLEDGE_RANGE_BYTES];
		json_t *object;

		knowledge_range_text(&part->span, range);
		object = json_pack("{ss ss ss so}", "model", part->model->name,
		    "family", part->model->family, "firmware", range,
		    "decided_by",
		    ca_claim_json(knowledge, part->span.trust.decided_by));
		if (fleet->present)
			(void)json_object_set_new(object, "devices",
			    json_integer((json_int_t)count_devices(fleet,
				part)));
		(void)json_array_append_new(array, object);
	}
	free(parts.list);
	return array;
}
