#include "provision/plan_dhcp.h"
#include "base/mem.h"
#include "spa/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How families write option 60; %s is the product, or with "certificate" the
 * spelling of certificates ("SPA-942"). */
static const struct {
	const char *family, *pattern;
	bool certificate;
} patterns[] = {
	{ "SPA9xx", "LINKSYS %s", true },
	{ "SPA8xxx", "LINKSYS %s", false },
	{ "SPA9000", "LINKSYS %s", false },
	{ "SPA2xxx", "LINKSYS %s", true },
	{ "SPA3xxx", "LINKSYS %s", true },
	{ "SPA3xx", "Cisco %s", false },
	{ "SPA5xx", "Cisco %s", false },
	{ "SPA5xx", "Cisco Systems, Inc. IP Phone %s", false },
	{ "SPA1xx", "CISCO %s", false },
	{ "SPA2xxD", "CISCO %s", false },
	{ "ATA19x", "CISCO %s", false },
	{ "CP-68xx", "%s", false },
	{ "CP-78xx", "%s", false },
	{ "CP-88xx", "%s", false },
	{ "CP-8831", "%s", false },
};

size_t
plan_dhcp_names(const struct model *model, char (*names)[PLAN_DHCP_NAME_BYTES])
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		const char *hole = strstr(patterns[i].pattern, "%s");

		if (strcmp(patterns[i].family, model->family) != 0 ||
		    count == PLAN_DHCP_NAMES_MAX)
			continue;
		(void)snprintf(names[count++], PLAN_DHCP_NAME_BYTES, "%.*s%s",
		    (int)(hole - patterns[i].pattern), patterns[i].pattern,
		    patterns[i].certificate ? model->certificate_product :
					      model->product);
	}
	return count;
}

/* ---------------------------------------------------- models and listeners */

struct choice_of {
	const struct model *model;
	size_t listener; /* PLAN_LEFT_OUT: none */
	bool split;	 /* some of its devices go elsewhere */
	size_t name_count;
	char names[PLAN_DHCP_NAMES_MAX][PLAN_DHCP_NAME_BYTES];
};

struct choices_of {
	struct choice_of *list;
	size_t count;
};

static uint64_t
count_devices(const struct plan *plan, const struct model *model,
    size_t listener)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->assignment_count; i++)
		if (plan->assignments[i].group->model == model &&
		    plan->assignments[i].listener == listener)
			sum += plan->assignments[i].group->count;
	return sum;
}

static void
add_model(struct choices_of *all, const struct plan *plan,
    const struct model *model)
{
	struct choice_of *one;
	uint64_t most = 0, count;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].model == model)
			return;
	one = &all->list[all->count++];
	*one = (struct choice_of) { .model = model, .listener = PLAN_LEFT_OUT };
	one->name_count = plan_dhcp_names(model, one->names);
	for (size_t i = 0; i < plan->listener_count; i++) {
		count = count_devices(plan, model, i);
		one->split |= count > 0 && most > 0;
		if (count > most) {
			most = count;
			one->listener = i;
		}
	}
	one->split |= most > 0 && count_devices(plan, model, PLAN_LEFT_OUT) > 0;
}

static struct choices_of
choose(const struct plan *plan)
{
	struct choices_of all = {
		xcalloc(plan->assignment_count + 1, sizeof(struct choice_of)), 0
	};

	for (size_t i = 0; i < plan->assignment_count; i++)
		add_model(&all, plan, plan->assignments[i].group->model);
	return all;
}

static bool
is_used(const struct choices_of *all, size_t listener)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].listener == listener &&
		    all->list[i].name_count > 0)
			return true;
	return false;
}

/* ------------------------------------------------------------------ writing */

/* What people have to know, as comments. */
static int
write_remarks(const struct choices_of *all, const char *comment,
    struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < all->count; i++) {
		const struct choice_of *one = &all->list[i];

		if (one->listener == PLAN_LEFT_OUT)
			rc = buf_printf(out,
			    "%s %s: no listener takes it; lead it to a "
			    "TFTP or plain HTTP listener of sprov\n",
			    comment, one->model->name);
		else if (one->name_count == 0)
			rc = buf_printf(out,
			    "%s %s: its option 60 is not known; name its "
			    "address range or its MAC addresses\n",
			    comment, one->model->name);
		else if (one->split)
			rc = buf_printf(out,
			    "%s %s: the right listener depends on its "
			    "firmware, which DHCP does not see\n",
			    comment, one->model->name);
	}
	return rc;
}

/* Call each for every vendor class of a listener. */
static int
each_name(const struct choices_of *all, size_t listener, const char *before,
    const char *between, const char *after, struct buf *out)
{
	bool first = true;
	int rc = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct choice_of *one = &all->list[i];

		for (size_t j = 0; rc == 0 && one->listener == listener &&
		     j < one->name_count;
		     j++) {
			rc = buf_printf(out, "%s%s%s%s", first ? "" : between,
			    before, one->names[j], after);
			first = false;
		}
	}
	return rc;
}

static int
write_isc(const struct plan *plan, const struct choices_of *all,
    struct buf *out)
{
	int rc = buf_append_text(out,
	    "option provisioning-url code 160 = text;\n");

	for (size_t i = 0; rc == 0 && i < plan->listener_count; i++) {
		const struct plan_listener *one = &plan->listeners[i];

		if (!is_used(all, i))
			continue;
		rc = buf_printf(out, "\nclass \"%s\" {\n    match if ",
		    one->name);
		if (rc == 0)
			rc = each_name(all, i,
			    "option vendor-class-identifier = \"",
			    "\n        or ", "\"", out);
		if (rc == 0)
			rc = buf_printf(out,
			    ";\n    option tftp-server-name \"%s\";\n"
			    "    option provisioning-url \"%s\";\n}\n",
			    one->rule, one->rule);
	}
	return rc == 0 ? write_remarks(all, "#", out) : rc;
}

static int
write_kea_class(const struct plan *plan, const struct choices_of *all, size_t i,
    struct buf *out)
{
	const struct plan_listener *one = &plan->listeners[i];
	int rc = buf_printf(out,
	    "      {\n        \"name\": \"%s\",\n        \"test\": \"",
	    one->name);

	if (rc == 0)
		rc = each_name(all, i, "option[60].text == '", " or ", "'",
		    out);
	return rc == 0 ?
	    buf_printf(out,
		"\",\n        \"option-data\": [\n"
		"          { \"name\": \"tftp-server-name\", \"data\": \"%s\" "
		"},\n"
		"          { \"name\": \"provisioning-url\", \"data\": \"%s\" "
		"}\n"
		"        ]\n      }",
		one->rule, one->rule) :
	    rc;
}

static int
write_kea(const struct plan *plan, const struct choices_of *all,
    struct buf *out)
{
	bool first = true;
	int rc = buf_append_text(out,
	    "{\n  \"Dhcp4\": {\n    \"option-def\": [\n"
	    "      { \"name\": \"provisioning-url\", \"code\": 160, "
	    "\"type\": \"string\" }\n    ],\n    \"client-classes\": [\n");

	for (size_t i = 0; rc == 0 && i < plan->listener_count; i++) {
		if (!is_used(all, i))
			continue;
		if (!first)
			rc = buf_append_text(out, ",\n");
		first = false;
		if (rc == 0)
			rc = write_kea_class(plan, all, i, out);
	}
	if (rc == 0)
		rc = buf_append_text(out, "\n    ]\n  }\n}\n");
	return rc == 0 ? write_remarks(all, "//", out) : rc;
}

/* It looks for the text within option 60, and a comma would end it: what is
 * behind the comma suffices. */
static int
write_dnsmasq_names(const struct plan *plan, const struct choices_of *all,
    size_t listener, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct choice_of *one = &all->list[i];

		for (size_t j = 0; rc == 0 && one->listener == listener &&
		     j < one->name_count;
		     j++) {
			const char *comma = strchr(one->names[j], ',');

			rc = buf_printf(out, "dhcp-vendorclass=set:%s,%s\n",
			    plan->listeners[listener].name,
			    comma != NULL ? comma + 2 : one->names[j]);
		}
	}
	return rc;
}

static int
write_dnsmasq(const struct plan *plan, const struct choices_of *all,
    struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->listener_count; i++) {
		const struct plan_listener *one = &plan->listeners[i];

		if (!is_used(all, i))
			continue;
		rc = write_dnsmasq_names(plan, all, i, out);
		if (rc == 0)
			rc = buf_printf(out,
			    "dhcp-option=tag:%s,66,\"%s\"\n"
			    "dhcp-option=tag:%s,160,\"%s\"\n",
			    one->name, one->rule, one->name, one->rule);
	}
	return rc == 0 ? write_remarks(all, "#", out) : rc;
}

int
plan_dhcp_write(const struct plan *plan, enum plan_dhcp kind, struct buf *out)
{
	struct choices_of all = choose(plan);
	int rc = -1;

	switch (kind) {
	case PLAN_DHCP_ISC:
		rc = write_isc(plan, &all, out);
		break;
	case PLAN_DHCP_KEA:
		rc = write_kea(plan, &all, out);
		break;
	case PLAN_DHCP_DNSMASQ:
		rc = write_dnsmasq(plan, &all, out);
		break;
	}
	free(all.list);
	return rc;
}
