/*
 * SPC's plain text: what was read and can be written reads as the same again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spa/spc_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that imports itself. */
static int
import(void *arg, const char *name, char **text, size_t *len, struct error *err)
{
	(void)err;
	assert(name[0] != '\0');
	*text = xstrndup(arg, strlen(arg));
	*len = strlen(arg);
	return 0;
}

static void
compare(const struct flat_profile *a, const struct flat_profile *b)
{
	for (size_t i = 0; i < flat_profile_count(a); i++) {
		const struct flat_parameter *p = flat_profile_at(a, i), *q;

		if (!p->counts)
			continue;
		q = flat_profile_find(b, p->path, p->name);
		assert(q != NULL && q->has_value == p->has_value);
		assert(strcmp(p->value, q->value) == 0);
		assert(p->access == q->access);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	char *text = xstrndup((const char *)data, size);
	struct flat_profile *profile, *again = NULL;
	struct buf out;

	buf_init(&out, 1024UL * 1024);
	profile = spc_text_read((const char *)data, size, import, text, &err);
	assert((profile == NULL) == (err.text[0] != '\0'));
	if (profile != NULL && spc_text_write(profile, &out, &err) == 0) {
		again = spc_text_read(buf_text(&out), out.len, NULL, NULL,
		    &err);
		assert(again != NULL);
		compare(profile, again);
	}
	flat_profile_free(again);
	flat_profile_free(profile);
	buf_clear(&out);
	free(text);
	return 0;
}
