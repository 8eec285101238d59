/*
 * What the values of variables may be.
 */
#include "cmd/device_common.h"
#include "provision/fields.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static int
list_json(const struct types *types, struct error *err)
{
	json_t *object = json_object();
	int rc;

	for (size_t i = 0; i < types->count; i++)
		(void)json_object_set_new(object, types->list[i].name,
		    json_string(types->list[i].type.text));
	rc = json_dumpf(object, stdout, JSON_INDENT(2));
	json_decref(object);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM, "cannot write JSON");
	(void)fputc('\n', stdout);
	return 0;
}

static int
list_table(const struct types *types, struct error *err)
{
	struct libscols_table *table = scols_new_table();
	int rc = table != NULL &&
		scols_table_new_column(table, "VARIABLE", 0.3, 0) != NULL &&
		scols_table_new_column(table, "TYPE", 0.7, SCOLS_FL_WRAP) !=
		    NULL ?
	    0 :
	    -1;

	for (size_t i = 0; rc == 0 && i < types->count; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (line == NULL ||
		    scols_line_set_data(line, 0, types->list[i].name) != 0 ||
		    scols_line_set_data(line, 1, types->list[i].type.text) != 0)
			rc = -1;
	}
	if (rc == 0 && types->count == 0)
		cmd_error("no variable is declared: each is text, or a secret "
			  "by its name");
	else if (rc == 0)
		rc = scols_print_table(table);
	scols_unref_table(table);
	return rc == 0 ? 0 :
			 error_set(err, ERROR_SYSTEM, "cannot print the table");
}

static int
list_types(const char *uri, bool json, struct error *err)
{
	struct inventory *inventory = device_open(uri, NULL);
	const struct types *types;
	int rc = -1;

	if (inventory == NULL)
		return -1;
	types = inventory_types(inventory, err);
	if (types != NULL)
		rc = json ? list_json(types, err) : list_table(types, err);
	inventory_close(inventory);
	return rc;
}

/* text NULL: take the declaration back. */
static int
put_type(const char *uri, const char *key, const char *name, const char *text,
    struct error *err)
{
	struct inventory *inventory;
	struct type type;
	int rc;

	if (fields_have(name))
		return error_set(err, ERROR_INPUT,
		    "%s is a field, and no variable may have its name", name);
	if (text != NULL && type_parse(&type, text, err) != 0)
		return -1;
	if ((inventory = device_open_with(uri, key, "device type")) == NULL)
		return -1;
	rc = inventory_put_type(inventory, name, text != NULL ? &type : NULL,
	    err);
	inventory_close(inventory);
	if (rc != 0)
		return error_prefix(err, "nothing was declared: ");
	if (text != NULL)
		(void)printf("%s is %s\n", name, type.text);
	else
		(void)printf("%s is not declared any more\n", name);
	return 0;
}

int
device_type(int argc, char **argv)
{
	const char *uri = NULL, *key = NULL;
	bool json = false, remove = false;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		DEVICE_KEY_OPTION(&key),
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &json },
		{ .name = "remove",
		    .letter = 'r',
		    .help = "take the declaration of NAME back",
		    .flag = &remove },
	};
	const struct cmd_syntax syntax = { "sprov device type", "[NAME TYPE]",
		"Declare what the values of a variable may be, or list what is "
		"declared.  TYPE is\ntext, secret, integer, \"integer "
		"MIN..MAX\", boolean, host, address or\n\"choice ONE|OTHER\"."
		"  Values that are there already have to be of it.\n",
		options, LENGTH(options), 0, 2 };
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);
	int operands = argc - first;

	if (status >= 0)
		return status;
	if (operands != (remove ? 1 : 2) && (operands != 0 || remove)) {
		cmd_error("expected %s; see sprov device type --help",
		    remove ? "--remove NAME" : "NAME TYPE");
		return CMD_USAGE;
	}
	if ((operands == 0 ? list_types(uri, json, &err) :
			     put_type(uri, key, argv[first],
				 remove ? NULL : argv[first + 1], &err)) == 0)
		return CMD_DONE;
	if (err.kind != ERROR_NONE)
		cmd_error("%s", err.text);
	return CMD_FAILED;
}
