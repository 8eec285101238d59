#include "notice/send.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/child.h"
#include "server/config.h"
#include "server/config_notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define CURL "/usr/bin/curl"
#define OUTPUT_MAX 65536

/* Nothing of ours: what is in it may be secret. */
static char path_variable[] = "PATH=/usr/local/bin:/usr/bin:/bin";
static char locale_variable[] = "LC_ALL=C.UTF-8";
static char home_variable[] = "HOME=/nonexistent";

/* ----------------------------------------------------------------- secret */

void
secret_clear(struct secret *secret)
{
	if (secret->data != NULL)
		OPENSSL_cleanse(secret->data, secret->len);
	free(secret->data);
	*secret = (struct secret) { NULL, 0 };
}

static int
check_mode(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return error_errno(err, "%s", path);
	if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
		return error_set(err, ERROR_DENIED,
		    "%s: mode %04o lets others read or write the secret: "
		    "expected 0640 or less",
		    path, (unsigned)(st.st_mode & 07777));
	return 0;
}

int
secret_load(struct secret *secret, const char *path, struct error *err)
{
	struct secret found = { NULL, 0 };

	if (check_mode(path, err) != 0 ||
	    file_read(path, SEND_SECRET_MAX, &found.data, &found.len, err) != 0)
		return -1;
	while (found.len > 0 &&
	    (found.data[found.len - 1] == '\n' ||
		found.data[found.len - 1] == '\r'))
		found.len--;
	if (found.len < SEND_SECRET_MIN) {
		secret_clear(&found);
		return error_set(err, ERROR_INPUT,
		    "%s: the secret is too short: expected at least %d bytes, "
		    "as of \"openssl rand -hex 32\"",
		    path, SEND_SECRET_MIN);
	}
	*secret = found;
	return 0;
}

void
send_sign(const struct secret *secret, long long t, const char *body,
    char hex[static SEND_SIGNATURE_BYTES])
{
	char *text = xasprintf("%lld.%s", t, body);
	uint8_t digest[32] = { 0 };
	unsigned len = 0;

	if (HMAC(EVP_sha256(), secret->data, (int)secret->len,
		(const uint8_t *)text, strlen(text), digest, &len) == NULL)
		memset(digest, 0, sizeof(digest)); /* nobody takes that one */
	text_hex(digest, sizeof(digest), hex);
	free(text);
}

/* ---------------------------------------------------------------- webhook */

/* name = "value", as curl reads it: '\' and '"' are escaped. */
static int
put_option(struct buf *out, const char *name, const char *value)
{
	int rc = buf_printf(out, "%s = \"", name);

	for (; rc == 0 && *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			rc = buf_append(out, "\\", 1);
		if (rc == 0)
			rc = buf_append(out, value, 1);
	}
	return rc == 0 ? buf_append_text(out, "\"\n") : -1;
}

static int
put_request(struct buf *out, const struct config_notify *notify,
    const struct secret *secret, const char *body, time_t now)
{
	char hex[SEND_SIGNATURE_BYTES], header[128];

	send_sign(secret, (long long)now, body, hex);
	(void)snprintf(header, sizeof(header), "Sprov-Signature: t=%lld,v1=%s",
	    (long long)now, hex);
	if (buf_append_text(out,
		"silent\nshow-error\nproto = \"=http,https\"\n"
		"connect-timeout = 5\nmax-time = 10\noutput = /dev/null\n"
		"write-out = \"%{http_code}\"\n"
		"user-agent = \"sprov/" SPROV_VERSION "\"\n") != 0 ||
	    put_option(out, "url", notify->url) != 0 ||
	    put_option(out, "header", "Content-Type: application/json") != 0 ||
	    put_option(out, "header", "Expect:") != 0 ||
	    put_option(out, "header", header) != 0)
		return -1;
	return put_option(out, "data-binary", body);
}

static int
send_webhook(const struct config_notify *notify, const struct secret *secret,
    const char *body, time_t now, int cancel_fd, struct error *err)
{
	static char curl[] = "curl", disable[] = "--disable",
		    config[] = "--config", input[] = "-";
	char *const argv[] = { curl, disable, config, input, NULL };
	char *const environment[] = { path_variable, locale_variable,
		home_variable, NULL };
	struct child_result result;
	struct buf request;
	int rc;

	buf_init(&request, 4 * SEND_BODY_MAX);
	if (put_request(&request, notify, secret, body, now) != 0) {
		buf_clear(&request);
		return error_set(err, ERROR_SYSTEM, "the notice is too long");
	}
	rc = child_run(&(const struct child) { .path = CURL,
			   .argv = argv,
			   .environment = environment,
			   .input = request.data,
			   .input_len = request.len,
			   .output_max = OUTPUT_MAX,
			   .timeout_ms = SEND_TIMEOUT_MS,
			   .cancel_fd = cancel_fd },
	    &result, err);
	buf_clear(&request);
	if (rc != 0)
		return -1;
	if (result.status != 0)
		rc = error_set(err, ERROR_SYSTEM, "%s", result.complaint);
	else if (result.output[0] != '2')
		rc = error_set(err, ERROR_SYSTEM,
		    "it was answered with status %.3s: expected 200 to 299",
		    result.output);
	free(result.output);
	return rc;
}

/* ---------------------------------------------------------------- command */

static int
send_command(const struct config_notify *notify, enum notify_kind kind,
    const char *body, int cancel_fd, struct error *err)
{
	char *line = xasprintf("%s\n", body);
	char *name = xasprintf("SPROV_NOTIFY=%s", notify->name);
	char *what = xasprintf("SPROV_NOTIFY_KIND=%s", notify_kind_name(kind));
	char *const environment[] = { path_variable, locale_variable,
		home_variable, name, what, NULL };
	struct child_result result;
	int rc = child_run(&(const struct child) { .path = notify->command[0],
			       .argv = notify->command,
			       .environment = environment,
			       .input = line,
			       .input_len = strlen(line),
			       .output_max = OUTPUT_MAX,
			       .timeout_ms = SEND_TIMEOUT_MS,
			       .cancel_fd = cancel_fd },
	    &result, err);

	if (rc == 0 && result.status != 0)
		rc = error_set(err, ERROR_SYSTEM, "it ended with status %d: %s",
		    result.status, result.complaint);
	free(result.output);
	free(line);
	free(name);
	free(what);
	return rc;
}

int
send_now(const struct config_notify *notify, const struct secret *secret,
    enum notify_kind kind, const char *body, time_t now, int cancel_fd,
    struct error *err)
{
	if (notify->url != NULL)
		return send_webhook(notify, secret, body, now, cancel_fd, err);
	return send_command(notify, kind, body, cancel_fd, err);
}

/* ------------------------------------------------------------------ check */

static void
complain(struct errors *errors, const struct config *config,
    struct config_place place, const char *text)
{
	errors_add(errors, "%s:%u:%u: %s", config->path, place.line,
	    place.column, text);
}

static void
check_webhook(const struct config *config, const struct config_notify *notify,
    struct errors *errors)
{
	struct secret secret = { NULL, 0 };
	struct error err;

	if (secret_load(&secret, notify->secret_file, &err) != 0)
		complain(errors, config, notify->secret_place, err.text);
	secret_clear(&secret);
	if (access(CURL, X_OK) != 0) {
		(void)error_errno(&err,
		    CURL " sends what webhooks get, and cannot be run: "
			 "install the package curl");
		complain(errors, config, notify->url_place, err.text);
	}
}

static void
check_command(const struct config *config, const struct config_notify *notify,
    struct errors *errors)
{
	const char *path = notify->command[0];
	struct error err;
	struct stat st;

	if (stat(path, &st) != 0 || access(path, X_OK) != 0)
		(void)error_errno(&err, "%s cannot be run", path);
	else if (!S_ISREG(st.st_mode))
		(void)error_set(&err, ERROR_INPUT,
		    "%s is no program: expected a file that may be executed",
		    path);
	else
		return;
	complain(errors, config, notify->command_place, err.text);
}

void
send_check(const struct config *config, struct errors *errors)
{
	for (size_t i = 0; i < config->notify_count; i++) {
		const struct config_notify *notify = &config->notifies[i];

		if (notify->url != NULL)
			check_webhook(config, notify, errors);
		else
			check_command(config, notify, errors);
	}
}
