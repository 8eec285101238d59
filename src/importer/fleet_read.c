/*
 * The spellings of models and addresses that other systems use.
 */
#include "importer/fleet.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "spa/registry.h"

#define WORD_MAX 63

bool
fleet_read_mac(struct mac *mac, const char *text)
{
	char digits[MAC_TEXT_BYTES];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (isxdigit((unsigned char)*text)) {
			if (n == sizeof(digits) - 1)
				return false;
			digits[n++] = *text;
		} else if (strchr(":-. ", *text) == NULL) {
			return false;
		}
	}
	return n == sizeof(digits) - 1 && mac_read(mac, digits, n);
}

/*
 * A model by what it is called, or by that less what is often left out: the
 * ATA's "-MPP", the phone's "CP-" and "-3PCC".
 */
static const struct model *
find_word(const char *word)
{
	static const char *const forms[] = { "%s", "%s-MPP", "CP-%s",
		"CP-%s-3PCC", "%s-3PCC" };
	char name[WORD_MAX + 16];
	const struct model *model = NULL;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(name, sizeof(name), forms[i], word);
#pragma GCC diagnostic pop
		/* A bare number is too little to name a phone... */
		if (i >= 2 && strlen(word) < 4)
			break;
		model = registry_find_model(name, NULL);
		if (model != NULL)
			return model;
	}
	return NULL;
}

/* From the longest run of words to the shortest, from the left: "cp-8841-3pcc"
 * is one name, and "spa504g-000e08aabbcc" begins with one. */
const struct model *
fleet_find_model(const char *text)
{
	static const char separators[] = "/\\ ,;()[]{}<>\"'=:";
	char word[WORD_MAX + 1];

	while (*text != '\0') {
		size_t len = strcspn(text, separators);

		for (size_t from = 0; from < len && len <= WORD_MAX;) {
			for (size_t n = len - from; n >= 3; n--) {
				const struct model *model;
				char after = text[from + n];

				if (n < len - from && after != '-' &&
				    after != '_' && after != '.')
					continue;
				memcpy(word, text + from, n);
				word[n] = '\0';
				model = find_word(word);
				if (model != NULL)
					return model;
			}
			while (from < len && strchr("-_.", text[from]) == NULL)
				from++;
			from++;
		}
		text += len;
		text += strspn(text, separators);
	}
	return NULL;
}
