#include "provision/render_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "inventory/snapshot.h"
#include "spa/rule_key.h"

static const char *const rules[RENDER_KEY_RULES] = { "profile_rule",
	"profile_rule_b", "profile_rule_c", "profile_rule_d" };

int
render_protection(const struct snapshot *snapshot, const struct device *device,
    struct protection *protection, struct error *err)
{
	const char *text = snapshot_variable(snapshot, device, device->model,
	    "protection");

	*protection = (struct protection) { .gzip = false };
	if (text == NULL || *text == '\0')
		return 0;
	if (protection_parse(text, protection, err) == 0)
		return 0;
	return error_prefix(err, "variable \"protection\": ");
}

int
render_keyring(const struct device *device, struct keyring *ring,
    struct error *err)
{
	return keyring_parse(variables_get(&device->variables,
				 KEYRING_VARIABLE),
	    ring, err);
}

static void
set(struct render_key *key, enum protection_cipher cipher,
    const struct keyring_key *newest, const char *mask)
{
	const char *text = mask != NULL ? mask : newest->text;
	char id[KEYRING_ID_CHARS + 1];

	keyring_format_id(newest->id, id);
	key->used = true;
	(void)snprintf(key->key, sizeof(key->key), "%s", text);
	if (cipher == CIPHER_AES)
		(void)snprintf(key->options, sizeof(key->options), "[--key %s]",
		    text);
	else
		key->ikm = key->key;
	(void)snprintf(key->query, sizeof(key->query), "?%s=%s",
	    cipher == CIPHER_AES ? "key" : "ikm", mask != NULL ? mask : id);
}

int
render_key_init(struct render_key *key, const struct snapshot *snapshot,
    const struct device *device, const char *mask, struct error *err)
{
	struct protection protection;
	struct keyring ring = { .count = 0 };
	int rc;

	*key = (struct render_key) { .ikm = "" };
	if (device == NULL)
		return 0;
	rc = render_protection(snapshot, device, &protection, err);
	if (rc == 0 && protection.cipher != CIPHER_NONE)
		rc = render_keyring(device, &ring, err);
	if (rc == 0 && ring.count > 0)
		set(key, protection.cipher, &ring.key[0], mask);
	keyring_wipe(&ring);
	return rc;
}

void
render_key_clear(struct render_key *key)
{
	for (size_t i = 0; i < RENDER_KEY_RULES; i++) {
		if (key->rule[i] != NULL)
			OPENSSL_cleanse(key->rule[i], strlen(key->rule[i]));
		free(key->rule[i]);
	}
	OPENSSL_cleanse(key, sizeof(*key));
}

const char *
render_key_field(const struct render_key *key, const char *name)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "key_options", key->options },
		{ "key_query", key->query },
		{ "ikm", key->ikm },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(name, fields[i].name) == 0)
			return fields[i].value;
	return NULL;
}

static size_t
find_rule(const char *name)
{
	size_t i = 0;

	while (i < RENDER_KEY_RULES && strcmp(name, rules[i]) != 0)
		i++;
	return i;
}

bool
render_key_is_rule(const char *name)
{
	return find_rule(name) < RENDER_KEY_RULES;
}

int
render_key_rule(struct render_key *key, const char *name, const char *rule,
    const char **text, struct error *err)
{
	size_t i = find_rule(name);
	struct buf out;

	*text = rule;
	if (!key->used || *rule == '\0' || i == RENDER_KEY_RULES)
		return 0;
	if (key->rule[i] == NULL) {
		buf_init(&out, RULE_TEXT_MAX);
		if (rule_add_key(rule, *key->options != '\0' ? key->key : NULL,
			key->query + 1, &out, err) != 0)
			return error_prefix(err, "variable \"%s\": ", name);
		key->rule[i] = buf_take(&out);
	}
	*text = key->rule[i];
	return 0;
}
