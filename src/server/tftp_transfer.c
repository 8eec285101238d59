#include "server/tftp_transfer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/request.h"
#include "http/target.h"
#include "provision/render.h"
#include "provision/route.h"
#include "server/config.h"
#include "server/files.h"
#include "server/service.h"
#include "spa/profile.h"
#include "tftp/sender.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKET_MAX (TFTP_HEAD_BYTES + SENDER_BLOCK_MAX)

struct tftp_transfer {
	struct tftp_host *host;
	struct tftp_transfer *next, *previous;
	struct service *service;
	struct addr client;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	bool ended;
	char name[TFTP_NAME_MAX + 1];
	struct buf body;		/* rendered, */
	const struct served_file *file; /* or this */
	struct sender sender;
	uint64_t started_us;
};

static void
log_end_of(const struct addr *client, const char *name, const char *status,
    const char *reason, uint64_t bytes, uint64_t started_us)
{
	char source[ADDR_TEXT_BYTES];
	struct log_line line;

	addr_format(client, source);
	/* A flood is not to fill the log, too. */
	log_begin(&line,
	    strcmp(status, "dropped") == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
	    "tftp");
	log_text(&line, "source", source);
	log_text(&line, "status", status);
	log_text(&line, "reason", reason);
	log_text(&line, "path", name);
	log_number(&line, "bytes", (long long)bytes);
	log_number(&line, "us", (long long)(clock_monotonic_us() - started_us));
	log_end(&line);
}

static void
release(struct tftp_transfer *transfer)
{
	struct tftp_host *host = transfer->host;

	if (--transfer->open_handles > 0)
		return;
	if (transfer->previous != NULL)
		transfer->previous->next = transfer->next;
	else
		host->first = transfer->next;
	if (transfer->next != NULL)
		transfer->next->previous = transfer->previous;
	host->count--;
	(void)close(transfer->fd);
	buf_clear(&transfer->body);
	service_release(transfer->service);
	free(transfer);
}

static void
on_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void
end(struct tftp_transfer *transfer, const char *status, const char *reason)
{
	if (transfer->ended)
		return;
	transfer->ended = true;
	log_end_of(&transfer->client, transfer->name, status, reason,
	    transfer->sender.size, transfer->started_us);
	uv_close((uv_handle_t *)&transfer->poll, on_closed);
	uv_close((uv_handle_t *)&transfer->timer, on_closed);
}

static void
send_error(int fd, enum tftp_error code, const char *message)
{
	struct buf packet;

	buf_init(&packet, 128);
	if (tftp_put_error(&packet, code, message) == 0)
		(void)send(fd, packet.data, packet.len, 0);
	buf_clear(&packet);
}

/* The bytes of the packet at hand; -1 when the file is not what it was. */
static int
read_piece(const struct tftp_transfer *transfer, char *piece, uint64_t offset,
    size_t len)
{
	if (transfer->file == NULL) {
		memcpy(piece, buf_text(&transfer->body) + offset, len);
		return 0;
	}
	return pread(transfer->file->fd, piece, len, (off_t)offset) ==
		(ssize_t)len ?
	    0 :
	    -1;
}

static void on_timeout(uv_timer_t *timer);

static void
send_packet(struct tftp_transfer *transfer)
{
	char piece[SENDER_BLOCK_MAX];
	struct buf packet;
	uint64_t offset;
	size_t len;

	buf_init(&packet, PACKET_MAX);
	sender_piece(&transfer->sender, &offset, &len);
	if (read_piece(transfer, piece, offset, len) != 0 ||
	    sender_packet(&transfer->sender, piece, len, &packet) != 0) {
		send_error(transfer->fd, TFTP_ERROR_TEXT, "file changed");
		end(transfer, "failed", "file-changed");
	} else {
		/* What cannot be sent now is as lost: it is sent again. */
		(void)send(transfer->fd, packet.data, packet.len, 0);
		(void)uv_timer_start(&transfer->timer, on_timeout,
		    transfer->sender.timeout_ms, 0);
	}
	buf_clear(&packet);
}

static void
act(struct tftp_transfer *transfer, enum sender_next next)
{
	switch (next) {
	case SENDER_SEND:
		send_packet(transfer);
		break;
	case SENDER_WAIT:
		break;
	case SENDER_DONE:
		end(transfer, "sent", "public-file");
		break;
	case SENDER_GIVE_UP:
		end(transfer, "failed",
		    transfer->sender.heard ? "timed-out" : "no-answer");
		break;
	}
}

static void
on_timeout(uv_timer_t *timer)
{
	struct tftp_transfer *transfer = timer->data;

	act(transfer, sender_timeout(&transfer->sender));
}

/* The socket is connected: nobody else's packets come here. */
static void
on_packet(uv_poll_t *poll, int status, int events)
{
	struct tftp_transfer *transfer = poll->data;
	struct tftp_packet packet;
	uint8_t data[TFTP_REQUEST_MAX];
	struct error err;
	ssize_t n;

	(void)status;
	(void)events;
	n = recv(transfer->fd, data, sizeof(data), 0);
	if (transfer->ended || (n < 0 && errno == EAGAIN))
		return;
	if (n < 0) {
		end(transfer, "failed", "unreachable");
		return;
	}
	if (tftp_parse(&packet, data, (size_t)n, &err) != 0)
		return; /* not of TFTP: as if it had not come */
	if (packet.opcode == TFTP_ERROR)
		end(transfer, "failed", "refused by the client");
	else if (packet.opcode == TFTP_ACK)
		act(transfer, sender_ack(&transfer->sender, packet.block));
}

/* A socket that speaks to the client, from the address that it asked. */
static int
open_socket(const struct addr *client, const struct addr *local)
{
	int fd = socket(client->sockaddr.ss_family,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    (bind(fd, (const struct sockaddr *)&local->sockaddr, local->len) !=
		    0 ||
		connect(fd, (const struct sockaddr *)&client->sockaddr,
		    client->len) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* What a name leads to; NULL: it does, else the reason for the log. */
static const char *
find_content(const struct tftp_host *host, const char *name, struct buf *body,
    const struct served_file **file)
{
	char text[TFTP_NAME_MAX + 2], path[TFTP_NAME_MAX + 2];
	struct route_match route;
	struct target target;
	struct error err;

	/* Some devices write the first slash, others do not. */
	text[0] = '/';
	(void)memcpy(text + (*name != '/'), name, strlen(name) + 1);
	if (target_parse(&target, path, text, &err) != 0)
		return "malformed-path";
	if (!routes_match(service_routes(host->service), path, &route))
		return "no-such-path";
	if (!route_kind_is_public(route.kind))
		return "not-public";
	if (route.kind == ROUTE_PUBLIC_FILE) {
		*file = files_get(service_files(host->service), route.file);
		return served_file_is_unchanged(*file) ? NULL : "file-changed";
	}
	if (render_common(service_templates(host->service), host->snapshot,
		NULL, route.template, body, &err) == 0)
		return NULL;
	log_message(LOG_LEVEL_ERROR, "render-failed", "%s", err.text);
	return "render-failed";
}

static bool
is_same_host(const struct addr *a, const struct addr *b)
{
	char x[ADDR_TEXT_BYTES], y[ADDR_TEXT_BYTES];

	addr_format_host(a, x);
	addr_format_host(b, y);
	return strcmp(x, y) == 0;
}

/*
 * Is the request one that came twice?  Then the transfer that it began sees to
 * it.  Another one from the same port means that the client is done with what
 * it asked for before.
 */
static bool
is_repeated(const struct tftp_host *host, const struct addr *client,
    const char *name)
{
	for (struct tftp_transfer *t = host->first; t != NULL; t = t->next) {
		if (t->ended || !addr_equal(&t->client, client))
			continue;
		if (!t->sender.heard && strcmp(t->name, name) == 0)
			return true;
		end(t, "failed", "asked anew");
	}
	return false;
}

static void
begin(struct tftp_host *host, const struct tftp_packet *request,
    const struct addr *client, int fd, struct buf *body,
    const struct served_file *file)
{
	struct tftp_transfer *transfer = xcalloc(1, sizeof(*transfer));

	transfer->host = host;
	transfer->client = *client;
	transfer->fd = fd;
	transfer->body = *body;
	transfer->file = file;
	transfer->service = service_retain(host->service);
	transfer->started_us = clock_monotonic_us();
	memcpy(transfer->name, request->name, sizeof(transfer->name));
	sender_init(&transfer->sender, &request->options,
	    file != NULL ? file->size : body->len);
	transfer->next = host->first;
	if (host->first != NULL)
		host->first->previous = transfer;
	host->first = transfer;
	host->count++;
	transfer->open_handles = 2;
	transfer->poll.data = transfer;
	transfer->timer.data = transfer;
	(void)uv_poll_init(&host->loop, &transfer->poll, fd);
	(void)uv_timer_init(&host->loop, &transfer->timer);
	(void)uv_poll_start(&transfer->poll, UV_READABLE, on_packet);
	send_packet(transfer);
}

/* Why a request gets an error; NULL: it does not. */
static const char *
refuse(const struct tftp_packet *request, enum tftp_error *code,
    const char **message)
{
	if (request->opcode == TFTP_WRITE) {
		*code = TFTP_ERROR_ACCESS;
		*message = "read only";
		return "write";
	}
	if (!request->is_octet) {
		/* Images and XML are bytes; no device is known to ask so. */
		*code = TFTP_ERROR_TEXT;
		*message = "only mode octet";
		return "mode";
	}
	return NULL;
}

static const char *
check_limits(const struct tftp_host *host, const struct addr *client)
{
	const struct config_tftp *limits = &service_config(host->service)->tftp;
	size_t from_host = 0;

	for (const struct tftp_transfer *t = host->first; t != NULL;
	     t = t->next)
		from_host += !t->ended && is_same_host(&t->client, client);
	if (host->count >= limits->transfers_max)
		return "too-many-transfers";
	return from_host >= limits->per_source_max ? "too-many-of-source" :
						     NULL;
}

void
tftp_transfer_start(struct tftp_host *host, const struct tftp_packet *request,
    const struct addr *client, const struct addr *local)
{
	uint64_t started_us = clock_monotonic_us();
	const struct served_file *file = NULL;
	enum tftp_error code = TFTP_ERROR_NOT_FOUND;
	const char *message = "file not found", *reason;
	struct buf body;
	int fd;

	if (is_repeated(host, client, request->name))
		return;
	/* No answer: who floods gets nothing for it, others ask again. */
	reason = check_limits(host, client);
	if (reason != NULL) {
		log_end_of(client, request->name, "dropped", reason, 0,
		    started_us);
		return;
	}
	fd = open_socket(client, local);
	if (fd < 0)
		return;
	buf_init(&body, PROFILE_BYTES_MAX);
	reason = refuse(request, &code, &message);
	if (reason == NULL)
		reason = find_content(host, request->name, &body, &file);
	if (reason == NULL) {
		begin(host, request, client, fd, &body, file);
		return;
	}
	send_error(fd, code, message);
	log_end_of(client, request->name, "refused", reason, 0, started_us);
	buf_clear(&body);
	(void)close(fd);
}

void
tftp_transfers_end(struct tftp_host *host)
{
	for (struct tftp_transfer *t = host->first; t != NULL; t = t->next)
		end(t, "failed", "stopping");
}
