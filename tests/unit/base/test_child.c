#include "base/child.h"
#include "base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char sh[] = "sh", dash_c[] = "-c", variable[] = "PATH=/usr/bin:/bin";

/* Run a script; what it may not be is said by the parts that are given. */
static int
run(const char *script, const struct child *parts, struct child_result *result,
    struct error *err)
{
	char text[256];
	char *const argv[] = { sh, dash_c, text, NULL };
	char *const environment[] = { variable, NULL };
	struct child child = *parts;

	(void)strncpy(text, script, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	child.path = "/bin/sh";
	child.argv = argv;
	child.environment = environment;
	if (child.output_max == 0)
		child.output_max = 1000;
	if (child.timeout_ms == 0)
		child.timeout_ms = 20000;
	return child_run(&child, result, err);
}

static const struct child plain = { .cancel_fd = -1 };

static void
test_good(void **state)
{
	static char input[300000];
	struct child_result result;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(run("echo out; echo first >&2; echo second >&2; exit "
			     "3",
			     &plain, &result, &err),
	    0);
	assert_int_equal(result.status, 3);
	assert_string_equal(result.output, "out\n");
	assert_string_equal(result.complaint, "first");
	free(result.output);
	/* More than a pipe holds, there and back. */
	memset(input, 'x', sizeof(input));
	assert_int_equal(run("cat",
			     &(const struct child) { .input = input,
				 .input_len = sizeof(input),
				 .output_max = sizeof(input),
				 .cancel_fd = -1 },
			     &result, &err),
	    0);
	assert_int_equal(result.output_len, sizeof(input));
	free(result.output);
	/* Who does not read it is as good. */
	assert_int_equal(run("exit 0",
			     &(const struct child) { .input = input,
				 .input_len = sizeof(input),
				 .cancel_fd = -1 },
			     &result, &err),
	    0);
	assert_int_equal(result.status, 0);
	assert_string_equal(result.output, "");
	free(result.output);
	assert_int_equal(run("kill -9 $$", &plain, &result, &err), 0);
	assert_int_equal(result.status, 128 + 9);
	free(result.output);
}

/* Signals that we ignore are not ignored there, and nothing of ours is open. */
static void
test_clean(void **state)
{
	struct child_result result;
	struct error err = { 0 };
	int leak = dup(0);

	(void)state;
	assert_true(leak > 2);
	assert_int_equal(run("for i in 3 4 5 6 7 8 9 10 11 12 13 14 15; do "
			     "[ ! -e /proc/$$/fd/$i ] || echo open $i; done; "
			     "kill -PIPE $$; echo ignored",
			     &plain, &result, &err),
	    0);
	assert_string_equal(result.output, "");
	assert_int_equal(result.status, 128 + SIGPIPE);
	free(result.output);
	(void)close(leak);
}

static void
test_bad(void **state)
{
	struct child_result result;
	struct error err = { 0 };
	char *const none[] = { sh, NULL };
	uint64_t one = 1, before;
	int cancel = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_int_equal(child_run(&(const struct child) { .path = "/nowhere",
				       .argv = none,
				       .environment = none + 1,
				       .timeout_ms = 1000,
				       .cancel_fd = -1 },
			     &result, &err),
	    -1);
	assert_non_null(strstr(err.text, "cannot run /nowhere"));
	assert_int_equal(run("yes", &plain, &result, &err), -1);
	assert_string_equal(err.text, "it said more than 1000 bytes");
	before = clock_monotonic_ms();
	/* What it started holds its outputs, and goes with it. */
	assert_int_equal(run("sleep 1000 & sleep 1000",
			     &(const struct child) {
				 .timeout_ms = 100, .cancel_fd = -1 },
			     &result, &err),
	    -1);
	assert_string_equal(err.text, "it took longer than 100 ms");
	/* Nothing is open any more, and it goes on. */
	assert_int_equal(run("exec >/dev/null 2>&1; exec sleep 1000",
			     &(const struct child) {
				 .timeout_ms = 100, .cancel_fd = -1 },
			     &result, &err),
	    0);
	assert_int_equal(result.status, 128 + 9);
	free(result.output);
	assert_int_equal(write(cancel, &one, sizeof(one)), sizeof(one));
	assert_int_equal(run("sleep 1000",
			     &(const struct child) { .cancel_fd = cancel },
			     &result, &err),
	    -1);
	assert_string_equal(err.text, "it was not waited for");
	assert_true(clock_monotonic_ms() - before < 20000);
	(void)close(cancel);
}

/* A kill goes to the whole group: nobody has its pipe open then. */
static void
test_group(void **state)
{
	char script[100], byte;
	struct child_result result;
	struct error err = { 0 };
	char name[] = "/tmp/sprov-child-XXXXXX";
	char fifo[sizeof(name) + 2];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(name));
	(void)snprintf(fifo, sizeof(fifo), "%s/f", name);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	/* One in the background holds the pipe and no output. */
	(void)snprintf(script, sizeof(script),
	    "exec 9>%s; sleep 1000 >/dev/null 2>&1 & yes", fifo);
	assert_int_equal(run(script, &plain, &result, &err), -1);
	assert_null(result.output);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(read(fd, &byte, 1), 0);
	(void)close(fd);
	(void)unlink(fifo);
	(void)rmdir(name);
}

/* The environment that is given and no other, and less priority. */
static void
test_surroundings(void **state)
{
	struct child_result result;
	struct error err = { 0 };
	int there;

	(void)state;
	assert_int_equal(setenv("SPROV_OURS", "secret", 1), 0);
	/* The input ends after the priority is set. */
	assert_int_equal(run("cat; echo \"$SPROV_OURS,$PATH\"; "
			     "cut -d' ' -f19 /proc/$$/stat",
			     &plain, &result, &err),
	    0);
	(void)unsetenv("SPROV_OURS");
	assert_ptr_equal(strstr(result.output, ",/usr/bin:/bin\n"),
	    result.output);
	there = atoi(strchr(result.output, '\n') + 1);
	assert_true(there == 19 ||
	    there == getpriority(PRIO_PROCESS, 0) + CHILD_NICENESS);
	free(result.output);
}

/* Nobody knows how it ended: that is not taken for well. */
static void
test_unknown_end(void **state)
{
	struct child_result result;
	struct error err = { 0 };

	(void)state;
	(void)signal(SIGCHLD, SIG_IGN);
	assert_int_equal(run("exit 0", &plain, &result, &err), -1);
	(void)signal(SIGCHLD, SIG_DFL);
	assert_non_null(strstr(err.text, "how it ended is not known"));
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_null(result.output);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_unknown_end),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
