#include "tls/hello_wait.h"

#define RECORD_HEADER 5
#define SSLV2_HEADER 3 /* the length and the type */
#define RECORD_HANDSHAKE 22
#define RECORD_MAX 16384
#define MESSAGE_HEADER 4
#define CLIENT_HELLO 1

/* The first bytes of the message, from as many records as they come in. */
struct message {
	uint8_t header[MESSAGE_HEADER];
	size_t have;
};

static void
gather(struct message *message, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && message->have + i < MESSAGE_HEADER; i++)
		message->header[message->have + i] = data[i];
	message->have += len;
}

/* The bytes of the message, as far as that is known. */
static size_t
message_length(const struct message *message)
{
	if (message->have < MESSAGE_HEADER)
		return MESSAGE_HEADER;
	return MESSAGE_HEADER + ((size_t)message->header[1] << 16) +
	    ((size_t)message->header[2] << 8) + message->header[3];
}

static bool
ask_for(size_t wanted, size_t *needed)
{
	*needed = wanted;
	return wanted > TLS_HELLO_WAIT_MAX;
}

/* RFC 5246 E.2: two bytes of length, then the message. */
static bool
is_sslv2_whole(const uint8_t *data, size_t len, size_t *needed)
{
	size_t all = 2 + ((size_t)(data[0] & 0x7f) << 8) + data[1];

	return len >= all || ask_for(all, needed);
}

/* RFC 5246 6.2.1, 7.4: records, each with a part of the message. */
bool
tls_hello_is_whole(const uint8_t *data, size_t len, size_t *needed)
{
	struct message message = { .have = 0 };

	if (len > 0 && len < SSLV2_HEADER && (data[0] & 0x80) != 0)
		return ask_for(SSLV2_HEADER, needed);
	if (len >= SSLV2_HEADER && (data[0] & 0x80) != 0 &&
	    data[2] == CLIENT_HELLO)
		return is_sslv2_whole(data, len, needed);
	if (len > 0 && data[0] != RECORD_HANDSHAKE && (data[0] & 0x80) == 0)
		return true;
	for (size_t at = 0;;) {
		size_t record, part, wanted;

		if (len < at + RECORD_HEADER)
			return ask_for(at + RECORD_HEADER, needed);
		record = (size_t)data[at + 3] << 8 | data[at + 4];
		if (data[at] != RECORD_HANDSHAKE || data[at + 1] != 3 ||
		    record == 0 || record > RECORD_MAX)
			return true;
		at += RECORD_HEADER;
		part = len - at < record ? len - at : record;
		gather(&message, data + at, part);
		wanted = message_length(&message);
		if (message.have > 0 && message.header[0] != CLIENT_HELLO)
			return true;
		if (message.have >= wanted && message.have >= MESSAGE_HEADER)
			return true;
		if (part < record) {
			size_t missing = wanted - message.have;

			if (missing > record - part)
				missing = record - part;
			return ask_for(len + missing, needed);
		}
		at += record;
	}
}
