#include "reach/web.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/response.h"

#define ANSWER_MAX (256UL * 1024)
#define VALUE_MAX 256 /* of a parameter of a challenge */
#define HEX_BYTES 33

/* One parameter of a challenge: realm="x", qop=auth; "" when it has none.
 * False: it is longer than we answer, or holds a quote or a control. */
static bool
get_parameter(const char *challenge, const char *name,
    char value[static VALUE_MAX])
{
	size_t len = strlen(name);
	const char *p = challenge;
	size_t n;

	*value = '\0';
	while ((p = strcasestr(p, name)) != NULL) {
		bool begins = p > challenge && strchr(" ,\t", p[-1]) != NULL;

		p += len;
		if (begins && *p == '=')
			break;
	}
	if (p == NULL)
		return true;
	p++;
	if (*p == '"')
		n = strcspn(++p, "\"");
	else
		n = strcspn(p, ", \t");
	if (n >= VALUE_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)p[i]) || p[i] == '\\')
			return false;
	memcpy(value, p, n);
	value[n] = '\0';
	return true;
}

/* MD5 of texts with ':' between them, in hex. */
static bool
md5_of(char hex[static HEX_BYTES], const char *const *texts, size_t count)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool good = context != NULL &&
	    EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;

	for (size_t i = 0; good && i < count; i++)
		good = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
		    EVP_DigestUpdate(context, texts[i], strlen(texts[i])) == 1;
	good = good && EVP_DigestFinal_ex(context, digest, &len) == 1 &&
	    2 * len + 1 == HEX_BYTES;
	if (good)
		text_hex(digest, len, hex);
	EVP_MD_CTX_free(context);
	return good;
}

/* RFC 7616 section 3.4.1; without qop as RFC 2069, which old devices do. */
static char *
digest_authorize(const char *challenge, const char *path, const char *login,
    const char *password, const char *cnonce)
{
	char realm[VALUE_MAX], nonce[VALUE_MAX], opaque[VALUE_MAX],
	    algorithm[VALUE_MAX], qop[VALUE_MAX];
	char a1[HEX_BYTES], a2[HEX_BYTES], response[HEX_BYTES];
	bool has_qop;

	if (!get_parameter(challenge, "realm", realm) ||
	    !get_parameter(challenge, "nonce", nonce) ||
	    !get_parameter(challenge, "opaque", opaque) ||
	    !get_parameter(challenge, "algorithm", algorithm) ||
	    !get_parameter(challenge, "qop", qop) || *nonce == '\0' ||
	    (*algorithm != '\0' && strcasecmp(algorithm, "MD5") != 0))
		return NULL;
	has_qop = strcasestr(qop, "auth") != NULL;
	if (!md5_of(a1, (const char *[]) { login, realm, password }, 3) ||
	    !md5_of(a2, (const char *[]) { "GET", path }, 2) ||
	    !(has_qop ?
		    md5_of(response,
			(const char *[]) {
			    a1, nonce, "00000001", cnonce, "auth", a2 },
			6) :
		    md5_of(response, (const char *[]) { a1, nonce, a2 }, 3)))
		return NULL;
	return xasprintf("Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", "
			 "uri=\"%s\", "
			 "response=\"%s\"%s%s%s%s%s%s",
	    login, realm, nonce, path, response,
	    has_qop ? ", qop=auth, nc=00000001, cnonce=\"" : "",
	    has_qop ? cnonce : "", has_qop ? "\"" : "",
	    *opaque != '\0' ? ", opaque=\"" : "", opaque,
	    *opaque != '\0' ? "\"" : "");
}

static char *
basic_authorize(const char *login, const char *password)
{
	char *pair = xasprintf("%s:%s", login, password);
	size_t len = strlen(pair);
	char *encoded = xcalloc(1, 4 * ((len + 2) / 3) + 1);
	char *field;

	(void)EVP_EncodeBlock((unsigned char *)encoded,
	    (const unsigned char *)pair, (int)len);
	field = xasprintf("Basic %s", encoded);
	OPENSSL_cleanse(pair, len);
	OPENSSL_cleanse(encoded, strlen(encoded));
	free(pair);
	free(encoded);
	return field;
}

char *
web_authorize(const char *challenge, const char *path, const char *login,
    const char *password, const char *cnonce)
{
	/* They stand between quotes, and in a line. */
	for (const char *p = login; *p != '\0'; p++)
		if (!isprint((unsigned char)*p) || strchr("\"\\:", *p) != NULL)
			return NULL;
	if (strncasecmp(challenge, "Digest ", 7) == 0)
		return digest_authorize(challenge, path, login, password,
		    cnonce);
	if (strncasecmp(challenge, "Basic", 5) == 0 &&
	    strlen(password) < VALUE_MAX)
		return basic_authorize(login, password);
	return NULL;
}

/* Waiting */

struct client {
	const struct web_target *target;
	uint64_t deadline; /* of clock_monotonic_ms */
	struct buf answer;
	int fd;
};

static bool
wait_for(const struct client *client, short events)
{
	struct pollfd pollfd = { .fd = client->fd, .events = events };
	uint64_t now = clock_monotonic_ms();

	return now < client->deadline &&
	    poll(&pollfd, 1, (int)(client->deadline - now)) > 0;
}

static enum agent_outcome
open_connection(struct client *client)
{
	const struct addr *addr = &client->target->addr;
	int error = 0;
	socklen_t len = sizeof(error);

	client->fd = socket(addr->sockaddr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return AGENT_FAILED;
	if (connect(client->fd, (const struct sockaddr *)&addr->sockaddr,
		addr->len) == 0)
		return AGENT_ACCEPTED;
	if (errno != EINPROGRESS)
		return AGENT_FAILED;
	if (!wait_for(client, POLLOUT))
		return AGENT_NO_ANSWER;
	if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
	    error != 0)
		return AGENT_FAILED;
	return AGENT_ACCEPTED;
}

static bool
send_all(const struct client *client, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(client->fd, text, len, MSG_NOSIGNAL);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && errno == EAGAIN) {
			if (!wait_for(client, POLLOUT))
				return false;
		} else {
			return false;
		}
	}
	return true;
}

/* Until the answer is complete. */
static enum agent_outcome
receive(struct client *client, int *status)
{
	struct reply *reply = reply_new(false);
	enum agent_outcome outcome = AGENT_ACCEPTED;
	struct error err = { 0 };
	char chunk[4096];
	int rc = 0;

	buf_clear(&client->answer);
	while (rc == 0 && outcome == AGENT_ACCEPTED) {
		ssize_t n = recv(client->fd, chunk, sizeof(chunk), 0);

		if (n > 0 && buf_append(&client->answer, chunk, (size_t)n) == 0)
			rc = reply_feed(reply, chunk, (size_t)n, &err);
		else if (n == 0)
			rc = reply_end(reply, &err) == 1 ? 1 : -1;
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno == EAGAIN)
			outcome = wait_for(client, POLLIN) ? AGENT_ACCEPTED :
							     AGENT_NO_ANSWER;
		else
			rc = -1;
	}
	if (rc == 1)
		*status = reply_head(reply)->status;
	else if (outcome == AGENT_ACCEPTED)
		outcome = AGENT_MALFORMED;
	reply_free(reply);
	return outcome;
}

static enum agent_outcome
ask(struct client *client, const char *authorization, int *status)
{
	char host[ADDR_TEXT_BYTES];
	enum agent_outcome outcome = open_connection(client);
	char *request;

	addr_format(&client->target->addr, host);
	request = xasprintf("GET %s HTTP/1.1\r\n"
			    "Host: %s\r\n"
			    "User-Agent: sprov\r\n"
			    "%s%s%s"
			    "Connection: close\r\n\r\n",
	    client->target->path, host,
	    authorization != NULL ? "Authorization: " : "",
	    authorization != NULL ? authorization : "",
	    authorization != NULL ? "\r\n" : "");
	if (outcome == AGENT_ACCEPTED)
		outcome = send_all(client, request) ? receive(client, status) :
						      AGENT_NO_ANSWER;
	if (client->fd >= 0)
		(void)close(client->fd);
	OPENSSL_cleanse(request, strlen(request));
	free(request);
	return outcome;
}

/* The strongest challenge of the answer's head; free() it, NULL: none. */
static char *
find_challenge(const struct buf *answer)
{
	static const char field[] = "\r\nWWW-Authenticate:";
	const char *text = buf_text(answer);
	const char *end = strstr(text, "\r\n\r\n");
	char *found = NULL;

	while ((text = strcasestr(text, field)) != NULL &&
	    (end == NULL || text < end)) {
		const char *value = text + strlen(field);
		size_t len;

		value += strspn(value, " \t");
		len = strcspn(value, "\r\n");
		if (found == NULL || strncasecmp(value, "Digest ", 7) == 0) {
			free(found);
			found = xstrndup(value, len < 2048 ? len : 2048);
		}
		text = value;
	}
	return found;
}

static enum agent_outcome
log_in(struct client *client, struct agent_result *result)
{
	const struct web_target *target = client->target;
	char *challenge = find_challenge(&client->answer);
	unsigned char random[8] = { 0 };
	char cnonce[2 * sizeof(random) + 1];
	enum agent_outcome outcome = AGENT_MALFORMED;
	char *authorization = NULL;

	result->challenged = true;
	if (target->login == NULL || target->password == NULL) {
		outcome = AGENT_LOGIN;
		goto out;
	}
	if (challenge == NULL || RAND_bytes(random, sizeof(random)) != 1)
		goto out;
	text_hex(random, sizeof(random), cnonce);
	authorization = web_authorize(challenge, target->path, target->login,
	    target->password, cnonce);
	if (authorization == NULL)
		goto out;
	outcome = ask(client, authorization, &result->status);
	if (outcome == AGENT_ACCEPTED && result->status == 401)
		outcome = AGENT_WRONG;
out:
	if (authorization != NULL)
		OPENSSL_cleanse(authorization, strlen(authorization));
	free(authorization);
	free(challenge);
	return outcome;
}

void
web_resync(const struct web_target *target, unsigned timeout_ms,
    struct agent_result *result)
{
	struct client client = { .target = target,
		.deadline = clock_monotonic_ms() + timeout_ms,
		.fd = -1 };

	*result = (struct agent_result) { 0 };
	buf_init(&client.answer, ANSWER_MAX);
	result->outcome = ask(&client, NULL, &result->status);
	if (result->outcome == AGENT_ACCEPTED && result->status == 401)
		result->outcome = log_in(&client, result);
	if (result->outcome == AGENT_ACCEPTED &&
	    (result->status < 200 || result->status >= 400))
		result->outcome = AGENT_REFUSED;
	buf_clear(&client.answer);
}
