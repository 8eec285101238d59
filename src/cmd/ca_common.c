#include "cmd/ca_common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/device_common.h"
#include "cmd/print.h"

#define SQLITE "sqlite:"
#define DEFAULT_CLAIMS "/var/lib/sprov/claims.tsv"
#define NEAR_MAX 5 /* names that are suggested */

/* ----------------------------------------------------------- own claims */

char *
ca_claims_path(const char *given, const char *inventory)
{
	const char *named = given != NULL ? given : getenv("SPROV_CLAIMS");
	char *uri, *folder, *path;

	if (named != NULL && *named != '\0')
		return xstrdup(named);
	uri = device_find_uri(inventory);
	if (!text_starts(uri, SQLITE)) {
		free(uri);
		return xstrdup(DEFAULT_CLAIMS);
	}
	folder = file_directory(uri + strlen(SQLITE));
	path = file_join(folder, "claims.tsv");
	free(folder);
	free(uri);
	return path;
}

/* How the path of the claims came about. */
enum claims_from { CLAIMS_GIVEN, CLAIMS_NAMED, CLAIMS_IMPLIED };

static enum claims_from
claims_from(const char *given)
{
	const char *named = getenv("SPROV_CLAIMS");

	if (given != NULL)
		return CLAIMS_GIVEN;
	return named != NULL && *named != '\0' ? CLAIMS_NAMED : CLAIMS_IMPLIED;
}

static int
add_own(struct knowledge *knowledge, const char *path, enum claims_from from)
{
	struct errors errors = { 0 };
	struct error err = { 0 };
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (file_read(path, KNOWLEDGE_TEXT_MAX, &text, &len, &err) != 0) {
		if (err.kind == ERROR_NOT_FOUND && from != CLAIMS_GIVEN)
			return 0;
		cmd_error("%s%s",
		    from == CLAIMS_IMPLIED ? "going on without own claims: " :
					     "",
		    err.text);
		/* Whoever may not read the server's folder may ask all the
		 * same. */
		return from == CLAIMS_IMPLIED ? 0 : -1;
	}
	rc = knowledge_add(knowledge, path, text, len, &errors);
	if (rc != 0)
		(void)cmd_fail_all(&errors);
	errors_clear(&errors);
	free(text);
	return rc;
}

struct knowledge *
ca_load_knowledge(const char *given, const char *inventory)
{
	struct knowledge *knowledge = knowledge_new();
	char *path = ca_claims_path(given, inventory);

	if (add_own(knowledge, path, claims_from(given)) != 0) {
		knowledge_free(knowledge);
		knowledge = NULL;
	}
	free(path);
	return knowledge;
}

/* -------------------------------------------------------------- finding */

/* "A, B or C": the names nearest to text; "" when none is near.  names is
 * used up. */
static void
list_near(const char *text, const char **names, size_t count, char *near,
    size_t size)
{
	const char *found[NEAR_MAX], *name;
	size_t n = 0;

	while (n < NEAR_MAX &&
	    (name = text_nearest(text, names, count)) != NULL) {
		found[n++] = name;
		for (size_t i = 0; i < count; i++)
			if (names[i] == name) {
				names[i] = names[--count];
				break;
			}
	}
	*near = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(near);

		(void)snprintf(near + used, size - used, "%s%s",
		    i == 0	   ? "" :
			i + 1 == n ? " or " :
				     ", ",
		    found[i]);
	}
}

const struct ca *
ca_find(const char *id)
{
	const struct ca *ca = registry_find_ca(id);
	const char **ids;
	char near[256], shown[64];

	if (ca != NULL)
		return ca;
	ids = xcalloc(registry_ca_count, sizeof(*ids));
	for (size_t i = 0; i < registry_ca_count; i++)
		ids[i] = registry_cas[i].id;
	list_near(id, ids, registry_ca_count, near, sizeof(near));
	free(ids);
	text_escape(id, strlen(id), shown, sizeof(shown));
	if (*near != '\0')
		cmd_error("CA \"%s\" is not known; did you mean %s?", shown,
		    near);
	else
		cmd_error("CA \"%s\" is not known; \"sprov ca list\" and "
			  "\"sprov ca list --clients\" name all",
		    shown);
	return NULL;
}

static bool
is_model(const char *text, size_t len)
{
	char *name = xstrndup(text, len);
	bool known = registry_find_model(name, NULL) != NULL;

	free(name);
	return known;
}

int
ca_parse_device(const char *text, const struct model **model,
    struct firmware *firmware, bool *has_firmware)
{
	struct error err = { 0 };
	size_t len = strcspn(text, "@");
	const char **names;
	char near[256], shown[64], *name;

	if (trust_parse_device(text, model, firmware, has_firmware, &err) == 0)
		return 0;
	if (len == 0 || is_model(text, len)) {
		cmd_error("%s", err.text);
		return -1;
	}
	names = xcalloc(registry_model_count, sizeof(*names));
	for (size_t i = 0; i < registry_model_count; i++)
		names[i] = registry_models[i].name;
	name = xstrndup(text, len);
	list_near(name, names, registry_model_count, near, sizeof(near));
	text_escape(name, len, shown, sizeof(shown));
	if (*near != '\0')
		cmd_error("model \"%s\" is not known; did you mean %s?", shown,
		    near);
	else
		cmd_error("model \"%s\" is not known; \"sprov ca matrix\" "
			  "lists all",
		    shown);
	free(name);
	free(names);
	return -1;
}

/* ---------------------------------------------------------------- words */

bool
ca_is_expired(const struct ca *ca, time_t now)
{
	return ca->not_after != 0 && ca->not_after < now;
}

void
ca_state(const struct ca *ca, time_t now, char text[static CA_STATE_BYTES])
{
	char date[CMD_DATE_BYTES];

	cmd_date(ca->not_after, date);
	*text = '\0';
	if (ca_is_expired(ca, now))
		(void)snprintf(text, CA_STATE_BYTES, "expired %s", date);
	else if (ca->signing == CA_SIGNING_YES)
		(void)snprintf(text, CA_STATE_BYTES, "signs");
	else if (ca->signing == CA_SIGNING_NO)
		(void)snprintf(text, CA_STATE_BYTES, "stopped signing%s%s",
		    *ca->signing_until != '\0' ? " " : "", ca->signing_until);
}

void
ca_claim_range(const struct claim *claim,
    char text[static KNOWLEDGE_RANGE_BYTES])
{
	struct knowledge_span span = { .to_exclusive = claim->max_exclusive };
	struct error err;

	span.has_from = claim->firmware_min != NULL &&
	    firmware_parse(&span.from, claim->firmware_min, &err) == 0;
	span.has_to = claim->firmware_max != NULL &&
	    firmware_parse(&span.to, claim->firmware_max, &err) == 0;
	knowledge_range_text(&span, text);
}

/* -------------------------------------------------------------- sources */

void
ca_sources_clear(struct ca_sources *sources)
{
	free(sources->named);
	sources->named = NULL;
}

void
ca_sources_add(struct ca_sources *sources, const char *keys)
{
	if (sources->named == NULL)
		sources->named = xcalloc(registry_source_count + 1,
		    sizeof(*sources->named));
	while (*keys != '\0') {
		size_t len = strcspn(keys, "+");
		const struct source *source = registry_find_source(keys, len);

		if (source != NULL)
			sources->named[source - registry_sources] = true;
		keys += len;
		keys += *keys == '+';
	}
}

void
ca_sources_print(const struct ca_sources *sources)
{
	bool first = true;

	for (size_t i = 0; sources->named != NULL && i < registry_source_count;
	     i++) {
		size_t column = 0;

		if (!sources->named[i])
			continue;
		if (first)
			(void)printf("\nSources:\n");
		first = false;
		column = (size_t)printf("  [%s]", registry_sources[i].key);
		(void)cmd_wrap(column, 4, registry_sources[i].title);
		(void)putchar('\n');
	}
}

json_t *
ca_sources_json(const struct ca_sources *sources)
{
	json_t *object = json_object();

	for (size_t i = 0; sources->named != NULL && i < registry_source_count;
	     i++)
		if (sources->named[i])
			(void)json_object_set_new(object,
			    registry_sources[i].key,
			    json_string(registry_sources[i].title));
	return object;
}

/* --------------------------------------------------------------- claims */

char *
ca_claim_text(const struct knowledge *knowledge, const struct claim *claim)
{
	char range[KNOWLEDGE_RANGE_BYTES];
	bool bounded = claim->firmware_min != NULL ||
	    claim->firmware_max != NULL;

	ca_claim_range(claim, range);
	if (claim->basis == BASIS_NONE)
		return xasprintf("%s [%s]", claim->reason, claim->source);
	return xasprintf("%s%s, %s: %s%s%s [%s]",
	    knowledge_is_own(knowledge, claim) ? "own claim, " : "",
	    basis_name(claim->basis), confidence_name(claim->confidence),
	    claim->reason, bounded ? "; " : "", bounded ? range : "",
	    claim->source);
}

json_t *
ca_claim_json(const struct knowledge *knowledge, const struct claim *claim)
{
	if (claim == NULL)
		return json_null();
	return json_pack("{ss ss ss? ss? sb ss ss ss ss ss sb}", "ca",
	    claim->ca, "model", claim->model, "firmware_min",
	    claim->firmware_min, "firmware_max", claim->firmware_max,
	    "firmware_max_exclusive", claim->max_exclusive, "verdict",
	    verdict_name(claim->verdict), "basis", basis_name(claim->basis),
	    "confidence", confidence_name(claim->confidence), "reason",
	    claim->reason, "source", claim->source, "own",
	    knowledge_is_own(knowledge, claim));
}

int
ca_print_json(json_t *root)
{
	int rc = root == NULL ?
	    -1 :
	    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	if (rc != 0)
		cmd_error("cannot write JSON");
	else
		(void)putchar('\n');
	json_decref(root);
	return rc == 0 ? CMD_DONE : CMD_FAILED;
}
