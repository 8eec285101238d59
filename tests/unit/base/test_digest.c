#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/text.h"

/* The examples of FIPS 180-2 B.1 and B.3: "abc", and a million times "a". */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define MILLION \
	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static int
open_file(const char *text, size_t times)
{
	char path[] = "/tmp/sprov-digest-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	for (size_t i = 0; i < times; i++)
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void
check(const char *text, size_t times, const char *expected)
{
	uint8_t digest[DIGEST_BYTES];
	char hex[DIGEST_TEXT_BYTES];
	struct error err;
	int fd = open_file(text, times);

	assert_int_equal(digest_file(fd, digest, &err), 0);
	text_hex(digest, sizeof(digest), hex);
	assert_string_equal(hex, expected);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), strlen(text) * times);
	(void)close(fd);
}

static void
test_files(void **state)
{
	uint8_t digest[DIGEST_BYTES];
	struct error err;

	(void)state;
	check("abc", 1, ABC);
	check("aaaaaaaaaa", 100000, MILLION);
	assert_int_equal(digest_file(-1, digest, &err), -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
