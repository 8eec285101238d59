/*
 * A file or folder of client anchors: what it lets in, what is wrong with it.
 */
#include "cmd/ca_common.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/ca_fleet.h"
#include "cmd/device_common.h"
#include "pki/cert.h"
#include "spa/bundle.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define CERTS_MAX 256 /* of all files of a folder */

struct examined {
	X509 **certs;
	char **files; /* where each is from; NULL: the file itself */
	size_t count;
	struct bundle bundle;
	struct ca_fleet fleet;
	struct ca_sources sources;
	/* What needs attention, in order of finding. */
	struct errors problems;
	time_t now;
};

/* -------------------------------------------------------------- reading */

static int
take_file(struct examined *ex, const char *path, const char *name,
    struct error *err)
{
	X509 **certs;
	size_t count;

	if (cert_read_file(path, &certs, &count, err) != 0)
		return -1;
	if (ex->count + count > CERTS_MAX) {
		cert_free_all(certs, count);
		return error_set(err, ERROR_INPUT,
		    "%s: more than %d certificates", path, CERTS_MAX);
	}
	ex->certs = xrealloc(ex->certs,
	    (ex->count + count) * sizeof(*ex->certs));
	ex->files = xrealloc(ex->files,
	    (ex->count + count) * sizeof(*ex->files));
	for (size_t i = 0; i < count; i++) {
		ex->certs[ex->count] = certs[i];
		ex->files[ex->count++] = name != NULL ? xstrdup(name) : NULL;
	}
	free(certs);
	return 0;
}

static int
is_certificate_name(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return *name != '.' &&
	    (text_ends(name, ".pem") || text_ends(name, ".crt") ||
		text_ends(name, ".cer"));
}

static int
take_folder(struct examined *ex, const char *path, struct error *err)
{
	struct dirent **names;
	int count = scandir(path, &names, is_certificate_name, alphasort);
	int rc = 0;

	if (count < 0)
		return error_errno(err, "%s", path);
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		char *file = file_join(path, name);
		char shown[4 * NAME_MAX + 1];

		text_escape(name, strlen(name), shown, sizeof(shown));
		if (rc == 0)
			rc = take_file(ex, file, shown, err);
		free(file);
		free(names[i]);
	}
	free(names);
	if (rc == 0 && count == 0)
		return error_set(err, ERROR_INPUT,
		    "%s: holds no *.pem, *.crt or *.cer", path);
	return rc;
}

static int
take(struct examined *ex, const char *path, struct error *err)
{
	struct stat status;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return take_folder(ex, path, err);
	return take_file(ex, path, NULL, err);
}

/* -------------------------------------------------------------- judging */

/* Active devices that may have a certificate under the CA. */
static size_t
count_devices(const struct examined *ex, const struct ca *ca)
{
	size_t count = 0;

	for (size_t i = 0; i < ex->fleet.group_count; i++)
		if (bundle_ca_signs(ca, ex->fleet.groups[i].model))
			count += ex->fleet.groups[i].count;
	return count;
}

/* Does it matter to this fleet?  Without one, everything does. */
static bool
matters(const struct examined *ex, const struct ca *ca)
{
	return !ex->fleet.present || count_devices(ex, ca) > 0;
}

/* Another entry that is the same CA and valid. */
static bool
has_valid_twin(const struct examined *ex, size_t index)
{
	const struct bundle_entry *entry = &ex->bundle.entries[index];

	for (size_t i = 0; i < ex->bundle.count; i++) {
		const struct bundle_entry *other = &ex->bundle.entries[i];

		if (i != index && other->known.ca == entry->known.ca &&
		    bundle_is_genuine(other) && !other->expired &&
		    !other->not_yet_valid)
			return true;
	}
	return false;
}

static void
judge_dates(struct examined *ex, size_t i)
{
	const struct bundle_entry *entry = &ex->bundle.entries[i];
	const struct ca *ca = entry->known.ca;
	char date[CMD_DATE_BYTES];

	if (ca != NULL && (!matters(ex, ca) || has_valid_twin(ex, i)))
		return;
	cmd_date(cert_not_after(entry->cert), date);
	if (entry->expired && ca != NULL)
		errors_add(&ex->problems,
		    "%zu: %s expired on %s: devices "
		    "under it are refused, unless sprov.conf has "
		    "allow-expired-anchor \"%s\"",
		    i + 1, ca->id, date, ca->common_name);
	else if (entry->expired)
		errors_add(&ex->problems, "%zu: expired on %s", i + 1, date);
	if (entry->not_yet_valid)
		errors_add(&ex->problems, "%zu: is not valid yet", i + 1);
}

static void
judge_entry(struct examined *ex, size_t i)
{
	const struct bundle_entry *entry = &ex->bundle.entries[i];

	if (entry->same_as != i) {
		errors_add(&ex->problems, "%zu: is %zu once more: remove one",
		    i + 1, entry->same_as + 1);
		return;
	}
	if (entry->denied != NULL)
		errors_add(&ex->problems, "%zu: %s: remove it: %s", i + 1,
		    entry->denied->id, entry->denied->reason);
	else if (entry->server != NULL)
		errors_add(&ex->problems,
		    "%zu: %s signs servers, not "
		    "devices: it lets nobody in",
		    i + 1, entry->server->id);
	else if (entry->known.ca == NULL)
		errors_add(&ex->problems,
		    "%zu: is no client anchor that is "
		    "known: whoever has a certificate under it is let in",
		    i + 1);
	else if (!bundle_is_genuine(entry))
		errors_add(&ex->problems,
		    "%zu: has the name of %s, but is "
		    "another certificate with another key: reissued, or not "
		    "what it says; ask where it comes from",
		    i + 1, entry->known.ca->id);
	judge_dates(ex, i);
}

static void
judge_missing(struct examined *ex, const struct ca *ca)
{
	if (!bundle_wants(ca) || bundle_has(&ex->bundle, ca) ||
	    !matters(ex, ca))
		return;
	errors_add(&ex->problems, "missing: %s (%s)", ca->id, ca->common_name);
}

static void
judge(struct examined *ex)
{
	for (size_t i = 0; i < ex->bundle.count; i++)
		judge_entry(ex, i);
	for (size_t i = 0; i < registry_ca_count; i++)
		judge_missing(ex, &registry_cas[i]);
}

/* ------------------------------------------------------------- in words */

/* Is this model the first of its family that may have a certificate under the
 * CA? */
static bool
begins_family(const struct ca *ca, size_t index)
{
	const struct model *model = &registry_models[index];

	if (!bundle_ca_signs(ca, model))
		return false;
	for (size_t i = 0; i < index; i++)
		if (strcmp(registry_models[i].family, model->family) == 0 &&
		    bundle_ca_signs(ca, &registry_models[i]))
			return false;
	return true;
}

/* The families that may have certificates under it, and how many devices. */
static void
print_families(const struct examined *ex, const char *words,
    const struct ca *ca)
{
	size_t column = (size_t)printf("     %s", words);

	for (size_t i = 0; i < registry_model_count; i++)
		if (begins_family(ca, i))
			column = cmd_wrap(column, 7, registry_models[i].family);
	if (ex->fleet.present)
		(void)cmd_wrapf(column, 7, "(%zu %s)",
		    DEVICES(count_devices(ex, ca)));
	(void)putchar('\n');
}

static void
print_properties(const struct bundle_entry *entry, size_t index)
{
	char date[CMD_DATE_BYTES];

	cmd_date(cert_not_after(entry->cert), date);
	(void)cmd_wrapf(0, 5, "%s %d, signed with %s,%s %s %s",
	    cert_is_rsa(entry->cert) ? "RSA" : "key of",
	    cert_key_bits(entry->cert), cert_signature_digest(entry->cert),
	    entry->weak_digest || entry->weak_key ? " weak," : "",
	    entry->expired ? "EXPIRED" : "valid to", date);
	(void)putchar('\n');
	if (entry->same_serial != index)
		(void)printf("     has the serial number of %zu, but is "
			     "another certificate\n",
		    entry->same_serial + 1);
}

static void
print_entry(struct examined *ex, size_t i)
{
	const struct bundle_entry *entry = &ex->bundle.entries[i];
	const struct ca *ca = entry->known.ca;
	char *subject = cert_subject_text(entry->cert);
	size_t column = (size_t)printf("%3zu", i + 1);

	if (ca != NULL)
		column = cmd_wrapf(column, 5, "%s, %s%s: %s", ca->id,
		    entry->known.lab ? "the lab's copy, " : "",
		    bundle_is_genuine(entry) ?
			identify_basis_name(entry->known.basis) :
			"BY NAME ONLY",
		    ca->common_name);
	else if (entry->server != NULL)
		column = cmd_wrapf(column, 5, "%s, A SERVER CA: %s",
		    entry->server->id, subject);
	else
		column = cmd_wrapf(column, 5, "%s: %s",
		    entry->denied != NULL ? "DENIED" : "UNKNOWN", subject);
	if (ex->files[i] != NULL)
		(void)cmd_wrapf(column, 5, "(%s)", ex->files[i]);
	(void)putchar('\n');
	print_properties(entry, i);
	if (ca != NULL) {
		print_families(ex, "lets in", ca);
		ca_sources_add(&ex->sources, ca->source);
	}
	free(subject);
}

static void
print_missing(struct examined *ex)
{
	bool any = false;

	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];

		if (!bundle_wants(ca) || bundle_has(&ex->bundle, ca))
			continue;
		if (!any)
			(void)printf("\nMISSING\n\n");
		any = true;
		(void)cmd_wrapf(0, 5, "%s%s: %s", ca->id,
		    ca->role == CA_CLIENT_ANCHOR ? ", a root" : "",
		    ca->common_name);
		(void)putchar('\n');
		if (*ca->note != '\0') {
			(void)cmd_wrapf(0, 7, "%s", ca->note);
			(void)putchar('\n');
		}
		print_families(ex, "would let in", ca);
		ca_sources_add(&ex->sources, ca->source);
	}
}

static void
print_bundle(struct examined *ex, const char *path)
{
	(void)printf("%s: %zu %s\n\n", path, ex->count,
	    ex->count == 1 ? "certificate" : "certificates");
	for (size_t i = 0; i < ex->count; i++)
		print_entry(ex, i);
	print_missing(ex);
	if (ex->problems.kept > 0)
		(void)printf("\nNEEDS ATTENTION\n\n");
	for (size_t i = 0; i < ex->problems.kept; i++) {
		(void)cmd_wrap(0, 2, ex->problems.text[i]);
		(void)putchar('\n');
	}
	if (ex->problems.count == 0)
		(void)printf("\nNothing needs attention.\n");
	ca_sources_print(&ex->sources);
}

/* -------------------------------------------------------------- as JSON */

static json_t *
families_json(const struct ca *ca)
{
	json_t *array = json_array();

	for (size_t i = 0; ca != NULL && i < registry_model_count; i++)
		if (begins_family(ca, i))
			(void)json_array_append_new(array,
			    json_string(registry_models[i].family));
	return array;
}

static json_t *
number_json(size_t number, bool is)
{
	return is ? json_integer((json_int_t)number) : json_null();
}

static json_t *
entry_json(const struct examined *ex, size_t i)
{
	const struct bundle_entry *entry = &ex->bundle.entries[i];
	const struct ca *ca = entry->known.ca;
	char *subject = cert_subject_text(entry->cert);
	char hex[2 * CERT_DIGEST_BYTES + 1], after[CLOCK_TEXT_BYTES];
	uint8_t digest[CERT_DIGEST_BYTES];
	json_t *object;

	cert_sha256(entry->cert, digest);
	text_hex(digest, sizeof(digest), hex);
	clock_format(cert_not_after(entry->cert), after);
	object = json_pack("{si ss? ss ss? ss? ss sb sb sb sb sb so so so so}",
	    "number", (int)i + 1, "file", ex->files[i], "subject", subject,
	    "ca", ca != NULL ? ca->id : NULL, "by",
	    ca != NULL ? identify_basis_name(entry->known.basis) : NULL,
	    "not_after", after, "genuine", bundle_is_genuine(entry), "expired",
	    entry->expired, "not_yet_valid", entry->not_yet_valid, "weak",
	    entry->weak_digest || entry->weak_key, "denied",
	    entry->denied != NULL, "server_ca",
	    entry->server != NULL ? json_string(entry->server->id) :
				    json_null(),
	    "same_as", number_json(entry->same_as + 1, entry->same_as != i),
	    "same_serial_as",
	    number_json(entry->same_serial + 1, entry->same_serial != i),
	    "families", families_json(ca));
	(void)json_object_set_new(object, "sha256", json_string(hex));
	free(subject);
	return object;
}

static int
print_bundle_json(const struct examined *ex)
{
	json_t *entries = json_array(), *missing = json_array();
	json_t *problems = json_array();

	for (size_t i = 0; i < ex->count; i++)
		(void)json_array_append_new(entries, entry_json(ex, i));
	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];

		if (bundle_wants(ca) && !bundle_has(&ex->bundle, ca))
			(void)json_array_append_new(missing,
			    json_pack("{ss ss so}", "ca", ca->id, "name",
				ca->common_name, "families",
				families_json(ca)));
	}
	for (size_t i = 0; i < ex->problems.kept; i++)
		(void)json_array_append_new(problems,
		    json_string(ex->problems.text[i]));
	return ca_print_json(json_pack("{so so so}", "certificates", entries,
	    "missing", missing, "problems", problems));
}

static void
examined_clear(struct examined *ex)
{
	bundle_clear(&ex->bundle);
	cert_free_all(ex->certs, ex->count);
	for (size_t i = 0; i < ex->count; i++)
		free(ex->files[i]);
	free(ex->files);
	ca_fleet_clear(&ex->fleet);
	ca_sources_clear(&ex->sources);
	errors_clear(&ex->problems);
}

int
ca_bundle(int argc, char **argv)
{
	struct examined ex = { .now = clock_wall() };
	const char *uri = NULL;
	bool json = false;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		CA_JSON_OPTION(&json),
	};
	const struct cmd_syntax syntax = { "sprov ca bundle", "FILE",
		"Examine client anchors (a file, or a folder of *.pem, *.crt "
		"and *.cer): which\nfamilies of devices they let in, what is "
		"expired, weak, double or unknown, and\nwhat is missing.  "
		"With an inventory only what its devices need counts.\n"
		"Exit status: 3 when something needs attention.\n",
		options, LENGTH(options), 1, 1 };
	struct error err = { 0 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status >= 0)
		return status;
	if (take(&ex, argv[first], &err) != 0) {
		status = cmd_fail(&err);
	} else if (ca_fleet_load(&ex.fleet, uri) != 0) {
		status = CMD_FAILED;
	} else {
		bundle_examine(&ex.bundle, ex.certs, ex.count, ex.now);
		judge(&ex);
		status = CMD_DONE;
		if (json)
			status = print_bundle_json(&ex);
		else
			print_bundle(&ex, argv[first]);
		if (status == CMD_DONE && ex.problems.count > 0)
			status = CMD_PROBLEM;
	}
	examined_clear(&ex);
	return status;
}
