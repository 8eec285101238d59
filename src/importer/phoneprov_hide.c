/*
 * Secrets that stand in a template as text.
 */
#include "importer/phoneprov.h"
#include "importer/tree.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define ADVICE "only Asterisk should read it: chmod 640"

char *
phoneprov_unescape(const char *text)
{
	static const struct {
		const char *entity;
		char c;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' },
		{ "&quot;", '"' }, { "&apos;", '\'' } };
	char *plain = xstrdup(text), *to = plain;

	while (*text != '\0') {
		size_t i = 0;

		while (i < LENGTH(entities) &&
		    !text_starts(text, entities[i].entity))
			i++;
		*to++ = i < LENGTH(entities) ? entities[i].c : *text;
		text += i < LENGTH(entities) ? strlen(entities[i].entity) : 1;
	}
	*to = '\0';
	return plain;
}

/* Is it a value that is not one of our tags, nor empty? */
static bool
is_literal(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && isspace((unsigned char)text[i]))
		i++;
	return i < len && memmem(text, len, "{{", 2) == NULL;
}

/* Is it a parameter's name, and so one that a variable can have? */
static bool
is_parameter(const char *name)
{
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("_-.", *p) == NULL)
			return false;
	return true;
}

/* "<Name ...>value<": the value of a parameter that is secret, or NULL. */
static const char *
find_secret(const char *tag, char name[static 64], size_t *len)
{
	size_t n = strcspn(tag + 1, " \t\r\n/><");
	const char *value = tag + 1 + n;

	if (n == 0 || n > 50)
		return NULL;
	memcpy(name, tag + 1, n);
	name[n] = '\0';
	value += strcspn(value, "<>");
	if (*value != '>' || value[-1] == '/')
		return NULL;
	value++;
	*len = strcspn(value, "<");
	return is_parameter(name) && tree_is_secret(name) &&
		is_literal(value, *len) ?
	    value :
	    NULL;
}

/* The variable for it, with its value; *out gets the tag. */
static int
hide(struct fleet *fleet, struct variables *variables, const char *file,
    mode_t mode, const char *name, const char *value, size_t len,
    struct buf *out)
{
	char variable[64];
	char *text = xstrndup(value, len);
	char *plain = phoneprov_unescape(text);

	/* Its own name, and one that shows it is a secret. */
	(void)snprintf(variable, sizeof(variable), "%.50s%s", name,
	    variable_is_secret(name) ? "" : "_secret");
	fleet_set(fleet, variables, variable, plain, file);
	fleet_leak(fleet, file, mode, name, 0, ADVICE);
	OPENSSL_cleanse(text, strlen(text));
	OPENSSL_cleanse(plain, strlen(plain));
	free(text);
	free(plain);
	return buf_printf(out, "{{%s}}", variable);
}

int
phoneprov_hide(struct fleet *fleet, struct variables *variables,
    const char *file, mode_t mode, const char *text, struct buf *out)
{
	const char *p = text;

	while (*p != '\0') {
		char name[64];
		size_t len = 0;
		const char *value = *p == '<' ? find_secret(p, name, &len) :
						NULL;
		size_t plain = value != NULL ? (size_t)(value - p) :
					       1 + strcspn(p + 1, "<");

		if (buf_append(out, p, plain) != 0 ||
		    (value != NULL &&
			hide(fleet, variables, file, mode, name, value, len,
			    out) != 0)) {
			fleet_say(fleet, FLEET_ERROR,
			    "%s: as a template of ours it is longer than %zu "
			    "bytes",
			    file, out->limit);
			return -1;
		}
		p += plain + (value != NULL ? len : 0);
	}
	return 0;
}
