#include "spa/mask.h"
#include "spa/flat_profile.h"
#include "spa/parameter.h"

#include <stdbool.h>
#include <string.h>

struct masking {
	const char *text;
	size_t done; /* bytes of text that are in out, masked or not */
	struct buf *out;
};

/* All up to start as it is, and a mask for what is between start and end. */
static int
mask_range(struct masking *masking, size_t start, size_t end)
{
	if (start >= end)
		return 0;
	if (buf_append(masking->out, masking->text + masking->done,
		start - masking->done) != 0 ||
	    buf_append_text(masking->out, MASK_TEXT) != 0)
		return -1;
	masking->done = end;
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where the argument at start ends: a quote as it may stand in XML, or a blank
 * or bracket. */
static size_t
argument_end(const char *text, size_t start, size_t end)
{
	static const char *const quotes[] = { "\"", "&quot;", "&#34;" };

	for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++) {
		size_t n = strlen(quotes[i]);
		const char *close;

		if (end - start < n || memcmp(text + start, quotes[i], n) != 0)
			continue;
		close = memmem(text + start + n, end - start - n, quotes[i], n);
		return close != NULL ? (size_t)(close - text) + n : end;
	}
	while (start < end && !is_blank(text[start]) && text[start] != ']')
		start++;
	return start;
}

/* "[--key abc --uid u --pwd p]https://...": macros name a secret, they are
 * none. */
static int
mask_options(struct masking *masking, size_t start, size_t end)
{
	static const char *const options[] = { "--key", "--pwd" };

	while (start < end) {
		size_t n = strlen(options[0]), stop;

		if (end - start <= n ||
		    (memcmp(masking->text + start, options[0], n) != 0 &&
			memcmp(masking->text + start, options[1], n) != 0)) {
			start++;
			continue;
		}
		start += n;
		while (start < end && is_blank(masking->text[start]))
			start++;
		stop = argument_end(masking->text, start, end);
		if (start < stop && masking->text[start] != '$' &&
		    mask_range(masking, start, stop) != 0)
			return -1;
		start = stop;
	}
	return 0;
}

static int
mask_all(struct masking *masking, const struct flat_profile *profile)
{
	for (size_t i = 0; i < flat_profile_count(profile); i++) {
		const struct flat_parameter *parameter =
		    flat_profile_at(profile, i);
		int rc;

		if (parameter_is_secret(parameter->path, parameter->name))
			rc = *parameter->value != '\0' ?
			    mask_range(masking, parameter->start,
				parameter->end) :
			    0;
		else
			rc = mask_options(masking, parameter->start,
			    parameter->end);
		if (rc != 0)
			return -1;
	}
	return 0;
}

int
profile_mask(const char *text, size_t len, struct buf *out, struct error *err)
{
	struct masking masking = { .text = text, .out = out };
	struct flat_profile *profile = flat_profile_read(text, len, err);
	size_t before = out->len;
	int rc;

	if (profile == NULL)
		return -1;
	rc = mask_all(&masking, profile);
	flat_profile_free(profile);
	if (rc == 0)
		rc = buf_append(out, text + masking.done, len - masking.done);
	if (rc == 0)
		return 0;
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return error_set(err, ERROR_INPUT,
	    "the masked profile is longer than %zu bytes", out->limit);
}
