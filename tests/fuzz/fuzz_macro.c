/* Macro expansion over any text; the first byte's lowest bit: in options. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "spa/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 65536
#define VALUE_MAX 26 /* the longest value below */

static const struct macro list[] = {
	{ "MA", "000e08aabbcc", false },
	{ "A", "$MA $(A) ]\" | (", false },
	{ "B", "abcdefghijklmnopqrstuvwxyz", false },
	{ "D", "", false },
	{ "SA", "hidden", true },
};

/* Without any macro set, only "$$" means something. */
static void
check_unset(const char *text, size_t len)
{
	const struct macros none = { NULL, 0 };
	struct buf out;
	size_t i = 0, o = 0;

	buf_init(&out, LIMIT);
	if (macro_expand(&none, text, len, true, &out) == -1)
		abort();
	for (; i < len; i++, o++) {
		assert(o < out.len && buf_text(&out)[o] == text[i]);
		if (text[i] == '$' && i + 1 < len && text[i + 1] == '$')
			i++;
	}
	assert(o == out.len);
	buf_clear(&out);
}

static void
check_full(const struct macros *macros, const char *text, size_t len,
    bool in_options, size_t need)
{
	struct buf out;

	buf_init(&out, need == 0 ? 0 : need - 1);
	if (macro_expand(macros, text, len, in_options, &out) == 0)
		assert(need == 0);
	assert(out.len == 0);
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct macros macros = { list, sizeof(list) / sizeof(*list) };
	bool in_options = size > 0 && (data[0] & 1) != 0;
	const char *text = (const char *)data;
	struct buf out;

	if (size > LIMIT / VALUE_MAX)
		return 0;
	buf_init(&out, LIMIT);
	if (macro_expand(&macros, text, size, in_options, &out) == -1)
		abort();
	assert(out.len <= size * VALUE_MAX);
	if (memchr(text, '$', size) == NULL)
		assert(out.len == size &&
		    (size == 0 || memcmp(out.data, text, size) == 0));
	if (!in_options && memmem(text, size, "hidden", 6) == NULL &&
	    memchr(text, '(', size) == NULL)
		assert(strstr(buf_text(&out), "hidden") == NULL);
	check_full(&macros, text, size, in_options, out.len);
	check_unset(text, size);
	buf_clear(&out);
	return 0;
}
