#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../../lib/certs.h"
#include "base/file.h"
#include "pki/certdir.h"

#define PAIRS 12

/* Certificates "0.example.net" ... with a key each. */
static EVP_PKEY *keys[PAIRS];
static X509 *certs[PAIRS];

static int
setup(void **state)
{
	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		char *host = xasprintf("%d.example.net", i);

		keys[i] = test_key(1024);
		certs[i] = test_mint(host,
		    (struct mint_request) { .key = keys[i] });
		free(host);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		X509_free(certs[i]);
		EVP_PKEY_free(keys[i]);
	}
	return 0;
}

static int
install(const char *folder, int pair, struct error *err)
{
	return certdir_install(folder, "csb", &certs[pair], 1, keys[pair], err);
}

/* Which pair stands at that number?  The key has to be its own; -1: none. */
static int
pair_at(const char *folder, unsigned which)
{
	char *path = certdir_certificate_path(folder, "csb", which);
	char *key_path = certdir_key_path(folder, "csb", which);
	struct error err;
	struct chain *chain = chain_load(path, key_path, &err);
	int found = -1;

	for (int i = 0; chain != NULL && i < PAIRS; i++)
		if (X509_cmp(chain_certificate(chain, 0), certs[i]) == 0)
			found = i;
	chain_free(chain);
	free(path);
	free(key_path);
	return found;
}

static void
assert_pairs(const char *folder, const char *wanted)
{
	char found[CERTDIR_KEPT_MAX + 3] = "";
	size_t n = 0;

	for (unsigned i = 0; i <= CERTDIR_KEPT_MAX + 1; i++) {
		int pair = pair_at(folder, i);

		if (pair < 0)
			break;
		found[n++] = (char)('a' + pair);
	}
	assert_string_equal(found, wanted);
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} table[] = {
		{ "csb", true },
		{ "prov.example.net", true },
		{ "a-b_c.9", true },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ ".hidden", false },
		{ "-x", false },
		{ "a/b", false },
		{ "../a", false },
		{ "CSB", false },
		{ "a b", false },
		{ "a\n", false },
		{ "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbb"
		  "aaaaaaaaaabbbbbbbbbb1234",
		    true },
		{ "aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbb"
		  "aaaaaaaaaabbbbbbbbbb12345",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct error err;
		char *folder = NULL;

		assert_int_equal(certdir_check_name(table[i].name, &err),
		    table[i].good ? 0 : -1);
		if (table[i].good)
			continue;
		assert_int_equal(err.kind, ERROR_INPUT);
		folder = test_folder();
		assert_int_equal(certdir_install(folder, table[i].name, certs,
				     1, keys[0], &err),
		    -1);
		assert_int_equal(certdir_rollback(folder, table[i].name, 1,
				     &err),
		    -1);
		test_remove_folder(folder);
	}
}

static void
test_install_and_rollback(void **state)
{
	char *parent = test_folder();
	char *folder = file_join(parent, "certificates");
	struct error err;

	(void)state;
	assert_int_equal(certdir_kept(folder, "csb"), 0);
	assert_int_equal(certdir_rollback(folder, "csb", 1, &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(install(folder, 0, &err), 0);
	assert_pairs(folder, "a");
	assert_int_equal(certdir_rollback(folder, "csb", 1, &err), -1);
	assert_non_null(strstr(err.text, "nothing to go back to"));
	assert_int_equal(certdir_rollback(folder, "xyz", 1, &err), -1);
	assert_non_null(strstr(err.text, "holds no certificate xyz"));
	assert_int_equal(install(folder, 1, &err), 0);
	assert_int_equal(install(folder, 2, &err), 0);
	assert_pairs(folder, "cba");
	assert_int_equal(certdir_kept(folder, "csb"), 2);
	assert_int_equal(certdir_rollback(folder, "csb", 0, &err), -1);
	assert_int_equal(certdir_rollback(folder, "csb", 3, &err), -1);
	assert_non_null(strstr(err.text,
	    "no certificate 3 before csb: "
	    "wanted 1 to 2"));
	assert_pairs(folder, "cba");
	/* There and back again. */
	assert_int_equal(certdir_rollback(folder, "csb", 1, &err), 0);
	assert_pairs(folder, "bca");
	assert_int_equal(certdir_rollback(folder, "csb", 1, &err), 0);
	assert_pairs(folder, "cba");
	assert_int_equal(certdir_rollback(folder, "csb", 2, &err), 0);
	assert_pairs(folder, "acb");
	free(folder);
	test_remove_folder(parent);
}

/* Nine are kept; then the oldest one goes. */
static void
test_limit(void **state)
{
	char *folder = test_folder();
	struct error err;

	(void)state;
	for (int i = 0; i < PAIRS; i++)
		assert_int_equal(install(folder, i, &err), 0);
	assert_pairs(folder, "lkjihgfedc");
	assert_int_equal(certdir_kept(folder, "csb"), CERTDIR_KEPT_MAX);
	assert_int_equal(certdir_rollback(folder, "csb", 9, &err), 0);
	assert_pairs(folder, "clkjihgfed");
	test_remove_folder(folder);
}

static mode_t
mode_of(const char *folder, const char *name)
{
	char *path = file_join(folder, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	free(path);
	return st.st_mode & 07777;
}

static void
test_modes(void **state)
{
	char *parent = test_folder();
	char *folder = file_join(parent, "certificates");
	char *key_path = certdir_key_path(folder, "csb", 0);
	struct stat st;
	struct error err;

	(void)state;
	assert_int_equal(install(folder, 0, &err), 0);
	assert_int_equal(mode_of(parent, "certificates"), 0750);
	assert_int_equal(mode_of(folder, "csb.key"), 0600);
	assert_int_equal(mode_of(folder, "csb.crt"), 0644);
	/* The next key is for whom the last one was. */
	assert_int_equal(chmod(key_path, 0640), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(key_path, 1234, 2345), 0);
	assert_int_equal(install(folder, 1, &err), 0);
	assert_int_equal(mode_of(folder, "csb.key"), 0640);
	assert_int_equal(stat(key_path, &st), 0);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 1234);
		assert_int_equal(st.st_gid, 2345);
		/* A first key is for the folder's owner. */
		assert_int_equal(chown(folder, 3456, 3456), 0);
		assert_int_equal(certdir_install(folder, "new", certs, 1,
				     keys[0], &err),
		    0);
		free(key_path);
		key_path = certdir_key_path(folder, "new", 0);
		assert_int_equal(stat(key_path, &st), 0);
		assert_int_equal(st.st_uid, 3456);
		assert_int_equal(mode_of(folder, "new.key"), 0600);
	}
	free(key_path);
	free(folder);
	test_remove_folder(parent);
}

/* A disk that is full in the middle: all is as it was. */
static void
test_undo(void **state)
{
	char *folder = test_folder();
	X509 *many[40];
	struct rlimit old, small;
	struct error err;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		many[i] = certs[3];
	assert_int_equal(install(folder, 0, &err), 0);
	assert_int_equal(install(folder, 1, &err), 0);
	assert_int_equal(install(folder, 2, &err), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(certdir_install(folder, "csb", many, 40, keys[3],
			     &err),
	    -1);
	assert_int_equal(certdir_install(folder, "new", many, 40, keys[3],
			     &err),
	    -1);
	/* Not even the key fits. */
	small.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(install(folder, 3, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_pairs(folder, "cba");
	/* No remains: three pairs, and nothing of "new". */
	{
		char *command = xasprintf("test $(ls -A %s | wc -l) -eq 6",
		    folder);

		assert_int_equal(system(command), 0);
		free(command);
	}
	test_remove_folder(folder);
}

static void
remove_file(const char *folder, const char *name)
{
	char *path = file_join(folder, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

/* Halves of pairs are nobody's rollback, and in nobody's way. */
static void
test_halves(void **state)
{
	char *folder = test_folder();
	struct error err;

	(void)state;
	assert_int_equal(install(folder, 0, &err), 0);
	assert_int_equal(install(folder, 1, &err), 0);
	remove_file(folder, "csb.key.1");
	assert_int_equal(certdir_rollback(folder, "csb", 1, &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "one is gone"));
	assert_int_equal(install(folder, 2, &err), 0);
	assert_int_equal(certdir_kept(folder, "csb"), 2);
	assert_int_equal(certdir_rollback(folder, "csb", 1, &err), 0);
	assert_int_equal(pair_at(folder, 0), 1);
	assert_int_equal(pair_at(folder, 1), 2);
	/* Without a key there is still a certificate to keep. */
	remove_file(folder, "csb.key");
	assert_int_equal(install(folder, 3, &err), 0);
	assert_int_equal(pair_at(folder, 0), 3);
	assert_int_equal(certdir_kept(folder, "csb"), 3);
	test_remove_folder(folder);
}

static void
test_lock(void **state)
{
	char *folder = test_folder();
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	struct error err;

	(void)state;
	assert_int_equal(install(folder, 0, &err), 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(install(folder, 1, &err), -1);
	assert_non_null(strstr(err.text, "another process"));
	assert_int_equal(certdir_rollback(folder, "csb", 1, &err), -1);
	(void)close(fd);
	assert_int_equal(install(folder, 1, &err), 0);
	assert_pairs(folder, "ba");
	test_remove_folder(folder);
}

static void
test_bad_places(void **state)
{
	char *folder = test_folder();
	char *nowhere = file_join(folder, "a/b");
	char *file = file_join(folder, "file");
	char *blocked = file_join(folder, "csb.crt");
	char **names;
	size_t count;
	struct error err;

	(void)state;
	test_write(file, "x", 1);
	assert_int_equal(install(nowhere, 0, &err), -1);
	assert_int_equal(install(file, 0, &err), -1);
	assert_int_equal(certdir_rollback(nowhere, "csb", 1, &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(certdir_names(file, &names, &count, &err), -1);
	/* A folder in the place of a file. */
	assert_int_equal(mkdir(blocked, 0700), 0);
	assert_int_equal(install(folder, 0, &err), -1);
	assert_non_null(strstr(err.text, "csb.crt"));
	free(nowhere);
	free(file);
	free(blocked);
	test_remove_folder(folder);
}

static void
test_list(void **state)
{
	static const char *const others[] = { "a.key", "csb.crt.1", ".crt",
		".x.crt", "UPPER.crt", "a.crt.XXXXXX", "a.crtx" };
	char *folder = test_folder();
	char *missing = file_join(folder, "missing");
	char **names;
	size_t count;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		char *path = file_join(folder, others[i]);

		test_write(path, "", 0);
		free(path);
	}
	assert_int_equal(certdir_names(missing, &names, &count, &err), 0);
	assert_int_equal(count, 0);
	certdir_names_free(names, count);
	assert_int_equal(certdir_names(folder, &names, &count, &err), 0);
	assert_int_equal(count, 0);
	certdir_names_free(names, count);
	assert_int_equal(certdir_install(folder, "sipura", certs, 1, keys[0],
			     &err),
	    0);
	assert_int_equal(install(folder, 0, &err), 0);
	assert_int_equal(certdir_names(folder, &names, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "csb");
	assert_string_equal(names[1], "sipura");
	certdir_names_free(names, count);
	free(missing);
	test_remove_folder(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_install_and_rollback),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_bad_places),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
