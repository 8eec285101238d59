/*
 * assets.h -- the pages of the dashboard, built into the program.
 *
 * make.py makes the table from app/, with node and npm; without them it is
 * empty, and the API alone is served.
 */
#ifndef DASHBOARD_ASSETS_H
#define DASHBOARD_ASSETS_H

#include <stddef.h>

struct asset {
	const char *path; /* "/index.html", "/assets/main.js" */
	const char *type; /* Content-Type */
	const unsigned char *gzip;
	size_t gzip_len;
};

extern const struct asset dashboard_assets[];
extern const size_t dashboard_asset_count;

#endif
