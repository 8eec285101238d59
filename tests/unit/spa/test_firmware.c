#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "spa/firmware.h"
#include "spa/registry.h"

static struct firmware
parsed(const char *text)
{
	struct firmware firmware;
	struct error err = { 0 };

	if (firmware_parse(&firmware, text, &err) == -1)
		fail_msg("%s", err.text);
	assert_string_equal(firmware.text, text);
	return firmware;
}

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

static void
assert_refused(const char *text)
{
	struct firmware firmware = parsed("1.2.3");
	const struct firmware before = firmware;
	struct error err = { 0 };

	if (firmware_parse(&firmware, text, &err) == 0)
		fail_msg("\"%s\" was not refused", text);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "firmware \""));
	assert_memory_equal(&firmware, &before, sizeof(before));
}

/* The table that compile.py is checked against too. */
#define VERSIONS_MAX 512
struct table {
	size_t count, class_count;
	struct {
		struct firmware firmware;
		size_t class;
	} version[VERSIONS_MAX];
};

static void
read_line(struct table *table, char *line)
{
	if (*line == '#' || *line == '\0')
		return;
	if (*line == '!') {
		assert_refused(line + 1);
		return;
	}
	table->class_count++;
	for (char *next; line != NULL; line = next) {
		next = strstr(line, " = ");
		if (next != NULL) {
			*next = '\0';
			next += 3;
		}
		assert_true(table->count < VERSIONS_MAX);
		table->version[table->count].firmware = parsed(line);
		table->version[table->count++].class = table->class_count;
	}
}

static struct table *
read_table(void)
{
	const char *source = getenv("SPROV_SOURCE");
	struct table *table = xcalloc(1, sizeof(*table));
	struct error err = { 0 };
	char *path, *data, *rest, *line;
	size_t len;

	assert_non_null(source);
	path = file_join(source, "tests/data/firmware-order.txt");
	if (file_read(path, 65536, &data, &len, &err) == -1)
		fail_msg("%s", err.text);
	for (rest = data; (line = strsep(&rest, "\n")) != NULL;)
		read_line(table, line);
	free(data);
	free(path);
	assert_true(table->class_count > 60);
	return table;
}

static void
test_order_of_table(void **state)
{
	struct table *table = read_table();

	(void)state;
	for (size_t i = 0; i < table->count; i++) {
		for (size_t j = 0; j < table->count; j++) {
			size_t a = table->version[i].class;
			size_t b = table->version[j].class;
			int order =
			    firmware_compare(&table->version[i].firmware,
				&table->version[j].firmware);

			if (sign(order) != (a > b) - (a < b))
				fail_msg("%s against %s gives %d",
				    table->version[i].firmware.text,
				    table->version[j].firmware.text, order);
		}
	}
	free(table);
}

static void
test_refusals(void **state)
{
	/* What a file of lines cannot hold well; the rest is in the table. */
	static const char *const bad[] = {
		" 7.5.2",
		"7.5.2 ",
		"7.5.2\n",
		"7\t5",
		"\x80",
		"7.5.2\x7f",
		"7 ",
		"1.2  3",
		"1.2 -3",
		"1.2( 3)",
		"1.2(3 )",
		"1.2()",
		"-1",
		"+1",
	};
	struct firmware firmware;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_refused(bad[i]);
	assert_int_equal(firmware_parse(&firmware, "7.5..2", &err), -1);
	assert_string_equal(err.text,
	    "firmware \"7.5..2\": column 5: two "
	    "separators; wanted a version such as 7.5.2b, 1.3.1(003) or "
	    "11-1-0MSR4");
	assert_int_equal(firmware_parse(&firmware, "7.\x01", &err), -1);
	assert_non_null(strstr(err.text, "7.\\x01"));
}

static void
test_limits(void **state)
{
	char text[FIRMWARE_TEXT_MAX + 2];

	(void)state;
	memset(text, '0', sizeof(text));
	for (size_t i = 9; i < sizeof(text); i += 10)
		text[i] = '.';
	text[FIRMWARE_TEXT_MAX] = '\0'; /* 63 bytes */
	parsed(text);
	text[FIRMWARE_TEXT_MAX] = '0';
	text[FIRMWARE_TEXT_MAX + 1] = '\0';
	assert_refused(text);
	parsed("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16");
	assert_refused("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17");
	parsed("1.2.3.4.5.6.7.8.9.10.11.12.13.14b");
	assert_refused("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15b");
	parsed("1.999999999");
	assert_refused("1.1000000000");
	parsed("1abcdefghijklmno");
	assert_refused("1abcdefghijklmnop");
}

/* A small generator of its own, so that each run tries the same versions. */
static uint32_t
next_random(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % below;
}

static void
make_version(uint32_t *state, char text[static FIRMWARE_TEXT_MAX + 1])
{
	static const char *const words[] = { "a", "b", "c", "SR", "MSR", "MPP",
		"sr", "LS", "Mpp" };
	static const char *const separators[] = { ".", "-", "_", " ", "" };
	size_t used = 0, parts = 1 + next_random(state, 5);
	bool word_before = false;

	used += (size_t)sprintf(text, "%s%u",
	    next_random(state, 8) == 0 ? "sip88xx." : "",
	    (unsigned)next_random(state, 3));
	for (size_t i = 1; i < parts; i++) {
		bool word = next_random(state, 3) == 0;
		bool bracket = next_random(state, 4) == 0;
		const char *separator =
		    separators[next_random(state, word == word_before ? 4 : 5)];
		char part[16];

		if (word)
			strcpy(part, words[next_random(state, 9)]);
		else
			sprintf(part, "%0*u", (int)next_random(state, 4),
			    (unsigned)next_random(state, 4));
		used += (size_t)sprintf(text + used, "%s%s%s",
		    bracket ? "(" : separator, part, bracket ? ")" : "");
		word_before = word;
	}
}

static bool
same_key(const struct firmware *a, const struct firmware *b)
{
	if (a->part_count != b->part_count)
		return false;
	for (size_t i = 0; i < a->part_count; i++) {
		if (a->part[i].kind != b->part[i].kind ||
		    a->part[i].number != b->part[i].number ||
		    strcmp(a->part[i].word, b->part[i].word) != 0)
			return false;
	}
	return true;
}

static int
by_firmware(const void *a, const void *b)
{
	return firmware_compare(a, b);
}

#define GENERATED 4000

/* Total, antisymmetric, transitive, and 0 exactly for one and the same key. */
static void
test_total_order(void **state)
{
	struct firmware *list = xcalloc(GENERATED, sizeof(*list));
	char text[FIRMWARE_TEXT_MAX + 1];
	uint32_t seed = 20040207;
	size_t equal = 0;

	(void)state;
	for (size_t i = 0; i < GENERATED; i++) {
		make_version(&seed, text);
		list[i] = parsed(text);
		assert_int_equal(firmware_compare(&list[i], &list[i]), 0);
	}
	for (size_t n = 0; n < 200000; n++) {
		const struct firmware *a = &list[next_random(&seed, GENERATED)];
		const struct firmware *b = &list[next_random(&seed, GENERATED)];
		const struct firmware *c = &list[next_random(&seed, GENERATED)];
		int ab = firmware_compare(a, b), bc = firmware_compare(b, c);
		int ac = firmware_compare(a, c);

		assert_int_equal(sign(ab), -sign(firmware_compare(b, a)));
		assert_int_equal(ab == 0, same_key(a, b));
		if (ab <= 0 && bc <= 0)
			assert_true(ac <= 0);
		if (ab == 0)
			assert_int_equal(sign(ac), sign(bc));
		equal += ab == 0;
	}
	assert_true(equal > 100);
	/* Sorted, every pair agrees with its places, not only neighbours. */
	qsort(list, GENERATED, sizeof(*list), by_firmware);
	for (size_t i = 0; i < GENERATED; i++)
		for (size_t j = i + 1; j < GENERATED; j += 1 + i % 37)
			assert_true(firmware_compare(&list[i], &list[j]) <= 0);
	free(list);
}

static void
test_registry_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < registry_release_count; i++)
		parsed(registry_releases[i].version);
	for (size_t i = 0; i < registry_claim_count; i++) {
		if (registry_claims[i].firmware_min != NULL)
			parsed(registry_claims[i].firmware_min);
		if (registry_claims[i].firmware_max != NULL)
			parsed(registry_claims[i].firmware_max);
	}
}

/* Spellings seen in User-Agents, SIP banners, notices and file names. */
static void
test_spellings_in_use(void **state)
{
	static const char *const good[] = {
		"1.3.1(003)",
		"1.3.1(003_240)",
		"1.3.3",
		"6.1.5(a)",
		"5.1.8",
		"7.4.3a",
		"7.4.9c",
		"7.5.2b",
		"7.6.2f",
		"7.6.2SR7",
		"1.4.1 SR3",
		"1.4.1(SR5)",
		"1.3.5(004p_XU001)",
		"1.4.1SR1(002)d-hisec",
		"3.1.16(LS)",
		"2.00.26",
		"1.2.6(003)",
		"2.0.6(b)",
		"2.0.11",
		"1.0.33",
		"11-1-0-MSR4",
		"11.1(0)MSR4",
		"11.1.0MSR2",
		"11.2(4)",
		"11.1.1MSR1-1",
		"11.0.1",
		"11.3(1)",
		"11.3(5)",
		"12.0(3)",
		"12.0(7)SR2",
		"11.3.1MPP0001-191",
		"12-0-3MPP0001-87",
		"sip88xx.11-0-0MPP-376",
		"sip88xx.11-3-2MPP0001-609",
		"5.1.3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		parsed(good[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_table),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_total_order),
		cmocka_unit_test(test_registry_versions),
		cmocka_unit_test(test_spellings_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
