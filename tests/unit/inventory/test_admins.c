#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/admins.h"
#include "scratch.h"

#define fill(field, text) (void)snprintf(field, sizeof(field), "%s", text)

struct fixture {
	char *folder, *path;
	struct admins *admins;
};

static int
set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct error err;

	fixture->folder = scratch_make();
	fixture->path = xasprintf("%s/" ADMINS_FILE, fixture->folder);
	fixture->admins = admins_open(fixture->path, false, &err);
	assert_non_null(fixture->admins);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	admins_close(fixture->admins);
	scratch_remove(fixture->folder);
	free(fixture->path);
	free(fixture);
	return 0;
}

static void
test_scopes(void **state)
{
	char text[ADMIN_SCOPES_BYTES];
	unsigned scopes = 99;
	struct error err;

	(void)state;
	assert_int_equal(admin_scopes_parse("read", &scopes, &err), 0);
	assert_int_equal(scopes, ADMIN_READ);
	assert_int_equal(admin_scopes_parse("metrics,read", &scopes, &err), 0);
	admin_scopes_format(scopes, text);
	assert_string_equal(text, "read,metrics");
	admin_scopes_format(admin_role_scopes(ROLE_ADMIN), text);
	assert_string_equal(text, "read,write,metrics,audit,accounts");
	assert_int_equal(admin_scopes_parse("", &scopes, &err), -1);
	assert_int_equal(admin_scopes_parse("read,", &scopes, &err), -1);
	assert_int_equal(admin_scopes_parse("reader", &scopes, &err), -1);
	assert_int_equal(admin_scopes_parse("rea", &scopes, &err), -1);
	assert_int_equal(scopes, ADMIN_READ | ADMIN_METRICS);
	/* What a viewer may do, all may. */
	for (int role = ROLE_VIEWER; role < ROLE_ADMIN; role++)
		assert_int_equal(admin_role_scopes((enum admin_role)role) &
			~admin_role_scopes((enum admin_role)(role + 1)),
		    0);
	assert_int_equal(admin_role_scopes(ROLE_VIEWER) & ADMIN_WRITE, 0);
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "", "a b", "a/b", "\xc3\xa4",
		"a\n" };
	char name[ADMINS_NAME_MAX + 2];
	struct error err;

	(void)state;
	assert_int_equal(admins_check_name("noc@example.net", &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(admins_check_name(bad[i], &err), -1);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(admins_check_name(name, &err), -1);
	assert_int_equal(admins_check_name(name + 1, &err), 0);
}

static void
test_tokens(void **state)
{
	struct fixture *fixture = *state;
	struct admin_token token = { .scopes = ADMIN_READ,
		.created_at = 5,
		.until = 9 },
			   found;
	struct admins *reader;
	uint8_t hash[32];
	struct error err;

	fill(token.name, "ci");
	fill(token.tenant, "berlin");
	admins_hash("secret", hash);
	assert_int_equal(admins_find_token(fixture->admins, hash, &found, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(admins_add_token(fixture->admins, &token, hash, &err),
	    0);
	/* A name is there once, and so is a secret. */
	assert_int_equal(admins_add_token(fixture->admins, &token, hash, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	reader = admins_open(fixture->path, true, &err);
	assert_non_null(reader);
	assert_int_equal(admins_find_token(reader, hash, &found, &err), 0);
	assert_string_equal(found.name, "ci");
	assert_string_equal(found.tenant, "berlin");
	assert_int_equal(found.scopes, ADMIN_READ);
	assert_int_equal(found.until, 9);
	admins_hash("secre", hash);
	assert_int_equal(admins_find_token(reader, hash, &found, &err), -1);
	assert_int_equal(admins_remove_token(fixture->admins, "ci", &err), 0);
	assert_int_equal(admins_remove_token(fixture->admins, "ci", &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	admins_hash("secret", hash);
	assert_int_equal(admins_find_token(reader, hash, &found, &err), -1);
	admins_close(reader);
}

static int
count(const struct admin_account *account, void *arg)
{
	(void)account;
	return ++*(int *)arg == 99;
}

static void
test_accounts(void **state)
{
	struct fixture *fixture = *state;
	struct admin_account account = { .role = ROLE_OPERATOR,
		.has_code = true,
		.code_until = 7,
		.created_at = 3 },
			     found;
	char code[ADMINS_CODE_BYTES];
	uint8_t hash[32];
	struct error err;
	int visited = 0;

	fill(account.name, "noc");
	assert_int_equal(admins_make_code(&account, 1800000000, code, &err), 0);
	assert_int_equal(strlen(code), sizeof(code) - 1);
	assert_int_equal(account.code_until, 1800000000 + 24 * 3600);
	admins_hash(code, hash);
	assert_memory_equal(hash, account.code, sizeof(hash));
	assert_int_equal(admins_put_account(fixture->admins, &account, &err),
	    0);
	assert_int_equal(admins_get_account(fixture->admins, "noc", &found,
			     &err),
	    0);
	assert_true(found.has_code);
	assert_memory_equal(found.code, account.code, sizeof(found.code));
	assert_int_equal(found.role, ROLE_OPERATOR);
	assert_string_equal(found.password, "");
	account.has_code = false;
	fill(account.password, "$y$x");
	assert_int_equal(admins_put_account(fixture->admins, &account, &err),
	    0);
	assert_int_equal(admins_get_account(fixture->admins, "noc", &found,
			     &err),
	    0);
	assert_false(found.has_code);
	assert_string_equal(found.password, "$y$x");
	assert_int_equal(admins_each_account(fixture->admins, count, &visited,
			     &err),
	    0);
	assert_int_equal(visited, 1);
	fill(account.name, "a b");
	assert_int_equal(admins_put_account(fixture->admins, &account, &err),
	    -1);
	assert_int_equal(admins_get_account(fixture->admins, "NOC", &found,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(admins_remove_account(fixture->admins, "noc", &err),
	    0);
	assert_int_equal(admins_get_account(fixture->admins, "noc", &found,
			     &err),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_accounts, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
