#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "provision/drift.h"
#include "provision/report.h"
#include "spa/flat_profile.h"

static struct flat_profile *
profile_of(const char *inside)
{
	struct flat_profile *profile;
	struct error err;
	struct buf text;

	if (inside == NULL)
		return NULL;
	buf_init(&text, 4096);
	assert_int_equal(buf_printf(&text, "<flat-profile>%s</flat-profile>",
			     inside),
	    0);
	profile = flat_profile_read(text.data, text.len, &err);
	if (profile == NULL)
		fail_msg("%s: %s", inside, err.text);
	buf_clear(&text);
	return profile;
}

/* "name:kind " for each. */
static void
describe(const struct changes *changes, struct buf *out)
{
	for (size_t i = 0; i < changes->count; i++)
		assert_int_equal(buf_printf(out, "%s:%s ",
				     changes->list[i].name,
				     change_kind_word(changes->list[i].kind)),
		    0);
}

static const struct {
	const char *old, *fresh, *changes;
} pairs[] = {
	{ "<A>1</A>", "<A>1</A>", "" },
	{ "<A>1</A>", "<A> 1 </A>", "" },
	{ "<A>1</A><B>2</B>", "<B>2</B><A>1</A>", "" },
	{ "<A>1</A>", "<A>2</A>", "A:changed " },
	{ "<A>1</A>", "<A>1</A><B>2</B>", "B:added " },
	{ "<A>1</A><B>2</B>", "<A>1</A>", "B:removed " },
	{ "<A>1</A>", "<A></A>", "A:changed " },
	{ "<A>1</A>", "<A/>", "A:removed " },
	{ "<A/>", "<A>1</A>", "A:added " },
	{ "<A ua=\"na\">1</A>", "<A ua=\"rw\">1</A>", "A:access " },
	{ "<A>1</A><A>2</A>", "<A>2</A>", "" },
	{ "<A>1</A>", "<B>1</B>", "B:added A:removed " },
};

static void
test_between(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct flat_profile *old = profile_of(pairs[i].old);
		struct flat_profile *fresh = profile_of(pairs[i].fresh);
		struct changes changes;
		struct buf text;

		buf_init(&text, 4096);
		changes_between(old, fresh, &changes);
		describe(&changes, &text);
		assert_string_equal(buf_text(&text), pairs[i].changes);
		buf_clear(&text);
		changes_clear(&changes);
		flat_profile_free(old);
		flat_profile_free(fresh);
	}
}

#define R REPORT_REDACTED
static const struct {
	const char *served, *report, *delta;
	time_t served_at; /* the report is of 100, the delta of 200 */
	const char *changes;
	size_t compared, untold, unserved;
} drifts[] = {
	{ "<A>1</A>", "<A>1</A><B>2</B>", NULL, 50, "", 1, 0, 1 },
	{ "<A>1</A>", "<A>2</A>", NULL, 50, "A:changed-on-phone ", 1, 0, 0 },
	{ "<A>1</A>", "<B>2</B>", NULL, 50, "A:not-applied ", 1, 0, 1 },
	{ "<A>1</A>", "<A>2</A>", NULL, 150, "A:not-applied ", 1, 0, 0 },
	{ "<A>Yes</A>", "<A>yes</A>", NULL, 50, "", 1, 0, 0 },
	{ "<A>yesterday</A>", "<A>Yesterday</A>", NULL, 50,
	    "A:changed-on-phone ", 1, 0, 0 },
	{ "<A/>", "<A>1</A>", NULL, 50, "", 0, 0, 1 },
	{ "<A></A>", "<A>1</A>", NULL, 50, "A:changed-on-phone ", 1, 0, 0 },
	/* As from the factory */
	{ "<Resync_Periodic>86400</Resync_Periodic>",
	    "<Resync_Periodic>3600</Resync_Periodic>", NULL, 50,
	    "Resync_Periodic:not-applied ", 1, 0, 0 },
	/* What cannot be told */
	{ "<GPP_SA>x</GPP_SA>", "<B>1</B>", NULL, 50, "", 0, 1, 1 },
	{ "<Password_1_>x</Password_1_>", "<Password_1_>********</Password_1_>",
	    NULL, 50, "", 0, 1, 0 },
	{ "<Password_1_>x</Password_1_>", "<Password_1_></Password_1_>", NULL,
	    50, "", 0, 1, 0 },
	{ "<Password_1_>x</Password_1_>", "<Password_1_>y</Password_1_>", NULL,
	    50, "Password_1_:changed-on-phone ", 1, 0, 0 },
	{ "<A>" R "</A>", "<A>1</A>", NULL, 50, "", 0, 1, 0 },
	{ "<A>1</A>", "<A>" R "</A>", NULL, 50, "", 0, 1, 0 },
	/* Deltas */
	{ "<A>1</A><B>2</B>", NULL, "<B>3</B>", 50, "B:changed-on-phone ", 1, 1,
	    0 },
	{ "<A>1</A>", "<A>1</A>", "<A>2</A>", 50, "A:changed-on-phone ", 1, 0,
	    0 },
	{ "<A>1</A>", "<A>2</A>", "<A>1</A>", 50, "", 1, 0, 0 },
	{ "<A>1</A>", "<A>1</A>", "<C>2</C>", 50, "C:unknown ", 1, 0, 1 },
	{ "<A>1</A>", "<A>2</A>", "<A>3</A>", 150, "A:changed-on-phone ", 1, 0,
	    0 },
	{ "<A>1</A>", NULL, "<A>3</A>", 250, "A:not-applied ", 1, 0, 0 },
};

static void
test_drift(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(drifts) / sizeof(*drifts); i++) {
		struct flat_profile *served = profile_of(drifts[i].served);
		struct flat_profile *report = profile_of(drifts[i].report);
		struct flat_profile *delta = profile_of(drifts[i].delta);
		const struct drift_input input = { served, drifts[i].served_at,
			report, 100, delta, 200 };
		struct changes changes;
		struct buf text;

		buf_init(&text, 4096);
		changes_drift(&input, &changes);
		describe(&changes, &text);
		if (strcmp(buf_text(&text), drifts[i].changes) != 0 ||
		    changes.compared != drifts[i].compared ||
		    changes.untold != drifts[i].untold ||
		    changes.unserved != drifts[i].unserved)
			fail_msg("case %zu: \"%s\", %zu, %zu, %zu", i,
			    buf_text(&text), changes.compared, changes.untold,
			    changes.unserved);
		buf_clear(&text);
		changes_clear(&changes);
		flat_profile_free(served);
		flat_profile_free(report);
		flat_profile_free(delta);
	}
}

static void
test_secrets(void **state)
{
	struct flat_profile *old = profile_of("<Password_1_>a</Password_1_>"
					      "<Profile_Rule>x</Profile_Rule>"
					      "<Proxy_1_>a</Proxy_1_>");
	struct flat_profile *fresh = profile_of(
	    "<Password_1_>b</Password_1_>"
	    "<Profile_Rule>[--key k]x</Profile_Rule><Proxy_1_>b</Proxy_1_>");
	struct changes changes;

	(void)state;
	changes_between(old, fresh, &changes);
	assert_int_equal(changes.count, 3);
	assert_true(changes.list[0].is_secret);
	assert_true(changes.list[1].is_secret);
	assert_false(changes.list[2].is_secret);
	changes_clear(&changes);
	flat_profile_free(old);
	flat_profile_free(fresh);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
