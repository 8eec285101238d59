#include "cmd/csr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "cmd/cert_common.h"
#include "cmd/device_common.h"
#include "spa/knowledge.h"
#include "spa/registry.h"

void
csr_case_clear(struct csr_case *c)
{
	cert_fleet_clear(&c->fleet);
	errors_clear(&c->warnings);
	free(c->types);
	free(c->key_path);
	free(c->csr_path);
	free(c->text_path);
}

/* -------------------------------------------------------------- the types */

static void
add_type(struct csr_case *c, const struct csr_type *type)
{
	c->types[c->type_count] = *type;
	c->types[c->type_count++].is_named = portal_names(c->product,
	    type->model);
	c->devices += type->count;
	if (type->stack->name_check == NAME_CHECK_SAN)
		c->want_san += type->count;
}

static void
types_of_fleet(struct csr_case *c)
{
	c->types = xcalloc(c->fleet.group_count + 1, sizeof(*c->types));
	for (size_t i = 0; i < c->fleet.group_count; i++) {
		const struct cert_group *group = &c->fleet.groups[i];

		if (knowledge_resolve(c->fleet.knowledge, group->model,
			group->has_firmware ? &group->firmware : NULL, c->ca)
			.verdict == VERDICT_TRUSTED)
			add_type(c,
			    &(struct csr_type) { .model = group->model,
				.stack = group->stack,
				.has_firmware = group->has_firmware,
				.firmware = group->firmware,
				.count = group->count });
	}
}

static void
types_of_registry(struct csr_case *c)
{
	c->types = xcalloc(registry_model_count, sizeof(*c->types));
	for (size_t i = 0; i < registry_model_count; i++) {
		struct csr_type type = { .model = &registry_models[i] };
		bool any;

		if (!portal_first_firmware(c->fleet.knowledge, type.model,
			c->ca, &any, &type.firmware))
			continue;
		type.has_firmware = !any;
		type.stack = registry_find_stack(type.model,
		    any ? NULL : &type.firmware);
		add_type(c, &type);
	}
}

void
csr_case_find_types(struct csr_case *c)
{
	/* An inventory without such devices says as little as none. */
	if (c->fleet.known)
		types_of_fleet(c);
	if (c->type_count == 0) {
		free(c->types);
		types_of_registry(c);
	}
	for (size_t i = 0; i < c->type_count && c->oldest == NULL; i++)
		if (!c->types[i].stack->check_sha256)
			c->oldest = &c->types[i];
}

/* "SHA256" or "SHA1": what to choose on the portal. */
static const char *
csr_case_digest(const struct csr_case *c)
{
	return c->oldest != NULL ? "SHA1" : "SHA256";
}

/* ------------------------------------------------------------- the warnings */

static void
warn_signing(struct csr_case *c)
{
	const struct ca *ca = c->ca;

	if (ca->signing != CA_SIGNING_NO)
		return;
	if (*ca->signing_until != '\0')
		errors_add(&c->warnings,
		    "%s signs no more since %s (%s): this request will most "
		    "likely be refused",
		    ca->name, ca->signing_until, ca->source);
	else
		errors_add(&c->warnings,
		    "%s signs no more: %s (%s): this request will most "
		    "likely be refused",
		    ca->name, ca->note, ca->source);
}

void
csr_case_warn(struct csr_case *c)
{
	warn_signing(c);
	if (c->fleet.known && c->devices == 0)
		errors_add(&c->warnings,
		    "no device of the inventory is known to trust %s: the "
		    "device types are those of the registry",
		    c->ca->name);
	if (c->want_san > 0 && !c->csr->san)
		errors_add(&c->warnings,
		    "%zu %s, ATA19x at their firmware, check the "
		    "subjectAltName: ask for one with --san (whether the "
		    "signer keeps it is not known), or switch their "
		    "HTTPS_Name_Validate off",
		    DEVICES(c->want_san));
	if (c->bits > CSR_BITS_DEFAULT)
		errors_add(&c->warnings,
		    "a key of %d bits: nothing is known of old devices with "
		    "more than %d",
		    c->bits, CSR_BITS_DEFAULT);
}

/* ----------------------------------------------------------------- the text */

/* Appends after the first failure do nothing: checked once at the end. */
struct writer {
	struct buf *buf;
	bool failed;
};

static void put(struct writer *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
put(struct writer *w, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	w->failed |= buf_append_text(w->buf, line) != 0;
}

/* Words in lines of at most 78 columns: first before the first line, as many
 * blanks before the others. */
static void
put_wrapped(struct writer *w, const char *first, const char *text)
{
	size_t indent = strlen(first), column = indent;

	put(w, "%s", first);
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len > 78) {
			put(w, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			put(w, " ");
			column++;
		}
		put(w, "%.*s", (int)len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	put(w, "\n");
}

static void
put_field(struct writer *w, const char *name, const char *value)
{
	if (value != NULL && *value != '\0')
		put(w, "  %-14s %s\n", name, value);
}

static void
put_subject(struct writer *w, const struct csr_case *c)
{
	const struct csr *csr = c->csr;
	bool has_suffix = csr->suffix != NULL && *csr->suffix != '\0';

	put(w, "  %-14s %s%s%s\n", "common name", csr->host,
	    has_suffix ? "/" : "", has_suffix ? csr->suffix : "");
	put_field(w, "e-mail", csr->email);
	put_field(w, "organization", csr->organization);
	put_field(w, "unit", csr->unit);
	put_field(w, "locality", csr->locality);
	put_field(w, "state", csr->state);
	put_field(w, "country", csr->country);
	put(w, "  %-14s RSA, %d bits\n", "key", c->bits);
	put(w, "  %-14s %s\n", "SAN", csr->san ? csr->host : "none");
	put(w, "  %-14s %s\n", "request", c->csr_path);
}

/* [CDA-SIGN] */
static void
put_portal(struct writer *w, const struct csr_case *c)
{
	char *prefix = xasprintf("  %-14s ", "");

	put(w,
	    "\nOn the signing portal (Certificate Management, Sign CSR)\n"
	    "  product\n");
	put_wrapped(w, "    [x] ", c->product->title);
	put(w, "  %-14s %s\n", "digest", csr_case_digest(c));
	if (c->oldest != NULL)
		put(w,
		    "%s%s%s%s cannot verify SHA256; MD5 only if one "
		    "refuses SHA1\n",
		    prefix, c->oldest->model->name,
		    c->oldest->has_firmware ? " " : "",
		    c->oldest->has_firmware ? c->oldest->firmware.text : "");
	else
		put(w, "%sall devices below are taken to verify it\n", prefix);
	put(w, "  %-14s the longest that is offered\n", "duration");
	put(w, "  %-14s %s\n", "signed by", c->ca->name);
	if (*c->ca->note != '\0')
		put_wrapped(w, prefix, c->ca->note);
	free(prefix);
}

static void
put_types(struct writer *w, const struct csr_case *c)
{
	bool mark = false;

	put(w, "\nDevice types%s\n",
	    c->devices > 0 ? "" :
			     ", all that are known to trust it: tick yours");
	for (size_t i = 0; i < c->type_count; i++) {
		const struct csr_type *type = &c->types[i];

		put(w, "  [%c] %c %-14s %s", type->count > 0 ? 'x' : ' ',
		    type->is_named ? ' ' : '*', type->model->name,
		    type->has_firmware	? type->firmware.text :
			type->count > 0 ? "firmware not known" :
					  "any firmware");
		if (type->count > 0)
			put(w, ", %zu %s", DEVICES(type->count));
		else if (type->has_firmware)
			put(w, " and newer");
		put(w, "\n");
		mark |= !type->is_named;
	}
	if (mark)
		put(w,
		    "  * not named by the portal's product, but known to "
		    "trust the CA\n");
}

/* Devices of the fleet that this certificate is not for, by what could be. */
static void
put_others(struct writer *w, const struct csr_case *c)
{
	size_t other[8] = { 0 }, rest = 0, unknown = 0;

	for (size_t i = 0; i < c->fleet.group_count; i++) {
		const struct cert_group *group = &c->fleet.groups[i];
		const struct firmware *firmware = group->has_firmware ?
		    &group->firmware :
		    NULL;
		struct trust trust = knowledge_resolve(c->fleet.knowledge,
		    group->model, firmware, c->ca);
		size_t found = portal_product_count;

		if (trust.verdict == VERDICT_TRUSTED)
			continue;
		for (size_t j = portal_product_count; j-- > 0;)
			if (knowledge_resolve(c->fleet.knowledge, group->model,
				firmware, portal_ca(&portal_products[j]))
				.verdict == VERDICT_TRUSTED)
				found = j;
		if (trust.depends_on_firmware)
			unknown += group->count;
		else if (found < portal_product_count)
			other[found] += group->count;
		else
			rest += group->count;
	}
	if (c->fleet.count == c->devices || c->devices == 0)
		return;
	put(w, "\nNot served by it\n");
	if (unknown > 0)
		put(w,
		    "  %zu %s whose firmware decides, and is not known: "
		    "sprov device set\n",
		    DEVICES(unknown));
	for (size_t j = 0; j < portal_product_count; j++)
		if (other[j] > 0)
			put(w, "  %zu %s trusting %s: --product %s%s\n",
			    DEVICES(other[j]),
			    portal_ca(&portal_products[j])->name,
			    portal_products[j].id,
			    portal_ca(&portal_products[j])->signing ==
				    CA_SIGNING_NO ?
				", which signs no more" :
				"");
	if (rest > 0)
		put(w, "  %zu %s that no product is known for\n",
		    DEVICES(rest));
}

int
csr_case_text(const struct csr_case *c, struct buf *text)
{
	struct writer w = { text, false };

	put(&w,
	    "Request for a server certificate that voice devices "
	    "accept\n\n");
	put_subject(&w, c);
	put_portal(&w, c);
	put_types(&w, c);
	put_others(&w, c);
	if (c->warnings.count > 0)
		put(&w, "\nMind\n");
	for (size_t i = 0; i < c->warnings.kept; i++) {
		put_wrapped(&w, "  ", c->warnings.text[i]);
	}
	put(&w,
	    "\nThe key stays here: %s\n"
	    "When the certificate is back, SIGNED being its file:\n"
	    "  sprov cert import SIGNED --key %s --host %s\n",
	    c->key_path, c->key_path, c->csr->host);
	return w.failed ? -1 : 0;
}

/* ------------------------------------------------------------------- JSON */

static json_t *
types_json(const struct csr_case *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->type_count; i++) {
		const struct csr_type *type = &c->types[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:I, s:b}", "model",
			type->model->name,
			type->count > 0 ? "firmware" : "firmware_from",
			type->has_firmware ? type->firmware.text : NULL,
			"devices", (json_int_t)type->count, "named",
			type->is_named));
	}
	return list;
}

int
csr_case_print_json(const struct csr_case *c)
{
	static const char *const signing[] = { "unknown", "yes", "no" };
	json_t *warnings = json_array();

	for (size_t i = 0; i < c->warnings.kept; i++)
		(void)json_array_append_new(warnings,
		    json_string(c->warnings.text[i]));
	return cert_print_json(json_pack("{s:s, s:s?, s:s, s:s, s:s, s:i, s:b, "
					 "s:s, s:s, s:s, s:s, s:s, "
					 "s:o, s:o}",
	    "host", c->csr->host, "suffix", c->csr->suffix, "key", c->key_path,
	    "request", c->csr_path, "text", c->text_path, "bits", c->bits,
	    "san", c->csr->san, "product", c->product->id, "product_title",
	    c->product->title, "ca", c->ca->id, "signing",
	    signing[c->ca->signing], "digest", csr_case_digest(c), "types",
	    types_json(c), "warnings", warnings));
}
