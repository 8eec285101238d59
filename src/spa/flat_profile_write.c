/*
 * From the list of parameters to XML.
 */
#include "spa/flat_profile.h"
#include "spa/profile.h"

#include <string.h>

static int
indent(struct buf *out, size_t depth)
{
	for (size_t i = 0; i <= depth; i++)
		if (buf_append_text(out, "  ") != 0)
			return -1;
	return 0;
}

static int
write_parameter(struct buf *out, const struct flat_parameter *parameter,
    size_t depth)
{
	const char *access = flat_access_name(parameter->access);

	if (indent(out, depth) != 0 ||
	    buf_printf(out, "<%s", parameter->name) != 0 ||
	    (*access != '\0' && buf_printf(out, " ua=\"%s\"", access) != 0))
		return -1;
	if (!parameter->has_value)
		return buf_append_text(out, "/>\n");
	if (buf_append_text(out, ">") != 0 ||
	    flat_escape(out, parameter->value) != 0)
		return -1;
	return buf_printf(out, "</%s>\n", parameter->name);
}

static size_t
count_parts(const char *path)
{
	size_t count = *path != '\0';

	for (; *path != '\0'; path++)
		count += *path == '/';
	return count;
}

/* How many parts of both paths, from the left, are the same? */
static size_t
count_common(const char *a, const char *b)
{
	size_t count = 0;

	for (;;) {
		size_t n = strcspn(a, "/"), m = strcspn(b, "/");

		if (n == 0 || n != m || strncmp(a, b, n) != 0)
			return count;
		count++;
		a += n + (a[n] == '/');
		b += m + (b[m] == '/');
	}
}

/* The part of a path with this number, from 0, and its length. */
static const char *
find_part(const char *path, size_t number, size_t *len)
{
	for (; number > 0; number--)
		path += strcspn(path, "/") + 1;
	*len = strcspn(path, "/");
	return path;
}

/* Close and open elements to get from one path to another one. */
static int
move(struct buf *out, const char *from, const char *to)
{
	size_t common = count_common(from, to), len;

	for (size_t i = count_parts(from); i > common; i--) {
		const char *part = find_part(from, i - 1, &len);

		if (indent(out, i - 1) != 0 ||
		    buf_printf(out, "</%.*s>\n", (int)len, part) != 0)
			return -1;
	}
	for (size_t i = common; i < count_parts(to); i++) {
		const char *part = find_part(to, i, &len);

		if (indent(out, i) != 0 ||
		    buf_printf(out, "<%.*s>\n", (int)len, part) != 0)
			return -1;
	}
	return 0;
}

static int
write_all(const struct flat_profile *profile, struct buf *out)
{
	const char *path = "";

	if (buf_append_text(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<flat-profile>\n") != 0)
		return -1;
	for (int nested = 0; nested <= 1; nested++)
		for (size_t i = 0; i < flat_profile_count(profile); i++) {
			const struct flat_parameter *parameter =
			    flat_profile_at(profile, i);

			if (!parameter->counts ||
			    (*parameter->path != '\0') != nested)
				continue;
			if (move(out, path, parameter->path) != 0 ||
			    write_parameter(out, parameter,
				count_parts(parameter->path)) != 0)
				return -1;
			path = parameter->path;
		}
	if (move(out, path, "") != 0)
		return -1;
	return buf_append_text(out, "</flat-profile>\n");
}

int
flat_profile_write(const struct flat_profile *profile, struct buf *out,
    struct error *err)
{
	size_t before = out->len;

	if (write_all(profile, out) != 0)
		(void)error_set(err, ERROR_INPUT,
		    "the profile is longer than %zu bytes",
		    out->limit - before);
	/* Values may come from anywhere: what XML cannot hold shows here. */
	else if (profile_check(buf_text(out) + before, out->len - before,
		     err) == 0)
		return 0;
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return -1;
}
