#include "http/query.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

static bool
decode(const char *from, size_t len, char *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)from[i];
		char hex[3] = { 0 };

		if (from[i] == '+') {
			byte = ' ';
		} else if (from[i] == '%') {
			if (i + 2 >= len)
				return false;
			memcpy(hex, from + i + 1, 2);
			if (!text_unhex(hex, &byte, 1))
				return false;
			i += 2;
		}
		if (byte < 0x20 || byte == 0x7f || n + 1 >= size)
			return false;
		to[n++] = (char)byte;
	}
	to[n] = '\0';
	return true;
}

static bool
read_one(struct query *query, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
	const char *value = equals != NULL ? equals + 1 : text + len;
	size_t i = query->count;

	if (i == QUERY_PARAMETERS_MAX ||
	    !decode(text, name_len, query->list[i].name,
		sizeof(query->list[i].name)) ||
	    !decode(value, (size_t)(text + len - value), query->list[i].value,
		sizeof(query->list[i].value)) ||
	    query_find(query, query->list[i].name) >= 0)
		return false;
	query->count++;
	return true;
}

bool
query_read(struct query *query, const char *text)
{
	query->count = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, "&");

		if (len > 0 && !read_one(query, text, len))
			return false;
		text += len + (text[len] == '&');
	}
	return true;
}

int
query_find(const struct query *query, const char *name)
{
	for (size_t i = 0; i < query->count; i++)
		if (strcmp(query->list[i].name, name) == 0)
			return (int)i;
	return -1;
}
