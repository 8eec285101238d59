#include "provision/report.h"
#include "http/aes128gcm.h"
#include "spa/flat_profile.h"
#include "spa/parameter.h"
#include "spa/protection.h"
#include "spa/salted.h"
#include "spa/unprotect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void
wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->len);
	buf_clear(buf);
}

void
report_clear(struct report *report)
{
	wipe(&report->text);
	report->parameters = 0;
	*report->protection = '\0';
}

/* Unpack with each key in turn: nothing else tells which one it is. */
static int
try_keys(const struct report_input *input, struct buf *clear,
    struct unprotected *found, struct error *err)
{
	bool coded = strcasecmp(input->coding, AES128GCM_NAME) == 0;

	for (size_t i = 0; i < input->key_count; i++) {
		const char *key = input->keys[i];
		int rc = unprotect_as_device(coded ? NULL : key,
		    coded ? key : NULL, coded ? AES128GCM_NAME : "",
		    input->data, input->len, clear, found, err);

		if (rc == 0 || err->kind != ERROR_DENIED)
			return rc;
	}
	if (input->key_count == 0)
		return error_set(err, ERROR_DENIED,
		    "it is encrypted (%s), and the device has no key: set its "
		    "variable report_key",
		    coded ? AES128GCM_NAME : "AES-256-CBC");
	return error_set(err, ERROR_DENIED,
	    "it is encrypted (%s), and none of the device's %zu keys opens it",
	    coded ? AES128GCM_NAME : "AES-256-CBC", input->key_count);
}

static int
unpack(const struct report_input *input, struct buf *clear,
    struct report *report, struct error *err)
{
	struct unprotected found = { .gzip = false };
	struct protection protection;
	bool encrypted = salted_begins(input->data, input->len) ||
	    strcasecmp(input->coding, AES128GCM_NAME) == 0;
	int rc;

	rc = encrypted ? try_keys(input, clear, &found, err) :
			 unprotect_as_device(NULL, NULL, "", input->data,
			     input->len, clear, &found, err);
	if (rc != 0)
		return -1;
	if (strcasecmp(input->coding, "gzip") == 0 && !found.gzip)
		return error_set(err, ERROR_INPUT,
		    "Content-Encoding is gzip, and the body is not");
	protection.gzip = found.gzip;
	protection.cipher = found.cipher;
	(void)snprintf(report->protection, sizeof(report->protection), "%s",
	    protection_name(&protection));
	return 0;
}

static int
write_profile(const struct flat_profile *profile, struct buf *out,
    size_t *count, struct error *err)
{
	*count = 0;
	for (size_t i = 0; i < flat_profile_count(profile); i++)
		*count += flat_profile_at(profile, i)->counts;
	return flat_profile_write(profile, out, err);
}

/* Any XML: what is inside an element we put around it is read as strictly. */
static int
check_status(const struct buf *clear, struct error *err)
{
	const char *text = buf_text(clear);
	struct flat_profile *profile = NULL;
	const char *end;
	struct buf wrapped;
	int rc = -1;

	buf_init(&wrapped, clear->len + 64);
	if (strncmp(text, "<?xml", 5) == 0 &&
	    (end = strstr(text, "?>")) != NULL)
		text = end + 2;
	if (buf_printf(&wrapped, "<flat-profile>%s</flat-profile>", text) != 0)
		(void)error_set(err, ERROR_INPUT, "it is too long");
	else if ((profile = flat_profile_read(wrapped.data, wrapped.len,
		      err)) != NULL)
		rc = flat_profile_count(profile) > 0 ?
		    0 :
		    error_set(err, ERROR_INPUT, "it says nothing");
	flat_profile_free(profile);
	wipe(&wrapped);
	return rc;
}

static int
read_clear(const struct report_input *input, struct buf *clear,
    struct report *report, struct error *err)
{
	struct flat_profile *profile;
	int rc;

	if (memchr(buf_text(clear), '\0', clear->len) != NULL)
		return error_set(err, ERROR_INPUT, "it is not text");
	if (input->kind == DOCUMENT_STATUS) {
		if (check_status(clear, err) != 0)
			return -1;
		return buf_append(&report->text, buf_text(clear), clear->len);
	}
	profile = flat_profile_read(buf_text(clear), clear->len, err);
	if (profile == NULL)
		return -1;
	rc = write_profile(profile, &report->text, &report->parameters, err);
	flat_profile_free(profile);
	/* A delta may be empty: nothing has changed. */
	if (rc == 0 && report->parameters == 0 &&
	    input->kind == DOCUMENT_REPORT)
		return error_set(err, ERROR_INPUT, "it has no parameters");
	return rc;
}

int
report_read(const struct report_input *input, struct report *report,
    struct error *err)
{
	struct buf clear;
	int rc;

	*report = (struct report) { .parameters = 0 };
	buf_init(&report->text, DOCUMENT_TEXT_MAX);
	buf_init(&clear, DOCUMENT_TEXT_MAX);
	rc = unpack(input, &clear, report, err);
	if (rc == 0)
		rc = read_clear(input, &clear, report, err);
	wipe(&clear);
	if (rc != 0)
		report_clear(report);
	return rc;
}

static int
add_all(struct flat_profile *profile, const char *text, struct error *err)
{
	struct flat_profile *from = flat_profile_read(text, strlen(text), err);
	int rc = from != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < flat_profile_count(from); i++)
		if (flat_profile_at(from, i)->counts)
			rc = flat_profile_add(profile, flat_profile_at(from, i),
			    err);
	flat_profile_free(from);
	return rc;
}

int
report_merge(const char *older, const char *newer, struct buf *out,
    size_t *count, struct error *err)
{
	struct flat_profile *profile = flat_profile_new();
	int rc = add_all(profile, older, err);

	if (rc == 0)
		rc = add_all(profile, newer, err);
	if (rc == 0) {
		flat_profile_settle(profile);
		rc = write_profile(profile, out, count, err);
	}
	flat_profile_free(profile);
	return rc;
}

bool
report_is_secret(const char *path, const char *name, const char *value)
{
	/* Rules carry keys and passwords in their options: rule.h. */
	return parameter_is_secret(path, name) ||
	    strstr(value, "--key") != NULL || strstr(value, "--pwd") != NULL;
}

int
report_redact(const char *text, size_t len, struct buf *out, struct error *err)
{
	struct flat_profile *profile = flat_profile_read(text, len, err);
	int rc;

	if (profile == NULL)
		return -1;
	for (size_t i = 0; i < flat_profile_count(profile); i++) {
		const struct flat_parameter *p = flat_profile_at(profile, i);

		/* What does not count is not written. */
		if (p->counts && p->has_value && *p->value != '\0' &&
		    report_is_secret(p->path, p->name, p->value))
			flat_profile_set_value(profile, i, REPORT_REDACTED);
	}
	rc = flat_profile_write(profile, out, err);
	flat_profile_free(profile);
	return rc;
}
