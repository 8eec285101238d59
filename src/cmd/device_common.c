#include "cmd/device_common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/audit.h"
#include "pki/seal.h"
#include "provision/fields.h"
#include "server/config.h"
#include "server/config_inventory.h"

#define DEFAULT_URI "sqlite:/var/lib/sprov/inventory.db"
#define SQLITE "sqlite:"
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* What the server's configuration says; NULL when there is none.  Mistakes in
 * it are the server's to report, not ours. */
static char *
uri_of_server(void)
{
	struct errors errors = { 0 };
	struct config *config = access(CONFIG_DEFAULT_PATH, R_OK) == 0 ?
	    config_load(CONFIG_DEFAULT_PATH, &errors) :
	    NULL;
	char *uri = config != NULL ? xstrdup(config->inventory) : NULL;

	config_free(config);
	errors_clear(&errors);
	return uri;
}

char *
device_find_uri(const char *given)
{
	const char *uri = given != NULL ? given : getenv("SPROV_INVENTORY");
	char *configured;

	if (uri != NULL && *uri != '\0')
		return xstrdup(uri);
	configured = uri_of_server();
	return configured != NULL ? configured : xstrdup(DEFAULT_URI);
}

/* A missing folder is what a first try meets most often. */
static void
advise_on_folder(const char *uri)
{
	char *folder;

	if (!text_starts(uri, SQLITE))
		return;
	folder = file_directory(uri + strlen(SQLITE));
	if (access(folder, F_OK) != 0)
		cmd_error("make the folder %s, or name another inventory with "
			  "--inventory",
		    folder);
	free(folder);
}

/* What the server's configuration names for this inventory; NULL: nothing. */
static char *
key_of_server(const char *uri)
{
	struct errors errors = { 0 };
	struct config *config = access(CONFIG_DEFAULT_PATH, R_OK) == 0 ?
	    config_load(CONFIG_DEFAULT_PATH, &errors) :
	    NULL;
	char *path = NULL;

	if (config != NULL && config->secrets_key != NULL &&
	    strcmp(config->inventory, uri) == 0)
		path = xstrdup(config->secrets_key);
	config_free(config);
	errors_clear(&errors);
	return path;
}

/* -1 when there is a key and it cannot be used. */
static int
use_key(struct inventory *inventory, const char *uri, const char *given,
    struct error *err)
{
	char *path = seal_key_find(given);
	int rc;

	if (path == NULL)
		path = key_of_server(uri);
	rc = config_use_key(inventory, path, NULL, err);
	free(path);
	return rc;
}

void
device_note_clear(const struct inventory *inventory)
{
	if (inventory_clear_writes(inventory) > 0)
		(void)printf("note: secrets are kept in clear; \"sprov device "
			     "reseal\" takes a key into use\n");
}

struct inventory *
device_open(const char *given, const char *change)
{
	return device_open_with(given, NULL, change);
}

struct inventory *
device_open_with(const char *given, const char *key, const char *change)
{
	struct error err = { 0 };
	char *uri = device_find_uri(given);
	struct inventory *inventory = inventory_open(uri, change == NULL, &err);

	if (inventory != NULL) {
		if (use_key(inventory, uri, key, &err) != 0) {
			cmd_error("%s", err.text);
			inventory_close(inventory);
			inventory = NULL;
		} else if (change != NULL) {
			audit_watch(inventory, uri, NULL, change);
		}
		free(uri);
		return inventory;
	}
	cmd_error("%s", err.text);
	if (err.kind == ERROR_NOT_FOUND)
		cmd_error("\"sprov device add\" or \"sprov device import\" "
			  "makes it; --inventory names another one");
	else if (change != NULL)
		advise_on_folder(uri);
	free(uri);
	return NULL;
}

int
device_need_group(struct inventory *inventory, const char *name, bool *made,
    struct error *err)
{
	struct scope scope;

	*made = false;
	if (*name == '\0')
		return 0;
	if (inventory_get_scope(inventory, SCOPE_GROUP, name, &scope, err) ==
	    0) {
		scope_clear(&scope);
		return 0;
	}
	if (err->kind != ERROR_NOT_FOUND)
		return -1;
	*err = (struct error) { 0 };
	scope = (struct scope) { .kind = SCOPE_GROUP };
	(void)snprintf(scope.name, sizeof(scope.name), "%s", name);
	*made = true;
	return inventory_put_scope(inventory, &scope, err);
}

void
assignment_clear(struct assignment *assignment)
{
	free(assignment->name);
	/* It may be a password; the compiler must not skip this. */
	if (assignment->value != NULL)
		explicit_bzero(assignment->value, strlen(assignment->value));
	free(assignment->value);
	*assignment = (struct assignment) { 0 };
}

static int
read_stdin(char **data, size_t *len, struct error *err)
{
	struct buf buf;
	char chunk[1024];
	size_t n;

	buf_init(&buf, INVENTORY_VALUE_MAX + 1);
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		if (buf_append(&buf, chunk, n) != 0) {
			buf_clear(&buf);
			return error_set(err, ERROR_INPUT,
			    "standard input is longer than %d bytes",
			    INVENTORY_VALUE_MAX);
		}
	if (ferror(stdin)) {
		buf_clear(&buf);
		return error_errno(err, "standard input");
	}
	*len = buf.len;
	*data = buf.len > 0 ? buf_take(&buf) : xstrdup("");
	return 0;
}

/* The value that is in a file, without the newline at its end. */
static int
read_value(const char *path, char **value, struct error *err)
{
	size_t len = 0;
	int rc;

	/* One more byte than a value has, for that newline. */
	rc = strcmp(path, "-") == 0 ?
	    read_stdin(value, &len, err) :
	    file_read(path, INVENTORY_VALUE_MAX + 1, value, &len, err);
	if (rc != 0)
		return -1;
	if (strlen(*value) != len) {
		free(*value);
		*value = NULL;
		return error_set(err, ERROR_INPUT,
		    "%s: holds a NUL byte: expected text in UTF-8", path);
	}
	if (len > 0 && (*value)[len - 1] == '\n')
		(*value)[--len] = '\0';
	return 0;
}

int
assignment_parse(struct assignment *assignment, const char *text,
    struct error *err)
{
	const char *equals = strchr(text, '=');
	const char *value;
	char shown[64];

	*assignment = (struct assignment) { 0 };
	if (equals == NULL || equals == text) {
		text_escape(text, strlen(text), shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "\"%s\": expected NAME=VALUE", shown);
	}
	assignment->name = xstrndup(text, (size_t)(equals - text));
	value = equals + 1;
	if (value[0] != '@' || value[1] == '@') {
		assignment->value = xstrdup(*value == '@' ? value + 1 : value);
		return 0;
	}
	if (read_value(value + 1, &assignment->value, err) == 0)
		return 0;
	(void)error_prefix(err, "%s: ", assignment->name);
	assignment_clear(assignment);
	return -1;
}
