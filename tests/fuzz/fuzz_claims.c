/*
 * fuzz_claims.c -- knowledge_add(): a local file of claims.
 *
 * What is taken must be weighed without complaint for every CA of the models
 * it names, at its bounds and beside them, and spans must cover all versions;
 * what is refused must leave the answers as they were and say where.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spa/knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool true_here)
{
	if (!true_here)
		abort();
}

static void
try_spans(const struct knowledge *knowledge, const struct model *model,
    const struct ca *ca)
{
	size_t count;
	struct knowledge_span *spans = knowledge_spans(knowledge, model, ca,
	    &count);

	must(count > 0 && !spans[0].has_from && !spans[count - 1].has_to);
	for (size_t i = 0; i < count; i++) {
		char text[KNOWLEDGE_RANGE_BYTES];

		knowledge_range_text(&spans[i], text);
		must(*text != '\0');
		if (i == 0)
			continue;
		must(spans[i].has_from && spans[i - 1].has_to);
		must(firmware_compare(&spans[i].from, &spans[i - 1].to) == 0);
		must(spans[i].from_exclusive != spans[i - 1].to_exclusive);
		must(spans[i].trust.verdict != spans[i - 1].trust.verdict);
		if (!spans[i].from_exclusive)
			must(knowledge_resolve(knowledge, model, &spans[i].from,
				 ca)
				 .verdict == spans[i].trust.verdict);
	}
	free(spans);
}

static void
try_claim(const struct knowledge *knowledge, const struct claim *claim)
{
	const struct model *model = registry_find_model(claim->model, NULL);
	const struct ca *ca = registry_find_ca(claim->ca);
	size_t count;

	must(model != NULL);
	must(ca != NULL ? registry_is_server_ca(ca) :
			  strcmp(claim->ca, "*") == 0 &&
		    claim->verdict == VERDICT_UNKNOWN);
	must(*claim->reason != '\0' && *claim->source != '\0');
	(void)knowledge_claims(knowledge, model, &count);
	must(count > 0);
	if (ca != NULL && count < 200)
		try_spans(knowledge, model, ca);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct knowledge *knowledge = knowledge_new();
	struct errors errors = { 0 };
	int rc = knowledge_add(knowledge, "f", (const char *)data, size,
	    &errors);
	size_t count;
	const struct claim *own = knowledge_own(knowledge, &count);

	must((rc == 0) == (errors.count == 0));
	must(rc == 0 || count == 0);
	for (size_t i = 0; i < errors.kept; i++)
		must(strncmp(errors.text[i], "f:", 2) == 0 &&
		    strchr(errors.text[i], '\n') == NULL);
	for (size_t i = 0; i < count && i < 20; i++)
		try_claim(knowledge, &own[i]);
	errors_clear(&errors);
	knowledge_free(knowledge);
	return 0;
}
