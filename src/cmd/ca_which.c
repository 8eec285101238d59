/*
 * Which CAs a model trusts: the verdict of each, the claim that decides it,
 * and what speaks against it.  With a firmware there is one verdict; without,
 * the versions at which it changes.
 */
#include "cmd/ca_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/device_common.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* What is said of one CA. */
struct answer {
	const struct ca *ca;
	struct knowledge_span *spans; /* one when the firmware is known */
	size_t count;
};

struct which {
	struct knowledge *knowledge;
	const struct model *model;
	struct firmware firmware;
	bool has_firmware;
	bool json;
	time_t now;
	struct answer *answers; /* of the server CAs, in registry order */
	size_t count;
	struct ca_sources sources;
};

static void
ask(struct which *which, const struct ca *ca)
{
	struct answer *answer = &which->answers[which->count++];

	answer->ca = ca;
	if (!which->has_firmware) {
		answer->spans = knowledge_spans(which->knowledge, which->model,
		    ca, &answer->count);
		return;
	}
	answer->spans = xcalloc(1, sizeof(*answer->spans));
	answer->count = 1;
	answer->spans[0].trust = knowledge_resolve(which->knowledge,
	    which->model, &which->firmware, ca);
}

static void
ask_all(struct which *which)
{
	which->answers = xcalloc(registry_ca_count, sizeof(*which->answers));
	for (size_t i = 0; i < registry_ca_count; i++)
		if (registry_is_server_ca(&registry_cas[i]))
			ask(which, &registry_cas[i]);
}

static void
which_clear(struct which *which)
{
	for (size_t i = 0; i < which->count; i++)
		free(which->answers[i].spans);
	free(which->answers);
	ca_sources_clear(&which->sources);
	knowledge_free(which->knowledge);
}

/* The only verdict, or -1 when it depends on the firmware. */
static int
verdict_of(const struct answer *answer)
{
	return answer->count == 1 ? (int)answer->spans[0].trust.verdict : -1;
}

/* ------------------------------------------------------------- in words */

static void
print_head(const struct which *which, const struct ca *ca)
{
	char state[CA_STATE_BYTES];

	ca_state(ca, which->now, state);
	if (*state != '\0')
		(void)printf("  %-26s%-20s%s\n", ca->id, ca->name, state);
	else
		(void)printf("  %-26s%s\n", ca->id, ca->name);
}

static void
print_claim(struct which *which, const char *before, const struct claim *claim)
{
	char *text = ca_claim_text(which->knowledge, claim);

	ca_sources_add(&which->sources, claim->source);
	(void)cmd_wrapf(0, 6, "%s%s", before, text);
	(void)putchar('\n');
	free(text);
}

static void
print_span(struct which *which, const struct knowledge_span *span)
{
	const struct trust *trust = &span->trust;

	if (trust->decided_by != NULL)
		print_claim(which, "", trust->decided_by);
	for (size_t i = 0; i < span->also_count; i++)
		print_claim(which, "also: ", span->also[i]);
	for (size_t i = 0; i < trust->contradiction_count; i++)
		print_claim(which, "against it: ", trust->contradiction[i]);
}

static void
print_spans(struct which *which, const struct answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		const struct knowledge_span *span = &answer->spans[i];
		char range[KNOWLEDGE_RANGE_BYTES];

		if (answer->count > 1) {
			knowledge_range_text(span, range);
			(void)printf("    %s: %s\n", range,
			    verdict_name(span->trust.verdict));
		}
		print_span(which, span);
	}
}

static bool
same_words(const struct which *which, const struct claim *a,
    const struct claim *b)
{
	char *one, *other;
	bool same;

	if (a == NULL || b == NULL)
		return a == b;
	one = ca_claim_text(which->knowledge, a);
	other = ca_claim_text(which->knowledge, b);
	same = strcmp(one, other) == 0;
	free(one);
	free(other);
	return same;
}

static bool
same_span(const struct which *which, const struct knowledge_span *a,
    const struct knowledge_span *b)
{
	char one[KNOWLEDGE_RANGE_BYTES], other[KNOWLEDGE_RANGE_BYTES];

	knowledge_range_text(a, one);
	knowledge_range_text(b, other);
	return strcmp(one, other) == 0 &&
	    a->trust.verdict == b->trust.verdict &&
	    a->also_count + b->also_count == 0 &&
	    a->trust.contradiction_count + b->trust.contradiction_count == 0 &&
	    same_words(which, a->trust.decided_by, b->trust.decided_by);
}

/* Would the same be printed below both heads? */
static bool
are_alike(const struct which *which, const struct answer *a,
    const struct answer *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_span(which, &a->spans[i], &b->spans[i]))
			return false;
	return true;
}

/* CAs of which the same is said stand together. */
static void
print_group(struct which *which, int verdict, const char *title)
{
	bool *told = xcalloc(which->count, sizeof(*told));
	bool any = false;

	for (size_t i = 0; i < which->count; i++) {
		const struct answer *answer = &which->answers[i];

		if (told[i] || verdict_of(answer) != verdict)
			continue;
		if (any)
			(void)printf("\n");
		else
			(void)printf("\n%s\n\n", title);
		any = true;
		print_head(which, answer->ca);
		for (size_t j = i + 1; j < which->count; j++) {
			const struct answer *other = &which->answers[j];

			if (verdict_of(other) == verdict &&
			    are_alike(which, answer, other)) {
				told[j] = true;
				print_head(which, other->ca);
			}
		}
		print_spans(which, answer);
	}
	free(told);
}

/* Those of which nothing is known, as a list. */
static void
print_unknown(struct which *which)
{
	size_t column = 0;

	for (size_t i = 0; i < which->count; i++) {
		const struct answer *answer = &which->answers[i];

		if (verdict_of(answer) != VERDICT_UNKNOWN)
			continue;
		if (column == 0)
			(void)printf("\nNOBODY SAYS\n\n");
		column = cmd_wrap(column, 2, answer->ca->id);
	}
	if (column > 0)
		(void)putchar('\n');
}

/* ----------------------------------------------------------- the advice */

/* Can a certificate be had under it, and does the CA hold? */
enum use { USE_NEW, USE_EXISTING, USE_OWN, USE_NONE };

static enum use
use_of(const struct ca *ca, time_t now)
{
	if (strcmp(ca->id, "custom-ca") == 0)
		return USE_OWN;
	if ((ca->role != CA_SERVER_ANCHOR && ca->role != CA_SERVER_CLASS) ||
	    ca_is_expired(ca, now))
		return USE_NONE;
	if (ca->signing == CA_SIGNING_YES)
		return USE_NEW;
	return ca->signing == CA_SIGNING_NO ? USE_EXISTING : USE_NONE;
}

static size_t
advise(const struct which *which, enum use use, const char *words)
{
	size_t column = 0, found = 0;

	for (size_t i = 0; i < which->count; i++) {
		const struct answer *answer = &which->answers[i];
		const struct trust *trust = &answer->spans[0].trust;

		if (use_of(answer->ca, which->now) != use ||
		    verdict_of(answer) != VERDICT_TRUSTED)
			continue;
		if (found++ == 0)
			column = cmd_wrapf(0, 2, "%s", words);
		column = cmd_wrapf(column, 4, "%s%s", answer->ca->id,
		    trust->decided_by->confidence == CONFIDENCE_LOW ?
			" (low confidence)" :
			"");
	}
	if (found > 0)
		(void)putchar('\n');
	return found;
}

/* Other firmware with which a CA that signs, or the slot, can be used. */
static size_t
advise_firmware(const struct which *which)
{
	size_t found = 0;

	for (size_t i = 0; i < which->count; i++) {
		const struct answer *answer = &which->answers[i];
		enum use use = use_of(answer->ca, which->now);
		struct knowledge_span *spans;
		char range[KNOWLEDGE_RANGE_BYTES];
		size_t count;

		if ((use != USE_NEW && use != USE_OWN) ||
		    verdict_of(answer) == VERDICT_TRUSTED)
			continue;
		spans = knowledge_spans(which->knowledge, which->model,
		    answer->ca, &count);
		for (size_t j = 0; j < count; j++) {
			if (spans[j].trust.verdict != VERDICT_TRUSTED)
				continue;
			knowledge_range_text(&spans[j], range);
			(void)cmd_wrapf(0, 2, "With firmware %s: %s%s.", range,
			    use == USE_OWN ? "your own CA, " : "",
			    answer->ca->id);
			(void)putchar('\n');
			found++;
		}
		free(spans);
	}
	return found;
}

static void
print_advice(const struct which *which)
{
	size_t found;

	(void)printf("\nWHAT TO USE\n\n");
	found = advise(which, USE_NEW, "A new certificate from:");
	found += advise(which, USE_EXISTING,
	    "A certificate that you have already from:");
	found += advise(which, USE_OWN, "Your own CA in the slot:");
	found += advise_firmware(which);
	if (found == 0) {
		(void)cmd_wrap(0, 2,
		    "No CA is known that this device trusts "
		    "and that holds today; what remains is an encrypted "
		    "profile over HTTP. If you can try one, tell the result "
		    "with \"sprov ca claim add\".");
		(void)putchar('\n');
	}
}

static void
print_which(struct which *which)
{
	if (which->has_firmware)
		(void)printf("%s at firmware %s, family %s\n",
		    which->model->name, which->firmware.text,
		    which->model->family);
	else
		(void)printf("%s, family %s; no firmware given: where it "
			     "matters, all are shown\n",
		    which->model->name, which->model->family);
	print_group(which, VERDICT_TRUSTED, "TRUSTED");
	print_group(which, -1, "DEPENDS ON THE FIRMWARE");
	print_group(which, VERDICT_NOT, "NOT TRUSTED");
	print_unknown(which);
	print_advice(which);
	ca_sources_print(&which->sources);
}

/* -------------------------------------------------------------- as JSON */

static json_t *
trust_json(struct which *which, const struct knowledge_span *span)
{
	const struct trust *trust = &span->trust;
	json_t *against = json_array(), *also = json_array();

	if (trust->decided_by != NULL)
		ca_sources_add(&which->sources, trust->decided_by->source);
	for (size_t i = 0; i < span->also_count; i++) {
		ca_sources_add(&which->sources, span->also[i]->source);
		(void)json_array_append_new(also,
		    ca_claim_json(which->knowledge, span->also[i]));
	}
	for (size_t i = 0; i < trust->contradiction_count; i++) {
		ca_sources_add(&which->sources,
		    trust->contradiction[i]->source);
		(void)json_array_append_new(against,
		    ca_claim_json(which->knowledge, trust->contradiction[i]));
	}
	return json_pack("{ss so so so}", "verdict",
	    verdict_name(trust->verdict), "decided_by",
	    ca_claim_json(which->knowledge, trust->decided_by), "also", also,
	    "contradictions", against);
}

static json_t *
answer_json(struct which *which, const struct answer *answer)
{
	char range[KNOWLEDGE_RANGE_BYTES], state[CA_STATE_BYTES];
	json_t *object = json_object(), *spans = json_array();

	ca_state(answer->ca, which->now, state);
	(void)json_object_set_new(object, "ca", json_string(answer->ca->id));
	(void)json_object_set_new(object, "state", json_string(state));
	(void)json_object_set_new(object, "verdict",
	    answer->count == 1 ?
		json_string(verdict_name(answer->spans[0].trust.verdict)) :
		json_null());
	(void)json_object_set_new(object, "depends_on_firmware",
	    json_boolean(answer->count > 1));
	for (size_t i = 0; i < answer->count; i++) {
		const struct knowledge_span *span = &answer->spans[i];
		json_t *one = trust_json(which, span);

		knowledge_range_text(span, range);
		(void)json_object_set_new(one, "firmware",
		    json_string(which->has_firmware ? which->firmware.text :
						      range));
		(void)json_array_append_new(spans, one);
	}
	(void)json_object_set_new(object, "spans", spans);
	return object;
}

static int
print_which_json(struct which *which)
{
	json_t *cas = json_array(), *root;

	for (size_t i = 0; i < which->count; i++)
		(void)json_array_append_new(cas,
		    answer_json(which, &which->answers[i]));
	root = json_pack("{ss ss ss? so so}", "model", which->model->name,
	    "family", which->model->family, "firmware",
	    which->has_firmware ? which->firmware.text : NULL, "cas", cas,
	    "sources", ca_sources_json(&which->sources));
	return ca_print_json(root);
}

int
ca_which(int argc, char **argv)
{
	struct which which = { .now = clock_wall() };
	const char *claims = NULL, *uri = NULL;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		CA_CLAIMS_OPTION(&claims),
		CA_JSON_OPTION(&which.json),
	};
	const struct cmd_syntax syntax = { "sprov ca which", "MODEL[@FIRMWARE]",
		"Say for every CA whether a model trusts it, which claim "
		"decides that, who made\nthe claim, and what speaks against "
		"it.  Without a firmware: from which version\non which answer "
		"holds.  Example: sprov ca which SPA504G@7.5.6\n",
		options, LENGTH(options), 1, 1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (ca_parse_device(argv[first], &which.model, &which.firmware,
		&which.has_firmware) != 0)
		return CMD_FAILED;
	which.knowledge = ca_load_knowledge(claims, uri);
	if (which.knowledge == NULL)
		return CMD_FAILED;
	ask_all(&which);
	status = CMD_DONE;
	if (which.json)
		status = print_which_json(&which);
	else
		print_which(&which);
	which_clear(&which);
	return status;
}
