#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../lib/site.h"
#include "base/log.h"
#include "pki/anchors.h"
#include "provision/render.h"
#include "provision/route.h"
#include "provision/template.h"
#include "spa/registry.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct site site;

/* Beside what every site has: certificates that something is wrong with. */
static int
setup(void **state)
{
	EVP_PKEY *other = test_key(2048);
	X509 *leaf, *old;
	char *path;

	(void)state;
	site_open(&site, "Cisco Small Business Provisioning Root Authority 2");
	leaf = site_leaf(&site, "prov.example.net");
	site_write_certificates(&site, "leaf.crt", &leaf, 1);
	site_write_key(&site, "other.key", other);
	old = test_mint("Old Root",
	    (struct mint_request) { .key = other,
		.ca = true,
		.not_before = time(NULL) - 9 * DAY,
		.not_after = time(NULL) - DAY });
	site_write_certificates(&site, "old.crt", &old, 1);
	path = xasprintf("%s/anchors", site.folder);
	assert_int_equal(mkdir(path, 0755), 0);
	free(path);
	path = xasprintf("%s/empty", site.folder);
	assert_int_equal(mkdir(path, 0755), 0);
	free(path);
	site_write_certificates(&site, "anchors/a.pem", &old, 1);
	site_write_certificates(&site, "anchors/b.crt", &site.ca, 1);
	site_write(&site, "anchors/README", "no certificate");
	site_write(&site, "junk.crt", "junk\n");
	X509_free(old);
	X509_free(leaf);
	/* RSA-1024: level 2, so "tls modern", does not take it. */
	EVP_PKEY_free(other);
	other = test_key(1024);
	leaf = test_mint("weak.example.net",
	    (struct mint_request) {
		.key = other, .issuer = site.ca, .issuer_key = site.key });
	site_write_certificates(&site, "weak.crt", &leaf, 1);
	site_write_key(&site, "weak.key", other);
	X509_free(leaf);
	EVP_PKEY_free(other);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	site_close(&site);
	return 0;
}

/* An empty folder of templates that the test fills and clears. */
static void
clear_templates(void)
{
	char *command = xasprintf("rm -rf '%s/t' && mkdir '%s/t'", site.folder,
	    site.folder);

	assert_int_equal(system(command), 0);
	free(command);
}

#define CERTIFICATE "certificate server.crt key server.key\n"
#define ANCHORS "client-anchors ca.crt\n"
#define LISTENER(body) "listener a {\naddress 192.0.2.1:443\n" body "}\n"
#define GOOD LISTENER(CERTIFICATE ANCHORS)

static struct service *
good_service(const char *text)
{
	struct errors errors = { 0 };
	struct service *service = site_service(&site, text, &errors);

	if (service == NULL)
		fail_msg("%s", errors.text[0]);
	assert_int_equal(errors.count, 0);
	return service;
}

static void
test_plain(void **state)
{
	struct service *service = good_service(GOOD);
	const struct service_listener *listener;
	struct route_match match;

	(void)state;
	assert_int_equal(service_listener_count(service), 1);
	listener = service_listener(service, 0);
	assert_string_equal(listener->name, "a");
	assert_non_null(listener->tls);
	assert_true(listener->policy.certificate_required);
	assert_false(listener->policy.allow_expired_devices);
	assert_int_equal(chain_length(listener->chain), 2);
	assert_int_equal(anchors_count(listener->anchors), 1);
	assert_string_equal(listener->issuer.ca->id, "ciscosb-prov-2");
	assert_int_equal(listener->issuer.basis, IDENTIFY_NAME);
	assert_false(listener->issuer.lab);
	assert_int_equal(service_config(service)->listener_count, 1);
	/* The built-in paths and the starter templates */
	assert_true(routes_match(service_routes(service),
	    "/spa000e08aabbcc.cfg", &match));
	assert_int_equal(match.kind, ROUTE_PROFILE);
	assert_true(templates_has(service_templates(service), "spa-phone.xml"));
	assert_false(templates_has(service_templates(service),
	    RENDER_DEFAULT_TEMPLATE));
	/* Whoever holds it keeps it. */
	assert_ptr_equal(service_retain(service), service);
	service_release(service);
	assert_string_equal(service_listener(service, 0)->name, "a");
	service_release(service);
	service_release(NULL);
}

static void
test_listeners(void **state)
{
	struct service *service = good_service(
	    "listener one {\naddress 192.0.2.1:443\n"
	    "certificate weak.crt key weak.key\ntls legacy\n"
	    "client-certificate optional\n"
	    "expired-device-certificates allow\n"
	    "client-anchors anchors\nallow-expired-anchor \"Old Root\"\n}\n"
	    "listener two {\naddress 192.0.2.1:444\n"
	    "certificate leaf.crt key server.key\n"
	    "client-anchors ca.crt\nclient-anchors old.crt\n"
	    "client-anchors anchors\n}\n");
	const struct service_listener *one = service_listener(service, 0),
				      *two = service_listener(service, 1);

	(void)state;
	assert_int_equal(service_listener_count(service), 2);
	assert_string_equal(one->name, "one");
	assert_false(one->policy.certificate_required);
	assert_true(one->policy.allow_expired_devices);
	assert_int_equal(anchors_count(one->anchors), 2);
	assert_true(anchors_is_allowed_expired(one->anchors,
	    anchors_get(one->anchors, 0)));
	/* By the leaf's issuer, without the CA's certificate at hand */
	assert_int_equal(chain_length(one->chain), 1);
	assert_string_equal(one->issuer.ca->id, "ciscosb-prov-2");
	assert_string_equal(two->name, "two");
	assert_true(two->policy.certificate_required);
	assert_false(two->policy.allow_expired_devices);
	/* Equal ones once; and what one listener allows, only it does. */
	assert_int_equal(anchors_count(two->anchors), 2);
	for (size_t i = 0; i < 2; i++)
		assert_false(anchors_is_allowed_expired(two->anchors,
		    anchors_get(two->anchors, i)));
	service_release(service);
}

static const char *
lookup(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

static void
test_templates(void **state)
{
	struct service *service;
	const struct templates *templates;
	struct route_match match;
	struct error err;
	struct buf out;

	(void)state;
	clear_templates();
	site_write(&site, "t/device.xml",
	    "<flat-profile>mine"
	    "{{>part.xml}}</flat-profile>");
	site_write(&site, "t/part.xml", "+part");
	site_write(&site, "t/device.xml~", "{{#");
	site_write(&site, "t/.hidden.xml", "{{#");
	site_write(&site, "t/notes.txt", "{{#");
	service = good_service("templates t\ncommon /spa$PSN.cfg part.xml\n"
			       "public /hello.xml device.xml\n" GOOD);
	templates = service_templates(service);
	assert_true(templates_has(templates, "part.xml"));
	assert_false(templates_has(templates, "device.xml~"));
	assert_false(templates_has(templates, ".hidden.xml"));
	assert_false(templates_has(templates, "notes.txt"));
	/* The operator's own goes before the built-in one. */
	buf_init(&out, 1000);
	assert_int_equal(templates_render(templates, RENDER_DEFAULT_TEMPLATE,
			     lookup, NULL, &out, &err),
	    0);
	assert_string_equal(buf_text(&out),
	    "<flat-profile>mine+part</flat-profile>");
	buf_clear(&out);
	assert_true(routes_match(service_routes(service), "/spa504G.cfg",
	    &match));
	assert_int_equal(match.kind, ROUTE_COMMON);
	assert_string_equal(match.template, "part.xml");
	assert_true(routes_match(service_routes(service), "/hello.xml",
	    &match));
	assert_int_equal(match.kind, ROUTE_PUBLIC);
	service_release(service);
	/* An empty folder is no mistake. */
	clear_templates();
	service = good_service("templates t\npublic /h mpp.xml\n" GOOD);
	service_release(service);
}

/* Mistakes, and what is said: each after "FOLDER/". */
static const struct {
	const char *text;
	const char *says[4];
} mistakes[] = {
	{ LISTENER("certificate none.crt key server.key\n" ANCHORS),
	    { "sprov.conf:3:13: ", "none.crt" } },
	{ LISTENER("certificate server.crt key none.key\n" ANCHORS),
	    { "sprov.conf:3:13: ", "none.key" } },
	{ LISTENER("certificate server.crt key other.key\n" ANCHORS),
	    { "sprov.conf:3:13: ", "other.key" } },
	{ LISTENER("certificate junk.crt key server.key\n" ANCHORS),
	    { "sprov.conf:3:13: ", "junk.crt" } },
	{ LISTENER("certificate ca.crt key server.key\n" ANCHORS),
	    { "sprov.conf:3:13: ", "ca.crt" } },
	/* Only the TLS library finds out: the place is the certificate's. */
	{ LISTENER("certificate weak.crt key weak.key\n" ANCHORS),
	    { "sprov.conf:3:13: ", "weak.example.net" } },
	{ LISTENER(CERTIFICATE "client-anchors none.crt\n"),
	    { "sprov.conf:4:16: ", "none.crt" } },
	{ LISTENER(CERTIFICATE ANCHORS "client-anchors junk.crt\n"),
	    { "sprov.conf:5:16: ", "junk.crt" } },
	{ LISTENER(CERTIFICATE "client-anchors empty\n"),
	    { "sprov.conf:4:16: ", "empty", "holds no certificate" } },
	{ LISTENER(CERTIFICATE ANCHORS "allow-expired-anchor Olde\n"),
	    { "sprov.conf:5:22: ", "Olde" } },
	{ "templates none\n" GOOD,
	    { "sprov.conf:1:11: ", "none: No such file" } },
	/* What is missing for that reason is not said again. */
	{ "templates none\npublic /a.cfg a.xml\n" GOOD,
	    { "sprov.conf:1:11: ", "none: No such file" } },
	{ "templates server.crt\n" GOOD,
	    { "sprov.conf:1:11: ", "server.crt: Not a directory" } },
	{ "profile /$MB.cfg\n" GOOD, { "sprov.conf:1:9: ", "unknown macro" } },
	{ "profile /a.cfg\n" GOOD, { "sprov.conf:1:9: ", "needs a macro" } },
	{ "public /$MA$PN mpp.xml\n" GOOD,
	    { "sprov.conf:1:8: ", "two macros" } },
	{ "common /a.cfg none.xml\n" GOOD,
	    { "sprov.conf:1:15: ", "there is no template \"none.xml\"" } },
	{ "public /a.cfg none.xml\n" GOOD,
	    { "sprov.conf:1:15: ", "there is no template \"none.xml\"" } },
};

static void
check_says(const char *text, const char *const *says, size_t count)
{
	assert_int_equal(strncmp(text, site.folder, strlen(site.folder)), 0);
	text += strlen(site.folder) + 1;
	if (strncmp(text, says[0], strlen(says[0])) != 0)
		fail_msg("%s\nwanted %s", text, says[0]);
	for (size_t i = 1; i < count && says[i] != NULL; i++)
		if (strstr(text, says[i]) == NULL)
			fail_msg("%s\nwanted %s", text, says[i]);
}

static void
test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct errors errors = { 0 };
		struct service *service = site_service(&site, mistakes[i].text,
		    &errors);

		if (service != NULL)
			fail_msg("taken: %s", mistakes[i].text);
		if (errors.count != 1)
			fail_msg("%zu errors: %s", errors.count,
			    mistakes[i].text);
		check_says(errors.text[0], mistakes[i].says,
		    COUNT(mistakes[i].says));
		errors_clear(&errors);
	}
}

/* Mistakes within templates; and one mistake is said once. */
static void
test_template_mistakes(void **state)
{
	static const struct {
		const char *name, *text;
		const char *says[4];
	} list[] = {
		{ "t/device.xml", "a\n {{#x}}",
		    { "sprov.conf:1:11: ", "t/device.xml:2:2: ",
			"not closed" } },
		{ "t/device.xml", "{{>none.xml}}",
		    { "sprov.conf:1:11: ", "device.xml:1:1: ", "none.xml" } },
		{ "t/part.xml", "{{>part.xml}}",
		    { "sprov.conf:1:11: ", "part.xml:1:1: " } },
	};
	static const char text[] = "templates t\npublic /h mpp.xml\n" GOOD;
	struct errors errors = { 0 };
	char *huge, *path;

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++) {
		clear_templates();
		site_write(&site, list[i].name, list[i].text);
		assert_null(site_service(&site, text, &errors));
		assert_int_equal(errors.count, 1);
		check_says(errors.text[0], list[i].says, 4);
		errors_clear(&errors);
	}
	/* What includes a broken one has no mistake of its own. */
	clear_templates();
	site_write(&site, "t/device.xml", "{{>part.xml}}");
	site_write(&site, "t/part.xml", "{{#x}}");
	assert_null(site_service(&site, text, &errors));
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.text[0], "t/part.xml:1:1: "));
	errors_clear(&errors);
	/* Too long */
	clear_templates();
	huge = xcalloc(1, TEMPLATE_TEXT_MAX + 2);
	memset(huge, 'x', TEMPLATE_TEXT_MAX + 1);
	site_write(&site, "t/huge.xml", huge);
	free(huge);
	assert_null(site_service(&site, text, &errors));
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.text[0], "sprov.conf:1:11: "));
	assert_non_null(strstr(errors.text[0], "t/huge.xml"));
	errors_clear(&errors);
	/* A folder of that name */
	clear_templates();
	path = xasprintf("%s/t/dir.xml", site.folder);
	assert_int_equal(mkdir(path, 0755), 0);
	free(path);
	assert_null(site_service(&site, text, &errors));
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.text[0], "t/dir.xml"));
	errors_clear(&errors);
}

/* All of them in one run, in the order of the file as far as it goes */
static void
test_all_at_once(void **state)
{
	static const char text[] = "templates t\n"
				   "common /a.cfg none.xml\n"
				   "profile /$MB\n"
				   "listener a {\n"
				   "address 192.0.2.1:443\n"
				   "certificate none.crt key server.key\n"
				   "client-anchors none.pem\n"
				   "client-anchors junk.crt\n"
				   "}\n"
				   "listener b {\n"
				   "address 192.0.2.2:443\n"
				   "certificate server.crt key other.key\n"
				   "client-anchors ca.crt\n"
				   "allow-expired-anchor Nobody\n"
				   "}\n";
	static const char *const places[] = { ":6:13: ", ":7:16: ", ":8:16: ",
		":12:13: ", ":14:22: ", ":2:15: ", ":3:9: " };
	struct errors errors = { 0 };

	(void)state;
	clear_templates();
	assert_null(site_service(&site, text, &errors));
	assert_int_equal(errors.count, COUNT(places));
	for (size_t i = 0; i < COUNT(places); i++)
		if (strstr(errors.text[i], places[i]) == NULL)
			fail_msg("%s: wanted %s", errors.text[i], places[i]);
	errors_clear(&errors);
	/* Errors of before are no reason to fail. */
	errors_add(&errors, "before");
	service_release(site_service(&site, GOOD, &errors));
	assert_int_equal(errors.count, 1);
	errors_clear(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_template_mistakes),
		cmocka_unit_test(test_all_at_once),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, setup, teardown);
}
