#include "importer/fleet.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/mem.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

#define PARAMETERS_MAX 160 /* bytes of a leak's list of parameters */

struct fleet_device {
	struct mac mac; /* the key */
	struct device device;
	size_t index;
	char *place;
	UT_hash_handle hh;
};

struct fleet_scope {
	struct scope scope;
	UT_hash_handle hh;
	char key[INVENTORY_NAME_MAX + 2]; /* kind and name */
};

struct fleet_template {
	char *name, *text;
};

struct fleet_leaking {
	struct fleet_leak leak;
	UT_hash_handle hh;
};

struct fleet {
	struct fleet_device *devices; /* by MAC, and in order of arrival */
	struct fleet_device **order;
	size_t device_count;

	struct fleet_scope *scopes;
	struct fleet_scope **scope_order;
	size_t scope_count;

	struct types types; /* in the order in which they came */

	struct fleet_template *templates;
	size_t template_count;

	struct fleet_leaking *leaks;
	struct fleet_leaking **leak_order;
	size_t leak_count;

	struct {
		char **text;
		size_t kept, count;
	} remarks[FLEET_REMARKS];
};

struct fleet *
fleet_new(void)
{
	return xcalloc(1, sizeof(struct fleet));
}

/* Room for one more in a list that doubles. */
static void *
grown(void *list, size_t count, size_t size)
{
	if (count >= 16 && (count & (count - 1)) != 0)
		return list;
	if (count > 0 && count < 16)
		return list;
	return xrealloc(list, (count < 16 ? 16 : 2 * count) * size);
}

void
fleet_say(struct fleet *fleet, enum fleet_remark kind, const char *fmt, ...)
{
	char text[1024];
	va_list values;

	va_start(values, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, values);
	va_end(values);
	if (fleet->remarks[kind].count++ >= FLEET_REMARKS_MAX)
		return;
	fleet->remarks[kind].text = grown(fleet->remarks[kind].text,
	    fleet->remarks[kind].kept, sizeof(char *));
	fleet->remarks[kind].text[fleet->remarks[kind].kept++] = xstrdup(text);
}

size_t
fleet_count(const struct fleet *fleet, enum fleet_remark kind)
{
	return fleet->remarks[kind].count;
}

const char *
fleet_remark(const struct fleet *fleet, enum fleet_remark kind, size_t i)
{
	return i < fleet->remarks[kind].kept ? fleet->remarks[kind].text[i] :
					       NULL;
}

static struct fleet_device *
find_device(const struct fleet *fleet, const struct mac *mac)
{
	struct fleet_device *found = NULL;

	HASH_FIND(hh, fleet->devices, mac, sizeof(*mac), found);
	return found;
}

struct device *
fleet_find(struct fleet *fleet, const struct mac *mac)
{
	struct fleet_device *found = find_device(fleet, mac);

	return found != NULL ? &found->device : NULL;
}

const char *
fleet_place(struct fleet *fleet, const struct mac *mac)
{
	const struct fleet_device *found = find_device(fleet, mac);

	return found != NULL ? found->place : "";
}

struct device *
fleet_add(struct fleet *fleet, const struct mac *mac, const char *place)
{
	struct fleet_device *added;

	if (fleet->device_count == FLEET_DEVICES_MAX) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: more than %d devices: import them in parts", place,
		    FLEET_DEVICES_MAX);
		return NULL;
	}
	added = xcalloc(1, sizeof(*added));
	added->mac = added->device.mac = *mac;
	added->place = xstrdup(place);
	added->index = fleet->device_count;
	HASH_ADD(hh, fleet->devices, mac, sizeof(added->mac), added);
	fleet->order = grown(fleet->order, fleet->device_count,
	    sizeof(struct fleet_device *));
	fleet->order[fleet->device_count++] = added;
	return &added->device;
}

size_t
fleet_device_count(const struct fleet *fleet)
{
	return fleet->device_count;
}

size_t
fleet_index(const struct fleet *fleet, const struct mac *mac)
{
	const struct fleet_device *found = find_device(fleet, mac);

	assert(found != NULL);
	return found->index;
}

struct device *
fleet_device(struct fleet *fleet, size_t i)
{
	return &fleet->order[i]->device;
}

struct scope *
fleet_scope(struct fleet *fleet, enum scope_kind kind, const char *name)
{
	struct fleet_scope *scope = NULL;
	char key[sizeof(scope->key)];

	(void)snprintf(key, sizeof(key), "%d%s", (int)kind, name);
	HASH_FIND_STR(fleet->scopes, key, scope);
	if (scope != NULL)
		return &scope->scope;
	scope = xcalloc(1, sizeof(*scope));
	scope->scope.kind = kind;
	(void)snprintf(scope->scope.name, sizeof(scope->scope.name), "%s",
	    name);
	memcpy(scope->key, key, sizeof(key));
	HASH_ADD_STR(fleet->scopes, key, scope);
	fleet->scope_order = grown(fleet->scope_order, fleet->scope_count,
	    sizeof(struct fleet_scope *));
	fleet->scope_order[fleet->scope_count++] = scope;
	return &scope->scope;
}

size_t
fleet_scope_count(const struct fleet *fleet)
{
	return fleet->scope_count;
}

struct scope *
fleet_scope_at(struct fleet *fleet, size_t i)
{
	return &fleet->scope_order[i]->scope;
}

void
fleet_type(struct fleet *fleet, const char *name, const char *text,
    const char *place)
{
	struct error err = { 0 };
	struct type type;

	if (strlen(name) > INVENTORY_NAME_MAX)
		(void)error_set(&err, ERROR_INPUT,
		    "the name is longer than %d bytes", INVENTORY_NAME_MAX);
	else if (fleet->types.count == TYPES_MAX)
		(void)error_set(&err, ERROR_INPUT, "more than %d types",
		    TYPES_MAX);
	else if (type_parse(&type, text, &err) == 0)
		types_append(&fleet->types, name, &type);
	if (err.kind != ERROR_NONE)
		fleet_say(fleet, FLEET_ERROR, "%s: the type of \"%.63s\": %s",
		    place, name, err.text);
}

const struct types *
fleet_types(const struct fleet *fleet)
{
	return &fleet->types;
}

void
fleet_template(struct fleet *fleet, const char *name, const char *text)
{
	for (size_t i = 0; i < fleet->template_count; i++) {
		if (strcmp(fleet->templates[i].name, name) != 0)
			continue;
		if (strcmp(fleet->templates[i].text, text) != 0)
			fleet_say(fleet, FLEET_ERROR,
			    "%s: two different templates would have that name",
			    name);
		return;
	}
	if (fleet->template_count == FLEET_TEMPLATES_MAX) {
		fleet_say(fleet, FLEET_ERROR,
		    "%s: more than %d templates: import in parts", name,
		    FLEET_TEMPLATES_MAX);
		return;
	}
	fleet->templates = grown(fleet->templates, fleet->template_count,
	    sizeof(*fleet->templates));
	fleet->templates[fleet->template_count++] = (struct fleet_template) {
		xstrdup(name), xstrdup(text)
	};
}

size_t
fleet_template_count(const struct fleet *fleet)
{
	return fleet->template_count;
}

const char *
fleet_template_at(const struct fleet *fleet, size_t i, const char **text)
{
	*text = fleet->templates[i].text;
	return fleet->templates[i].name;
}

/* Is it one of the words between ", "? */
static bool
is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += len)
		if ((p == list || p[-1] == ' ') &&
		    (p[len] == '\0' || p[len] == ','))
			return true;
	return false;
}

static void
list_parameter(struct fleet_leak *leak, const char *parameter)
{
	const char *old = leak->parameters;
	char *new;

	if (old != NULL && (is_listed(old, parameter) || is_listed(old, "...")))
		return;
	if (old == NULL)
		new = xstrdup(parameter);
	else if (strlen(old) + strlen(parameter) > PARAMETERS_MAX)
		new = xasprintf("%s, ...", old);
	else
		new = xasprintf("%s, %s", old, parameter);
	free(leak->parameters);
	leak->parameters = new;
}

void
fleet_leak(struct fleet *fleet, const char *file, mode_t mode,
    const char *parameter, size_t devices, const char *advice)
{
	struct fleet_leaking *leaking = NULL;

	HASH_FIND(hh, fleet->leaks, file, strlen(file), leaking);
	if (leaking == NULL) {
		if (fleet->leak_count == FLEET_LEAKS_MAX)
			return;
		leaking = xcalloc(1, sizeof(*leaking));
		leaking->leak.file = xstrdup(file);
		leaking->leak.mode = mode;
		leaking->leak.advice = advice;
		HASH_ADD_KEYPTR(hh, fleet->leaks, leaking->leak.file,
		    strlen(leaking->leak.file), leaking);
		fleet->leak_order = grown(fleet->leak_order, fleet->leak_count,
		    sizeof(struct fleet_leaking *));
		fleet->leak_order[fleet->leak_count++] = leaking;
	}
	list_parameter(&leaking->leak, parameter);
	if (devices > leaking->leak.devices)
		leaking->leak.devices = devices;
}

size_t
fleet_leak_count(const struct fleet *fleet)
{
	return fleet->leak_count;
}

const struct fleet_leak *
fleet_leak_at(const struct fleet *fleet, size_t i)
{
	return &fleet->leak_order[i]->leak;
}

void
fleet_set(struct fleet *fleet, struct variables *variables, const char *name,
    const char *value, const char *place)
{
	struct error err = { 0 };

	if (variables_set(variables, name, value, &err) != 0)
		fleet_say(fleet, FLEET_ERROR, "%s: %s", place, err.text);
}

void
fleet_set_line(struct fleet *fleet, struct variables *variables,
    const char *name, unsigned line, const char *value, const char *place)
{
	char numbered[INVENTORY_NAME_MAX + 1];

	(void)snprintf(numbered, sizeof(numbered), "%s_%u", name, line);
	fleet_set(fleet, variables, line == 1 ? name : numbered, value, place);
}

static void
free_devices(struct fleet *fleet)
{
	struct fleet_device *device, *next;

	HASH_ITER (hh, fleet->devices, device, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, fleet->devices, device);
		device_clear(&device->device);
		free(device->place);
		free(device);
	}
	free(fleet->order);
}

static void
free_scopes(struct fleet *fleet)
{
	struct fleet_scope *scope, *next;

	HASH_ITER (hh, fleet->scopes, scope, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, fleet->scopes, scope);
		scope_clear(&scope->scope);
		free(scope);
	}
	free(fleet->scope_order);
}

static void
free_leaks(struct fleet *fleet)
{
	struct fleet_leaking *leaking, *next;

	HASH_ITER (hh, fleet->leaks, leaking, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, fleet->leaks, leaking);
		free(leaking->leak.file);
		free(leaking->leak.parameters);
		free(leaking);
	}
	free(fleet->leak_order);
}

void
fleet_free(struct fleet *fleet)
{
	if (fleet == NULL)
		return;
	free_devices(fleet);
	free_scopes(fleet);
	free_leaks(fleet);
	types_clear(&fleet->types);
	for (size_t i = 0; i < fleet->template_count; i++) {
		/* A template may hold a password where it is literal. */
		OPENSSL_cleanse(fleet->templates[i].text,
		    strlen(fleet->templates[i].text));
		free(fleet->templates[i].text);
		free(fleet->templates[i].name);
	}
	free(fleet->templates);
	for (size_t kind = 0; kind < FLEET_REMARKS; kind++) {
		for (size_t i = 0; i < fleet->remarks[kind].kept; i++)
			free(fleet->remarks[kind].text[i]);
		free(fleet->remarks[kind].text);
	}
	free(fleet);
}
