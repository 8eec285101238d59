/*
 * The CAs in a table; all of one CA is for ca_show.c.
 */
#include "cmd/ca_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/ca_fleet.h"
#include "cmd/device_common.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct list {
	struct knowledge *knowledge;
	struct ca_fleet fleet;
	bool clients, json;
	time_t now;
};

static bool
is_listed(const struct list *list, const struct ca *ca)
{
	return list->clients ?
	    ca->role == CA_CLIENT_ANCHOR || ca->role == CA_CLIENT_INTERMEDIATE :
	    registry_is_server_ca(ca);
}

/* Devices that prove themselves with a certificate under this CA. */
static size_t
count_identities(const struct list *list, const struct ca *ca)
{
	size_t count = 0;

	for (size_t i = 0; i < list->fleet.group_count; i++) {
		const struct ca_fleet_group *group = &list->fleet.groups[i];
		const struct ca *anchor =
		    registry_find_ca(group->model->client_anchor);

		while (anchor != NULL && anchor != ca)
			anchor = anchor->issuer_id == NULL ?
			    NULL :
			    registry_find_ca(anchor->issuer_id);
		if (anchor != NULL)
			count += group->count;
	}
	return count;
}

static const char *
signs(const struct ca *ca)
{
	switch (ca->signing) {
	case CA_SIGNING_YES:
		return "yes";
	case CA_SIGNING_NO:
		break;
	case CA_SIGNING_UNKNOWN:
		return "?";
	}
	return "no";
}

/* ------------------------------------------------------------ the table */

#define CELLS_MAX 7
#define CELL_BYTES 32

struct line {
	char cell[CELLS_MAX][CELL_BYTES];
	size_t count;
};

static void
add_cell(struct line *line, const char *text)
{
	(void)snprintf(line->cell[line->count++], CELL_BYTES, "%s",
	    *text != '\0' ? text : "-");
}

static void
add_number(struct line *line, size_t number)
{
	(void)snprintf(line->cell[line->count++], CELL_BYTES, "%zu", number);
}

static void
fill_line(const struct list *list, const struct ca *ca, struct line *line)
{
	char date[CMD_DATE_BYTES], text[CELL_BYTES];

	*line = (struct line) { 0 };
	add_cell(line, ca->id);
	add_cell(line, ca->name);
	add_cell(line,
	    text_starts(ca->key_type, "RSA-") ? ca->key_type + 4 :
						ca->key_type);
	cmd_date(ca->not_after, date);
	(void)snprintf(text, sizeof(text), "%s%s", date,
	    ca_is_expired(ca, list->now) ? "!" : "");
	add_cell(line, text);
	if (!list->clients) {
		(void)snprintf(text, sizeof(text), "%s%s%s", signs(ca),
		    *ca->signing_until != '\0' ? " " : "", ca->signing_until);
		add_cell(line, text);
	} else {
		add_cell(line, ca->digest);
	}
	if (!list->fleet.present)
		return;
	if (list->clients) {
		add_number(line, count_identities(list, ca));
		return;
	}
	add_number(line,
	    ca_fleet_needing(&list->fleet, list->knowledge, ca, list->now));
	add_number(line, ca_fleet_accepting(&list->fleet, list->knowledge, ca));
}

static int
add_columns(const struct list *list, struct libscols_table *table)
{
	const char *const titles[] = { "ID", "NAME", "BITS", "VALID TO",
		list->clients ? "DIGEST" : "SIGNS",
		list->clients ? "DEVICES" : "NEED", "ACCEPT" };
	size_t count = !list->fleet.present ? 5 : list->clients ? 6 : 7;

	for (size_t i = 0; i < count; i++)
		if (scols_table_new_column(table, titles[i], 0.1,
			i == 1		     ? SCOLS_FL_TRUNC :
			    i == 2 || i >= 5 ? SCOLS_FL_RIGHT :
					       0) == NULL)
			return -1;
	return 0;
}

static int
add_lines(const struct list *list, struct libscols_table *table)
{
	for (size_t i = 0; i < registry_ca_count; i++) {
		struct libscols_line *row;
		struct line line;

		if (!is_listed(list, &registry_cas[i]))
			continue;
		fill_line(list, &registry_cas[i], &line);
		if ((row = scols_table_new_line(table, NULL)) == NULL)
			return -1;
		for (size_t j = 0; j < line.count; j++)
			if (scols_line_set_data(row, j, line.cell[j]) != 0)
				return -1;
	}
	return 0;
}

static void
print_notes(const struct list *list)
{
	(void)printf("\n\"!\": expired.  ");
	if (list->clients)
		(void)printf("\"sprov ca bundle FILE\" says which of these "
			     "a file holds.\n");
	else
		(void)printf("\"no DATE\": no new certificates since then; "
			     "old ones go on.\n");
	if (!list->fleet.present)
		return;
	if (list->clients)
		(void)cmd_wrapf(0, 0,
		    "DEVICES: of the %zu %s in the "
		    "inventory, those with a certificate under it, as far as "
		    "their models tell.",
		    DEVICES(list->fleet.device_count));
	else
		(void)cmd_wrapf(0, 0,
		    "Of the %zu %s in the inventory: ACCEPT "
		    "are known to trust it; NEED of them are known to trust "
		    "no other that is valid.",
		    DEVICES(list->fleet.device_count));
	(void)putchar('\n');
}

static int
print_table(const struct list *list)
{
	struct libscols_table *table = scols_new_table();
	int rc = table == NULL || add_columns(list, table) != 0 ||
	    add_lines(list, table) != 0 || scols_print_table(table) != 0;

	scols_unref_table(table);
	if (rc != 0) {
		cmd_error("cannot print the table");
		return CMD_FAILED;
	}
	print_notes(list);
	return CMD_DONE;
}

/* -------------------------------------------------------------- as JSON */

static json_t *
date_json(time_t when)
{
	char text[CLOCK_TEXT_BYTES];

	clock_format(when, text);
	return when == 0 ? json_null() : json_string(text);
}

static const char *
or_null(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

static json_t *
ca_json(const struct list *list, const struct ca *ca)
{
	json_t *object = json_pack("{ss ss ss? ss? so so sb ss ss? ss}", "id",
	    ca->id, "name", ca->name, "key", or_null(ca->key_type), "digest",
	    or_null(ca->digest), "not_before", date_json(ca->not_before),
	    "not_after", date_json(ca->not_after), "expired",
	    ca_is_expired(ca, list->now), "signs",
	    ca->signing == CA_SIGNING_UNKNOWN ? "unknown" : signs(ca),
	    "signed_until", or_null(ca->signing_until), "source", ca->source);

	if (object == NULL || !list->fleet.present)
		return object;
	if (list->clients) {
		(void)json_object_set_new(object, "devices",
		    json_integer((json_int_t)count_identities(list, ca)));
		return object;
	}
	(void)json_object_set_new(object, "devices_need",
	    json_integer((json_int_t)ca_fleet_needing(&list->fleet,
		list->knowledge, ca, list->now)));
	(void)json_object_set_new(object, "devices_accept",
	    json_integer((json_int_t)ca_fleet_accepting(&list->fleet,
		list->knowledge, ca)));
	return object;
}

static int
print_json(const struct list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < registry_ca_count; i++)
		if (is_listed(list, &registry_cas[i]))
			(void)json_array_append_new(array,
			    ca_json(list, &registry_cas[i]));
	return ca_print_json(array);
}

int
ca_list(int argc, char **argv)
{
	struct list list = { .now = clock_wall() };
	const char *claims = NULL, *uri = NULL;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		CA_CLAIMS_OPTION(&claims),
		{ .name = "clients",
		    .flag = &list.clients,
		    .help = "those that sign devices, not servers" },
		CA_JSON_OPTION(&list.json),
	};
	const struct cmd_syntax syntax = { "sprov ca list", "",
		"List the CAs that devices trust: key, validity, whether they "
		"still sign, and how\nmany devices of the inventory accept "
		"them or need them.\n",
		options, LENGTH(options), 0, 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	list.knowledge = ca_load_knowledge(claims, uri);
	if (list.knowledge == NULL || ca_fleet_load(&list.fleet, uri) != 0)
		status = CMD_FAILED;
	else
		status = list.json ? print_json(&list) : print_table(&list);
	ca_fleet_clear(&list.fleet);
	knowledge_free(list.knowledge);
	return status;
}
