#include "cmd/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/service.h"
#include "server/visits.h"
#include "sim/look.h"
#include "sim/stream.h"
#include "spa/registry.h"
#include "tls/conn.h"

#define TIMEOUT_MS 5000
#define NOBODY "self-test.invalid" /* RFC 6761 6.4 */
#define TLS_1_0 0x0301
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

/* What both policies take, and what devices offer. */
#define CIPHERS "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:AES256-SHA"

static const struct stack nameless = {
	.id = "without a name",
	.min_version = TLS_1_0,
	.max_version = TLS_1_3,
	.ciphers = CIPHERS,
	.extensions = true,
};

static const struct stack odd_name = {
	.id = "with a name that nobody has",
	.min_version = TLS_1_0,
	.max_version = TLS_1_3,
	.ciphers = CIPHERS,
	.extensions = true,
	.sni = true,
};

static const struct stack oldest = {
	.id = "with TLS 1.0 only",
	.min_version = TLS_1_0,
	.max_version = TLS_1_0,
	.ciphers = CIPHERS,
	.extensions = false,
};

/* One look, and what has to come of it. */
struct look {
	const struct selftest_plan *plan;
	const struct selftest_place *place;
	const struct service_listener *expected; /* of the certificates */
	const struct stack *stack;
	const char *host;
	enum tls_policy policy;
	struct errors *errors;
};

static void
complain(const struct look *look, const char *what)
{
	char address[ADDR_TEXT_BYTES];

	addr_format(&look->place->address, address);
	errors_add(look->errors, "listener %s at %s, as %s%s%s: %s",
	    look->expected->name, address, look->stack->id,
	    look->stack->sni ? ", name " : "",
	    look->stack->sni ? look->host : "", what);
}

/* ---------------------------------------------------------- what came back */

static void
check_chain(const struct look *look, const struct check_view *view)
{
	const struct chain *chain = look->expected->chain;
	uint8_t shown[CERT_DIGEST_BYTES], wanted[CERT_DIGEST_BYTES];
	bool same = view->count == chain_length(chain);

	for (size_t i = 0; same && i < view->count; i++) {
		cert_sha256(view->certs[i], shown);
		cert_sha256(chain_certificate(chain, i), wanted);
		same = memcmp(shown, wanted, sizeof(shown)) == 0;
	}
	if (!same)
		complain(look,
		    "it shows another certificate or chain than is "
		    "configured");
}

/* As tls_conn_requested_cas() writes it. */
static void
anchor_name(const X509 *cert, char text[static CHECK_TEXT_MAX])
{
	const struct cert_name_part *part;
	struct cert_name name;

	cert_subject(cert, &name);
	part = cert_name_find(&name, CERT_COMMON_NAME);
	text_escape(part != NULL ? part->value : "",
	    part != NULL ? part->len : 0, text, CHECK_TEXT_MAX);
}

static bool
is_named(const struct check_view *view, const char *name)
{
	for (size_t i = 0; i < view->ca_name_count && i < CHECK_CA_NAMES_MAX;
	     i++)
		if (strcmp(view->ca_names[i], name) == 0)
			return true;
	return false;
}

static bool
is_anchor(const struct anchors *anchors, const char *name)
{
	char text[CHECK_TEXT_MAX];

	for (size_t i = 0; i < anchors_count(anchors); i++) {
		anchor_name(anchors_get(anchors, i), text);
		if (strcmp(text, name) == 0)
			return true;
	}
	return false;
}

/* Each anchor is named, and nobody else is. */
static void
check_anchors(const struct look *look, const struct check_view *view)
{
	const struct anchors *anchors = look->expected->anchors;
	char text[CHECK_TEXT_MAX];
	bool same = view->asks_certificate &&
	    view->ca_name_count <= anchors_count(anchors);

	if (anchors_count(anchors) > CHECK_CA_NAMES_MAX)
		return; /* not all of them were kept */
	for (size_t i = 0; same && i < anchors_count(anchors); i++) {
		anchor_name(anchors_get(anchors, i), text);
		same = is_named(view, text);
	}
	for (size_t i = 0; same && i < view->ca_name_count; i++)
		same = is_anchor(anchors, view->ca_names[i]);
	if (!same)
		complain(look,
		    "it asks for certificates of other CAs than its "
		    "client anchors");
}

static int
least_version(const struct look *look)
{
	return look->policy == TLS_LEGACY ? TLS_1_0 : TLS_1_2;
}

static void
check_policy(const struct look *look, const struct check_view *view)
{
	if (view->tls_version < least_version(look))
		complain(look, "it speaks an older TLS than its policy allows");
	else if (view->tls_version != look->stack->max_version)
		complain(look,
		    "it does not speak the newest TLS that both "
		    "could");
	else if (look->policy == TLS_MODERN &&
	    strstr(view->cipher, "GCM") == NULL &&
	    strstr(view->cipher, "POLY1305") == NULL)
		complain(look, "it takes a cipher that its policy excludes");
}

/* Must there be a handshake?  All stacks are made for the legacy policy; what a
 * modern listener takes, or a key that is not RSA, is not for all. */
static bool
must_succeed(const struct look *look)
{
	if (!cert_is_rsa(chain_certificate(look->expected->chain, 0)))
		return false;
	return look->policy == TLS_LEGACY ||
	    look->stack->max_version == TLS_1_3 ||
	    (look->stack->max_version == TLS_1_2 &&
		strstr(look->stack->ciphers, "ECDHE-RSA-AES128-GCM-SHA256") !=
		    NULL);
}

static void
judge(const struct look *look, const struct check_view *view)
{
	char what[CHECK_TEXT_MAX + 32];

	if (view->reached >= CHECK_HANDSHAKE) {
		check_policy(look, view);
		check_chain(look, view);
		check_anchors(look, view);
	} else if (view->reached == CHECK_NO_CONNECTION ||
	    (look->stack->max_version >= least_version(look) &&
		must_succeed(look))) {
		(void)snprintf(what, sizeof(what), "no handshake: %s",
		    view->error);
		complain(look, what);
	}
}

/* ----------------------------------------------------------------- looking */

static void
note_visit(void *visits, const struct addr *source)
{
	visits_add(visits, source);
}

/* Come from the address that is looked at: it is one of ours. */
static struct addr
source_of(const struct selftest_place *place)
{
	char host[ADDR_TEXT_BYTES];
	struct addr source = place->address;
	struct error ignored;

	addr_format_host(&place->address, host);
	(void)!addr_parse_host(&source, host, 0, &ignored);
	return source;
}

static void
look_once(const struct look *look)
{
	const struct addr source = source_of(look->place);
	const struct sim_look how = {
		.stack = look->stack,
		.host = look->host,
		.port = addr_port(&look->place->address),
		.timeout_ms = TIMEOUT_MS,
		.source = &source,
		.bound = look->plan->visits != NULL ? note_visit : NULL,
		.bound_arg = look->plan->visits,
	};
	struct check_view *view = calloc(1, sizeof(*view));
	struct error err = { 0 };

	if (view == NULL)
		return;
	if (sim_look(&how, &look->place->address, view, &err) != 0)
		complain(look, err.text);
	else
		judge(look, view);
	check_view_clear(view);
	free(view);
}

/*
 * Without TLS there is nothing to see but that somebody is there.  We stay until
 * the server closes: by then it has seen where we came from, and knows that this
 * was no device.
 */
static void
look_plainly(const struct look *look)
{
	const struct addr source = source_of(look->place);
	struct stream stream = { .fd = -1 };
	struct error err = { 0 };
	size_t n = 0;
	char byte;

	if (stream_connect_bound(&stream, &source, &look->place->address,
		TIMEOUT_MS, look->plan->visits != NULL ? note_visit : NULL,
		look->plan->visits, &err) != 0)
		complain(look, err.text);
	else if (shutdown(stream.fd, SHUT_WR) == 0)
		(void)!stream_receive(&stream, &byte, 1, &n,
		    clock_monotonic_ms() + TIMEOUT_MS, &err);
	stream_close(&stream);
}

/* Several stacks may speak alike. */
static bool
is_new(size_t index)
{
	const struct stack *stack = &registry_stacks[index];

	for (size_t i = 0; i < index; i++) {
		const struct stack *other = &registry_stacks[i];

		if (other->min_version == stack->min_version &&
		    other->max_version == stack->max_version &&
		    other->extensions == stack->extensions &&
		    other->sni == stack->sni &&
		    strcmp(other->ciphers, stack->ciphers) == 0)
			return false;
	}
	return true;
}

/* With the name of each certificate that no other one has, too. */
static size_t
look_by_name(struct look look, const struct service_listener *listener)
{
	char host[CERT_VALUE_MAX + 1];
	size_t looks = 0;

	look.stack = &odd_name;
	look.host = host;
	for (size_t i = 0;
	     i < listener->alternative_count && !atomic_load(look.plan->stop);
	     i++) {
		size_t matches = 0;

		look.expected = &listener->alternatives[i];
		if (!cert_common_host(chain_certificate(look.expected->chain,
					  0),
			host))
			continue;
		for (size_t j = 0; j < listener->alternative_count; j++)
			matches += cert_matches_host(
			    chain_certificate(listener->alternatives[j].chain,
				0),
			    host, false);
		if (matches != 1)
			continue;
		look_once(&look);
		looks++;
	}
	return looks;
}

static size_t
look_at(const struct selftest_plan *plan, const struct selftest_place *place,
    struct errors *errors)
{
	static const struct stack *const first[] = { &nameless, &odd_name,
		&oldest };
	const struct service_listener *listener =
	    service_listener(plan->service, place->listener);
	struct look look = {
		.plan = plan,
		.place = place,
		.expected = listener,
		.host = NOBODY,
		.stack = &nameless,
		.policy = service_config(plan->service)
			      ->listeners[place->listener]
			      .policy,
		.errors = errors,
	};
	size_t looks = 0;

	if (listener->policy.plain) {
		look_plainly(&look);
		return 1;
	}
	for (size_t i = 0; i < 3 && !atomic_load(plan->stop); i++, looks++) {
		look.stack = first[i];
		look_once(&look);
	}
	for (size_t i = 0; i < registry_stack_count && !atomic_load(plan->stop);
	     i++) {
		if (!is_new(i))
			continue;
		look.stack = &registry_stacks[i];
		look_once(&look);
		looks++;
	}
	return looks + look_by_name(look, listener);
}

size_t
selftest_look(const struct selftest_plan *plan, struct errors *errors)
{
	size_t looks = 0;

	for (size_t i = 0; i < plan->count && !atomic_load(plan->stop); i++)
		looks += look_at(plan, &plan->places[i], errors);
	return looks;
}
