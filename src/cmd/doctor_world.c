/*
 * What a diagnosis needs besides the event: our listeners as devices see them,
 * the inventory, and what earlier events taught.
 */
#include "cmd/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/ca_common.h"
#include "cmd/cmd.h"
#include "cmd/resolve.h"
#include "inventory/inventory.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "server/config.h"

#define SOURCES_MAX 64
#define CLASSES_MAX 64
#define REMEMBERED 256 /* addresses, and classes */

/* ---------------------------------------------------------- our listeners */

static void
resolve_common_name(struct check_view *view)
{
	struct addr list[CHECK_ADDRESSES_MAX];
	char host[CERT_VALUE_MAX + 1];
	size_t count = 0;

	if (view->count == 0 || !cert_common_host(view->certs[0], host))
		return;
	view->resolved = resolve_host(host, RESOLVE_TIMEOUT_MS, list,
			     CHECK_ADDRESSES_MAX, &count) != RESOLVE_NO_ANSWER;
	for (size_t i = 0; i < count; i++)
		addr_format_host(&list[i], view->cn_address[i]);
	view->cn_address_count = count;
}

/* The address that a certificate is checked against; where the listener is on
 * every address, that is whatever DNS says. */
static void
find_address(struct check_view *view, const struct config_listener *listener)
{
	addr_format_host(&listener->addresses[0], view->address);
	if ((strcmp(view->address, "0.0.0.0") == 0 ||
		strcmp(view->address, "::") == 0) &&
	    view->cn_address_count > 0)
		memcpy(view->address, view->cn_address[0],
		    sizeof(view->address));
}

static void
load_certificate(struct doctor_world *world, size_t i,
    const struct config_listener *from, const char *path, bool resolve)
{
	struct diagnose_listener *listener = &world->listeners[i];
	static char no_host[] = "";
	struct identified known;
	struct error err;
	size_t at;

	listener->name = from->name;
	listener->legacy = from->policy == TLS_LEGACY;
	addr_format(&from->addresses[0], world->addresses[i]);
	listener->address = world->addresses[i];
	listener->view = (struct check_view) { .host = no_host,
		.reached = CHECK_HANDSHAKE,
		.alert_received = -1,
		.asks_certificate = true };
	listener->ca = "";
	if (path == NULL)
		return; /* it speaks no TLS */
	if (cert_read_file(path, &listener->view.certs, &listener->view.count,
		&err) != 0) {
		cmd_error("going on without the certificate of listener %s: %s",
		    from->name, err.text);
		return;
	}
	known = identify_chain(listener->view.certs, listener->view.count, &at);
	if (known.ca != NULL)
		listener->ca = known.ca->id;
	if (resolve)
		resolve_common_name(&listener->view);
	find_address(&listener->view, from);
}

/* One entry for each certificate. */
static void
load_listeners(struct doctor_world *world, const struct config *config,
    bool resolve)
{
	size_t count = 0;

	for (size_t i = 0; i < config->listener_count; i++)
		count += 1 + config->listeners[i].other_count;
	world->listeners = xcalloc(count, sizeof(*world->listeners));
	world->addresses = xcalloc(count, sizeof(*world->addresses));
	world->world.listeners = world->listeners;
	world->world.listener_count = count;
	count = 0;
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *from = &config->listeners[i];

		load_certificate(world, count++, from, from->certificate_path,
		    resolve);
		for (size_t j = 0; j < from->other_count; j++)
			load_certificate(world, count++, from,
			    from->others[j].path, resolve);
	}
}

/* -------------------------------------------------------------- inventory */

static bool
find_device(void *arg, const struct mac *mac, struct diagnose_device *found)
{
	struct inventory *inventory = arg;
	struct device device;
	struct error ignored;

	if (inventory_get_device(inventory, mac, &device, &ignored) != 0)
		return false;
	(void)snprintf(found->model, sizeof(found->model), "%s", device.model);
	(void)snprintf(found->firmware, sizeof(found->firmware), "%s",
	    device.firmware);
	(void)snprintf(found->serial, sizeof(found->serial), "%s",
	    device.serial);
	device_clear(&device);
	return true;
}

int
doctor_world_look(struct doctor_world *world, const struct config *config,
    const char *claims, bool resolve)
{
	*world = (struct doctor_world) { .world.now = clock_wall() };
	world->knowledge = ca_load_knowledge(claims, config->inventory);
	if (world->knowledge == NULL)
		return -1;
	load_listeners(world, config, resolve);
	world->world.knowledge = world->knowledge;
	return 0;
}

int
doctor_world_load(struct doctor_world *world, const struct config *config,
    const char *claims, bool resolve)
{
	struct error err = { 0 };

	if (doctor_world_look(world, config, claims, resolve) != 0)
		return -1;
	world->inventory = inventory_open(config->inventory, true, &err);
	if (world->inventory == NULL) {
		cmd_error("going on without the inventory: %s", err.text);
		return 0;
	}
	world->world.find = find_device;
	world->world.find_arg = world->inventory;
	return 0;
}

void
doctor_world_clear(struct doctor_world *world)
{
	for (size_t i = 0; i < world->world.listener_count; i++)
		check_view_clear(&world->listeners[i].view);
	free(world->listeners);
	free(world->addresses);
	knowledge_free(world->knowledge);
	inventory_close(world->inventory);
	*world = (struct doctor_world) { 0 };
}

/* ------------------------------------------------------------------ hints */

/* What the record says of one address or class, kept because failures come in
 * series. */
struct remembered_source {
	char source[EVENT_NAME_MAX + 1];
	struct event_source list[SOURCES_MAX];
	size_t count;
};

struct remembered_class {
	uint64_t class;
	struct event_class list[CLASSES_MAX];
	size_t count;
};

struct doctor_hints {
	struct events *events;
	struct remembered_source *sources; /* REMEMBERED of them, by hash */
	struct remembered_class *classes;  /* ditto */
};

struct doctor_hints *
doctor_hints_new(struct events *events)
{
	struct doctor_hints *hints = xcalloc(1, sizeof(*hints));

	hints->events = events;
	hints->sources = xcalloc(REMEMBERED, sizeof(*hints->sources));
	hints->classes = xcalloc(REMEMBERED, sizeof(*hints->classes));
	return hints;
}

void
doctor_hints_free(struct doctor_hints *hints)
{
	if (hints == NULL)
		return;
	free(hints->sources);
	free(hints->classes);
	free(hints);
}

static size_t
hash_text(const char *text)
{
	size_t hash = 5381;

	while (*text != '\0')
		hash = hash * 33 + (unsigned char)*text++;
	return hash % REMEMBERED;
}

static const struct remembered_source *
find_source(struct doctor_hints *hints, const char *source, struct error *err)
{
	struct remembered_source *found = &hints->sources[hash_text(source)];
	int count;

	if (strcmp(found->source, source) == 0)
		return found;
	count = events_at_source(hints->events, source, found->list,
	    SOURCES_MAX, err);
	*found->source = '\0';
	if (count < 0)
		return NULL;
	found->count = (size_t)count;
	(void)snprintf(found->source, sizeof(found->source), "%s", source);
	return found;
}

static int
keep_class(const struct event_class *class, void *arg)
{
	struct remembered_class *found = arg;

	if (found->count < CLASSES_MAX)
		found->list[found->count++] = *class;
	return 0;
}

static const struct remembered_class *
find_class(struct doctor_hints *hints, uint64_t class, struct error *err)
{
	struct remembered_class *found = &hints->classes[class % REMEMBERED];

	if (found->class == class)
		return found;
	found->class = 0;
	found->count = 0;
	if (class != 0 &&
	    events_each_class(hints->events, class, keep_class, found, err) !=
		0)
		return NULL;
	found->class = class;
	return found;
}

int
doctor_diagnose(struct doctor_hints *hints, const struct doctor_world *world,
    const struct event *event, struct diagnosis *diagnosis, struct error *err)
{
	const struct remembered_source *source = find_source(hints,
	    event->source, err);
	const struct remembered_class *class = source != NULL ?
	    find_class(hints, event->class, err) :
	    NULL;
	struct diagnose_hints given;

	if (class == NULL)
		return -1;
	given = (struct diagnose_hints) { source->list, source->count,
		class->list, class->count };
	diagnose_event(event, &world->world, &given, diagnosis);
	return 0;
}
