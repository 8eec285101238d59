#include "inventory/tags.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static bool
is_tag_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

int
tags_check_name(const char *name, struct error *err)
{
	size_t len = strlen(name);
	bool good = len > 0 && len <= INVENTORY_NAME_MAX;
	char shown[80];

	for (size_t i = 0; good && i < len; i++)
		good = is_tag_char(name[i]);
	if (good)
		return 0;
	text_escape(name, len, shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is not the name of a tag: expected letters, digits, '_', "
	    "'-' or '.', at most %d in all",
	    shown, INVENTORY_NAME_MAX);
}

bool
tags_have(const struct tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->count; i++)
		if (strcmp(tags->list[i], name) == 0)
			return true;
	return false;
}

int
tags_add(struct tags *tags, const char *name, struct error *err)
{
	if (tags_check_name(name, err) != 0)
		return -1;
	if (tags_have(tags, name))
		return 0;
	if (tags->count >= INVENTORY_TAGS_MAX)
		return error_set(err, ERROR_INPUT,
		    "no room for the tag %s: there are %d already", name,
		    INVENTORY_TAGS_MAX);
	tags->list = xrealloc(tags->list,
	    (tags->count + 1) * sizeof(*tags->list));
	tags->list[tags->count++] = xstrdup(name);
	return 0;
}

bool
tags_remove(struct tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->count; i++) {
		if (strcmp(tags->list[i], name) != 0)
			continue;
		free(tags->list[i]);
		tags->count--;
		memmove(tags->list + i, tags->list + i + 1,
		    (tags->count - i) * sizeof(*tags->list));
		return true;
	}
	return false;
}

int
tags_parse(struct tags *tags, const char *text, struct error *err)
{
	struct tags fresh = { 0 };
	char *name;
	int rc = 0;

	text += strspn(text, " ");
	while (rc == 0 && *text != '\0') {
		size_t len = strcspn(text, ","), end = len;

		while (end > 0 && text[end - 1] == ' ')
			end--;
		name = xstrndup(text, end);
		rc = tags_add(&fresh, name, err);
		free(name);
		text += len;
		if (*text == ',') {
			text++;
			text += strspn(text, " ");
		}
	}
	if (rc != 0) {
		tags_clear(&fresh);
		return -1;
	}
	tags_clear(tags);
	*tags = fresh;
	return 0;
}

char *
tags_format(const struct tags *tags)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < tags->count; i++)
		size += strlen(tags->list[i]) + 1;
	text = end = xcalloc(1, size);
	for (size_t i = 0; i < tags->count; i++) {
		if (i > 0)
			*end++ = ',';
		end = stpcpy(end, tags->list[i]);
	}
	return text;
}

void
tags_copy(struct tags *to, const struct tags *from)
{
	*to = (struct tags) { 0 };
	if (from->count == 0)
		return;
	to->list = xcalloc(from->count, sizeof(*to->list));
	for (size_t i = 0; i < from->count; i++)
		to->list[i] = xstrdup(from->list[i]);
	to->count = from->count;
}

void
tags_clear(struct tags *tags)
{
	for (size_t i = 0; i < tags->count; i++)
		free(tags->list[i]);
	free(tags->list);
	*tags = (struct tags) { 0 };
}
