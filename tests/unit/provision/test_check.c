/* What is made of what was seen of a server, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "provision/check.h"
#include "spa/knowledge.h"
#include "spa/registry.h"

static struct check_verdict
judge(const struct check_view *view, const char *name)
{
	const struct model *model = registry_find_model(name, NULL);
	struct knowledge *knowledge = knowledge_new();
	struct check_verdict verdict;

	assert_non_null(model);
	check_judge(view, model, NULL, knowledge, 1800000000, &verdict);
	knowledge_free(knowledge);
	return verdict;
}

static struct check_view
view_of(const char *name, enum check_reached reached)
{
	return (struct check_view) {
		.stack = registry_find_stack(registry_find_model(name, NULL),
		    NULL),
		.host = "prov.example.net",
		.reached = reached,
		.alert_received = -1,
	};
}

static void
test_connection(void **state)
{
	struct check_view view = view_of("PAP2T", CHECK_NO_CONNECTION);
	struct check_verdict verdict;

	(void)state;
	(void)strcpy(view.error, "nobody there");
	verdict = judge(&view, "PAP2T");
	assert_int_equal(verdict.answer, CHECK_WILL_NOT);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(verdict.finding[0].cause, CHECK_CONNECTION);
	assert_string_equal(verdict.finding[0].text, "nobody there");
}

/* What ended the handshake, by the alert and by what came before it. */
static void
test_handshake(void **state)
{
	static const struct {
		int alert;
		const char *error;
		bool asks, showed;
		enum check_cause cause;
	} cases[] = {
		{ 70, "alert", false, false, CHECK_TLS_VERSION },
		{ -1, "unsupported protocol", false, false, CHECK_TLS_VERSION },
		{ 40, "alert", false, false, CHECK_TLS_CIPHER },
		{ 71, "alert", false, false, CHECK_TLS_CIPHER },
		{ -1, "wrong version number", false, false, CHECK_TLS_OTHER },
		{ -1, "timed out", false, false, CHECK_TLS_OTHER },
		{ 80, "internal error", false, false, CHECK_TLS_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct check_view view = view_of("PAP2T", CHECK_NO_HANDSHAKE);
		struct check_verdict verdict;

		view.alert_received = cases[i].alert;
		view.asks_certificate = cases[i].asks;
		view.showed_certificate = cases[i].showed;
		(void)strcpy(view.error, cases[i].error);
		verdict = judge(&view, "PAP2T");
		assert_int_equal(verdict.answer, CHECK_WILL_NOT);
		assert_int_equal(verdict.count, 1);
		assert_int_equal(verdict.finding[0].cause, cases[i].cause);
	}
}

static void
test_answer(void **state)
{
	static const struct {
		const char *model;
		int status;
		bool asks, has_length, chunked, is_profile;
		enum check_answer answer;
		enum check_cause cause;
	} cases[] = {
		{ "PAP2T", 200, true, true, false, true, CHECK_WILL,
		    CHECK_CONNECTION /* none */ },
		{ "PAP2T", 200, true, false, false, true, CHECK_WILL_NOT,
		    CHECK_LENGTH },
		{ "PAP2T", 200, true, false, true, true, CHECK_WILL_NOT,
		    CHECK_LENGTH },
		{ "CP-8841-3PCC", 200, true, false, true, true, CHECK_WILL,
		    CHECK_CONNECTION },
		{ "PAP2T", 200, true, true, false, false, CHECK_WILL_NOT,
		    CHECK_NO_PROFILE },
		{ "PAP2T", 404, true, true, false, false, CHECK_WILL_NOT,
		    CHECK_STATUS },
		{ "PAP2T", 403, true, true, false, false, CHECK_WILL,
		    CHECK_UNSEEN },
		{ "PAP2T", 403, false, true, false, false, CHECK_WILL_NOT,
		    CHECK_STATUS },
		{ "PAP2T", 302, true, true, false, false, CHECK_WILL_NOT,
		    CHECK_REDIRECT },
		{ "CP-8841-3PCC", 302, true, true, false, false, CHECK_WILL,
		    CHECK_REDIRECT },
		{ "CP-8841-3PCC", 307, true, true, false, false, CHECK_WILL_NOT,
		    CHECK_REDIRECT },
		{ "PAP2T", 500, true, true, false, false, CHECK_WILL_NOT,
		    CHECK_STATUS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct check_view view = view_of(cases[i].model, CHECK_ANSWER);
		struct check_verdict verdict;
		bool found = cases[i].cause == CHECK_CONNECTION;

		view.asked = true;
		view.asks_certificate = cases[i].asks;
		view.status = cases[i].status;
		view.has_length = cases[i].has_length;
		view.chunked = cases[i].chunked;
		view.is_profile = cases[i].is_profile;
		verdict = judge(&view, cases[i].model);
		assert_int_equal(verdict.answer, cases[i].answer);
		for (size_t j = 0; j < verdict.count; j++)
			found |= verdict.finding[j].cause == cases[i].cause;
		assert_true(found);
		if (cases[i].cause == CHECK_CONNECTION)
			assert_int_equal(verdict.count, 0);
	}
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = CHECK_CONNECTION; i <= CHECK_DISAGREE; i++)
		for (int j = i + 1; j <= CHECK_DISAGREE; j++)
			assert_string_not_equal(
			    check_cause_name((enum check_cause)i),
			    check_cause_name((enum check_cause)j));
	assert_string_equal(check_answer_name(CHECK_WILL_NOT), "will-not");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
