#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/stock.h"
#include "base/addr.h"
#include "http/request.h"
#include "provision/decision.h"
#include "tls/conn.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define A "000e08aabb01"      /* in group "attic", with keys */
#define SIPURA "000e08aabb02" /* of the defective series */
#define GOOD_SERIAL "000e08aabb03"
#define RETIRED "000e08aabb04"
#define ALONE "000e08aabb05" /* in no group */
#define KEY_ID "00000000000000aa"
#define NOW 1800000000

static const struct stock_device devices[] = {
	{ A, "SPA504G", NULL, "CCQ000000A1", "attic", DEVICE_ACTIVE },
	{ SIPURA, "SPA2102", NULL, "FM500F200000", "attic", DEVICE_ACTIVE },
	{ GOOD_SERIAL, "SPA2102", NULL, "FM500F700000", "attic",
	    DEVICE_ACTIVE },
	{ RETIRED, "SPA504G", NULL, NULL, "attic", DEVICE_RETIRED },
	{ ALONE, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
};

static const struct stock_variable variables[] = {
	{ NULL, SCOPE_GROUP, "attic", "x", "1" },
	{ A, SCOPE_DEFAULT, NULL, KEYRING_VARIABLE,
	    KEY_ID ":ABCDEFGHIJKLMNOPQRSTUVWXYZ012345" },
	{ A, SCOPE_DEFAULT, NULL, "protection", "aes" },
};

static struct snapshot *snapshot;
static struct routes *routes;
static struct network network;

static int
setup(void **state)
{
	struct error err;

	(void)state;
	snapshot = stock_snapshot(devices, COUNT(devices), variables,
	    COUNT(variables));
	routes = routes_new();
	stock_check(routes_add(routes, ROUTE_PROFILE, "/$MA.cfg", NULL, &err),
	    &err);
	stock_check(routes_add(routes, ROUTE_COMMON, "/all.cfg", "all.xml",
			&err),
	    &err);
	stock_check(routes_add_own(routes, "/init.cfg", &err), &err);
	stock_check(routes_add(routes, ROUTE_REPORT, "/report/$MA.xml", NULL,
			&err),
	    &err);
	stock_check(network_parse(&network, "192.0.2.0/24", &err), &err);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	snapshot_release(snapshot);
	routes_free(routes);
	return 0;
}

enum factor { AES = 1, SOURCE = 2, ONCE = 4 };

/* A request with a certificate that is refused, and one exception. */
struct situation {
	enum exception_kind kind;
	enum tls_verdict verdict;
	int depth;
	enum peer_form form;
	const char *mac; /* of the certificate; NULL: none */
	const char *path, *query;
	const char *scope_mac, *scope_model, *scope_group, *scope_listener;
	int factors; /* that it requires */
	const char *source;
	time_t until, first;
	enum request_method method;
};

static const struct situation expired = {
	.kind = EXCEPTION_EXPIRED,
	.verdict = TLS_PEER_EXPIRED,
	.form = PEER_OBSERVED,
	.mac = A,
	.path = "/" A ".cfg",
	.scope_group = "attic",
	.factors = SOURCE,
	.source = "192.0.2.7:1",
	.until = NOW + 1,
};

static const struct situation generic = {
	.kind = EXCEPTION_GENERIC,
	.verdict = TLS_PEER_TRUSTED,
	.form = PEER_GENERIC,
	.path = "/" A ".cfg",
	.scope_group = "attic",
	.factors = SOURCE,
	.source = "192.0.2.7:1",
	.until = NOW + 1,
};

static const struct situation defective = {
	.kind = EXCEPTION_DEFECTIVE,
	.verdict = TLS_PEER_UNTRUSTED,
	.form = PEER_DOCUMENTED,
	.mac = SIPURA,
	.path = "/" SIPURA ".cfg",
	.scope_group = "attic",
	.factors = SOURCE,
	.source = "192.0.2.7:1",
	.until = NOW + 1,
};

static unsigned
no_marks(void *arg, const struct mac *mac, uint64_t id)
{
	(void)arg;
	(void)mac;
	(void)id;
	return 0;
}

static time_t
first_use(void *arg, const char *exception, const struct mac *mac)
{
	const struct situation *s = arg;

	(void)mac;
	assert_string_equal(exception, "test");
	return s->first;
}

static struct exception
make_exception(const struct situation *s, struct exception_scope *scope)
{
	*scope = (struct exception_scope) { .has_mac = s->scope_mac != NULL };
	if (s->scope_mac != NULL)
		scope->mac = stock_mac(s->scope_mac);
	stock_copy(scope->model, s->scope_model);
	stock_copy(scope->group, s->scope_group);
	stock_copy(scope->listener, s->scope_listener);
	return (struct exception) {
		.name = "test",
		.kind = s->kind,
		.scopes = scope,
		.scope_count = 1,
		.until = s->until,
		.needs_encryption = (s->factors & AES) != 0,
		.networks = &network,
		.network_count = (s->factors & SOURCE) != 0,
		.once = (s->factors & ONCE) != 0,
		.window_ms = 60000,
	};
}

static struct decision
decide(struct situation s, size_t exceptions)
{
	const struct decision_policy policy = { .certificate_required = true };
	const struct tls_peer tls_peer = { .verdict = s.verdict,
		.verify_depth = s.depth };
	struct peer peer = { .form = s.form, .has_mac = s.mac != NULL };
	struct request request = { .method = s.method,
		.framing = REQUEST_LENGTH };
	struct exception_scope scope;
	const struct exception exception = make_exception(&s, &scope);
	struct decision_input input = { .policy = &policy,
		.tls_peer = &tls_peer,
		.peer = s.verdict != TLS_PEER_NONE ? &peer : NULL,
		.request = &request,
		.routes = routes,
		.snapshot = snapshot,
		.marks = no_marks,
		.exceptions = &exception,
		.exception_count = exceptions,
		.listener = "csb",
		.now = NOW,
		.first_use = first_use,
		.first_use_arg = &s };
	struct decision decision;
	struct addr source;
	struct error err;

	stock_check(addr_parse(&source, s.source, &err), &err);
	input.source = &source;
	if (s.mac != NULL)
		peer.mac = stock_mac(s.mac);
	(void)snprintf(request.path, sizeof(request.path), "%s", s.path);
	(void)snprintf(request.query, sizeof(request.query), "%s",
	    s.query != NULL ? s.query : "");
	decision_make(&input, &decision);
	return decision;
}

/* With one thing changed. */
#define CHECK(base, wanted, ...) \
	do { \
		struct situation s_ = base; \
		__VA_ARGS__; \
		check(&s_, wanted, __LINE__); \
	} while (0)

static void
check(const struct situation *s, enum decision_reason wanted, int line)
{
	struct decision d = decide(*s, 1);

	if (d.reason != wanted)
		fail_msg("line %d: %s, wanted %s", line,
		    decision_reason_name(d.reason),
		    decision_reason_name(wanted));
	assert_int_equal(d.exception != NULL, d.allow);
	assert_int_equal(d.device != NULL, d.allow);
	/* Without the exception it is refused. */
	assert_false(decide(*s, 0).allow);
}

static void
test_kinds(void **state)
{
	(void)state;
	CHECK(expired, DECISION_OWN_PROFILE, (void)s_);
	CHECK(generic, DECISION_OWN_PROFILE, (void)s_);
	CHECK(defective, DECISION_OWN_PROFILE, (void)s_);
	CHECK(defective, DECISION_OWN_PROFILE, s_.mac = NULL);
	CHECK(defective, DECISION_OWN_PROFILE, s_.verdict = TLS_PEER_TRUSTED;
	      s_.form = PEER_INVALID; s_.mac = NULL);
	/* One kind makes up for no other one. */
	CHECK(expired, DECISION_EXPIRED, s_.kind = EXCEPTION_GENERIC);
	CHECK(expired, DECISION_EXPIRED, s_.kind = EXCEPTION_DEFECTIVE);
	CHECK(generic, DECISION_GENERIC, s_.kind = EXCEPTION_EXPIRED);
	CHECK(defective, DECISION_UNTRUSTED, s_.kind = EXCEPTION_GENERIC);
	CHECK(defective, DECISION_UNTRUSTED, s_.kind = EXCEPTION_EXPIRED);
	/* And none for no certificate, */
	CHECK(generic, DECISION_NO_CERTIFICATE, s_.verdict = TLS_PEER_NONE);
	CHECK(defective, DECISION_NO_CERTIFICATE, s_.verdict = TLS_PEER_NONE);
	/* ... an expired CA, an expired generic one, or one of no form. */
	CHECK(expired, DECISION_EXPIRED, s_.depth = 1);
	CHECK(expired, DECISION_EXPIRED, s_.form = PEER_GENERIC);
	CHECK(expired, DECISION_EXPIRED, s_.form = PEER_INVALID);
	CHECK(expired, DECISION_EXPIRED, s_.mac = NULL);
}

/* Its own profile, and nothing else; of the device that it is. */
static void
test_only_own(void **state)
{
	(void)state;
	CHECK(expired, DECISION_OWN_PROFILE, s_.path = "/init.cfg");
	CHECK(expired, DECISION_EXPIRED, s_.path = "/all.cfg");
	CHECK(expired, DECISION_EXPIRED, s_.path = "/none.cfg");
	CHECK(expired, DECISION_EXPIRED, s_.path = "/" ALONE ".cfg");
	CHECK(expired, DECISION_EXPIRED, s_.mac = RETIRED;
	      s_.path = "/" RETIRED ".cfg");
	CHECK(expired, DECISION_EXPIRED, s_.path = "/report/" A ".xml";
	      s_.method = REQUEST_POST);
	CHECK(expired, DECISION_METHOD, s_.method = REQUEST_POST);
	/* A generic certificate says nothing: the path has to. */
	CHECK(generic, DECISION_GENERIC, s_.path = "/init.cfg");
	CHECK(generic, DECISION_GENERIC, s_.path = "/all.cfg");
	CHECK(generic, DECISION_GENERIC, s_.path = "/000e08aabbff.cfg");
	CHECK(generic, DECISION_GENERIC, s_.path = "/" RETIRED ".cfg");
	/* Only serial numbers of that series are excused. */
	CHECK(defective, DECISION_UNTRUSTED, s_.mac = GOOD_SERIAL;
	      s_.path = "/" GOOD_SERIAL ".cfg");
	CHECK(defective, DECISION_UNTRUSTED, s_.mac = A;
	      s_.path = "/" A ".cfg");
	CHECK(defective, DECISION_UNTRUSTED, s_.mac = A);
}

static void
test_scope(void **state)
{
	(void)state;
	CHECK(expired, DECISION_OWN_PROFILE, s_.scope_mac = A);
	CHECK(expired, DECISION_EXPIRED, s_.scope_mac = ALONE);
	CHECK(expired, DECISION_OWN_PROFILE, s_.scope_model = "SPA504G");
	CHECK(expired, DECISION_EXPIRED, s_.scope_model = "SPA2102");
	CHECK(expired, DECISION_EXPIRED, s_.scope_group = "cellar");
	CHECK(expired, DECISION_EXPIRED, s_.mac = ALONE;
	      s_.path = "/" ALONE ".cfg");
	CHECK(expired, DECISION_OWN_PROFILE, s_.scope_listener = "csb");
	CHECK(expired, DECISION_EXPIRED, s_.scope_listener = "other");
}

static void
test_factors(void **state)
{
	(void)state;
	CHECK(expired, DECISION_EXCEPTION_SOURCE, s_.source = "198.51.100.1:1");
	CHECK(generic, DECISION_EXCEPTION_SOURCE,
	    s_.source = "[2001:db8::1]:1");
	CHECK(generic, DECISION_OWN_PROFILE,
	    s_.source = "[::ffff:192.0.2.1]:1");
	CHECK(generic, DECISION_EXCEPTION_UNENCRYPTED, s_.factors = AES);
	CHECK(generic, DECISION_OWN_PROFILE, s_.factors = AES;
	      s_.query = "key=" KEY_ID);
	CHECK(generic, DECISION_EXCEPTION_UNENCRYPTED, s_.factors = AES;
	      s_.query = "key=00000000000000ab");
	/* Each of them has to hold. */
	CHECK(generic, DECISION_EXCEPTION_SOURCE, s_.factors = AES | SOURCE;
	      s_.query = "key=" KEY_ID; s_.source = "198.51.100.1:1");
	CHECK(generic, DECISION_EXCEPTION_UNENCRYPTED,
	    s_.factors = AES | SOURCE);
	/* Not required, but named, and wrong. */
	CHECK(generic, DECISION_UNKNOWN_KEY, s_.query = "key=00000000000000ab");
	CHECK(expired, DECISION_OWN_PROFILE, s_.factors = ONCE);
	CHECK(expired, DECISION_OWN_PROFILE, s_.factors = ONCE;
	      s_.first = NOW - 60);
	CHECK(expired, DECISION_EXCEPTION_USED_UP, s_.factors = ONCE;
	      s_.first = NOW - 61);
	CHECK(generic, DECISION_OWN_PROFILE, s_.factors = ONCE;
	      s_.scope_mac = A);
	/* Whoever comes first, of a whole group: not even by mistake. */
	CHECK(generic, DECISION_EXCEPTION_UNENCRYPTED, s_.factors = ONCE);
	CHECK(expired, DECISION_EXCEPTION_UNENCRYPTED, s_.factors = 0);
}

static void
test_lapse(void **state)
{
	(void)state;
	CHECK(expired, DECISION_EXCEPTION_LAPSED, s_.until = NOW);
	CHECK(generic, DECISION_EXCEPTION_LAPSED, s_.until = NOW - 1000);
	CHECK(defective, DECISION_EXCEPTION_LAPSED, s_.until = 0);
	/* One that was never for it says nothing of itself. */
	CHECK(expired, DECISION_EXPIRED, s_.until = 0; s_.scope_mac = ALONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_only_own),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_factors),
		cmocka_unit_test(test_lapse),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
