#include "server/service.h"
#include "base/mem.h"
#include "pki/anchors.h"
#include "pki/chain.h"
#include "pki/seal.h"
#include "provision/route.h"
#include "provision/template.h"
#include "server/config.h"
#include "server/files.h"
#include "server/firmware.h"
#include "server/service_listener.h"
#include "server/template_folder.h"
#include "tls/context.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Counts what cannot be confused then: the one thing here that changes. */
static atomic_uint_fast64_t serials;

struct service {
	atomic_size_t references;
	uint64_t serial;
	struct config *config;
	struct service_listener *listeners;
	size_t listener_count;
	struct routes *routes;
	struct templates *templates;
	struct files *files;
	struct seal_key *secrets_key; /* NULL: none */
};

static void
service_free(struct service *service)
{
	for (size_t i = 0; i < service->listener_count; i++)
		service_listener_clear(&service->listeners[i]);
	free(service->listeners);
	routes_free(service->routes);
	templates_free(service->templates);
	files_free(service->files);
	seal_key_release(service->secrets_key);
	config_free(service->config);
	free(service);
}

void
service_release(struct service *service)
{
	if (service != NULL &&
	    atomic_fetch_sub_explicit(&service->references, 1,
		memory_order_acq_rel) == 1)
		service_free(service);
}

struct service *
service_retain(struct service *service)
{
	atomic_fetch_add_explicit(&service->references, 1,
	    memory_order_relaxed);
	return service;
}

static void
complain(struct errors *errors, const struct config *config,
    struct config_place place, const struct error *err)
{
	errors_add(errors, "%s:%u:%u: %s", config->path, place.line,
	    place.column, err->text);
}

static int
add_route(struct service *service, const struct config_route *route,
    struct error *err)
{
	size_t file;

	switch (route->kind) {
	case CONFIG_PROFILE:
		return routes_add(service->routes, ROUTE_PROFILE,
		    route->pattern, NULL, err);
	case CONFIG_OWN_PROFILE:
		return routes_add_own(service->routes, route->pattern, err);
	case CONFIG_COMMON:
		return routes_add(service->routes, ROUTE_COMMON, route->pattern,
		    route->template, err);
	case CONFIG_PUBLIC:
		return routes_add(service->routes, ROUTE_PUBLIC, route->pattern,
		    route->template, err);
	case CONFIG_REPORT:
		return routes_add(service->routes, ROUTE_REPORT, route->pattern,
		    NULL, err);
	case CONFIG_REPORT_DELTA:
		return routes_add(service->routes, ROUTE_REPORT_DELTA,
		    route->pattern, NULL, err);
	case CONFIG_REPORT_STATUS:
		return routes_add(service->routes, ROUTE_REPORT_STATUS,
		    route->pattern, NULL, err);
	case CONFIG_PUBLIC_FILE:
		if (files_add(service->files, route->file, &file, err) != 0)
			return -1;
		return routes_add_file(service->routes, ROUTE_PUBLIC_FILE,
		    route->pattern, file, err);
	}
	return -1;
}

static void
load_routes(struct service *service, bool templates_known,
    struct errors *errors)
{
	const struct config *config = service->config;
	struct error err;

	service->routes = routes_new();
	service->files = files_new();
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];

		if (add_route(service, route, &err) != 0) {
			complain(errors, config, route->place, &err);
		} else if (route->template != NULL && templates_known &&
		    !templates_has(service->templates, route->template)) {
			(void)error_set(&err, ERROR_NOT_FOUND,
			    "there is no template \"%s\"", route->template);
			complain(errors, config, route->template_place, &err);
		}
	}
}

static void
load_secrets_key(struct service *service, struct errors *errors)
{
	char *path = seal_key_find(service->config->secrets_key);
	struct error err;

	if (path == NULL)
		return;
	service->secrets_key = seal_key_load(path, &err);
	if (service->secrets_key == NULL)
		errors_add(errors, "%s", err.text);
	free(path);
}

struct seal_key *
service_secrets_key(const struct service *service)
{
	return service->secrets_key;
}

struct service *
service_new(struct config *config, struct errors *errors)
{
	struct service *service = xcalloc(1, sizeof(*service));
	size_t before = errors->count;
	bool templates_known;

	atomic_init(&service->references, 1);
	service->serial = atomic_fetch_add(&serials, 1) + 1;
	service->config = config;
	service->listener_count = config->listener_count;
	service->listeners = xcalloc(config->listener_count,
	    sizeof(*service->listeners));
	for (size_t i = 0; i < config->listener_count; i++)
		service_listener_load(&service->listeners[i], config,
		    &config->listeners[i], errors);
	service->templates = template_folder_load(config, &templates_known,
	    errors);
	load_routes(service, templates_known, errors);
	firmware_load_images(config, service->files, service->routes, errors);
	load_secrets_key(service, errors);
	if (errors->count == before)
		return service;
	service_free(service);
	return NULL;
}

uint64_t
service_serial(const struct service *service)
{
	return service->serial;
}

const struct config *
service_config(const struct service *service)
{
	return service->config;
}

size_t
service_listener_count(const struct service *service)
{
	return service->listener_count;
}

const struct service_listener *
service_listener(const struct service *service, size_t index)
{
	return &service->listeners[index];
}

const struct routes *
service_routes(const struct service *service)
{
	return service->routes;
}

const struct files *
service_files(const struct service *service)
{
	return service->files;
}

const struct templates *
service_templates(const struct service *service)
{
	return service->templates;
}
