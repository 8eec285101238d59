/*
 * crowd.h -- a fleet of simulated devices: who they are.
 *
 * A fleet is a folder with a few keys, two CAs and a server certificate.  All
 * else follows from a device's number: its MAC address, its model and its
 * certificate, which is made when it is first needed and has the same bytes
 * each time (RSA with PKCS #1 v1.5 padding, and the dates of its CA).  So
 * hundreds of thousands of devices need no files, and start in seconds.
 *
 * In the folder: ca.crt and ca.key sign devices (ca.crt is the client anchor of
 * a server); server-ca.crt, server.crt and server.key are the server's;
 * device-0.key ... are the devices' keys, used in turn; mix says which models.
 */
#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"
#include "base/mac.h"

#define CROWD_DEVICES_MAX 10000000
#define CROWD_KEYS_MAX 64
#define CROWD_MODELS_MAX 64
#define CROWD_HOST "prov.example.net"

struct model;

struct crowd_recipe {
	unsigned ca_bits;   /* of the key that signs devices */
	unsigned key_bits;  /* of the devices' keys */
	unsigned key_count; /* 1 to CROWD_KEYS_MAX */
	const char *digest; /* of devices' certificates: "sha1", ... */
	const char *mix;    /* "SPA504G:60,SPA112:40": models and weights */
};

/* Make a folder (which may exist, empty) with what a fleet needs. */
int crowd_create(const char *folder, const struct crowd_recipe *recipe,
    struct error *err) MUST_CHECK;

struct crowd;

/* Devices number 0, step, 2 * step, ... of the fleet in folder, count of them:
 * a step above 1 takes some out of a larger fleet. */
void crowd_free(struct crowd *crowd);
struct crowd *crowd_open(const char *folder, size_t count, size_t step,
    struct error *err) MUST_CHECK FREED_BY(crowd_free);

size_t crowd_count(const struct crowd *crowd);
const char *crowd_folder(const struct crowd *crowd);

/* Of the device at index 0 to count - 1. */
struct mac crowd_mac(const struct crowd *crowd, size_t index);
const struct model *crowd_model(const struct crowd *crowd, size_t index);
#define CROWD_SERIAL_BYTES 16
void crowd_serial(const struct crowd *crowd, size_t index,
    char serial[static CROWD_SERIAL_BYTES]);
EVP_PKEY *crowd_key(const struct crowd *crowd, size_t index); /* borrowed */
size_t crowd_key_number(const struct crowd *crowd, size_t index);

/* Made at the first call and kept; borrowed.  NULL with err. */
X509 *crowd_certificate(struct crowd *crowd, size_t index,
    struct error *err) MUST_CHECK;

#endif
