#include "admin/writing.h"
#include "admin/call.h"
#include "admin/noting.h"
#include "admin/site.h"
#include "base/buf.h"
#include "base/text.h"
#include "inventory/snapshot.h"
#include "provision/fields.h"
#include "server/config.h"
#include "server/config_inventory.h"
#include "server/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define TAGGED_MAX (2 * 1024 * 1024) /* bytes of a device's or scope's text */

/* --------------------------------------------------------------- open, close */

static struct inventory *
open_inventory(struct call *call, bool read_only)
{
	const struct config *config = service_config(call->service);
	struct inventory *inventory;
	struct error err;

	if (!text_starts(config->inventory, "sqlite:")) {
		call_problem(call, 409,
		    "the inventory is in memory, and can be neither read nor "
		    "changed in this way: expected one in a file");
		return NULL;
	}
	inventory = config_open_inventory(config, read_only, NULL, &err);
	if (inventory != NULL)
		return inventory;
	/* Another process changes it, for instance. */
	if (err.kind == ERROR_SYSTEM)
		call_add_field(call, "Retry-After: 2");
	call_problem(call, 503, "%s", err.text);
	return NULL;
}

struct inventory *
writing_read(struct call *call)
{
	return open_inventory(call, true);
}

struct inventory *
writing_open(struct call *call, const char *action)
{
	struct inventory *inventory;
	char address[ADDR_TEXT_BYTES], *path;
	struct audit_act act;

	site_write_lock(call->site);
	inventory = open_inventory(call, false);
	if (inventory == NULL) {
		site_write_unlock(call->site);
		return NULL;
	}
	act = noting_act(call, action, NULL, address);
	path = noting_path(call);
	inventory_use_audit(inventory, path, &act, call->now);
	free(path);
	return inventory;
}

struct inventory *
writing_begin(struct call *call, const char *action)
{
	struct inventory *inventory = writing_open(call, action);
	struct error err;

	if (inventory == NULL || inventory_begin(inventory, &err) == 0)
		return inventory;
	call_error(call, &err);
	writing_end(call, inventory);
	return NULL;
}

void
writing_end(struct call *call, struct inventory *inventory)
{
	inventory_close(inventory);
	site_write_unlock(call->site);
}

bool
writing_commit(struct call *call, struct inventory *inventory)
{
	struct error err;

	if (inventory_commit(inventory, &err) == 0)
		return true;
	call_error(call, &err);
	return false;
}

bool
writing_may(const struct call *call, struct inventory *inventory,
    const char *group)
{
	const char *tenant = call->caller.tenant;
	char name[INVENTORY_NAME_MAX + 1];

	if (*tenant == '\0')
		return true;
	(void)snprintf(name, sizeof(name), "%s", group);
	for (int i = 0; i < INVENTORY_GROUP_DEPTH_MAX && *name != '\0'; i++) {
		struct scope scope;
		struct error ignored;

		if (strcmp(name, tenant) == 0)
			return true;
		if (inventory_get_scope(inventory, SCOPE_GROUP, name, &scope,
			&ignored) != 0)
			return false;
		memcpy(name, scope.parent, sizeof(name));
		scope_clear(&scope);
	}
	return false;
}

int
writing_check_group(const struct call *call, struct inventory *inventory,
    const char *group, struct error *err)
{
	char shown[96];

	if (writing_may(call, inventory, group))
		return 0;
	if (*group == '\0')
		return error_set(err, ERROR_INPUT,
		    "group: expected \"%s\" or one below it",
		    call->caller.tenant);
	text_escape(group, strlen(group), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "there is no group \"%s\" in the inventory", shown);
}

/* -------------------------------------------------------------- conditions */

static void
add_text(struct buf *buf, const char *text)
{
	(void)!buf_printf(buf, "%zu:%s", strlen(text), text);
}

static void
add_variables(struct buf *buf, const struct variables *variables)
{
	for (size_t i = 0; i < variables->count; i++) {
		add_text(buf, variables->list[i].name);
		add_text(buf, variables->list[i].value);
	}
}

/* Secrets are among it, and short ones could be guessed: hence a key that
 * nobody knows, and all is wiped. */
static void
make_tag(struct call *call, struct buf *buf, char tag[static WRITING_TAG_BYTES])
{
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	unsigned len = 0;

	(void)HMAC(EVP_sha256(), site_tag_key(call->site), SITE_TAG_KEY_BYTES,
	    (const unsigned char *)buf_text(buf), buf->len, hash, &len);
	text_hex(hash, (WRITING_TAG_BYTES - 1) / 2, tag);
	if (buf->data != NULL)
		OPENSSL_cleanse(buf->data, buf->len);
	buf_clear(buf);
}

void
writing_tag_device(struct call *call, const struct device *device,
    char tag[static WRITING_TAG_BYTES])
{
	char *tags = tags_format(&device->tags), mac[MAC_TEXT_BYTES];
	struct buf buf;

	buf_init(&buf, TAGGED_MAX);
	mac_format(&device->mac, mac);
	add_text(&buf, mac);
	add_text(&buf, device->model);
	add_text(&buf, device->firmware);
	add_text(&buf, device->serial);
	add_text(&buf, device->group);
	add_text(&buf, device_state_name(device->state));
	add_text(&buf, tags);
	add_variables(&buf, &device->variables);
	free(tags);
	make_tag(call, &buf, tag);
}

void
writing_tag_scope(struct call *call, const struct scope *scope,
    char tag[static WRITING_TAG_BYTES])
{
	struct buf buf;

	buf_init(&buf, TAGGED_MAX);
	(void)!buf_printf(&buf, "%d", (int)scope->kind);
	add_text(&buf, scope->name);
	add_text(&buf, group_kind_name(scope->group_kind));
	add_text(&buf, scope->parent);
	add_variables(&buf, &scope->variables);
	make_tag(call, &buf, tag);
}

/* A login in between is another version: it had a code, and has a password. */
void
writing_tag_account(struct call *call, const struct admin_account *account,
    char tag[static WRITING_TAG_BYTES])
{
	struct buf buf;

	buf_init(&buf, TAGGED_MAX);
	add_text(&buf, account->name);
	add_text(&buf, admin_role_name(account->role));
	add_text(&buf, account->tenant);
	add_text(&buf, account->password);
	(void)!buf_printf(&buf, "%d %lld %lld", account->has_code,
	    (long long)account->code_until, (long long)account->created_at);
	(void)!buf_append(&buf, account->code, sizeof(account->code));
	make_tag(call, &buf, tag);
}

void
writing_tag_token(struct call *call, const struct admin_token *token,
    char tag[static WRITING_TAG_BYTES])
{
	struct buf buf;

	buf_init(&buf, TAGGED_MAX);
	add_text(&buf, token->name);
	add_text(&buf, token->tenant);
	(void)!buf_printf(&buf, "%u %lld %lld", token->scopes,
	    (long long)token->created_at, (long long)token->until);
	make_tag(call, &buf, tag);
}

/* The first part of an ETag is the version; what may follow behind a '-' covers
 * the rest of the answer, which may have changed. */
static bool
is_among(const char *field, const char *tag)
{
	const char *at = field;
	size_t len = strlen(tag);

	for (; (at = strstr(at, tag)) != NULL; at += len)
		if (at > field && at[-1] == '"' &&
		    (at[len] == '"' || at[len] == '-') &&
		    (at - 1 == field || at[-2] != '/')) /* W/: weak ones */
			return true;
	return false;
}

bool
writing_matches(struct call *call, const char *tag)
{
	char field[1024];

	call_field(call, "If-Match", field, sizeof(field));
	if (strcmp(field, "*") == 0 || is_among(field, tag))
		return true;
	if (*field == '\0')
		call_problem(call, 428,
		    "expected the field If-Match with the ETag of what was "
		    "read, or * for whatever is there");
	else
		call_problem(call, 412,
		    "somebody has changed it meanwhile: read it again");
	return false;
}

/* -------------------------------------------------------------------- JSON */

void
writing_show_variables(json_t *object, struct inventory *inventory,
    const struct variables *variables)
{
	json_t *shown = json_object(), *secrets = json_array();

	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *one = &variables->list[i];

		if (one->sealed || inventory_is_secret(inventory, one->name))
			(void)json_array_append_new(secrets,
			    json_string(one->name));
		else
			(void)json_object_set_new(shown, one->name,
			    json_string(one->value));
	}
	(void)json_object_set_new(object, "variables", shown);
	(void)json_object_set_new(object, "secrets", secrets);
}

static int
set_variable(struct variables *variables, const char *name, const json_t *value,
    struct error *err)
{
	if (fields_have(name))
		return error_set(err, ERROR_INPUT,
		    "that is a field, and no variable may have its name");
	if (json_is_null(value)) {
		(void)variables_unset(variables, name);
		return 0;
	}
	if (json_is_string(value) &&
	    strlen(json_string_value(value)) == json_string_length(value))
		return variables_set(variables, name, json_string_value(value),
		    err);
	return error_set(err, ERROR_INPUT,
	    "expected a text without NUL, or null to unset it");
}

int
writing_set_variables(struct variables *variables, const json_t *json,
    struct error *err)
{
	const char *name;
	json_t *value;
	union {
		const json_t *given;
		json_t *object;
	} of = { json };

	if (!json_is_object(json))
		return error_set(err, ERROR_INPUT,
		    "variables: expected an object of names with texts, or "
		    "null to unset");
	json_object_foreach(of.object, name, value)
	{
		char shown[80];

		if (set_variable(variables, name, value, err) == 0)
			continue;
		text_escape(name, strlen(name), shown, sizeof(shown));
		return error_prefix(err, "variables.%s: ", shown);
	}
	return 0;
}
