/*
 * Flat profiles as lists: what profile_check() takes is read, or past a limit;
 * names, values and places are within bounds; and what is written is read back
 * as the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spa/flat_profile.h"
#include "spa/inspect.h"
#include "spa/mask.h"
#include "spa/profile.h"
#include "spa/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_parameter(const struct flat_parameter *parameter, size_t size)
{
	size_t len = strlen(parameter->value);

	assert(len <= FLAT_VALUE_MAX);
	assert(strpbrk(parameter->value, "\t\r\n") == NULL);
	assert(len == 0 ||
	    (parameter->value[0] != ' ' && parameter->value[len - 1] != ' '));
	assert(parameter->has_value || len == 0);
	assert(strlen(parameter->name) <= FLAT_NAME_MAX);
	assert(strlen(parameter->path) <= FLAT_PATH_MAX);
	assert(parameter->line > 0 && parameter->column > 0);
	assert(parameter->start <= parameter->end && parameter->end <= size);
}

/* Every parameter that counts is there again, and says the same. */
static void
check_same(const struct flat_profile *one, const struct flat_profile *two)
{
	size_t count = 0;

	for (size_t i = 0; i < flat_profile_count(one); i++) {
		const struct flat_parameter *a = flat_profile_at(one, i), *b;

		if (!a->counts)
			continue;
		count++;
		assert(flat_profile_find(one, a->path, a->name) == a);
		b = flat_profile_find(two, a->path, a->name);
		assert(b != NULL && strcmp(a->value, b->value) == 0);
		assert(a->has_value == b->has_value);
		assert(strcmp(flat_access_name(a->access),
			   flat_access_name(b->access)) == 0);
	}
	assert(count == flat_profile_count(two));
}

static void
write_and_read(const struct flat_profile *profile)
{
	struct error err = { 0 };
	struct flat_profile *again;
	struct buf out;

	buf_init(&out, PROFILE_BYTES_MAX);
	if (flat_profile_write(profile, &out, &err) == 0) {
		again = flat_profile_read(buf_text(&out), out.len, &err);
		assert(again != NULL);
		check_same(profile, again);
		flat_profile_free(again);
	}
	buf_clear(&out);
}

/* Whatever stands in it: findings are within it, and a mask leaves a profile. */
static void
inspect_and_mask(const struct flat_profile *profile, const char *text,
    size_t size)
{
	static const char *const models[] = { NULL, "SPA504G", "ATA192",
		"CP-8841-3PCC" };
	const char *model = models[size % 4];
	const struct inspect_options options = {
		.model = model != NULL ? registry_find_model(model, NULL) :
					 NULL,
		.firmware = "11.3(5)",
	};
	struct findings findings = { 0 };
	struct error err = { 0 };
	struct buf out;

	/* Many names take long, and say nothing new. */
	if (flat_profile_count(profile) <= 4)
		inspect_profile(profile, &options, &findings);
	assert(findings.kept <= FINDINGS_MAX);
	assert(findings.problems <= findings.count);
	findings_clear(&findings);
	/* One byte of a value may become a mask of eight. */
	buf_init(&out, 8 * size + 8);
	assert(profile_mask(text, size, &out, &err) == 0);
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *)data : "";
	struct error err = { 0 };
	bool good = profile_check(text, size, &err) == 0;
	struct flat_profile *profile = flat_profile_read(text, size, &err);

	if (profile == NULL) {
		assert(err.kind == ERROR_INPUT);
		assert(!good || strstr(err.text, "at most") != NULL ||
		    strstr(err.text, "longer than") != NULL ||
		    strstr(err.text, "more than") != NULL);
		return 0;
	}
	assert(good);
	for (size_t i = 0; i < flat_profile_count(profile); i++)
		check_parameter(flat_profile_at(profile, i), size);
	write_and_read(profile);
	inspect_and_mask(profile, text, size);
	flat_profile_free(profile);
	return 0;
}
