/*
 * The text of a store's variables, and of types, from anywhere: what is taken
 * is written as it was, and checks do not care what a value is.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct variables variables;
	struct type type, again;
	struct error err = { 0 };
	struct buf buf;

	buf_init(&buf, 1 << 22);
	if (variables_decode(&variables, (const char *)data, size) == 0) {
		variables_encode(&variables, &buf);
		assert(buf.len == size &&
		    memcmp(buf_text(&buf), data, size) == 0);
	}
	variables_clear(&variables);
	buf_clear(&buf);
	if (type_parse(&type, text, &err) == 0) {
		if (type_parse(&again, type.text, &err) != 0)
			abort(); /* what it wrote itself */
		assert(again.kind == type.kind);
		if (type_check(&type, "name", text, &err) != 0)
			assert(err.kind == ERROR_INPUT);
	}
	free(text);
	return 0;
}
