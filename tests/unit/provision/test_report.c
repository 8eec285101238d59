#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/gzip.h"
#include "base/mem.h"
#include "http/aes128gcm.h"
#include "provision/report.h"
#include "spa/salted.h"

#define XML \
	"<?xml version=\"1.0\"?>\n<device><flat-profile>" \
	"<A ua=\"na\">1</A><B> two </B><A>3</A></flat-profile></device>"
#define DECL "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define READ DECL "<flat-profile>\n  <B>two</B>\n  <A>3</A>\n</flat-profile>\n"

static const char *const keys[] = { "wrong", "right", "other" };

static int
read_as(enum document_kind kind, const char *coding, const void *data,
    size_t len, struct report *report, struct error *err)
{
	const struct report_input input = { .kind = kind,
		.coding = coding,
		.keys = keys,
		.key_count = 3,
		.data = data,
		.len = len };

	*err = (struct error) { .kind = ERROR_NONE };
	return report_read(&input, report, err);
}

static void
check_read(const char *coding, const struct buf *data, const char *protection)
{
	struct report report;
	struct error err;

	if (read_as(DOCUMENT_REPORT, coding, data->data, data->len, &report,
		&err) != 0)
		fail_msg("%s: %s", protection, err.text);
	assert_string_equal(buf_text(&report.text), READ);
	assert_int_equal(report.parameters, 2);
	assert_string_equal(report.protection, protection);
	report_clear(&report);
}

static void
pack_salted(struct buf *data, const char *key, bool gzip)
{
	static const uint8_t salt[SALTED_SALT_BYTES] = "saltsal";
	struct error err;
	struct buf inner;

	buf_init(&inner, 4096);
	buf_init(data, 4096);
	if (gzip)
		assert_int_equal(gzip_compress(XML, strlen(XML), &inner, &err),
		    0);
	else
		assert_int_equal(buf_append_text(&inner, XML), 0);
	assert_int_equal(salted_encrypt(key, salt, inner.data, inner.len, data,
			     &err),
	    0);
	buf_clear(&inner);
}

static void
test_packed(void **state)
{
	struct aes128gcm_head head = { .record_size = 100 };
	struct error err;
	struct buf data;

	(void)state;
	buf_init(&data, 4096);
	assert_int_equal(buf_append_text(&data, XML), 0);
	check_read("", &data, "none");
	check_read("identity", &data, "none");
	buf_clear(&data);
	assert_int_equal(gzip_compress(XML, strlen(XML), &data, &err), 0);
	check_read("gzip", &data, "gzip");
	check_read("", &data, "gzip");
	buf_clear(&data);
	pack_salted(&data, "right", false);
	check_read("", &data, "aes");
	buf_clear(&data);
	pack_salted(&data, "right", true);
	check_read("", &data, "gzip+aes");
	buf_clear(&data);
	assert_int_equal(aes128gcm_encrypt("right", 5, &head, XML, strlen(XML),
			     &data, &err),
	    0);
	check_read("aes128gcm", &data, "aes128gcm");
	buf_clear(&data);
}

static const struct {
	const char *coding, *data;
	enum error_kind kind;
	const char *text; /* in the error */
} bad[] = {
	{ "", "", ERROR_INPUT, "" },
	{ "", "hello", ERROR_INPUT, "1:" },
	{ "", "<flat-profile>", ERROR_INPUT, "" },
	{ "", "<a/>", ERROR_INPUT, "flat-profile" },
	{ "", "<flat-profile/>", ERROR_INPUT, "it has no parameters" },
	{ "", "<flat-profile>\n<A>1</B></flat-profile>", ERROR_INPUT, "2:" },
	{ "",
	    "<!DOCTYPE a [<!ENTITY b \"c\">]><flat-profile><A>&b;</A>"
	    "</flat-profile>",
	    ERROR_INPUT, "DOCTYPE" },
	{ "", "<flat-profile><A>\xff</A></flat-profile>", ERROR_INPUT, "1:" },
	{ "gzip", XML, ERROR_INPUT, "Content-Encoding is gzip" },
	{ "aes128gcm", XML, ERROR_DENIED, "none of the device's 3 keys" },
	{ "aes128gcm", "short", ERROR_INPUT, "" },
	{ "", "Salted__12345678", ERROR_INPUT, "" },
	{ "", "\x1f\x8b\x08", ERROR_INPUT, "" },
};

static void
test_bad(void **state)
{
	struct report report;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (read_as(DOCUMENT_REPORT, bad[i].coding, bad[i].data,
			strlen(bad[i].data), &report, &err) == 0)
			fail_msg("case %zu was taken", i);
		if (err.kind != bad[i].kind ||
		    strstr(err.text, bad[i].text) == NULL)
			fail_msg("case %zu: %d %s", i, (int)err.kind, err.text);
		assert_int_equal(report.text.len, 0);
		report_clear(&report);
	}
}

static void
test_keys(void **state)
{
	struct report_input input = { .kind = DOCUMENT_REPORT, .coding = "" };
	struct report report;
	struct error err;
	struct buf data;

	(void)state;
	pack_salted(&data, "unknown", false);
	assert_int_equal(read_as(DOCUMENT_REPORT, "", data.data, data.len,
			     &report, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	input.data = data.data;
	input.len = data.len;
	assert_int_equal(report_read(&input, &report, &err), -1);
	assert_non_null(strstr(err.text, "report_key"));
	buf_clear(&data);
}

/* A few bytes that ask for gigabytes, cut off, or with a wrong sum */
static void
test_gzip(void **state)
{
	char *zeros = calloc(1, 2 * DOCUMENT_TEXT_MAX);
	struct report report;
	struct error err;
	struct buf data;

	(void)state;
	assert_non_null(zeros);
	buf_init(&data, DOCUMENT_TEXT_MAX);
	assert_int_equal(gzip_compress(zeros, 2 * DOCUMENT_TEXT_MAX, &data,
			     &err),
	    0);
	assert_int_equal(read_as(DOCUMENT_REPORT, "gzip", data.data, data.len,
			     &report, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	free(zeros);
	buf_clear(&data);
	assert_int_equal(gzip_compress(XML, strlen(XML), &data, &err), 0);
	for (size_t len = 0; len < data.len; len++) {
		assert_int_equal(read_as(DOCUMENT_REPORT, "gzip", data.data,
				     len, &report, &err),
		    -1);
		report_clear(&report);
	}
	data.data[data.len - 6] ^= 1;
	assert_int_equal(read_as(DOCUMENT_REPORT, "gzip", data.data, data.len,
			     &report, &err),
	    -1);
	buf_clear(&data);
}

static void
test_status(void **state)
{
	static const char good[] =
	    "<?xml version=\"1.0\"?><status><Line n=\"1\""
	    ">Registered</Line></status>";
	static const char *const wrong[] = { "", "Registered", "<status>",
		"<!DOCTYPE a><status><a>b</a></status>" };
	struct report report;
	struct error err;

	(void)state;
	if (read_as(DOCUMENT_STATUS, "", good, strlen(good), &report, &err) !=
	    0)
		fail_msg("%s", err.text);
	assert_string_equal(buf_text(&report.text), good);
	report_clear(&report);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(read_as(DOCUMENT_STATUS, "", wrong[i],
				     strlen(wrong[i]), &report, &err),
		    -1);
}

static void
test_merge(void **state)
{
	struct error err;
	struct buf out;
	size_t count;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(report_merge("<flat-profile><A>1</A><B>2</B></"
				      "flat-profile>",
			     "<flat-profile><B>3</B><C>4</C></flat-profile>",
			     &out, &count, &err),
	    0);
	assert_string_equal(buf_text(&out),
	    DECL "<flat-profile>\n  <A>1</A>\n  <B>3</B>\n  <C>4</C>\n"
		 "</flat-profile>\n");
	assert_int_equal(count, 3);
	buf_clear(&out);
}

static void
test_redact(void **state)
{
	static const char given[] =
	    "<flat-profile><Password_1_>geheim1</Password_1_>"
	    "<Password_1_ ua=\"na\">geheim</Password_1_><Proxy_1_>a"
	    "</Proxy_1_><GPP_SA>geheim</GPP_SA><Profile_Rule>[--key geheim]"
	    "https://a/b</Profile_Rule><Admin_Passwd></Admin_Passwd>"
	    "</flat-profile>";
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(report_redact(given, strlen(given), &out, &err), 0);
	assert_null(strstr(buf_text(&out), "geheim"));
	assert_non_null(strstr(buf_text(&out),
	    "<Password_1_ ua=\"na\">" REPORT_REDACTED "</Password_1_>"));
	assert_non_null(strstr(buf_text(&out), "<Proxy_1_>a</Proxy_1_>"));
	assert_non_null(strstr(buf_text(&out),
	    "<Admin_Passwd></Admin_Passwd>"));
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_redact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
