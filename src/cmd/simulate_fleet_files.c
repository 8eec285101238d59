/*
 * What a fleet needs around it: an inventory, a template, profiles as files,
 * certificates as files.
 */
#include "cmd/simulate_fleet.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "provision/render.h"
#include "provision/template.h"
#include "sim/crowd.h"
#include "spa/macro.h"
#include "spa/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define TEMPLATE_NAME RENDER_DEFAULT_TEMPLATE
#define NAME_MAX_BYTES 512
#define FILE_MAX_BYTES (4 * 1024 * 1024)
#define PATHS_MAX_BYTES (1024 * 1024 * 1024)

/* ---------------------------------------------------------------- inventory */

static int
write_rows(const struct crowd *crowd, FILE *out)
{
	(void)fputs("mac,model,serial,user_id,display_name,proxy\n", out);
	for (size_t i = 0; i < crowd_count(crowd); i++) {
		struct mac mac = crowd_mac(crowd, i);
		char text[MAC_TEXT_BYTES], serial[CROWD_SERIAL_BYTES];

		mac_format(&mac, text);
		crowd_serial(crowd, i, serial);
		(void)fprintf(out,
		    "%s,%s,%s,%zu,Extension %zu,sip.example.net\n", text,
		    crowd_model(crowd, i)->name, serial, 1000000 + i,
		    1000000 + i);
	}
	return ferror(out) ? -1 : 0;
}

static int
write_csv(const struct crowd *crowd, struct error *err)
{
	char *path = xasprintf("%s/devices.csv", crowd_folder(crowd));
	FILE *out = fopen(path, "we");
	int rc = -1;

	if (out != NULL)
		rc = write_rows(crowd, out);
	if (out != NULL && fclose(out) != 0)
		rc = -1;
	if (rc != 0)
		(void)error_errno(err, "%s", path);
	free(path);
	return rc;
}

/* Lines of extensions until it is long enough: names and values as in real
 * profiles, some of them of the device. */
static int
fill_template(struct buf *out, size_t bytes)
{
	int rc = buf_append_text(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<flat-profile>\n"
	    "<Resync_On_Reset>Yes</Resync_On_Reset>\n"
	    "<Resync_Periodic>86400</Resync_Periodic>\n");

	for (unsigned i = 1; rc == 0 && out->len + 15 < bytes; i++)
		rc = buf_printf(out,
		    "<Line_Enable_%u_>Yes</Line_Enable_%u_>\n"
		    "<Display_Name_%u_>{{display_name}}</Display_Name_%u_>\n"
		    "<User_ID_%u_>{{user_id}}</User_ID_%u_>\n"
		    "<Proxy_%u_>{{proxy}}</Proxy_%u_>\n"
		    "<Register_Expires_%u_>3600</Register_Expires_%u_>\n"
		    "<Dial_Plan_%u_>(*xx|[3469]11|0|00|[2-9]xxxxxx|"
		    "1xxx[2-9]xxxxxxS0|xxxxxxxxxxxx.)</Dial_Plan_%u_>\n",
		    i, i, i, i, i, i, i, i, i, i, i, i);
	return rc != 0 ? rc : buf_append_text(out, "</flat-profile>\n");
}

static int
write_template(const struct crowd *crowd, size_t bytes, struct error *err)
{
	char *folder = xasprintf("%s/templates", crowd_folder(crowd));
	char *path = xasprintf("%s/" TEMPLATE_NAME, folder);
	struct buf text;
	int rc = -1;

	buf_init(&text, TEMPLATE_TEXT_MAX);
	if (fill_template(&text, bytes) != 0)
		(void)error_set(err, ERROR_INPUT,
		    "a template of %zu bytes is too long", bytes);
	else if (file_make_directory(folder, 0755, err) == 0)
		rc = file_create(path, 0644, buf_text(&text), text.len, err);
	buf_clear(&text);
	free(path);
	free(folder);
	return rc;
}

int
crowd_write_inventory(const struct crowd *crowd, size_t bytes,
    struct error *err)
{
	return write_csv(crowd, err) == 0 ? write_template(crowd, bytes, err) :
					    -1;
}

/* -------------------------------------------------------------------- files */

/* folder, and what path is for the device. */
static int
file_of(const struct crowd *crowd, size_t index, const char *folder,
    const char *path, char name[static NAME_MAX_BYTES], struct error *err)
{
	struct mac mac = crowd_mac(crowd, index);
	const struct model *model = crowd_model(crowd, index);
	char ma[MAC_TEXT_BYTES], mau[MAC_TEXT_BYTES];
	const struct macro list[] = { { "MA", ma, false },
		{ "MAU", mau, false }, { "PN", model->product, false },
		{ "PSN", model->series, false } };
	const struct macros macros = { list, sizeof(list) / sizeof(*list) };
	struct buf text;
	int rc;

	mac_format(&mac, ma);
	mac_format_upper(&mac, mau);
	buf_init(&text, NAME_MAX_BYTES - 1);
	rc = buf_append_text(&text, folder);
	if (rc == 0)
		rc = macro_expand(&macros, path, strlen(path), false, &text);
	if (rc == 0)
		memcpy(name, buf_text(&text), text.len + 1);
	else
		(void)error_set(err, ERROR_INPUT, "%.100s%.100s: too long",
		    folder, path);
	buf_clear(&text);
	return rc;
}

static struct templates *
load_template(const struct crowd *crowd, struct error *err)
{
	struct templates *templates = templates_new();
	char *path = xasprintf("%s/templates/" TEMPLATE_NAME,
	    crowd_folder(crowd));
	char *text = NULL;
	size_t len;

	if (file_read(path, TEMPLATE_TEXT_MAX, &text, &len, err) != 0 ||
	    templates_add(templates, TEMPLATE_NAME, text, len, err) != 0) {
		templates_free(templates);
		templates = NULL;
	}
	free(text);
	free(path);
	return templates;
}

static struct snapshot *
load_snapshot(const char *uri, struct error *err)
{
	struct inventory *inventory = inventory_open(uri, true, err);
	struct snapshot *snapshot = inventory != NULL ?
	    snapshot_load(inventory, err) :
	    NULL;

	inventory_close(inventory);
	return snapshot;
}

static int
render_one(const struct crowd *crowd, size_t index,
    const struct templates *templates, const struct snapshot *snapshot,
    struct buf *out, struct error *err)
{
	struct mac mac = crowd_mac(crowd, index);
	const struct device *device = snapshot_find(snapshot, &mac);
	char text[MAC_TEXT_BYTES];

	mac_format(&mac, text);
	if (device == NULL)
		return error_set(err, ERROR_NOT_FOUND,
		    "%s is not in the inventory: import %s/devices.csv", text,
		    crowd_folder(crowd));
	return render_profile(templates, snapshot, device, out, err);
}

static int
write_all(const struct crowd *crowd, const struct templates *templates,
    const struct snapshot *snapshot, const char *path, const char *out,
    struct error *err)
{
	char name[NAME_MAX_BYTES];
	struct buf text;
	FILE *file;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < crowd_count(crowd); i++) {
		buf_init(&text, FILE_MAX_BYTES);
		rc = file_of(crowd, i, out, path, name, err);
		if (rc == 0)
			rc = render_one(crowd, i, templates, snapshot, &text,
			    err);
		if (rc == 0) {
			/* Not file_create(): it waits for the disk. */
			file = fopen(name, "we");
			if (file == NULL ||
			    fwrite(text.data, 1, text.len, file) != text.len)
				rc = error_errno(err, "%s", name);
			if (file != NULL && fclose(file) != 0 && rc == 0)
				rc = error_errno(err, "%s", name);
		}
		buf_clear(&text);
	}
	return rc;
}

int
crowd_write_files(const struct crowd *crowd, const char *inventory_uri,
    const char *path, const char *out, struct error *err)
{
	struct templates *templates = load_template(crowd, err);
	struct snapshot *snapshot = NULL;
	int rc = -1;

	if (templates != NULL)
		snapshot = load_snapshot(inventory_uri, err);
	if (snapshot != NULL && file_make_directory(out, 0755, err) == 0)
		rc = write_all(crowd, templates, snapshot, path, out, err);
	snapshot_release(snapshot);
	templates_free(templates);
	return rc;
}

/* ------------------------------------------------------------- certificates */

static int
write_certificate(struct crowd *crowd, size_t index, const char *path,
    const char *out, FILE *list, struct error *err)
{
	X509 *cert = crowd_certificate(crowd, index, err);
	char url[NAME_MAX_BYTES], file[NAME_MAX_BYTES];
	int rc = -1;

	if (cert == NULL || file_of(crowd, index, "", path, url, err) != 0)
		return -1;
	(void)snprintf(file, sizeof(file), "%s/%zu.crt", out, index);
	if (cert_write_file(file, &cert, 1, err) == 0) {
		(void)fprintf(list, "%s %s/device-%zu.key %s\n", file,
		    crowd_folder(crowd), crowd_key_number(crowd, index), url);
		rc = 0;
	}
	return rc;
}

int
crowd_write_certificates(struct crowd *crowd, const char *path, const char *out,
    struct error *err)
{
	char *name = xasprintf("%s/list", out);
	FILE *list = NULL;
	int rc = file_make_directory(out, 0755, err);

	if (rc == 0 && (list = fopen(name, "we")) == NULL)
		rc = error_errno(err, "%s", name);
	for (size_t i = 0; rc == 0 && i < crowd_count(crowd); i++)
		rc = write_certificate(crowd, i, path, out, list, err);
	if (list != NULL && fclose(list) != 0 && rc == 0)
		rc = error_errno(err, "%s", name);
	free(name);
	return rc;
}

/* -------------------------------------------------------------------- paths */

int
crowd_read_paths(const struct crowd *crowd, const char *file,
    struct crowd_paths *paths, struct error *err)
{
	size_t count = crowd_count(crowd), len, n = 0;
	char *text, *rest, *line;

	if (file_read(file, PATHS_MAX_BYTES, &text, &len, err) != 0)
		return -1;
	*paths = (struct crowd_paths) { .text = text,
		.path = xcalloc(count, sizeof(*paths->path)) };
	for (rest = text; n < count && (line = strsep(&rest, "\n")) != NULL &&
	     *line == '/' && strcspn(line, " \t\r") == strlen(line);
	     n++)
		paths->path[n] = line;
	if (n == count && (rest == NULL || *rest == '\0'))
		return 0;
	free(paths->path);
	free(text);
	return error_set(err, ERROR_INPUT,
	    "%s:%zu: expected %zu lines, one for each device: a path that "
	    "begins with \"/\" and has no blanks",
	    file, n + 1, count);
}

/* ---------------------------------------------------------------- expected */

static int
digest_file(const char *name, uint8_t digest[static SWARM_DIGEST_BYTES],
    struct error *err)
{
	char *text;
	size_t len;
	int ok;

	if (file_read(name, FILE_MAX_BYTES, &text, &len, err) != 0)
		return -1;
	ok = EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL);
	free(text);
	return ok == 1 ? 0 : error_openssl(err, "%s: no digest", name);
}

uint8_t (*crowd_read_expected(const struct crowd *crowd, const char *path,
    const char *folder, struct error *err))[SWARM_DIGEST_BYTES]
{
	size_t count = crowd_count(crowd);
	uint8_t(*digests)[SWARM_DIGEST_BYTES] = xcalloc(count,
	    sizeof(*digests));
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < count; i++) {
		if (file_of(crowd, i, folder, path, name, err) != 0 ||
		    digest_file(name, digests[i], err) != 0) {
			free(digests);
			return NULL;
		}
	}
	return digests;
}
