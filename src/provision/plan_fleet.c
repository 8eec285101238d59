#include "provision/plan_fleet.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

#define MODEL_TEXT_MAX 63
#define KEY_MAX (MODEL_TEXT_MAX + 1 + FIRMWARE_TEXT_MAX)
#define SHOWN_BYTES 96

/* One way in which model and firmware were written. */
struct spelling {
	UT_hash_handle hh;
	struct plan_group group;
	char key[]; /* model, NUL, firmware */
};

struct plan_fleet {
	struct spelling *spellings;
	struct spelling *last; /* rows of one kind often follow each other */
	size_t last_len;
	struct plan_group *groups; /* what was handed out */
};

struct plan_fleet *
plan_fleet_new(void)
{
	return xcalloc(1, sizeof(struct plan_fleet));
}

void
plan_fleet_free(struct plan_fleet *fleet)
{
	struct spelling *spelling, *next;

	if (fleet == NULL)
		return;
	HASH_ITER (hh, fleet->spellings, spelling, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): of uthash */
		HASH_DELETE(hh, fleet->spellings, spelling);
		free(spelling);
	}
	free(fleet->groups);
	free(fleet);
}

/* ------------------------------------------------------------- reading */

static int
find_model(const struct model **model, const char *text, size_t len,
    struct error *err)
{
	char name[MODEL_TEXT_MAX + 1], shown[SHOWN_BYTES];
	const struct model *nearest = NULL;

	text_escape(text, len, shown, sizeof(shown));
	if (len == 0)
		return error_set(err, ERROR_INPUT, "the model is missing");
	*model = NULL;
	if (len <= MODEL_TEXT_MAX && memchr(text, '\0', len) == NULL) {
		memcpy(name, text, len);
		name[len] = '\0';
		*model = registry_find_model(name, &nearest);
	}
	if (*model != NULL)
		return 0;
	if (nearest != NULL)
		return error_set(err, ERROR_INPUT,
		    "unknown model \"%s\"; did you mean %s?", shown,
		    nearest->name);
	return error_set(err, ERROR_INPUT,
	    "unknown model \"%s\": expected one such as SPA504G or "
	    "ATA191-MPP",
	    shown);
}

/*
 * ASSUMED: a family whose known releases all begin with one digit has none
 * that begins with two, and the reverse: the multiplatform line counts from
 * 10 on, all others stayed below.  So a version of the one is a mistake with
 * a model of the other.
 */
static int
check_possible(const struct model *model, const struct firmware *firmware,
    struct error *err)
{
	const struct release *lowest = NULL, *highest = NULL;
	bool one_digit = firmware->part[0].number < 10, fits = false;
	struct firmware low, high, version;
	struct error ignored;

	for (size_t i = 0; i < registry_release_count; i++) {
		const struct release *release = &registry_releases[i];

		if (strcmp(release->family, model->family) != 0 ||
		    firmware_parse(&version, release->version, &ignored) != 0)
			continue;
		fits |= (version.part[0].number < 10) == one_digit;
		if (lowest == NULL || firmware_compare(&version, &low) < 0) {
			lowest = release;
			low = version;
		}
		if (highest == NULL || firmware_compare(&version, &high) > 0) {
			highest = release;
			high = version;
		}
	}
	if (lowest == NULL || fits)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "firmware \"%s\" cannot be that of a %s: those known are %s to %s",
	    firmware->text, model->name, lowest->version, highest->version);
}

static int
read_firmware(struct plan_group *group, const char *text, size_t len,
    struct error *err)
{
	char version[FIRMWARE_TEXT_MAX + 1], shown[SHOWN_BYTES];

	group->has_firmware = len > 0;
	if (len == 0)
		return 0;
	if (len > FIRMWARE_TEXT_MAX || memchr(text, '\0', len) != NULL) {
		text_escape(text, len, shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "firmware \"%s\": wanted a version such as 7.5.2b, "
		    "1.3.1(003) or 11-1-0MSR4",
		    shown);
	}
	memcpy(version, text, len);
	version[len] = '\0';
	if (firmware_parse(&group->firmware, version, err) != 0)
		return -1;
	return check_possible(group->model, &group->firmware, err);
}

/* -------------------------------------------------------------- adding */

static struct spelling *
find_spelling(struct plan_fleet *fleet, const char *key, size_t len)
{
	struct spelling *found = NULL;

	if (fleet->last != NULL && fleet->last_len == len &&
	    memcmp(fleet->last->key, key, len) == 0)
		return fleet->last;
	HASH_FIND(hh, fleet->spellings, key, len, found);
	return found;
}

static struct spelling *
new_spelling(struct plan_fleet *fleet, const struct plan_group *group,
    const char *key, size_t len, struct error *err)
{
	struct spelling *spelling;

	if (HASH_COUNT(fleet->spellings) >= PLAN_SPELLINGS_MAX) {
		(void)error_set(err, ERROR_INPUT,
		    "more than %d different spellings of model and firmware",
		    PLAN_SPELLINGS_MAX);
		return NULL;
	}
	spelling = xcalloc(1, sizeof(*spelling) + len);
	spelling->group = *group;
	memcpy(spelling->key, key, len);
	HASH_ADD_KEYPTR(hh, fleet->spellings, spelling->key, len, spelling);
	return spelling;
}

int
plan_fleet_add(struct plan_fleet *fleet, const char *model, size_t model_len,
    const char *firmware, size_t firmware_len, uint64_t count,
    bool *bad_firmware, struct error *err)
{
	struct plan_group group = { .model = NULL };
	struct spelling *spelling = NULL;
	char key[KEY_MAX];
	size_t len = model_len + 1 + firmware_len;

	*bad_firmware = false;
	if (model_len <= MODEL_TEXT_MAX && firmware_len <= FIRMWARE_TEXT_MAX) {
		memcpy(key, model, model_len);
		key[model_len] = '\0';
		memcpy(key + model_len + 1, firmware, firmware_len);
		spelling = find_spelling(fleet, key, len);
	}
	if (spelling == NULL) {
		if (find_model(&group.model, model, model_len, err) != 0)
			return -1;
		*bad_firmware = true;
		if (read_firmware(&group, firmware, firmware_len, err) != 0)
			return -1;
		*bad_firmware = false;
		spelling = new_spelling(fleet, &group, key, len, err);
	}
	if (spelling == NULL)
		return -1;
	spelling->group.count += count;
	fleet->last = spelling;
	fleet->last_len = len;
	return 0;
}

/* -------------------------------------------------------------- groups */

static int
compare_groups(const void *one, const void *other)
{
	const struct plan_group *a = one, *b = other;

	if (a->model != b->model)
		return a->model < b->model ? -1 : 1;
	if (a->has_firmware != b->has_firmware)
		return a->has_firmware ? 1 : -1;
	return a->has_firmware ? firmware_compare(&a->firmware, &b->firmware) :
				 0;
}

const struct plan_group *
plan_fleet_groups(struct plan_fleet *fleet, size_t *count)
{
	size_t n = 0, kept = 0;
	struct spelling *spelling, *next;

	free(fleet->groups);
	fleet->groups = xcalloc(HASH_COUNT(fleet->spellings) + 1,
	    sizeof(*fleet->groups));
	HASH_ITER (hh, fleet->spellings, spelling, next)
		fleet->groups[n++] = spelling->group;
	qsort(fleet->groups, n, sizeof(*fleet->groups), compare_groups);
	for (size_t i = 0; i < n; i++) {
		struct plan_group *last = kept > 0 ? &fleet->groups[kept - 1] :
						     NULL;

		if (last != NULL &&
		    compare_groups(last, &fleet->groups[i]) == 0)
			last->count += fleet->groups[i].count;
		else
			fleet->groups[kept++] = fleet->groups[i];
	}
	*count = kept;
	return fleet->groups;
}
