/*
 * Which variables hold secrets, by their names.
 */
#include "inventory/inventory.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* Is there a word of this length, whatever the case, at the end of text? */
static bool
word_ends(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && strncasecmp(text + len - n, word, n) == 0;
}

/* A part of a name: "Admin", "PIN", "apikey", plural or not. */
static bool
is_secret_part(const char *part, size_t len)
{
	if (len > 1 && tolower((unsigned char)part[len - 1]) == 's')
		len--;
	return word_ends(part, len, "key") ||
	    (len == 3 && word_ends(part, len, "pin"));
}

/*
 * The long words count wherever they are: hiding one too many is harmless.
 * "key" and "pin" are in "keypad" and "shipping" too, so they have to be or to
 * end a part; parts are split by '_', '-', '.', digits, and at a capital after
 * a small letter.
 */
bool
variable_is_secret(const char *name)
{
	static const char *const words[] = { "password", "passwd", "pwd",
		"secret" };
	size_t start = 0, len = strlen(name);

	for (size_t i = 0; i < LENGTH(words); i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	for (size_t i = 0; i <= len; i++) {
		bool inside = i < len && isalpha((unsigned char)name[i]);

		if (inside &&
		    (i == start || !isupper((unsigned char)name[i]) ||
			!islower((unsigned char)name[i - 1])))
			continue;
		if (is_secret_part(name + start, i - start))
			return true;
		start = inside ? i : i + 1;
	}
	return false;
}
