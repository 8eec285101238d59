#include "base/child.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPLAINTS_MAX 4096
#define WAIT_MS 5

/* Our ends of its pipes, and what went through them. */
struct pipes {
	int in[2], out[2], complaints[2];
	size_t written;
	struct buf output, said;
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int
make_pipe(int fds[static 2], int ours, struct error *err)
{
	if (pipe2(fds, O_CLOEXEC) != 0) {
		fds[0] = fds[1] = -1;
		return error_errno(err, "cannot make a pipe");
	}
	(void)fcntl(fds[ours], F_SETFL, O_NONBLOCK);
	return 0;
}

static pid_t
spawn(const struct child *child, const struct pipes *pipes, struct error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	pid_t pid = -1;
	int rc;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, pipes->in[0], 0);
	(void)posix_spawn_file_actions_adddup2(&actions, pipes->out[1], 1);
	(void)posix_spawn_file_actions_adddup2(&actions, pipes->complaints[1],
	    2);
	(void)posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	(void)posix_spawnattr_init(&attributes);
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
		POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(&pid, child->path, &actions, &attributes, child->argv,
	    child->environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (rc == 0) {
		(void)setpriority(PRIO_PROCESS, (id_t)pid, CHILD_NICENESS);
		return pid;
	}
	errno = rc;
	(void)error_errno(err, "cannot run %s", child->path);
	return -1;
}

/* What it does not read is no matter: it may know enough. */
static void
feed(const struct child *child, struct pipes *pipes)
{
	ssize_t n = write(pipes->in[1],
	    (const char *)child->input + pipes->written,
	    child->input_len - pipes->written);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		pipes->written += (size_t)n;
	if (n < 0 || pipes->written == child->input_len)
		close_fd(&pipes->in[1]);
}

/* cut: drop what does not fit. */
static int
drain(int *fd, struct buf *buf, bool cut, struct error *err)
{
	char piece[65536];
	ssize_t n = read(*fd, piece, sizeof(piece));
	size_t len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
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
		    "it said more than %zu bytes", buf->limit);
	return 0;
}

/* Until it has closed its outputs. */
static int
converse(const struct child *child, struct pipes *pipes, uint64_t end,
    struct error *err)
{
	if (child->input_len == 0)
		close_fd(&pipes->in[1]);
	while (pipes->out[0] >= 0 || pipes->complaints[0] >= 0) {
		struct pollfd fds[] = { { pipes->out[0], POLLIN, 0 },
			{ pipes->complaints[0], POLLIN, 0 },
			{ pipes->in[1], POLLOUT, 0 },
			{ child->cancel_fd, POLLIN, 0 } };
		uint64_t now = clock_monotonic_ms();

		if (now >= end)
			return error_set(err, ERROR_SYSTEM,
			    "it took longer than %u ms", child->timeout_ms);
		(void)poll(fds, 4, (int)(end - now));
		if (fds[3].revents != 0)
			return error_set(err, ERROR_SYSTEM,
			    "it was not waited for");
		if (fds[2].revents != 0)
			feed(child, pipes);
		if (fds[0].revents != 0 &&
		    drain(&pipes->out[0], &pipes->output, false, err) != 0)
			return -1;
		if (fds[1].revents != 0)
			(void)drain(&pipes->complaints[0], &pipes->said, true,
			    err);
	}
	return 0;
}

/* It may go on without outputs; until its time is up.  -1 with errno: somebody
 * else has waited for it. */
static int
wait_for(pid_t pid, uint64_t end)
{
	int status = 0;
	pid_t done = 0;

	while (done == 0 && clock_monotonic_ms() < end) {
		done = waitpid(pid, &status, WNOHANG);
		if (done == 0)
			(void)poll(NULL, 0, WAIT_MS);
	}
	if (done == 0) {
		(void)kill(-pid, SIGKILL);
		do
			done = waitpid(pid, &status, 0);
		while (done < 0 && errno == EINTR);
	}
	if (done < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
take_result(struct pipes *pipes, struct child_result *result)
{
	const char *said = buf_text(&pipes->said);

	(void)snprintf(result->complaint, sizeof(result->complaint), "%.*s",
	    (int)strcspn(said, "\n"), said);
	result->output_len = pipes->output.len;
	result->output = xstrdup("");
	if (pipes->output.len > 0) {
		free(result->output);
		result->output = buf_take(&pipes->output);
	}
}

int
child_run(const struct child *child, struct child_result *result,
    struct error *err)
{
	struct pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 }, 0,
		{ .data = NULL }, { .data = NULL } };
	uint64_t end = clock_monotonic_ms() + child->timeout_ms;
	pid_t pid;
	int rc = -1;

	*result = (struct child_result) { .status = -1 };
	buf_init(&pipes.output, child->output_max);
	buf_init(&pipes.said, COMPLAINTS_MAX);
	if (make_pipe(pipes.in, 1, err) != 0 ||
	    make_pipe(pipes.out, 0, err) != 0 ||
	    make_pipe(pipes.complaints, 0, err) != 0)
		goto end;
	pid = spawn(child, &pipes, err);
	if (pid < 0)
		goto end;
	close_fd(&pipes.in[0]);
	close_fd(&pipes.out[1]);
	close_fd(&pipes.complaints[1]);
	rc = converse(child, &pipes, end, err);
	/* The group is there until it is waited for. */
	if (rc != 0)
		(void)kill(-pid, SIGKILL);
	result->status = wait_for(pid, end);
	if (rc == 0 && result->status < 0)
		rc = error_errno(err, "how it ended is not known");
	if (rc == 0)
		take_result(&pipes, result);
end:
	for (int i = 0; i < 2; i++) {
		close_fd(&pipes.in[i]);
		close_fd(&pipes.out[i]);
		close_fd(&pipes.complaints[i]);
	}
	buf_clear(&pipes.output);
	buf_clear(&pipes.said);
	return rc;
}
