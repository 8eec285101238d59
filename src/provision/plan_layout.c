#include "base/mem.h"
#include "provision/plan_cover.h"
#include "provision/plan_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_DEFAULT "prov"
#define DOMAIN_DEFAULT "example.net"
#define PATH "/spa$MA.cfg" /* one of those that the server has built in */

static uint16_t
port_at(const struct plan_options *options, size_t index)
{
	if (options->port_count > 0)
		return options->ports[index];
	return index == 0 ? 443 : (uint16_t)(1000 * (index + 2) + 443);
}

static size_t
port_count(const struct plan_options *options)
{
	return options->port_count > 0 ? options->port_count :
					 PLAN_PORT_DEFAULTS;
}

/* Addresses and ports in use: a listener has a place in their table. */
struct places {
	size_t addresses, ports;
};

static int
count_places(const struct plan *plan, const struct plan_options *options,
    struct places *places, struct error *err)
{
	bool ports_only = options->layout == PLAN_PORTS;
	size_t wanted = plan->listener_count;

	places->addresses = 1;
	places->ports = 1;
	if (!ports_only)
		places->addresses = options->address_count > 0 ?
		    options->address_count :
		    wanted;
	if (ports_only || options->mix_ports)
		places->ports = port_count(options);
	if (places->addresses * places->ports >= wanted)
		return 0;
	if (ports_only)
		return error_set(err, ERROR_INPUT,
		    "%zu listeners need a port each, and %zu %s given: name "
		    "more with --port",
		    wanted, places->ports, places->ports == 1 ? "is" : "are");
	if (options->mix_ports)
		return error_set(err, ERROR_INPUT,
		    "%zu listeners need an address and port each, and %zu by "
		    "%zu are given: name more with --address or --port",
		    wanted, places->addresses, places->ports);
	return error_set(err, ERROR_INPUT,
	    "%zu listeners need an address each, and %zu %s given: name more "
	    "with --address, or mix with ports as in --layout "
	    "addresses,ports",
	    wanted, places->addresses, places->addresses == 1 ? "is" : "are");
}

/* "prov", or "prov.voice.example.net", with the domain where it has none; the
 * number, unless 0, is added to its first label. */
static int
make_host(char host[static 254], const struct plan_options *options,
    const char *label, size_t number, struct error *err)
{
	const char *domain = options->domain != NULL ? options->domain :
						       DOMAIN_DEFAULT;
	size_t first = strcspn(label, ".");
	char suffix[24] = "";
	int len;

	if (number > 0)
		(void)snprintf(suffix, sizeof(suffix), "-%zu", number);
	if (label[first] == '.')
		len = snprintf(host, 254, "%.*s%s%s", (int)first, label, suffix,
		    label + first);
	else
		len = snprintf(host, 254, "%s%s.%s", label, suffix, domain);
	if (len > PLAN_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "the name %.100s is %d characters long: the CN of a "
		    "certificate has at most %d",
		    host, len, PLAN_NAME_MAX);
	return 0;
}

static int
name_listener(struct plan_listener *listener,
    const struct plan_options *options, const struct places *places,
    size_t index, struct error *err)
{
	const struct plan_certificate *ours = listener->certificate;
	size_t number = index % places->addresses;

	/* A device looks up the name in the certificate: it is given. */
	if (ours != NULL && ours->host != NULL) {
		(void)snprintf(listener->host, sizeof(listener->host), "%s",
		    ours->host);
		return 0;
	}
	if (options->layout == PLAN_PORTS)
		return make_host(listener->host, options,
		    options->host != NULL ? options->host : HOST_DEFAULT, 0,
		    err);
	if (options->mix_ports)
		return make_host(listener->host, options,
		    options->host != NULL ? options->host : HOST_DEFAULT,
		    places->addresses > 1 ? number + 1 : 0, err);
	return make_host(listener->host, options, listener->ca->id, 0, err);
}

static void
place_listener(struct plan_listener *listener,
    const struct plan_options *options, const struct places *places,
    size_t index)
{
	size_t number = index % places->addresses;

	listener->machine = options->layout == PLAN_HOSTS ? number : 0;
	listener->port = port_at(options, index / places->addresses);
	if (options->address_count > 0)
		(void)snprintf(listener->address, sizeof(listener->address),
		    "%s", options->addresses[number]);
	else /* RFC 5737: for documentation, to be replaced */
		(void)snprintf(listener->address, sizeof(listener->address),
		    "192.0.2.%u", (unsigned)(number % PLAN_CAS_MAX) + 1);
}

/* A name with two addresses would lead devices to the wrong certificate. */
static int
check_names(const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->listener_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct plan_listener *a = &plan->listeners[j];
			const struct plan_listener *b = &plan->listeners[i];

			if (strcasecmp(a->host, b->host) == 0 &&
			    strcmp(a->address, b->address) != 0)
				return error_set(err, ERROR_INPUT,
				    "the listeners %s and %s have the name "
				    "%.100s, so they need one address: plan "
				    "with --layout ports",
				    a->name, b->name, a->host);
		}
	return 0;
}

int
plan_lay_out(struct plan *plan, const struct plan_options *options,
    struct error *err)
{
	struct places places;

	if (plan->listener_count == 0)
		return 0;
	if (count_places(plan, options, &places, err) != 0)
		return -1;
	for (size_t i = 0; i < plan->listener_count; i++) {
		struct plan_listener *listener = &plan->listeners[i];

		if (name_listener(listener, options, &places, i, err) != 0)
			return -1;
		place_listener(listener, options, &places, i);
		if (listener->port == 443)
			listener->rule = xasprintf("https://%s" PATH,
			    listener->host);
		else
			listener->rule = xasprintf("https://%s:%u" PATH,
			    listener->host, listener->port);
	}
	return check_names(plan, err);
}
