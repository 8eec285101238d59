#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/certs.h"
#include "../../lib/stock.h"
#include "http/request.h"
#include "provision/decision.h"
#include "tls/conn.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define A "000e08aabb01"    /* active, serial known */
#define BARE "000e08aabb02" /* active, serial not known */
#define RETIRED "000e08aabb03"
#define W400 "000e08aabb04" /* WRP400: of the same series as SPA400 */
#define S400 "000e08aabb05"
#define ODD "000e08aabb06"	/* of a model that the registry lacks */
#define STRANGER "000e08aabbff" /* not in the inventory */

static const struct stock_device devices[] = {
	{ A, "SPA504G", "7.5.2", "CCQ000000A1", NULL, DEVICE_ACTIVE },
	{ BARE, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ RETIRED, "SPA504G", NULL, "CCQ000000A3", NULL, DEVICE_RETIRED },
	{ W400, "WRP400", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ S400, "SPA400", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ ODD, "XYZ1", NULL, NULL, NULL, DEVICE_ACTIVE },
};

static const struct {
	enum route_kind kind;
	const char *pattern, *template;
} patterns[] = {
	{ ROUTE_PROFILE, "/spa$MA.cfg", NULL },
	{ ROUTE_PROFILE, "/Cisco/$PN/$MA.cfg", NULL },
	{ ROUTE_PROFILE, "/mine/$PN.cfg", NULL },
	{ ROUTE_COMMON, "/spa$PSN.cfg", "series.xml" },
	{ ROUTE_COMMON, "/all.cfg", "all.xml" },
	{ ROUTE_COMMON, "/common-$MA.cfg", "all.xml" },
	{ ROUTE_REPORT, "/report/$MA.xml", NULL },
	{ ROUTE_REPORT_DELTA, "/delta/$MA.xml", NULL },
	{ ROUTE_REPORT_STATUS, "/status/$PN/$MA.xml", NULL },
	{ ROUTE_PUBLIC, "/hello.xml", "hello.xml" },
	{ ROUTE_PUBLIC, "/hello-$MA.xml", "hello.xml" },
	{ ROUTE_PUBLIC, "/hello-$PN.xml", "hello.xml" },
};

static const struct {
	enum route_kind kind;
	const char *pattern;
	size_t file;
} files[] = {
	{ ROUTE_DEVICE_FILE, "/image.bin", 7 },
	{ ROUTE_PUBLIC_FILE, "/ca-$PSN.pem", 8 },
};

/* One device that shall not ask again for what there is not. */
static const struct stock_variable variables[] = {
	{ BARE, SCOPE_DEFAULT, NULL, "missing-files", "stub" },
	{ A, SCOPE_DEFAULT, NULL, "missing-files", "not-found" },
};

static struct snapshot *snapshot;
static struct routes *routes;

static int
setup(void **state)
{
	struct error err;

	(void)state;
	snapshot = stock_snapshot(devices, COUNT(devices), variables,
	    COUNT(variables));
	routes = routes_new();
	for (size_t i = 0; i < COUNT(patterns); i++)
		stock_check(routes_add(routes, patterns[i].kind,
				patterns[i].pattern, patterns[i].template,
				&err),
		    &err);
	for (size_t i = 0; i < COUNT(files); i++)
		stock_check(routes_add_file(routes, files[i].kind,
				files[i].pattern, files[i].file, &err),
		    &err);
	stock_check(routes_add_own(routes, "/init.cfg", &err), &err);
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

/* Everything but the certificate's bytes, which hardly ever matter. */
struct situation {
	bool required, allow_expired;
	enum tls_verdict verdict;
	enum peer_form form;
	const char *mac; /* NULL: the certificate names none */
	const char *serial, *product;
	enum request_method method;
	const char *path;
};

/* What a request has that asks for nothing but sends something. */
struct sending {
	enum request_framing framing;
	uint64_t length;
	const char *coding; /* NULL: none */
	enum request_expect expect;
};

static struct decision
decide_sending(const struct situation *s, const struct sending *sending,
    const X509 *cert)
{
	const struct decision_policy policy = {
		.certificate_required = s->required,
		.allow_expired_devices = s->allow_expired
	};
	struct tls_peer tls_peer = { .verdict = s->verdict };
	struct peer peer = { .form = s->form };
	struct request request = { .method = s->method };
	struct decision_input input = { .policy = &policy,
		.tls_peer = &tls_peer,
		.request = &request,
		.routes = routes,
		.snapshot = snapshot };
	struct decision decision;

	if (s->mac != NULL) {
		peer.has_mac = true;
		peer.mac = stock_mac(s->mac);
		stock_copy(peer.serial, s->serial);
		stock_copy(peer.product, s->product);
	}
	if (cert != NULL) {
		cert_sha256(cert, tls_peer.sha256);
		cert_key_sha256(cert, tls_peer.key_sha256);
	}
	/* As in the server: without a certificate there is no peer. */
	input.peer = s->verdict != TLS_PEER_NONE ? &peer : NULL;
	(void)snprintf(request.path, sizeof(request.path), "%s", s->path);
	request.framing = sending->framing;
	request.body_length = sending->length;
	request.expect = sending->expect;
	if (sending->coding != NULL)
		stock_copy(request.content_encoding, sending->coding);
	memset(&decision, 0x55, sizeof(decision));
	decision_make(&input, &decision);
	return decision;
}

/* With a body that is fine where one may come. */
static struct decision
decide(const struct situation *s, const X509 *cert)
{
	const struct sending sending = { .framing = REQUEST_LENGTH,
		.length = s->method == REQUEST_POST ? 1000 : 0 };

	return decide_sending(s, &sending, cert);
}

#define REQ true, false
#define OPT false, false
#define REQ_OLD true, true
#define GOOD TLS_PEER_TRUSTED
#define BAD TLS_PEER_UNTRUSTED
#define OLD TLS_PEER_EXPIRED
#define NONE TLS_PEER_NONE, PEER_INVALID, NULL, NULL, NULL
#define DOC PEER_DOCUMENTED
#define UNIT_A A, "CCQ000000A1", "SPA-504G"
#define GET REQUEST_GET
#define POST REQUEST_POST
#define REPORT "/report/" A ".xml"
#define OWN "/spa" A ".cfg"

static const struct {
	struct situation s;
	enum decision_reason reason;
} cases[] = {
	/* A device that proves itself gets its own profile, */
	{ { REQ, GOOD, DOC, UNIT_A, GET, OWN }, DECISION_OWN_PROFILE },
	{ { OPT, GOOD, DOC, UNIT_A, GET, OWN }, DECISION_OWN_PROFILE },
	{ { REQ, GOOD, PEER_OBSERVED, UNIT_A, GET, OWN },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, PEER_MIC, UNIT_A, GET, OWN }, DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_HEAD, OWN }, DECISION_OWN_PROFILE },
	/* ... however its MAC is spelled, */
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa000E08AABB01.cfg" },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa00:0e:08:AA:bb:01.cfg" },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa00-0e-08-aa-bb-01.cfg" },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/SPA" A ".cfg" },
	    DECISION_NO_SUCH_PATH },
	/* ... with as much as is known about it. */
	{ { REQ, GOOD, DOC, A, "", "SPA-504G", GET, OWN },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, A, "CCQ000000A1", "", GET, OWN },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, A, "CCQ000000A1", "XYZ-1", GET, OWN },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, A, "CCQ000000A1", "SPA504G", GET, OWN },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, BARE, "CCQ000000A2", "SPA-504G", GET,
	      "/spa" BARE ".cfg" },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, ODD, "X1", "XYZ1", GET, "/spa" ODD ".cfg" },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/Cisco/SPA504G/" A ".cfg" },
	    DECISION_OWN_PROFILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/mine/SPA504G.cfg" },
	    DECISION_OWN_PROFILE },
	/* ... also where devices ask before they know better. */
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/init.cfg" }, DECISION_OWN_PROFILE },
	{ { OPT, NONE, GET, "/init.cfg" }, DECISION_NO_CERTIFICATE },
	{ { REQ, BAD, DOC, UNIT_A, GET, "/init.cfg" }, DECISION_UNTRUSTED },

	/* Files are for devices of ours, or for all. */
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/image.bin" }, DECISION_DEVICE_FILE },
	{ { OPT, NONE, GET, "/image.bin" }, DECISION_NO_CERTIFICATE },
	{ { OPT, BAD, DOC, UNIT_A, GET, "/image.bin" }, DECISION_UNTRUSTED },
	{ { OPT, NONE, GET, "/ca-504G.pem" }, DECISION_PUBLIC_FILE },
	{ { REQ, NONE, GET, "/ca-504G.pem" }, DECISION_NO_CERTIFICATE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/ca-504G.pem" },
	    DECISION_PUBLIC_FILE },

	/* An empty profile for what there is not, to who is known, if so set;
	 * other files, and what is somebody else's, stay what they are. */
	{ { REQ, GOOD, DOC, BARE, "CCQ000000A2", "SPA-504G", GET, "/none.cfg" },
	    DECISION_STUB },
	{ { REQ, GOOD, DOC, BARE, "CCQ000000A2", "SPA-504G", GET,
	      "/a/none.xml" },
	    DECISION_STUB },
	{ { REQ, GOOD, DOC, BARE, "CCQ000000A2", "SPA-504G", GET, "/none.bin" },
	    DECISION_NO_SUCH_PATH },
	{ { REQ, GOOD, DOC, BARE, "CCQ000000A2", "SPA-504G", GET, OWN },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/none.cfg" }, DECISION_NO_SUCH_PATH },
	{ { OPT, NONE, GET, "/none.cfg" }, DECISION_NO_CERTIFICATE },
	{ { REQ, BAD, DOC, BARE, "CCQ000000A2", "SPA-504G", GET, "/none.cfg" },
	    DECISION_UNTRUSTED },

	/* No certificate: nothing, whether or not there is such a path, */
	{ { REQ, NONE, GET, OWN }, DECISION_NO_CERTIFICATE },
	{ { OPT, NONE, GET, OWN }, DECISION_NO_CERTIFICATE },
	{ { REQ, NONE, GET, "/none" }, DECISION_NO_CERTIFICATE },
	{ { OPT, NONE, GET, "/none" }, DECISION_NO_CERTIFICATE },
	{ { REQ, NONE, GET, "/all.cfg" }, DECISION_NO_CERTIFICATE },
	{ { OPT, NONE, GET, "/all.cfg" }, DECISION_NO_CERTIFICATE },
	{ { OPT, NONE, REQUEST_HEAD, OWN }, DECISION_NO_CERTIFICATE },
	/* ... but for public files where it may be missing. */
	{ { REQ, NONE, GET, "/hello.xml" }, DECISION_NO_CERTIFICATE },
	{ { OPT, NONE, GET, "/hello.xml" }, DECISION_PUBLIC_FILE },
	{ { OPT, NONE, REQUEST_HEAD, "/hello.xml" }, DECISION_PUBLIC_FILE },
	{ { OPT, NONE, GET, "/hello-" STRANGER ".xml" }, DECISION_PUBLIC_FILE },
	{ { OPT, NONE, GET, "/hello-SPA504G.xml" }, DECISION_PUBLIC_FILE },
	{ { OPT, NONE, GET, "/hello-SPA999.xml" }, DECISION_NO_CERTIFICATE },
	/* There they are for all; elsewhere for devices that are known. */
	{ { OPT, BAD, DOC, UNIT_A, GET, "/hello.xml" }, DECISION_PUBLIC_FILE },
	{ { OPT, GOOD, PEER_GENERIC, NULL, NULL, NULL, GET, "/hello.xml" },
	    DECISION_PUBLIC_FILE },
	{ { OPT, GOOD, DOC, RETIRED, "", "", GET, "/hello.xml" },
	    DECISION_PUBLIC_FILE },
	{ { REQ, BAD, DOC, UNIT_A, GET, "/hello.xml" }, DECISION_UNTRUSTED },
	{ { REQ, GOOD, DOC, RETIRED, "", "", GET, "/hello.xml" },
	    DECISION_RETIRED_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/hello.xml" }, DECISION_PUBLIC_FILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/hello-" A ".xml" },
	    DECISION_PUBLIC_FILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/hello-" BARE ".xml" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/hello-SPA502G.xml" },
	    DECISION_OTHER_MODEL },

	/* A certificate that is not believed, before what it says */
	{ { REQ, BAD, DOC, UNIT_A, GET, OWN }, DECISION_UNTRUSTED },
	{ { OPT, BAD, DOC, UNIT_A, GET, OWN }, DECISION_UNTRUSTED },
	{ { REQ_OLD, BAD, DOC, UNIT_A, GET, OWN }, DECISION_UNTRUSTED },
	{ { REQ, BAD, PEER_GENERIC, NULL, NULL, NULL, GET, OWN },
	    DECISION_UNTRUSTED },
	{ { REQ, BAD, PEER_INVALID, NULL, NULL, NULL, GET, OWN },
	    DECISION_UNTRUSTED },
	{ { REQ, BAD, DOC, STRANGER, "", "", GET, "/none" },
	    DECISION_UNTRUSTED },
	{ { REQ, OLD, DOC, UNIT_A, GET, OWN }, DECISION_EXPIRED },
	{ { OPT, OLD, DOC, UNIT_A, GET, OWN }, DECISION_EXPIRED },
	{ { REQ, OLD, PEER_GENERIC, NULL, NULL, NULL, GET, OWN },
	    DECISION_EXPIRED },
	{ { REQ, OLD, DOC, STRANGER, "", "", GET, OWN }, DECISION_EXPIRED },
	/* Where expired ones count, all else still holds. */
	{ { REQ_OLD, OLD, DOC, UNIT_A, GET, OWN }, DECISION_OWN_PROFILE },
	{ { REQ_OLD, OLD, PEER_GENERIC, NULL, NULL, NULL, GET, OWN },
	    DECISION_GENERIC },
	{ { REQ_OLD, OLD, PEER_INVALID, NULL, NULL, NULL, GET, OWN },
	    DECISION_CONTRADICTORY },
	{ { REQ_OLD, OLD, DOC, STRANGER, "", "", GET, "/spa" STRANGER ".cfg" },
	    DECISION_UNKNOWN_DEVICE },
	{ { REQ_OLD, OLD, DOC, UNIT_A, GET, "/spa" BARE ".cfg" },
	    DECISION_OTHER_DEVICE },
	{ { REQ_OLD, NONE, GET, OWN }, DECISION_NO_CERTIFICATE },

	/* A certificate that is no identity, although a CA signed it */
	{ { REQ, GOOD, PEER_GENERIC, NULL, NULL, NULL, GET, OWN },
	    DECISION_GENERIC },
	{ { OPT, GOOD, PEER_GENERIC, NULL, NULL, NULL, GET, OWN },
	    DECISION_GENERIC },
	{ { REQ, GOOD, PEER_GENERIC, UNIT_A, GET, OWN }, DECISION_GENERIC },
	{ { REQ, GOOD, PEER_INVALID, NULL, NULL, NULL, GET, OWN },
	    DECISION_CONTRADICTORY },
	{ { REQ, GOOD, PEER_INVALID, UNIT_A, GET, OWN },
	    DECISION_CONTRADICTORY },
	{ { REQ, GOOD, DOC, NULL, NULL, NULL, GET, OWN },
	    DECISION_CONTRADICTORY },
	{ { REQ, GOOD, PEER_INVALID, NULL, NULL, NULL, GET, "/none" },
	    DECISION_CONTRADICTORY },

	/* Devices that are not (or no longer) ours learn nothing of paths. */
	{ { REQ, GOOD, DOC, STRANGER, "S1", "SPA-504G", GET,
	      "/spa" STRANGER ".cfg" },
	    DECISION_UNKNOWN_DEVICE },
	{ { REQ, GOOD, DOC, STRANGER, "S1", "SPA-504G", GET, OWN },
	    DECISION_UNKNOWN_DEVICE },
	{ { REQ, GOOD, DOC, STRANGER, "S1", "SPA-504G", GET, "/none" },
	    DECISION_UNKNOWN_DEVICE },
	{ { REQ, GOOD, DOC, STRANGER, "S1", "SPA-504G", GET, "/all.cfg" },
	    DECISION_UNKNOWN_DEVICE },
	{ { REQ, GOOD, DOC, RETIRED, "CCQ000000A3", "SPA-504G", GET,
	      "/spa" RETIRED ".cfg" },
	    DECISION_RETIRED_DEVICE },
	{ { REQ, GOOD, DOC, RETIRED, "OTHER", "SPA-504G", GET, "/none" },
	    DECISION_RETIRED_DEVICE },
	{ { REQ, GOOD, DOC, RETIRED, "CCQ000000A3", "SPA-504G", GET,
	      "/all.cfg" },
	    DECISION_RETIRED_DEVICE },
	{ { REQ, GOOD, DOC, A, "CCQ000000A9", "SPA-504G", GET, OWN },
	    DECISION_WRONG_SERIAL },
	{ { REQ, GOOD, DOC, A, "CCQ000000A", "SPA-504G", GET, OWN },
	    DECISION_WRONG_SERIAL },
	{ { REQ, GOOD, DOC, A, "CCQ000000A9", "SPA-502G", GET, "/none" },
	    DECISION_WRONG_SERIAL },
	{ { REQ, GOOD, DOC, A, "CCQ000000A1", "SPA-502G", GET, OWN },
	    DECISION_WRONG_PRODUCT },
	{ { REQ, GOOD, DOC, BARE, "", "SPA-962", GET, "/none" },
	    DECISION_WRONG_PRODUCT },
	{ { REQ, GOOD, DOC, A, "CCQ000000A1", "WRP400", GET, "/all.cfg" },
	    DECISION_WRONG_PRODUCT },

	/* Paths: absent only for a device that has proved itself */
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/none" }, DECISION_NO_SUCH_PATH },
	{ { OPT, GOOD, DOC, UNIT_A, GET, "/none" }, DECISION_NO_SUCH_PATH },
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_HEAD, "/" },
	    DECISION_NO_SUCH_PATH },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/Cisco/SPA999/" A ".cfg" },
	    DECISION_NO_SUCH_PATH },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa" BARE ".cfg" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa" RETIRED ".cfg" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa" STRANGER ".cfg" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_HEAD, "/spa" BARE ".cfg" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/common-" BARE ".cfg" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/Cisco/SPA502G/" A ".cfg" },
	    DECISION_OTHER_MODEL },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/Cisco/SPA502G/" BARE ".cfg" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/mine/SPA502G.cfg" },
	    DECISION_OTHER_MODEL },

	/* Common files: of its own model, or of all */
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa504G.cfg" },
	    DECISION_COMMON_FILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa502G.cfg" },
	    DECISION_OTHER_MODEL },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/spa999.cfg" },
	    DECISION_NO_SUCH_PATH },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/all.cfg" }, DECISION_COMMON_FILE },
	{ { OPT, GOOD, DOC, UNIT_A, REQUEST_HEAD, "/all.cfg" },
	    DECISION_COMMON_FILE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/common-" A ".cfg" },
	    DECISION_COMMON_FILE },
	{ { REQ, GOOD, DOC, W400, "W1", "WRP400", GET, "/spa400.cfg" },
	    DECISION_COMMON_FILE },
	{ { REQ, GOOD, DOC, S400, "S1", "SPA-400", GET, "/spa400.cfg" },
	    DECISION_COMMON_FILE },
	{ { REQ, GOOD, DOC, ODD, "X1", "XYZ1", GET, "/spa400.cfg" },
	    DECISION_OTHER_MODEL },
	{ { REQ, GOOD, DOC, ODD, "X1", "XYZ1", GET, "/all.cfg" },
	    DECISION_COMMON_FILE },

	/* What a device sends of itself, on the same terms */
	{ { REQ, GOOD, DOC, UNIT_A, POST, REPORT }, DECISION_REPORT },
	{ { OPT, GOOD, DOC, UNIT_A, REQUEST_PUT, REPORT }, DECISION_REPORT },
	{ { REQ, GOOD, DOC, UNIT_A, POST, "/delta/" A ".xml" },
	    DECISION_REPORT },
	{ { REQ, GOOD, DOC, UNIT_A, POST, "/status/SPA504G/" A ".xml" },
	    DECISION_REPORT },
	{ { REQ, NONE, POST, REPORT }, DECISION_NO_CERTIFICATE },
	{ { OPT, NONE, REQUEST_PUT, REPORT }, DECISION_NO_CERTIFICATE },
	{ { REQ, BAD, DOC, UNIT_A, POST, REPORT }, DECISION_UNTRUSTED },
	{ { REQ, OLD, DOC, UNIT_A, POST, REPORT }, DECISION_EXPIRED },
	{ { REQ, GOOD, PEER_GENERIC, NULL, NULL, NULL, POST, REPORT },
	    DECISION_GENERIC },
	{ { REQ, GOOD, DOC, STRANGER, "S1", "SPA-504G", POST, REPORT },
	    DECISION_UNKNOWN_DEVICE },
	{ { REQ, GOOD, DOC, RETIRED, "", "", POST, "/report/" RETIRED ".xml" },
	    DECISION_RETIRED_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, POST, "/report/" BARE ".xml" },
	    DECISION_OTHER_DEVICE },
	{ { REQ, GOOD, DOC, UNIT_A, POST, "/status/SPA502G/" A ".xml" },
	    DECISION_OTHER_MODEL },
	/* ... and never to be read back. */
	{ { REQ, GOOD, DOC, UNIT_A, GET, REPORT }, DECISION_METHOD },
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_HEAD, REPORT }, DECISION_METHOD },
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_OTHER, REPORT }, DECISION_METHOD },
	{ { REQ, NONE, GET, REPORT }, DECISION_NO_CERTIFICATE },
	{ { REQ, GOOD, DOC, UNIT_A, GET, "/report/" BARE ".xml" },
	    DECISION_OTHER_DEVICE },

	/* The method comes first of all. */
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_OTHER, OWN }, DECISION_METHOD },
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_POST, OWN }, DECISION_METHOD },
	{ { REQ, GOOD, DOC, UNIT_A, REQUEST_PUT, OWN }, DECISION_METHOD },
	{ { REQ, NONE, REQUEST_OTHER, OWN }, DECISION_METHOD },
	{ { OPT, NONE, REQUEST_OTHER, "/hello.xml" }, DECISION_METHOD },
	{ { REQ, BAD, DOC, STRANGER, "", "", REQUEST_OTHER, "/none" },
	    DECISION_METHOD },
	{ { REQ, BAD, DOC, STRANGER, "", "", POST, "/none" }, DECISION_METHOD },
	{ { OPT, NONE, POST, "/hello.xml" }, DECISION_METHOD },
};

/* What the head says of the body, once the rest of it is fine */
static const struct {
	struct sending sending;
	enum decision_reason reason;
} bodies[] = {
	{ { REQUEST_LENGTH, 1, NULL, REQUEST_EXPECT_NOTHING },
	    DECISION_REPORT },
	{ { REQUEST_LENGTH, 0, "", REQUEST_EXPECT_NOTHING }, DECISION_REPORT },
	{ { REQUEST_LENGTH, DECISION_BODY_MAX, "gzip",
	      REQUEST_EXPECT_CONTINUE },
	    DECISION_REPORT },
	{ { REQUEST_CHUNKED, 0, "X-GZIP", REQUEST_EXPECT_NOTHING },
	    DECISION_REPORT },
	{ { REQUEST_CHUNKED, 0, "identity", REQUEST_EXPECT_NOTHING },
	    DECISION_REPORT },
	{ { REQUEST_LENGTH, 9, "aes128gcm", REQUEST_EXPECT_NOTHING },
	    DECISION_REPORT },
	{ { REQUEST_LENGTH, DECISION_BODY_MAX + 1, NULL,
	      REQUEST_EXPECT_NOTHING },
	    DECISION_TOO_LARGE },
	{ { REQUEST_LENGTH, UINT64_MAX, "br", REQUEST_EXPECT_CONTINUE },
	    DECISION_TOO_LARGE },
	{ { REQUEST_NO_BODY, 0, NULL, REQUEST_EXPECT_NOTHING },
	    DECISION_NO_LENGTH },
	{ { REQUEST_LENGTH, 9, "br", REQUEST_EXPECT_NOTHING },
	    DECISION_CODING },
	{ { REQUEST_LENGTH, 9, "gzip, aes128gcm", REQUEST_EXPECT_NOTHING },
	    DECISION_CODING },
	{ { REQUEST_LENGTH, 9, "gzi", REQUEST_EXPECT_NOTHING },
	    DECISION_CODING },
	{ { REQUEST_LENGTH, 9, NULL, REQUEST_EXPECT_UNKNOWN },
	    DECISION_EXPECTATION },
};

static const struct {
	enum decision_reason reason;
	const char *name;
	bool allow;
	int status;
} outcomes[] = {
	{ DECISION_OWN_PROFILE, "own-profile", true, 200 },
	{ DECISION_COMMON_FILE, "common-file", true, 200 },
	{ DECISION_PUBLIC_FILE, "public-file", true, 200 },
	{ DECISION_REPORT, "report", true, 200 },
	{ DECISION_DEVICE_FILE, "device-file", true, 200 },
	{ DECISION_STUB, "stub", true, 200 },
	{ DECISION_METHOD, "method", false, 405 },
	{ DECISION_NO_CERTIFICATE, "no-certificate", false, 403 },
	{ DECISION_UNTRUSTED, "untrusted-certificate", false, 403 },
	{ DECISION_EXPIRED, "expired-certificate", false, 403 },
	{ DECISION_GENERIC, "generic-certificate", false, 403 },
	{ DECISION_CONTRADICTORY, "contradictory-certificate", false, 403 },
	{ DECISION_UNKNOWN_DEVICE, "unknown-device", false, 403 },
	{ DECISION_RETIRED_DEVICE, "retired-device", false, 403 },
	{ DECISION_WRONG_SERIAL, "wrong-serial", false, 403 },
	{ DECISION_WRONG_PRODUCT, "wrong-product", false, 403 },
	{ DECISION_NO_SUCH_PATH, "no-such-path", false, 404 },
	{ DECISION_OTHER_DEVICE, "other-device", false, 403 },
	{ DECISION_OTHER_MODEL, "other-model", false, 403 },
	{ DECISION_EXPECTATION, "expectation", false, 417 },
	{ DECISION_NO_LENGTH, "no-length", false, 411 },
	{ DECISION_TOO_LARGE, "too-large", false, 413 },
	{ DECISION_CODING, "content-coding", false, 415 },
};

static void
test_cases(void **state)
{
	bool seen[COUNT(outcomes)] = { false };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct decision decision = decide(&cases[i].s, NULL);
		enum decision_reason reason = cases[i].reason;

		if (decision.reason != reason)
			fail_msg("case %zu, %s: %s, wanted %s", i,
			    cases[i].s.path,
			    decision_reason_name(decision.reason),
			    decision_reason_name(reason));
		assert_int_equal(outcomes[reason].reason, reason);
		assert_int_equal(decision.allow, outcomes[reason].allow);
		assert_int_equal(decision.status, outcomes[reason].status);
		assert_string_equal(decision_reason_name(reason),
		    outcomes[reason].name);
		seen[reason] = true;
	}
	for (size_t i = 0; i < COUNT(bodies); i++) {
		const struct situation s = { REQ, GOOD, DOC, UNIT_A, POST,
			REPORT };
		struct decision d = decide_sending(&s, &bodies[i].sending,
		    NULL);

		if (d.reason != bodies[i].reason)
			fail_msg("body %zu: %s", i,
			    decision_reason_name(d.reason));
		assert_int_equal(outcomes[d.reason].reason, d.reason);
		assert_int_equal(d.status, outcomes[d.reason].status);
		assert_int_equal(d.body_max,
		    d.reason == DECISION_REPORT ? DECISION_BODY_MAX : 0);
		seen[d.reason] = true;
	}
	/* The table leaves no reason out. */
	for (size_t i = 0; i < COUNT(outcomes); i++)
		if (!seen[i])
			fail_msg("no case for %s", outcomes[i].name);
}

/* What the rest of the server reads from a decision. */
static void
test_details(void **state)
{
	struct situation s = { REQ, GOOD, DOC, UNIT_A, GET, OWN };
	const struct mac mac = stock_mac(A);
	struct decision d = decide(&s, NULL);

	(void)state;
	assert_ptr_equal(d.device, snapshot_find(snapshot, &mac));
	assert_int_equal(d.route.kind, ROUTE_PROFILE);
	assert_null(d.route.template);
	s.path = "/spa504G.cfg";
	d = decide(&s, NULL);
	assert_string_equal(d.route.template, "series.xml");
	assert_non_null(d.device);
	/* Known, although refused: for the log. */
	s.mac = RETIRED;
	d = decide(&s, NULL);
	assert_int_equal(d.device->state, DEVICE_RETIRED);
	/* Not proven, so not known. */
	s = (struct situation) { OPT, BAD, DOC, UNIT_A, GET, "/hello.xml" };
	d = decide(&s, NULL);
	assert_null(d.device);
	assert_string_equal(d.route.template, "hello.xml");
	s.path = OWN;
	d = decide(&s, NULL);
	assert_null(d.device);
}

/* The generic certificate itself, where the reference files are at hand. */
static X509 *
read_generic(void)
{
	const char *reference = getenv("SPROV_REFERENCE");
	const char *source = getenv("SPROV_SOURCE");
	char *path = reference != NULL ?
	    xasprintf("%s/ca/sipura-generic-client-cert.pem", reference) :
	    xasprintf("%s/../shared/reference/ca/"
		      "sipura-generic-client-cert.pem",
		source != NULL ? source : ".");
	X509 **certs, *cert = NULL;
	struct error err;
	size_t count;

	if (cert_read_file(path, &certs, &count, &err) == 0) {
		cert = certs[0];
		assert_int_equal(X509_up_ref(cert), 1);
		cert_free_all(certs, count);
	}
	free(path);
	return cert;
}

/* The decision about a certificate whose subject would pass. */
static enum decision_reason
reason_with(const X509 *cert)
{
	const struct situation s = { REQ, GOOD, DOC, UNIT_A, GET, OWN };

	return decide(&s, cert).reason;
}

static void
test_denied(void **state)
{
	X509 *generic = read_generic(), *cert;
	EVP_PKEY *key = test_key(2048);

	(void)state;
	cert = test_mint("any", (struct mint_request) { .key = key });
	assert_int_equal(reason_with(cert), DECISION_OWN_PROFILE);
	X509_free(cert);
	if (generic == NULL) {
		EVP_PKEY_free(key);
		return; /* cannot be tried here */
	}
	/* By its hash, whatever the parser of subjects made of it; */
	assert_int_equal(reason_with(generic), DECISION_GENERIC);
	/* ... by its key, whatever certificate that stands in. */
	cert = test_mint("any",
	    (struct mint_request) { .key = X509_get0_pubkey(generic),
		.issuer = generic,
		.issuer_key = key });
	assert_int_equal(reason_with(cert), DECISION_GENERIC);
	X509_free(cert);
	X509_free(generic);
	EVP_PKEY_free(key);
}

/* xorshift64: the same numbers in every run. */
static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#define PICK(list, seed) ((list)[next_random(seed) % COUNT(list)])

static struct situation
random_situation(uint64_t *seed)
{
	static const char *const macs[] = { A, BARE, RETIRED, W400, S400, ODD,
		STRANGER };
	static const char *const serials[] = { "", "CCQ000000A1", "CCQ000000A3",
		"X" };
	static const char *const products[] = { "", "SPA-504G", "SPA504G",
		"WRP400", "SPA-400", "XYZ1", "SPA-962" };
	static const char *const paths[] = { "/spa" A ".cfg",
		"/spa000E08AABB01.cfg", "/spa" BARE ".cfg",
		"/spa00:0e:08:aa:bb:02.cfg", "/spa" RETIRED ".cfg",
		"/spa" ODD ".cfg", "/spa" STRANGER ".cfg",
		"/Cisco/SPA504G/" A ".cfg", "/Cisco/WRP400/" W400 ".cfg",
		"/mine/SPA504G.cfg", "/mine/SPA400.cfg", "/spa504G.cfg",
		"/spa400.cfg", "/all.cfg", "/common-" A ".cfg", "/hello.xml",
		"/hello-" A ".xml", "/hello-SPA504G.xml", "/none", "/none.cfg",
		"/a.xml", "/image.bin", "/ca-504G.pem", "/init.cfg", "/",
		REPORT, "/report/" BARE ".xml", REPORT, "/delta/" A ".xml" };
	/* Most are such that the later rules are reached. */
	static const enum tls_verdict verdicts[] = { TLS_PEER_NONE,
		TLS_PEER_UNTRUSTED, TLS_PEER_EXPIRED, TLS_PEER_TRUSTED,
		TLS_PEER_TRUSTED, TLS_PEER_TRUSTED };
	static const enum peer_form forms[] = { PEER_DOCUMENTED, PEER_OBSERVED,
		PEER_MIC, PEER_DOCUMENTED, PEER_GENERIC, PEER_INVALID };
	static const enum request_method methods[] = { REQUEST_GET, REQUEST_GET,
		REQUEST_HEAD, REQUEST_OTHER, REQUEST_POST, REQUEST_PUT,
		REQUEST_POST, REQUEST_PUT };

	return (struct situation) {
		.required = next_random(seed) & 1,
		.allow_expired = next_random(seed) & 1,
		.verdict = PICK(verdicts, seed),
		.form = PICK(forms, seed),
		.mac = next_random(seed) % 8 == 0 ? NULL : PICK(macs, seed),
		.serial = PICK(serials, seed),
		.product = PICK(products, seed),
		.method = PICK(methods, seed),
		.path = PICK(paths, seed),
	};
}

static bool
is_believed(const struct situation *s)
{
	return s->verdict == TLS_PEER_TRUSTED ||
	    (s->verdict == TLS_PEER_EXPIRED && s->allow_expired);
}

/* The rule of DESIGN: certificate, path and inventory name one device. */
static void
check_allowed(const struct situation *s, const struct decision *d)
{
	const struct device *device;
	struct mac mac;

	assert_int_not_equal(s->method, REQUEST_OTHER);
	assert_int_equal(d->reason == DECISION_REPORT,
	    s->method == REQUEST_POST || s->method == REQUEST_PUT);
	assert_int_equal(d->body_max > 0, d->reason == DECISION_REPORT);
	if (d->reason == DECISION_PUBLIC_FILE && !s->required) {
		assert_true(route_kind_is_public(d->route.kind));
		return;
	}
	assert_true(is_believed(s));
	assert_true(s->form != PEER_GENERIC && s->form != PEER_INVALID);
	assert_non_null(s->mac);
	mac = stock_mac(s->mac);
	device = snapshot_find(snapshot, &mac);
	assert_non_null(device);
	assert_ptr_equal(d->device, device);
	assert_int_equal(device->state, DEVICE_ACTIVE);
	assert_true(*device->serial == '\0' || *s->serial == '\0' ||
	    strcmp(device->serial, s->serial) == 0);
	if (d->route.has_mac)
		assert_true(mac_equal(&d->route.mac, &mac));
	if (d->reason == DECISION_REPORT) {
		assert_true(route_kind_is_report(d->route.kind));
		return;
	}
	if (d->reason == DECISION_STUB)
		assert_string_equal(s->mac, BARE);
	else if (d->reason == DECISION_PUBLIC_FILE)
		assert_true(route_kind_is_public(d->route.kind));
	else
		assert_int_equal(d->route.kind,
		    d->reason == DECISION_OWN_PROFILE	  ? ROUTE_PROFILE :
			d->reason == DECISION_COMMON_FILE ? ROUTE_COMMON :
							    ROUTE_DEVICE_FILE);
}

static void
test_property(void **state)
{
	size_t reasons[COUNT(outcomes)] = { 0 };
	uint64_t seed = 88172645463325252;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		/* Some are such that the body decides. */
		struct situation s = next_random(&seed) % 8 != 0 ?
		    random_situation(&seed) :
		    (struct situation) { REQ, GOOD, DOC, UNIT_A, POST, REPORT };
		const struct sending *sending =
		    &bodies[next_random(&seed) % COUNT(bodies)].sending;
		struct decision d = decide_sending(&s, sending, NULL);

		assert_int_equal(d.allow, d.status == 200);
		assert_int_equal(d.allow,
		    d.reason == DECISION_OWN_PROFILE ||
			d.reason == DECISION_COMMON_FILE ||
			d.reason == DECISION_PUBLIC_FILE ||
			d.reason == DECISION_REPORT ||
			d.reason == DECISION_DEVICE_FILE ||
			d.reason == DECISION_STUB);
		if (d.allow)
			check_allowed(&s, &d);
		/* Absence shows only to a device of ours. */
		if (d.status == 404) {
			assert_true(is_believed(&s));
			assert_int_equal(d.device->state, DEVICE_ACTIVE);
		}
		reasons[d.reason]++;
	}
	for (size_t i = 0; i < COUNT(outcomes); i++)
		if (reasons[i] < 100)
			fail_msg("%s: reached %zu times only", outcomes[i].name,
			    reasons[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_property),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
