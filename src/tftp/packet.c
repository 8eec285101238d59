#include "tftp/packet.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static uint16_t
read_number(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

/* The next text that ends in NUL within the packet; NULL: there is none. */
static const char *
next_text(const uint8_t **data, const uint8_t *end)
{
	const char *text = (const char *)*data;
	const uint8_t *nul = memchr(*data, '\0', (size_t)(end - *data));

	if (nul == NULL)
		return NULL;
	*data = nul + 1;
	return text;
}

/* An option whose value cannot be is as one that is not known. */
static void
read_option(struct tftp_options *options, const char *name, const char *value)
{
	struct error ignored;
	uint64_t number;

	if (strcasecmp(name, "blksize") == 0 &&
	    text_parse_number(value, TFTP_BLOCK_MIN, TFTP_BLOCK_MAX, &number,
		&ignored) == 0)
		options->block_bytes = (unsigned)number;
	else if (strcasecmp(name, "timeout") == 0 &&
	    text_parse_number(value, 1, 255, &number, &ignored) == 0)
		options->timeout_s = (unsigned)number;
	else if (strcasecmp(name, "tsize") == 0 &&
	    text_parse_number(value, 0, UINT64_MAX / 2, &number, &ignored) ==
		0) {
		options->has_size = true;
		options->size = number;
	}
}

static int
read_options(struct tftp_packet *packet, const uint8_t *data,
    const uint8_t *end, struct error *err)
{
	while (data < end) {
		const char *name = next_text(&data, end);
		const char *value = name != NULL ? next_text(&data, end) : NULL;

		if (value == NULL)
			return error_set(err, ERROR_INPUT,
			    "an option without an end");
		read_option(&packet->options, name, value);
	}
	return 0;
}

static int
read_request(struct tftp_packet *packet, const uint8_t *data,
    const uint8_t *end, struct error *err)
{
	const char *name = next_text(&data, end);
	const char *mode = name != NULL ? next_text(&data, end) : NULL;

	if (mode == NULL)
		return error_set(err, ERROR_INPUT,
		    "a request without name and mode");
	if (strlen(name) > TFTP_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "a name of more than %d bytes", TFTP_NAME_MAX);
	memcpy(packet->name, name, strlen(name) + 1);
	packet->is_octet = strcasecmp(mode, "octet") == 0;
	return read_options(packet, data, end, err);
}

static int
read_error(struct tftp_packet *packet, const uint8_t *data, size_t len)
{
	packet->code = read_number(data);
	text_escape(data + 2, strnlen((const char *)data + 2, len - 2),
	    packet->message, sizeof(packet->message));
	return 0;
}

int
tftp_parse(struct tftp_packet *packet, const uint8_t *data, size_t len,
    struct error *err)
{
	const uint8_t *end = data + len;
	uint16_t opcode;

	*packet = (struct tftp_packet) { .len = 0 };
	if (len < 2)
		return error_set(err, ERROR_INPUT, "%zu bytes", len);
	opcode = read_number(data);
	packet->opcode = (enum tftp_opcode)opcode;
	data += 2;
	if (opcode >= TFTP_DATA && opcode <= TFTP_ERROR && len < 4)
		return error_set(err, ERROR_INPUT, "%zu bytes of opcode %u",
		    len, opcode);
	switch (opcode) {
	case TFTP_READ:
	case TFTP_WRITE:
		if (len > TFTP_REQUEST_MAX)
			return error_set(err, ERROR_INPUT,
			    "a request of %zu bytes: at most %d", len,
			    TFTP_REQUEST_MAX);
		return read_request(packet, data, end, err);
	case TFTP_DATA:
		packet->block = read_number(data);
		packet->data = data + 2;
		packet->len = len - TFTP_HEAD_BYTES;
		return 0;
	case TFTP_ACK:
		packet->block = read_number(data);
		return 0;
	case TFTP_ERROR:
		return read_error(packet, data, len - 2);
	case TFTP_OACK:
		return read_options(packet, data, end, err);
	default:
		return error_set(err, ERROR_INPUT, "opcode %u", opcode);
	}
}

static int
put_number(struct buf *out, unsigned number)
{
	const uint8_t bytes[2] = { (uint8_t)(number >> 8), (uint8_t)number };

	return buf_append(out, bytes, sizeof(bytes));
}

/* With its NUL. */
static int
put_text(struct buf *out, const char *text)
{
	return buf_append(out, text, strlen(text) + 1);
}

static int
put_option(struct buf *out, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return put_text(out, name) == 0 ? put_text(out, text) : -1;
}

static int
put_options(struct buf *out, const struct tftp_options *options)
{
	if (options->block_bytes != 0 &&
	    put_option(out, "blksize", options->block_bytes) != 0)
		return -1;
	if (options->timeout_s != 0 &&
	    put_option(out, "timeout", options->timeout_s) != 0)
		return -1;
	return options->has_size ? put_option(out, "tsize", options->size) : 0;
}

int
tftp_put_read(struct buf *out, const char *name,
    const struct tftp_options *options)
{
	return put_number(out, TFTP_READ) == 0 && put_text(out, name) == 0 &&
		put_text(out, "octet") == 0 ?
	    put_options(out, options) :
	    -1;
}

int
tftp_put_oack(struct buf *out, const struct tftp_options *options)
{
	return put_number(out, TFTP_OACK) == 0 ? put_options(out, options) : -1;
}

int
tftp_put_ack(struct buf *out, uint16_t block)
{
	return put_number(out, TFTP_ACK) == 0 ? put_number(out, block) : -1;
}

int
tftp_put_data(struct buf *out, uint16_t block)
{
	return put_number(out, TFTP_DATA) == 0 ? put_number(out, block) : -1;
}

int
tftp_put_error(struct buf *out, enum tftp_error code, const char *message)
{
	return put_number(out, TFTP_ERROR) == 0 && put_number(out, code) == 0 ?
	    put_text(out, message) :
	    -1;
}
