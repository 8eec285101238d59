#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "inventory/import.h"
#include "inventory/inventory.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static int
check_model(const char *text, char name[static INVENTORY_NAME_MAX + 1],
    struct error *err)
{
	static const char *const known[] = { "SPA504G", "SPA962" };

	for (size_t i = 0; i < LENGTH(known); i++)
		if (strcasecmp(text, known[i]) == 0) {
			memcpy(name, known[i], strlen(known[i]) + 1);
			return 0;
		}
	return error_set(err, ERROR_NOT_FOUND, "unknown model");
}

static int
check_firmware(const char *text, struct error *err)
{
	if (text[0] >= '0' && text[0] <= '9')
		return 0;
	return error_set(err, ERROR_INPUT, "no firmware");
}

static int
import_bytes(struct inventory *inventory, const char *text, size_t len,
    bool update, struct import_counts *counts, struct errors *errors)
{
	const struct import_options options = {
		.name = "t.csv",
		.check_model = check_model,
		.check_firmware = check_firmware,
		.update = update,
	};

	return import_csv(inventory, text, len, &options, counts, errors);
}

static struct inventory *
open_memory(void)
{
	struct error err = { 0 };
	struct inventory *inventory = inventory_open("memory:", false, &err);

	assert_non_null(inventory);
	return inventory;
}

static int
write_device(const struct device *device, void *arg)
{
	char mac[MAC_TEXT_BYTES];

	mac_format(&device->mac, mac);
	assert_int_equal(buf_printf(arg, "%s|%s|%s|%s|%s|%s", mac,
			     device->model, device->firmware, device->serial,
			     device->group, device_state_name(device->state)),
	    0);
	for (size_t i = 0; i < device->variables.count; i++)
		assert_int_equal(buf_printf(arg, "|%s=%s",
				     device->variables.list[i].name,
				     device->variables.list[i].value),
		    0);
	assert_int_equal(buf_append_text(arg, "\n"), 0);
	return 0;
}

static int
write_scope(const struct scope *scope, void *arg)
{
	assert_int_equal(buf_printf(arg, "%s\n", scope->name), 0);
	return 0;
}

static void
expect(struct inventory *inventory, const char *expected)
{
	struct error err = { 0 };
	struct buf buf;

	buf_init(&buf, 1024 * 1024);
	assert_int_equal(inventory_each_device(inventory, write_device, &buf,
			     &err),
	    0);
	assert_string_equal(buf_text(&buf), expected);
	buf_clear(&buf);
}

static const struct {
	const char *csv;
	const char *devices;
} good[] = {
	{ "mac,model\n", "" },
	{ "mac,model\n000e08aabbcc,spa504g\n",
	    "000e08aabbcc|SPA504G||||active\n" },
	/* no newline at the end; CRLF; byte order mark; blank lines */
	{ "mac,model\n000e08aabbcc,spa504g",
	    "000e08aabbcc|SPA504G||||active\n" },
	{ "\xef\xbb\xbfmac,model\r\n\r\n000e08aabbcc,SPA504G\r\n \r\n",
	    "000e08aabbcc|SPA504G||||active\n" },
	{ "mac,model\n000e08aabbcc,SPA504G\n,\n , \n",
	    "000e08aabbcc|SPA504G||||active\n" },
	{ "\n\nmac,model\n000e08aabbcc,SPA504G\n",
	    "000e08aabbcc|SPA504G||||active\n" },
	/* any order, all columns, any spelling of the MAC, capitals */
	{ "State,GROUP,Serial,Firmware,Model,MAC,User_ID_1_\n"
	  "retired,berlin,CBT1,7.5.4,SPA504G,00:0E:08:AA:BB:CC,100\n"
	  ",,,,SPA962,00-0e-08-aa-bb-cd,\n",
	    "000e08aabbcc|SPA504G|7.5.4|CBT1|berlin|retired|User_ID_1_=100\n"
	    "000e08aabbcd|SPA962||||active\n" },
	/* quotes */
	{ "mac,model,name\n\"000e08aabbcc\",SPA504G,\"M\xc3\xbcller, "
	  "\"\"Ada\"\"\"\n",
	    "000e08aabbcc|SPA504G||||active|name=M\xc3\xbcller, \"Ada\"\n" },
	{ "mac,model,name\n000e08aabbcc,SPA504G,\"two\nlines\"\n"
	  "000e08aabbcd,SPA962,\n",
	    "000e08aabbcc|SPA504G||||active|name=two\nlines\n"
	    "000e08aabbcd|SPA962||||active\n" },
	/* blanks around a cell are no part of it */
	{ "mac, model\n 000e08aabbcc , SPA504G\n",
	    "000e08aabbcc|SPA504G||||active\n" },
};

static void
expect_errors(const struct errors *errors, const char *expected)
{
	struct buf buf;

	buf_init(&buf, 1024 * 1024);
	for (size_t i = 0; i < errors->kept; i++)
		assert_int_equal(buf_printf(&buf, "%s\n", errors->text[i]), 0);
	assert_string_equal(buf_text(&buf), expected);
	buf_clear(&buf);
}

/* What maps, defaults, delimiters and encodings do. */
static void
test_options(void **state)
{
	static const struct import_map maps[] = {
		{ "Phone MAC", "mac" },
		{ "Type", "model" },
		{ "Ext", "User_ID_1_" },
		{ "Remark", "-" },
	};
	static const char csv[] =
	    "Phone MAC;Type;Ext;Remark;tags;Name\n"
	    "000e08aabbcc;SPA962;100;gone;a, b;M\xfcller\n"
	    "000e08aabbcd;;101;gone;;\"x;y\"\n";
	struct import_options options = {
		.name = "t.csv",
		.check_model = check_model,
		.check_firmware = check_firmware,
		.maps = maps,
		.map_count = LENGTH(maps),
		.model = "SPA504G",
		.group = "berlin",
		.tags = "new",
		.latin1 = true,
	};
	struct inventory *inventory = open_memory();
	struct import_counts counts;
	struct errors errors = { 0 };
	struct device device;
	struct mac mac;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(import_csv(inventory, csv, strlen(csv), &options,
			     &counts, &errors),
	    0);
	assert_int_equal(mac_parse(&mac, "000e08aabbcc", &err), 0);
	assert_int_equal(inventory_get_device(inventory, &mac, &device, &err),
	    0);
	assert_string_equal(device.model, "SPA962");
	assert_string_equal(device.group, "berlin");
	assert_int_equal(device.tags.count, 2);
	assert_int_equal(device.variables.count, 2);
	assert_string_equal(variables_get(&device.variables, "Name"),
	    "M\xc3\xbcller");
	device_clear(&device);
	assert_int_equal(mac_parse(&mac, "000e08aabbcd", &err), 0);
	assert_int_equal(inventory_get_device(inventory, &mac, &device, &err),
	    0);
	assert_string_equal(device.model, "SPA504G");
	assert_string_equal(device.tags.list[0], "new");
	assert_string_equal(variables_get(&device.variables, "Name"), "x;y");
	device_clear(&device);
	/* The same once more changes nothing. */
	options.update = true;
	assert_int_equal(import_csv(inventory, csv, strlen(csv), &options,
			     &counts, &errors),
	    0);
	assert_int_equal(counts.unchanged, 2);
	assert_int_equal(counts.updated, 0);
	/* A map of a column that is not there is a mistake. */
	options.map_count = 3;
	options.maps = (const struct import_map[]) { { "MAC", "mac" },
		{ "x", "-" }, { "y", "-" } };
	assert_int_equal(import_csv(inventory, "MAC\n000e08aabbce\n", 17,
			     &options, &counts, &errors),
	    -1);
	expect_errors(&errors, "t.csv:1: there is no column \"x\" to map\n");
	errors_clear(&errors);
	inventory_close(inventory);
}

/* A stream of one endless line, and how much of it was read. */
static int
read_endless(void *arg, char *data, size_t size, size_t *len, struct error *err)
{
	size_t *left = arg;

	(void)err;
	*len = *left < size ? *left : size;
	memset(data, 'a', *len);
	*left -= *len;
	return 0;
}

static void
test_endless_line(void **state)
{
	const struct import_options options = { .name = "t.csv",
		.check_model = check_model,
		.check_firmware = check_firmware };
	struct inventory *inventory = open_memory();
	struct import_counts counts;
	struct errors errors = { 0 };
	size_t left = 100 * 1024 * 1024;

	(void)state;
	assert_int_equal(import_stream(inventory, read_endless, &left, &options,
			     &counts, &errors),
	    -1);
	expect_errors(&errors,
	    "t.csv:1: the row is longer than 65536 bytes: is a quote "
	    "missing?\n");
	assert_int_equal(left, 0);
	errors_clear(&errors);
	inventory_close(inventory);
}

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++) {
		struct inventory *inventory = open_memory();
		struct import_counts counts = { 9, 9, 9, 9 };
		struct errors errors = { 0 };
		int rc = import_bytes(inventory, good[i].csv,
		    strlen(good[i].csv), false, &counts, &errors);

		if (rc != 0)
			print_error("case %zu: %s\n", i, errors.text[0]);
		assert_int_equal(rc, 0);
		assert_int_equal(errors.count, 0);
		assert_int_equal(counts.rows, counts.added);
		assert_int_equal(counts.updated, 0);
		expect(inventory, good[i].devices);
		inventory_close(inventory);
	}
}

#define HEAD "mac,model,firmware,serial,group,state,name\n"
#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const struct {
	const char *csv;
	const char *errors; /* all of them, a line each */
} bad[] = {
	{ "",
	    "t.csv:1: the file is empty: the first row has to name the "
	    "columns, \"mac\" and \"model\" among them\n" },
	{ "\n \n",
	    "t.csv:2: the file is empty: the first row has to name the "
	    "columns, \"mac\" and \"model\" among them\n" },
	{ "\xff\xfem\0",
	    "t.csv:1: the file is in UTF-16: save it as \"CSV "
	    "UTF-8\"\n" },
	{ "\xfe\xff",
	    "t.csv:1: the file is in UTF-16: save it as \"CSV "
	    "UTF-8\"\n" },
	/* the header */
	{ "000e08aabbcc,SPA504G\n",
	    "t.csv:1: column 1: \"000e08aabbcc\" is a device: the first row "
	    "has to name the columns, \"mac\" and \"model\" among them\n" },
	{ "model,name\nSPA504G,x\n",
	    "t.csv:1: there is no column \"mac\": the first row has to name "
	    "the "
	    "columns, \"mac\" and \"model\" among them, with commas "
	    "between; --map \"COLUMN=mac\" takes another one as it\n" },
	{ "\nmac,name\n000e08aabbcc,x\n",
	    "t.csv:2: there is no column \"model\": the first row has to name "
	    "the columns, \"mac\" and \"model\" among them, with commas "
	    "between; --map \"COLUMN=model\" takes another one as it\n" },
	{ "mac,model,My Name\n",
	    "t.csv:1: column 3: \"My Name\" is not the name of a variable: "
	    "expected a letter or '_', then letters, digits, '_', '-' or '.', "
	    "at most 63 in all; --map \"My Name=NAME\" takes it under another "
	    "name, =- not at all\n" },
	{ "mac,model,a,MAC\n",
	    "t.csv:1: columns 1 and 4 have the same name, \"MAC\"\n" },
	{ "mac,model,a,b,a\n",
	    "t.csv:1: columns 3 and 5 have the same name, \"a\"\n" },
	{ "mac,model,Parent\n",
	    "t.csv:1: column 3: \"parent\" is a field of groups, and no "
	    "variable "
	    "may have its name\n" },
	{ "mac,model,\n",
	    "t.csv:1: column 3: \"\" is not the name of a variable: expected a "
	    "letter or '_', then letters, digits, '_', '-' or '.', at most 63 "
	    "in all; --map \"=NAME\" takes it under another name, =- not at "
	    "all\n" },
	{ "mac,mo\"del\n000e08aabbcc,SPA504G\n",
	    "t.csv:1: a quote stands where none can be: a cell with quotes in "
	    "it "
	    "is put in quotes, and those in it are doubled\n" },
	{ "mac,m\xf6"
	  "del\n",
	    "t.csv:1:6: the line holds bytes that are not UTF-8: expected text "
	    "in UTF-8; is it Latin-1 (--encoding latin-1)?\n" },
	/* cells */
	{ HEAD "x,SPA504G,,,,,\n,SPA504G,,,,,\n",
	    "t.csv:2: \"x\" is not a MAC address: expected 12 hex digits, bare "
	    "or in pairs split by ':' or '-'\n"
	    "t.csv:3: the MAC is missing\n" },
	{ HEAD "000e08aabbcc,SPA1,,,,,\n000e08aabbcd,,,,,,\n",
	    "t.csv:2: unknown model\nt.csv:3: the model is missing\n" },
	{ HEAD "000e08aabbcc,SPA504G,new,,,,\n", "t.csv:2: no firmware\n" },
	{ HEAD "000e08aabbcc,SPA504G,,,,old,\n",
	    "t.csv:2: \"old\" is not a state: expected active or retired\n" },
	{ HEAD "000e08aabbcc,SPA504G,1" SIXTY "aaa,,,,\n",
	    "t.csv:2: the firmware \"1" SIXTY "aaa\" is 64 bytes long, at most "
	    "63 are allowed\n" },
	{ HEAD "000e08aabbcc,SPA504G,," SIXTY "aaaa,,,\n",
	    "t.csv:2: the serial number \"" SIXTY "aaaa\" is 64 bytes long, at "
	    "most 63 are allowed\n" },
	{ HEAD "000e08aabbcc,SPA504G,,," SIXTY "aaaa,,\n",
	    "t.csv:2: the group \"" SIXTY "aaaa\" is 64 bytes long, at most 63 "
	    "are allowed\n" },
	{ HEAD "000e08aabbcc,SPA504G,,,\"a\tb\",,\n",
	    "t.csv:2: the group \"a\\x09b\" holds a control character\n" },
	{ HEAD "000e08aabbcc,SPA504G,,,,,\"a\r\nb\"\n",
	    "t.csv:2: the value of name holds a control character\n" },
	/* rows */
	{ HEAD "000e08aabbcc,SPA504G\n000e08aabbcd,SPA504G,,,,,,\n",
	    "t.csv:2: 2 cells, expected 7 as in the first row\n"
	    "t.csv:3: 8 cells, expected 7 as in the first row\n" },
	{ HEAD "000e08aabbcc,SPA504G,,,,,\n\n00:0E:08:AA:BB:CC,SPA962,,,,,\n"
	       "00-0e-08-aa-bb-cc,SPA962,,,,,\n",
	    "t.csv:4: the device 000e08aabbcc is in line 2 already\n"
	    "t.csv:5: the device 000e08aabbcc is in line 2 already\n" },
	{ HEAD "000e08aabbcc,SPA504G,,,,,M\xfcller\n"
	       "000e08aabbcd,SPA504G,,,,,a\x01\n"
	       "000e08aabbce,SPA504G,,,,,a\rb\n"
	       "000e08aabbcf,SPA504G,,,,,good\n"
	       "000e08aabbcf,SPA504G,,,,,twice\n",
	    "t.csv:2:27: the line holds bytes that are not UTF-8: expected "
	    "text in UTF-8; is it Latin-1 (--encoding latin-1)?\n"
	    "t.csv:3:27: the line holds a control character: expected text in "
	    "UTF-8\n"
	    "t.csv:4:27: the line holds a control character: expected text in "
	    "UTF-8\n"
	    "t.csv:6: the device 000e08aabbcf is in line 5 already\n" },
	{ HEAD "000e08aabbcc,SPA504G,,,,,a\"b\n000e08aabbcd,x,,,,,\n",
	    "t.csv:2: a quote stands where none can be: a cell with quotes in "
	    "it "
	    "is put in quotes, and those in it are doubled\n"
	    "t.csv:3: unknown model\n" },
	{ HEAD "000e08aabbcc,SPA504G,,,,,\"a\n000e08aabbcd,SPA504G,,,,,\n",
	    "t.csv:2: a quoted cell does not end\n" },
	/* the line of a row is the one it begins in */
	{ HEAD "000e08aabbcc,SPA504G,,,,,\"a\nb\nc\"\n000e08aabbcd,x,,,,,\n",
	    "t.csv:5: unknown model\n" },
	{ HEAD "000e08aabbcc,x,,,,,\"a\nb\nc\"\n", "t.csv:2: unknown model\n" },
};

/* Each alone, and beside a good row that must not get in either. */
static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct inventory *inventory = open_memory();
		struct import_counts counts = { 9, 9, 9, 9 };
		struct errors errors = { 0 };
		struct error err = { 0 };
		struct scope scope;
		uint64_t before, after;

		assert_int_equal(inventory_change_number(inventory, &before,
				     &err),
		    0);
		assert_int_equal(import_bytes(inventory, bad[i].csv,
				     strlen(bad[i].csv), false, &counts,
				     &errors),
		    -1);
		expect_errors(&errors, bad[i].errors);
		expect(inventory, "");
		assert_int_equal(counts.rows, 9);
		assert_int_equal(inventory_change_number(inventory, &after,
				     &err),
		    0);
		assert_int_equal(before, after);
		assert_int_equal(inventory_get_scope(inventory, SCOPE_GROUP,
				     "berlin", &scope, &err),
		    -1);
		errors_clear(&errors);
		inventory_close(inventory);
	}
}

static void
test_nothing_half(void **state)
{
	static const char csv[] = "mac,model,group\n"
				  "000e08aabbcc,SPA504G,berlin\n"
				  "000e08aabbcd,unknown,hamburg\n"
				  "000e08aabbce,SPA504G,berlin\n";
	struct inventory *inventory = open_memory();
	struct import_counts counts;
	struct errors errors = { 0 };
	struct error err = { 0 };
	struct buf buf;

	(void)state;
	assert_int_equal(import_bytes(inventory, csv, strlen(csv), false,
			     &counts, &errors),
	    -1);
	assert_int_equal(errors.count, 1);
	expect(inventory, "");
	buf_init(&buf, 1000);
	assert_int_equal(inventory_each_scope(inventory, write_scope, &buf,
			     &err),
	    0);
	assert_string_equal(buf_text(&buf), "");
	buf_clear(&buf);
	errors_clear(&errors);
	inventory_close(inventory);
}

static void
test_update(void **state)
{
	static const char first[] =
	    "mac,model,firmware,serial,group,state,a,b\n"
	    "000e08aabbcc,SPA504G,7.5.4,S1,berlin,retired,1,2\n";
	static const char second[] = "mac,model,firmware,state,a,c\n"
				     "00:0e:08:aa:bb:cc,,7.5.6,,,3\n"
				     "000e08aabbcd,SPA962,,retired,4,\n";
	struct inventory *inventory = open_memory();
	struct import_counts counts;
	struct errors errors = { 0 };

	(void)state;
	assert_int_equal(import_bytes(inventory, first, strlen(first), true,
			     &counts, &errors),
	    0);
	assert_int_equal(counts.added, 1);
	assert_int_equal(import_bytes(inventory, first, strlen(first), false,
			     &counts, &errors),
	    -1);
	expect_errors(&errors,
	    "t.csv:2: the device 000e08aabbcc is in the "
	    "inventory already\n");
	errors_clear(&errors);
	assert_int_equal(import_bytes(inventory, second, strlen(second), true,
			     &counts, &errors),
	    0);
	assert_int_equal(counts.rows, 2);
	assert_int_equal(counts.added, 1);
	assert_int_equal(counts.updated, 1);
	/* An empty cell sets nothing; a column that is not there neither. */
	expect(inventory,
	    "000e08aabbcc|SPA504G|7.5.6|S1|berlin|retired|a=1|b=2|c=3\n"
	    "000e08aabbcd|SPA962||||retired|a=4\n");
	inventory_close(inventory);
}

static void
test_nul(void **state)
{
	static const char csv[] = "mac,model\n000e08aabbcc,SPA504G\0x\n";
	struct inventory *inventory = open_memory();
	struct import_counts counts;
	struct errors errors = { 0 };

	(void)state;
	assert_int_equal(import_bytes(inventory, csv, sizeof(csv) - 1, false,
			     &counts, &errors),
	    -1);
	expect_errors(&errors,
	    "t.csv:2:21: the line holds a NUL byte: expected "
	    "text in UTF-8\n");
	errors_clear(&errors);
	inventory_close(inventory);
}

/* head, then count times unit, then tail */
static void
expect_long(const char *head, const char *unit, size_t count, const char *tail,
    const char *expected)
{
	struct inventory *inventory = open_memory();
	struct import_counts counts;
	struct errors errors = { 0 };
	struct buf buf;

	buf_init(&buf, 1024 * 1024);
	assert_int_equal(buf_append_text(&buf, head), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_append_text(&buf, unit), 0);
	assert_int_equal(buf_append_text(&buf, tail), 0);
	assert_int_equal(import_bytes(inventory, buf.data, buf.len, false,
			     &counts, &errors),
	    *expected == '\0' ? 0 : -1);
	expect_errors(&errors, expected);
	errors_clear(&errors);
	buf_clear(&buf);
	inventory_close(inventory);
}

static void
test_long(void **state)
{
	(void)state;
	expect_long("mac,model,a\n000e08aabbcc,SPA504G,", "x",
	    INVENTORY_VALUE_MAX, "\n", "");
	expect_long("mac,model,a\n000e08aabbcc,SPA504G,", "x",
	    INVENTORY_VALUE_MAX + 1, "\n",
	    "t.csv:2: the value of a is 4097 bytes long, at most 4096 are "
	    "allowed\n");
	/* In one line, and in a quoted cell over many. */
	expect_long("mac,model,a\n000e08aabbcc,SPA504G,", "x", IMPORT_ROW_MAX,
	    "\n000e08aabbcd,x,\n",
	    "t.csv:2: the row is longer than 65536 bytes: is a quote "
	    "missing?\nt.csv:3: unknown model\n");
	expect_long("mac,model,a\n000e08aabbcc,SPA504G,\"", "123456789012345\n",
	    IMPORT_ROW_MAX / 16 - 1, "",
	    "t.csv:2: the row is longer than 65536 bytes: is a quote "
	    "missing?\n");
	expect_long("mac,model", ",c", IMPORT_COLUMNS_MAX - 1, "\n",
	    "t.csv:1: 65 columns, at most 64 are allowed\n");
	expect_long("mac,model\n000e08aabbcc,SPA504G", ",", 10000, "\n",
	    "t.csv:2: 10002 cells, expected 2 as in the first row\n");
	expect_long("mac,model,", ",", IMPORT_ROW_MAX + 1, "\n",
	    "t.csv:1: the row is longer than 65536 bytes: is a quote "
	    "missing?\n");
}

static void
test_many_errors(void **state)
{
	struct inventory *inventory = open_memory();
	struct import_counts counts;
	struct errors errors = { 0 };
	struct buf buf;

	(void)state;
	buf_init(&buf, 1024 * 1024);
	assert_int_equal(buf_append_text(&buf, "mac,model\n"), 0);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(buf_append_text(&buf, "x,y\n"), 0);
	assert_int_equal(import_bytes(inventory, buf.data, buf.len, false,
			     &counts, &errors),
	    -1);
	assert_int_equal(errors.count, 5000);
	assert_int_equal(errors.kept, ERRORS_MAX);
	errors_clear(&errors);
	buf_clear(&buf);
	inventory_close(inventory);
}

static void
test_read_only(void **state)
{
	static const char csv[] = "mac,model\n000e08aabbcc,SPA504G\n";
	struct error err = { 0 };
	struct inventory *inventory = inventory_open("memory:", true, &err);
	struct import_counts counts;
	struct errors errors = { 0 };

	(void)state;
	assert_non_null(inventory);
	assert_int_equal(import_bytes(inventory, csv, strlen(csv), false,
			     &counts, &errors),
	    -1);
	expect_errors(&errors,
	    "t.csv: the inventory is open for reading only\n");
	errors_clear(&errors);
	inventory_close(inventory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nothing_half),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
