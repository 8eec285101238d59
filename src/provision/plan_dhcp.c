#include "provision/plan_dhcp.h"
#include "base/addr.h"
#include "base/mem.h"
#include "http/url.h"
#include "spa/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_MAX 255
#define BOOTSTRAP "bootstrap"

/*
 * How families write option 60; %s is the product, or with is_certificate the
 * spelling of certificates ("SPA-942").  [WAZO] has one string each of SPA9xx,
 * SPA8000, SPA5xx (three), SPA122, ATA19x and CP-78xx; the others follow the
 * pattern of their neighbours.
 */
static const struct {
	const char *family, *pattern;
	bool is_certificate;
	const char *source;
} patterns[] = {
	{ "SPA9xx", "LINKSYS %s", true, "WAZO" },
	{ "SPA8xxx", "LINKSYS %s", false, "WAZO" },
	{ "SPA9000", "LINKSYS %s", false, "ASSUMED" },
	{ "SPA2xxx", "LINKSYS %s", true, "ASSUMED" },
	{ "SPA3xxx", "LINKSYS %s", true, "ASSUMED" },
	{ "SPA3xx", "Cisco %s", false, "ASSUMED" },
	{ "SPA5xx", "Cisco %s", false, "WAZO" },
	{ "SPA5xx", "Cisco Systems, Inc. IP Phone %s", false, "WAZO" },
	{ "SPA1xx", "CISCO %s", false, "WAZO" },
	{ "SPA2xxD", "CISCO %s", false, "ASSUMED" },
	{ "ATA19x", "CISCO %s", false, "WAZO" },
	{ "CP-68xx", "%s", false, "ASSUMED" },
	{ "CP-78xx", "%s", false, "WAZO" },
	{ "CP-88xx", "%s", false, "ASSUMED" },
	{ "CP-8831", "%s", false, "ASSUMED" },
};

size_t
plan_dhcp_names(const struct model *model,
    struct plan_dhcp_name names[static PLAN_DHCP_NAMES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		const char *hole = strstr(patterns[i].pattern, "%s");

		if (strcmp(patterns[i].family, model->family) != 0 ||
		    count == PLAN_DHCP_NAMES_MAX)
			continue;
		names[count].source = patterns[i].source;
		(void)snprintf(names[count].text, sizeof(names[count].text),
		    "%.*s%s", (int)(hole - patterns[i].pattern),
		    patterns[i].pattern,
		    patterns[i].is_certificate ? model->certificate_product :
						 model->product);
		count++;
	}
	return count;
}

/* ------------------------------------------------------ models and classes */

int
plan_dhcp_check(const char *bootstrap, struct error *err)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-._~:/?#[]@!$&()*+;=%";
	size_t len = strlen(bootstrap);
	struct url url;

	if (len == 0 || len > OPTION_MAX || strspn(bootstrap, safe) != len)
		return error_set(err, ERROR_INPUT,
		    "\"%.80s\" cannot stand in option 66: expected a URL, a "
		    "host or an address of 1 to %d bytes",
		    bootstrap, OPTION_MAX);
	if (strchr(bootstrap, '/') != NULL)
		return url_parse(&url, bootstrap, err);
	return 0;
}

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

/* The listener is the class, for the moment; who is left out is in the one
 * behind them. */
static void
add_model(struct plan_dhcp *dhcp, const struct plan *plan,
    const struct model *model)
{
	struct plan_dhcp_model *one;
	uint64_t most = 0, count;

	for (size_t i = 0; i < dhcp->model_count; i++)
		if (dhcp->models[i].model == model)
			return;
	one = &dhcp->models[dhcp->model_count++];
	*one = (struct plan_dhcp_model) { .model = model,
		.class = plan->listener_count };
	one->name_count = plan_dhcp_names(model, one->names);
	for (size_t i = 0; i < plan->listener_count; i++) {
		count = count_devices(plan, model, i);
		one->is_split |= count > 0 && most > 0;
		if (count > most) {
			most = count;
			one->class = i;
		}
	}
	one->is_split |= most > 0 &&
	    count_devices(plan, model, PLAN_LEFT_OUT) > 0;
}

static bool
is_used(const struct plan_dhcp *dhcp, size_t class)
{
	for (size_t i = 0; i < dhcp->model_count; i++)
		if (dhcp->models[i].class == class &&
		    dhcp->models[i].name_count > 0)
			return true;
	return false;
}

static struct plan_dhcp_class
describe(const struct plan *plan, size_t number, const char *bootstrap)
{
	struct addr address;
	struct error ignored;

	if (number < plan->listener_count)
		return (struct plan_dhcp_class) {
			.name = plan->listeners[number].name,
			.url = plan->listeners[number].rule,
			.is_url = true
		};
	return (struct plan_dhcp_class) { .name = BOOTSTRAP,
		.url = bootstrap,
		.is_url = strstr(bootstrap, "://") != NULL,
		.is_address = addr_parse_host(&address, bootstrap, 1,
				  &ignored) == 0 &&
		    address.sockaddr.ss_family == AF_INET };
}

/* Only classes that somebody is in stay; models are told their new number. */
static void
add_class(struct plan_dhcp *dhcp, const struct plan *plan, size_t number,
    const char *bootstrap)
{
	bool exists = (number < plan->listener_count || bootstrap != NULL) &&
	    is_used(dhcp, number);

	for (size_t i = 0; i < dhcp->model_count; i++)
		if (dhcp->models[i].class == number)
			dhcp->models[i].class = exists &&
				dhcp->models[i].name_count > 0 ?
			    dhcp->class_count :
			    PLAN_LEFT_OUT;
	if (exists)
		dhcp->classes[dhcp->class_count++] = describe(plan, number,
		    bootstrap);
}

void
plan_dhcp_make(struct plan_dhcp *dhcp, const struct plan *plan,
    const char *bootstrap)
{
	*dhcp = (struct plan_dhcp) { .class_count = 0 };
	dhcp->models = xcalloc(plan->assignment_count + 1,
	    sizeof(*dhcp->models));
	dhcp->classes = xcalloc(plan->listener_count + 1,
	    sizeof(*dhcp->classes));
	for (size_t i = 0; i < plan->assignment_count; i++)
		add_model(dhcp, plan, plan->assignments[i].group->model);
	/* In order: a class never gets a number above its listener's. */
	for (size_t i = 0; i <= plan->listener_count; i++)
		add_class(dhcp, plan, i, bootstrap);
}

void
plan_dhcp_clear(struct plan_dhcp *dhcp)
{
	free(dhcp->classes);
	free(dhcp->models);
	*dhcp = (struct plan_dhcp) { .class_count = 0 };
}

/* ------------------------------------------------------------------ writing */

/* What people have to know, as comments. */
static int
write_remarks(const struct plan_dhcp *dhcp, const char *comment,
    struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < dhcp->model_count; i++) {
		const struct plan_dhcp_model *one = &dhcp->models[i];
		const char *remark = NULL;

		if (one->name_count == 0)
			remark = "its option 60 is not known; name its address "
				 "range or its MAC addresses";
		else if (one->class == PLAN_LEFT_OUT)
			remark = "no listener takes it; lead it to a TFTP or "
				 "plain HTTP listener of sprov (--bootstrap)";
		else if (one->is_split)
			remark = "the right listener depends on its firmware, "
				 "which DHCP does not see";
		if (remark != NULL)
			rc = buf_printf(out, "%s %s: %s\n", comment,
			    one->model->name, remark);
	}
	return rc;
}

/* Each vendor class of a class, between these. */
static int
write_names(const struct plan_dhcp *dhcp, size_t class, const char *before,
    const char *between, const char *after, struct buf *out)
{
	bool first = true;
	int rc = 0;

	for (size_t i = 0; i < dhcp->model_count; i++) {
		const struct plan_dhcp_model *one = &dhcp->models[i];

		for (size_t j = 0;
		     rc == 0 && one->class == class && j < one->name_count;
		     j++) {
			rc = buf_printf(out, "%s%s%s%s", first ? "" : between,
			    before, one->names[j].text, after);
			first = false;
		}
	}
	return rc;
}

static int
write_isc_class(const struct plan_dhcp *dhcp, size_t i, struct buf *out)
{
	const struct plan_dhcp_class *one = &dhcp->classes[i];
	int rc = buf_printf(out, "\nclass \"%s\" {\n    match if ", one->name);

	if (rc == 0)
		rc = write_names(dhcp, i, "option vendor-class-identifier = \"",
		    "\n        or ", "\"", out);
	if (rc == 0)
		rc = buf_printf(out, ";\n    option tftp-server-name \"%s\";\n",
		    one->url);
	if (rc == 0 && one->is_url)
		rc = buf_printf(out, "    option provisioning-url \"%s\";\n",
		    one->url);
	if (rc == 0 && one->is_address)
		rc = buf_printf(out, "    option tftp-servers %s;\n", one->url);
	return rc == 0 ? buf_append_text(out, "}\n") : rc;
}

static int
write_isc(const struct plan_dhcp *dhcp, struct buf *out)
{
	int rc = buf_append_text(out,
	    "option tftp-servers code 150 = array of ip-address;\n"
	    "option provisioning-url code 160 = text;\n");

	for (size_t i = 0; rc == 0 && i < dhcp->class_count; i++)
		rc = write_isc_class(dhcp, i, out);
	return rc == 0 ? write_remarks(dhcp, "#", out) : rc;
}

static int
write_kea_data(const char *name, const char *value, bool last, struct buf *out)
{
	return buf_printf(out,
	    "          { \"name\": \"%s\", \"data\": \"%s\" }%s\n", name, value,
	    last ? "" : ",");
}

static int
write_kea_class(const struct plan_dhcp *dhcp, size_t i, struct buf *out)
{
	const struct plan_dhcp_class *one = &dhcp->classes[i];
	int rc = buf_printf(out,
	    "%s      {\n        \"name\": \"%s\",\n        \"test\": \"",
	    i > 0 ? ",\n" : "", one->name);

	if (rc == 0)
		rc = write_names(dhcp, i, "option[60].text == '", " or ", "'",
		    out);
	if (rc == 0)
		rc = buf_append_text(out, "\",\n        \"option-data\": [\n");
	if (rc == 0)
		rc = write_kea_data("tftp-server-name", one->url,
		    !one->is_url && !one->is_address, out);
	if (rc == 0 && one->is_url)
		rc = write_kea_data("provisioning-url", one->url, true, out);
	if (rc == 0 && one->is_address)
		rc = write_kea_data("tftp-servers", one->url, true, out);
	return rc == 0 ? buf_append_text(out, "        ]\n      }") : rc;
}

static int
write_kea(const struct plan_dhcp *dhcp, struct buf *out)
{
	int rc = buf_append_text(out,
	    "{\n  \"Dhcp4\": {\n    \"option-def\": [\n"
	    "      { \"name\": \"tftp-servers\", \"code\": 150, "
	    "\"type\": \"ipv4-address\", \"array\": true },\n"
	    "      { \"name\": \"provisioning-url\", \"code\": 160, "
	    "\"type\": \"string\" }\n    ],\n    \"client-classes\": [\n");

	for (size_t i = 0; rc == 0 && i < dhcp->class_count; i++)
		rc = write_kea_class(dhcp, i, out);
	if (rc == 0)
		rc = buf_append_text(out, "\n    ]\n  }\n}\n");
	return rc == 0 ? write_remarks(dhcp, "//", out) : rc;
}

/* A comma would end the text, and what is behind it suffices: the text is
 * looked for anywhere in option 60. */
static const char *
dnsmasq_name(const struct plan_dhcp_name *name)
{
	const char *comma = strchr(name->text, ',');

	return comma != NULL ? comma + 2 : name->text;
}

/* So a name may be found in that of another model: dnsmasq then sets both
 * tags, and nobody knows which URL it tells. */
static int
write_dnsmasq_doubt(const struct plan_dhcp *dhcp,
    const struct plan_dhcp_model *one, const char *name, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; i < dhcp->model_count; i++) {
		const struct plan_dhcp_model *other = &dhcp->models[i];

		for (size_t j = 0; rc == 0 && j < other->name_count; j++)
			if (other->class != one->class &&
			    other->class != PLAN_LEFT_OUT &&
			    strstr(other->names[j].text, name) != NULL)
				rc = buf_printf(out,
				    "# the line above matches the %s, too, "
				    "which is to go elsewhere\n",
				    other->model->name);
	}
	return rc;
}

static int
write_dnsmasq_class(const struct plan_dhcp *dhcp, size_t class, struct buf *out)
{
	const struct plan_dhcp_class *led = &dhcp->classes[class];
	int rc = 0;

	for (size_t i = 0; i < dhcp->model_count; i++) {
		const struct plan_dhcp_model *one = &dhcp->models[i];

		for (size_t j = 0;
		     rc == 0 && one->class == class && j < one->name_count;
		     j++) {
			const char *name = dnsmasq_name(&one->names[j]);

			rc = buf_printf(out, "dhcp-vendorclass=set:%s,%s\n",
			    led->name, name);
			if (rc == 0)
				rc = write_dnsmasq_doubt(dhcp, one, name, out);
		}
	}
	if (rc == 0)
		rc = buf_printf(out, "dhcp-option=tag:%s,66,\"%s\"\n",
		    led->name, led->url);
	if (rc == 0 && led->is_url)
		rc = buf_printf(out, "dhcp-option=tag:%s,160,\"%s\"\n",
		    led->name, led->url);
	if (rc == 0 && led->is_address)
		rc = buf_printf(out, "dhcp-option=tag:%s,150,%s\n", led->name,
		    led->url);
	return rc;
}

static int
write_dnsmasq(const struct plan_dhcp *dhcp, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < dhcp->class_count; i++)
		rc = write_dnsmasq_class(dhcp, i, out);
	return rc == 0 ? write_remarks(dhcp, "#", out) : rc;
}

int
plan_dhcp_write(const struct plan_dhcp *dhcp, enum plan_dhcp_server server,
    struct buf *out)
{
	switch (server) {
	case PLAN_DHCP_ISC:
		return write_isc(dhcp, out);
	case PLAN_DHCP_KEA:
		return write_kea(dhcp, out);
	case PLAN_DHCP_DNSMASQ:
		return write_dnsmasq(dhcp, out);
	}
	return -1;
}
