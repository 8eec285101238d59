/*
 * openapi.h -- docs/openapi.json, as the API serves it; made at build time.
 */
#ifndef ADMIN_OPENAPI_H
#define ADMIN_OPENAPI_H

#include <stddef.h>

extern const char admin_openapi[];
extern const size_t admin_openapi_len;

#endif
