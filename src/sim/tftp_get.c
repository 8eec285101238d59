#include "sim/tftp_get.h"
#include "base/clock.h"
#include "tftp/receiver.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESEND_MS 1000 /* ASSUMED: of devices nothing is known */
#define PACKET_MAX (TFTP_HEAD_BYTES + TFTP_BLOCK_MAX)

/* One file on its way. */
struct work {
	const struct tftp_get *get;
	struct receiver receiver;
	int fd;
	struct addr peer; /* where the answers come from; len 0: not known */
	uint64_t end_ms;  /* unless something new comes until then */
	uint8_t data[PACKET_MAX + 1];
};

static int
open_socket(const struct tftp_get *get, struct error *err)
{
	int fd = socket(get->server->sockaddr.ss_family,
	    SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(err, "cannot make a socket");
	if (get->source != NULL &&
	    bind(fd, (const struct sockaddr *)&get->source->sockaddr,
		get->source->len) != 0) {
		(void)error_errno(err, "cannot ask from that address");
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
send_to(const struct work *work, const struct addr *to,
    const struct buf *packet, struct error *err)
{
	if (sendto(work->fd, packet->data, packet->len, 0,
		(const struct sockaddr *)&to->sockaddr, to->len) >= 0)
		return 0;
	return error_errno(err, "cannot send");
}

/* The packet at hand, to the port that answers or to the one that is asked. */
static int
send_packet(const struct work *work, struct error *err)
{
	struct buf packet;
	int rc;

	buf_init(&packet, TFTP_REQUEST_MAX);
	if (receiver_packet(&work->receiver, work->get->name, &packet) != 0)
		rc = error_set(err, ERROR_INPUT,
		    "a request for \"%.100s\" is too long for TFTP",
		    work->get->name);
	else
		rc = send_to(work,
		    work->peer.len != 0 ? &work->peer : work->get->server,
		    &packet, err);
	buf_clear(&packet);
	return rc;
}

/* Best effort: whoever does not hear it gives up by itself. */
static void
send_error(const struct work *work, const struct addr *to, enum tftp_error code,
    const char *text)
{
	struct error ignored;
	struct buf packet;

	buf_init(&packet, TFTP_REQUEST_MAX);
	if (tftp_put_error(&packet, code, text) == 0)
		(void)send_to(work, to, &packet, &ignored);
	buf_clear(&packet);
}

/* RFC 1350 4: the server answers from a port of its own, and keeps it. */
static bool
is_from_server(struct work *work, const struct addr *from)
{
	char ours[ADDR_TEXT_BYTES], theirs[ADDR_TEXT_BYTES];

	if (work->peer.len != 0 && addr_equal(&work->peer, from))
		return true;
	addr_format_host(work->get->server, ours);
	addr_format_host(from, theirs);
	if (work->peer.len == 0 && strcmp(ours, theirs) == 0)
		return true;
	send_error(work, from, TFTP_ERROR_TID, "unknown transfer");
	return false;
}

/* 1 with a packet from the server; 0: not within that time; -1 failed. */
static int
receive(struct work *work, struct tftp_packet *packet, uint64_t until_ms,
    struct error *err)
{
	struct addr from;
	ssize_t n;

	for (;;) {
		uint64_t now_ms = clock_monotonic_ms();
		struct pollfd ready = { .fd = work->fd, .events = POLLIN };
		struct error ignored;

		if (now_ms >= until_ms ||
		    poll(&ready, 1, (int)(until_ms - now_ms)) == 0)
			return 0;
		from.len = sizeof(from.sockaddr);
		n = recvfrom(work->fd, work->data, sizeof(work->data), 0,
		    (struct sockaddr *)&from.sockaddr, &from.len);
		if (n < 0)
			return error_errno(err, "cannot receive");
		if (tftp_parse(packet, work->data, (size_t)n, &ignored) != 0 ||
		    !is_from_server(work, &from))
			continue;
		work->peer = from;
		return 1;
	}
}

/* Until something comes, the packet at hand is sent again and again. */
static int
await(struct work *work, struct tftp_packet *packet, struct error *err)
{
	int got = 0;

	while (got == 0) {
		uint64_t now_ms = clock_monotonic_ms();
		uint64_t until_ms = now_ms + RESEND_MS;

		if (now_ms >= work->end_ms)
			return error_set(err, ERROR_SYSTEM, "%s",
			    work->receiver.begun ? "the server sends no more" :
						   "no answer in time");
		if (until_ms > work->end_ms)
			until_ms = work->end_ms;
		got = receive(work, packet, until_ms, err);
		if (got == 0 && send_packet(work, err) != 0)
			return -1;
	}
	return got > 0 ? 0 : -1;
}

static int
keep(struct work *work, const struct tftp_packet *packet, struct buf *out,
    struct error *err)
{
	if (buf_append(out, packet->data, packet->len) == 0)
		return 0;
	send_error(work, &work->peer, TFTP_ERROR_TEXT, "too large");
	return error_set(err, ERROR_INPUT,
	    "more than the %zu bytes that the device can take", out->limit);
}

/* One packet, and the answer to it; 1: the file is whole. */
static int
step(struct work *work, struct buf *out, struct error *err)
{
	bool begun = work->receiver.begun, piece;
	struct tftp_packet packet = { .len = 0 };
	enum receiver_next next;
	enum tftp_error code;

	if (await(work, &packet, err) != 0)
		return -1;
	next = receiver_take(&work->receiver, &packet, &piece, &code, err);
	if (next == RECEIVER_WAIT)
		return 0;
	if (next == RECEIVER_FAIL) {
		if (code != TFTP_ERROR_TEXT)
			send_error(work, &work->peer, code, err->text);
		return -1;
	}
	if (piece || !begun)
		work->end_ms = clock_monotonic_ms() + work->get->timeout_ms;
	if ((piece && keep(work, &packet, out, err) != 0) ||
	    send_packet(work, err) != 0)
		return -1;
	return next == RECEIVER_DONE;
}

int
tftp_get_file(const struct tftp_get *get, struct buf *out, struct error *err)
{
	const struct tftp_options asked = {
		.block_bytes = get->block_bytes,
		.has_size = get->block_bytes != 0,
	};
	struct work work = { .get = get,
		.end_ms = clock_monotonic_ms() + get->timeout_ms };
	int rc;

	receiver_init(&work.receiver, &asked);
	work.fd = open_socket(get, err);
	if (work.fd < 0)
		return -1;
	rc = send_packet(&work, err);
	while (rc == 0)
		rc = step(&work, out, err);
	(void)close(work.fd);
	return rc == 1 ? 0 : -1;
}
