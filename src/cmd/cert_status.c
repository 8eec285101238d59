#include "cmd/cert_common.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmd/device_common.h"
#include "cmd/resolve.h"
#include "pki/chain.h"
#include "server/config.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct status {
	const char *config_path, *uri;
	bool json, no_resolve;
	struct config *config;
	struct cert_fleet fleet;
	struct cert_view *views; /* one a listener */
	size_t count;
};

/* 0.0.0.0 and [::]: on every address that the machine has. */
static bool
is_wildcard(const struct addr *addr)
{
	char text[ADDR_TEXT_BYTES];

	addr_format_host(addr, text);
	return strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0;
}

static bool
leads_to(const struct config_listener *listener, const struct addr *list,
    size_t count)
{
	for (size_t i = 0; i < listener->address_count; i++) {
		const struct addr *addr = &listener->addresses[i];
		char own[ADDR_TEXT_BYTES], other[ADDR_TEXT_BYTES];

		if (is_wildcard(addr))
			return true;
		addr_format_host(addr, own);
		for (size_t j = 0; j < count; j++) {
			addr_format_host(&list[j], other);
			if (strcmp(own, other) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Devices look the common name up and want the address that they are connected
 * to among the answers [LINKSYS-PROV] p. 23.
 */
static void
check_dns(struct cert_view *view, const struct config_listener *listener)
{
	struct addr list[RESOLVE_ADDRESSES_MAX];
	char first[ADDR_TEXT_BYTES];
	size_t count;

	if (*view->host == '\0' || cert_view_has(view, CERT_FINDING_NAME))
		return;
	switch (resolve_host(view->host, RESOLVE_TIMEOUT_MS, list,
	    RESOLVE_ADDRESSES_MAX, &count)) {
	case RESOLVE_NONE:
		cert_view_find(view, CERT_FINDING_ADDRESS,
		    "%s has no A record: devices cannot find the server, and "
		    "refuse it",
		    view->host);
		return;
	case RESOLVE_NO_ANSWER:
		cert_view_find(view, CERT_FINDING_ADDRESS,
		    "whether %s leads here is not known: no name server "
		    "answered within %d s",
		    view->host, RESOLVE_TIMEOUT_MS / 1000);
		return;
	case RESOLVE_FOUND:
		break;
	}
	if (count == 0 || leads_to(listener, list, count))
		return;
	addr_format_host(&list[0], first);
	cert_view_find(view, CERT_FINDING_ADDRESS,
	    "%s leads to %s, and the listener is not there: devices refuse "
	    "it unless a router or a balancer passes it on (--no-resolve "
	    "leaves this out)",
	    view->host, first);
}

static void
load_listener(struct cert_view *view, const struct config_listener *listener)
{
	struct error err;
	struct chain *chain;

	if (cert_view_load(view, listener->name, listener->certificate_path,
		&err) != 0) {
		cert_view_find(view, CERT_FINDING_UNREADABLE, "%s", err.text);
		return;
	}
	/* As the server does it: key, order of the chain, permissions. */
	chain = chain_load(listener->certificate_path, listener->key_path,
	    &err);
	if (chain == NULL)
		cert_view_find(view, CERT_FINDING_UNREADABLE, "%s", err.text);
	chain_free(chain);
}

static size_t
count_attention(const struct status *status)
{
	size_t count = 0;

	for (size_t i = 0; i < status->count; i++)
		count += cert_view_needs_attention(&status->views[i]);
	return count;
}

static int
print_text(const struct status *status)
{
	size_t attention = count_attention(status);

	if (cert_print_table(status->views, status->count, "LISTENER",
		&status->fleet) != 0)
		return CMD_FAILED;
	(void)putchar('\n');
	for (size_t i = 0; i < status->count; i++)
		cert_view_print_findings(&status->views[i]);
	if (!status->fleet.known)
		(void)printf("There is no inventory, so nobody knows how many "
			     "devices depend on these.\n");
	if (status->fleet.strange > 0)
		(void)printf("%zu %s of models that are not known.\n",
		    status->fleet.strange,
		    status->fleet.strange == 1 ? "device is" : "devices are");
	if (attention == 0)
		(void)printf("Nothing needs attention.\n");
	else
		(void)printf("%zu of %zu %s attention.\n", attention,
		    status->count, attention == 1 ? "needs" : "need");
	return CMD_DONE;
}

static int
print_json(const struct status *status)
{
	json_t *list = json_array();

	for (size_t i = 0; i < status->count; i++)
		(void)json_array_append_new(list,
		    cert_view_json(&status->views[i], &status->fleet));
	return cert_print_json(json_pack("{s:s, s:o, s:I}", "configuration",
	    status->config->path, "listeners", list, "attention",
	    (json_int_t)count_attention(status)));
}

static int
run(struct status *status)
{
	const struct config *config;
	time_t now = clock_wall();
	struct error err = { 0 };
	int rc;

	if (cert_load_config(status->config_path, &status->config) != 0)
		return CMD_FAILED;
	if (status->config == NULL) {
		cmd_error("%s: not there: name the configuration with "
			  "--config",
		    CONFIG_DEFAULT_PATH);
		return CMD_FAILED;
	}
	if (cert_fleet_load(&status->fleet, status->uri,
		status->config_path != NULL ? status->config : NULL, &err) != 0)
		return cmd_fail(&err);
	config = status->config;
	status->views = xcalloc(config->listener_count, sizeof(*status->views));
	for (size_t i = 0; i < config->listener_count; i++)
		if (!config->listeners[i].plain) /* those have no certificate */
			load_listener(&status->views[status->count++],
			    &config->listeners[i]);
	for (size_t i = 0, at = 0; i < config->listener_count; i++) {
		struct cert_view *view = &status->views[at];

		if (config->listeners[i].plain)
			continue;
		at++;
		cert_view_weigh(view, &status->fleet, status->views,
		    status->count, now);
		if (!status->no_resolve && view->certs != NULL)
			check_dns(view, &config->listeners[i]);
	}
	rc = status->json ? print_json(status) : print_text(status);
	if (rc == CMD_DONE && count_attention(status) > 0)
		rc = CMD_PROBLEM;
	return rc;
}

int
cert_status(int argc, char **argv)
{
	struct status status = { 0 };
	const struct cmd_option options[] = {
		CERT_CONFIG_OPTION(&status.config_path),
		CERT_INVENTORY_OPTION(&status.uri),
		{ .name = "no-resolve",
		    .flag = &status.no_resolve,
		    .help = "do not look the names up in DNS" },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &status.json },
	};
	const struct cmd_syntax syntax = { "sprov cert status", "",
		"Look at the certificates of all listeners of the "
		"configuration.  DEVICES accept\nit; ALONE of them accept no "
		"other listener's that lasts longer.\nExit status: 0 all "
		"good, 1 failed, 3 something needs attention.\n",
		options, LENGTH(options), 0, 0 };
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc >= 0)
		return rc;
	rc = run(&status);
	cert_views_free(status.views, status.count);
	cert_fleet_clear(&status.fleet);
	config_free(status.config);
	return rc;
}
