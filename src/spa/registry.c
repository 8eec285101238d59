#include "spa/registry.h"
#include "spa/spelling.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

#define SHA256_BYTES 32

const struct ca *
registry_find_ca(const char *id)
{
	for (size_t i = 0; i < registry_ca_count; i++) {
		if (strcmp(registry_cas[i].id, id) == 0)
			return &registry_cas[i];
	}
	return NULL;
}

bool
registry_is_server_ca(const struct ca *ca)
{
	switch (ca->role) {
	case CA_SERVER_ANCHOR:
	case CA_SERVER_INTERMEDIATE:
	case CA_SERVER_CLASS:
		return true;
	case CA_CLIENT_ANCHOR:
	case CA_CLIENT_INTERMEDIATE:
		return ca->is_also_server;
	}
	return false;
}

const struct source *
registry_find_source(const char *key, size_t len)
{
	for (size_t i = 0; i < registry_source_count; i++) {
		const struct source *source = &registry_sources[i];

		if (strlen(source->key) == len &&
		    memcmp(source->key, key, len) == 0)
			return source;
	}
	return NULL;
}

static bool
same_hash(const uint8_t *a, const uint8_t *b)
{
	return a != NULL && b != NULL && memcmp(a, b, SHA256_BYTES) == 0;
}

const struct denied *
registry_find_denied(const uint8_t *sha256, const uint8_t *key_sha256)
{
	for (size_t i = 0; i < registry_denied_count; i++) {
		const struct denied *denied = &registry_denied[i];

		if (same_hash(denied->sha256, sha256) ||
		    same_hash(denied->key_sha256, key_sha256))
			return denied;
	}
	return NULL;
}

/* Longer than any name that there is. */
#define SPELLING_MAX 64

/*
 * The SPA names are written with and without a hyphen ("SPA-962" in User-Agents
 * and certificates, "SPA962" in lists [SPA-LIST] [WAZO]); no others are.
 */
static bool
fold(const char *name, char folded[static SPELLING_MAX])
{
	bool hyphens = strncasecmp(name, "SPA", 3) != 0;
	size_t len = 0;

	for (; *name != '\0'; name++) {
		if (*name == '-' && !hyphens)
			continue;
		if (len == SPELLING_MAX - 1)
			return false;
		folded[len++] = *name >= 'a' && *name <= 'z' ?
		    (char)(*name - 'a' + 'A') :
		    *name;
	}
	folded[len] = '\0';
	return true;
}

static int
compare_spelling(const void *key, const void *member)
{
	const struct spelling *spelling = member;

	return strcmp(key, spelling->text);
}

/* Asked several times for each request. */
static const struct model *
find_exactly(const char *name)
{
	char folded[SPELLING_MAX];
	const struct spelling *found;

	if (!fold(name, folded))
		return NULL;
	found = bsearch(folded, registry_spellings, registry_spelling_count,
	    sizeof(*found), compare_spelling);
	return found != NULL ? &registry_models[found->model] : NULL;
}

static const struct model *
find_nearest(const char *name)
{
	const char **names = xcalloc(registry_model_count, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < registry_model_count; i++)
		names[i] = registry_models[i].name;
	nearest = text_nearest(name, names, registry_model_count);
	free(names);
	return nearest == NULL ? NULL : find_exactly(nearest);
}

const struct model *
registry_find_model(const char *name, const struct model **nearest)
{
	const struct model *model = find_exactly(name);

	if (nearest != NULL)
		*nearest = model == NULL ? find_nearest(name) : NULL;
	return model;
}

static bool
use_holds(const struct stack_use *use, const struct model *model,
    const struct firmware *firmware)
{
	struct firmware first;
	struct error err;
	int rc;

	if (strcmp(use->family, model->family) != 0)
		return false;
	if (use->model != NULL && strcmp(use->model, model->name) != 0)
		return false;
	if (use->firmware_min == NULL)
		return true;
	if (firmware == NULL)
		return false;
	rc = firmware_parse(&first, use->firmware_min, &err);
	assert(rc == 0); /* compile.py lets no malformed version pass */
	(void)rc;
	return firmware_compare(firmware, &first) >= 0;
}

const struct stack *
registry_find_stack(const struct model *model, const struct firmware *firmware)
{
	const struct stack *stack = NULL;
	const char *id = NULL;

	for (size_t i = 0; i < registry_stack_use_count; i++) {
		const struct stack_use *use = &registry_stack_uses[i];

		if (use_holds(use, model, firmware))
			id = use->stack;
	}
	for (size_t i = 0; id != NULL && i < registry_stack_count; i++) {
		if (strcmp(registry_stacks[i].id, id) == 0)
			stack = &registry_stacks[i];
	}
	assert(stack != NULL); /* compile.py sees that every family has one */
	return stack;
}

const char *
verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_UNKNOWN:
		return "unknown";
	case VERDICT_NOT:
		return "not";
	case VERDICT_TRUSTED:
		return "trusted";
	}
	return "?";
}

const char *
basis_name(enum basis basis)
{
	switch (basis) {
	case BASIS_OBSERVED:
		return "observed";
	case BASIS_TESTED:
		return "tested";
	case BASIS_FIRMWARE:
		return "firmware";
	case BASIS_VENDOR:
		return "vendor";
	case BASIS_COMMUNITY:
		return "community";
	case BASIS_INFERRED:
		return "inferred";
	case BASIS_NONE:
		return "none";
	}
	return "?";
}

const char *
confidence_name(enum confidence confidence)
{
	switch (confidence) {
	case CONFIDENCE_HIGH:
		return "high";
	case CONFIDENCE_MEDIUM:
		return "medium";
	case CONFIDENCE_LOW:
		return "low";
	case CONFIDENCE_NONE:
		return "none";
	}
	return "?";
}
