#include "tls/hello.h"
#include "base/text.h"
#include "tls/conn.h"

#define CLIENT_HELLO 1
#define RANDOM_BYTES 32
#define EXTENSION_SERVER_NAME 0
#define EXTENSION_SUPPORTED_VERSIONS 43

/* Bytes not read yet. */
struct span {
	const uint8_t *data;
	size_t len;
};

static bool
take_span(struct span *from, size_t len, struct span *part)
{
	if (len > from->len)
		return false;
	*part = (struct span) { from->data, len };
	from->data += len;
	from->len -= len;
	return true;
}

/* A number of 1 to 3 bytes. */
static bool
take_number(struct span *from, size_t width, size_t *number)
{
	struct span part;

	if (!take_span(from, width, &part))
		return false;
	*number = 0;
	for (size_t i = 0; i < width; i++)
		*number = *number << 8 | part.data[i];
	return true;
}

/* A run of bytes behind its own length of 1 to 3 bytes. */
static bool
take_vector(struct span *from, size_t width, struct span *part)
{
	size_t len;

	return take_number(from, width, &len) && take_span(from, len, part);
}

static void
read_server_name(struct span data, struct tls_hello *hello)
{
	struct span list, name;
	size_t type;

	/* RFC 6066 3; only the first name, of type host_name. */
	if (take_vector(&data, 2, &list) && take_number(&list, 1, &type) &&
	    type == 0 && take_vector(&list, 2, &name))
		text_escape(name.data, name.len, hello->sni,
		    sizeof(hello->sni));
}

static void
read_supported_versions(struct span data, struct tls_hello *hello)
{
	struct span list;
	size_t version;

	if (!take_vector(&data, 1, &list))
		return;
	hello->max_version = 0;
	while (take_number(&list, 2, &version)) {
		/* Drafts and the reserved ones of RFC 8701 are left out. */
		if (version >> 8 == 3 && version > hello->max_version)
			hello->max_version = (uint16_t)version;
	}
}

static void
add_cipher(struct tls_hello *hello, size_t cipher)
{
	if (hello->cipher_count < TLS_HELLO_CIPHERS_MAX)
		hello->cipher[hello->cipher_count] = (uint16_t)cipher;
	hello->cipher_count++;
}

static bool
read_extensions(struct span list, struct tls_hello *hello)
{
	struct span data;
	size_t type;

	while (list.len > 0) {
		if (!take_number(&list, 2, &type) ||
		    !take_vector(&list, 2, &data))
			return false;
		if (hello->extension_count < TLS_HELLO_EXTENSIONS_MAX)
			hello->extension[hello->extension_count] = (uint16_t)
			    type;
		hello->extension_count++;
		if (type == EXTENSION_SERVER_NAME)
			read_server_name(data, hello);
		else if (type == EXTENSION_SUPPORTED_VERSIONS)
			read_supported_versions(data, hello);
	}
	return true;
}

static bool
read_version(struct span *from, struct tls_hello *hello)
{
	size_t version;

	if (!take_number(from, 2, &version))
		return false;
	hello->version = hello->max_version = (uint16_t)version;
	hello->seen = true;
	return true;
}

static bool
read_sslv2(struct span message, struct tls_hello *hello)
{
	struct span ciphers, rest;
	size_t type, cipher_len, session_len, challenge_len, cipher;

	hello->sslv2_format = true;
	if (!take_number(&message, 1, &type) || type != CLIENT_HELLO ||
	    !read_version(&message, hello) ||
	    !take_number(&message, 2, &cipher_len) ||
	    !take_number(&message, 2, &session_len) ||
	    !take_number(&message, 2, &challenge_len) ||
	    !take_span(&message, cipher_len, &ciphers) ||
	    !take_span(&message, session_len, &rest) ||
	    !take_span(&message, challenge_len, &rest))
		return false;
	while (take_number(&ciphers, 3, &cipher)) {
		/* SSL 2.0's own suites have numbers of three bytes. */
		if (cipher <= UINT16_MAX)
			add_cipher(hello, cipher);
	}
	return ciphers.len == 0 && message.len == 0;
}

static bool
read_tls(struct span message, struct tls_hello *hello)
{
	struct span body, skipped, ciphers, extensions;
	size_t type, cipher;

	if (!take_number(&message, 1, &type) || type != CLIENT_HELLO ||
	    !take_vector(&message, 3, &body) || !read_version(&body, hello) ||
	    !take_span(&body, RANDOM_BYTES, &skipped) ||
	    !take_vector(&body, 1, &skipped) || /* session id */
	    !take_vector(&body, 2, &ciphers))
		return false;
	while (take_number(&ciphers, 2, &cipher))
		add_cipher(hello, cipher);
	if (ciphers.len != 0 || !take_vector(&body, 1, &skipped))
		return false; /* compression methods */
	if (body.len == 0)
		return message.len == 0; /* no extension block */
	return take_vector(&body, 2, &extensions) &&
	    read_extensions(extensions, hello) && body.len == 0 &&
	    message.len == 0;
}

bool
tls_hello_parse(struct tls_hello *hello, bool sslv2, const uint8_t *data,
    size_t len)
{
	struct span message = { data, len };

	*hello = (struct tls_hello) { 0 };
	return sslv2 ? read_sslv2(message, hello) : read_tls(message, hello);
}

#define RECORD_HANDSHAKE 22
#define RECORD_HEADER 5

bool
tls_hello_read(struct tls_hello *hello, const uint8_t *data, size_t len)
{
	struct span bytes = { data, len }, head, message;

	*hello = (struct tls_hello) { 0 };
	/* RFC 5246 E.2: two bytes, the first of which has its high bit set. */
	if (len > 2 && (data[0] & 0x80) != 0 && data[2] == CLIENT_HELLO)
		return take_span(&bytes, 2, &head) &&
		    take_span(&bytes, (size_t)(data[0] & 0x7f) << 8 | data[1],
			&message) &&
		    tls_hello_parse(hello, true, message.data, message.len);
	return len > RECORD_HEADER && data[0] == RECORD_HANDSHAKE &&
	    take_span(&bytes, 3, &head) && take_vector(&bytes, 2, &message) &&
	    tls_hello_parse(hello, false, message.data, message.len);
}
