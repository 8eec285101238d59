#include "provision/plan.h"
#include "spa/knowledge.h"

#include <string.h>

/* What our listeners speak at least that are not "legacy": TLS 1.2. */
#define MODERN_MIN 0x0303

static bool
is_among(const struct ca *const *list, size_t count, const struct ca *ca)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == ca)
			return true;
	return false;
}

bool
plan_may_use(const struct plan_options *options, const struct ca *ca)
{
	if (!registry_is_server_ca(ca) ||
	    is_among(options->without, options->without_count, ca) ||
	    (options->without_gone &&
		!plan_can_be_had(plan_supply(options, ca, NULL))))
		return false;
	if (ca->role != CA_SERVER_CLASS)
		return true;
	return (options->allow_custom && strcmp(ca->id, "custom-ca") == 0) ||
	    (options->allow_public && strcmp(ca->id, "public-ca-bundle") == 0);
}

static bool
is_within(time_t at, time_t not_before, time_t not_after)
{
	return (not_before == 0 || not_before <= at) &&
	    (not_after == 0 || at <= not_after);
}

static bool
is_current(const struct plan_certificate *certificate, time_t at)
{
	return is_within(at, certificate->not_before, certificate->not_after);
}

/* Ours from that CA: one within its dates before others, the last to end
 * before others; one that has no end that we know of counts most. */
static const struct plan_certificate *
find_certificate(const struct plan_options *options, const struct ca *ca)
{
	const struct plan_certificate *found = NULL;

	for (size_t i = 0; i < options->certificate_count; i++) {
		const struct plan_certificate *one = &options->certificates[i];
		bool is, was;

		if (one->ca != ca)
			continue;
		is = is_current(one, options->at);
		was = found != NULL && is_current(found, options->at);
		if (found == NULL || is > was ||
		    (is == was && found->not_after != 0 &&
			(one->not_after == 0 ||
			    one->not_after > found->not_after)))
			found = one;
	}
	return found;
}

enum plan_supply
plan_supply(const struct plan_options *options, const struct ca *ca,
    const struct plan_certificate **certificate)
{
	const struct plan_certificate *ours = find_certificate(options, ca);
	bool current = ours != NULL && is_current(ours, options->at);

	/* One that is over, of a CA that signs, is replaced by a new one. */
	if (ours != NULL && !current && ca->signing == CA_SIGNING_YES)
		ours = NULL;
	if (certificate != NULL)
		*certificate = ours;
	if (ours != NULL)
		return current ? PLAN_HELD : PLAN_OVERDUE;
	switch (ca->signing) {
	case CA_SIGNING_YES:
		return PLAN_SIGNS;
	case CA_SIGNING_UNKNOWN:
		return PLAN_DOUBTFUL;
	case CA_SIGNING_NO:
		break;
	}
	return PLAN_GONE;
}

bool
plan_can_be_had(enum plan_supply supply)
{
	switch (supply) {
	case PLAN_HELD:
	case PLAN_OVERDUE:
	case PLAN_SIGNS:
		return true;
	case PLAN_DOUBTFUL:
	case PLAN_GONE:
		break;
	}
	return false;
}

/*
 * What a certificate that is still to come will be like: the signing portal
 * recommends SHA-256, and we ask for 2048 bits [CDA-SIGN]; CAs that sign no
 * more are of the time of SHA-1 and, mostly, of 1024 bits.  A root of one's own
 * signs as its devices need it.
 */
static struct plan_certificate
foresee(const struct ca *ca)
{
	bool is_new = ca->signing == CA_SIGNING_YES;
	bool is_own = strcmp(ca->id, "custom-ca") == 0;

	return (struct plan_certificate) { .ca = ca,
		.is_sha2 = is_new && !is_own,
		.has_san = is_new,
		.is_strong = is_new };
}

static bool
is_ca_current(const struct ca *ca, time_t at)
{
	return is_within(at, ca->not_before, ca->not_after);
}

/* Of a device that trusts anchor, which is ca or above it. */
static enum plan_expectation
expect_of_trusting(const struct plan_options *options,
    const struct stack *stack, const struct ca *ca, const struct ca *anchor)
{
	const struct plan_certificate *ours;
	enum plan_supply supply = plan_supply(options, ca, &ours);
	struct plan_certificate certificate = ours != NULL ? *ours :
							     foresee(ca);

	if (stack->check_time &&
	    (supply == PLAN_OVERDUE || !is_ca_current(ca, options->at) ||
		!is_ca_current(anchor, options->at)))
		return PLAN_EXPIRED;
	if (!stack->check_sha256 && certificate.is_sha2)
		return PLAN_DIGEST;
	if (stack->name_check == NAME_CHECK_SAN && !certificate.has_san)
		return PLAN_NAME;
	if (options->drop_tls != 0 && !certificate.is_strong)
		return PLAN_WEAK;
	return PLAN_ACCEPTS;
}

enum plan_expectation
plan_expect(const struct plan_options *options,
    const struct knowledge *knowledge, const struct model *model,
    const struct firmware *firmware, const struct ca *ca,
    const struct claim **claim)
{
	const struct stack *stack = registry_find_stack(model, firmware);
	const struct ca *anchor = ca;
	struct trust trust = knowledge_resolve(knowledge, model, firmware, ca);

	/* We send intermediates along: then the one above counts. */
	while (trust.verdict == VERDICT_UNKNOWN && anchor->issuer_id != NULL) {
		anchor = registry_find_ca(anchor->issuer_id);
		trust = knowledge_resolve(knowledge, model, firmware, anchor);
	}
	if (claim != NULL)
		*claim = trust.decided_by;
	if (options->drop_tls != 0 &&
	    (stack->max_version < MODERN_MIN ||
		stack->max_version <= options->drop_tls))
		return PLAN_TLS;
	switch (trust.verdict) {
	case VERDICT_UNKNOWN:
		return PLAN_UNKNOWN;
	case VERDICT_NOT:
		return PLAN_REFUSES;
	case VERDICT_TRUSTED:
		break;
	}
	return expect_of_trusting(options, stack, ca, anchor);
}
