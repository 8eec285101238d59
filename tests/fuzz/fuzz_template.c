/*
 * Templates: any text, a fixed lookup.  A value holds a byte that the text
 * does not, so it is found in what is rendered: there it is whole, as it was
 * or escaped, and never a template again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provision/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX 65536

#define VALUE "\x02<>&\"'{{y}}{{>t}}{{#z}}"
#define ESCAPED "\x02&lt;&gt;&amp;&quot;&apos;{{y}}{{&gt;t}}{{#z}}"

static const char *
lookup(void *arg, const char *name)
{
	(void)arg;
	switch (name[0] | 0x20) {
	case 'x':
		return VALUE;
	case 'y':
		return "";
	case 'z':
		return "No";
	default:
		return NULL;
	}
}

/* Could the text hold a tag {{{x}}} or {{&x}}, with any delimiters? */
static bool
may_have_raw(const char *text)
{
	if (strpbrk(text, "&=") != NULL)
		return true;
	while ((text = strstr(text, "{{")) != NULL) {
		text += 2;
		if (text[strspn(text, " \t\r\n")] == '{')
			return true;
	}
	return false;
}

static void
check_values(const char *out, const char *text)
{
	bool raw_allowed = may_have_raw(text);

	while ((out = strchr(out, '\x02')) != NULL) {
		bool escaped = strncmp(out, ESCAPED, strlen(ESCAPED)) == 0;

		assert(escaped ||
		    (raw_allowed && strncmp(out, VALUE, strlen(VALUE)) == 0));
		out++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct templates *templates;
	struct errors errors = { 0 };
	struct error err = { 0 };
	struct buf out;
	char *text;
	bool checked;

	if (memchr(data, '\x02', size) != NULL)
		return 0;
	text = malloc(size + 1);
	templates = templates_new();
	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	buf_init(&out, OUT_MAX);
	if (templates_add(templates, "p", "[{{x}}]", 7, &err) != 0)
		abort();
	if (templates_add(templates, "t", text, size, &err) != 0) {
		assert(err.kind == ERROR_INPUT);
		assert(strncmp(err.text, "t:", 2) == 0);
		assert(strpbrk(err.text, "\r\n") == NULL);
		goto out;
	}
	checked = templates_check(templates, &errors) == 0;
	assert(checked == (errors.count == 0));
	if (templates_render(templates, "t", lookup, NULL, &out, &err) == 0)
		check_values(buf_text(&out), text);
	else
		assert(out.len == 0 && strchr("tp", err.text[0]) != NULL);
out:
	errors_clear(&errors);
	buf_clear(&out);
	templates_free(templates);
	free(text);
	return 0;
}
