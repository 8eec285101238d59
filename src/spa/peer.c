#include "spa/peer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "pki/cert.h"

/* What a message shows of a value. */
#define SHOWN_BYTES 48

/* The attributes that the forms use; each a NUL-terminated text or NULL. */
struct subject {
	const char *state, *locality, *unit, *common_name, *serial_number;
};

static const char *const attribute_names[] = {
	[CERT_COUNTRY] = "C",
	[CERT_STATE] = "ST",
	[CERT_LOCALITY] = "L",
	[CERT_ORGANIZATION] = "O",
	[CERT_UNIT] = "OU",
	[CERT_COMMON_NAME] = "CN",
	[CERT_SERIAL_NUMBER] = "serialNumber",
	[CERT_EMAIL] = "emailAddress",
	[CERT_OTHER] = "an attribute",
};

static bool refuse(struct peer *peer, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Returns false, so that "return refuse(...)" reads as one sentence. */
static bool
refuse(struct peer *peer, const char *fmt, ...)
{
	va_list ap;

	*peer = (struct peer) { .form = PEER_INVALID };
	va_start(ap, fmt);
	(void)vsnprintf(peer->reason, sizeof(peer->reason), fmt, ap);
	va_end(ap);
	return false;
}

static bool
refuse_value(struct peer *peer, const char *what, const char *value, size_t len,
    const char *why)
{
	char shown[SHOWN_BYTES];

	text_escape(value, len, shown, sizeof(shown));
	return refuse(peer, "%s \"%s\": %s", what, shown, why);
}

static bool
is_printable(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] < 0x20 || value[i] > 0x7e)
			return false;
	}
	return true;
}

static bool
check_part(struct peer *peer, const struct cert_name_part *part)
{
	const char *what = attribute_names[part->type];

	if (part->wide)
		return refuse(peer,
		    "%s is a string of wide characters: "
		    "expected ASCII",
		    what);
	if (part->truncated)
		return refuse(peer, "%s is longer than %d bytes", what,
		    CERT_VALUE_MAX);
	if (!is_printable(part->value, part->len))
		return refuse_value(peer, what, part->value, part->len,
		    "expected printable ASCII only");
	return true;
}

/* Does another part of the same type say something else? */
static bool
is_contradicted(const struct cert_name *name, size_t which)
{
	const struct cert_name_part *part = &name->part[which];

	/* Parts of other types share CERT_OTHER without being one type. */
	for (size_t i = 0; part->type != CERT_OTHER && i < which; i++) {
		const struct cert_name_part *other = &name->part[i];

		if (other->type == part->type &&
		    (other->len != part->len ||
			memcmp(other->value, part->value, part->len) != 0))
			return true;
	}
	return false;
}

static bool
check_name(struct peer *peer, const struct cert_name *name)
{
	if (name->overflow)
		return refuse(peer, "the subject has more than %d attributes",
		    CERT_NAME_PARTS_MAX);
	for (size_t i = 0; i < name->count; i++) {
		if (!check_part(peer, &name->part[i]))
			return false;
		if (is_contradicted(name, i))
			return refuse(peer,
			    "%s stands twice with different "
			    "values",
			    attribute_names[name->part[i].type]);
	}
	return true;
}

static bool
says_generic(const char *value)
{
	return value != NULL && strcasestr(value, "generic") != NULL;
}

/*
 * OU=cisco.com alone is not generic: individual certificates have it too.
 * [NGCP], [FW-7.5.2B], [SPA-PROV] p. 43.
 */
static bool
is_generic(const struct subject *subject)
{
	return says_generic(subject->state) ||
	    says_generic(subject->locality) ||
	    says_generic(subject->common_name);
}

/*
 * Can a device have that address?  None is multicast (RFC 7042 2.1: the lowest
 * bit of the first octet), which covers ff:ff:ff:ff:ff:ff, and none is zero.
 */
static bool
is_station(const struct mac *mac)
{
	static const struct mac zero;

	return (mac->octet[0] & 1) == 0 && !mac_equal(mac, &zero);
}

static bool
read_mac(struct peer *peer, const char *what, const char *text, size_t len,
    struct mac *mac)
{
	if (!mac_read(mac, text, len))
		return refuse_value(peer, what, text, len,
		    "expected a MAC address of 12 hex digits");
	if (!is_station(mac))
		return refuse_value(peer, what, text, len,
		    "no device has that MAC address");
	return true;
}

/*
 * Letters and digits, one digit at least.  The real ones have 11 or 12 of
 * them, and may be 12 hex digits.  ASSUMED: other lengths occur.
 */
static bool
is_serial(const char *text, size_t len)
{
	bool digit = false;

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]))
			return false;
		digit = digit || isdigit((unsigned char)text[i]);
	}
	return digit && len <= PEER_TEXT_MAX;
}

/* Letters, digits, hyphens inside: "SPA-962", "CP-8841-3PCC", "WRTP". */
static bool
is_product(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool inside = i > 0 && i + 1 < len;

		if (!isalnum((unsigned char)text[i]) &&
		    !(inside && text[i] == '-'))
			return false;
	}
	return len > 0 && len <= PEER_TEXT_MAX;
}

static bool
read_serial(struct peer *peer, const char *what, const char *text, size_t len)
{
	if (!is_serial(text, len))
		return refuse_value(peer, what, text, len,
		    "expected a serial of letters and digits");
	memcpy(peer->serial, text, len);
	peer->serial[len] = '\0';
	return true;
}

static bool
read_product(struct peer *peer, const char *what, const char *text, size_t len)
{
	if (!is_product(text, len))
		return refuse_value(peer, what, text, len,
		    "expected a product such as SPA-962");
	memcpy(peer->product, text, len);
	peer->product[len] = '\0';
	return true;
}

/* ST is the MAC and L the serial, in every form that has them. */
static bool
agree_place(struct peer *peer, const struct subject *subject)
{
	struct mac mac;

	if (subject->state != NULL) {
		if (!read_mac(peer, "ST", subject->state,
			strlen(subject->state), &mac))
			return false;
		if (!mac_equal(&mac, &peer->mac))
			return refuse(peer, "the MAC in ST is not that in CN");
	}
	if (subject->locality != NULL &&
	    strcmp(subject->locality, peer->serial) != 0)
		return refuse(peer, "the serial in L is not that in %s",
		    peer->form == PEER_MIC ? "serialNumber" : "CN");
	return true;
}

/*
 * OU is a domain or a department (sipura.com, CTG) unless the subject is of two
 * forms at once; then it is the product, and must be the same one.  ASSUMED:
 * no department has a digit.
 */
static bool
agree_unit(struct peer *peer, const struct subject *subject)
{
	const char *unit = subject->unit;

	if (unit != NULL && is_product(unit, strlen(unit)) &&
	    strpbrk(unit, "0123456789") != NULL &&
	    strcmp(unit, peer->product) != 0)
		return refuse(peer, "the product in OU is not that in CN");
	return true;
}

/* OU=SPA-962, L=<serial>, ST=<mac>: [SPA-PROV] p. 43, [MPP-PROV]. */
static bool
read_documented(struct peer *peer, const struct subject *subject)
{
	peer->form = PEER_DOCUMENTED;
	if (subject->state == NULL || subject->locality == NULL ||
	    subject->unit == NULL)
		return refuse(peer,
		    "no CN and no %s: expected OU, L and ST "
		    "with product, serial and MAC",
		    subject->state == NULL	  ? "ST" :
			subject->locality == NULL ? "L" :
						    "OU");
	return read_product(peer, "OU", subject->unit, strlen(subject->unit)) &&
	    read_serial(peer, "L", subject->locality,
		strlen(subject->locality)) &&
	    read_mac(peer, "ST", subject->state, strlen(subject->state),
		&peer->mac);
}

/* CN="SPA-525G2, MAC: <MAC>, Serial: <serial>" beside ST and L: [NGCP]. */
static bool
read_observed(struct peer *peer, const struct subject *subject)
{
	static const char before_mac[] = ", MAC: ";
	static const char before_serial[] = ", Serial: ";
	const char *product = subject->common_name;
	const char *mac = strstr(product, before_mac);
	const char *serial = strstr(product, before_serial);
	const char *mac_text, *serial_text;

	peer->form = PEER_OBSERVED;
	if (mac == NULL || serial == NULL || serial < mac)
		return refuse_value(peer, "CN", product, strlen(product),
		    "expected \"PRODUCT, MAC: MAC, Serial: SERIAL\"");
	if (subject->state == NULL || subject->locality == NULL)
		return refuse(peer,
		    "no %s beside the CN: expected ST and L "
		    "with the same MAC and serial",
		    subject->state == NULL ? "ST" : "L");
	mac_text = mac + strlen(before_mac);
	serial_text = serial + strlen(before_serial);
	return read_product(peer, "product in CN", product,
		   (size_t)(mac - product)) &&
	    read_mac(peer, "MAC in CN", mac_text, (size_t)(serial - mac_text),
		&peer->mac) &&
	    read_serial(peer, "serial in CN", serial_text,
		strlen(serial_text)) &&
	    agree_place(peer, subject) && agree_unit(peer, subject);
}

/* serialNumber="PID:<product> SN:<serial>": [MIC]. */
static bool
read_mic_serial_number(struct peer *peer, const char *text)
{
	static const char before_product[] = "PID:";
	static const char before_serial[] = " SN:";
	const char *product = text + strlen(before_product);
	const char *serial = strstr(text, before_serial);
	const char *serial_text;

	if (!text_starts(text, before_product) || serial == NULL ||
	    serial < product)
		return refuse_value(peer, "serialNumber", text, strlen(text),
		    "expected \"PID:PRODUCT SN:SERIAL\"");
	serial_text = serial + strlen(before_serial);
	return read_product(peer, "PID", product, (size_t)(serial - product)) &&
	    read_serial(peer, "SN", serial_text, strlen(serial_text));
}

/* CN=<product>-SEP<MAC>, the product being that of the PID: [MIC]. */
static bool
read_mic_common_name(struct peer *peer, const char *text)
{
	static const char before_mac[] = "-SEP";
	size_t len = strlen(peer->product);
	const char *mac_text = text + len + strlen(before_mac);

	if (!text_starts(text, peer->product) ||
	    !text_starts(text + len, before_mac))
		return refuse_value(peer, "CN", text, strlen(text),
		    "expected the product of the PID, \"-SEP\" and the MAC");
	return read_mac(peer, "MAC in CN", mac_text, strlen(mac_text),
	    &peer->mac);
}

static bool
read_mic(struct peer *peer, const struct subject *subject)
{
	peer->form = PEER_MIC;
	if (subject->common_name == NULL)
		return refuse(peer, "serialNumber without CN");
	return read_mic_serial_number(peer, subject->serial_number) &&
	    read_mic_common_name(peer, subject->common_name) &&
	    agree_place(peer, subject) && agree_unit(peer, subject);
}

static void
read_subject(struct peer *peer, const struct subject *subject)
{
	bool read;

	if (is_generic(subject)) {
		peer->form = PEER_GENERIC;
		return;
	}
	/* The one attribute that is present decides which form it must be. */
	if (subject->serial_number != NULL)
		read = read_mic(peer, subject);
	else if (subject->common_name != NULL)
		read = read_observed(peer, subject);
	else
		read = read_documented(peer, subject);
	peer->has_mac = read;
}

static const char *
find_value(const struct cert_name *name, enum cert_attribute type)
{
	const struct cert_name_part *part = cert_name_find(name, type);

	return part != NULL ? part->value : NULL;
}

void
peer_parse(struct peer *peer, const uint8_t *der, size_t len)
{
	struct error err = { 0 };
	X509 *cert = cert_parse(der, len, &err);

	if (cert == NULL) {
		*peer = (struct peer) { 0 };
		refuse(peer, "%.*s", (int)sizeof(peer->reason) - 1, err.text);
		return;
	}
	peer_read(peer, cert);
	cert_free(cert);
}

void
peer_read(struct peer *peer, const X509 *cert)
{
	struct cert_name name;

	*peer = (struct peer) { 0 };
	cert_subject(cert, &name);
	if (!check_name(peer, &name))
		return;
	read_subject(peer,
	    &(struct subject) {
		.state = find_value(&name, CERT_STATE),
		.locality = find_value(&name, CERT_LOCALITY),
		.unit = find_value(&name, CERT_UNIT),
		.common_name = find_value(&name, CERT_COMMON_NAME),
		.serial_number = find_value(&name, CERT_SERIAL_NUMBER),
	    });
}

const char *
peer_form_name(enum peer_form form)
{
	switch (form) {
	case PEER_DOCUMENTED:
		return "documented";
	case PEER_OBSERVED:
		return "observed";
	case PEER_MIC:
		return "mic";
	case PEER_GENERIC:
		return "generic";
	case PEER_INVALID:
		return "invalid";
	}
	return "invalid";
}
