#include "notice/said.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define FILE_MAX (16 * 1024 * 1024)

struct said {
	json_t *names; /* each an object: key, and when it was so last or, with
			* a text, {"at": when, "text": what} */
	bool changed;
};

/* NULL: it is none. */
static json_t *
time_of(json_t *value)
{
	json_t *at = json_is_object(value) ? json_object_get(value, "at") :
					     value;

	return json_is_integer(at) ? at : NULL;
}

/* NULL: there is none. */
static const char *
text_of(const json_t *value)
{
	return json_string_value(json_object_get(value, "text"));
}

static bool
is_value(json_t *value)
{
	const char *text = text_of(value);

	return time_of(value) != NULL &&
	    (!json_is_object(value) ||
		(text != NULL && strlen(text) <= SAID_TEXT_MAX));
}

/* {"said": {"noc": {"migration:3": 1764081234}}} */
static json_t *
read_names(const char *text, size_t len)
{
	json_t *json = json_loadb(text, len, 0, NULL);
	json_t *names = json_object_get(json, "said");
	const char *name, *key;
	json_t *keys, *at;
	bool good = json_is_object(names);

	json_object_foreach(names, name, keys)
	{
		good &= json_is_object(keys) &&
		    json_object_size(keys) <= SAID_KEYS_MAX;
		json_object_foreach(keys, key, at) good &= is_value(at);
	}
	names = good ? json_incref(names) : NULL;
	json_decref(json);
	return names;
}

struct said *
said_load(const char *path, struct error *err)
{
	struct said *said = xcalloc(1, sizeof(*said));
	char *text = NULL;
	size_t len = 0;

	if (file_read(path, FILE_MAX, &text, &len, err) == 0) {
		said->names = read_names(text, len);
		if (said->names == NULL)
			(void)error_set(err, ERROR_INPUT,
			    "%s is damaged: what was said is said again", path);
	} else if (err->kind == ERROR_NOT_FOUND) {
		err->kind = ERROR_NONE; /* the first start */
	}
	if (said->names == NULL)
		said->names = json_object();
	free(text);
	return said;
}

void
said_free(struct said *said)
{
	if (said == NULL)
		return;
	json_decref(said->names);
	free(said);
}

bool
said_is(struct said *said, const char *name, const char *key, time_t now)
{
	json_t *at = time_of(json_object_get(json_object_get(said->names, name),
	    key));

	if (at == NULL)
		return false;
	/* To be right within half of the time is enough for the file. */
	if (now - json_integer_value(at) > SAID_KEEP_S / 2)
		said->changed = true;
	(void)json_integer_set(at, (json_int_t)now);
	return true;
}

/* A text that is cut may end within a character, which is no JSON. */
static json_t *
make_value(const char *text, time_t now)
{
	json_t *value;
	size_t len;

	if (text == NULL)
		return json_integer((json_int_t)now);
	len = strnlen(text, SAID_TEXT_MAX);
	if (text[len] != '\0')
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	value = json_pack("{sI ss%}", "at", (json_int_t)now, "text", text, len);
	return value != NULL ? value : json_integer((json_int_t)now);
}

void
said_add(struct said *said, const char *name, const char *key, const char *text,
    time_t now)
{
	json_t *keys = json_object_get(said->names, name);

	if (keys == NULL) {
		keys = json_object();
		(void)json_object_set_new(said->names, name, keys);
	}
	if (json_object_size(keys) < SAID_KEYS_MAX)
		(void)json_object_set_new(keys, key, make_value(text, now));
	said->changed = true;
}

void
said_drop(struct said *said, const char *name, const char *key)
{
	(void)json_object_del(json_object_get(said->names, name), key);
	said->changed = true;
}

void
said_each(struct said *said, const char *name, said_visit *visit, void *arg)
{
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(said->names, name), key,
	    value) if (text_of(value) != NULL) visit(key, text_of(value),
	    (time_t)json_integer_value(time_of(value)), arg);
}

bool
said_forget(struct said *said, time_t now)
{
	const char *name, *key;
	json_t *keys, *at;
	void *next;

	json_object_foreach(said->names, name, keys)
	    json_object_foreach_safe(keys, next, key, at)
	{
		if (now - json_integer_value(time_of(at)) <=
		    (text_of(at) != NULL ? SAID_OVER_KEEP_S : SAID_KEEP_S))
			continue;
		(void)json_object_del(keys, key);
		said->changed = true;
	}
	return said->changed;
}

int
said_save(struct said *said, const char *path, struct error *err)
{
	json_t *json = json_pack("{sO}", "said", said->names);
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	int rc;

	if (text == NULL)
		rc = error_set(err, ERROR_SYSTEM, "%s: no memory", path);
	else
		rc = file_replace(path, 0600, text, strlen(text), err);
	if (rc == 0)
		said->changed = false;
	free(text);
	json_decref(json);
	return rc;
}
