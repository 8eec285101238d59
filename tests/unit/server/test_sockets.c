#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "server/config.h"
#include "server/sockets.h"

/* sd_listen_fds(3) */
#define LISTEN_FDS_START 3

/* A socket of our own on a port that the kernel picks; *text is its name. */
static int
own_socket(const char *host, bool listening, char text[ADDR_TEXT_BYTES])
{
	struct addr address;
	struct error err;
	int fd;

	assert_int_equal(addr_parse_host(&address, host, 1, &err), 0);
	/* Port 0: the kernel's choice. */
	if (address.sockaddr.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address.sockaddr)->sin6_port = 0;
	else
		((struct sockaddr_in *)&address.sockaddr)->sin_port = 0;
	fd = socket(address.sockaddr.ss_family, SOCK_STREAM, 0);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address.sockaddr, address.len) != 0)
		return -1;
	if (listening)
		assert_int_equal(listen(fd, 8), 0);
	address.len = sizeof(address.sockaddr);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address.sockaddr,
			     &address.len),
	    0);
	addr_format(&address, text);
	return fd;
}

/* A port that was free a moment ago. */
static void
free_address(const char *host, char text[ADDR_TEXT_BYTES])
{
	int fd = own_socket(host, false, text);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static struct config *
parse(const char *const *listeners, size_t count)
{
	struct errors errors = { 0 };
	struct config *config;
	struct buf text;

	buf_init(&text, 10000);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_printf(&text,
				     "listener l%zu {\n"
				     "certificate a.crt key "
				     "a.key\nclient-anchors ca.crt\n"
				     "address %s\n}\n",
				     i, listeners[i]),
		    0);
	config = config_parse("/etc/sprov/f", buf_text(&text), text.len,
	    &errors);
	if (config == NULL)
		fail_msg("%s", errors.text[0]);
	buf_clear(&text);
	return config;
}

static struct sockets
open_all(const struct sockets *old, const char *const *listeners, size_t count)
{
	struct config *config = parse(listeners, count);
	struct errors errors = { 0 };
	struct sockets fresh;

	if (sockets_open(&fresh, old, config, &errors) != 0)
		fail_msg("%s", errors.text[0]);
	config_free(config);
	return fresh;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Can a client connect there, and arrives the connection at fd? */
static bool
answers(int fd, const char *text)
{
	struct addr address;
	struct error err;
	int client, accepted;
	bool connected;

	assert_int_equal(addr_parse(&address, text, &err), 0);
	client = socket(address.sockaddr.ss_family, SOCK_STREAM, 0);
	connected = connect(client, (struct sockaddr *)&address.sockaddr,
			address.len) == 0;
	accepted = fd >= 0 && connected ? accept(fd, NULL, NULL) : -1;
	if (accepted >= 0)
		(void)close(accepted);
	(void)close(client);
	return fd >= 0 ? accepted >= 0 : connected;
}

static void
test_bind(void **state)
{
	const struct sockets none = { 0 };
	char one[ADDR_TEXT_BYTES], two[ADDR_TEXT_BYTES];
	const char *const listeners[] = { one, two };
	struct sockets sockets;
	int value = 0;
	socklen_t len = sizeof(value);

	(void)state;
	free_address("127.0.0.1", one);
	free_address("127.0.0.1", two);
	sockets = open_all(&none, listeners, 2);
	assert_int_equal(sockets.count, 2);
	for (size_t i = 0; i < 2; i++) {
		int fd = sockets.list[i].fd;
		char text[ADDR_TEXT_BYTES];

		assert_int_equal(sockets.list[i].listener, i);
		addr_format(&sockets.list[i].address, text);
		assert_string_equal(text, listeners[i]);
		assert_true(answers(fd, listeners[i]));
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR,
				     &value, &len),
		    0);
		assert_int_equal(value, 1);
	}
	sockets_close(&sockets, NULL);
	assert_int_equal(sockets.count, 0);
	assert_null(sockets.list);
	assert_false(answers(-1, one));
	assert_false(answers(-1, two));
	/* Closing nothing is fine. */
	sockets_close(&sockets, NULL);
}

/* A reload: one stays and moves to another listener, one goes, one comes. */
static void
test_share(void **state)
{
	const struct sockets none = { 0 };
	char stays[ADDR_TEXT_BYTES], goes[ADDR_TEXT_BYTES],
	    comes[ADDR_TEXT_BYTES];
	const char *const before[] = { stays, goes };
	const char *const after[] = { comes, stays };
	struct sockets old, fresh;
	int gone;

	(void)state;
	free_address("127.0.0.1", stays);
	free_address("127.0.0.1", goes);
	free_address("127.0.0.1", comes);
	old = open_all(&none, before, 2);
	fresh = open_all(&old, after, 2);
	gone = old.list[1].fd;
	assert_int_equal(fresh.count, 2);
	assert_int_equal(fresh.list[1].fd, old.list[0].fd);
	assert_int_equal(fresh.list[1].listener, 1);
	sockets_close(&old, &fresh);
	assert_int_equal(old.count, 0);
	assert_false(is_open(gone));
	assert_true(answers(fresh.list[1].fd, stays));
	assert_true(answers(fresh.list[0].fd, comes));
	assert_false(answers(-1, goes));
	sockets_close(&fresh, NULL);
	assert_false(answers(-1, stays));
}

/* What fails is said for each; what was there before goes on. */
static void
test_in_use(void **state)
{
	const struct sockets none = { 0 };
	char stays[ADDR_TEXT_BYTES], taken[ADDR_TEXT_BYTES],
	    comes[ADDR_TEXT_BYTES];
	const char *const before[] = { stays };
	const char *const after[] = { taken, stays, comes, "192.0.2.1:4433" };
	struct config *config;
	struct errors errors = { 0 };
	struct sockets old, fresh = { .count = 99 };
	int fd = own_socket("127.0.0.1", true, taken);

	(void)state;
	free_address("127.0.0.1", stays);
	free_address("127.0.0.1", comes);
	old = open_all(&none, before, 1);
	config = parse(after, 4);
	assert_int_equal(sockets_open(&fresh, &old, config, &errors), -1);
	assert_int_equal(fresh.count, 0);
	assert_null(fresh.list);
	assert_int_equal(errors.count, 2);
	assert_non_null(strstr(errors.text[0],
	    "/etc/sprov/f:4:9: cannot "
	    "listen on 127.0.0.1:"));
	assert_non_null(strstr(errors.text[0], "in use"));
	assert_non_null(strstr(errors.text[1],
	    "/etc/sprov/f:19:9: cannot "
	    "listen on 192.0.2.1:4433"));
	assert_true(answers(old.list[0].fd, stays));
	assert_false(answers(-1, comes));
	errors_clear(&errors);
	config_free(config);
	sockets_close(&old, NULL);
	(void)close(fd);
}

/* [::] does not take the port of 0.0.0.0. */
static void
test_both_families(void **state)
{
	const struct sockets none = { 0 };
	char four[ADDR_TEXT_BYTES], six[ADDR_TEXT_BYTES],
	    local[ADDR_TEXT_BYTES];
	const char *const listeners[] = { six, four };
	struct sockets sockets;
	int fd = own_socket("::1", false, six);

	(void)state;
	if (fd < 0)
		return; /* no IPv6 here */
	(void)close(fd);
	free_address("0.0.0.0", four);
	(void)snprintf(six, sizeof(six), "[::]%s", strrchr(four, ':'));
	sockets = open_all(&none, listeners, 2);
	(void)snprintf(local, sizeof(local), "[::1]%s", strrchr(four, ':'));
	assert_true(answers(sockets.list[0].fd, local));
	(void)snprintf(local, sizeof(local), "127.0.0.1%s", strrchr(four, ':'));
	assert_true(answers(sockets.list[1].fd, local));
	sockets_close(&sockets, NULL);
}

/*
 * What a service manager does: descriptors from 3 on, and our pid.  In a child,
 * because those descriptors are in use here.  It exits with the number of the
 * check that failed; 0: none did.
 */
static int
run_inherited(int passed, const char *address, const char *pid,
    const char *count, size_t wanted)
{
	const char *const listeners[] = { address };
	struct sockets inherited = { .count = 99 }, fresh;
	struct errors errors = { 0 };
	struct config *config;
	char own_pid[32];

	(void)snprintf(own_pid, sizeof(own_pid), "%ld", (long)getpid());
	if (dup2(passed, LISTEN_FDS_START) < 0 ||
	    dup2(STDERR_FILENO, LISTEN_FDS_START + 1) < 0)
		return 1;
	(void)close(LISTEN_FDS_START + 2);
	if ((pid != NULL &&
		setenv("LISTEN_PID", *pid != '\0' ? pid : own_pid, 1) != 0) ||
	    (count != NULL && setenv("LISTEN_FDS", count, 1) != 0) ||
	    setenv("LISTEN_FDNAMES", "x", 1) != 0)
		return 2;
	sockets_inherit(&inherited);
	if (inherited.count != wanted)
		return 3;
	if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL ||
	    getenv("LISTEN_FDNAMES") != NULL)
		return 4;
	/* What is no socket is not for us to change. */
	if ((fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) != 0)
		return 10;
	if (wanted == 0)
		return inherited.list == NULL ? 0 : 5;
	if (inherited.list[0].fd != LISTEN_FDS_START ||
	    (fcntl(LISTEN_FDS_START, F_GETFD) & FD_CLOEXEC) == 0 ||
	    (fcntl(LISTEN_FDS_START, F_GETFL) & O_NONBLOCK) == 0)
		return 6;
	/* It is used where the configuration asks for its address. */
	config = parse(listeners, 1);
	if (sockets_open(&fresh, &inherited, config, &errors) != 0 ||
	    fresh.list[0].fd != LISTEN_FDS_START)
		return 7;
	sockets_close(&inherited, &fresh);
	if (!answers(LISTEN_FDS_START, address))
		return 8;
	sockets_close(&fresh, NULL);
	config_free(config);
	return is_open(LISTEN_FDS_START) ? 9 : 0;
}

static const struct {
	const char *pid; /* "": the right one; NULL: not set */
	const char *count;
	size_t wanted;
} managers[] = {
	{ "", "1", 1 },
	{ "", "2", 1 }, /* the second is no socket */
	{ "", "3", 1 }, /* the third is closed */
	{ "", "0", 0 },
	{ "", "-1", 0 },
	{ "", "1x", 0 },
	{ "", "9999", 0 },
	{ "", NULL, 0 },
	{ NULL, "1", 0 },
	{ NULL, NULL, 0 },
	{ "1", "1", 0 }, /* meant for another process */
	{ "x", "1", 0 },
};

static void
test_inherit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(managers) / sizeof(*managers); i++) {
		char text[ADDR_TEXT_BYTES];
		int fd = own_socket("127.0.0.1", true, text), status = 0;
		pid_t child;

		assert_true(fd >= 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(run_inherited(fd, text, managers[i].pid,
			    managers[i].count, managers[i].wanted));
		assert_int_equal(waitpid(child, &status, 0), child);
		(void)close(fd);
		if (status != 0)
			fail_msg("case %zu: check %d failed (%x)", i,
			    WEXITSTATUS(status), (unsigned)status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_inherit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
