#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* The sanitizers replace malloc() and end the process in their own way. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC false
#else
#define OWN_MALLOC true
#endif

static void
test_sizes(void **state)
{
	char *p = xmalloc(0);
	uint64_t *numbers;

	(void)state;
	assert_non_null(p);
	p = xrealloc(p, 0);
	assert_non_null(p);
	p = xrealloc(p, 3);
	memcpy(p, "ab", 3);
	p = xrealloc(p, 1000);
	assert_string_equal(p, "ab");
	free(p);
	numbers = xcalloc(10, sizeof(*numbers));
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(numbers[i], 0);
	free(numbers);
	p = xcalloc(0, 0);
	assert_non_null(p);
	free(p);
}

static void
test_texts(void **state)
{
	char *p = xstrdup("");

	(void)state;
	assert_string_equal(p, "");
	free(p);
	p = xstrdup("word");
	assert_string_equal(p, "word");
	free(p);
	p = xstrndup("words", 4);
	assert_string_equal(p, "word");
	free(p);
	p = xstrndup("word", 100);
	assert_string_equal(p, "word");
	free(p);
	p = xasprintf("%d-%s", 5, "x");
	assert_string_equal(p, "5-x");
	free(p);
}

static void
run_out(size_t size)
{
	struct rlimit no_core = { 0, 0 };
	volatile size_t count = size;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(SIGABRT, SIG_DFL);
	free(xcalloc(count, 16));
	_exit(0); /* not reached */
}

static void
test_out_of_memory(void **state)
{
	char said[65536] = "";
	int status, fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		run_out(SIZE_MAX / 32);
	}
	(void)close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(read(fds[0], said, sizeof(said) - 1) > 0);
	(void)close(fds[0]);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (!OWN_MALLOC)
		return;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_string_equal(said, "sprov: out of memory\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
