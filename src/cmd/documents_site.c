#include "cmd/documents_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "inventory/snapshot.h"
#include "pki/seal.h"
#include "provision/render.h"
#include "provision/report.h"
#include "server/config.h"
#include "spa/flat_profile.h"
#include "spa/profile.h"

static int
load_key(struct documents_site *site)
{
	char *path = seal_key_find(profile_site_key(&site->site));
	struct error err = { 0 };

	if (path == NULL)
		return 0;
	site->key = seal_key_load(path, &err);
	free(path);
	return site->key != NULL ? 0 : (cmd_fail(&err), -1);
}

/* In the state directory; without a configuration, beside the inventory. */
static char *
documents_path(const struct documents_site *site, const char *inventory)
{
	const char *uri = profile_site_uri(&site->site, inventory);
	char *found = device_find_uri(uri), *folder, *path;

	if (site->site.config != NULL)
		folder = xstrdup(site->site.config->state_directory);
	else
		folder = file_directory(text_starts(found, "sqlite:") ?
			found + strlen("sqlite:") :
			found);
	path = file_join(folder, DOCUMENTS_FILE);
	free(folder);
	free(found);
	return path;
}

static int
open_documents(struct documents_site *site, const char *inventory)
{
	char *path = documents_path(site, inventory);
	struct error err = { 0 };
	int rc = 0;

	site->documents = documents_open(path, true, site->key, &err);
	if (site->documents == NULL && err.kind != ERROR_NOT_FOUND) {
		(void)cmd_fail(&err);
		rc = -1;
	}
	free(path);
	return rc;
}

int
documents_site_open(struct documents_site *site,
    const struct documents_site_options *options)
{
	*site = (struct documents_site) { .documents = NULL };
	if (profile_site_open(&site->site, options->config) != 0)
		return -1;
	site->site.secrets_key = options->secrets_key;
	if (profile_site_load(&site->site, options->inventory) == 0 &&
	    load_key(site) == 0 &&
	    open_documents(site, options->inventory) == 0)
		return 0;
	documents_site_close(site);
	return -1;
}

void
documents_site_close(struct documents_site *site)
{
	documents_close(site->documents);
	seal_key_release(site->key);
	profile_site_close(&site->site);
	*site = (struct documents_site) { .documents = NULL };
}

void
served_clear(struct served *served)
{
	flat_profile_free(served->profile);
	flat_profile_free(served->now);
	*served = (struct served) { .knowledge = SERVED_NEVER };
}

static int
parse(const char *text, size_t len, bool redact, struct flat_profile **profile,
    struct error *err)
{
	struct buf redacted;
	int rc = 0;

	buf_init(&redacted, DOCUMENT_TEXT_MAX);
	if (redact && report_redact(text, len, &redacted, err) == 0) {
		text = buf_text(&redacted);
		len = redacted.len;
	} else if (redact) {
		rc = -1;
	}
	if (rc == 0 && (*profile = flat_profile_read(text, len, err)) == NULL)
		rc = -1;
	buf_clear(&redacted);
	return rc;
}

/* What it would be served now, against what is known of before. */
static int
compare(const struct buf *now, const char *text, struct served *served,
    struct error *err)
{
	uint8_t hash[DOCUMENT_HASH_BYTES];
	bool redact;

	document_hash(buf_text(now), now->len, hash);
	served->is_same = served->knowledge != SERVED_NEVER &&
	    memcmp(hash, served->document.clear_sha256, sizeof(hash)) == 0;
	if (served->is_same)
		served->knowledge = SERVED_WHOLE;
	redact = served->knowledge == SERVED_REDACTED;
	if (parse(buf_text(now), now->len, redact, &served->now, err) != 0)
		return -1;
	if (served->is_same)
		return parse(buf_text(now), now->len, false, &served->profile,
		    err);
	return text == NULL ?
	    0 :
	    parse(text, strlen(text), false, &served->profile, err);
}

int
served_find(const struct documents_site *site, const struct device *device,
    struct served *served, struct error *err)
{
	char *text = NULL;
	struct buf now;
	int rc = 0;

	*served = (struct served) { .knowledge = SERVED_NEVER };
	if (site->documents != NULL)
		rc = documents_get(site->documents, &device->mac,
		    DOCUMENT_SERVED, &served->document, &text, err);
	if (rc < 0)
		return -1;
	if (rc == 1)
		served->knowledge = text == NULL ? SERVED_HASH :
		    served->document.form == DOCUMENT_REDACTED ?
						   SERVED_REDACTED :
						   SERVED_WHOLE;
	buf_init(&now, PROFILE_BYTES_MAX);
	rc = render_profile(site->site.templates, site->site.snapshot, device,
	    &now, err);
	if (rc == 0)
		rc = compare(&now, text, served, err);
	if (now.data != NULL)
		explicit_bzero(now.data, now.len);
	buf_clear(&now);
	seal_wipe(text);
	if (rc != 0)
		served_clear(served);
	return rc;
}

int
report_find(const struct documents_site *site, const struct mac *mac,
    enum document_kind kind, struct document *document,
    struct flat_profile **profile, struct error *err)
{
	char *text = NULL;
	int rc = 0;

	*profile = NULL;
	if (site->documents != NULL)
		rc = documents_get(site->documents, mac, kind, document, &text,
		    err);
	if (rc == 1 && text == NULL)
		rc = document->form == DOCUMENT_SEALED ?
		    error_set(err, ERROR_DENIED,
			"the report is sealed: name the server's key with "
			"--secrets-key") :
		    0;
	else if (rc == 1)
		rc = parse(text, strlen(text), false, profile, err) == 0 ? 1 :
									   -1;
	seal_wipe(text);
	return rc;
}

bool
documents_use_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0');
}

/* Control characters of ASCII, and those of Latin-1 as UTF-8 has them. */
void
documents_print_value(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0';
	     p++) {
		bool is_c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;

		if (*p < 0x20 || *p == 0x7f || is_c1)
			(void)printf("\\x%02x", is_c1 ? *++p : *p);
		else
			(void)putchar(*p);
	}
}

void
documents_time(time_t at, char text[static DOCUMENTS_TIME_BYTES])
{
	char full[CLOCK_TEXT_BYTES];

	clock_format(at, full);
	(void)snprintf(text, DOCUMENTS_TIME_BYTES, "%.10s %.5s UTC", full,
	    full + 11);
}
