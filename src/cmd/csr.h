/*
 * csr.h -- "sprov csr": a key, a request for a CA's portal, and what to say
 * there.
 */
#ifndef CMD_CSR_H
#define CMD_CSR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "cmd/cert_fleet.h"
#include "pki/request.h"
#include "spa/portal.h"

/* As main(): argv[0] is "csr".  Returns an exit status. */
int cmd_csr(int argc, char **argv);

/* A kind of device that the certificate is for. */
struct csr_type {
	const struct model *model;
	const struct stack *stack;
	bool has_firmware; /* false: any version, or not known */
	struct firmware firmware;
	size_t count;  /* devices; 0: from the registry, "and newer" */
	bool is_named; /* by the portal's product */
};

/* What the request is for. */
struct csr_case {
	const struct csr *csr;
	const struct portal_product *product;
	const struct ca *ca;
	struct cert_fleet fleet;
	struct csr_type *types;
	size_t type_count;
	size_t devices;		       /* of them; 0 without an inventory */
	size_t want_san;	       /* devices that check the SAN only */
	const struct csr_type *oldest; /* cannot verify SHA-256; or NULL */
	int bits;
	char *key_path, *csr_path, *text_path;
	struct errors warnings;
};

/* Fill types and what follows from them; the fleet is loaded already. */
void csr_case_find_types(struct csr_case *c);
void csr_case_clear(struct csr_case *c);

/* Warnings about the CA, the SAN and the key. */
void csr_case_warn(struct csr_case *c);

/* The text to send along. */
int csr_case_text(const struct csr_case *c, struct buf *text) MUST_CHECK;

/* For --json; prints it and returns an exit status. */
int csr_case_print_json(const struct csr_case *c);

#endif
