/*
 * One resync, step by step: rule, address, connection, handshake, name,
 * request, answer, profile.  Each step that fails ends it with its outcome.
 */
#include "sim/device.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/response.h"
#include "http/url.h"
#include "provision/upgrade.h"
#include "sim/fetch_parts.h"
#include "sim/internal.h"
#include "sim/stream.h"
#include "sim/tftp_get.h"
#include "spa/profile.h"
#include "spa/registry.h"
#include "spa/rule.h"
#include "spa/unprotect.h"
#include "tls/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define REDIRECTS_MAX 5
#define REQUEST_MAX 8192

/* The rest of the head, and a body. */
static int
put_upload(const struct sim_upload *upload, struct buf *request)
{
	if (upload == NULL)
		return buf_append_text(request, "\r\n");
	if (upload->coding != NULL &&
	    buf_printf(request, "Content-Encoding: %s\r\n", upload->coding) !=
		0)
		return -1;
	if (buf_printf(request, "Content-Length: %zu\r\n\r\n", upload->len) !=
	    0)
		return -1;
	return buf_append(request, upload->data, upload->len);
}

static int
send_request(struct job *job, struct stream *stream, const struct url *url,
    uint64_t deadline_ms)
{
	char authority[URL_AUTHORITY_BYTES];
	struct error err = { 0 };
	struct buf request;
	int rc;

	url_authority(url, authority);
	buf_init(&request,
	    REQUEST_MAX + (job->upload != NULL ? job->upload->len : 0));
	rc = buf_printf(&request,
	    "%s %s HTTP/1.%d\r\n"
	    "Host: %s\r\nUser-Agent: %s\r\nConnection: close\r\n",
	    job->upload != NULL ? job->upload->method : "GET", url->path,
	    job->device->stack->http_1_1 ? 1 : 0, authority,
	    job->device->user_agent);
	if (rc == 0)
		rc = put_upload(job->upload, &request);
	if (rc != 0)
		(void)fetch_end(job, SIM_BAD_RULE, "the request is too long");
	else if (stream_send(stream, request.data, request.len, deadline_ms,
		     &err) != 0)
		rc = fetch_end(job, SIM_BROKEN_ANSWER, "%.200s", err.text);
	buf_clear(&request);
	return rc;
}

/* Why no answer came, when it was TLS that ended. */
static int
end_reading(struct job *job, struct stream *stream, const struct error *err)
{
	fetch_note_tls(job, stream);
	return fetch_end(job,
	    job->result->alert_received >= 0 ? SIM_HANDSHAKE :
					       SIM_BROKEN_ANSWER,
	    "%.200s", err->text);
}

static int
read_answer(struct job *job, struct stream *stream, struct reply *reply,
    uint64_t deadline_ms)
{
	struct error err = { 0 };
	char data[16384];
	size_t n;
	int more, rc = 0;

	do {
		more = stream_receive(stream, data, sizeof(data), &n,
		    deadline_ms, &err);
		if (more < 0)
			return end_reading(job, stream, &err);
		rc = more > 0 ? reply_feed(reply, data, n, &err) :
				reply_end(reply, &err);
	} while (rc == 0 && more > 0);
	job->result->status = reply_head(reply)->status;
	if (rc < 0)
		return fetch_end(job, SIM_BROKEN_ANSWER, "%.200s", err.text);
	if (rc == 0)
		return fetch_end(job, SIM_BROKEN_ANSWER,
		    "the answer is cut off");
	return 0;
}

/* What was around it, for people: " (aes-256-cbc, gzip)". */
static void
say_protection(const struct unprotected *found, char text[static 40])
{
	const char *cipher = found->cipher == CIPHER_AES ? "aes-256-cbc" :
	    found->cipher == CIPHER_AES128GCM		 ? "aes128gcm" :
							   "";

	*text = '\0';
	if (*cipher != '\0' || found->gzip)
		(void)snprintf(text, 40, " (%s%s%s)", cipher,
		    *cipher != '\0' && found->gzip ? ", " : "",
		    found->gzip ? "gzip" : "");
}

/* Decrypt and expand as the device does; the result gets the text. */
static int
unpack(struct job *job, const char *coding, const char *body, size_t len,
    char around[static 40])
{
	struct sim_result *result = job->result;
	struct unprotected found;
	struct error err = { 0 };
	struct buf text;

	buf_init(&text, REPLY_BODY_MAX);
	if (unprotect_as_device(job->key, job->device->ikm, coding, body, len,
		&text, &found, &err) != 0)
		return fetch_end(job, SIM_CORRUPT, "%.250s", err.text);
	say_protection(&found, around);
	result->body_len = text.len;
	result->body = buf_take(&text);
	return 0;
}

/* Is it a profile that this device can take? */
static int
take_profile(struct job *job, const char *coding, const char *body, size_t len)
{
	struct sim_result *result = job->result;
	char around[40] = "";
	struct error err = { 0 };

	if (unpack(job, coding, body, len, around) != 0)
		return -1;
	if (profile_check(result->body, result->body_len, &err) != 0)
		return fetch_end(job, SIM_CORRUPT, "no profile: %.200s",
		    err.text);
	(void)fetch_end(job, SIM_PROVISIONED,
	    "applied a profile of %zu bytes%s", result->body_len, around);
	return 0;
}

/* An image is kept as it is: whether it fits is not told by its bytes. */
static int
take_image(struct job *job, const char *body, size_t len)
{
	struct sim_result *result = job->result;
	struct buf image;

	buf_init(&image, len);
	if (buf_append(&image, body, len) != 0)
		return fetch_end(job, SIM_BROKEN_ANSWER,
		    "the image is too large");
	result->body_len = len;
	result->body = buf_take(&image);
	(void)fetch_end(job, SIM_PROVISIONED, "%zu bytes arrived", len);
	return 0;
}

/* A 200: is it something that this device can take? */
static int
take_file(struct job *job, const struct reply *reply)
{
	const struct reply_head *head = reply_head(reply);
	const char *body;
	size_t len;

	/* [ATA19X-RN]: releases before 11.1(0)MSR4 fail on both; ASSUMED of
	 * the older families. */
	if (!job->device->stack->http_1_1 && head->chunked)
		return fetch_end(job, SIM_BROKEN_ANSWER,
		    "the answer is chunked, which this device cannot read");
	if (!job->device->stack->http_1_1 && !head->has_content_length)
		return fetch_end(job, SIM_BROKEN_ANSWER,
		    "the answer has no Content-Length, which this device "
		    "needs");
	body = reply_body(reply, &len);
	return job->is_image ?
	    take_image(job, body, len) :
	    take_profile(job, head->content_encoding, body, len);
}

/* Where a redirect leads: RFC 9110 10.2.2.  An absolute URL or a path. */
static int
follow(struct job *job, struct url *url, const char *location)
{
	struct error err = { 0 };
	struct url next;

	if (!job->device->stack->redirects)
		return fetch_end(job, SIM_REFUSED,
		    "redirected (%d), which this device does not follow",
		    job->result->status);
	if (job->result->redirects == REDIRECTS_MAX)
		return fetch_end(job, SIM_REFUSED, "more than %d redirects",
		    REDIRECTS_MAX);
	if (url_parse(&next, location, &err) != 0)
		return fetch_end(job, SIM_REFUSED,
		    "redirected to nowhere: %.200s", err.text);
	if (location[0] == '/') {
		memcpy(url->path, next.path, sizeof(url->path));
	} else if (next.scheme == URL_TFTP || next.host[0] == '\0') {
		return fetch_end(job, SIM_REFUSED,
		    "redirected to \"%.100s\", which is no http or https URL",
		    location);
	} else {
		*url = next;
	}
	job->result->redirects++;
	return 0;
}

/* 1: ask again for *url; 0: done; -1: ended. */
static int
judge(struct job *job, const struct reply *reply, struct url *url)
{
	const struct reply_head *head = reply_head(reply);

	/* A report is sent once, to one place: [SPA-PROV] p. 55. */
	if (job->upload != NULL && head->status == 200)
		return (int)(fetch_end(job, SIM_PROVISIONED,
				 "the server took the report of %zu bytes",
				 job->upload->len),
		    0);
	if (job->upload != NULL)
		return fetch_end(job, SIM_REFUSED, "the server answered %d",
		    head->status);
	switch (head->status) {
	case 200:
		return take_file(job, reply);
	case 301:
	case 302:
		return follow(job, url, head->location) == 0 ? 1 : -1;
	case 404:
		return fetch_end(job, SIM_NOT_FOUND,
		    "the server has no such file");
	default:
		return fetch_end(job, SIM_REFUSED, "the server answered %d",
		    head->status);
	}
}

static int
exchange(struct job *job, struct stream *stream, struct url *url)
{
	uint64_t deadline_ms = clock_monotonic_ms() + job->network->timeout_ms;
	struct reply *reply;
	int rc = -1;

	if (send_request(job, stream, url, deadline_ms) != 0)
		return -1;
	reply = reply_new(false);
	if (job->is_image)
		reply_allow(reply, SIM_IMAGE_MAX);
	if (read_answer(job, stream, reply, deadline_ms) == 0)
		rc = judge(job, reply, url);
	reply_free(reply);
	return rc;
}

static void
set_port(struct addr *address, uint16_t port)
{
	struct error ignored;
	char host[ADDR_TEXT_BYTES];

	addr_format_host(address, host);
	if (addr_parse_host(address, host, port, &ignored) != 0)
		address->len = 0; /* connect() will refuse it */
}

/* Connect to the first address of url's host that accepts. */
static int
connect_host(struct job *job, struct stream *stream, const struct url *url,
    struct addr *address)
{
	struct addr list[FETCH_ADDRESSES_MAX];
	struct error err = { 0 };
	size_t count = fetch_resolve(job->network, url->host, list,
	    FETCH_ADDRESSES_MAX);

	if (count == 0)
		return fetch_end(job, SIM_NO_ADDRESS,
		    "\"%.200s\" does not resolve", url->host);
	for (size_t i = 0; i < count; i++) {
		set_port(&list[i], url->port);
		if (stream_connect_from(stream, job->network->source, &list[i],
			job->network->timeout_ms, &err) == 0) {
			*address = list[i];
			return 0;
		}
	}
	return fetch_end(job, SIM_NO_CONNECT, "%.200s", err.text);
}

static void
note_url(struct job *job, const struct url *url)
{
	char authority[URL_AUTHORITY_BYTES];
	struct buf text;

	url_authority(url, authority);
	buf_init(&text, URL_AUTHORITY_BYTES + URL_PATH_MAX + 16);
	if (buf_printf(&text, "%s://%s%s", url_scheme_name(url->scheme),
		authority, url->path) == 0)
		/* A longer one is cut: it is for people. */
		(void)snprintf(job->result->url, sizeof(job->result->url),
		    "%.*s", (int)sizeof(job->result->url) - 1, text.data);
	buf_clear(&text);
}

/* What it means for the device that TFTP failed so. */
static enum sim_outcome
tftp_outcome(const struct error *err)
{
	switch (err->kind) {
	case ERROR_NOT_FOUND:
		return SIM_NOT_FOUND;
	case ERROR_DENIED:
		return SIM_REFUSED;
	case ERROR_INPUT:
		return SIM_BROKEN_ANSWER;
	case ERROR_NONE:
	case ERROR_SYSTEM:
		break;
	}
	return SIM_NO_CONNECT;
}

/* The name is the path, with the slash and the query that it has: ASSUMED. */
static int
fetch_by_tftp(struct job *job, const struct url *url)
{
	struct addr list[FETCH_ADDRESSES_MAX];
	struct tftp_get get = {
		.server = &list[0],
		.source = job->network->source,
		.name = url->path,
		.block_bytes = job->network->tftp_block,
		.timeout_ms = job->network->timeout_ms,
	};
	struct error err = { 0 };
	struct buf file;
	int rc;

	if (fetch_resolve(job->network, url->host, list, FETCH_ADDRESSES_MAX) ==
	    0)
		return fetch_end(job, SIM_NO_ADDRESS,
		    "\"%.200s\" does not resolve", url->host);
	set_port(&list[0], url->port);
	buf_init(&file, job->is_image ? SIM_IMAGE_MAX : REPLY_BODY_MAX);
	if (tftp_get_file(&get, &file, &err) != 0)
		rc = fetch_end(job, tftp_outcome(&err), "%.250s", err.text);
	else if (job->is_image)
		rc = take_image(job, buf_text(&file), file.len);
	else
		rc = take_profile(job, "", buf_text(&file), file.len);
	buf_clear(&file);
	return rc;
}

/* One request; as judge(). */
static int
fetch(struct job *job, struct url *url)
{
	struct stream stream = { .fd = -1 };
	struct addr address;
	int rc = -1;

	note_url(job, url);
	if (url->scheme == URL_TFTP)
		return fetch_by_tftp(job, url);
	if (connect_host(job, &stream, url, &address) == 0 &&
	    (url->scheme == URL_HTTP ||
		fetch_shake_hands(job, &stream, url->host, &address) == 0))
		rc = exchange(job, &stream, url);
	stream_close(&stream);
	return rc;
}

/* A rule without host: where does DHCP lead? */
static int
ask_dhcp(struct job *job, struct url *url)
{
	const struct macros macros = { job->device->macro,
		job->device->macro_count };
	const char *server = job->network->dhcp_server;
	struct error err = { 0 };
	struct buf text;
	int rc = 0;

	if (server == NULL)
		return fetch_end(job, SIM_NO_ADDRESS,
		    "the rule names no host and DHCP names no server");
	if (strstr(server, "://") == NULL) {
		(void)snprintf(url->host, sizeof(url->host), "%s", server);
		return 0;
	}
	buf_init(&text, URL_PATH_MAX + URL_AUTHORITY_BYTES);
	if (macro_expand(&macros, server, strlen(server), false, &text) != 0)
		rc = fetch_end(job, SIM_BAD_RULE, "DHCP names too long a URL");
	else if (url_parse(url, buf_text(&text), &err) != 0)
		rc = fetch_end(job, SIM_BAD_RULE, "DHCP: %.240s", err.text);
	buf_clear(&text);
	return rc;
}

/* What an upgrade rule may not have: [SPA-PROV] p. 43, [MPP-PROV]. */
static int
check_image_rule(struct job *job, const struct rule_result *rule,
    const struct url *url)
{
	if (rule->key != NULL)
		return fetch_end(job, SIM_BAD_RULE,
		    "an upgrade rule has no --key");
	if (url->host[0] == '\0')
		return fetch_end(job, SIM_BAD_RULE,
		    "an upgrade rule has to name its server");
	if (url->scheme == URL_HTTPS && !upgrade_by_https(job->device->model))
		return fetch_end(job, SIM_BAD_RULE,
		    "a %s is not known to fetch images over https: expected "
		    "http:// or tftp://",
		    job->device->model->name);
	return 0;
}

/* The URL that the rule gives now. */
static int
apply_rule(struct job *job, const struct rule_result *rule, struct url *url)
{
	struct error err = { 0 };

	if (!rule->matched)
		return fetch_end(job, SIM_NO_RULE,
		    "no alternative of the rule applies");
	if (rule->url == NULL || rule->url[0] == '\0')
		return fetch_end(job, SIM_NO_RULE,
		    "alternative %zu of the rule names no URL",
		    rule->alternative + 1);
	if (rule->post != NULL || rule->srv)
		return fetch_end(job, SIM_BAD_RULE,
		    "the options --post and --srv are not simulated");
	if (url_parse(url, rule->url, &err) != 0)
		return fetch_end(job, SIM_BAD_RULE, "%.250s", err.text);
	if (job->is_image)
		return check_image_rule(job, rule, url);
	if (rule->key != NULL && job->upload == NULL)
		job->key = xstrdup(rule->key);
	if (url->host[0] == '\0' && ask_dhcp(job, url) != 0)
		return -1;
	if (job->upload != NULL && url->scheme == URL_TFTP)
		return fetch_end(job, SIM_BAD_RULE,
		    "a report goes to http:// or https://, not by TFTP");
	return 0;
}

static int
evaluate(struct job *job, const char *text, struct url *url)
{
	const struct macros macros = { job->device->macro,
		job->device->macro_count };
	struct rule_result result = { 0 };
	struct error err = { 0 };
	struct rule *rule = rule_parse(text, &err);
	int rc;

	if (rule == NULL)
		return fetch_end(job, SIM_BAD_RULE, "%.250s", err.text);
	if (rule_evaluate(rule, &macros, &result, &err) == 0) {
		rc = apply_rule(job, &result, url);
		rule_result_clear(&result);
	} else {
		rc = fetch_end(job, SIM_BAD_RULE, "%.250s", err.text);
	}
	rule_free(rule);
	return rc;
}

void
sim_resync(const struct sim_device *device, const char *rule,
    const struct sim_network *network, struct sim_result *result)
{
	struct job job = {
		.device = device, .network = network, .result = result
	};
	uint64_t start = clock_monotonic_us();
	struct url url = { .scheme = URL_TFTP };

	*result = (struct sim_result) { .alert_sent = -1,
		.alert_received = -1 };
	if (evaluate(&job, rule, &url) == 0) {
		while (fetch(&job, &url) == 1)
			;
	}
	if (job.key != NULL)
		OPENSSL_cleanse(job.key, strlen(job.key));
	free(job.key);
	result->total_us = clock_monotonic_us() - start;
}

void
sim_send(const struct sim_device *device, const struct rule_result *rule,
    const struct sim_upload *upload, const struct sim_network *network,
    struct sim_result *result)
{
	struct job job = { .device = device,
		.network = network,
		.result = result,
		.upload = upload };
	uint64_t start = clock_monotonic_us();
	struct url url = { .scheme = URL_TFTP };

	if (apply_rule(&job, rule, &url) == 0)
		(void)fetch(&job, &url);
	result->total_us = clock_monotonic_us() - start;
}

void
sim_fetch_image(const struct sim_device *device, const struct rule_result *rule,
    const struct sim_network *network, struct sim_result *result)
{
	struct job job = { .device = device,
		.network = network,
		.result = result,
		.is_image = true };
	uint64_t start = clock_monotonic_us();
	struct url url = { .scheme = URL_TFTP };

	if (apply_rule(&job, rule, &url) == 0) {
		while (fetch(&job, &url) == 1)
			;
	}
	result->total_us = clock_monotonic_us() - start;
}

void
sim_handshake(const struct sim_device *device, const char *host,
    const struct addr *address, const struct sim_network *network,
    struct sim_result *result)
{
	struct job job = {
		.device = device, .network = network, .result = result
	};
	uint64_t start = clock_monotonic_us();
	struct stream stream = { .fd = -1 };
	struct error err = { 0 };

	*result = (struct sim_result) { .alert_sent = -1,
		.alert_received = -1 };
	(void)snprintf(result->url, sizeof(result->url), "https://%s/", host);
	if (stream_connect(&stream, address, network->timeout_ms, &err) != 0)
		(void)fetch_end(&job, SIM_NO_CONNECT, "%.200s", err.text);
	else if (fetch_shake_hands(&job, &stream, host, address) == 0)
		(void)fetch_end(&job, SIM_PROVISIONED,
		    "the handshake is complete");
	stream_close(&stream);
	result->total_us = clock_monotonic_us() - start;
}
