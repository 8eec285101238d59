#include "http/field.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A line without its CRLF: is it that field?  Then *value begins its value. */
static bool
is_field(const char *line, size_t len, const char *name, const char **value)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' ||
	    strncasecmp(line, name, name_len) != 0)
		return false;
	*value = line + name_len + 1;
	return true;
}

static enum field_found
copy(const char *from, const char *end, char *value, size_t size)
{
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if ((size_t)(end - from) >= size)
		return FIELD_REFUSED;
	memcpy(value, from, (size_t)(end - from));
	value[end - from] = '\0';
	return FIELD_FOUND;
}

enum field_found
field_find(const char *head, size_t len, const char *name, char *value,
    size_t size)
{
	const char *end = head + len, *line = head, *from = NULL, *eol;
	enum field_found found = FIELD_NONE;

	*value = '\0';
	while (line < end && found != FIELD_REFUSED) {
		eol = memchr(line, '\r', (size_t)(end - line));
		if (eol == NULL)
			break;
		if (is_field(line, (size_t)(eol - line), name, &from))
			found = found == FIELD_NONE ?
			    copy(from, eol, value, size) :
			    FIELD_REFUSED;
		line = eol + 2 <= end ? eol + 2 : end;
	}
	if (found == FIELD_REFUSED)
		*value = '\0';
	return found;
}
