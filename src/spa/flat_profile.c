#include "spa/flat_profile.h"
#include "base/mem.h"
#include "spa/profile.h"
#include "spa/profile_xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct flat_profile {
	struct flat_parameter *list;
	size_t count, size;
	char **paths; /* different ones beside each other; list borrows them */
	size_t path_count;
	size_t *sorted; /* those that count, by name and path */
	size_t sorted_count;
};

static const char *const access_names[] = {
	[FLAT_ACCESS_UNSET] = "",
	[FLAT_ACCESS_NONE] = "na",
	[FLAT_ACCESS_READ] = "ro",
	[FLAT_ACCESS_WRITE] = "rw",
	[FLAT_ACCESS_WRONG] = "",
};

const char *
flat_access_name(enum flat_access access)
{
	return access_names[access];
}

static void
free_text(const char *text, bool wipe)
{
	char *own = (char *)(uintptr_t)text; /* ours since flat_profile_add */

	if (own != NULL && wipe)
		explicit_bzero(own, strlen(own));
	free(own);
}

void
flat_profile_free(struct flat_profile *profile)
{
	if (profile == NULL)
		return;
	for (size_t i = 0; i < profile->count; i++) {
		free_text(profile->list[i].name, false);
		free_text(profile->list[i].value, true);
	}
	for (size_t i = 0; i < profile->path_count; i++)
		free(profile->paths[i]);
	free(profile->list);
	free(profile->paths);
	free(profile->sorted);
	free(profile);
}

struct flat_profile *
flat_profile_new(void)
{
	return xcalloc(1, sizeof(struct flat_profile));
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char *
tidy(const char *text)
{
	size_t len = strlen(text), start = 0;
	char *value;

	while (start < len && is_blank(text[start]))
		start++;
	while (len > start && is_blank(text[len - 1]))
		len--;
	value = xstrndup(text + start, len - start);
	for (char *p = value; *p != '\0'; p++)
		if (is_blank(*p))
			*p = ' ';
	return value;
}

/* Bytes beyond ASCII are left to the XML parser. */
static bool
is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
		    (unsigned char)c >= 0x80;

		if (!letter &&
		    (i == 0 ||
			!((c >= '0' && c <= '9') || c == '-' || c == '.')))
			return false;
	}
	return len > 0;
}

static bool
is_path(const char *path)
{
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (!is_name(path, len))
			return false;
		path += len;
		if (*path == '/' && *++path == '\0')
			return false;
	}
	return true;
}

static int
check_parameter(const struct flat_profile *profile,
    const struct flat_parameter *parameter, struct error *err)
{
	size_t len = strlen(parameter->name);

	if (profile->count == FLAT_PARAMETERS_MAX)
		return error_set(err, ERROR_INPUT,
		    "more than %d parameters in one profile",
		    FLAT_PARAMETERS_MAX);
	if (len > FLAT_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "the name of a parameter has %zu bytes: at most %d are "
		    "allowed",
		    len, FLAT_NAME_MAX);
	if (!is_name(parameter->name, len))
		return error_set(err, ERROR_INPUT,
		    "\"%s\" cannot be the name of an element", parameter->name);
	if (strlen(parameter->path) > FLAT_PATH_MAX ||
	    !is_path(parameter->path))
		return error_set(err, ERROR_INPUT,
		    "the path of %s is no list of at most %d bytes of names "
		    "with '/' between them",
		    parameter->name, FLAT_PATH_MAX);
	if (strlen(parameter->value) > FLAT_VALUE_MAX)
		return error_set(err, ERROR_INPUT,
		    "the value of %s is longer than %d bytes", parameter->name,
		    FLAT_VALUE_MAX);
	return 0;
}

/* Parameters that follow each other mostly have one path: it is kept once. */
static const char *
keep_path(struct flat_profile *profile, const char *path)
{
	size_t n = profile->path_count;

	if (*path == '\0')
		return "";
	if (n > 0 && strcmp(profile->paths[n - 1], path) == 0)
		return profile->paths[n - 1];
	profile->paths = xrealloc(profile->paths,
	    (n + 1) * sizeof(*profile->paths));
	profile->path_count = n + 1;
	return profile->paths[n] = xstrdup(path);
}

int
flat_profile_add(struct flat_profile *profile,
    const struct flat_parameter *parameter, struct error *err)
{
	struct flat_parameter *own;

	if (check_parameter(profile, parameter, err) != 0)
		return -1;
	if (profile->count == profile->size) {
		profile->size = profile->size != 0 ? 2 * profile->size : 64;
		profile->list = xrealloc(profile->list,
		    profile->size * sizeof(*profile->list));
	}
	own = &profile->list[profile->count++];
	*own = *parameter;
	own->counts = false;
	own->name = xstrdup(parameter->name);
	own->path = keep_path(profile, parameter->path);
	own->value = tidy(parameter->has_value ? parameter->value : "");
	return 0;
}

static int
compare_names(const struct flat_parameter *a, const struct flat_parameter *b)
{
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->path, b->path);
}

static int
compare_indices(const void *a, const void *b, void *arg)
{
	const struct flat_profile *profile = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int order = compare_names(&profile->list[i], &profile->list[j]);

	return order != 0 ? order : (i > j) - (i < j);
}

/* Of occurrences of one parameter, as sorted: which one counts? */
static size_t
choose(const struct flat_profile *profile, const size_t *same, size_t count)
{
	for (size_t i = count; i > 0; i--)
		if (profile->list[same[i - 1]].has_value)
			return same[i - 1];
	return same[count - 1];
}

static void
settle_same(struct flat_profile *profile, const size_t *same, size_t count)
{
	size_t chosen = choose(profile, same, count);

	profile->list[chosen].counts = true;
	/* <X ua="na"/> behind it changes the access and nothing else. */
	for (size_t i = 0; i < count; i++)
		if (same[i] > chosen &&
		    profile->list[same[i]].access != FLAT_ACCESS_UNSET)
			profile->list[chosen].access =
			    profile->list[same[i]].access;
	profile->sorted[profile->sorted_count++] = chosen;
}

void
flat_profile_settle(struct flat_profile *profile)
{
	size_t *all = xcalloc(profile->count + 1, sizeof(*all));
	size_t start = 0;

	for (size_t i = 0; i < profile->count; i++) {
		all[i] = i;
		profile->list[i].counts = false;
	}
	qsort_r(all, profile->count, sizeof(*all), compare_indices, profile);
	free(profile->sorted);
	profile->sorted = xcalloc(profile->count + 1, sizeof(*profile->sorted));
	profile->sorted_count = 0;
	for (size_t i = 1; i <= profile->count; i++)
		if (i == profile->count ||
		    compare_names(&profile->list[all[start]],
			&profile->list[all[i]]) != 0) {
			settle_same(profile, all + start, i - start);
			start = i;
		}
	free(all);
}

void
flat_profile_set_value(struct flat_profile *profile, size_t index,
    const char *value)
{
	free_text(profile->list[index].value, true);
	profile->list[index].value = tidy(value);
	profile->list[index].has_value = true;
}

size_t
flat_profile_count(const struct flat_profile *profile)
{
	return profile->count;
}

const struct flat_parameter *
flat_profile_at(const struct flat_profile *profile, size_t index)
{
	return &profile->list[index];
}

const struct flat_parameter *
flat_profile_find(const struct flat_profile *profile, const char *path,
    const char *name)
{
	const struct flat_parameter wanted = { .name = name, .path = path };
	size_t low = 0, high = profile->sorted_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct flat_parameter *found =
		    &profile->list[profile->sorted[middle]];
		int order = compare_names(&wanted, found);

		if (order == 0)
			return found;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *
flat_profile_value(const struct flat_profile *profile, const char *name)
{
	const struct flat_parameter *found = flat_profile_find(profile, "",
	    name);

	return found != NULL && found->has_value ? found->value : NULL;
}

int
flat_escape(struct buf *out, const char *text)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = {
		{ '&', "&amp;" },
		{ '<', "&lt;" },
		{ '>', "&gt;" },
		{ '"', "&quot;" },
		{ '\'', "&apos;" },
	};

	for (;;) {
		size_t plain = strcspn(text, "&<>\"'"), i = 0;

		if (buf_append(out, text, plain) != 0)
			return -1;
		text += plain;
		if (*text == '\0')
			return 0;
		while (entities[i].c != *text)
			i++;
		if (buf_append_text(out, entities[i].entity) != 0)
			return -1;
		text++;
	}
}
