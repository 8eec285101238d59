#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../lib/certs.h"
#include "server/notify.h"

/* The manager's end; name as in NOTIFY_SOCKET. */
static int
listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(len < sizeof(address.sun_path));
	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un,
					     sun_path) +
				 len)),
	    0);
	return fd;
}

static void
check_received(int fd, const char *wanted)
{
	char got[256];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	if (wanted == NULL) {
		assert_int_equal(n, -1);
		return;
	}
	assert_int_equal(n, strlen(wanted));
	got[n] = '\0';
	assert_string_equal(got, wanted);
}

static void
test_path(void **state)
{
	char *folder = test_folder();
	char *path = xasprintf("%s/notify", folder);
	int fd = listen_at(path);

	(void)state;
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_manager("READY=1");
	notify_manager("RELOADING=1\nMONOTONIC_USEC=12");
	check_received(fd, "READY=1");
	check_received(fd, "RELOADING=1\nMONOTONIC_USEC=12");
	check_received(fd, NULL);
	(void)close(fd);
	/* The manager is gone, and so is its socket. */
	notify_manager("READY=1");
	test_remove_folder(folder);
	notify_manager("STOPPING=1");
	free(path);
}

static void
test_abstract(void **state)
{
	char name[64];
	int fd;

	(void)state;
	(void)snprintf(name, sizeof(name), "@sprov-test-%ld", (long)getpid());
	fd = listen_at(name);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	notify_manager("READY=1");
	check_received(fd, "READY=1");
	(void)close(fd);
}

/* What names no socket is left alone. */
static void
test_none(void **state)
{
	char long_name[200];

	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	notify_manager("READY=1");
	assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
	notify_manager("READY=1");
	assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
	notify_manager("READY=1");
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[0] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", long_name, 1), 0);
	notify_manager("READY=1");
}

/* No descriptor stays open. */
static void
test_no_leak(void **state)
{
	int before = dup(STDERR_FILENO), after;

	(void)state;
	(void)close(before);
	assert_int_equal(setenv("NOTIFY_SOCKET", "@sprov-test-nobody", 1), 0);
	for (int i = 0; i < 8; i++)
		notify_manager("READY=1");
	after = dup(STDERR_FILENO);
	(void)close(after);
	assert_int_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_abstract),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_no_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
