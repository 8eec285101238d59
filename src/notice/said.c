#include "notice/said.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define FILE_MAX (16 * 1024 * 1024)

struct said {
	json_t *names; /* each an object: key, when it was so last */
	bool changed;
};

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
		json_object_foreach(keys, key, at) good &= json_is_integer(at);
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
	json_t *at = json_object_get(json_object_get(said->names, name), key);

	if (at == NULL)
		return false;
	/* To be right within half of the time is enough for the file. */
	if (now - json_integer_value(at) > SAID_KEEP_S / 2)
		said->changed = true;
	(void)json_integer_set(at, (json_int_t)now);
	return true;
}

void
said_add(struct said *said, const char *name, const char *key, time_t now)
{
	json_t *keys = json_object_get(said->names, name);

	if (keys == NULL) {
		keys = json_object();
		(void)json_object_set_new(said->names, name, keys);
	}
	if (json_object_size(keys) < SAID_KEYS_MAX)
		(void)json_object_set_new(keys, key,
		    json_integer((json_int_t)now));
	said->changed = true;
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
		if (now - json_integer_value(at) <= SAID_KEEP_S)
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
