#include "cmd/ca_common.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/ca_accept.h"
#include "cmd/ca_fleet.h"
#include "cmd/device_common.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define FACT_WIDTH 14

struct show {
	struct knowledge *knowledge;
	struct ca_fleet fleet;
	struct ca_sources sources;
	const struct ca *ca;
	time_t now;
};

static const char *
role_text(const struct ca *ca)
{
	switch (ca->role) {
	case CA_SERVER_ANCHOR:
		return "root that devices trust";
	case CA_SERVER_INTERMEDIATE:
		return "intermediate that devices hold beside its root";
	case CA_SERVER_CLASS:
		return "not one certificate: see the note";
	case CA_CLIENT_ANCHOR:
		return ca->is_also_server ?
		    "root over device certificates; some devices hold it as "
		    "a root for servers too" :
		    "root over device certificates";
	case CA_CLIENT_INTERMEDIATE:
		break;
	}
	return "intermediate that signs device certificates";
}

static void
print_fact(const char *name, const char *value)
{
	size_t column = (size_t)printf("  %-*s", FACT_WIDTH - 2, name);

	(void)cmd_wrap(column, FACT_WIDTH,
	    *value != '\0' ? value : "not known");
	(void)putchar('\n');
}

static void
print_hash(const char *name, const uint8_t *hash)
{
	char hex[2 * 32 + 1] = "";

	if (hash != NULL)
		text_hex(hash, 32, hex);
	print_fact(name, hex);
}

static void
print_dates(const struct show *show)
{
	const struct ca *ca = show->ca;
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES], text[96];

	clock_format(ca->not_before, from);
	clock_format(ca->not_after, to);
	(void)snprintf(text, sizeof(text), "%s to %s%s", from, to,
	    ca_is_expired(ca, show->now) ? ": expired" : "");
	print_fact("valid", ca->not_after == 0 ? "" : text);
}

static void
print_signing(const struct ca *ca)
{
	char text[64];

	if (ca->signing == CA_SIGNING_NO)
		(void)snprintf(text, sizeof(text), "no%s%s",
		    *ca->signing_until != '\0' ? ", since " : "",
		    ca->signing_until);
	else
		(void)snprintf(text, sizeof(text), "%s",
		    ca->signing == CA_SIGNING_YES ? "yes" : "");
	print_fact("signs", text);
}

static void
print_key(const struct ca *ca)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "%s%s%s%s%s", ca->key_type,
	    ca->exponent == 3 ? ", exponent 3" : "",
	    *ca->digest != '\0' ? ", its own signature " : "", ca->digest,
	    ca->version_1 ? ", X.509 version 1" : "");
	print_fact("key", text);
}

static void
print_facts(struct show *show)
{
	const struct ca *ca = show->ca;

	(void)printf("%s: %s\n\n", ca->id, ca->name);
	print_fact("role", role_text(ca));
	if (ca->role != CA_SERVER_CLASS) {
		print_fact("subject",
		    *ca->subject != '\0' ? ca->subject : ca->common_name);
		if (ca->issuer_id != NULL)
			print_fact("issuer", ca->issuer_id);
		print_key(ca);
		print_dates(show);
		print_fact("serial", ca->serial_hex);
		print_hash("SHA-256", ca->sha256);
		print_hash("key SHA-256", ca->key_sha256);
	}
	if (registry_is_server_ca(ca))
		print_signing(ca);
	if (*ca->note != '\0')
		print_fact("note", ca->note);
	print_fact("source", ca->source);
	ca_sources_add(&show->sources, ca->source);
}

/* Is ca at or above the CA that signs the model's certificates? */
static bool
signs_model(const struct ca *ca, const struct model *model)
{
	const struct ca *at = registry_find_ca(model->client_anchor);

	while (at != NULL && at != ca)
		at = at->issuer_id == NULL ? NULL :
					     registry_find_ca(at->issuer_id);
	return at != NULL;
}

static bool
is_client_ca(const struct ca *ca)
{
	return ca->role == CA_CLIENT_ANCHOR ||
	    ca->role == CA_CLIENT_INTERMEDIATE;
}

static void
print_signed_models(const struct show *show)
{
	size_t column = 0;

	(void)printf("\nSigns the certificates of (as far as the model "
		     "tells):\n");
	for (size_t i = 0; i < registry_model_count; i++)
		if (signs_model(show->ca, &registry_models[i]))
			column = cmd_wrap(column, 2, registry_models[i].name);
	(void)printf(column > 0 ? "\n" :
				  "  no model by default; units with "
				  "a renewed certificate may have one of it\n");
}

static json_t *
signed_models_json(const struct ca *ca)
{
	json_t *array = json_array();

	for (size_t i = 0; i < registry_model_count; i++)
		if (is_client_ca(ca) && signs_model(ca, &registry_models[i]))
			(void)json_array_append_new(array,
			    json_string(registry_models[i].name));
	return array;
}

static json_t *
text_json(const char *text)
{
	return text == NULL || *text == '\0' ? json_null() : json_string(text);
}

static json_t *
time_json(time_t when)
{
	char text[CLOCK_TEXT_BYTES];

	clock_format(when, text);
	return when == 0 ? json_null() : json_string(text);
}

static json_t *
hash_json(const uint8_t *hash)
{
	char hex[2 * 32 + 1];

	if (hash == NULL)
		return json_null();
	text_hex(hash, 32, hex);
	return json_string(hex);
}

static int
print_show_json(struct show *show)
{
	static const char *const signing[] = { "unknown", "yes", "no" };
	const struct ca *ca = show->ca;
	json_t *root = json_object();
	const struct {
		const char *name;
		json_t *value;
	} members[] = {
		{ "id", json_string(ca->id) },
		{ "name", json_string(ca->name) },
		{ "role", json_string(role_text(ca)) },
		{ "subject", text_json(ca->subject) },
		{ "common_name", text_json(ca->common_name) },
		{ "issuer", text_json(ca->issuer_id) },
		{ "key", text_json(ca->key_type) },
		{ "digest", text_json(ca->digest) },
		{ "not_before", time_json(ca->not_before) },
		{ "not_after", time_json(ca->not_after) },
		{ "expired", json_boolean(ca_is_expired(ca, show->now)) },
		{ "serial", text_json(ca->serial_hex) },
		{ "sha256", hash_json(ca->sha256) },
		{ "key_sha256", hash_json(ca->key_sha256) },
		{ "signs", json_string(signing[ca->signing]) },
		{ "signed_until", text_json(ca->signing_until) },
		{ "note", text_json(ca->note) },
		{ "source", json_string(ca->source) },
		{ "trusted_by",
		    registry_is_server_ca(ca) ?
			ca_accept_json(show->knowledge, ca, &show->fleet) :
			json_array() },
		{ "signs_models", signed_models_json(ca) },
	};

	for (size_t i = 0; i < LENGTH(members); i++)
		(void)json_object_set_new(root, members[i].name,
		    members[i].value);
	ca_sources_add(&show->sources, ca->source);
	(void)json_object_set_new(root, "sources",
	    ca_sources_json(&show->sources));
	return ca_print_json(root);
}

static void
print_show(struct show *show)
{
	print_facts(show);
	if (registry_is_server_ca(show->ca)) {
		(void)printf("\nTrusted by:\n");
		ca_accept_print(show->knowledge, show->ca, &show->fleet,
		    &show->sources);
	}
	if (is_client_ca(show->ca))
		print_signed_models(show);
	ca_sources_print(&show->sources);
}

int
ca_show(int argc, char **argv)
{
	struct show show = { .now = clock_wall() };
	const char *claims = NULL, *uri = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		CA_CLAIMS_OPTION(&claims),
		CA_JSON_OPTION(&json),
	};
	const struct cmd_syntax syntax = { "sprov ca show", "ID",
		"Say all that is known of one CA, and which models trust it "
		"or are signed by it.\n\"sprov ca list\" lists the ids.\n",
		options, LENGTH(options), 1, 1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if ((show.ca = ca_find(argv[first])) == NULL)
		return CMD_FAILED;
	show.knowledge = ca_load_knowledge(claims, uri);
	status = CMD_DONE;
	if (show.knowledge == NULL || ca_fleet_load(&show.fleet, uri) != 0)
		status = CMD_FAILED;
	else if (json)
		status = print_show_json(&show);
	else
		print_show(&show);
	ca_sources_clear(&show.sources);
	ca_fleet_clear(&show.fleet);
	knowledge_free(show.knowledge);
	return status;
}
