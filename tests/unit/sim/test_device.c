#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cmocka.h>

#include "../../lib/pair.h"
#include "pki/anchors.h"
#include "sim/device.h"
#include "spa/registry.h"

#define PROFILE "<flat-profile><User_ID_1_>x</User_ID_1_></flat-profile>"
#define OK_200 "HTTP/1.1 200 OK\r\nContent-Length: 55\r\n\r\n" PROFILE
#define TIMEOUT_MS 2000

static char *folder;
static EVP_PKEY *key;
static X509 *root, *client_root;
static struct chain *identity;
static struct anchors *trusted, *strangers, *client_anchors;

/*
 * The server: a thread that serves connections one after the other with the
 * answers it was given, and keeps what it was asked.
 */
struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	struct tls_context *tls; /* NULL: plain */
	const char *answer[8];	 /* NULL: close without answer */
	size_t answer_count;
	bool mute; /* accept and say nothing */
	bool drop; /* close as soon as accepted */
	bool slow; /* one byte of the answer, then nothing */
	bool rude; /* no close_notify at the end */
	/* What was seen. */
	size_t connections;
	char request[8][2048];
	enum tls_verdict verdict;
	char issuer[TLS_PEER_TEXT_MAX];
	int alert_received;
};

static void
serve_plain(struct server *server, int fd, const char *answer)
{
	char *request = server->request[server->connections % 8];
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && strstr(request, "\r\n\r\n") == NULL) {
		n = recv(fd, request + used,
		    sizeof(server->request[0]) - 1 - used, 0);
		used += n > 0 ? (size_t)n : 0;
		request[used] = '\0';
	}
	if (answer != NULL)
		(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

static void
wait_for_end(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static void
serve_tls(struct server *server, int fd, const char *answer)
{
	struct error err;
	struct tls_conn *conn = tls_conn_new_server(server->tls, fd, &err);
	char *request = server->request[server->connections % 8];
	enum tls_io io = tls_conn_handshake(conn, &err);
	const struct tls_peer *peer = tls_conn_peer(conn);
	size_t used = 0, n;

	server->verdict = peer->verdict;
	memcpy(server->issuer, peer->issuer, sizeof(server->issuer));
	while (io == TLS_DONE && strstr(request, "\r\n\r\n") == NULL) {
		io = tls_conn_read(conn, request + used,
		    sizeof(server->request[0]) - 1 - used, &n, &err);
		used += n;
		request[used] = '\0';
	}
	if (io == TLS_DONE && answer != NULL)
		io = tls_conn_write(conn, answer,
		    server->slow ? 1 : strlen(answer), &n, &err);
	if (server->slow)
		wait_for_end(fd);
	server->alert_received = tls_conn_alert_received(conn);
	if (!server->rude)
		tls_conn_shutdown(conn);
	tls_conn_free(conn);
}

static void *
serve(void *arg)
{
	struct server *server = arg;
	int fd, on = 1;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		const struct timeval limit = { .tv_sec = 10 };
		const char *answer = server->connections <
			server->answer_count ?
		    server->answer[server->connections] :
		    NULL;

		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
		    sizeof(limit));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		server->request[server->connections % 8][0] = '\0';
		if (server->mute)
			wait_for_end(fd);
		else if (server->drop)
			;
		else if (server->tls != NULL)
			serve_tls(server, fd, answer);
		else
			serve_plain(server, fd, answer);
		server->connections++;
		(void)shutdown(fd, SHUT_WR);
		wait_for_end(fd);
		(void)close(fd);
	}
	return NULL;
}

static void
server_start(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	assert_int_equal(listen(server->fd, 8), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address,
			     &len),
	    0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server),
	    0);
}

static void
server_stop(struct server *server)
{
	(void)shutdown(server->fd, SHUT_RDWR);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->fd);
	tls_context_free(server->tls);
}

/* A leaf under the provisioning root, as a server's context. */
static struct tls_context *
server_tls(const char *common_name, const char *san)
{
	X509 *cert = test_mint(common_name,
	    (struct mint_request) { .key = key,
		.issuer = root,
		.issuer_key = key,
		.digest = "sha1",
		.subject_alt_name = san,
		.extended_key_usage = "serverAuth" });
	struct chain *chain = test_chain(folder, &cert, 1, key);
	struct tls_context *context = test_server(TLS_LEGACY, chain,
	    client_anchors);

	chain_free(chain);
	X509_free(cert);
	return context;
}

static int
setup(void **state)
{
	X509 *cert, *stranger;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	key = test_key(1024);
	root = test_mint("Provisioning Root",
	    (struct mint_request) { .key = key, .ca = true, .digest = "md5" });
	client_root = test_mint("Client Root",
	    (struct mint_request) { .key = key, .ca = true, .digest = "md5" });
	stranger = test_mint("Stranger",
	    (struct mint_request) { .key = key, .ca = true });
	cert = test_mint("SPA-504G, MAC: 000E08AABBCC, Serial: CBT000000X1",
	    (struct mint_request) { .key = key,
		.issuer = client_root,
		.issuer_key = key,
		.digest = "md5" });
	identity = test_chain(folder, &cert, 1, key);
	trusted = anchors_new();
	anchors_add(trusted, root);
	strangers = anchors_new();
	anchors_add(strangers, stranger);
	client_anchors = anchors_new();
	anchors_add(client_anchors, client_root);
	X509_free(cert);
	X509_free(stranger);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	anchors_free(trusted);
	anchors_free(strangers);
	anchors_free(client_anchors);
	chain_free(identity);
	X509_free(root);
	X509_free(client_root);
	EVP_PKEY_free(key);
	test_remove_folder(folder);
	return 0;
}

static const struct model model = {
	.name = "SPA504G",
	.family = "SPA5xx",
	.product = "SPA504G",
	.series = "504G",
	.certificate_product = "SPA-504G",
	.user_agent = "Cisco/SPA504G-{version} ({MAC})({serial})",
	.default_rule = "/spa$PSN.cfg",
};

static const struct stack classic = {
	.id = "classic",
	.min_version = 0x301,
	.max_version = 0x301,
	.ciphers = "AES256-SHA:AES128-SHA",
	.name_check = NAME_CHECK_ADDRESS,
};

static const struct stack modern = {
	.id = "modern",
	.min_version = 0x303,
	.max_version = 0x304,
	.ciphers = "DEFAULT",
	.extensions = true,
	.sni = true,
	.check_time = true,
	.check_sha256 = true,
	.name_check = NAME_CHECK_SAN_OR_CN,
	.redirects = true,
	.http_1_1 = true,
};

static const struct stack strict = {
	.id = "strict",
	.min_version = 0x303,
	.max_version = 0x303,
	.ciphers = "DEFAULT",
	.extensions = true,
	.sni = true,
	.check_time = true,
	.check_sha256 = true,
	.name_check = NAME_CHECK_SAN,
	.redirects = true,
	.http_1_1 = true,
};

static struct sim_device *
new_device(const struct stack *stack, const struct anchors *anchors,
    const struct chain *chain)
{
	struct firmware firmware = { .text = "7.5.4" };
	struct error err;
	struct sim_device_options options = { .model = &model,
		.firmware = &firmware,
		.serial = "CBT000000X1",
		.trusted = anchors,
		.identity = chain,
		.stack = stack };
	struct sim_device *device;

	assert_int_equal(mac_parse(&options.mac, "000e08aabbcc", &err), 0);
	device = sim_device_new(&options, &err);
	if (device == NULL)
		fail_msg("%s", err.text);
	return device;
}

/*
 * Names: "two.example.net" is a dead address and then the server; "v6" has an
 * address of the other family; "else" another one; others the server.
 */
static size_t
resolve(void *arg, const char *host, struct addr *list, size_t max)
{
	struct error err;
	size_t *asked = arg;

	assert_true(max >= 2);
	if (asked != NULL)
		++*asked;
	if (strcmp(host, "none.example.net") == 0)
		return 0;
	if (strcmp(host, "two.example.net") == 0) {
		assert_int_equal(addr_parse_host(&list[0], "127.0.0.2", 0,
				     &err),
		    0);
		assert_int_equal(addr_parse_host(&list[1], "127.0.0.1", 0,
				     &err),
		    0);
		return 2;
	}
	assert_int_equal(addr_parse_host(&list[0],
			     strcmp(host, "else.example.net") == 0 ?
				 "127.0.0.3" :
				 "127.0.0.1",
			     0, &err),
	    0);
	return 1;
}

static const struct sim_network network = { .resolve = resolve,
	.timeout_ms = TIMEOUT_MS };

/* One resync against server, whose port replaces the %u of the rule. */
static void
resync(struct server *server, const struct sim_device *device, const char *rule,
    struct sim_result *result)
{
	char text[1024];

	server_start(server);
	for (size_t i = 0, k = 0; i < sizeof(text); i++) {
		if (rule[k] == '%' && rule[k + 1] == 'u') {
			i += (size_t)snprintf(text + i, sizeof(text) - i, "%u",
				 server->port) -
			    1;
			k += 2;
		} else if ((text[i] = rule[k++]) == '\0') {
			break;
		}
	}
	sim_resync(device, text, &network, result);
	server_stop(server);
}

static void
expect(const struct sim_result *result, enum sim_outcome outcome,
    const char *says)
{
	if (result->outcome != outcome || strstr(result->reason, says) == NULL)
		fail_msg("%s: %s; wanted %s: %s",
		    sim_outcome_name(result->outcome), result->reason,
		    sim_outcome_name(outcome), says);
}

static void
test_outcomes(void **state)
{
	static const struct {
		enum sim_outcome outcome;
		const char *name;
		char class;
	} cases[] = {
		{ SIM_PROVISIONED, "provisioned", 'A' },
		{ SIM_NO_RULE, "no-rule", 'A' },
		{ SIM_NOT_FOUND, "not-found", 'B' },
		{ SIM_CORRUPT, "corrupt", 'B' },
		{ SIM_REFUSED, "refused", 'C' },
		{ SIM_BAD_RULE, "bad-rule", 'C' },
		{ SIM_NO_ADDRESS, "no-address", 'C' },
		{ SIM_NO_CONNECT, "no-connect", 'C' },
		{ SIM_UNTRUSTED, "untrusted", 'C' },
		{ SIM_WRONG_NAME, "wrong-name", 'C' },
		{ SIM_HANDSHAKE, "handshake", 'C' },
		{ SIM_BROKEN_ANSWER, "broken-answer", 'C' },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_string_equal(sim_outcome_name(cases[i].outcome),
		    cases[i].name);
		assert_int_equal(sim_outcome_class(cases[i].outcome),
		    cases[i].class);
	}
}

static void
test_new(void **state)
{
	struct sim_device *device = new_device(&classic, trusted, identity);
	struct stack bad = classic;
	struct model long_name = model;
	struct error err = { 0 };
	struct sim_device_options options = {
		.model = &model, .serial = "X1", .stack = &bad
	};
	char pattern[600];

	(void)state;
	assert_string_equal(sim_device_user_agent(device),
	    "Cisco/SPA504G-7.5.4 (000E08AABBCC)(CBT000000X1)");
	assert_ptr_equal(sim_device_stack(device), &classic);
	sim_device_free(device);
	sim_device_free(NULL);

	bad.ciphers = "NONE-SUCH";
	assert_null(sim_device_new(&options, &err));
	assert_non_null(strstr(err.text, "TLS stack classic: "));

	memset(pattern, 'x', sizeof(pattern));
	pattern[sizeof(pattern) - 1] = '\0';
	long_name.user_agent = pattern;
	options.model = &long_name;
	options.stack = &classic;
	assert_null(sim_device_new(&options, &err));
	assert_int_equal(err.kind, ERROR_INPUT);

	/* Firmware not known; a pattern with braces that mean nothing. */
	long_name.user_agent = "A-{version} {mac} {what} {";
	device = sim_device_new(&options, &err);
	assert_non_null(device);
	assert_string_equal(sim_device_user_agent(device),
	    "A-unknown 000000000000 {what} {");
	sim_device_free(device);
}

static void
test_provisioned(void **state)
{
	static const struct {
		const struct stack *stack;
		int version;
		const char *first_line;
	} cases[] = {
		{ &classic, 0x301, "GET /a/000e08aabbcc.cfg HTTP/1.0\r\n" },
		{ &modern, 0x304, "GET /a/000e08aabbcc.cfg HTTP/1.1\r\n" },
		{ &strict, 0x303, "GET /a/000e08aabbcc.cfg HTTP/1.1\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct server server = { .answer = { OK_200 },
			.answer_count = 1,
			.tls = server_tls("prov.example.net/i@example.net",
			    "DNS:prov.example.net") };
		struct sim_device *device = new_device(cases[i].stack, trusted,
		    identity);
		struct sim_result result;
		char host[64];

		resync(&server, device, "https://prov.example.net:%u/a/$MA.cfg",
		    &result);
		expect(&result, SIM_PROVISIONED, "55 bytes");
		assert_int_equal(result.status, 200);
		assert_int_equal(result.tls_version, cases[i].version);
		assert_true(result.cipher[0] != '\0');
		assert_int_equal(result.alert_sent, -1);
		assert_int_equal(result.alert_received, -1);
		assert_int_equal(result.body_len, strlen(PROFILE));
		assert_string_equal(result.body, PROFILE);
		assert_true(result.handshake_us > 0);
		assert_true(result.total_us >= result.handshake_us);
		assert_non_null(strstr(result.url,
		    "https://prov.example.net:"));
		sim_result_clear(&result);
		assert_null(result.body);
		sim_device_free(device);

		assert_int_equal(strncmp(server.request[0], cases[i].first_line,
				     strlen(cases[i].first_line)),
		    0);
		(void)snprintf(host, sizeof(host),
		    "\r\nHost: prov.example.net:%u\r\n", server.port);
		assert_non_null(strstr(server.request[0], host));
		assert_non_null(strstr(server.request[0],
		    "\r\nUser-Agent: Cisco/SPA504G-7.5.4 (000E08AABBCC)"));
		assert_non_null(strstr(server.request[0],
		    "\r\nConnection: close\r\n"));
		assert_int_equal(server.verdict, TLS_PEER_TRUSTED);
		assert_string_equal(server.issuer, "Client Root");
	}
}

static void
test_macros(void **state)
{
	static const struct {
		const char *rule, *path;
		bool has_identity;
	} cases[] = {
		{ "http://h.example.net:%u/$PN/$PSN/$MA/$MAU/$MAC/$SN/$SWVER",
		    "/SPA504G/504G/000e08aabbcc/000E08AABBCC/"
		    "00:0e:08:aa:bb:cc/CBT000000X1/7.5.4",
		    false },
		{ "http://h.example.net:%u/$(MAU:8:2)/$A$P$PRVST-$WHAT",
		    "/BB/0-$WHAT", false },
		{ "(\"$CCERT\" eq \"Installed\")? http://h.example.net:%u/yes"
		  " | http://h.example.net:%u/no",
		    "/yes", true },
		{ "(\"$CCERT\" eq \"Installed\")? http://h.example.net:%u/yes"
		  " | http://h.example.net:%u/no",
		    "/no", false },
		{ "($SWVER ge 7.5.2)? http://h.example.net:%u/new | "
		  "http://h.example.net:%u/old",
		    "/new", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct server server = { .answer = { OK_200 },
			.answer_count = 1 };
		struct sim_device *device = new_device(&classic, trusted,
		    cases[i].has_identity ? identity : NULL);
		struct sim_result result;
		char line[512];

		resync(&server, device, cases[i].rule, &result);
		expect(&result, SIM_PROVISIONED, "");
		(void)snprintf(line, sizeof(line), "GET %s HTTP/1.0\r\n",
		    cases[i].path);
		server.request[0][strlen(line)] = '\0';
		assert_string_equal(server.request[0], line);
		assert_int_equal(result.tls_version, 0);
		assert_string_equal(result.cipher, "");
		sim_result_clear(&result);
		sim_device_free(device);
	}
}

/* Rules that lead nowhere: no connection is made. */
static void
test_rules(void **state)
{
	static const struct {
		const char *rule;
		enum sim_outcome outcome;
		const char *says;
	} cases[] = {
		{ "(\"$PN\" eq \"X\")? http://h.example.net/x", SIM_NO_RULE,
		    "no alternative" },
		{ "(a = \"x\";)!", SIM_NO_RULE, "names no URL" },
		{ "/spa.cfg", SIM_NO_ADDRESS, "DHCP names no server" },
		{ "tftp://none.example.net/x", SIM_NO_ADDRESS,
		    "none.example.net" },
		{ "(", SIM_BAD_RULE, "" },
		{ "(\"a\" lt \"b\")? http://h.example.net/x", SIM_BAD_RULE,
		    "" },
		{ "http://h.example.net:99999/x", SIM_BAD_RULE, "" },
		{ "https:///spa.cfg", SIM_NO_ADDRESS, "DHCP" },
		{ "https://none.example.net/x", SIM_NO_ADDRESS,
		    "none.example.net" },
		{ "https://127.0.0.9:9/x", SIM_NO_CONNECT, "127.0.0.9:9" },
	};
	struct sim_device *device = new_device(&classic, trusted, identity);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sim_result result;

		sim_resync(device, cases[i].rule, &network, &result);
		expect(&result, cases[i].outcome, cases[i].says);
		assert_int_equal(result.status, 0);
		assert_null(result.body);
		sim_result_clear(&result);
	}
	sim_device_free(device);
}

static const struct {
	const struct stack *stack;
	const char *common_name, *san, *host;
	enum sim_outcome outcome;
	const char *says;
} names[] = {
	{ &classic, "prov.example.net", NULL, "prov.example.net",
	    SIM_PROVISIONED, "" },
	/* Only the address counts, not the name in the URL; */
	{ &classic, "prov.example.net", NULL, "alias.example.net",
	    SIM_PROVISIONED, "" },
	{ &classic, "prov.example.net", NULL, "127.0.0.1", SIM_PROVISIONED,
	    "" },
	/* and the second address of the answer counts too. */
	{ &classic, "two.example.net/x@example.net", NULL, "two.example.net",
	    SIM_PROVISIONED, "" },
	{ &classic, "else.example.net", NULL, "prov.example.net",
	    SIM_WRONG_NAME, "127.0.0.1 is not among" },
	{ &classic, "else.example.net", "DNS:prov.example.net",
	    "prov.example.net", SIM_WRONG_NAME, "else.example.net" },
	{ &classic, "none.example.net", NULL, "prov.example.net",
	    SIM_WRONG_NAME, "does not resolve" },
	{ &classic, "/x", NULL, "prov.example.net", SIM_WRONG_NAME, "no CN" },
	{ &modern, "prov.example.net", NULL, "prov.example.net",
	    SIM_PROVISIONED, "" },
	{ &modern, "prov.example.net", NULL, "alias.example.net",
	    SIM_WRONG_NAME, "SAN or CN" },
	{ &modern, "x", "DNS:prov.example.net", "prov.example.net",
	    SIM_PROVISIONED, "" },
	{ &strict, "prov.example.net", NULL, "prov.example.net", SIM_WRONG_NAME,
	    "by SAN)" },
	{ &strict, "x", "DNS:prov.example.net", "prov.example.net",
	    SIM_PROVISIONED, "" },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct server server = { .answer = { OK_200 },
			.answer_count = 1,
			.tls = server_tls(names[i].common_name, names[i].san) };
		struct sim_device *device = new_device(names[i].stack, trusted,
		    identity);
		struct sim_result result;
		char rule[128];

		(void)snprintf(rule, sizeof(rule), "https://%s:%%u/x",
		    names[i].host);
		resync(&server, device, rule, &result);
		expect(&result, names[i].outcome, names[i].says);
		/* On a wrong name nothing is asked for. */
		assert_int_equal(server.request[0][0] != '\0',
		    names[i].outcome == SIM_PROVISIONED);
		assert_true(result.tls_version != 0);
		sim_result_clear(&result);
		sim_device_free(device);
	}
}

static void
test_untrusted(void **state)
{
	static const struct stack *const stacks[] = { &classic, &modern };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct server server = { .answer = { OK_200 },
			.answer_count = 1,
			.tls = server_tls("prov.example.net", NULL) };
		struct sim_device *device = new_device(stacks[i], strangers,
		    identity);
		struct sim_result result;

		resync(&server, device, "https://prov.example.net:%u/x",
		    &result);
		expect(&result, SIM_UNTRUSTED, "unable to get local issuer");
		assert_int_equal(result.alert_sent, 48);
		assert_int_equal(result.tls_version, 0);
		assert_int_equal(server.alert_received, 48);
		assert_string_equal(server.request[0], "");
		sim_result_clear(&result);
		sim_device_free(device);
	}
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct {
	const struct stack *stack;
	const char *answer; /* NULL: closes without */
	enum sim_outcome outcome;
	int status;
	const char *says;
} answers[] = {
	{ &classic, OK_200, SIM_PROVISIONED, 200, "" },
	{ &classic, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	    SIM_NOT_FOUND, 404, "no such file" },
	{ &classic, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
	    SIM_REFUSED, 403, "403" },
	{ &classic, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", SIM_REFUSED,
	    401, "401" },
	{ &modern, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
	    SIM_REFUSED, 503, "503" },
	{ &modern,
	    "HTTP/1.1 307 See\r\nLocation: /x\r\n"
	    "Content-Length: 0\r\n\r\n",
	    SIM_REFUSED, 307, "307" },
	{ &classic,
	    "HTTP/1.1 302 See\r\nLocation: /x\r\n"
	    "Content-Length: 0\r\n\r\n",
	    SIM_REFUSED, 302, "does not follow" },
	{ &classic, HEAD "Content-Length: 4\r\n\r\n<a/>", SIM_CORRUPT, 200,
	    "no profile" },
	{ &classic, HEAD "Content-Length: 0\r\n\r\n", SIM_CORRUPT, 200, "" },
	{ &classic, HEAD "Content-Length: 5\r\n\r\n<flat", SIM_CORRUPT, 200,
	    "" },
	{ &classic, HEAD "Content-Length: 500\r\n\r\n" PROFILE,
	    SIM_BROKEN_ANSWER, 200, "" },
	{ &classic, HEAD "\r\n" PROFILE, SIM_BROKEN_ANSWER, 200,
	    "no Content-Length" },
	{ &modern, HEAD "Connection: close\r\n\r\n" PROFILE, SIM_PROVISIONED,
	    200, "" },
	{ &classic,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n37\r\n" PROFILE
		 "\r\n0\r\n\r\n",
	    SIM_BROKEN_ANSWER, 200, "chunked" },
	{ &modern,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n37\r\n" PROFILE
		 "\r\n0\r\n\r\n",
	    SIM_PROVISIONED, 200, "" },
	{ &modern, "hello\r\n\r\n", SIM_BROKEN_ANSWER, 0, "" },
	{ &modern, NULL, SIM_BROKEN_ANSWER, 0, "" },
	{ &classic, NULL, SIM_BROKEN_ANSWER, 0, "" },
};

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		for (int tls = 0; tls < 2; tls++) {
			struct server server = {
				.answer = { answers[i].answer },
				.answer_count = 1,
				.rude = i % 2 == 0,
				.tls = tls ?
				    server_tls("prov.example.net", NULL) :
				    NULL
			};
			struct sim_device *device = new_device(answers[i].stack,
			    trusted, identity);
			struct sim_result result;

			resync(&server, device,
			    tls ? "https://prov.example.net:%u/x" :
				  "http://prov.example.net:%u/x",
			    &result);
			if (result.outcome != answers[i].outcome)
				print_message("case %zu\n", i);
			expect(&result, answers[i].outcome, answers[i].says);
			assert_int_equal(result.status, answers[i].status);
			assert_int_equal(result.body != NULL,
			    result.outcome == SIM_PROVISIONED ||
				result.outcome == SIM_CORRUPT);
			sim_result_clear(&result);
			sim_device_free(device);
		}
	}
}

#define TO(where) \
	"HTTP/1.1 302 Found\r\nLocation: " where "\r\nContent-Length: " \
	"0\r\n\r\n"

static void
test_redirects(void **state)
{
	static const struct {
		const char *answer[8];
		size_t count;
		enum sim_outcome outcome;
		unsigned redirects;
		const char *says;
	} cases[] = {
		{ { TO("/two"), OK_200 }, 2, SIM_PROVISIONED, 1, "" },
		{ { TO("/2"), TO("/3"), TO("/4"), TO("/5"), TO("/6"), OK_200 },
		    6, SIM_PROVISIONED, 5, "" },
		{ { TO("/2"), TO("/3"), TO("/4"), TO("/5"), TO("/6"),
		      TO("/7") },
		    6, SIM_REFUSED, 5, "more than 5" },
		{ { TO("tftp://h.example.net/x") }, 1, SIM_REFUSED, 0,
		    "no http" },
		{ { TO("h.example.net") }, 1, SIM_REFUSED, 0, "" },
		{ { TO("https:///x") }, 1, SIM_REFUSED, 0, "" },
		{ { TO("https://none.example.net/x") }, 1, SIM_NO_ADDRESS, 1,
		    "none" },
		{ { "HTTP/1.1 301 Gone\r\nContent-Length: 0\r\n\r\n" }, 1,
		    SIM_REFUSED, 0, "redirected to nowhere" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct server server = { .answer_count = cases[i].count,
			.tls = server_tls("prov.example.net", NULL) };
		struct sim_device *device = new_device(&modern, trusted,
		    identity);
		struct sim_result result;

		memcpy(server.answer, cases[i].answer, sizeof(server.answer));
		resync(&server, device, "https://prov.example.net:%u/1",
		    &result);
		expect(&result, cases[i].outcome, cases[i].says);
		assert_int_equal(result.redirects, cases[i].redirects);
		if (i == 0) {
			assert_non_null(strstr(server.request[1], "GET /two "));
			assert_non_null(strstr(result.url, "/two"));
		}
		sim_result_clear(&result);
		sim_device_free(device);
	}
}

static void
test_trouble(void **state)
{
	static const struct {
		bool mute, drop, slow, tls;
		enum sim_outcome outcome;
		const char *says;
	} cases[] = {
		{ true, false, false, true, SIM_HANDSHAKE, "in time" },
		{ true, false, false, false, SIM_BROKEN_ANSWER, "in time" },
		{ false, true, false, true, SIM_HANDSHAKE, "" },
		{ false, false, true, true, SIM_BROKEN_ANSWER, "in time" },
	};
	struct sim_network hasty = network;

	(void)state;
	hasty.timeout_ms = 300;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct server server = { .answer = { OK_200 },
			.answer_count = 1,
			.mute = cases[i].mute,
			.drop = cases[i].drop,
			.slow = cases[i].slow,
			.tls = server_tls("prov.example.net", NULL) };
		struct sim_device *device = new_device(&classic, trusted,
		    identity);
		struct sim_result result;
		char rule[64];

		server_start(&server);
		(void)snprintf(rule, sizeof(rule), "%s://prov.example.net:%u/x",
		    cases[i].tls ? "https" : "http", server.port);
		sim_resync(device, rule, &hasty, &result);
		server_stop(&server);
		expect(&result, cases[i].outcome, cases[i].says);
		assert_true(result.total_us < 5 * 1000 * 1000);
		sim_result_clear(&result);
		sim_device_free(device);
	}
}

/* The server speaks nothing that the device does. */
static void
test_no_common_version(void **state)
{
	struct stack newest = modern;
	X509 *cert = test_mint("prov.example.net",
	    (struct mint_request) {
		.key = key, .issuer = root, .issuer_key = key });
	struct chain *chain = test_chain(folder, &cert, 1, key);
	struct server server = { .answer_count = 0 };
	struct sim_device *device;
	struct sim_result result;

	(void)state;
	newest.ciphers = "DHE-RSA-AES128-SHA";
	newest.max_version = 0x303;
	server.tls = test_server(TLS_LEGACY, chain, client_anchors);
	device = new_device(&newest, trusted, identity);
	resync(&server, device, "https://prov.example.net:%u/x", &result);
	expect(&result, SIM_HANDSHAKE, "handshake_failure");
	assert_int_equal(result.alert_received, 40);
	sim_result_clear(&result);
	sim_device_free(device);
	chain_free(chain);
	X509_free(cert);
}

static void
test_dhcp(void **state)
{
	struct server server = { .answer = { OK_200 }, .answer_count = 1 };
	struct sim_device *device = new_device(&classic, trusted, identity);
	struct sim_network with_dhcp = network;
	struct sim_result result;

	(void)state;
	/* Without a host there is no port either: the scheme's own. */
	with_dhcp.dhcp_server = "127.0.0.7";
	server_start(&server);
	sim_resync(device, "https:///x", &with_dhcp, &result);
	server_stop(&server);
	expect(&result, SIM_NO_CONNECT, "127.0.0.7:443");
	sim_result_clear(&result);
	sim_device_free(device);
}

static void
test_handshake(void **state)
{
	struct server server = { .tls = server_tls("prov.example.net", NULL) };
	struct sim_device *good = new_device(&classic, trusted, NULL);
	struct sim_device *bad = new_device(&classic, strangers, NULL);
	struct sim_result result;
	struct addr address;
	struct error err;

	(void)state;
	server_start(&server);
	assert_int_equal(addr_parse_host(&address, "127.0.0.1", server.port,
			     &err),
	    0);
	sim_handshake(good, "prov.example.net", &address, &network, &result);
	expect(&result, SIM_PROVISIONED, "handshake is complete");
	assert_int_equal(result.tls_version, 0x301);
	assert_string_equal(result.url, "https://prov.example.net/");
	sim_result_clear(&result);
	sim_handshake(bad, "prov.example.net", &address, &network, &result);
	expect(&result, SIM_UNTRUSTED, "");
	assert_int_equal(result.alert_sent, 48);
	sim_result_clear(&result);
	server_stop(&server);
	assert_int_equal(server.verdict, TLS_PEER_NONE);

	sim_handshake(good, "prov.example.net", &address, &network, &result);
	expect(&result, SIM_NO_CONNECT, "refused");
	sim_result_clear(&result);
	sim_device_free(good);
	sim_device_free(bad);
}

struct runner {
	const struct sim_device *device;
	struct addr address;
	enum sim_outcome outcome;
};

static void *
run_handshakes(void *arg)
{
	struct runner *runner = arg;
	struct sim_result result;

	for (int i = 0; i < 8 && runner->outcome == SIM_PROVISIONED; i++) {
		sim_handshake(runner->device, "prov.example.net",
		    &runner->address, &network, &result);
		runner->outcome = result.outcome;
		sim_result_clear(&result);
	}
	return NULL;
}

/* One device in several threads at once. */
static void
test_threads(void **state)
{
	struct server server = { .tls = server_tls("prov.example.net", NULL) };
	struct sim_device *device = new_device(&classic, trusted, identity);
	struct runner runner[4];
	pthread_t thread[4];
	struct error err;

	(void)state;
	server_start(&server);
	for (size_t i = 0; i < 4; i++) {
		runner[i] = (struct runner) { .device = device };
		assert_int_equal(addr_parse_host(&runner[i].address,
				     "127.0.0.1", server.port, &err),
		    0);
		assert_int_equal(pthread_create(&thread[i], NULL,
				     run_handshakes, &runner[i]),
		    0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(runner[i].outcome, SIM_PROVISIONED);
	}
	server_stop(&server);
	assert_int_equal(server.connections, 32);
	sim_device_free(device);
}

/* Every model of the registry is a device; every stack reaches a server. */
static void
test_registry(void **state)
{
	struct server server = { .tls = server_tls("prov.example.net",
				     "DNS:prov.example.net") };
	struct addr address;
	struct error err;

	(void)state;
	server_start(&server);
	assert_int_equal(addr_parse_host(&address, "127.0.0.1", server.port,
			     &err),
	    0);
	for (size_t i = 0; i < registry_model_count; i++) {
		struct sim_device_options options = {
			.model = &registry_models[i],
			.serial = "X1",
			.trusted = trusted
		};
		struct sim_device *device = sim_device_new(&options, &err);

		if (device == NULL)
			fail_msg("%s: %s", registry_models[i].name, err.text);
		assert_true(sim_device_user_agent(device)[0] != '\0');
		assert_null(strchr(sim_device_user_agent(device), '{'));
		sim_device_free(device);
	}
	for (size_t i = 0; i < registry_stack_count; i++) {
		struct sim_device *device = new_device(&registry_stacks[i],
		    trusted, identity);
		struct sim_result result;

		sim_handshake(device, "prov.example.net", &address, &network,
		    &result);
		if (result.outcome != SIM_PROVISIONED)
			fail_msg("%s: %s", registry_stacks[i].id,
			    result.reason);
		sim_result_clear(&result);
		sim_device_free(device);
	}
	server_stop(&server);
	assert_int_equal(server.verdict, TLS_PEER_TRUSTED);
}

static void
test_system_resolver(void **state)
{
	struct server server = { .answer = { OK_200 }, .answer_count = 1 };
	struct sim_device *device = new_device(&classic, trusted, identity);
	struct sim_network real = { .timeout_ms = TIMEOUT_MS };
	struct addrinfo *found = NULL;
	struct sim_result result;
	char rule[64];

	(void)state;
	if (getaddrinfo("localhost", NULL, NULL, &found) != 0) {
		sim_device_free(device);
		return; /* a machine without /etc/hosts */
	}
	freeaddrinfo(found);
	server_start(&server);
	(void)snprintf(rule, sizeof(rule), "http://localhost:%u/x",
	    server.port);
	sim_resync(device, rule, &real, &result);
	server_stop(&server);
	expect(&result, SIM_PROVISIONED, "");
	sim_result_clear(&result);
	sim_device_free(device);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_provisioned),
		cmocka_unit_test(test_macros),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_untrusted),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_no_common_version),
		cmocka_unit_test(test_dhcp),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_system_resolver),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
