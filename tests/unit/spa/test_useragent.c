#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "spa/registry.h"
#include "spa/useragent.h"

#define TEXT63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *text;
	const char *product; /* NULL where it must be refused */
	const char *version;
	const char *mac;
	const char *serial;
	const char *model; /* NULL: not known */
} cases[] = {
	/* One group under Linksys is the serial, even of 12 hex digits. */
	{ "Linksys/SPA-942-6.1.5(a) (88019FB00123)", "SPA-942", "6.1.5(a)",
	    NULL, "88019FB00123", "SPA942" },
	{ "Linksys/SPA-921-5.1.8 (4MJ00HC00001)", "SPA-921", "5.1.8", NULL,
	    "4MJ00HC00001", "SPA921" },
	{ "Linksys/SPA504G-7.4.3a (000E08AABBCC)(CBT00000001)", "SPA504G",
	    "7.4.3a", "000e08aabbcc", "CBT00000001", "SPA504G" },
	{ "Linksys/SPA504G-7.4.3a", "SPA504G", "7.4.3a", NULL, "", "SPA504G" },
	{ "Cisco/SPA504G-7.4.9c (000E08AABBCC)(CCQ00000001)", "SPA504G",
	    "7.4.9c", "000e08aabbcc", "CCQ00000001", "SPA504G" },
	{ "Cisco/SPA504G-7.4.9c (000E08AABBCC)(000E08AABBCD)", "SPA504G",
	    "7.4.9c", "000e08aabbcc", "000E08AABBCD", "SPA504G" },
	{ "Cisco/SPA525G-7.4.7 (CBT00000001)", "SPA525G", "7.4.7", NULL,
	    "CBT00000001", "SPA525G" },
	{ "Cisco/SPA525G2-7.4.7 (88012BA00001)", "SPA525G2", "7.4.7", NULL,
	    "88012BA00001", "SPA525G2" },
	{ "Cisco/XYZ999-7.4.7 (88012BA00001)", "XYZ999", "7.4.7",
	    "88012ba00001", "", NULL },
	{ "Cisco/SPA504G-1.4.1(SR5) (000E08AABBCC)", "SPA504G", "1.4.1(SR5)",
	    "000e08aabbcc", "", "SPA504G" },
	{ "Cisco/ATA191-MPP-11-1-0-MSR4 (FCH00000001)", "ATA191-MPP",
	    "11-1-0-MSR4", NULL, "FCH00000001", "ATA191-MPP" },
	{ "Cisco-CP-7832-3PCC/11.0.1 (000e08aabbcc)", "CP-7832-3PCC", "11.0.1",
	    "000e08aabbcc", "", "CP-7832-3PCC" },
	{ "Cisco-CP-7832-3PCC/11.0.1 (FCH00000001)", "CP-7832-3PCC", "11.0.1",
	    NULL, "FCH00000001", "CP-7832-3PCC" },
	{ "Cisco-CP-7832-3PCC/11.0.1", "CP-7832-3PCC", "11.0.1", NULL, "",
	    "CP-7832-3PCC" },
	/* The version is anything without a blank. */
	{ "Cisco/SPA504G-1.3.5(004p_XU001) (000E08AABBCC)", "SPA504G",
	    "1.3.5(004p_XU001)", "000e08aabbcc", "", "SPA504G" },
	{ "Linksys/SPA-942-3.1.16(LS) (4MJ00HC00001)", "SPA-942", "3.1.16(LS)",
	    NULL, "4MJ00HC00001", "SPA942" },
	{ "Cisco/SPA504G-1.4.1SR1(002)d-hisec", "SPA504G",
	    "1.4.1SR1(002)d-hisec", NULL, "", "SPA504G" },
	/* No version. */
	{ "Cisco/SPA504G (000E08AABBCC)(CCQ00000001)", "SPA504G", "",
	    "000e08aabbcc", "CCQ00000001", "SPA504G" },
	{ "Linksys/SPA-942", "SPA-942", "", NULL, "", "SPA942" },
	/* Products that nobody knows part where a version seems to begin. */
	{ "Linksys/XYZ-9999-6.1.5(a) (4MJ00HC00001)", "XYZ-9999", "6.1.5(a)",
	    NULL, "4MJ00HC00001", NULL },
	{ "Cisco/XYZ999-MPP-11-1-0-MSR4", "XYZ999-MPP", "11-1-0-MSR4", NULL, "",
	    NULL },
	{ "Cisco/XYZ-beta", "XYZ-beta", "", NULL, "", NULL },
	{ "Cisco-XYZ/1", "XYZ", "1", NULL, "", NULL },
	/* Models match exactly: no prefix, nothing left over. */
	{ "Cisco/SPA504GX-7.4.9c", "SPA504GX", "7.4.9c", NULL, "", NULL },
	{ "Cisco/SPA50-7.4.9c", "SPA50", "7.4.9c", NULL, "", NULL },
	/* Limits. */
	{ "Cisco/" TEXT63 "-1." TEXT63 "", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-" TEXT63 "/" TEXT63 " (" TEXT63 ")", TEXT63, TEXT63, NULL,
	    TEXT63, NULL },
	{ "Cisco-" TEXT63 "x/1", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-CP-7832-3PCC/" TEXT63 "x", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-CP-7832-3PCC/1 (" TEXT63 "x)", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/" TEXT63 "x", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/" TEXT63 TEXT63 TEXT63, NULL, NULL, NULL, NULL, NULL },
	/* Other clients, and forms that are none. */
	{ "", NULL, NULL, NULL, NULL, NULL },
	{ "curl/7.88.1", NULL, NULL, NULL, NULL, NULL },
	{ "Linksys", NULL, NULL, NULL, NULL, NULL },
	{ "Linksys/", NULL, NULL, NULL, NULL, NULL },
	{ "Linksys/ (4MJ00HC00001)", NULL, NULL, NULL, NULL, NULL },
	{ "cisco/SPA504G-7.4.9c", NULL, NULL, NULL, NULL, NULL },
	{ " Cisco/SPA504G-7.4.9c", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-CP-7832-3PCC", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-CP-7832-3PCC (000e08aabbcc)", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-CP-7832-3PCC/", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco-/11.0.1", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c ", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c  (CCQ00000001)", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c ()", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c (CCQ00000001", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c CCQ00000001", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c (CCQ-0000001)", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c (CCQ00000001)x", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c (000E08AABBCC) (CCQ00000001)", NULL, NULL, NULL,
	    NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c (CCQ00000001)(000E08AABBCC)", NULL, NULL, NULL,
	    NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c (000E08AABBCC)()", NULL, NULL, NULL, NULL,
	    NULL },
	{ "Cisco/SPA504G-7.4.9c (000E08AABBCC)(CCQ00000001)(x)", NULL, NULL,
	    NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9c\t(CCQ00000001)", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9\xc3\xa4", NULL, NULL, NULL, NULL, NULL },
	{ "Cisco/SPA504G-7.4.9\x7f", NULL, NULL, NULL, NULL, NULL },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct useragent ua = { .version = "untouched" };
		char mac[MAC_TEXT_BYTES];

		if (useragent_parse(&ua, cases[i].text) !=
		    (cases[i].product != NULL))
			fail_msg("%s", cases[i].text);
		if (cases[i].product == NULL) {
			assert_string_equal(ua.version, "untouched");
			continue;
		}
		assert_string_equal(ua.product, cases[i].product);
		assert_string_equal(ua.version, cases[i].version);
		assert_string_equal(ua.serial, cases[i].serial);
		assert_int_equal(ua.has_mac, cases[i].mac != NULL);
		if (ua.has_mac) {
			mac_format(&ua.mac, mac);
			assert_string_equal(mac, cases[i].mac);
		}
		if ((ua.model == NULL) != (cases[i].model == NULL))
			fail_msg("%s: model %s", cases[i].text,
			    ua.model != NULL ? ua.model->name : "unknown");
		if (ua.model != NULL)
			assert_string_equal(ua.model->name, cases[i].model);
	}
}

/* Write a model's own pattern with these values. */
static void
write_pattern(const char *pattern, struct buf *out)
{
	static const struct {
		const char *name, *value;
	} fields[] = {
		{ "{version}", "12-0-3MPP0001-87" },
		{ "{MAC}", "000E08AABBCC" },
		{ "{mac}", "000e08aabbcc" },
		{ "{serial}", "88012BA00001" },
	};

	while (*pattern != '\0') {
		const char *value = NULL;

		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
			if (!text_starts(pattern, fields[i].name))
				continue;
			value = fields[i].value;
			pattern += strlen(fields[i].name);
			break;
		}
		if (value != NULL)
			assert_int_equal(buf_append_text(out, value), 0);
		else
			assert_int_equal(buf_append(out, pattern++, 1), 0);
	}
}

static void
test_models(void **state)
{
	(void)state;
	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		struct useragent ua;
		struct buf text;

		buf_init(&text, 256);
		write_pattern(model->user_agent, &text);
		if (!useragent_parse(&ua, buf_text(&text)) || ua.model != model)
			fail_msg("%s: %s", model->name, buf_text(&text));
		assert_string_equal(ua.version, "12-0-3MPP0001-87");
		assert_int_equal(ua.has_mac,
		    strcasestr(model->user_agent, "{mac}") != NULL);
		buf_clear(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
