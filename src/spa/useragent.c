#include "spa/useragent.h"

#include <stddef.h>
#include <string.h>

#include "spa/registry.h"

/* Product, hyphen, version. */
#define NAME_TEXT_MAX (USERAGENT_TEXT_MAX + 1 + FIRMWARE_TEXT_MAX)

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Copy len bytes as text; false when they do not fit or are none. */
static bool
copy(char *out, size_t size, const char *text, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < 0x20 || *text > 0x7e)
			return false;
	}
	return true;
}

/* "digits separator digit": how every version begins. */
static bool
begins_version(const char *text, char separator)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && text[digits] == separator &&
	    is_digit(text[digits + 1]);
}

/* The end of the product by its shape: SPA-999|6.1.5, ATA999-MPP|11-1-0. */
static size_t
guess_product_length(const char *name)
{
	static const char separators[] = ".-";

	for (const char *s = separators; *s != '\0'; s++) {
		const char *p = name;

		while ((p = strchr(p, '-')) != NULL) {
			if (begins_version(++p, *s))
				return (size_t)(p - 1 - name);
		}
	}
	return strlen(name);
}

/* The longest product that the registry knows and that a version may follow. */
static const struct model *
find_product(const char *name, size_t *product_len)
{
	const struct model *found = NULL;
	char product[NAME_TEXT_MAX + 1];
	size_t len = strlen(name);

	for (size_t i = 1; i <= len; i++) {
		const struct model *model;

		if (i < len && !(name[i] == '-' && is_digit(name[i + 1])))
			continue;
		memcpy(product, name, i);
		product[i] = '\0';
		model = registry_find_model(product, NULL);
		if (model != NULL) {
			found = model;
			*product_len = i;
		}
	}
	return found;
}

/* Read "SPA504G-7.4.9c" or "SPA504G". */
static bool
read_name(struct useragent *ua, const char *text, size_t len)
{
	char name[NAME_TEXT_MAX + 1];
	size_t product_len;

	if (!copy(name, sizeof(name), text, len))
		return false;
	ua->model = find_product(name, &product_len);
	if (ua->model == NULL)
		product_len = guess_product_length(name);
	if (!copy(ua->product, sizeof(ua->product), name, product_len))
		return false;
	return product_len == len ||
	    copy(ua->version, sizeof(ua->version), name + product_len + 1,
		len - product_len - 1);
}

/* Read "CP-7832-3PCC/11.0.1". */
static bool
read_mpp_name(struct useragent *ua, const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t product_len = slash != NULL ? (size_t)(slash - text) : len;

	if (!copy(ua->product, sizeof(ua->product), text, product_len))
		return false;
	if (slash == NULL ||
	    !copy(ua->version, sizeof(ua->version), slash + 1,
		len - product_len - 1))
		return false;
	ua->model = registry_find_model(ua->product, NULL);
	return true;
}

/* Read "(letters and digits)"; *text is then behind it. */
static bool
read_group(const char **text, char group[static USERAGENT_TEXT_MAX + 1])
{
	static const char alphanumeric[] =
	    "0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t len;

	if (**text != '(')
		return false;
	len = strspn(*text + 1, alphanumeric);
	if ((*text)[1 + len] != ')' ||
	    !copy(group, USERAGENT_TEXT_MAX + 1, *text + 1, len))
		return false;
	*text += len + 2;
	return true;
}

/* Does that model send its MAC?  An unknown one may. */
static bool
may_send_mac(const struct model *model)
{
	return model == NULL || strcasestr(model->user_agent, "{mac}") != NULL;
}

/* Read what follows the version: "", " (a)" or " (a)(b)". */
static bool
read_groups(struct useragent *ua, const char *text, bool mac_alone)
{
	char first[USERAGENT_TEXT_MAX + 1];

	if (*text == '\0')
		return true;
	if (*text++ != ' ' || !read_group(&text, first))
		return false;
	if (*text != '\0') {
		ua->has_mac = mac_read(&ua->mac, first, strlen(first));
		return ua->has_mac && read_group(&text, ua->serial) &&
		    *text == '\0';
	}
	ua->has_mac = mac_alone && may_send_mac(ua->model) &&
	    mac_read(&ua->mac, first, strlen(first));
	if (!ua->has_mac)
		memcpy(ua->serial, first, sizeof(first));
	return true;
}

bool
useragent_parse(struct useragent *ua, const char *text)
{
	static const struct {
		const char *prefix;
		bool (*read)(struct useragent *, const char *, size_t);
		bool mac_alone; /* a single group may be the MAC */
	} brands[] = {
		{ "Linksys/", read_name, false },
		{ "Cisco/", read_name, true },
		{ "Cisco-", read_mpp_name, true },
	};

	if (!is_printable(text))
		return false;
	for (size_t i = 0; i < sizeof(brands) / sizeof(*brands); i++) {
		size_t prefix_len = strlen(brands[i].prefix);
		const char *name = text + prefix_len;
		struct useragent parsed = { 0 };
		size_t len;

		if (strncmp(text, brands[i].prefix, prefix_len) != 0)
			continue;
		len = strcspn(name, " ");
		if (!brands[i].read(&parsed, name, len) ||
		    !read_groups(&parsed, name + len, brands[i].mac_alone))
			return false;
		*ua = parsed;
		return true;
	}
	return false;
}
