#include "lab/daemon.h"
#include "base/addr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "lab/lab.h"
#include "spa/identify.h"
#include "spa/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT_MS 30000
#define STOP_TIMEOUT_MS 20000
#define LOG_MAX (256UL * 1024 * 1024)

extern char **environ;

/*
 * A free port, kept.  While a socket is bound to it that does not listen, the
 * kernel gives the port to nobody who asks for any, and to no outgoing
 * connection; the server may still bind it, as it too sets SO_REUSEADDR.
 */
static int
reserve_port(uint16_t *port, struct error *err)
{
	static const int one = 1;
	struct addr any, bound = { .len = sizeof(bound.sockaddr) };
	int fd;

	if (addr_parse_host(&any, "127.0.0.1", 0, err) != 0)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&any.sockaddr, any.len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound.sockaddr, &bound.len) !=
		0) {
		(void)error_errno(err, "cannot find a free port");
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	*port = addr_port(&bound);
	return fd;
}

static int
reserve_ports(struct lab_daemon *daemon, bool admin, struct error *err)
{
	daemon->port = xcalloc(registry_ca_count, sizeof(*daemon->port));
	daemon->reserved = xcalloc(registry_ca_count,
	    sizeof(*daemon->reserved));
	daemon->admin_reserved = -1;
	for (size_t i = 0; i < registry_ca_count; i++)
		daemon->reserved[i] = -1;
	for (size_t i = 0; i < registry_ca_count; i++) {
		if (!registry_is_server_ca(&registry_cas[i]))
			continue;
		daemon->reserved[i] = reserve_port(&daemon->port[i], err);
		if (daemon->reserved[i] < 0)
			return -1;
	}
	if (admin)
		daemon->admin_reserved = reserve_port(&daemon->admin_port, err);
	return !admin || daemon->admin_reserved >= 0 ? 0 : -1;
}

/* The server has them, or will not. */
static void
give_back_ports(struct lab_daemon *daemon)
{
	if (daemon->reserved == NULL)
		return;
	for (size_t i = 0; i < registry_ca_count; i++)
		if (daemon->reserved[i] >= 0)
			(void)close(daemon->reserved[i]);
	if (daemon->admin_reserved >= 0)
		(void)close(daemon->admin_reserved);
	free(daemon->reserved);
	daemon->reserved = NULL;
}

/* May everybody pass through all folders above this one? */
static bool
is_reachable(const char *directory)
{
	char *path = file_directory(directory);
	bool reachable = true, top = false;

	while (reachable && !top) {
		char *parent = file_directory(path);
		struct stat st;

		reachable = stat(path, &st) == 0 && (st.st_mode & S_IXOTH) != 0;
		top = strcmp(parent, path) == 0;
		free(path);
		path = parent;
	}
	free(path);
	return reachable;
}

/* Root's lab serves as a user without rights, where that one gets in. */
static int
configure_user(struct buf *text, const char *directory)
{
	if (geteuid() != 0)
		return 0;
	return buf_append_text(text,
	    getpwnam("nobody") != NULL && is_reachable(directory) ?
		"user nobody\n" :
		"user root\n");
}

static int
configure_listener(struct buf *text, const struct ca *ca, uint16_t port)
{
	return buf_printf(text,
	    "\n# %s\n"
	    "listener %s {\n"
	    "    address 127.0.0.1:%u\n"
	    "    certificate servers/%s.crt key servers/%s.key\n"
	    "    tls legacy\n"
	    "    client-certificate required\n"
	    "    client-anchors client-anchors.pem\n"
	    "    allow-expired-anchor \"" IDENTIFY_LAB_PREFIX
	    "Cisco Linksys Client Root Authority 1\"\n"
	    "}\n",
	    ca->name, ca->id, port, ca->id, ca->id);
}

int
lab_daemon_configure(struct lab_daemon *daemon, const char *directory,
    bool admin, struct error *err)
{
	struct buf text;
	int rc;

	*daemon = (struct lab_daemon) { 0 };
	daemon->config_path = xasprintf("%s/sprov.conf", directory);
	daemon->log_path = xasprintf("%s/serve.log", directory);
	if (reserve_ports(daemon, admin, err) != 0)
		return -1;
	buf_init(&text, 256 * 1024);
	rc = configure_user(&text, directory);
	if (rc == 0)
		rc = buf_printf(&text,
		    "inventory sqlite:inventory.db\n"
		    "templates templates\n"
		    "profile /spa$MA.cfg /$MA.xml /$MA.cfg "
		    "/Cisco/$PN/$MA.cfg\n"
		    "common /spa$PSN.cfg common.xml\n"
		    "common /ata$PSN.cfg common.xml\n"
		    "common /$PSN.xml common.xml\n");
	for (size_t i = 0; rc == 0 && i < registry_ca_count; i++)
		if (daemon->port[i] != 0)
			rc = configure_listener(&text, &registry_cas[i],
			    daemon->port[i]);
	if (rc == 0 && daemon->admin_port != 0)
		rc = buf_printf(&text,
		    "\nadmin {\n"
		    "    address 127.0.0.1:%u\n"
		    "    plain-http\n"
		    "}\n",
		    daemon->admin_port);
	if (rc == 0)
		rc = file_replace(daemon->config_path, 0644, text.data,
		    text.len, err);
	buf_clear(&text);
	return rc;
}

int
lab_daemon_add_account(const char *directory,
    char code[static ADMINS_CODE_BYTES], struct error *err)
{
	struct admin_account account = {
		.name = LAB_ACCOUNT,
		.role = ROLE_ADMIN,
		.created_at = clock_wall(),
	};
	char *path = xasprintf("%s/" ADMINS_FILE, directory);
	struct admins *admins = admins_open(path, false, err);
	int rc = -1;

	if (admins != NULL &&
	    admins_make_code(&account, account.created_at, code, err) == 0)
		rc = admins_put_account(admins, &account, err);
	admins_close(admins);
	free(path);
	return rc;
}

/* The socket on which the server says READY=1 (sd_notify(3)). */
static int
open_notify_socket(const char *path, struct error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return error_set(err, ERROR_INPUT,
		    "%s: too long for a socket: choose a shorter folder", path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    chmod(path, 0666) != 0) { /* the server is another user */
		(void)error_errno(err, "%s", path);
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	return fd;
}

static int
spawn_server(struct lab_daemon *daemon, const char *notify_path,
    struct error *err)
{
	char name[] = "sprov", serve[] = "serve", option[] = "--config";
	char *argv[] = { name, serve, option, daemon->config_path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc;

	/* Only this process's environment is changed, and back at once. */
	(void)setenv("NOTIFY_SOCKET", notify_path, 1);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
	    "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
	    daemon->log_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	(void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
	    STDOUT_FILENO);
	(void)posix_spawnattr_init(&attributes);
	/* Its own group: a Ctrl-C ends the lab, and the lab ends it. */
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(&daemon->pid, "/proc/self/exe", &actions, &attributes,
	    argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)unsetenv("NOTIFY_SOCKET");
	if (rc == 0)
		return 0;
	daemon->pid = 0;
	errno = rc;
	return error_errno(err, "cannot start the server");
}

static int
fail_with_log(const struct lab_daemon *daemon, const char *what,
    struct error *err)
{
	struct error ignored;
	char *text = NULL, *line;
	size_t len;

	(void)error_set(err, ERROR_SYSTEM, "the server %s", what);
	if (file_read(daemon->log_path, LOG_MAX, &text, &len, &ignored) == 0 &&
	    len > 0) {
		text[len - 1] = '\0';
		line = strrchr(text, '\n');
		(void)error_set(err, ERROR_SYSTEM,
		    "the server %s; its last "
		    "line in %s: %s",
		    what, daemon->log_path, line != NULL ? line + 1 : text);
	}
	free(text);
	return -1;
}

static bool
has_ended(struct lab_daemon *daemon, int *status)
{
	if (waitpid(daemon->pid, status, WNOHANG) != daemon->pid)
		return false;
	daemon->pid = 0;
	return true;
}

static int
wait_until_ready(struct lab_daemon *daemon, int fd, struct error *err)
{
	uint64_t deadline = clock_monotonic_ms() + START_TIMEOUT_MS;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char state[256];
	int status;

	while (clock_monotonic_ms() < deadline) {
		ssize_t n;

		if (has_ended(daemon, &status))
			return fail_with_log(daemon, "did not start", err);
		if (poll(&wait, 1, 100) <= 0)
			continue;
		n = recv(fd, state, sizeof(state) - 1, 0);
		state[n > 0 ? n : 0] = '\0';
		if (strstr(state, "READY=1") != NULL)
			return 0;
	}
	return fail_with_log(daemon, "was not ready in time", err);
}

/*
 * Give a folder and all in it to the user of the server, which has to read the
 * keys again when it reloads.
 */
static int
give_folder(const char *path, uid_t uid, gid_t gid, struct error *err)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int rc = 0;

	if (folder == NULL)
		return error_errno(err, "%s", path);
	while (rc == 0 && (entry = readdir(folder)) != NULL) {
		char *inner;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		inner = xasprintf("%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR)
			rc = give_folder(inner, uid, gid, err);
		else if (lchown(inner, uid, gid) != 0)
			rc = error_errno(err, "%s", inner);
		free(inner);
	}
	(void)closedir(folder);
	if (rc == 0 && chown(path, uid, gid) != 0)
		rc = error_errno(err, "%s", path);
	return rc;
}

int
lab_daemon_start(struct lab_daemon *daemon, const char *directory,
    struct error *err)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : NULL;
	char *path;
	int fd, rc = -1;

	if (user != NULL &&
	    give_folder(directory, user->pw_uid, user->pw_gid, err) != 0)
		return -1;
	path = xasprintf("%s/notify", directory);
	fd = open_notify_socket(path, err);

	if (fd >= 0) {
		rc = spawn_server(daemon, path, err);
		if (rc == 0)
			rc = wait_until_ready(daemon, fd, err);
		(void)close(fd);
		(void)unlink(path);
	}
	free(path);
	give_back_ports(daemon);
	return rc;
}

int
lab_daemon_stop(struct lab_daemon *daemon, struct error *err)
{
	uint64_t deadline = clock_monotonic_ms() + STOP_TIMEOUT_MS;
	int status = 0;

	if (daemon->pid == 0)
		return 0;
	(void)kill(daemon->pid, SIGTERM);
	while (!has_ended(daemon, &status)) {
		if (clock_monotonic_ms() > deadline) {
			(void)kill(daemon->pid, SIGKILL);
			(void)waitpid(daemon->pid, &status, 0);
			daemon->pid = 0;
			return fail_with_log(daemon, "did not stop", err);
		}
		(void)usleep(10000);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fail_with_log(daemon, "did not end in order", err);
	return 0;
}

void
lab_daemon_clear(struct lab_daemon *daemon)
{
	give_back_ports(daemon);
	free(daemon->port);
	free(daemon->config_path);
	free(daemon->log_path);
	*daemon = (struct lab_daemon) { 0 };
}
