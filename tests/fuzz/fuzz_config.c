/* The configuration file: whatever passes keeps what config.h promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int holds)
{
	if (!holds)
		abort();
}

static int
is_timeout(unsigned ms)
{
	return ms >= CONFIG_DURATION_MIN_MS && ms <= CONFIG_DURATION_MAX_MS;
}

static void
check_listener(const struct config_listener *l)
{
	size_t len = strlen(l->name);

	require(len >= 1 && len <= CONFIG_LISTENER_NAME_MAX);
	require(l->place.line >= 1 && l->place.column >= 1);
	require(l->address_count >= 1 &&
	    l->address_count <= CONFIG_ADDRESSES_MAX);
	for (size_t i = 0; i < l->address_count; i++) {
		require(addr_port(&l->addresses[i]) != 0);
		require(l->address_places[i].line >= 1);
		for (size_t j = 0; j < i; j++)
			require(!addr_equal(&l->addresses[i],
			    &l->addresses[j]));
	}
	require(l->certificate_path != NULL && l->key_path != NULL);
	require(l->certificate_place.line >= 1);
	require(l->policy == TLS_LEGACY || l->policy == TLS_MODERN);
	require(l->anchor_path_count >= 1 &&
	    l->anchor_path_count <= CONFIG_ANCHORS_MAX);
	for (size_t i = 0; i < l->anchor_path_count; i++)
		require(*l->anchor_paths[i] == '/');
	require(l->expired_anchor_count <= CONFIG_ANCHORS_MAX);
	for (size_t i = 0; i < l->expired_anchor_count; i++)
		require(*l->expired_anchors[i] != '\0');
}

static void
check_routes(const struct config *config)
{
	size_t profiles = 0, written = 0;

	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *r = &config->routes[i];

		require(r->pattern[0] == '/');
		require((r->template == NULL) ==
		    (r->kind != CONFIG_COMMON && r->kind != CONFIG_PUBLIC));
		require(r->template == NULL ||
		    (text_ends(r->template, ".xml") &&
			strchr(r->template, '/') == NULL));
		profiles += r->kind == CONFIG_PROFILE;
		written += r->place.line != 0;
		for (size_t j = 0; j < i; j++)
			require(strcmp(r->pattern, config->routes[j].pattern) !=
			    0);
	}
	require(written <= CONFIG_ROUTES_MAX);
	/* Only a file that takes all built-in paths for itself has none. */
	require(profiles >= 1 || written >= 7);
}

static void
check_config(const struct config *config)
{
	require(*config->state_directory == '/');
	require(strcmp(config->inventory, "memory:") == 0 ||
	    text_starts(config->inventory, "sqlite:/"));
	require(config->group == NULL || config->user != NULL);
	require(config->user == NULL || *config->user != '\0');
	require(config->workers <= CONFIG_WORKERS_MAX);
	require(config->connections_max >= 1 &&
	    config->connections_max <= CONFIG_CONNECTIONS_MAX);
	require(is_timeout(config->handshake_timeout_ms) &&
	    is_timeout(config->request_timeout_ms) &&
	    is_timeout(config->body_timeout_ms) &&
	    is_timeout(config->write_timeout_ms) &&
	    is_timeout(config->idle_timeout_ms) &&
	    is_timeout(config->stop_timeout_ms));
	require(config->listener_count >= 1 &&
	    config->listener_count <= CONFIG_LISTENERS_MAX);
	for (size_t i = 0; i < config->listener_count; i++)
		check_listener(&config->listeners[i]);
	check_routes(config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errors errors = { 0 };
	struct config *config;

	config = config_parse("/etc/f", (const char *)data, size, &errors);
	require((config == NULL) == (errors.count > 0));
	for (size_t i = 0; i < errors.kept; i++) {
		require(text_starts(errors.text[i], "/etc/f:"));
		require(strspn(errors.text[i] + 7, "0123456789") >= 1);
		for (const char *p = errors.text[i]; *p != '\0'; p++)
			require(*p >= 0x20 && *p <= 0x7e);
	}
	if (config != NULL)
		check_config(config);
	config_free(config);
	errors_clear(&errors);
	return 0;
}
