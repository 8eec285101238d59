/*
 * See a server as every stack among the devices sees it, each once.
 */
#include "cmd/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mac.h"
#include "base/mem.h"
#include "cmd/resolve.h"
#include "pki/cert.h"
#include "sim/device.h"
#include "sim/look.h"
#include "spa/macro.h"
#include "spa/registry.h"

/* One stack's view of all addresses; path NULL: nothing was asked for. */
struct check_look {
	const struct stack *stack;
	char *path;
	struct check_view view[CHECK_ADDRESSES_MAX];
};

void
check_seen_clear(struct check_seen *seen)
{
	for (size_t i = 0; i < seen->look_count; i++) {
		free(seen->looks[i].path);
		for (size_t j = 0; j < seen->address_count; j++)
			check_view_clear(&seen->looks[i].view[j]);
	}
	free(seen->looks);
	*seen = (struct check_seen) { 0 };
}

const struct check_view *
check_any_view(const struct check_seen *seen)
{
	for (size_t i = 0; i < seen->look_count; i++)
		if (seen->looks[i].view[0].count > 0)
			return &seen->looks[i].view[0];
	return seen->look_count > 0 ? &seen->looks[0].view[0] : NULL;
}

/* -------------------------------------------------------------- addresses */

/* What --resolve says of a host. */
static size_t
resolve_by_option(const struct check_target *target, const char *host,
    struct addr *list, size_t max)
{
	size_t count = 0, len = strlen(host);
	struct error ignored;

	for (size_t i = 0; i < target->resolve_count && count < max; i++) {
		const char *text = target->resolve[i];

		if (strncasecmp(text, host, len) == 0 && text[len] == '=' &&
		    addr_parse_host(&list[count], text + len + 1,
			target->url.port, &ignored) == 0)
			count++;
	}
	return count;
}

/* False: nobody answered. */
static bool
resolve(const struct check_target *target, const char *host, struct addr *list,
    size_t max, size_t *count)
{
	struct error ignored;

	*count = 0;
	if (addr_parse_host(&list[0], host, target->url.port, &ignored) == 0) {
		*count = 1;
		return true;
	}
	*count = resolve_by_option(target, host, list, max);
	return *count > 0 ||
	    resolve_host(host, target->timeout_ms, list, max, count) !=
	    RESOLVE_NO_ANSWER;
}

int
check_find_addresses(struct check_seen *seen, const struct check_target *target,
    struct error *err)
{
	char host[ADDR_TEXT_BYTES];
	bool answered = resolve(target, target->url.host, seen->address,
	    CHECK_ADDRESSES_MAX, &seen->address_count);

	if (seen->address_count == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    answered ?
			"\"%.200s\" has no A record, and devices ask for "
			"no other" :
			"nobody tells the address of \"%.200s\": see "
			"the resolver, or give --resolve",
		    target->url.host);
	/* A resolver does not know of ports. */
	for (size_t i = 0; i < seen->address_count; i++) {
		addr_format_host(&seen->address[i], host);
		if (addr_parse_host(&seen->address[i], host, target->url.port,
			err) != 0)
			return -1;
	}
	return 0;
}

static void
find_cn_addresses(const struct check_target *target, struct check_view *view)
{
	struct addr list[CHECK_ADDRESSES_MAX];
	char host[CERT_VALUE_MAX + 1];
	size_t count = 0;

	if (view->count == 0 || !cert_common_host(view->certs[0], host))
		return;
	view->resolved = resolve(target, host, list, CHECK_ADDRESSES_MAX,
	    &count);
	for (size_t i = 0; i < count; i++)
		addr_format_host(&list[i], view->cn_address[i]);
	view->cn_address_count = count;
}

/* ------------------------------------------------------------------ looks */

/* The path as this model would ask for it; free() it.  NULL: do not ask. */
static char *
expand_path(const struct check_target *target, const struct model *model)
{
	char ma[MAC_TEXT_BYTES], mau[MAC_TEXT_BYTES], mac[MAC_COLON_BYTES];
	struct macro list[5];
	struct macros macros = { list, 0 };
	struct buf out;
	char *path = NULL;

	if (!target->ask)
		return NULL;
	list[macros.count++] = (struct macro) { "PN", model->product, false };
	list[macros.count++] = (struct macro) { "PSN", model->series, false };
	if (target->mac != NULL) {
		mac_format(target->mac, ma);
		mac_format_upper(target->mac, mau);
		mac_format_colon(target->mac, mac);
		list[macros.count++] = (struct macro) { "MA", ma, false };
		list[macros.count++] = (struct macro) { "MAU", mau, false };
		list[macros.count++] = (struct macro) { "MAC", mac, false };
	}
	buf_init(&out, URL_PATH_MAX);
	/* What is left of macros would be asked for literally. */
	if (macro_expand(&macros, target->url.path, strlen(target->url.path),
		false, &out) == 0 &&
	    strchr(buf_text(&out), '$') == NULL)
		path = xstrdup(buf_text(&out));
	buf_clear(&out);
	return path;
}

static struct check_look *
find_look(struct check_seen *seen, const struct stack *stack, const char *path)
{
	for (size_t i = 0; i < seen->look_count; i++) {
		struct check_look *look = &seen->looks[i];

		if (look->stack == stack &&
		    (path == NULL ? look->path == NULL :
				    look->path != NULL &&
				strcmp(look->path, path) == 0))
			return look;
	}
	return NULL;
}

/* Only for its User-Agent: what it trusts is judged elsewhere. */
static struct sim_device *
make_device(const struct check_target *target, const struct model *model,
    const struct firmware *firmware, struct error *err)
{
	struct sim_device_options options = {
		.model = model, .firmware = firmware, .serial = "CCQ00000000"
	};

	if (target->mac != NULL)
		options.mac = *target->mac;
	return sim_device_new(&options, err);
}

static int
look_at_all(struct check_seen *seen, const struct check_target *target,
    const struct sim_device *device, struct check_look *into, struct error *err)
{
	const struct sim_look look = { .stack = into->stack,
		.host = target->url.host,
		.port = target->url.port,
		.path = into->path,
		.user_agent = sim_device_user_agent(device),
		.identity = target->identity,
		.timeout_ms = target->timeout_ms };

	for (size_t i = 0; i < seen->address_count; i++) {
		if (sim_look(&look, &seen->address[i], &into->view[i], err) !=
		    0) {
			while (i > 0)
				check_view_clear(&into->view[--i]);
			return -1;
		}
		find_cn_addresses(target, &into->view[i]);
	}
	return 0;
}

const struct check_view *
check_look_as(struct check_seen *seen, const struct check_target *target,
    const struct model *model, const struct firmware *firmware,
    struct error *err)
{
	struct sim_device *device = make_device(target, model, firmware, err);
	struct check_look fresh = { .stack = NULL }, *look = NULL;

	if (device == NULL)
		return NULL;
	fresh.stack = sim_device_stack(device);
	fresh.path = expand_path(target, model);
	look = find_look(seen, fresh.stack, fresh.path);
	if (look == NULL &&
	    look_at_all(seen, target, device, &fresh, err) == 0) {
		seen->looks = xrealloc(seen->looks,
		    (seen->look_count + 1) * sizeof(*seen->looks));
		look = &seen->looks[seen->look_count++];
		*look = fresh;
		fresh.path = NULL;
	}
	free(fresh.path);
	sim_device_free(device);
	return look != NULL ? look->view : NULL;
}
