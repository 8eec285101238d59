/*
 * fleet.h -- the lab's devices: every model at each firmware that the registry
 * distinguishes.
 */
#ifndef LAB_FLEET_H
#define LAB_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mac.h"
#include "spa/firmware.h"
#include "spa/registry.h"

struct anchors;
struct chain;
struct lab_pki;
struct sim_device;

struct lab_device {
	const struct model *model;
	struct firmware firmware;
	bool has_firmware;
	char label[80]; /* "SPA504G@7.5.2b" */
	struct mac mac;
	char serial[16];
	char *base; /* path of certificate and key, without suffix */
	struct anchors *trusted;
	struct chain *identity;
	struct sim_device *sim;
	const struct ca *ca; /* whose listener it is led to; NULL: none */
	char *rule;	     /* its profile rule; NULL: none */
	char *profile;	     /* what it must get */
};

struct lab_fleet {
	struct lab_device *devices;
	size_t count;
};

/* Make all devices, their certificates in directory/devices and their
 * simulated selves. */
void lab_fleet_free(struct lab_fleet *fleet);
struct lab_fleet *
lab_fleet_new(const struct lab_pki *pki, const char *directory,
    struct error *err) MUST_CHECK FREED_BY(lab_fleet_free);

/* What a device does with the certificate of that CA's listener, as the claims
 * and the device's TLS stack say. */
enum lab_expectation {
	LAB_ACCEPTS,
	LAB_REFUSES, /* a claim says that it does not trust the CA */
	LAB_UNKNOWN, /* no claim: a simulated device does not trust it */
	LAB_EXPIRED, /* trusts the CA, but checks dates and it is over */
	LAB_DIGEST,  /* trusts the CA, but cannot verify SHA-2 */
	LAB_NAME,    /* trusts the CA, but wants a SAN */
};
enum lab_expectation
lab_expect(const struct lab_device *device, const struct ca *ca, time_t now);

/*
 * Lead every device to a listener: of the CAs it accepts the first that still
 * signs, else the first of the registry.  port gives each CA's port, indexed as
 * registry_cas.
 */
void
lab_fleet_assign(struct lab_fleet *fleet, const uint16_t *port, time_t now);

/* A device of the inventory that is retired; no simulated one has this MAC. */
extern const struct mac lab_retired_mac;

/*
 * Fill the inventory at uri with the fleet, one retired device and the
 * variables that the lab's template needs, and write directory/fleet.tsv for
 * "sprov simulate --lab".
 */
int lab_fleet_write(const struct lab_fleet *fleet, const char *directory,
    const char *uri, struct error *err) MUST_CHECK;

/* The fleet of a lab that was kept, from its folder: devices with their rules
 * and simulated selves; ca and profile are not set. */
struct lab_fleet *lab_fleet_read(const char *directory,
    struct error *err) MUST_CHECK FREED_BY(lab_fleet_free);

/* Text of the template that the lab serves profiles from. */
extern const char lab_template[];
extern const char lab_common_template[];

#endif
