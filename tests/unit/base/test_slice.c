#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/slice.h"

#define FILE_BYTES (3 * SLICE_PIECE_MAX + 1000)

static unsigned char *bytes;

/* A file of FILE_BYTES that has no name any more. */
static int
open_file(void)
{
	char path[] = "/tmp/sprov-slice-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, bytes, FILE_BYTES), FILE_BYTES);
	return fd;
}

static int
make_bytes(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as the server does */
	bytes = xmalloc(FILE_BYTES);
	for (size_t i = 0; i < FILE_BYTES; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	return 0;
}

static int
free_bytes(void **state)
{
	(void)state;
	free(bytes);
	return 0;
}

static void
test_take(void **state)
{
	struct slice slice = { .offset = 10, .len = FILE_BYTES - 15 };
	struct error err;
	struct buf out;
	unsigned pieces = 0;

	(void)state;
	slice.fd = open_file();
	buf_init(&out, FILE_BYTES);
	while (slice.len > 0) {
		enum slice_io io = slice_take(&slice, &out, &err);

		if (io == SLICE_WAIT)
			assert_int_equal(slice_fetch(&slice, &err), 0);
		else
			assert_int_equal(io, SLICE_DONE);
		pieces++;
	}
	assert_true(pieces >= 4);
	assert_int_equal(out.len, FILE_BYTES - 15);
	assert_memory_equal(out.data, bytes + 10, out.len);
	/* No more room than that. */
	slice.len = 16;
	assert_int_equal(slice_take(&slice, &out, &err), SLICE_FAILED);
	buf_clear(&out);
	(void)close(slice.fd);
}

/* A reader of the other end, as far as it has something. */
static size_t
drain(int fd, unsigned char *to, size_t room)
{
	size_t got = 0;
	ssize_t n;

	while (got < room &&
	    (n = recv(fd, to + got, room - got, MSG_DONTWAIT)) > 0)
		got += (size_t)n;
	return got;
}

static void
test_send(void **state)
{
	unsigned char *received = xmalloc(FILE_BYTES);
	struct slice slice = { .len = FILE_BYTES };
	struct error err;
	size_t got = 0;
	int small = SLICE_PIECE_MAX, full = 0, pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small,
			     sizeof(small)),
	    0);
	slice.fd = open_file();
	while (slice.len > 0) {
		switch (slice_send(&slice, pair[0], &err)) {
		case SLICE_DONE:
			break;
		case SLICE_FULL:
			full++;
			got += drain(pair[1], received + got, FILE_BYTES - got);
			break;
		case SLICE_WAIT:
			assert_int_equal(slice_fetch(&slice, &err), 0);
			break;
		case SLICE_FAILED:
			fail_msg("%s", err.text);
		}
	}
	got += drain(pair[1], received + got, FILE_BYTES - got);
	assert_true(full > 0);
	assert_int_equal(got, FILE_BYTES);
	assert_memory_equal(received, bytes, FILE_BYTES);
	/* Nobody is there any more. */
	(void)close(pair[1]);
	slice = (struct slice) { slice.fd, 0, 10 };
	assert_int_equal(slice_send(&slice, pair[0], &err), SLICE_FAILED);
	(void)close(pair[0]);
	(void)close(slice.fd);
	free(received);
}

/* It was cut while it was being sent: that is said, not waited for. */
static void
test_shorter(void **state)
{
	struct slice slice = { .offset = FILE_BYTES - 100, .len = 100 };
	struct error err = { 0 };
	struct buf out;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	slice.fd = open_file();
	assert_int_equal(ftruncate(slice.fd, FILE_BYTES - 200), 0);
	buf_init(&out, SLICE_PIECE_MAX);
	assert_int_equal(slice_take(&slice, &out, &err), SLICE_FAILED);
	assert_non_null(strstr(err.text, "100 bytes early"));
	assert_int_equal(slice_send(&slice, pair[0], &err), SLICE_FAILED);
	assert_int_equal(slice_fetch(&slice, &err), -1);
	assert_int_equal(slice.len, 100);
	(void)close(pair[0]);
	(void)close(pair[1]);
	(void)close(slice.fd);
	/* Nor does a file that is none hang anybody. */
	slice.fd = -1;
	assert_int_equal(slice_take(&slice, &out, &err), SLICE_FAILED);
	assert_int_equal(slice_fetch(&slice, &err), -1);
	buf_clear(&out);
}

/* What is not in the cache is asked of the disk first. */
static void
test_uncached(void **state)
{
	struct slice slice = { .len = FILE_BYTES };
	struct error err;
	struct buf out;
	unsigned waits = 0;

	(void)state;
	slice.fd = open_file();
	assert_int_equal(fsync(slice.fd), 0);
	/* A request only: the kernel, or a file system without a disk, may
	 * keep it.  Then the next line has nothing to wait for. */
	(void)posix_fadvise(slice.fd, 0, 0, POSIX_FADV_DONTNEED);
	buf_init(&out, FILE_BYTES);
	while (slice.len > 0) {
		switch (slice_take(&slice, &out, &err)) {
		case SLICE_WAIT:
			assert_true(++waits < 100);
			assert_int_equal(slice_fetch(&slice, &err), 0);
			break;
		case SLICE_DONE:
			break;
		case SLICE_FULL:
		case SLICE_FAILED:
			fail_msg("%s", err.text);
		}
	}
	print_message("waited %u times for the disk\n", waits);
	assert_memory_equal(out.data, bytes, FILE_BYTES);
	buf_clear(&out);
	(void)close(slice.fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_shorter),
		cmocka_unit_test(test_uncached),
	};

	return cmocka_run_group_tests(tests, make_bytes, free_bytes);
}
