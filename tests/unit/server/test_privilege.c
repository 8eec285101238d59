#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/privilege.h"

#define NOBODY "nobody"

/* What a child found; 0: all as it should be. */
enum finding {
	FINE,
	DROP_FAILED,
	DROP_SUCCEEDED,
	WRONG_KIND,
	WRONG_TEXT,
	WRONG_IDS,
	STILL_ROOT,
	EXTRA_GROUPS,
	NEW_PRIVILEGES,
	SETUP
};

struct wish {
	const char *user, *group; /* of the configuration; NULL: not named */
	enum error_kind kind;	  /* ERROR_NONE: it works */
	const char *says;
	const char *becomes, *becomes_group; /* who we are then */
};

static bool
has_ids(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	return getresuid(&r, &e, &s) == 0 && getresgid(&gr, &ge, &gs) == 0 &&
	    r == uid && e == uid && s == uid && gr == gid && ge == gid &&
	    gs == gid;
}

/* Is there a way back?  None of these may work. */
static bool
can_come_back(void)
{
	return setuid(0) == 0 || seteuid(0) == 0 || setreuid(0, 0) == 0 ||
	    setresuid(0, 0, 0) == 0 || setgid(0) == 0 || setegid(0) == 0 ||
	    setresgid(0, 0, 0) == 0 || setgroups(0, NULL) == 0;
}

static bool
has_group_of_root(void)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	for (int i = 0; i < n; i++)
		if (groups[i] == 0)
			return true;
	return n < 0;
}

static enum finding
try_drop(const struct wish *wish)
{
	struct config config = { 0 };
	const struct passwd *user;
	const struct group *group;
	struct error err = { 0 };
	uid_t uid;
	int rc;

	config.user = wish->user != NULL ? xstrdup(wish->user) : NULL;
	config.group = wish->group != NULL ? xstrdup(wish->group) : NULL;
	rc = privilege_drop(&config, &err);
	free(config.user);
	free(config.group);
	if (wish->kind != ERROR_NONE) {
		if (rc == 0)
			return DROP_SUCCEEDED;
		if (err.kind != wish->kind)
			return WRONG_KIND;
		return strstr(err.text, wish->says) != NULL ? FINE : WRONG_TEXT;
	}
	if (rc != 0)
		return DROP_FAILED;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return NEW_PRIVILEGES;
	user = getpwnam(wish->becomes);
	if (user == NULL)
		return SETUP;
	uid = user->pw_uid;
	group = wish->becomes_group != NULL ? getgrnam(wish->becomes_group) :
					      getgrgid(user->pw_gid);
	if (group == NULL)
		return SETUP;
	if (!has_ids(uid, group->gr_gid))
		return WRONG_IDS;
	if (uid == 0)
		return FINE;
	if (has_group_of_root())
		return EXTRA_GROUPS;
	return can_come_back() ? STILL_ROOT : FINE;
}

/* In a child: there is no way back, as it should be. */
static void
run(const struct wish *wishes, size_t count, const char *as)
{
	for (size_t i = 0; i < count; i++) {
		int status = 0;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			const struct passwd *user = as != NULL ? getpwnam(as) :
								 NULL;

			if (user != NULL &&
			    (setgid(user->pw_gid) != 0 ||
				setuid(user->pw_uid) != 0))
				_exit(SETUP);
			_exit((int)try_drop(&wishes[i]));
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (status != 0)
			fail_msg("user %s, group %s: finding %d (%x)",
			    wishes[i].user, wishes[i].group,
			    WEXITSTATUS(status), (unsigned)status);
	}
}

static void
test_as_root(void **state)
{
	static const struct wish wishes[] = {
		{ NOBODY, NULL, ERROR_NONE, NULL, NOBODY, NULL },
		{ NOBODY, "daemon", ERROR_NONE, NULL, NOBODY, "daemon" },
		{ "root", NULL, ERROR_NONE, NULL, "root", NULL },
		{ "root", "daemon", ERROR_NONE, NULL, "root", "daemon" },
		{ "no-such-user", NULL, ERROR_NOT_FOUND,
		    "there is no user \"no-such-user\"", NULL, NULL },
		{ "", NULL, ERROR_NOT_FOUND, "there is no user \"\"", NULL,
		    NULL },
		{ NOBODY, "no-such-group", ERROR_NOT_FOUND,
		    "there is no group \"no-such-group\"", NULL, NULL },
	};
	static const struct wish unnamed[] = {
		{ NULL, NULL, ERROR_DENIED, "make a user \"sprov\"", NULL,
		    NULL },
	};
	static const struct wish unnamed_here[] = {
		{ NULL, NULL, ERROR_NONE, NULL, "sprov", NULL },
	};

	(void)state;
	if (geteuid() != 0 || getpwnam(NOBODY) == NULL)
		return; /* cannot be tried here */
	run(wishes, sizeof(wishes) / sizeof(*wishes), NULL);
	run(getpwnam("sprov") == NULL ? unnamed : unnamed_here, 1, NULL);
}

static void
test_not_root(void **state)
{
	static const struct wish wishes[] = {
		{ NULL, NULL, ERROR_NONE, NULL, NOBODY, NULL },
		{ NOBODY, NULL, ERROR_NONE, NULL, NOBODY, NULL },
		{ "root", NULL, ERROR_DENIED,
		    "cannot become user \"root\": "
		    "not started as root",
		    NULL, NULL },
		{ "daemon", NULL, ERROR_DENIED,
		    "cannot become user "
		    "\"daemon\"",
		    NULL, NULL },
		{ "no-such-user", NULL, ERROR_NOT_FOUND,
		    "there is no user \"no-such-user\"", NULL, NULL },
	};

	(void)state;
	if (geteuid() != 0 || getpwnam(NOBODY) == NULL)
		return; /* cannot be tried here */
	run(wishes, sizeof(wishes) / sizeof(*wishes), NOBODY);
}

/* The same for whoever runs this. */
static void
test_as_we_are(void **state)
{
	static const struct wish other[] = {
		{ "root", NULL, ERROR_DENIED, "not started as root", NULL,
		    NULL },
	};
	const struct passwd *user = getpwuid(geteuid());
	struct wish own = { 0 };

	(void)state;
	if (geteuid() == 0 || user == NULL)
		return; /* cannot be tried here */
	run(other, 1, NULL);
	own.user = xstrdup(user->pw_name);
	own.becomes = own.user;
	run(&own, 1, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_root),
		cmocka_unit_test(test_not_root),
		cmocka_unit_test(test_as_we_are),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
