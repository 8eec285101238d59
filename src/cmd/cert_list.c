#include "cmd/cert_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/device_common.h"
#include "pki/certdir.h"
#include "server/config.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* What list, check and rollback work on. */
struct folder {
	const char *directory, *config_path, *uri, *at_text;
	bool json;
	struct config *config;
	char *path;
	struct cert_fleet fleet;
	struct cert_view *views; /* all of the folder */
	size_t count;
	time_t at;
};

static void
folder_clear(struct folder *folder)
{
	cert_views_free(folder->views, folder->count);
	cert_fleet_clear(&folder->fleet);
	config_free(folder->config);
	free(folder->path);
}

static int
folder_open(struct folder *folder, struct error *err)
{
	if (cert_load_config(folder->config_path, &folder->config) != 0) {
		*err = (struct error) { 0 };
		return -1;
	}
	folder->path = cert_find_directory(folder->directory, folder->config);
	if (cert_fleet_load(&folder->fleet, folder->uri,
		folder->config_path != NULL ? folder->config : NULL, err) != 0)
		return -1;
	return cert_load_directory(folder->path, &folder->views, &folder->count,
	    err);
}

/* err is empty when all is said already. */
static int
folder_fail(const struct error *err)
{
	return err->kind == ERROR_NONE ? CMD_FAILED : cmd_fail(err);
}

/* -------------------------------------------------------------------- list */

static int
list_json(const struct folder *folder)
{
	json_t *list = json_array();

	for (size_t i = 0; i < folder->count; i++) {
		json_t *object = cert_view_json(&folder->views[i],
		    &folder->fleet);

		(void)json_object_set_new(object, "kept",
		    json_integer(certdir_kept(folder->path,
			folder->views[i].name)));
		(void)json_array_append_new(list, object);
	}
	return cert_print_json(list);
}

static int
list_table(const struct folder *folder)
{
	if (folder->count == 0)
		cmd_error("no certificate in %s; \"sprov cert import\" "
			  "installs one",
		    folder->path);
	return cert_print_table(folder->views, folder->count, "NAME",
		   &folder->fleet) == 0 ?
	    CMD_DONE :
	    CMD_FAILED;
}

int
cert_list(int argc, char **argv)
{
	struct folder folder = { .at = clock_wall() };
	const struct cmd_option options[] = {
		CERT_DIR_OPTION(&folder.directory),
		CERT_CONFIG_OPTION(&folder.config_path),
		CERT_INVENTORY_OPTION(&folder.uri),
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &folder.json },
	};
	const struct cmd_syntax syntax = { "sprov cert list", "",
		"List the certificates that are installed.  DEVICES accept "
		"it; ALONE of them\naccept nothing else there that lasts "
		"longer.\n",
		options, LENGTH(options), 0, 0 };
	struct error err = { 0 };
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc >= 0)
		return rc;
	if (folder_open(&folder, &err) != 0) {
		rc = folder_fail(&err);
	} else {
		for (size_t i = 0; i < folder.count; i++)
			cert_view_weigh(&folder.views[i], &folder.fleet,
			    folder.views, folder.count, folder.at);
		rc = folder.json ? list_json(&folder) : list_table(&folder);
	}
	folder_clear(&folder);
	return rc;
}

/* ------------------------------------------------------------------- check */

static void
print_devices(const struct cert_view *view, const struct cert_fleet *fleet)
{
	if (!fleet->known) {
		(void)printf("  devices   not known: there is no inventory\n");
		return;
	}
	(void)printf("  devices   %zu of %zu accept it", view->fits,
	    fleet->count);
	if (view->unknown > 0)
		(void)printf("; of %zu nobody knows whether", view->unknown);
	(void)printf("\n  lost      %zu when it ends: they accept nothing "
		     "else here that lasts\n            longer (%zu of them "
		     "are known "
		     "to look at dates)\n",
	    view->alone, view->alone_dated);
}

static void
check_print(const struct cert_view *view, const struct cert_fleet *fleet)
{
	char from[CLOCK_TEXT_BYTES], until[CLOCK_TEXT_BYTES], ca[64];
	char *subject = cert_subject_text(view->certs[0]);

	clock_format(view->not_before, from);
	clock_format(view->not_after, until);
	(void)printf("%s: %s\n  subject   ", view->name, cert_view_state(view));
	cert_print_wrapped(subject, 12);
	(void)printf("  host      %s%s\n", view->host,
	    view->has_san ? ", in the SAN too" : "");
	(void)printf("  CA        %s (%s)\n",
	    cert_view_ca(view, ca, sizeof(ca)),
	    identify_basis_name(view->issuer.basis));
	(void)printf("  valid     %.10s to %.10s, %ld days left\n", from, until,
	    view->days);
	(void)printf("  key       %d bits, signed with %s\n", view->bits,
	    view->digest);
	print_devices(view, fleet);
	if (view->finding_count > 0)
		(void)putchar('\n');
	cert_view_print_findings(view);
	free(subject);
}

/* A name in the folder before a file of that name here; that one is loaded into
 * what *found is before. */
static int
check_find(struct folder *folder, const char *text, struct cert_view **found,
    struct error *err)
{
	for (size_t i = 0; i < folder->count; i++)
		if (strcmp(folder->views[i].name, text) == 0) {
			*found = &folder->views[i];
			return 0;
		}
	if (strchr(text, '/') == NULL && access(text, F_OK) != 0)
		return error_set(err, ERROR_NOT_FOUND,
		    "%s: no file, and no certificate of that name in %s: "
		    "\"sprov cert list\" lists them",
		    text, folder->path);
	return cert_view_load(*found, text, text, err);
}

static int
check_one(struct folder *folder, const char *text)
{
	struct cert_view single = { 0 }, *view = &single;
	struct error err = { 0 };
	int rc;

	if (folder_open(folder, &err) != 0 ||
	    check_find(folder, text, &view, &err) != 0) {
		rc = folder_fail(&err);
	} else if (view->certs == NULL) {
		cmd_error("%s", view->findings[0].text);
		rc = CMD_FAILED;
	} else {
		cert_view_weigh(view, &folder->fleet, folder->views,
		    folder->count, folder->at);
		rc = CMD_DONE;
		if (folder->json)
			rc = cert_print_json(cert_view_json(view,
			    &folder->fleet));
		else
			check_print(view, &folder->fleet);
		if (rc == CMD_DONE && cert_view_needs_attention(view))
			rc = CMD_PROBLEM;
	}
	cert_view_clear(&single);
	return rc;
}

int
cert_check(int argc, char **argv)
{
	struct folder folder = { .at = clock_wall() };
	const struct cmd_option options[] = {
		{ .name = "at",
		    .letter = 'a',
		    .value = "DATE",
		    .help = "as of that day, as 2027-01-31 (today)",
		    .text = &folder.at_text },
		CERT_DIR_OPTION(&folder.directory),
		CERT_CONFIG_OPTION(&folder.config_path),
		CERT_INVENTORY_OPTION(&folder.uri),
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &folder.json },
	};
	const struct cmd_syntax syntax = { "sprov cert check", "FILE|NAME",
		"Say what a certificate is worth to the fleet, and who is "
		"lost when it ends.\nExit status: 0 good, 1 failed, 3 needs "
		"attention.\n",
		options, LENGTH(options), 1, 1 };
	struct error err;
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc >= 0)
		return rc;
	if (folder.at_text != NULL &&
	    cert_parse_date(folder.at_text, &folder.at, &err) != 0) {
		cmd_error("--at %s", err.text);
		return CMD_USAGE;
	}
	rc = check_one(&folder, argv[first]);
	folder_clear(&folder);
	return rc;
}

/* ---------------------------------------------------------------- rollback */

static int
rollback_one(struct folder *folder, const char *name, uint64_t number)
{
	char *path = certdir_certificate_path(folder->path, name, 0);
	char until[CLOCK_TEXT_BYTES];
	struct cert_view view = { 0 };
	struct error err;
	int rc = CMD_DONE;

	if (certdir_rollback(folder->path, name, (unsigned)number, &err) != 0 ||
	    cert_view_load(&view, name, path, &err) != 0) {
		rc = cmd_fail(&err);
	} else if (folder->json) {
		cert_view_weigh(&view, &folder->fleet, NULL, 0, folder->at);
		rc = cert_print_json(cert_view_json(&view, &folder->fleet));
	} else {
		clock_format(view.not_after, until);
		(void)printf("%s: back to certificate %u: %s, until %.10s\n"
			     "The one that was there is now %s.1; SIGHUP tells "
			     "the "
			     "server.\n",
		    name, (unsigned)number, view.host, until, path);
		if (view.not_after < folder->at)
			cmd_error("%s: this one has expired", name);
	}
	cert_view_clear(&view);
	free(path);
	return rc;
}

int
cert_rollback(int argc, char **argv)
{
	struct folder folder = { .at = clock_wall() };
	const char *number_text = NULL;
	uint64_t number = 1;
	const struct cmd_option options[] = {
		CERT_DIR_OPTION(&folder.directory),
		CERT_CONFIG_OPTION(&folder.config_path),
		{ .name = "number",
		    .letter = 'n',
		    .value = "N",
		    .help = "to NAME.crt.N (1, the one before)",
		    .text = &number_text },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &folder.json },
	};
	const struct cmd_syntax syntax = { "sprov cert rollback", "NAME",
		"Go back to a certificate that was there before, with its "
		"key.  Nothing is lost:\nanother rollback undoes it.\n",
		options, LENGTH(options), 1, 1 };
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc < 0)
		rc = cmd_number(&syntax, "number", number_text, 1,
		    CERTDIR_KEPT_MAX, &number);
	if (rc >= 0)
		return rc;
	if (cert_load_config(folder.config_path, &folder.config) != 0) {
		rc = CMD_FAILED;
	} else {
		folder.path = cert_find_directory(folder.directory,
		    folder.config);
		rc = rollback_one(&folder, argv[first], number);
	}
	folder_clear(&folder);
	return rc;
}
