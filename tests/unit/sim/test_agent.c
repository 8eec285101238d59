#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/agent.h"
#include "spa/registry.h"

static const struct agent known = { "7.5.4", "000E08AABBCC", "000e08aabbcc",
	"CBT000000X1" };

static void
check(const struct agent *agent, const char *pattern, const char *expected)
{
	struct buf text;

	buf_init(&text, 200);
	assert_int_equal(agent_write(agent, pattern, &text), 0);
	assert_string_equal(buf_text(&text), expected);
	buf_clear(&text);
}

/* As the families write it, each in its own way. */
static void
test_families(void **state)
{
	static const char *const expected[][2] = {
		{ "SPA504G",
		    "Cisco/SPA504G-7.5.4 (000E08AABBCC)(CBT000000X1)" },
		{ "CP-8841-3PCC", "Cisco-CP-8841-3PCC/7.5.4 (000e08aabbcc)" },
		{ "ATA191", "Cisco/ATA191-MPP-7.5.4 (CBT000000X1)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		const struct model *model = registry_find_model(expected[i][0],
		    NULL);

		assert_non_null(model);
		check(&known, model->user_agent, expected[i][1]);
	}
}

static void
test_odd(void **state)
{
	const struct agent agent = { NULL, "A", "a", "" };
	struct buf text;

	(void)state;
	check(&agent, "", "");
	check(&agent, "{version}{MAC}{mac}{serial}", "unknownAa");
	check(&agent, "{} {Version} {versio} {versions} {{mac}} {mac",
	    "{} {Version} {versio} {versions} {a} {mac");
	buf_init(&text, 8);
	assert_int_equal(agent_write(&known, "{version}{mac}", &text), -1);
	buf_clear(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
