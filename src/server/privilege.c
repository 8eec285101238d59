#include "server/privilege.h"
#include "base/log.h"
#include "server/config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#define DEFAULT_USER "sprov"

static int
find_user(const struct config *config, uid_t *uid, gid_t *gid,
    struct error *err)
{
	const char *name = config->user != NULL ? config->user : DEFAULT_USER;
	const struct passwd *user = getpwnam(name);
	const struct group *group;

	if (user == NULL && config->user == NULL)
		return error_set(err, ERROR_DENIED,
		    "started as root: make a user \"" DEFAULT_USER "\" or name "
		    "one with the directive \"user\"");
	if (user == NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "there is no user \"%s\"", name);
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	if (config->group == NULL)
		return 0;
	group = getgrnam(config->group);
	if (group == NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "there is no group \"%s\"", config->group);
	*gid = group->gr_gid;
	return 0;
}

static int
become(const struct config *config, uid_t uid, gid_t gid, struct error *err)
{
	const char *name = config->user != NULL ? config->user : DEFAULT_USER;

	if (initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return error_errno(err, "cannot become user \"%s\"", name);
	/* It must be for good. */
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return error_set(err, ERROR_SYSTEM,
		    "cannot give up root for good");
	return 0;
}

int
privilege_drop(const struct config *config, struct error *err)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_errno(err, "cannot forbid new privileges");
	if (geteuid() != 0 && config->user == NULL)
		return 0;
	if (find_user(config, &uid, &gid, err) != 0)
		return -1;
	if (geteuid() != 0) {
		if (geteuid() == uid)
			return 0;
		return error_set(err, ERROR_DENIED,
		    "cannot become user \"%s\": not started as root",
		    config->user);
	}
	if (uid == 0)
		log_message(LOG_LEVEL_WARN, "still-root",
		    "\"user root\": the server keeps all rights");
	return become(config, uid, gid, err);
}

void
privilege_raise_limits(const struct config *config)
{
	/* Besides connections: listeners, the store, loops and standard I/O. */
	rlim_t wanted = (rlim_t)config->connections_max + 256;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_message(LOG_LEVEL_WARN, "few-descriptors",
		    "only %llu file descriptors for %u connections: raise "
		    "LimitNOFILE",
		    (unsigned long long)limit.rlim_cur,
		    config->connections_max);
}
