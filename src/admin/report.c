#include "admin/report.h"
#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define ARGUMENTS_MAX 64
#define COMPLAINT_MAX 4096
#define NICENESS 10

extern char **environ;

/* A pipe whose ends others do not inherit. */
static int
make_pipe(int fds[static 2], struct error *err)
{
	if (pipe2(fds, O_CLOEXEC) == 0)
		return 0;
	fds[0] = fds[1] = -1;
	return error_errno(err, "cannot make a pipe");
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static pid_t
spawn(const char *const *argv, int out, int complaints, struct error *err)
{
	char *list[ARGUMENTS_MAX + 2] = { NULL };
	char program[] = "sprov";
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid = -1;
	int rc;

	list[0] = program;
	for (size_t i = 0; argv[i] != NULL && i < ARGUMENTS_MAX; i++)
		list[i + 1] = xstrdup(argv[i]);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
	    O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, complaints, 2);
	(void)posix_spawnattr_init(&attributes);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, list,
	    environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 1; i <= ARGUMENTS_MAX; i++)
		free(list[i]);
	if (rc == 0) {
		(void)setpriority(PRIO_PROCESS, (id_t)pid, NICENESS);
		return pid;
	}
	errno = rc;
	(void)error_errno(err, "cannot run /proc/self/exe");
	return -1;
}

/* Read what is there; closes the end when nothing more comes.  With cut, what
 * does not fit is dropped. */
static int
drain(int *fd, struct buf *buf, bool cut, struct error *err)
{
	char piece[65536];
	ssize_t n = read(*fd, piece, sizeof(piece));
	size_t len;

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0) {
		close_fd(fd);
		return 0;
	}
	len = (size_t)n;
	if (cut && len > buf->limit - buf->len)
		len = buf->limit - buf->len;
	if (buf_append(buf, piece, len) != 0)
		return error_set(err, ERROR_SYSTEM,
		    "the report is longer than %zu bytes", buf->limit);
	return 0;
}

/* Both ends, until both are closed. */
static int
collect(int *out, int *complaints, struct buf *text, struct buf *said,
    struct error *err)
{
	uint64_t end = clock_monotonic_ms() + REPORT_TIMEOUT_MS;

	while (*out >= 0 || *complaints >= 0) {
		struct pollfd fds[2] = { { *out, POLLIN, 0 },
			{ *complaints, POLLIN, 0 } };
		uint64_t now = clock_monotonic_ms();

		if (now >= end)
			return error_set(err, ERROR_SYSTEM,
			    "the report took more than %d s",
			    REPORT_TIMEOUT_MS / 1000);
		if (poll(fds, 2, (int)(end - now)) < 0 && errno != EINTR)
			return error_errno(err, "cannot wait for the report");
		/* Of a long complaint the beginning is enough. */
		if ((fds[0].revents != 0 &&
			drain(out, text, false, err) != 0) ||
		    (fds[1].revents != 0 &&
			drain(complaints, said, true, err) != 0))
			return -1;
	}
	return 0;
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
first_line(const struct buf *said, char *line, size_t size)
{
	const char *text = buf_text(said);

	(void)snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
}

int
report_run(const char *const *argv, char **text, size_t *len, int *status,
    char *complaint, size_t complaint_size, struct error *err)
{
	int out[2] = { -1, -1 }, complaints[2] = { -1, -1 }, rc = -1;
	struct buf printed, said;
	pid_t pid = -1;

	buf_init(&printed, REPORT_MAX);
	buf_init(&said, COMPLAINT_MAX);
	if (make_pipe(out, err) != 0 || make_pipe(complaints, err) != 0)
		goto end;
	pid = spawn(argv, out[1], complaints[1], err);
	if (pid < 0)
		goto end;
	close_fd(&out[1]);
	close_fd(&complaints[1]);
	rc = collect(&out[0], &complaints[0], &printed, &said, err);
	if (rc != 0)
		(void)kill(pid, SIGKILL);
	*status = wait_for(pid);
	if (rc == 0) {
		first_line(&said, complaint, complaint_size);
		*len = printed.len;
		*text = buf_take(&printed);
	}
end:
	for (int i = 0; i < 2; i++) {
		close_fd(&out[i]);
		close_fd(&complaints[i]);
	}
	buf_clear(&printed);
	buf_clear(&said);
	return rc;
}

/* ------------------------------------------------------------------ cache */

#define CACHE_REPORTS 16
#define CACHE_TEXT_MAX (4 * 1024 * 1024)
#define CACHE_MS_MIN 2000
#define CACHE_MS_MAX 300000
#define CACHE_FACTOR 50

struct report_cache {
	pthread_mutex_t mutex;
	struct cached {
		char *key, *text;
		size_t len;
		uint64_t until_ms;
	} list[CACHE_REPORTS];
};

struct report_cache *
report_cache_new(void)
{
	struct report_cache *cache = xcalloc(1, sizeof(*cache));

	(void)pthread_mutex_init(&cache->mutex, NULL);
	return cache;
}

void
report_cache_free(struct report_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < CACHE_REPORTS; i++) {
		free(cache->list[i].key);
		free(cache->list[i].text);
	}
	(void)pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

char *
report_cache_get(struct report_cache *cache, const char *key, size_t *len)
{
	uint64_t now = clock_monotonic_ms();
	char *text = NULL;

	(void)pthread_mutex_lock(&cache->mutex);
	for (size_t i = 0; i < CACHE_REPORTS && text == NULL; i++) {
		const struct cached *one = &cache->list[i];

		if (one->key == NULL || now >= one->until_ms ||
		    strcmp(one->key, key) != 0)
			continue;
		text = xmalloc(one->len + 1);
		memcpy(text, one->text, one->len + 1);
		*len = one->len;
	}
	(void)pthread_mutex_unlock(&cache->mutex);
	return text;
}

/* The place of the one that ends first, or has ended. */
void
report_cache_put(struct report_cache *cache, const char *key, const char *text,
    size_t len, unsigned took_ms)
{
	unsigned good_ms = CACHE_FACTOR * took_ms;
	struct cached *place = &cache->list[0];

	if (len > CACHE_TEXT_MAX)
		return;
	if (good_ms < CACHE_MS_MIN)
		good_ms = CACHE_MS_MIN;
	if (good_ms > CACHE_MS_MAX)
		good_ms = CACHE_MS_MAX;
	(void)pthread_mutex_lock(&cache->mutex);
	for (size_t i = 0; i < CACHE_REPORTS; i++)
		if (cache->list[i].until_ms < place->until_ms)
			place = &cache->list[i];
	free(place->key);
	free(place->text);
	place->key = xstrdup(key);
	place->text = xmalloc(len + 1);
	memcpy(place->text, text, len);
	place->text[len] = '\0';
	place->len = len;
	place->until_ms = clock_monotonic_ms() + good_ms;
	(void)pthread_mutex_unlock(&cache->mutex);
}
