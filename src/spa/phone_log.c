#include "spa/phone_log.h"
#include "base/text.h"

#include <string.h>

#define MAC_CHARS (MAC_COLON_BYTES - 1)
#define WORDS_MAX 32 /* of the head, with what it is looked for in */

const char *
phone_log_kind_name(enum phone_log_kind kind)
{
	static const char *const names[PHONE_LOG_KINDS] = {
		[PHONE_LOG_OTHER] = "other",
		[PHONE_LOG_RESYNC_ASKS] = "resync-request",
		[PHONE_LOG_RESYNC_DONE] = "resync-success",
		[PHONE_LOG_RESYNC_FAILED] = "resync-failed",
		[PHONE_LOG_UPGRADE_ASKS] = "upgrade-request",
		[PHONE_LOG_UPGRADE_DONE] = "upgrade-success",
		[PHONE_LOG_UPGRADE_FAILED] = "upgrade-failed",
	};

	return names[kind];
}

struct slice_of {
	const char *at;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice_of
skip_blanks(struct slice_of rest)
{
	while (rest.len > 0 && is_blank(*rest.at)) {
		rest.at++;
		rest.len--;
	}
	return rest;
}

/* The next word; rest begins behind it. */
static struct slice_of
take_word(struct slice_of *rest)
{
	struct slice_of word;

	*rest = skip_blanks(*rest);
	word = (struct slice_of) { rest->at, 0 };
	while (word.len < rest->len && !is_blank(word.at[word.len]))
		word.len++;
	rest->at += word.len;
	rest->len -= word.len;
	return word;
}

static bool
starts(struct slice_of text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.at, with, len) == 0;
}

static struct slice_of
drop(struct slice_of text, size_t len)
{
	return (struct slice_of) { text.at + len, text.len - len };
}

/* "--", or dashes: U+2013 and U+2014 in UTF-8, 0x96 and 0x97 in CP1252; one
 * or two of them. */
static bool
is_dashes(struct slice_of word)
{
	static const char *const dashes[] = { "-", "\xe2\x80\x93",
		"\xe2\x80\x94", "\x96", "\x97" };
	bool hyphen = word.len == 1 && *word.at == '-';
	size_t count = 0;

	while (word.len > 0) {
		size_t i = 0;

		while (i < 5 && !starts(word, dashes[i]))
			i++;
		if (i == 5 || ++count > 2)
			return false;
		word = drop(word, strlen(dashes[i]));
	}
	return count > 0 && !hyphen;
}

static bool
is_mac(struct slice_of word, struct mac *mac)
{
	return word.len == MAC_CHARS && word.at[2] == ':' &&
	    mac_read(mac, word.at, word.len);
}

/* ------------------------------------------------------- behind the dashes */

static const struct {
	const char *words;
	enum phone_log_kind kind;
	bool has_url; /* else an error */
} messages[] = {
	{ "Requesting resync ", PHONE_LOG_RESYNC_ASKS, true },
	{ "Successful resync ", PHONE_LOG_RESYNC_DONE, true },
	{ "Resync failed:", PHONE_LOG_RESYNC_FAILED, false },
	{ "Requesting upgrade ", PHONE_LOG_UPGRADE_ASKS, true },
	{ "Successful upgrade ", PHONE_LOG_UPGRADE_DONE, true },
	{ "Upgrade failed:", PHONE_LOG_UPGRADE_FAILED, false },
};

/* URL, then perhaps dashes and $ERR. */
static void
read_url(struct phone_log *line, struct slice_of rest)
{
	struct slice_of url = take_word(&rest);

	text_escape(url.at, url.len, line->url, sizeof(line->url));
	if (!is_dashes(take_word(&rest)))
		return;
	rest = skip_blanks(rest);
	text_escape(rest.at, rest.len, line->error, sizeof(line->error));
}

static bool
read_message(struct phone_log *line, struct slice_of rest)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		if (!starts(rest, messages[i].words))
			continue;
		line->kind = messages[i].kind;
		rest = skip_blanks(drop(rest, strlen(messages[i].words)));
		if (messages[i].has_url)
			read_url(line, rest);
		else
			text_escape(rest.at, rest.len, line->error,
			    sizeof(line->error));
		return true;
	}
	return false;
}

/* ---------------------------------------------------------------- the line */

/* "<134>"; 1 to 3 digits (RFC 3164 4.1.1). */
static struct slice_of
skip_priority(struct slice_of text)
{
	size_t digits = 0;

	if (text.len == 0 || *text.at != '<')
		return text;
	while (digits < 4 && 1 + digits < text.len &&
	    text.at[1 + digits] >= '0' && text.at[1 + digits] <= '9')
		digits++;
	if (digits == 0 || digits > 3 || 1 + digits >= text.len ||
	    text.at[1 + digits] != '>')
		return text;
	return drop(text, digits + 2);
}

/* Newlines and NULs at the end are the transport's. */
static struct slice_of
trim(struct slice_of text)
{
	while (text.len > 0 &&
	    (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r' ||
		text.at[text.len - 1] == '\0'))
		text.len--;
	return text;
}

/*
 * Three words in a row that are product, MAC address and dashes, and then one of
 * the messages: heads differ too much to be read for their own sake.
 */
static bool
find_message(struct phone_log *line, struct slice_of text)
{
	struct slice_of rest = text, before = { text.at, 0 }, word;
	struct mac mac;

	for (int i = 0; i < WORDS_MAX; i++) {
		struct slice_of behind;

		word = take_word(&rest);
		if (word.len == 0)
			return false;
		behind = rest;
		if (before.len > 0 && is_mac(word, &mac) &&
		    is_dashes(take_word(&behind)) &&
		    read_message(line, skip_blanks(behind))) {
			line->has_mac = true;
			line->mac = mac;
			text_escape(before.at, before.len, line->product,
			    sizeof(line->product));
			text_escape(before.at,
			    (size_t)(text.at + text.len - before.at),
			    line->text, sizeof(line->text));
			return true;
		}
		before = word;
	}
	return false;
}

/* An identifier ($MA, $MAU, $MAC) in the head of a line that says anything. */
static void
find_identifier(struct phone_log *line, struct slice_of text)
{
	for (int i = 0; i < WORDS_MAX && !line->has_mac; i++) {
		struct slice_of word = take_word(&text);

		if (word.len > 0 && word.at[word.len - 1] == ':')
			word.len--;
		if (word.len == MAC_CHARS || word.len == 2 * MAC_OCTETS)
			line->has_mac = mac_read(&line->mac, word.at, word.len);
	}
}

void
phone_log_parse(struct phone_log *line, const void *data, size_t len)
{
	struct slice_of text = { data,
		len < PHONE_LOG_BYTES_MAX ? len : PHONE_LOG_BYTES_MAX };

	*line = (struct phone_log) { .kind = PHONE_LOG_OTHER };
	text = skip_priority(trim(text));
	if (find_message(line, text))
		return;
	text = skip_blanks(text);
	text_escape(text.at, text.len, line->text, sizeof(line->text));
	find_identifier(line, text);
}
