/*
 * What the events say about who trusts which CA: observed claims.
 *
 * A handshake that a device of proven identity completed shows that it trusts
 * the CA: that becomes a claim.  A refusal with unknown_ca comes before any
 * certificate, so it proves nobody: whoever else is behind that address may have
 * sent it.  It is shown, for the one device that address and ClientHello leave
 * open, but never becomes a claim: a wrong "does not trust" would outweigh every
 * document, and send the model away from a CA that it accepts.
 */
#include "cmd/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/ca_common.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "spa/knowledge.h"
#include "spa/registry.h"

#define ALERT_UNKNOWN_CA 48
#define REFUSALS_MIN 2 /* before they are a hint */

struct observation {
	const struct model *model;
	const struct ca *ca;
	char firmware[EVENT_NAME_MAX + 1];
	size_t accepted, refused;
	time_t last_at;
};

struct observed {
	struct doctor_hints *hints;
	const struct doctor_world *world;
	struct observation *list;
	size_t count;
	struct error err;
};

static struct observation *
find(struct observed *observed, const struct model *model, const char *firmware,
    const struct ca *ca)
{
	for (size_t i = 0; i < observed->count; i++) {
		struct observation *one = &observed->list[i];

		if (one->model == model && one->ca == ca &&
		    strcmp(one->firmware, firmware) == 0)
			return one;
	}
	observed->list = xrealloc(observed->list,
	    (observed->count + 1) * sizeof(*observed->list));
	observed->list[observed->count] = (struct observation) { .model = model,
		.ca = ca };
	(void)snprintf(observed->list[observed->count].firmware,
	    sizeof(observed->list->firmware), "%s", firmware);
	return &observed->list[observed->count++];
}

static bool
is_version(const char *text)
{
	struct firmware firmware;
	struct error ignored;

	return *text != '\0' && firmware_parse(&firmware, text, &ignored) == 0;
}

static int
see(const struct event *event, void *arg)
{
	struct observed *observed = arg;
	const struct ca *ca = registry_find_ca(event->ca);
	const struct model *model = registry_find_model(event->product, NULL);
	struct diagnosis diagnosis;
	struct observation *one;

	if (ca == NULL)
		return 0;
	if (event->kind != EVENT_HANDSHAKE) {
		/* Who has proved nothing, or says no version, teaches none. */
		if (!event->has_mac || *event->verify != '\0' ||
		    model == NULL || !is_version(event->firmware))
			return 0;
		one = find(observed, model, event->firmware, ca);
		one->accepted++;
		one->last_at = event->at;
		return 0;
	}
	if (event->alert_received != ALERT_UNKNOWN_CA)
		return 0;
	if (doctor_diagnose(observed->hints, observed->world, event, &diagnosis,
		&observed->err) != 0)
		return 1;
	if (diagnosis.who.confidence > CONFIDENCE_MEDIUM ||
	    diagnosis.who.model == NULL || !diagnosis.who.in_inventory ||
	    !is_version(diagnosis.who.firmware))
		return 0;
	one = find(observed, diagnosis.who.model, diagnosis.who.firmware, ca);
	one->refused++;
	one->last_at = event->at;
	return 0;
}

/* What is proven: refusals that somebody sent take nothing away from it. */
static enum verdict
verdict_of(const struct observation *one)
{
	return one->accepted > 0 ? VERDICT_TRUSTED : VERDICT_UNKNOWN;
}

/* What it looks like, where nothing is proven. */
static enum verdict
hint_of(const struct observation *one)
{
	if (one->accepted == 0 && one->refused >= REFUSALS_MIN)
		return VERDICT_NOT;
	return verdict_of(one);
}

static struct trust
documents_say(const struct observed *observed, const struct observation *one)
{
	struct firmware firmware;
	struct error ignored;

	(void)!firmware_parse(&firmware, one->firmware, &ignored);
	return knowledge_resolve(observed->world->knowledge, one->model,
	    &firmware, one->ca);
}

static bool
contradicts(enum verdict seen, enum verdict known)
{
	return (seen == VERDICT_TRUSTED && known == VERDICT_NOT) ||
	    (seen == VERDICT_NOT && known == VERDICT_TRUSTED);
}

static void
print_one(const struct observed *observed, const struct observation *one)
{
	struct trust known = documents_say(observed, one);
	enum verdict seen = hint_of(one);
	char date[CMD_DATE_BYTES], *text;

	cmd_date(one->last_at, date);
	(void)printf("  %-14s %-18s %-24s %s\n", one->model->name,
	    one->firmware, one->ca->id,
	    seen == verdict_of(one) ? verdict_name(seen) : "refuses it?");
	(void)printf("    accepted %zu times, refused %zu, last %s; so far "
		     "known: %s\n",
	    one->accepted, one->refused, date, verdict_name(known.verdict));
	if (seen != verdict_of(one) && known.verdict != seen) {
		(void)printf("    ");
		(void)cmd_wrapf(4, 4,
		    "seen, not proof: no certificate says that it was this "
		    "device. When you have tried it: sprov ca claim add "
		    "'%s@%s' %s not",
		    one->model->name, one->firmware, one->ca->id);
		(void)putchar('\n');
	}
	if (!contradicts(seen, known.verdict) || known.decided_by == NULL)
		return;
	text = ca_claim_text(observed->world->knowledge, known.decided_by);
	(void)cmd_wrapf(0, 4, "CONTRADICTION, not resolved here: %s", text);
	(void)putchar('\n');
	free(text);
}

static json_t *
one_json(const struct observed *observed, const struct observation *one)
{
	struct trust known = documents_say(observed, one);
	enum verdict seen = hint_of(one);

	return json_pack("{ss ss ss ss ss sI sI so ss sb}", "model",
	    one->model->name, "firmware", one->firmware, "ca", one->ca->id,
	    "observed", verdict_name(verdict_of(one)), "hint",
	    verdict_name(seen), "accepted", (json_int_t)one->accepted,
	    "refused", (json_int_t)one->refused, "last",
	    cmd_json_time(one->last_at), "known", verdict_name(known.verdict),
	    "contradiction", contradicts(seen, known.verdict));
}

/* The rows for the file of claims, of what is proven and not there yet. */
static int
add_all(const struct observed *observed, const char *claims, size_t *added)
{
	char today[CMD_DATE_BYTES];

	cmd_date(clock_wall(), today);
	*added = 0;
	for (size_t i = 0; i < observed->count; i++) {
		const struct observation *one = &observed->list[i];
		enum verdict seen = verdict_of(one);
		struct trust known = documents_say(observed, one);
		char *row;
		int rc;

		if (seen == VERDICT_UNKNOWN ||
		    (known.decided_by != NULL && known.verdict == seen &&
			known.decided_by->basis <= BASIS_TESTED))
			continue;
		row = xasprintf("%s\t%s\t%s\t%s\t%s\tobserved\thigh\t"
				"completed a handshake\town events %s",
		    one->ca->id, one->model->name, one->firmware, one->firmware,
		    verdict_name(seen), today);
		rc = ca_claim_append(claims, row);
		free(row);
		if (rc != 0)
			return -1;
		(*added)++;
	}
	return 0;
}

int
doctor_observed(struct events *events, const struct doctor_world *world,
    const struct events_query *query, const struct doctor_observed_options *how)
{
	struct observed observed = { .hints = doctor_hints_new(events),
		.world = world };
	struct error err = { 0 };
	int rc = events_each(events, query, see, &observed, &err);
	int status = CMD_DONE;
	json_t *list = json_array();
	size_t added = 0;

	if (rc != 0)
		status = cmd_fail(rc < 0 ? &err : &observed.err);
	for (size_t i = 0; status == CMD_DONE && i < observed.count; i++) {
		if (how->json)
			(void)json_array_append_new(list,
			    one_json(&observed, &observed.list[i]));
		else
			print_one(&observed, &observed.list[i]);
	}
	if (status == CMD_DONE && how->add &&
	    add_all(&observed, how->claims, &added) != 0)
		status = CMD_FAILED;
	if (status == CMD_DONE && how->json)
		status = ca_print_json(json_pack("{sO sI}", "observed", list,
		    "added", (json_int_t)added));
	else if (status == CMD_DONE && observed.count == 0)
		(void)printf("Nothing was observed that says who trusts "
			     "which CA.\n");
	else if (status == CMD_DONE && how->add)
		(void)printf("%zu added to your own claims.\n", added);
	json_decref(list);
	doctor_hints_free(observed.hints);
	free(observed.list);
	return status;
}
