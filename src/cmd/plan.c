#include "cmd/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/ca_common.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "cmd/plan_dhcp.h"
#include "provision/plan_cover.h"
#include "provision/plan_dhcp.h"
#include "spa/knowledge.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define TEXTS_MAX 256 /* of one repeatable option */
#define JSON_MAX (256UL * 1024 * 1024)

struct arguments {
	const char *inventory, *csv, *layout, *host, *domain, *drop_tls, *at;
	const char *out, *capacity, *dhcp, *bootstrap;
	struct cmd_texts addresses, ports, hold, certificates, without, allow;
	bool json, config, rules;
	/* What they mean. */
	struct plan_options options;
	struct plan_held held;
	const struct ca *excluded[PLAN_CAS_MAX];
	uint16_t *port_numbers;
	char (*address_texts)[16];
	const char **address_list;
};

/* Said as cmd_error() does. */
static int bad(const char *fmt, ...) PRINTF_LIKE(1, 2);

static int
bad(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cmd_error("%s", text);
	return CMD_USAGE;
}

/* -------------------------------------------------------- what to plan */

static const struct ca *
find_ca(const char *option, const char *id)
{
	const struct ca *ca = registry_find_ca(id);
	const char **names, *nearest;
	size_t count = 0;

	if (ca != NULL && registry_is_server_ca(ca))
		return ca;
	names = xcalloc(registry_ca_count, sizeof(*names));
	for (size_t i = 0; i < registry_ca_count; i++)
		if (registry_is_server_ca(&registry_cas[i]))
			names[count++] = registry_cas[i].id;
	nearest = text_nearest(id, names, count);
	if (nearest != NULL)
		cmd_error("--%s %s: no CA that devices trust; did you mean "
			  "%s?",
		    option, id, nearest);
	else
		cmd_error("--%s %s: no CA that devices trust; expected one "
			  "such as ciscosb-prov-2",
		    option, id);
	free(names);
	return NULL;
}

static int
read_hold(struct arguments *a)
{
	for (size_t i = 0; i < a->hold.count; i++) {
		const struct ca *ca = find_ca("hold", a->hold.text[i]);

		if (ca == NULL)
			return CMD_USAGE;
		plan_held_add(&a->held, ca);
	}
	return -1;
}

static int
read_without(struct arguments *a)
{
	size_t count = 0;

	if (a->without.count > PLAN_CAS_MAX)
		return bad("more than %d of --without", PLAN_CAS_MAX);
	for (size_t i = 0; i < a->without.count; i++) {
		if (strcmp(a->without.text[i], "gone") == 0) {
			a->options.without_gone = true;
			continue;
		}
		a->excluded[count] = find_ca("without", a->without.text[i]);
		if (a->excluded[count++] == NULL)
			return CMD_USAGE;
	}
	a->options.without = a->excluded;
	a->options.without_count = count;
	return -1;
}

static int
read_allow(struct arguments *a)
{
	for (size_t i = 0; i < a->allow.count; i++) {
		const char *text = a->allow.text[i];

		if (strcmp(text, "custom-ca") == 0)
			a->options.allow_custom = true;
		else if (strcmp(text, "public-ca-bundle") == 0)
			a->options.allow_public = true;
		else
			return bad("--allow %s: expected custom-ca or "
				   "public-ca-bundle",
			    text);
	}
	return -1;
}

static int
read_drop_tls(struct arguments *a)
{
	if (a->drop_tls == NULL)
		return -1;
	if (strcmp(a->drop_tls, "1.0") == 0)
		a->options.drop_tls = 0x0301;
	else if (strcmp(a->drop_tls, "1.1") == 0)
		a->options.drop_tls = 0x0302;
	else
		return bad("--drop-tls %s: expected 1.0 or 1.1", a->drop_tls);
	return -1;
}

/* "2027-01-31": the beginning of that day. */
static int
read_at(struct arguments *a)
{
	struct tm tm = { 0 }, back;
	const char *end;
	time_t when;

	a->options.at = clock_wall();
	if (a->at == NULL)
		return -1;
	end = strptime(a->at, "%Y-%m-%d", &tm);
	if (end != NULL && *end == '\0' && strlen(a->at) == 10) {
		int day = tm.tm_mday, month = tm.tm_mon;

		when = timegm(&tm);
		/* February 30 becomes a day in March. */
		if (when > 0 && gmtime_r(&when, &back) != NULL &&
		    back.tm_mday == day && back.tm_mon == month) {
			a->options.at = when;
			return -1;
		}
	}
	return bad("--at %s: expected a day such as 2027-01-31", a->at);
}

/* ----------------------------------------------------------- the layout */

static int
read_layout(struct arguments *a)
{
	static const struct {
		const char *text;
		enum plan_layout layout;
		bool mix;
	} layouts[] = {
		{ "ports", PLAN_PORTS, false },
		{ "addresses", PLAN_ADDRESSES, false },
		{ "hosts", PLAN_HOSTS, false },
		{ "addresses,ports", PLAN_ADDRESSES, true },
		{ "hosts,ports", PLAN_HOSTS, true },
	};

	for (size_t i = 0; i < LENGTH(layouts); i++) {
		if (a->layout != NULL &&
		    strcmp(a->layout, layouts[i].text) != 0)
			continue;
		a->options.layout = layouts[i].layout;
		a->options.mix_ports = layouts[i].mix;
		return -1;
	}
	return bad("--layout %s: expected ports, addresses, hosts, "
		   "addresses,ports or hosts,ports",
	    a->layout);
}

/* Letters, digits, hyphens, dots: RFC 1123 2.1. */
static bool
is_name(const char *text)
{
	size_t len = strlen(text);

	return len > 0 &&
	    strspn(text,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == len &&
	    strchr("-.", text[0]) == NULL &&
	    strchr("-.", text[len - 1]) == NULL && strstr(text, "..") == NULL;
}

static int
read_names(struct arguments *a)
{
	if (a->host != NULL && !is_name(a->host))
		return bad("--host %s: expected a name such as prov or "
			   "prov.example.net",
		    a->host);
	if (a->domain != NULL && !is_name(a->domain))
		return bad("--domain %s: expected a name such as "
			   "example.net",
		    a->domain);
	a->options.host = a->host;
	a->options.domain = a->domain;
	return -1;
}

static int
read_addresses(struct arguments *a)
{
	size_t count = a->addresses.count;

	a->address_texts = xcalloc(count + 1, sizeof(*a->address_texts));
	a->address_list = xcalloc(count + 1, sizeof(*a->address_list));
	for (size_t i = 0; i < count; i++) {
		const char *text = a->addresses.text[i];
		char shown[ADDR_TEXT_BYTES];
		struct addr address;
		struct error err;

		if (addr_parse_host(&address, text, 443, &err) != 0 ||
		    address.sockaddr.ss_family != AF_INET)
			return bad("--address %s: expected an IPv4 address: "
				   "devices look up A records only",
			    text);
		addr_format_host(&address, shown);
		(void)snprintf(a->address_texts[i], 16, "%.15s", shown);
		for (size_t j = 0; j < i; j++)
			if (strcmp(a->address_texts[j], a->address_texts[i]) ==
			    0)
				return bad("--address %s: given twice", text);
		a->address_list[i] = a->address_texts[i];
	}
	a->options.addresses = a->address_list;
	a->options.address_count = count;
	return -1;
}

static int
read_ports(struct arguments *a, const struct cmd_syntax *syntax)
{
	size_t count = a->ports.count;

	a->port_numbers = xcalloc(count + 1, sizeof(*a->port_numbers));
	for (size_t i = 0; i < count; i++) {
		uint64_t port = 0;
		int rc = cmd_number(syntax, "port", a->ports.text[i], 1, 65535,
		    &port);

		if (rc >= 0)
			return rc;
		a->port_numbers[i] = (uint16_t)port;
		for (size_t j = 0; j < i; j++)
			if (a->port_numbers[j] == a->port_numbers[i])
				return bad("--port %s: given twice",
				    a->ports.text[i]);
	}
	a->options.ports = a->port_numbers;
	a->options.port_count = count;
	return -1;
}

static int
read_arguments(struct arguments *a, const struct cmd_syntax *syntax)
{
	int rc = read_hold(a);
	uint64_t capacity = 0;
	struct error err;

	if (rc < 0)
		rc = cmd_number(syntax, "capacity", a->capacity, 1, 1000000,
		    &capacity);
	a->options.capacity_per_s = (unsigned)capacity;
	if (a->addresses.count > TEXTS_MAX || a->ports.count > TEXTS_MAX)
		return bad("more than %d of --address or --port", TEXTS_MAX);
	if ((a->json || a->dhcp != NULL) + a->config + a->rules > 1)
		return bad("--config, --rules and --json or --dhcp exclude "
			   "each other");
	if (a->dhcp != NULL && !plan_dhcp_is_server(a->dhcp))
		return bad("--dhcp %.40s: expected isc, kea, dnsmasq or all",
		    a->dhcp);
	if (a->bootstrap != NULL && a->dhcp == NULL)
		return bad("--bootstrap goes with --dhcp");
	if (a->bootstrap != NULL && plan_dhcp_check(a->bootstrap, &err) != 0)
		return bad("--bootstrap: %s", err.text);
	if (rc < 0)
		rc = read_without(a);
	if (rc < 0)
		rc = read_allow(a);
	if (rc < 0)
		rc = read_drop_tls(a);
	if (rc < 0)
		rc = read_at(a);
	if (rc < 0)
		rc = read_layout(a);
	if (rc < 0)
		rc = read_names(a);
	if (rc < 0)
		rc = read_addresses(a);
	return rc < 0 ? read_ports(a, syntax) : rc;
}

/* -------------------------------------------------------------- answers */

static int
print_text(const struct plan *plan, const struct arguments *a,
    struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, JSON_MAX);
	if (a->dhcp != NULL)
		rc = plan_write_dhcp(plan, a->dhcp, a->bootstrap, a->json,
		    &text);
	else if (a->json)
		rc = plan_print_json(plan, &a->options, &text);
	else if (a->config)
		rc = plan_write_config(plan, &a->options, SIZE_MAX, &text);
	else
		rc = plan_write_rules(plan, &text);
	if (rc == 0)
		(void)fputs(buf_text(&text), stdout);
	else
		(void)error_set(err, ERROR_SYSTEM, "the plan is too long");
	buf_clear(&text);
	return rc;
}

/* What is wrong with the plan, in a line each; how it ends. */
static int
judge(const struct plan *plan)
{
	if (plan->listener_count == 0)
		cmd_error("no CA covers any device of this fleet (%zu %s)",
		    DEVICES((size_t)plan->devices));
	else if (plan->left_out > 0)
		cmd_error("%zu of %zu %s left out", (size_t)plan->left_out,
		    (size_t)plan->devices,
		    plan->left_out == 1 ? "device is" : "devices are");
	for (size_t i = 0; i < plan->listener_count; i++) {
		const struct plan_listener *one = &plan->listeners[i];

		if (!plan_can_be_had(one->supply))
			cmd_error("a certificate from %s is needed for %zu "
				  "%s, and the CA %s: --hold %s if you have "
				  "one, "
				  "--without gone to plan with what can be had",
			    one->ca->id, DEVICES((size_t)one->devices),
			    one->supply == PLAN_GONE ? "signs no more" :
						       "may sign no more",
			    one->ca->id);
	}
	return plan->left_out > 0 || plan->unsupplied > 0 ? CMD_PROBLEM :
							    CMD_DONE;
}

static int
answer(const struct plan *plan, const struct arguments *a)
{
	bool usable = plan->listener_count > 0 && plan->unsupplied == 0;
	struct error err;
	int status;

	if ((a->json || a->config || a->rules || a->dhcp != NULL ?
		    print_text(plan, a, &err) :
		    plan_print(plan, &a->options, &err)) != 0)
		return cmd_fail(&err);
	(void)fflush(stdout); /* before what is said on standard error */
	status = judge(plan);
	if (a->out == NULL)
		return status;
	if (!usable) {
		cmd_error("nothing was written to %s: the plan cannot be "
			  "carried out",
		    a->out);
		return status;
	}
	return plan_write_folder(plan, &a->options, a->out, &err) == 0 ?
	    status :
	    cmd_fail(&err);
}

static int
plan_fleet(struct arguments *a, struct plan_fleet *fleet)
{
	const struct plan_group *groups;
	struct knowledge *knowledge;
	struct plan *plan;
	struct error err;
	size_t count;
	int rc;

	rc = a->csv != NULL ? plan_read_csv(fleet, a->csv) :
			      plan_read_inventory(fleet, a->inventory);
	if (rc >= 0)
		return rc;
	groups = plan_fleet_groups(fleet, &count);
	if (count == 0) {
		cmd_error(a->csv != NULL ?
			"%s: there is no device in it" :
			"there is no device in the inventory; \"sprov device "
			"add\" adds one, --csv FILE plans without it",
		    a->csv);
		return CMD_FAILED;
	}
	knowledge = ca_load_knowledge(NULL, a->inventory);
	if (knowledge == NULL)
		return CMD_FAILED;
	plan = plan_make(groups, count, &a->options, knowledge, &err);
	rc = plan != NULL ? answer(plan, a) : cmd_fail(&err);
	plan_free(plan);
	knowledge_free(knowledge);
	return rc;
}

static int
run(struct arguments *a)
{
	struct plan_fleet *fleet;
	struct error err;
	int rc;

	for (size_t i = 0; i < a->certificates.count; i++)
		if (plan_held_read(&a->held, a->certificates.text[i], &err) !=
		    0)
			return cmd_fail(&err);
	a->options.certificates = a->held.list;
	a->options.certificate_count = a->held.count;
	fleet = plan_fleet_new();
	rc = plan_fleet(a, fleet);
	plan_fleet_free(fleet);
	return rc;
}

static void
clear(struct arguments *a)
{
	plan_held_clear(&a->held);
	free(a->port_numbers);
	free(a->address_texts);
	free(a->address_list);
	free(a->addresses.text);
	free(a->ports.text);
	free(a->hold.text);
	free(a->certificates.text);
	free(a->without.text);
	free(a->allow.text);
}

int
cmd_plan(int argc, char **argv)
{
	struct arguments a = { .inventory = NULL };
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&a.inventory),
		{ .name = "csv",
		    .value = "FILE",
		    .text = &a.csv,
		    .help = "model, firmware, count; - is standard input" },
		{ .name = "layout",
		    .value = "LAYOUT",
		    .text = &a.layout,
		    .help = "ports (default), addresses, hosts, and mixes" },
		{ .name = "host",
		    .value = "NAME",
		    .text = &a.host,
		    .help = "name of the server (prov)" },
		{ .name = "domain",
		    .value = "DOMAIN",
		    .text = &a.domain,
		    .help = "of all names (example.net)" },
		{ .name = "address",
		    .value = "ADDRESS",
		    .texts = &a.addresses,
		    .help = "IPv4, to listen on; repeatable" },
		{ .name = "port",
		    .value = "PORT",
		    .texts = &a.ports,
		    .help = "to listen on (443, 3443, ...); repeatable" },
		{ .name = "hold",
		    .value = "CA",
		    .texts = &a.hold,
		    .help = "we have a certificate from it; repeatable" },
		{ .name = "certificates",
		    .value = "DIR",
		    .texts = &a.certificates,
		    .help = "a folder of ours, with keys; repeatable" },
		{ .name = "without",
		    .value = "CA",
		    .texts = &a.without,
		    .help = "what if it were not; gone: all past having" },
		{ .name = "drop-tls",
		    .value = "VERSION",
		    .text = &a.drop_tls,
		    .help = "what if 1.0 (1.1) were not spoken any more" },
		{ .name = "at",
		    .value = "DATE",
		    .text = &a.at,
		    .help = "what is valid on that day: 2027-01-31" },
		{ .name = "allow",
		    .value = "CLASS",
		    .texts = &a.allow,
		    .help = "custom-ca or public-ca-bundle; repeatable" },
		{ .name = "capacity",
		    .value = "N",
		    .text = &a.capacity,
		    .help = "resyncs a second: advise for power cuts" },
		{ .name = "json",
		    .letter = 'j',
		    .flag = &a.json,
		    .help = "print all of it as JSON" },
		{ .name = "config",
		    .flag = &a.config,
		    .help = "print only the blocks for sprov.conf" },
		{ .name = "rules",
		    .flag = &a.rules,
		    .help = "print only the profile rules" },
		{ .name = "dhcp",
		    .value = "SERVER",
		    .text = &a.dhcp,
		    .help = "print only what isc, kea, dnsmasq or all have to "
			    "say" },
		{ .name = "bootstrap",
		    .value = "HOST|URL",
		    .text = &a.bootstrap,
		    .help = "with --dhcp: for those that no listener takes" },
		{ .name = "out",
		    .letter = 'o',
		    .value = "DIR",
		    .text = &a.out,
		    .help = "write configuration, rules and JSON there" },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov plan",
		.operands = "",
		.help =
		    "Find the fewest CAs that cover the fleet, give each a "
		    "listener, and say which\nprofile rules, DNS names and "
		    "CSRs that needs, and what to do for the others.\n"
		    "Exit status: 0 all devices are covered, 1 it could not "
		    "be planned, 3 some are\nleft out, or need a certificate "
		    "that cannot be had.  See sprov-plan(1).\n",
		.options = options,
		.option_count = LENGTH(options),
	};
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc < 0)
		rc = read_arguments(&a, &syntax);
	if (rc < 0)
		rc = run(&a);
	clear(&a);
	return rc;
}
