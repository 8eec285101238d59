#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "inventory/grants.h"

#define NOW 1800000000

struct fixture {
	char folder[32];
	char *path;
	struct admins *admins;
};

static int
set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct error err;

	memcpy(fixture->folder, "/tmp/sprov-grants-XXXXXX",
	    sizeof("/tmp/sprov-grants-XXXXXX"));
	if (mkdtemp(fixture->folder) == NULL)
		return -1;
	fixture->path = xasprintf("%s/admin.db", fixture->folder);
	fixture->admins = admins_open(fixture->path, false, &err);
	*state = fixture;
	return fixture->admins != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	struct fixture *fixture = *state;

	admins_close(fixture->admins);
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		char *name = xasprintf("%s%s", fixture->path, endings[i]);

		(void)unlink(name);
		free(name);
	}
	(void)rmdir(fixture->folder);
	free(fixture->path);
	free(fixture);
	return 0;
}

static struct admin_account
add(struct fixture *fixture, const char *name, const char *role,
    const char *group)
{
	char code[ADMINS_CODE_BYTES];
	struct admin_account account;
	struct error err;

	assert_int_equal(grants_read_account(&account, name, role, group, NOW,
			     &err),
	    0);
	assert_int_equal(grants_add_account(fixture->admins, &account, NOW,
			     code, &err),
	    0);
	return account;
}

static void
test_scopes(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(grants_check_scopes(ADMIN_READ,
			     ADMIN_READ | ADMIN_WRITE, &err),
	    0);
	assert_int_equal(grants_check_scopes(0, 0, &err), 0);
	assert_int_equal(grants_check_scopes(ADMIN_READ | ADMIN_AUDIT,
			     ADMIN_READ | ADMIN_WRITE, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_non_null(strstr(err.text, "himself: audit"));
}

static void
test_last(void **state)
{
	struct fixture *fixture = *state;
	struct admin_account one, other, viewer;
	struct error err;

	one = add(fixture, "one", "admin", "");
	viewer = add(fixture, "viewer", "viewer", "");
	(void)add(fixture, "east", "admin", "east");
	(void)add(fixture, "operator", "operator", "");
	assert_int_equal(grants_check_last(fixture->admins, &viewer, NOW, &err),
	    0);
	assert_int_equal(grants_check_last(fixture->admins, &one, NOW, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	other = add(fixture, "other", "admin", "");
	assert_int_equal(grants_check_last(fixture->admins, &one, NOW, &err),
	    0);
	/* Whose code has ended can let nobody in, himself included. */
	assert_int_equal(grants_check_last(fixture->admins, &one, NOW + 86400,
			     &err),
	    -1);
	memcpy(other.password, "$y$", sizeof("$y$"));
	other.has_code = false;
	assert_int_equal(admins_put_account(fixture->admins, &other, &err), 0);
	assert_int_equal(grants_check_last(fixture->admins, &one, NOW + 86400,
			     &err),
	    0);
	assert_string_equal(grants_login_state(&other, NOW), "password");
	assert_string_equal(grants_login_state(&one, NOW), "code");
	assert_string_equal(grants_login_state(&one, NOW + 86400),
	    "code ended");
}

static void
test_add_twice(void **state)
{
	struct fixture *fixture = *state;
	char first[ADMINS_CODE_BYTES], code[ADMINS_CODE_BYTES];
	struct admin_account account = add(fixture, "one", "viewer", "");
	struct error err;

	assert_int_equal(grants_add_account(fixture->admins, &account, NOW,
			     code, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	memcpy(account.password, "$y$", sizeof("$y$"));
	assert_int_equal(grants_reset_account(fixture->admins, &account, NOW,
			     first, &err),
	    0);
	assert_string_equal(account.password, "");
	assert_int_equal(grants_reset_account(fixture->admins, &account, NOW,
			     code, &err),
	    0);
	assert_string_not_equal(first, code);
}

static void
test_token(void **state)
{
	struct fixture *fixture = *state;
	char text[GRANTS_TOKEN_BYTES];
	struct admin_token token, found;
	uint8_t hash[32];
	struct error err;

	assert_int_equal(grants_read_token(&token, "ci", "read", "",
			     GRANTS_DAYS_MAX + 1, NOW, &err),
	    -1);
	assert_int_equal(grants_read_token(&token, "ci", "read", "east", 2, NOW,
			     &err),
	    0);
	assert_int_equal(token.until, NOW + 2 * 86400);
	assert_int_equal(grants_add_token(fixture->admins, &token, text, &err),
	    0);
	assert_int_equal(strlen(text), GRANTS_TOKEN_BYTES - 1);
	admins_hash(text, hash);
	assert_int_equal(admins_find_token(fixture->admins, hash, &found, &err),
	    0);
	assert_string_equal(found.name, "ci");
	assert_int_equal(admins_get_token(fixture->admins, "ci", &found, &err),
	    0);
	assert_string_equal(found.tenant, "east");
	assert_int_equal(admins_get_token(fixture->admins, "no", &found, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(grants_add_token(fixture->admins, &token, text, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	/* What nobody may show is not left behind. */
	assert_string_equal(text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes),
		cmocka_unit_test_setup_teardown(test_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_add_twice, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_token, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
