#include "admin/exposition.h"
#include "base/buf.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define VALUE_MAX 512 /* of a label; what is longer is cut */

static void
put(struct exposition *exposition, const char *text)
{
	if (buf_append_text(exposition->out, text) != 0)
		exposition->failed = -1;
}

void
exposition_family(struct exposition *exposition, const char *name,
    const char *type, const char *help)
{
	exposition->name = name;
	if (buf_printf(exposition->out, "# HELP %s %s\n# TYPE %s %s\n", name,
		help, name, type) != 0)
		exposition->failed = -1;
}

/* What is no plain character becomes \xNN, and the format wants '\' twice. */
static void
put_value(struct exposition *exposition, const char *value)
{
	char shown[VALUE_MAX], *at = shown;

	text_escape(value, strlen(value), shown, sizeof(shown));
	while (*at != '\0') {
		size_t len = strcspn(at, "\\");

		if (buf_append(exposition->out, at, len) != 0)
			exposition->failed = -1;
		at += len;
		if (*at == '\\') {
			put(exposition, "\\\\");
			at++;
		}
	}
}

static void
put_head(struct exposition *exposition, const char *suffix,
    const struct exposition_label *labels, size_t count)
{
	put(exposition, exposition->name);
	put(exposition, suffix);
	for (size_t i = 0; i < count; i++) {
		put(exposition, i == 0 ? "{" : ",");
		put(exposition, labels[i].name);
		put(exposition, "=\"");
		put_value(exposition, labels[i].value);
		put(exposition, "\"");
	}
	put(exposition, count > 0 ? "} " : " ");
}

void
exposition_integer(struct exposition *exposition, const char *suffix,
    const struct exposition_label *labels, size_t count, uint64_t value)
{
	put_head(exposition, suffix, labels, count);
	if (buf_printf(exposition->out, "%" PRIu64 "\n", value) != 0)
		exposition->failed = -1;
}

void
exposition_real(struct exposition *exposition, const char *suffix,
    const struct exposition_label *labels, size_t count, double value)
{
	put_head(exposition, suffix, labels, count);
	if (buf_printf(exposition->out, "%.9g\n", value) != 0)
		exposition->failed = -1;
}
