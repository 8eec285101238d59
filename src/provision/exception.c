#include "provision/exception.h"
#include "inventory/snapshot.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[EXCEPTION_KINDS] = {
	[EXCEPTION_EXPIRED] = "expired-certificate",
	[EXCEPTION_GENERIC] = "generic-certificate",
	[EXCEPTION_DEFECTIVE] = "defective-certificate",
};

const char *
exception_kind_name(enum exception_kind kind)
{
	return names[kind];
}

bool
exception_kind_proves(enum exception_kind kind)
{
	return kind == EXCEPTION_EXPIRED;
}

void
exception_clear(struct exception *exception)
{
	free(exception->scopes);
	free(exception->networks);
	free(exception->reason);
	free(exception->who);
	*exception = (struct exception) { .scope_count = 0 };
}

bool
exception_is_bounded(const struct exception *exception)
{
	if (exception->needs_encryption || exception->network_count > 0)
		return true;
	if (!exception->once)
		return false;
	if (exception_kind_proves(exception->kind))
		return true;
	for (size_t i = 0; i < exception->scope_count; i++)
		if (!exception->scopes[i].has_mac)
			return false;
	return true;
}

static bool
is_in_scope(const struct exception_scope *scope,
    const struct exception_case *is)
{
	const struct device *device = is->device;

	return (!scope->has_mac || mac_equal(&scope->mac, &device->mac)) &&
	    (*scope->model == '\0' ||
		strcmp(scope->model, device->model) == 0) &&
	    (*scope->group == '\0' ||
		snapshot_is_below(is->snapshot, device, scope->group)) &&
	    (*scope->tag == '\0' || tags_have(&device->tags, scope->tag)) &&
	    (*scope->listener == '\0' ||
		strcmp(scope->listener, is->listener) == 0);
}

static bool
is_for(const struct exception *exception, const struct exception_case *is)
{
	if (exception->kind != is->kind)
		return false;
	for (size_t i = 0; i < exception->scope_count; i++)
		if (is_in_scope(&exception->scopes[i], is))
			return true;
	return false;
}

static bool
comes_from(const struct exception *exception, const struct addr *source)
{
	for (size_t i = 0; i < exception->network_count; i++)
		if (network_has(&exception->networks[i], source))
			return true;
	return exception->network_count == 0;
}

/* A device may ask again: its answer may have been lost on the way. */
static bool
is_used_up(const struct exception *exception, const struct exception_case *is)
{
	time_t first = exception->once ?
	    is->first_use(is->first_use_arg, exception->name,
		&is->device->mac) :
	    0;

	return first != 0 &&
	    is->now > first + (time_t)((exception->window_ms + 999) / 1000);
}

enum exception_answer
exception_judge(const struct exception *exception,
    const struct exception_case *is)
{
	if (!is_for(exception, is))
		return EXCEPTION_IS_NOT_FOR_IT;
	if (is->now >= exception->until)
		return EXCEPTION_HAS_LAPSED;
	if (!exception_is_bounded(exception)) /* the file's reader refuses it */
		return EXCEPTION_WANTS_ENCRYPTION;
	if (!comes_from(exception, is->source))
		return EXCEPTION_WANTS_SOURCE;
	if (exception->needs_encryption && !is->encrypted)
		return EXCEPTION_WANTS_ENCRYPTION;
	if (is_used_up(exception, is))
		return EXCEPTION_IS_USED_UP;
	return EXCEPTION_ALLOWS;
}
