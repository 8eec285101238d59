#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

/* Each test has a folder of its own, which is gone afterwards. */
static int
make_folder(void **state)
{
	char *folder = xstrdup("/tmp/sprov-file-XXXXXX");

	*state = folder;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	char *folder = *state;
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *path = file_join(folder, entry->d_name);

		if (entry->d_name[0] != '.' && remove(path) != 0)
			perror(path);
		free(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
	if (rmdir(folder) != 0)
		return -1;
	free(folder);
	return 0;
}

static size_t
count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2; /* "." and ".." */
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
assert_holds(const char *path, const char *text)
{
	struct error err;
	char *data;
	size_t len;

	assert_int_equal(file_read(path, 100, &data, &len, &err), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(data, text);
	free(data);
}

/* The read fails with kind and "PATHsuffix". */
static void
assert_unreadable(const char *path, size_t max, enum error_kind kind,
    const char *suffix)
{
	char *expected = xasprintf("%s%s", path, suffix);
	char *data = NULL;
	struct error err;
	size_t len = 42;

	assert_int_equal(file_read(path, max, &data, &len, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.text, expected);
	assert_null(data);
	assert_int_equal(len, 42);
	free(expected);
}

static void
test_read(void **state)
{
	char *path = file_join(*state, "file");
	char *below = file_join(path, "below");
	struct error err;
	char *data;
	size_t len;

	assert_int_equal(file_create(path, 0600, "a\0b", 3, &err), 0);
	assert_int_equal(file_read(path, 3, &data, &len, &err), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b\0", 4);
	free(data);
	assert_unreadable(path, 2, ERROR_INPUT,
	    ": 3 bytes long, at most 2 are allowed");
	assert_unreadable(below, 10, ERROR_NOT_FOUND, ": Not a directory");
	assert_int_equal(unlink(path), 0);
	assert_unreadable(path, 3, ERROR_NOT_FOUND,
	    ": No such file or directory");
	assert_int_equal(file_create(path, 0600, NULL, 0, &err), 0);
	assert_holds(path, "");
	free(below);
	free(path);
}

static void
test_read_no_file(void **state)
{
	char *path = file_join(*state, "fifo");

	assert_unreadable(*state, 10, ERROR_INPUT, ": not a file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_unreadable(path, 10, ERROR_INPUT, ": not a file");
	assert_unreadable("/dev/null", 10, ERROR_INPUT, ": not a file");
	free(path);
}

static void
test_read_denied(void **state)
{
	char *path = file_join(*state, "secret");
	struct error err;

	assert_int_equal(file_create(path, 0, "x", 1, &err), 0);
	if (geteuid() != 0) {
		assert_unreadable(path, 10, ERROR_SYSTEM,
		    ": Permission denied");
	} else if (seteuid(65534) == 0) {
		/* The folder is root's own: it is refused there already. */
		assert_unreadable(path, 10, ERROR_SYSTEM,
		    ": Permission denied");
		assert_int_equal(seteuid(0), 0);
	}
	free(path);
}

static void
test_create(void **state)
{
	char *path = file_join(*state, "file");
	char *missing = file_join(*state, "none/file");
	mode_t old = umask(0077);
	struct error err;

	assert_int_equal(file_create(path, 0644, "one", 3, &err), 0);
	assert_int_equal(mode_of(path), 0644);
	assert_int_equal(file_create(path, 0600, "two", 3, &err), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_non_null(strstr(err.text, "/file: File exists"));
	assert_holds(path, "one");
	assert_int_equal(mode_of(path), 0644);
	assert_int_equal(file_create(missing, 0600, "x", 1, &err), -1);
	assert_non_null(strstr(err.text, "/none/file: No such file"));
	(void)umask(old);
	free(missing);
	free(path);
}

typedef int replacing(const char *path, mode_t mode, const void *data,
    size_t len, struct error *err);

static void
try_replace(void **state, replacing *replace)
{
	char *path = file_join(*state, "file");
	char *missing = file_join(*state, "none/file");
	struct error err;

	assert_int_equal(replace(path, 0600, "one", 3, &err), 0);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(replace(path, 0644, "two", 3, &err), 0);
	assert_int_equal(mode_of(path), 0644);
	assert_holds(path, "two");
	assert_int_equal(count_entries(*state), 1);

	assert_int_equal(replace(missing, 0600, "x", 1, &err), -1);
	assert_non_null(strstr(err.text, "/none/file: No such file"));
	/* A folder cannot be replaced by a file; nothing is left behind. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(replace(path, 0600, "x", 1, &err), -1);
	assert_non_null(strstr(err.text, "/file: Is a directory"));
	assert_int_equal(count_entries(*state), 1);
	free(missing);
	free(path);
}

static void
test_replace(void **state)
{
	try_replace(state, file_replace);
}

static void
test_replace_lazily(void **state)
{
	try_replace(state, file_replace_lazily);
}

/* A full disk, as far as a limit on the size of files can play one. */
static void
test_full(void **state)
{
	struct rlimit old, none;
	char *path = file_join(*state, "file");
	char big[4096] = "";
	struct error err;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = old;
	none.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(file_create(path, 0600, big, sizeof(big), &err), -1);
	assert_int_equal(count_entries(*state), 0);
	assert_int_equal(file_replace(path, 0600, big, sizeof(big), &err), -1);
	assert_int_equal(count_entries(*state), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	assert_non_null(strstr(err.text, "/file: File too large"));
	free(path);
}

static void
test_make_directory(void **state)
{
	char *path = file_join(*state, "folder");
	char *file = file_join(*state, "file");
	struct error err;

	assert_int_equal(file_make_directory(path, 0700, &err), 0);
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(file_make_directory(path, 0755, &err), 0);
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(file_create(file, 0600, "", 0, &err), 0);
	assert_int_equal(file_make_directory(file, 0700, &err), -1);
	assert_non_null(strstr(err.text, "/file: File exists"));
	free(file);
	free(path);
}

static const struct {
	const char *path, *directory;
} directories[] = {
	{ "/etc/sprov/sprov.conf", "/etc/sprov" },
	{ "/sprov.conf", "/" },
	{ "//sprov.conf", "/" },
	{ "sprov.conf", "." },
	{ "./sprov.conf", "." },
	{ "../sprov.conf", ".." },
	{ "a/b", "a" },
	{ "a//b", "a" },
	{ "a/b/", "a" },
	{ "a/b//", "a" },
	{ "a/", "." },
	{ "/", "/" },
	{ "///", "/" },
	{ "", "." },
};

static const struct {
	const char *base, *name, *joined;
} joins[] = {
	{ "/etc", "x", "/etc/x" },
	{ "/", "x", "/x" },
	{ "etc/", "x", "etc/x" },
	{ ".", "x", "./x" },
	{ "/etc", "/x", "/x" },
	{ NULL, "x", "x" },
};

static void
test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories);
	     i++) {
		char *directory = file_directory(directories[i].path);

		assert_string_equal(directory, directories[i].directory);
		free(directory);
	}
	for (size_t i = 0; i < sizeof(joins) / sizeof(*joins); i++) {
		char *joined = file_join(joins[i].base, joins[i].name);

		assert_string_equal(joined, joins[i].joined);
		free(joined);
	}
}

#define WITH_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_read),
		WITH_FOLDER(test_read_no_file),
		WITH_FOLDER(test_read_denied),
		WITH_FOLDER(test_create),
		WITH_FOLDER(test_replace),
		WITH_FOLDER(test_replace_lazily),
		WITH_FOLDER(test_full),
		WITH_FOLDER(test_make_directory),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
