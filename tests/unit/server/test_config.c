#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "server/config.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The shortest listener, in four lines. */
#define LISTENER_BODY(port) \
	"address 192.0.2.1:" port "\n" \
	"certificate a.crt key a.key\nclient-anchors ca.crt\n}\n"
#define LISTENER "listener a {\n" LISTENER_BODY("443")

static struct config *
parse(const char *text, struct errors *errors)
{
	return config_parse("/etc/sprov/f", text, strlen(text), errors);
}

static struct config *
parse_good(const char *text)
{
	struct errors errors = { 0 };
	struct config *config = parse(text, &errors);

	if (errors.count > 0)
		print_error("%s\n", errors.text[0]);
	assert_int_equal(errors.count, 0);
	assert_non_null(config);
	return config;
}

static void
test_defaults(void **state)
{
	static const char *const paths[] = { "/spa$MA.cfg", "/spa$MAU.cfg",
		"/$MA.xml", "/$MA.cfg", "/$MAU.cfg", "/spa-$MA.cfg",
		"/Cisco/$PN/$MA.cfg" };
	struct config *config = parse_good(LISTENER);
	struct config_listener *l = config->listeners;

	(void)state;
	assert_string_equal(config->path, "/etc/sprov/f");
	assert_string_equal(config->state_directory, "/etc/sprov");
	assert_string_equal(config->inventory,
	    "sqlite:/etc/sprov/inventory.db");
	assert_null(config->templates);
	assert_null(config->user);
	assert_null(config->group);
	assert_int_equal(config->workers, 0);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_int_equal(config->connections_max, 20000);
	assert_true(config->self_test);
	assert_int_equal(config->events_max, 1000000);
	assert_int_equal(config->events_days, 30);
	assert_int_equal(config->handshake_timeout_ms, 20000);
	assert_int_equal(config->request_timeout_ms, 10000);
	assert_int_equal(config->body_timeout_ms, 30000);
	assert_int_equal(config->write_timeout_ms, 30000);
	assert_int_equal(config->idle_timeout_ms, 5000);
	assert_int_equal(config->stop_timeout_ms, 10000);
	assert_false(config->performance.all_algorithms);
	assert_int_equal(config->performance.verifications, 65536);
	assert_int_equal(config->performance.handshakes, 2000);
	assert_int_equal(config->performance.sessions, 2000);
	assert_int_equal(config->performance.device_timeout_ms, 5000);
	assert_int_equal(config->route_count, COUNT(paths));
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_int_equal(config->routes[i].kind, CONFIG_PROFILE);
		assert_string_equal(config->routes[i].pattern, paths[i]);
		assert_null(config->routes[i].template);
		assert_int_equal(config->routes[i].place.line, 0);
	}
	assert_int_equal(config->listener_count, 1);
	assert_string_equal(l->name, "a");
	assert_int_equal(l->policy, TLS_MODERN);
	assert_true(l->certificate_required);
	assert_false(l->allow_expired_devices);
	assert_int_equal(l->expired_anchor_count, 0);
	config_free(config);
}

static const char everything[] =
    "# all of it\n"
    "state-directory /var/lib/sprov\n"
    "inventory sqlite:fleet.db\n"
    "templates templates\n"
    "user sprov:voice\n"
    "workers 2\n"
    "log-level debug\n"
    "connections 500\n"
    "events 5000 7\n"
    "timeout handshake 500ms\n"
    "timeout request 20s\n"
    "timeout write 2m\n"
    "timeout idle 100ms\n"
    "timeout stop 10m\n"
    "profile /spa$MA.cfg '/my phones/$MA.xml'\n"
    "profile /$MAU\n"
    "common /spa$PSN.cfg common.xml\n"
    "public /hello.xml hello.xml\n"
    "listener csb-2 {\n"
    "	address 0.0.0.0:443\n"
    "	address [::]:443\n"
    "	certificate csb.crt key /etc/ssl/private/csb.key\n"
    "	tls legacy\n"
    "	client-certificate optional\n"
    "	client-anchors combinedca.crt\n"
    "	client-anchors /etc/sprov/anchors.d\n"
    "	allow-expired-anchor \"Cisco Linksys Client Root Authority 1\"\n"
    "	expired-device-certificates allow\n"
    "}\n"
    "listener mpp_1 {\n"
    "	address 192.0.2.1:443\n" /* beside 0.0.0.0: the kernel decides */
    "	certificate mpp.crt key mpp.key\n"
    "	tls modern\n"
    "	client-certificate required\n"
    "	client-anchors combinedca.crt\n"
    "	expired-device-certificates refuse\n"
    "}\n"
    "performance {\n"
    "	algorithms all\n"
    "	verifications 0\n"
    "	handshakes 64\n"
    "	sessions 0\n"
    "	device-timeout 8s\n"
    "}\n"
    "timeout body 45s\n"
    "report /report/$MA.xml\n"
    "report /changes/$MA.xml delta\n"
    "report /state/$MA.xml status\n";

static void
test_everything(void **state)
{
	struct config *config = parse_good(everything);
	struct config_route *r = config->routes;

	(void)state;
	assert_string_equal(config->state_directory, "/var/lib/sprov");
	assert_string_equal(config->inventory,
	    "sqlite:/var/lib/sprov/fleet.db");
	assert_int_equal(config->inventory_place.line, 3);
	assert_int_equal(config->inventory_place.column, 11);
	assert_string_equal(config->templates, "/etc/sprov/templates");
	assert_int_equal(config->templates_place.line, 4);
	assert_string_equal(config->user, "sprov");
	assert_string_equal(config->group, "voice");
	assert_int_equal(config->user_place.line, 5);
	assert_int_equal(config->workers, 2);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config->connections_max, 500);
	assert_int_equal(config->events_max, 5000);
	assert_int_equal(config->events_days, 7);
	assert_int_equal(config->handshake_timeout_ms, 500);
	assert_int_equal(config->request_timeout_ms, 20000);
	assert_int_equal(config->body_timeout_ms, 45000);
	assert_int_equal(config->write_timeout_ms, 120000);
	assert_int_equal(config->idle_timeout_ms, 100);
	assert_int_equal(config->stop_timeout_ms, 600000);
	assert_true(config->performance.all_algorithms);
	assert_int_equal(config->route_count, 8);
	assert_int_equal(config->performance.verifications, 0);
	assert_int_equal(config->performance.handshakes, 64);
	assert_int_equal(config->performance.sessions, 0);
	assert_int_equal(config->performance.device_timeout_ms, 8000);
	assert_string_equal(r[0].pattern, "/spa$MA.cfg");
	assert_int_equal(r[0].place.line, 15);
	assert_int_equal(r[0].place.column, 9);
	assert_string_equal(r[1].pattern, "/my phones/$MA.xml");
	assert_int_equal(r[1].place.column, 21);
	assert_string_equal(r[2].pattern, "/$MAU");
	assert_int_equal(r[2].kind, CONFIG_PROFILE);
	assert_int_equal(r[3].kind, CONFIG_COMMON);
	assert_string_equal(r[3].pattern, "/spa$PSN.cfg");
	assert_string_equal(r[3].template, "common.xml");
	assert_int_equal(r[4].kind, CONFIG_PUBLIC);
	assert_string_equal(r[4].template, "hello.xml");
	assert_int_equal(r[5].kind, CONFIG_REPORT);
	assert_null(r[5].template);
	assert_int_equal(r[6].kind, CONFIG_REPORT_DELTA);
	assert_int_equal(r[7].kind, CONFIG_REPORT_STATUS);
	config_free(config);
}

static void
test_listeners(void **state)
{
	struct config *config = parse_good(everything);
	struct config_listener *l = config->listeners;
	char text[ADDR_TEXT_BYTES];

	(void)state;
	assert_int_equal(config->listener_count, 2);
	assert_string_equal(l->name, "csb-2");
	assert_int_equal(l->place.line, 19);
	assert_int_equal(l->place.column, 10);
	assert_int_equal(l->address_count, 2);
	addr_format(&l->addresses[0], text);
	assert_string_equal(text, "0.0.0.0:443");
	addr_format(&l->addresses[1], text);
	assert_string_equal(text, "[::]:443");
	assert_int_equal(l->address_places[1].line, 21);
	assert_int_equal(l->address_places[1].column, 10);
	assert_string_equal(l->certificate_path, "/etc/sprov/csb.crt");
	assert_string_equal(l->key_path, "/etc/ssl/private/csb.key");
	assert_int_equal(l->certificate_place.line, 22);
	assert_int_equal(l->policy, TLS_LEGACY);
	assert_false(l->certificate_required);
	assert_int_equal(l->anchor_path_count, 2);
	assert_string_equal(l->anchor_paths[0], "/etc/sprov/combinedca.crt");
	assert_string_equal(l->anchor_paths[1], "/etc/sprov/anchors.d");
	assert_int_equal(l->anchor_places[1].line, 26);
	assert_int_equal(l->expired_anchor_count, 1);
	assert_string_equal(l->expired_anchors[0],
	    "Cisco Linksys Client Root Authority 1");
	assert_int_equal(l->expired_anchor_places[0].line, 27);
	assert_true(l->allow_expired_devices);
	l++;
	assert_string_equal(l->name, "mpp_1");
	assert_int_equal(l->policy, TLS_MODERN);
	assert_true(l->certificate_required);
	assert_false(l->allow_expired_devices);
	config_free(config);
}

static const struct {
	const char *path, *text;
	const char *state_directory, *inventory, *key;
} paths[] = {
	{ "sprov.conf", LISTENER, ".", "sqlite:./inventory.db", "./a.key" },
	{ "/sprov.conf", LISTENER, "/", "sqlite:/inventory.db", "/a.key" },
	{ "etc/f", "state-directory state\n" LISTENER, "etc/state",
	    "sqlite:etc/state/inventory.db", "etc/a.key" },
	{ "/etc/f", "inventory sqlite:/srv/x.db\n" LISTENER, "/etc",
	    "sqlite:/srv/x.db", "/etc/a.key" },
	/* The inventory waits for a state directory that comes later. */
	{ "/etc/f", "inventory sqlite:x.db\nstate-directory /srv\n" LISTENER,
	    "/srv", "sqlite:/srv/x.db", "/etc/a.key" },
	{ "/etc/f", "inventory memory:\n" LISTENER, "/etc",
	    "memory:", "/etc/a.key" },
};

static void
test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct errors errors = { 0 };
		struct config *config = config_parse(paths[i].path,
		    paths[i].text, strlen(paths[i].text), &errors);

		assert_non_null(config);
		assert_string_equal(config->state_directory,
		    paths[i].state_directory);
		assert_string_equal(config->inventory, paths[i].inventory);
		assert_string_equal(config->listeners[0].key_path,
		    paths[i].key);
		config_free(config);
	}
}

static void
test_user(void **state)
{
	struct config *config = parse_good("user sprov\n" LISTENER);

	(void)state;
	assert_string_equal(config->user, "sprov");
	assert_null(config->group);
	config_free(config);
}

/* The built-in paths come after the file's; one of them is not doubled. */
static void
test_default_routes(void **state)
{
	struct config *config = parse_good("common /$MA.xml x.xml\n" LISTENER);

	(void)state;
	assert_int_equal(config->route_count, 7);
	assert_int_equal(config->routes[0].kind, CONFIG_COMMON);
	assert_string_equal(config->routes[1].pattern, "/spa$MA.cfg");
	assert_string_equal(config->routes[3].pattern, "/$MA.cfg");
	config_free(config);
}

#define F "/etc/sprov/f:"
#define GIVEN_TWICE " is given twice: expected it once, as at " F

/* Outside of listeners: what stands before a good listener. */
static const struct {
	const char *text;
	const char *errors; /* one per line, each ending in a newline */
} bad[] = {
	{ "state-directry /x\n",
	    F "1:1: unknown directive "
	      "\"state-directry\"; did you mean \"state-directory\"?\n" },
	{ "LISTENER x {\n}\n",
	    F "1:1: unknown directive \"LISTENER\"; did "
	      "you mean \"listener\"?\n" },
	{ "something-else\n",
	    F "1:1: unknown directive \"something-else\": "
	      "expected state-directory, inventory, secrets-key, templates, "
	      "user, workers, "
	      "log-level, connections, profile-cache, events, self-test, "
	      "timeout, "
	      "profile, common, public, "
	      "report, public-file, own-profile, firmware, ladder, tftp, "
	      "performance, admin, notify, exception or listener\n" },
	{ "\"\" x\n",
	    F "1:1: unknown directive \"\": "
	      "expected state-directory, inventory, secrets-key, templates, "
	      "user, workers, "
	      "log-level, connections, profile-cache, events, self-test, "
	      "timeout, "
	      "profile, common, public, "
	      "report, public-file, own-profile, firmware, ladder, tftp, "
	      "performance, admin, notify, exception or listener\n" },
	{ "tls legacy\n",
	    F "1:1: \"tls\" does not belong here: "
	      "expected it in a listener block\n" },
	{ "workers\n",
	    F "1:1: \"workers\" with 0 words: expected \"workers "
	      "NUMBER\"\n" },
	{ "workers 1 2\n",
	    F "1:1: \"workers\" with 2 words: expected "
	      "\"workers NUMBER\"\n" },
	{ "timeout idle\n",
	    F "1:1: \"timeout\" with 1 word: expected "
	      "\"timeout PHASE DURATION\"\n" },
	{ "profile\n",
	    F "1:1: \"profile\" with 0 words: expected \"profile "
	      "PATH...\"\n" },
	{ "workers 1 {\n}\n",
	    F "1:1: \"workers\" with a block: expected "
	      "\"workers NUMBER\"\n" },
	{ "performance\n",
	    F "1:1: \"performance\" without a block: expected "
	      "\"performance { ... }\"\n" },
	{ "performance x {\n}\n",
	    F "1:1: \"performance\" with 1 word: expected "
	      "\"performance { ... }\"\n" },
	{ "performance {\nverifications 1000001\n}\n",
	    F "2:15: \"1000001\": expected a number from 0 to 1000000\n" },
	{ "performance {\nalgorithms some\n}\n",
	    F "2:12: \"some\" is no choice for algorithms: expected "
	      "reduced or all\n" },
	{ "listener b\n",
	    F "1:1: \"listener\" without a block: expected "
	      "\"listener NAME { ... }\"\n" },
	{ "listener {\n}\n",
	    F "1:1: \"listener\" with 0 words: expected "
	      "\"listener NAME { ... }\"\n" },
	{ "workers 1\nworkers 2\n", F "2:1: \"workers\"" GIVEN_TWICE "1:1\n" },
	{ "workers 1\n  workers 0\n",
	    F "2:3: \"workers\"" GIVEN_TWICE "1:1\n" F
	      "2:11: \"0\": expected a number from 1 to 256\n" },
	{ "state-directory a\nstate-directory b\n",
	    F "2:1: "
	      "\"state-directory\"" GIVEN_TWICE "1:1\n" },
	{ "templates a\ntemplates b\n",
	    F "2:1: \"templates\"" GIVEN_TWICE "1:1\n" },
	{ "inventory memory:\ninventory memory:\n",
	    F "2:1: \"inventory\"" GIVEN_TWICE "1:1\n" },
	{ "user a:b\nuser c:d\n", F "2:1: \"user\"" GIVEN_TWICE "1:1\n" },
	{ "workers 257\n",
	    F "1:9: \"257\": expected a number from 1 to "
	      "256\n" },
	{ "workers two\n",
	    F "1:9: \"two\": expected a number from 1 to "
	      "256\n" },
	{ "connections 0\n",
	    F "1:13: \"0\": expected a number from 1 to "
	      "1000000\n" },
	{ "connections 1000001\n",
	    F "1:13: \"1000001\": expected a number "
	      "from 1 to 1000000\n" },
	{ "events 999\n",
	    F "1:8: \"999\": expected a number from 1000 to "
	      "100000000\n" },
	{ "events 1000 0\n",
	    F "1:13: \"0\": expected a number from 1 to "
	      "3650\n" },
	{ "log-level inof\n",
	    F "1:11: \"inof\" is no log level: expected "
	      "error, warn, info or debug; did you mean \"info\"?\n" },
	{ "log-level verbose\n",
	    F "1:11: \"verbose\" is no log level: "
	      "expected error, warn, info or debug\n" },
	{ "state-directory ''\n",
	    F "1:17: an empty path: expected a file "
	      "or folder\n" },
	{ "templates \"\"\n",
	    F "1:11: an empty path: expected a file or "
	      "folder\n" },
	{ "inventory inventory.db\n",
	    F "1:11: \"inventory.db\" is no "
	      "inventory: expected memory: or sqlite:FILE\n" },
	{ "inventory sqlite:\n",
	    F "1:11: \"sqlite:\" is no inventory: "
	      "expected memory: or sqlite:FILE\n" },
	{ "inventory memory:x\n",
	    F "1:11: \"memory:x\" is no inventory: "
	      "expected memory: or sqlite:FILE\n" },
	{ "user :voice\n",
	    F "1:6: \":voice\" is no user: expected USER or "
	      "USER:GROUP\n" },
	{ "user sprov:\n",
	    F "1:6: \"sprov:\" is no user: expected USER or "
	      "USER:GROUP\n" },
	{ "user a:b:c\n",
	    F "1:6: \"a:b:c\" is no user: expected USER or "
	      "USER:GROUP\n" },
	{ "user ''\n",
	    F "1:6: \"\" is no user: expected USER or "
	      "USER:GROUP\n" },
	{ "timeout read 5s\n",
	    F "1:9: \"read\" is no phase: expected "
	      "handshake, request, body, write, idle or stop\n" },
	{ "timeout idel 5h\n",
	    F "1:9: \"idel\" is no phase: expected "
	      "handshake, request, body, write, idle or stop; did you mean "
	      "\"idle\"?\n" F "1:14: \"5h\" is no duration: expected a number "
	      "with ms, s or m, from 100ms to 10m\n" },
	{ "timeout idle 5s\ntimeout stop 5s\ntimeout idle 6s\n",
	    F "3:1: "
	      "\"timeout idle\"" GIVEN_TWICE "1:1\n" },
	{ "profile spa$MA.cfg\n",
	    F "1:9: \"spa$MA.cfg\" is no path: "
	      "expected it to begin with \"/\"\n" },
	{ "profile /a '' /b\n",
	    F "1:12: \"\" is no path: expected it to "
	      "begin with \"/\"\n" },
	{ "profile /a /b /a\n", F "1:15: path \"/a\"" GIVEN_TWICE "1:9\n" },
	{ "profile /a\npublic /a x.xml\n",
	    F "2:8: path \"/a\"" GIVEN_TWICE "1:9\n" },
	{ "common a x\n",
	    F "1:8: \"a\" is no path: expected it to begin "
	      "with \"/\"\n" F "1:10: \"x\" is no template: expected NAME.xml "
	      "without a folder\n" },
	{ "common /a ../x.xml\n",
	    F "1:11: \"../x.xml\" is no template: "
	      "expected NAME.xml without a folder\n" },
	{ "public /a .xml\n",
	    F "1:11: \".xml\" is no template: expected "
	      "NAME.xml without a folder\n" },
	{ "report /a/$MA all\n",
	    F "1:15: \"all\" is no kind of report: expected full, delta or "
	      "status; did you mean \"full\"?\n" },
	{ "report a\n",
	    F "1:8: \"a\" is no path: expected it to begin with \"/\"\n" },
	{ "public /a\n",
	    F "1:1: \"public\" with 1 word: expected \"public "
	      "PATH TEMPLATE\"\n" },
	/* A long or strange word is shown cut and escaped. */
	{ "user \xc3\xa4:b:cccccccccccccccccccccccccccccccccccccccccccccccccc"
	  "cccccccccccccccccccccccccc\n",
	    F "1:6: \"\\xc3\\xa4:b:"
	      "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
	      "...\" is no user: expected USER or USER:GROUP\n" },
};

static void
assert_errors(const char *text, const char *expected)
{
	struct errors errors = { 0 };
	struct buf all;

	assert_null(parse(text, &errors));
	buf_init(&all, 100000);
	for (size_t i = 0; i < errors.kept; i++)
		assert_int_equal(buf_printf(&all, "%s\n", errors.text[i]), 0);
	assert_string_equal(buf_text(&all), expected);
	buf_clear(&all);
	errors_clear(&errors);
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char *text = xasprintf("%s%s", bad[i].text, LISTENER);

		assert_errors(text, bad[i].errors);
		free(text);
	}
}

#define WANT_ADDRESS \
	F "1:10: \"address\" is missing: expected \"address " \
	  "ADDRESS:PORT\"\n"
#define WANT_CERTIFICATE \
	F "1:10: \"certificate\" is missing: expected " \
	  "\"certificate FILE key FILE\"\n"
#define WANT_ANCHORS \
	F "1:10: \"client-anchors\" is missing: expected " \
	  "\"client-anchors PATH\"\n"
#define NAME_FORM \
	" is no name for a listener: expected 1 to 31 of a-z, " \
	"0-9, \"-\" and \"_\"\n"
#define ADDRESS_FORM \
	" is no address with a port: expected 192.0.2.1:443 " \
	"or [2001:db8::1]:443\n"

static const struct {
	const char *text;
	const char *errors;
} bad_listeners[] = {
	{ "",
	    F "1:1: \"listener\" is missing: expected "
	      "\"listener NAME { ... }\"\n" },
	{ "listener a {\n}\n", WANT_ADDRESS WANT_CERTIFICATE WANT_ANCHORS },
	{ "listener a {\naddress 192.0.2.1:443\n}\n",
	    WANT_CERTIFICATE WANT_ANCHORS },
	{ "listener A {\n" LISTENER_BODY("443"), F "1:10: \"A\"" NAME_FORM },
	{ "listener '' {\n" LISTENER_BODY("443"), F "1:10: \"\"" NAME_FORM },
	{ "listener a.b {\n" LISTENER_BODY("443"),
	    F "1:10: \"a.b\"" NAME_FORM },
	{ "listener abcdefghijklmnopqrstuvwxyz-01234 {\n" LISTENER_BODY("443"),
	    F "1:10: \"abcdefghijklmnopqrstuvwxyz-01234\"" NAME_FORM },
	{ LISTENER "listener a {\n" LISTENER_BODY("444"),
	    F "6:10: listener "
	      "\"a\" is given twice: expected another name than at " F
	      "1:10\n" },
	{ LISTENER "listener b {\n" LISTENER_BODY("443"),
	    F "7:9: address "
	      "192.0.2.1:443 is taken by listener \"a\" at " F "2:9: expected "
	      "each address once\n" },
	{ "listener a {\naddress [2001:db8:0::1]:443\n"
	  "address [2001:db8::1]:443\n" LISTENER_BODY("443"),
	    F "3:9: "
	      "address [2001:db8::1]:443 is taken by listener \"a\" at " F
	      "2:9: expected each address once\n" },
	{ "listener a {\naddress 192.0.2.1\n" LISTENER_BODY("443"),
	    F "2:9: \"192.0.2.1\"" ADDRESS_FORM },
	{ "listener a {\naddress 192.0.2.1:0\n" LISTENER_BODY("443"),
	    F "2:9: \"192.0.2.1:0\"" ADDRESS_FORM },
	{ "listener a {\naddress host.example.net:443\n" LISTENER_BODY("443"),
	    F "2:9: \"host.example.net:443\"" ADDRESS_FORM },
	/* A bad address is an address: no second error that says "none". */
	{ "listener a {\naddress *:443\ncertificate a key b\n"
	  "client-anchors c\n}\n",
	    F "2:9: \"*:443\"" ADDRESS_FORM },
	{ "listener a {\naddress 192.0.2.1:443 192.0.2.2:443\n"
	  "certificate a key b\nclient-anchors c\n}\n",
	    F "2:1: \"address\" "
	      "with 2 words: expected \"address ADDRESS:PORT\"\n" },
	{ "listener a {\naddress 192.0.2.1:443\ncertificate a.crt\n"
	  "client-anchors c\n}\n",
	    F "3:1: \"certificate\" with 1 word: "
	      "expected \"certificate FILE key FILE\"\n" },
	{ "listener a {\naddress 192.0.2.1:443\ncertificate a.crt kye a.key\n"
	  "client-anchors c\n}\n",
	    F "3:19: \"kye\": expected \"key\", as "
	      "in \"certificate server.crt key server.key\"\n" },
	{ "listener a {\naddress 192.0.2.1:443\ncertificate '' key ''\n"
	  "client-anchors ''\n}\n",
	    F "3:13: an empty path: expected a "
	      "file or folder\n" F "3:20: an empty path: expected a file or "
	      "folder\n" F "4:16: an empty path: expected a file or folder\n" },
	{ "listener a {\ntls modren\n" LISTENER_BODY("443"),
	    F "2:5: "
	      "\"modren\" is no TLS policy: expected legacy or modern; did you "
	      "mean \"modern\"?\n" },
	{ "listener a {\ntls 1.2\n" LISTENER_BODY("443"),
	    F "2:5: \"1.2\" is "
	      "no TLS policy: expected legacy or modern\n" },
	{ "listener a {\ntls legacy\ntls legacy\n" LISTENER_BODY("443"),
	    F "3:1: \"tls\"" GIVEN_TWICE "2:1\n" },
	{ "listener a {\nclient-certificate off\n" LISTENER_BODY("443"),
	    F "2:20: \"off\" is no choice for client-certificate: expected "
	      "required or optional\n" },
	{ "listener a {\nexpired-device-certificates allowed\n" LISTENER_BODY(
	      "443"),
	    F "2:29: \"allowed\" is no choice for "
	      "expired-device-certificates: expected refuse or allow; did you "
	      "mean \"allow\"?\n" },
	{ "listener a {\nallow-expired-anchor ''\n" LISTENER_BODY("443"),
	    F "2:22: an empty name: expected the subject CN of an anchor\n" },
	{ "listener a {\nallow-expired-anchor A\nallow-expired-anchor "
	  "A\n" LISTENER_BODY("443"),
	    F "3:22: allow-expired-anchor \"A\"" GIVEN_TWICE "2:22\n" },
	{ "listener a {\nclient-anchors ca.crt\n" LISTENER_BODY("443"),
	    F "5:16: client-anchors \"ca.crt\"" GIVEN_TWICE "2:16\n" },
	{ "listener a {\nclient-anchor x\n" LISTENER_BODY("443"),
	    F "2:1: "
	      "unknown directive \"client-anchor\"; did you mean "
	      "\"client-anchors\"?\n" },
	{ "listener a {\nfoo\n" LISTENER_BODY("443"),
	    F "2:1: unknown "
	      "directive \"foo\": expected plain-http, address, certificate, "
	      "tls, "
	      "client-certificate, client-anchors, allow-expired-anchor or "
	      "expired-device-certificates\n" },
	{ "listener a {\nworkers 2\n" LISTENER_BODY("443"),
	    F "2:1: "
	      "\"workers\" does not belong here: expected it outside of "
	      "blocks\n" },
	{ "listener a {\nlistener b {\n}\n" LISTENER_BODY("443"),
	    F "2:1: "
	      "\"listener\" does not belong here: expected it outside of "
	      "blocks\n" },
	{ "listener a {\ntls legacy {\n}\n" LISTENER_BODY("443"),
	    F "2:1: "
	      "\"tls\" with a block: expected \"tls legacy|modern\"\n" },
};

static void
test_bad_listeners(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_listeners); i++)
		assert_errors(bad_listeners[i].text, bad_listeners[i].errors);
}

static const struct {
	const char *text;
	unsigned ms; /* 0: refused */
} durations[] = {
	{ "100ms", 100 },
	{ "500ms", 500 },
	{ "1s", 1000 },
	{ "20s", 20000 },
	{ "2m", 120000 },
	{ "10m", 600000 },
	{ "600s", 600000 },
	{ "600000ms", 600000 },
	{ "007s", 7000 },
	{ "99ms", 0 },
	{ "0s", 0 },
	{ "600001ms", 0 },
	{ "601s", 0 },
	{ "11m", 0 },
	{ "5", 0 },
	{ "s", 0 },
	{ "5h", 0 },
	{ "5S", 0 },
	{ "5 s", 0 },
	{ "1.5s", 0 },
	{ "-5s", 0 },
	{ "5sm", 0 },
	{ "5mss", 0 },
	{ "1m30s", 0 },
	{ "99999999999999999999ms", 0 },
	{ "0000000000000001s", 0 },
};

static void
test_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(durations); i++) {
		char *text = xasprintf("timeout idle '%s'\n%s",
		    durations[i].text, LISTENER);
		char *error = xasprintf(F
		    "1:14: \"%s\" is no duration: "
		    "expected a number with ms, s or m, from 100ms to 10m\n",
		    durations[i].text);

		if (durations[i].ms == 0) {
			assert_errors(text, error);
		} else {
			struct config *config = parse_good(text);

			assert_int_equal(config->idle_timeout_ms,
			    durations[i].ms);
			config_free(config);
		}
		free(error);
		free(text);
	}
}

/* A mistake of grammar hides neither the other lines nor adds to them. */
static void
test_damaged(void **state)
{
	(void)state;
	assert_errors("workers \"2\n"	  /* its value is not judged */
		      "workers 3\n"	  /* but that it was given is known */
		      "\x01 foo\n"	  /* whatever that was */
		      "listener a\"b {\n" /* the name is not judged */
		      "addres 192.0.2.1:443\n" /* but the block is */
		      "'tls modern\n"
		      "}\n"
		      "log-level loud\n"
		      "listener{\n"
		      "}\n",
	    F "1:9: a quoted word does not end: expected \" before the end "
	      "of the line\n" F
	      "3:1: control character U+0001: expected text\n" F
	      "4:11: a quote inside a word: expected it around the whole "
	      "word, or a backslash before it\n" F
	      "6:1: a quoted word does not end: expected ' before the end of "
	      "the line\n" F
	      "9:9: \"{\" inside a word: expected a blank before it, or "
	      "quotes around the word\n" F "2:1: \"workers\"" GIVEN_TWICE
	      "1:1\n" F "5:1: unknown directive \"addres\"; did you mean "
	      "\"address\"?\n" F
	      "8:11: \"loud\" is no log level: expected error, warn, info or "
	      "debug\n");
	assert_errors("worker 2\nlistener a {\n",
	    F "3:1: the file ends inside the block \"listener\" of line 2: "
	      "expected \"}\"\n");
}

/* n pieces with the number in them, between head and tail. */
static char *
repeat(const char *head, const char *before, const char *after, size_t n,
    const char *tail)
{
	struct buf text;

	buf_init(&text, 1000000);
	assert_int_equal(buf_append_text(&text, head), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_printf(&text, "%s%zu%s", before, i + 1,
				     after),
		    0);
	assert_int_equal(buf_append_text(&text, tail), 0);
	return buf_take(&text);
}

static const struct {
	const char *head, *before, *after, *tail;
	size_t limit;
	const char *error; /* with one more */
} limits[] = {
	{ "", "profile /", "\n", LISTENER, CONFIG_ROUTES_MAX,
	    F "257:9: more than 256 paths in profile, common, public and "
	      "report\n" },
	{ "", "public /", " a.xml\n", LISTENER, CONFIG_ROUTES_MAX,
	    F "257:8: more than 256 paths in profile, common, public and "
	      "report\n" },
	{ "listener a {\n", "address 192.0.2.1:", "\n",
	    "certificate a key b\nclient-anchors c\n}\n", CONFIG_ADDRESSES_MAX,
	    F "66:9: more than 64 addresses in one listener\n" },
	{ "listener a {\n", "client-anchors ", "\n",
	    "certificate a key b\naddress 192.0.2.1:1\n}\n", CONFIG_ANCHORS_MAX,
	    F "66:16: more than 64 of \"client-anchors\" in one listener\n" },
	{ "listener a {\n", "allow-expired-anchor ", "\n", LISTENER_BODY("1"),
	    CONFIG_ANCHORS_MAX,
	    F "66:22: more than 64 of \"allow-expired-anchor\" in one "
	      "listener\n" },
};

static void
test_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		char *text = repeat(limits[i].head, limits[i].before,
		    limits[i].after, limits[i].limit, limits[i].tail);

		config_free(parse_good(text));
		free(text);
		text = repeat(limits[i].head, limits[i].before, limits[i].after,
		    limits[i].limit + 1, limits[i].tail);
		assert_errors(text, limits[i].error);
		free(text);
	}
}

static void
test_listeners_max(void **state)
{
	for (size_t n = CONFIG_LISTENERS_MAX; n <= CONFIG_LISTENERS_MAX + 1;
	     n++) {
		struct buf text;

		buf_init(&text, 1000000);
		for (size_t i = 1; i <= n; i++)
			assert_int_equal(
			    buf_printf(&text,
				"listener l%zu {\n"
				"address 192.0.2.1:%zu\ncertificate a key b\n"
				"client-anchors c\n}\n",
				i, i),
			    0);
		if (n == CONFIG_LISTENERS_MAX)
			config_free(parse_good(buf_text(&text)));
		else
			assert_errors(buf_text(&text),
			    F "1281:10: more than 256 listeners\n");
		buf_clear(&text);
	}
	(void)state;
}

static void
test_load(void **state)
{
	char folder[] = "/tmp/sprov-config-XXXXXX";
	char *path, *expected;
	struct errors errors = { 0 };
	struct config *config;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = file_join(folder, "sprov.conf");
	assert_null(config_load(path, &errors));
	assert_int_equal(errors.count, 1);
	expected = xasprintf("%s: No such file or directory", path);
	assert_string_equal(errors.text[0], expected);
	free(expected);
	errors_clear(&errors);

	assert_null(config_load(folder, &errors));
	expected = xasprintf("%s: not a file", folder);
	assert_string_equal(errors.text[0], expected);
	free(expected);
	errors_clear(&errors);

	assert_int_equal(file_replace(path, 0644, LISTENER, strlen(LISTENER),
			     &err),
	    0);
	config = config_load(path, &errors);
	assert_non_null(config);
	assert_string_equal(config->state_directory, folder);
	config_free(config);

	assert_int_equal(file_replace(path, 0644, "x\0y\n", 4, &err), 0);
	assert_null(config_load(path, &errors));
	expected = xasprintf("%s:1:2: control character U+0000: expected text",
	    path);
	assert_string_equal(errors.text[0], expected);
	free(expected);
	errors_clear(&errors);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	free(path);
	config_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_default_routes),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_listeners),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_listeners_max),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
